"""Templates laid side by side: same places, same verbs, same names, whatever the language."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

from .conftest import NEWEST, Render
from .stories import Service

# In the same place everywhere, and not the same text; all other files are equal to the letter.
IN_OTHER_WORDS = {
    *(".copier-answers.yml", ".devcontainer/devcontainer.json", ".dockerignore", ".editorconfig"),
    *(".github/workflows/ci.yml", ".gitignore", ".pre-commit-config.yaml", ".yamllint.yaml"),
    *("Dockerfile", "Makefile", "README.md", "catalog-info.yaml", "openapi.yaml", "renovate.json"),
    *("score.yaml", "docs/adr/0001-start-from-the-golden-path.md", "docs/architecture.md"),
}
METHODS = ("get", "post", "put", "patch", "delete")

Pair = tuple[Service, Service]


@pytest.fixture(params=NEWEST[1:] or NEWEST)
def pair(request: pytest.FixtureRequest, render: Render, tmp_path: Path) -> Pair:
    """The same service of two templates."""
    repository = "https://github.com/acme/orders-api"
    one = render(NEWEST[0], tmp_path / "one", repository=repository)
    return one, render(request.param, tmp_path / "other", repository=repository)


def common(service: Service) -> set[str]:
    """Return the files that a template in any language has."""
    own = service.language.own
    return {name for name in service.files() if not any(fnmatch(name, p) for p in own)}


def test_the_same_places(pair: Pair) -> None:
    one, other = pair

    assert common(one) == common(other)
    assert common(one) >= IN_OTHER_WORDS
    for name in common(one) - IN_OTHER_WORDS:
        assert one.read(name) == other.read(name), name


def test_each_has_source_tests_and_scripts_of_its_own(pair: Pair) -> None:
    for service in pair:
        folders = {name.split("/")[0] for name in set(service.files()) - common(service)}
        assert {"src", "tests", "scripts"} <= folders


def test_the_same_verbs(pair: Pair) -> None:
    one, other = (re.findall(r"^([a-z-]+):.*## ", s.read("Makefile"), re.M) for s in pair)

    assert one == other
    assert {"setup", "test", "lint", "run", "build", "openapi", "slo", "alerts", "lock"} <= {*one}


def test_the_same_jobs(pair: Pair) -> None:
    def jobs(service: Service) -> dict[str, Any]:
        (workflow,) = service.yaml(".github/workflows/ci.yml")
        for job in workflow["jobs"].values():
            job["steps"] = [s for s in job["steps"] if not is_setup(s.get("uses", ""))]
        found: dict[str, Any] = workflow["jobs"]
        return found

    def is_setup(action: str) -> bool:
        return action.startswith("actions/setup-")

    one, other = map(jobs, pair)
    assert one == other


def test_the_same_workload_and_catalog_entry(pair: Pair) -> None:
    (one, *_), (other, *_) = (service.yaml("score.yaml") for service in pair)
    assert one["metadata"].pop("annotations").keys() == other["metadata"].pop("annotations").keys()
    assert one == other

    ones, others = (service.yaml("catalog-info.yaml") for service in pair)
    for entities in (ones, others):
        assert entities[0]["metadata"].pop("tags")
    assert ones == others


def test_the_same_image_but_for_what_it_is_made_of(pair: Pair) -> None:
    def facts(service: Service) -> set[str]:
        text = service.read("Dockerfile")
        last = text[text.rindex("\nFROM ") :]
        shape = r"\b(?:BIND_ADDRESS|DRAIN_SECONDS|PORT)=\S+|^(?:USER|EXPOSE) .*|org\.\S+=\S+"
        return set(re.findall(shape, last, re.M))

    one, other = map(facts, pair)
    assert one == other
    assert {"BIND_ADDRESS=0.0.0.0", "DRAIN_SECONDS=5", "PORT=8080", "EXPOSE 8080"} <= one


def test_the_same_variables(pair: Pair) -> None:
    one, other = (re.findall(r"^\| `([A-Z_]+)` \|.*", s.read("README.md"), re.M) for s in pair)

    assert one == other
    assert {"BIND_ADDRESS", "PORT", "LOG_LEVEL", "DRAIN_SECONDS"} <= {*one}


def test_the_same_interface(pair: Pair) -> None:
    def operations(service: Service) -> dict[tuple[str, str], Any]:
        (api,) = service.yaml("openapi.yaml")
        return {
            (path, method): operation
            for path, item in api["paths"].items()
            for method, operation in item.items()
            if method in METHODS
        }

    def shape(operation: dict[str, Any], own: frozenset[str]) -> dict[str, Any]:
        name = operation["operationId"]
        answers = {s: a for s, a in operation["responses"].items() if f"{name} {s}" not in own}
        return {
            "id": name,
            "asked": {(p["in"], p["name"]) for p in operation.get("parameters", ())},
            "body": sorted(operation.get("requestBody", {}).get("content", ())),
            "answers": {
                status: sorted(answer.get("content", ())) for status, answer in answers.items()
            },
        }

    one, other = (
        {key: shape(op, s.language.own_answers) for key, op in operations(s).items()} for s in pair
    )
    assert one == other


def test_the_same_fields(pair: Pair) -> None:
    def fields(service: Service) -> dict[str, set[str]]:
        (api,) = service.yaml("openapi.yaml")
        return {name: set(s["properties"]) for name, s in api["components"]["schemas"].items()}

    one, other = map(fields, pair)
    assert one == other
