"""idp catalog validate."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pytest_snapshot.plugin import Snapshot  # type: ignore[import-untyped]

from .stories import Checkout, component, documents, group

MISTAKES = """\
# Everything that people get wrong, in one file.
apiVersion: backstage.io/v1alpha
kind: component
metdata:
  name: x
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: payments api
  title:
  labels:
    tier: very high
  tags: [Node.js, go]
  links:
    - url: /docs
owner: team-a
spec:
  type: 7
  lifecyle: production
  dependsOn: component:ledger
---
apiVersion: backstage.io/v1alpha1
kind: Resource
metadata:
  name: db
  name: db
spec:
  type: database
  owner: ""
  dependsOn:
    - ledger
    - component:/x
---
apiVersion: backstage.io/v1alpha1
kind: API
metadata:
  name: pay
spec: type: openapi
---
- a list
"""


def test_a_valid_file_passes_quietly(checkout: Checkout) -> None:
    checkout.write(info=documents(component("pay"), group("team-a")))

    run = checkout.validate()

    assert (run.code, run.out) == (0, "")
    assert run.err == "2 documents, none invalid\n"


def test_every_mistake_is_told_at_once_with_its_place_and_mend(
    checkout: Checkout, snapshot: Snapshot
) -> None:
    checkout.write(info=MISTAKES)

    run = checkout.validate()

    assert run.code == 3
    snapshot.snapshot_dir = Path(__file__).parent / "snapshots"
    snapshot.assert_match(run.out + run.err, "mistakes.txt")


def test_json_is_a_list_with_a_verdict_for_each_document(checkout: Checkout) -> None:
    checkout.write(info=documents(component("pay"), component("a b")))

    good, bad = checkout.verdicts()

    assert good == {
        "file": "catalog-info.yaml",
        "document": 0,
        "ok": True,
        "ref": "component:default/pay",
        "skeleton": False,
        "problems": [],
    }
    assert (bad["document"], bad["ok"], bad["ref"]) == (1, False, None)
    (problem,) = bad["problems"]
    assert (problem["line"], problem["column"]) == (13, 9)
    assert (problem["path"], problem["rule"]) == ("metadata.name", "format")
    assert problem["hint"] == "a-b would do"


def test_documents_without_content_do_not_count(checkout: Checkout) -> None:
    checkout.write(info="---\n---\n# nothing\n---\n" + component("pay") + "---\n")

    assert [(v["document"], v["ref"]) for v in checkout.verdicts()] == [
        (0, "component:default/pay")
    ]


def test_a_document_that_is_no_yaml_spoils_itself_only(checkout: Checkout) -> None:
    checkout.write(info=documents(component("a"), "kind: [\n", component("b")))

    assert [v["ref"] for v in checkout.verdicts()] == [
        "component:default/a",
        None,
        "component:default/b",
    ]


def test_catalog_files_are_found_below_and_a_named_file_may_have_any_name(
    checkout: Checkout,
) -> None:
    checkout.write(
        info=component("a"),
        **{
            "b__catalog-info.yml": component("b"),
            "node_modules__c__catalog-info.yaml": component("c"),
            "teams.yaml": group("team-a"),
        },
    )

    assert [v["file"] for v in checkout.verdicts()] == ["catalog-info.yaml", "b/catalog-info.yml"]
    assert [v["ref"] for v in checkout.verdicts("teams.yaml", "b")] == [
        "group:default/team-a",
        "component:default/b",
    ]


@pytest.mark.parametrize("path", ["nowhere", "."])
def test_where_there_is_nothing_to_judge_it_fails(checkout: Checkout, path: str) -> None:
    run = checkout.validate(path)

    assert run.code == 3
    assert path == "." or "nowhere" in run.err


def test_a_skeleton_is_told_and_fails_only_when_strict(checkout: Checkout) -> None:
    checkout.write(info=component("${{ values.name }}"))

    run = checkout.validate()

    assert run.code == 0
    assert "catalog-info.yaml:4:9: skeleton: metadata.name:" in run.out
    assert "1 unrendered template" in run.err
    assert checkout.validate("--strict").code == 3
    (verdict,) = checkout.verdicts()
    assert (verdict["ok"], verdict["skeleton"]) == (False, True)


def test_a_template_that_is_wrong_is_no_skeleton(checkout: Checkout) -> None:
    checkout.write(
        info="apiVersion: scaffolder.backstage.io/v1beta3\nkind: Template\n"
        "metadata: {name: t}\nspec:\n  type: service\n  steps:\n"
        "    - name: ${{ parameters.name }}\n"
    )

    assert checkout.validate().code == 3
    assert checkout.messages() == ["spec.steps[0].action: is missing (add action)"]


class TestRefs:
    def test_what_leads_nowhere_is_told_with_what_was_meant(self, checkout: Checkout) -> None:
        checkout.write(
            info=documents(
                component("pay", "team-b", dependsOn=["component:leger"]),
                component("ledger"),
                group("team-a"),
            )
        )

        assert checkout.validate().code == 0
        assert checkout.validate("--refs").code == 3
        assert checkout.messages("--refs") == [
            "spec.owner: the owner group:default/team-b is in none of these files "
            "(did you mean group:default/team-a?)",
            "spec.dependsOn[0]: component:default/leger is in none of these files "
            "(did you mean component:default/ledger?)",
        ]

    def test_the_first_to_claim_a_name_has_it(self, checkout: Checkout) -> None:
        checkout.write(
            info=documents(component("pay"), group("team-a")),
            **{"old__catalog-info.yaml": component("PAY")},
        )

        assert checkout.messages("--refs") == [
            "metadata.name: component:default/pay is there already, at catalog-info.yaml:4: "
            "only the first counts (rename or remove one of the two)"
        ]

    def test_circles_are_warnings(self, checkout: Checkout) -> None:
        checkout.write(
            info=documents(
                component("a", dependsOn=["component:b"]),
                component("b", dependsOn=["component:c"], subcomponentOf="b"),
                component("c", dependsOn=["component:a"]),
                group("team-a"),
            )
        )

        run = checkout.validate("--refs")

        assert run.code == 0
        assert checkout.messages("--refs") == [
            "spec.dependsOn[0]: dependsOn goes in a circle: component:default/a → "
            "component:default/b → component:default/c → component:default/a "
            "(take one of these out)",
            "spec.subcomponentOf: partOf goes in a circle: component:default/b → "
            "component:default/b (take one of these out)",
        ]
        assert all(verdict["ok"] for verdict in checkout.verdicts("--refs"))

    def test_a_reference_to_an_invalid_entity_points_to_it(self, checkout: Checkout) -> None:
        checkout.write(
            info=documents(
                component("a", dependsOn=["component:b"]),
                component("b", lifecycle=7).replace("  lifecycle: production\n", ""),
                group("team-a"),
            )
        )

        assert checkout.messages("--refs") == [
            "spec.dependsOn[0]: component:default/b is not valid itself, at catalog-info.yaml:14 "
            "(mend it there)",
            "spec.lifecycle: must be a text, not the number 7 (put it in quotes)",
        ]


class TestPlaceholders:
    @pytest.fixture
    def api(self, checkout: Checkout) -> Checkout:
        checkout.write(info=self.definition("$text: ./openapi.yaml"))
        return checkout

    @staticmethod
    def definition(placeholder: str) -> str:
        text = component("pay").replace("Component", "API")
        return f"{text}  definition:\n    {placeholder}\n"

    def test_a_file_of_the_repository_is_read(self, api: Checkout) -> None:
        api.write(**{"openapi.yaml": "openapi: 3.1.0\n"})

        assert api.validate().code == 0

    def test_a_missing_or_empty_file_is_told(self, api: Checkout) -> None:
        assert api.messages() == [
            "spec.definition.$text: ./openapi.yaml cannot be read: No such file or directory "
            "(name a file of this repository by a relative path)"
        ]
        api.write(**{"openapi.yaml": ""})
        assert [m.split(" (")[0] for m in api.messages()] == ["spec.definition: is empty"]

    def test_json_where_a_text_is_due_is_told(self, checkout: Checkout) -> None:
        checkout.write(info=self.definition("$json: x.json"), **{"x.json": "{}"})

        assert [m.split(" (")[0] for m in checkout.messages()] == [
            "spec.definition: must be a text, not a mapping"
        ]

    def test_no_file_outside_the_repository_is_read(self, checkout: Checkout) -> None:
        checkout.path.with_name("secret").write_text("sesame")
        (checkout.path / "link").symlink_to(checkout.path.with_name("secret"))
        for name in ("../secret", "link"):
            checkout.write(info=self.definition(f"$text: {name}"))

            (message,) = checkout.messages()

            assert f"{name} is outside the repository" in message

    def test_a_page_of_another_repository_is_refused_as_backstage_does(
        self, checkout: Checkout
    ) -> None:
        for owner, code in (("acme", 0), ("evil", 3)):
            url = f"https://github.com/{owner}/pay/blob/main/openapi.yaml"
            checkout.write(info=self.definition(f"$text: {url}"))

            assert checkout.validate().code == code

    def test_the_repository_can_be_said(self, tmp_path: Path) -> None:
        folder = Checkout(tmp_path / "export")
        url = "https://github.com/acme/pay/blob/main/openapi.yaml"
        folder.write(info=self.definition(f"$text: {url}"))

        assert folder.validate().code == 0
        assert folder.validate("--repository", "https://github.com/acme/shop").code == 3


class TestForCI:
    def test_github_puts_problems_on_lines_and_takes_no_command_from_a_file(
        self, checkout: Checkout
    ) -> None:
        checkout.write(info=component('"%0A::stop-commands::x\\n"'))

        run = checkout.validate("--format", "github")

        assert run.code == 3
        (line,) = run.out.splitlines()
        assert line.startswith(
            "::error file=catalog-info.yaml,line=4,col=9::metadata.name: '%250A::stop-commands"
        )

    def test_sarif_names_rule_place_and_mend(self, checkout: Checkout) -> None:
        checkout.write(info=component("a b"))

        log = json.loads(checkout.validate("--format", "sarif").out)

        (run,) = log["runs"]
        (result,) = run["results"]
        assert log["version"] == "2.1.0"
        assert result["ruleId"] in {rule["id"] for rule in run["tool"]["driver"]["rules"]}
        assert result["level"] == "error"
        assert "(a-b would do)" in result["message"]["text"]
        assert result["locations"] == [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": "catalog-info.yaml"},
                    "region": {"startLine": 4, "startColumn": 9},
                }
            }
        ]

    def test_sarif_and_json_at_once_is_a_wrong_call(self, checkout: Checkout) -> None:
        assert checkout.validate("--format", "sarif", "--json").code == 2
