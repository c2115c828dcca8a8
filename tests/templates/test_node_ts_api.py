"""node-ts-api: its packages, its lock, and the rules that its script makes."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from .conftest import NEWEST, Render
from .stories import Process, Service, run, started, tool

REGISTRY = "https://registry.npmjs.org/"
PYTHON_API, NODE_TS_API = (
    next(release for release in NEWEST if release.startswith(name))
    for name in ("python-api@", "node-ts-api@")
)


@pytest.fixture(scope="module")
def built(render: Render, tmp_path_factory: pytest.TempPathFactory) -> Service:
    """A service called as one of its own dependencies is, with everything in it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        service = render(NODE_TS_API, tmp_path_factory.mktemp("node") / "fastify", name="fastify")
    service.make("setup")
    return service


def test_a_service_may_be_called_as_its_dependency_is(built: Service) -> None:
    assert json.loads(built.read("package.json"))["name"] == "fastify"
    assert built.make("test")


def test_its_lock_names_the_public_registry_and_a_hash_of_each_package(built: Service) -> None:
    locked = json.loads(built.read("package-lock.json"))["packages"]
    root = locked.pop("")

    manifest = json.loads(built.read("package.json"))
    assert root["name"] == manifest["name"]
    for kind in ("dependencies", "devDependencies"):
        assert root[kind] == manifest[kind]
    for name, package in locked.items():
        assert package["resolved"].startswith(REGISTRY), name
        assert package["integrity"].startswith("sha512-"), name


def test_nothing_that_is_installed_has_to_run_a_script(built: Service) -> None:
    """`npm ci` is told to run none, so whatever needs one would be half installed."""
    locked = json.loads(built.read("package-lock.json"))["packages"]

    scripted = [name for name, package in locked.items() if package.get("hasInstallScript")]

    # Only watches files on macOS, where vitest can do without.
    assert scripted in ([], ["node_modules/fsevents"])


@pytest.mark.parametrize("tier", ["critical", "high", "standard", "low"])
def test_both_templates_make_the_same_rules_of_an_objective(
    tier: str, built: Service, render: Render, tmp_path: Path
) -> None:
    python = render(PYTHON_API, tmp_path / "python", tier=tier, owner="on")
    script = built.path / "dist/scripts/slo.js"

    assert run(tool("node"), script, cwd=python.path) == python.read("observability/slo-rules.yaml")


def test_a_collector_that_is_away_keeps_it_from_nothing(built: Service, tmp_path: Path) -> None:
    nowhere = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}
    with started(built, tmp_path / "log", **nowhere) as process:
        process.get("/v1/items")
        process.terminate()

        assert process.wait() == 0
        assert "traces are lost" in process.told()


def test_every_wrong_setting_is_named_at_once(built: Service, tmp_path: Path) -> None:
    process = Process(built, tmp_path / "log", LOG_LEVEL="LOUD", DRAIN_SECONDS="soon")

    assert process.wait() == 1
    (line,) = process.lines()
    assert "LOG_LEVEL must be one of" in line["exception"]["message"]
    assert 'DRAIN_SECONDS must be a whole number up to 86400, not "soon"' in process.told().replace(
        '\\"', '"'
    )
    process.client.close()


def test_a_bug_outside_of_any_request_is_logged_and_ends_it(built: Service, tmp_path: Path) -> None:
    bug = "process.once('SIGUSR2',()=>Promise.reject(new%20Error('disk%20on%20fire')))"
    options = {"NODE_OPTIONS": f"--import=data:text/javascript,{bug}"}
    with started(built, tmp_path / "log", **options) as process:
        process.process.send_signal(signal.SIGUSR2)

        assert process.wait() == 1
        last = process.lines()[-1]
        assert (last["event"], last["exception"]["message"]) == ("crashed", "disk on fire")
