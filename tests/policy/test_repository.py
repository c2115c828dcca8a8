"""What a repository says of itself: score.yaml and catalog-info.yaml, each fact with its place."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from idp.errors import InvalidInput, NotFound
from idp.plan import Use
from idp.policy.plain import is_secret
from idp.policy.repository import Repository, depended_on, repository
from idp.workload.quantity import quantity

from ..service.stories import build_tree
from .stories import CATALOG, SCORE


def read(tmp_path: Path, score: str | None = SCORE, catalog: str | None = CATALOG) -> Repository:
    build_tree(tmp_path / "pay", {"score.yaml": score, "catalog-info.yaml": catalog})
    return repository(tmp_path / "pay", "production", ["postgres"], "pay/")


def containers(image: str = "a:1", **resources: str) -> str:
    said = "".join(f"      {key}: {value}\n" for key, value in resources.items())
    return f"containers:\n  main:\n    image: {image}\n    resources:\n{said}"


def test_a_repository_says_what_it_is_and_what_it_will_use(tmp_path: Path) -> None:
    facts = read(tmp_path).facts
    assert (facts.service, facts.owner, facts.environment) == ("payments", "team-a", "production")
    assert facts.tags == {
        "cost-centre": "1234",
        "owner": "team-a",
        "team": "team-a",
        "service": "payments",
        "environment": "production",
    }
    assert facts.images == ("registry.example.com/payments:1.2.3",)
    assert facts.uses == (
        Use("main cpu", "cpu_hour", Decimal("0.5")),
        Use("main memory", "gb_hour", Decimal(2)),
        Use("db", "postgres", Decimal(1)),
    )
    assert (facts.public, facts.personal_data, facts.plain_secrets) == (False, False, ())


def test_a_label_cannot_say_that_it_runs_elsewhere_or_is_somebody_elses(tmp_path: Path) -> None:
    labels = "labels: {environment: dev, owner: nobody}"
    catalog = CATALOG.replace('labels:\n    idp.dev/cost-centre: "1234"', labels)
    tags = read(tmp_path, catalog=catalog).facts.tags
    assert (tags["environment"], tags["owner"]) == ("production", "team-a")


def test_limits_count_where_nothing_is_requested(tmp_path: Path) -> None:
    score = containers(requests="{cpu: 1}", limits="{cpu: 9, memory: 512Mi}")
    rates = {use.rate: use.quantity for use in read(tmp_path, score).facts.uses}
    assert rates == {"cpu_hour": Decimal(1), "gb_hour": Decimal("0.536870912")}


def test_a_volume_is_storage_and_what_has_no_price_is_named(tmp_path: Path) -> None:
    resources = "resources:\n  v: {type: volume, params: {size: 10G}}\n  q: {type: queue}\n"
    found = read(tmp_path, resources)
    assert found.facts.uses == (Use("v", "gb_month", Decimal(10)),)
    assert found.unpriced == ("queue",)


def test_an_amount_that_is_none_is_refused_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"pay/score.yaml:5: .*limits.cpu: 'much'"):
        read(tmp_path, containers(limits="{cpu: much}"))


@pytest.mark.parametrize(
    ("written", "amount"),
    [("100m", "0.1"), ("1.5", "1.5"), (2, "2"), ("1Ki", "1024"), ("1M", "1000000"), ("1e3", "1000")]
    + [(bad, None) for bad in ("", "much", "5Q", "-1", True, None, "1 2", "0x10")],
)
def test_quantities_are_those_of_kubernetes(written: object, amount: str | None) -> None:
    assert quantity(written) == (Decimal(amount) if amount else None)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DB_PASSWORD", "hunter2"),
        ("dbPassword", "hunter2"),
        ("STRIPE_API_KEY", "abc-123"),
        ("SESSION_SECRET", "prefix-${metadata.name}"),
        ("PASSWORD", "$${not.a.placeholder}"),
        ("DATABASE_URL", "postgres://pat:hunter2@db/x"),
        ("ANYTHING", "AKIAIOSFODNN7EXAMPLE"),
        ("ANYTHING", "-----BEGIN RSA PRIVATE KEY-----\nMII"),
    ],
)
def test_a_secret_is_known_by_its_name_or_by_its_looks(name: str, value: str) -> None:
    assert is_secret(name, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DB_PASSWORD", "${resources.db.password}"),
        ("DB_PASSWORD", ""),
        ("DATABASE_URL", "postgres://${resources.db.username}:${resources.db.password}@h/x"),
        ("PASSWORD_FILE", "/run/secrets/password"),
        ("SECRET_NAME", "payments"),
        ("TOKEN_URL", "https://login.example.com/token"),
        ("TOKEN_TTL", "3600"),
        ("USE_TOKEN", "true"),
        ("LOG_LEVEL", "INFO"),
        ("MONKEY", "banana"),
    ],
)
def test_what_only_looks_a_little_like_a_secret_is_none(name: str, value: str) -> None:
    assert not is_secret(name, value)


def test_a_secret_is_told_by_its_place_and_never_by_its_value(tmp_path: Path) -> None:
    score = SCORE.replace("${resources.db.password}", "hunter2-canary")
    found = read(tmp_path, score)
    assert found.facts.plain_secrets == ("pay/score.yaml:8 containers.main.variables.DB_PASSWORD",)
    assert "canary" not in repr(found)


def test_a_secret_in_a_file_or_a_command_is_found_too(tmp_path: Path) -> None:
    score = """\
