"""The query language: what an expression finds, and how a wrong one is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..index_stories import ingested, made, written
from .stories import COMPANY, Catalog, service

FOUND = {
    "kind=component owner=team-b": "checkout web",
    "kind=Component and OWNER=Team-B": "checkout web",
    "owner=group:default/team-b kind=domain": "retail",
    "owner=pat": "batch",
    "owner=user:pat": "batch",
    "lifecycle!=production kind=component": "web batch",
    "kind=component not lifecycle=production": "web batch",
    "kind=component not (lifecycle=production or type=website)": "batch",
    "type=website or lifecycle=experimental": "web batch",
    "kind=api or kind=component tag=pci": "pay-api payments batch",
    "tag in (pci, nothing)": "payments batch",
    "tags=go tag=pci": "payments",
    "kind=component tag not in (go)": "web batch",
    "kind=component not has(tags)": "web",
    "has(annotations.pagerduty.com/service-id)": "payments",
    "has(annotations)": "payments",
    "kind=component not has(metadata.annotations.pagerduty.com/service-id)": "checkout web batch",
    "not has(annotations.nobody.has/this) kind=api": "pay-api",
    "pagerduty.com/service-id=p123": "payments",
    "metadata.annotations.pagerduty.com/service-id=P123": "payments",
    "service-id=P123": "payments",
    "compliance=pci-dss": "payments",
    "labels.example.com/compliance=PCI-DSS": "payments",
    "spec.type=website": "web",
    "tier=critical": "checkout payments",
    "name=pay*": "pay-api payments",
    "name~PAY": "pay-api payments",
    "name!~a kind=component": "checkout web",
    'name="pay*"': "",
    "ref=payments": "payments",
    "component:payments": "payments",
    "ref in (payments, api:pay-api)": "pay-api payments",
    "ref=component:*": "checkout payments web batch",
    "ref~ops/": "batch",
    "namespace=ops": "batch",
    "ref=batch": "batch",
    "system=shop": "checkout payments",
    "partOf=shop": "checkout payments",
    "domain=retail": "shop",
    "has(system)": "checkout payments",
    "has(domain)": "shop",
    "dependsOn=component:payments": "checkout",
    "dependsOn=payments": "checkout",
    "dependson=old-db": "web",
    "dependsOn=resource:default/old-db": "web",
    "dependencyOf=web": "checkout",
    "dependsOn*=payments": "checkout web batch",
    "dependencyOf*=web": "checkout payments",
    "dependsOn*=component:ops/batch": "batch",
    "dependsOn*=payments tier=critical": "checkout",
    "dependsOn~old": "web",
    "dependsOn=resource:old*": "web",
    "has(dependsOn)": "checkout web batch",
    "providesApis=pay-api": "payments",
    "providesApi=pay-api": "payments",
    "consumesApis=api:pay-api": "web",
    "apiProvidedBy=payments": "pay-api",
    "ownerOf=web": "team-b",
    "memberOf=team-a": "pat",
    "hasMember=pat": "team-a",
    "parent=team-a": "team-b",
    'text~"takes money"': "payments",
    "check kind=component": "checkout payments",
    '"takes the"': "payments",
    "basket": "checkout",
    "checkout not pci": "checkout",
    "not text~checkout kind=component": "web batch",
    "orphan=false kind=system": "shop",
    "orphan=true": "",
    "has(orphan)": "",
    "path=catalog-info.yaml kind=api": "pay-api",
    "path~INFO kind=api": "pay-api",
    "not has(repository) kind=api": "pay-api",
    "kind=component order by name desc limit 2": "web payments",
    "kind=component order by title, name desc": "payments web checkout batch",
    "kind=component order by tag, name": "checkout payments batch web",
    "kind=component order by owner desc limit 1": "batch",
    "limit 3": "pay-api checkout payments",
    "order by kind limit 1": "pay-api",
}


@pytest.mark.parametrize("expression", FOUND)
def test_an_expression_finds(company: Catalog, expression: str) -> None:
    assert company.names(expression) == FOUND[expression]


def test_nothing_asked_finds_everything_by_ref(company: Catalog) -> None:
    assert company.refs() == sorted(company.refs()) and len(company.refs()) == 10


WRONG = {
    "kind=": """\
error: expected a value after =
  kind=
       ^
hint: quote an odd one: "…"
""",
    "owner=team-a and": """\
error: expected a condition at the end
  owner=team-a and
                  ^
hint: such as owner=X
""",
    "kind=component (owner=a or owner=b": """\
error: this ( is never closed
  kind=component (owner=a or owner=b
                 ^
hint: add a )
""",
    "kind=component) tag=go": """\
error: ) does not belong here
  kind=component) tag=go
                ^