containers:
  main:
    args: ["--token", "ghp_abcdefghijklmnopqrstuvwxyz0123456789"]
    files:
      /etc/app.ini:
        content: |
          [aws]
          key = AKIAIOSFODNN7EXAMPLE
resources:
  db: {type: postgres, params: {adminPassword: swordfish}}
"""
    assert [place.split()[0] for place in read(tmp_path, score).facts.plain_secrets] == [
        "pay/score.yaml:3",
        "pay/score.yaml:6",
        "pay/score.yaml:10",
    ]


@pytest.mark.parametrize(
    ("score", "public"),
    [
        ("resources:\n  web: {type: route}\n", "pay/score.yaml:2"),
        ("resources:\n  web: {type: route, class: internal}\n", ""),
        ("resources:\n  name: {type: dns}\n", ""),
        ("metadata: {annotations: {idp.dev/public: 'true'}}\n", "pay/score.yaml:1"),
        (
            "metadata: {annotations: {idp.dev/public: 'false'}}\nresources: {w: {type: route}}\n",
            "",
        ),
    ],
)
def test_a_route_is_public_unless_it_says_otherwise(
    tmp_path: Path, score: str, public: str
) -> None:
    found = read(tmp_path, score, None)
    assert found.facts.public == bool(public)
    assert not public or found.places["public"] == public


@pytest.mark.parametrize(
    ("metadata", "line"),
    [
        ("tags: [pii]", 5),
        ("annotations: {idp.dev/personal-data: 'yes'}", 5),
        ("labels: {personal-data: customers}", 5),
        ("annotations: {idp.dev/personal-data: 'no'}", 0),
        ("tags: [money]", 0),
    ],
)
def test_personal_data_is_what_the_catalog_file_says(
    tmp_path: Path, metadata: str, line: int
) -> None:
    catalog = CATALOG.replace('labels:\n    idp.dev/cost-centre: "1234"', metadata)
    found = read(tmp_path, None, catalog)
    assert found.facts.personal_data == bool(line)
    assert not line or found.places["personal_data"] == f"pay/catalog-info.yaml:{line}"


def test_dependencies_are_compared_by_their_full_names(tmp_path: Path) -> None:
    catalog = CATALOG.replace(
        "team-a}", "team-a, dependsOn: [Component:Ledger], consumesApis: [x]}"
    )
    depends = read(tmp_path, None, catalog).depends
    assert depends == {
        "component:default/ledger": "pay/catalog-info.yaml:7",
        "api:default/x": "pay/catalog-info.yaml:7",
    }
    before = {"metadata": {}, "spec": {"dependsOn": ["component:default/ledger"]}}
    assert set(depends) - depended_on(before) == {"api:default/x"}


def test_a_catalog_file_may_hold_others_beside_the_service(tmp_path: Path) -> None:
    api = "kind: API\nmetadata: {name: payments-api}\nspec: {owner: others}\n---\n"
    facts = read(tmp_path, catalog=api + CATALOG).facts
    assert (facts.service, facts.owner) == ("payments", "team-a")


def test_odd_shapes_are_no_facts(tmp_path: Path) -> None:
    score = "containers: [1]\nresources: {a: 7, b: {type: [x]}}\nmetadata: text\n"
    catalog = "kind: Component\nmetadata: {name: 7, labels: [a], tags: x}\nspec: text\n"
    facts = read(tmp_path, score, catalog).facts
    assert (facts.service, facts.images, facts.uses) == ("7", (), ())


def test_a_file_that_is_no_yaml_is_refused_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"score.yaml:\d+:\d+: not YAML"):
        read(tmp_path, "containers: [\n")


def test_a_folder_without_either_file_is_no_service(tmp_path: Path) -> None:
    (tmp_path / "pay").mkdir()
    with pytest.raises(NotFound, match=r"neither score\.yaml nor"):
        read(tmp_path, None, None)