hint: no ( is open here
""",
    "tag=pci,gdpr": """\
error: , does not belong here
  tag=pci,gdpr
         ^
hint: either of two values is written: tag in (pci, gdpr)
""",
    "kind==component": """\
error: there is no == in a query
  kind==component
      ^^
hint: write =
""",
    "kind=api && tag=go": """\
error: there is no && in a query
  kind=api && tag=go
           ^^
hint: write and, or nothing: conditions side by side all hold
""",
    "kind:component": """\
error: expected = after kind
  kind:component
  ^^^^^^^^^^^^^^
hint: write kind=component, or "kind:component" to search for the word
""",
    "lifecyle=production": """\
error: no entity has a field 'lifecyle'
  lifecyle=production
  ^^^^^^^^
hint: did you mean lifecycle?
""",
    "kind=component zzz=1": """\
error: no entity has a field 'zzz'
  kind=component zzz=1
                 ^^^
hint: write it in full to ask all the same: spec.zzz
""",
    "kind*=component": """\
error: *= follows a relation, and kind is none
  kind*=component
  ^^^^
hint: such as dependsOn*=component:payments
""",
    'title="Pay': """\
error: this " is never closed
  title="Pay
        ^
hint: end it with "
""",
    "tag in (": """\
error: expected a value in the brackets
  tag in (
          ^
hint: quote an odd one: "…"
""",
    "name=p*y": """\
error: a * ends a value that others begin with
  name=p*y
       ^^^
hint: contains is ~
""",
    "limit ten": """\
error: expected a number after limit
  limit ten
        ^^^
hint: such as limit 20
""",
    "orphan=maybe": """\
error: orphan is true or false
  orphan=maybe
         ^^^^^
hint: such as orphan=false
""",
    "text~--": """\
error: there is no word in '--' to search for
  text~--
       ^^
""",
    "order by dependsOn": """\
error: dependsOn is nothing to order by
  order by dependsOn
           ^^^^^^^^^
""",
}


@pytest.mark.parametrize("expression", WRONG)
def test_a_wrong_expression_shows_the_place_and_the_mend(company: Catalog, expression: str) -> None:
    assert company.fault(expression) == WRONG[expression].rstrip("\n")


def test_a_long_expression_is_shown_around_the_place(company: Catalog) -> None:
    told = company.fault(" ".join(["kind=component"] * 40) + " zzz=1 " + "tag=go " * 40)
    shown, caret = told.splitlines()[1:3]
    assert shown[caret.index("^") :].startswith("zzz=1") and len(shown) < 80


@pytest.mark.parametrize("text", ["(" * 5000, "not " * 5000, "(" * 5000 + "a=1", "has(" * 300])
def test_absurd_nesting_is_an_error_like_others(company: Catalog, text: str) -> None:
    assert company.fault(text).startswith("error: ")


def test_too_many_conditions_are_refused(company: Catalog) -> None:
    assert "more than 200 conditions" in company.fault(" or ".join(["tag=go"] * 201))
    assert company.names(" or ".join(["tag=pci"] * 200)) == "payments batch"


def test_many_values_are_fine(company: Catalog) -> None:
    many = ", ".join(f"v{n}" for n in range(3000))
    assert company.names(f"tag in ({many}, pci)") == "payments batch"


NOTES = {
    "lifecycle=prodction": "nothing has lifecycle=prodction; did you mean production?",
    "lifecycle!=prodction": "nothing has lifecycle=prodction; did you mean production?",
    "kind=servce": "nothing has kind=servce",
    "owner=taem-a": "nothing is called taem-a; did you mean group:default/team-a?",
    "dependsOn=component:paymnets": "nothing is called component:paymnets; did you mean"
    " component:default/payments?",
}


@pytest.mark.parametrize("expression", NOTES)
def test_a_value_that_nothing_has_is_noted(company: Catalog, expression: str) -> None:
    assert company.ask(expression).notes == (NOTES[expression],)


def test_a_short_ref_that_may_be_several_lists_them(tmp_path: Path) -> None:
    spaces = "\n---\n".join(service("jobs", namespace=space) for space in ("eu", "us"))
    catalog = Catalog(made(tmp_path, {"catalog-info.yaml": spaces}))
    told = (
        "error: 'jobs' may be component:eu/jobs, component:us/jobs\nhint: write component:eu/jobs"
    )
    assert catalog.fault("dependsOn=jobs") == told
    assert catalog.refs("ref=us/jobs") == ["component:us/jobs"]
    assert catalog.refs("ref=jobs*") == ["component:eu/jobs", "component:us/jobs"]


def test_a_name_that_two_labels_have_means_either(tmp_path: Path) -> None:
    one = service("one", labels={"a.example/stage": "beta"})
    two = service("two", annotations={"b.example/stage": "beta"}, stage="alpha")
    catalog = Catalog(made(tmp_path, {"catalog-info.yaml": f"{one}\n---\n{two}"}))
    assert catalog.names("stage=beta") == "one two"
    assert catalog.names("stage=beta stage=alpha") == "two"
    explained = catalog.ask("stage=beta", explain=True).explained
    assert explained is not None
    assert explained.meaning == (
        "metadata.annotations.b.example/stage or metadata.labels.a.example/stage or spec.stage"
        " is beta"
    )


def test_an_orphan_is_found_until_it_goes(tmp_path: Path) -> None:
    index = made(tmp_path, {"a/catalog-info.yaml": service("a"), "b/catalog-info.yaml": COMPANY})
    ingested(index, [written(tmp_path / "org", {"a/catalog-info.yaml": None})])
    catalog = Catalog(index)
    assert catalog.names("orphan=true") == catalog.names("has(orphan)") == "a"
    assert catalog.names("kind=component not orphan=true") == catalog.names(
        "kind=component orphan=false"
    )
    assert "a" in catalog.names("kind=component").split()
    assert catalog.ask("orphan=true", ("ref", "orphan")).rows == [("component:default/a", True)]
    assert catalog.names(filters=["metadata.annotations.backstage.io/orphan=true"]) == "a"
