"""What a provider does not act on is told by its path, never passed over."""

from __future__ import annotations

from pathlib import Path

from idp.workload.fields import FIELDS, unused
from idp.workload.reading import read

from .stories import HEAD, MAIN, official, workload


def test_a_provider_that_acts_on_everything_leaves_what_nobody_knows() -> None:
    full = read(official("score-full.yaml"))
    assert unused(full, FIELDS) == ["metadata.extra-key", "resources.resource-one1.metadata"]


def test_what_is_not_acted_on_is_told() -> None:
    full = read(official("score-full.yaml"))
    known = set(FIELDS) - {"containers.volumes.path", "containers.livenessProbe.exec"}
    assert unused(full, known)[:2] == [
        'containers.container-one1.volumes["/mnt/something"].path',
        "containers.container-one1.livenessProbe.exec",
    ]


def test_defaults_are_not_told(tmp_path: Path) -> None:
    port = "service: {ports: {web: {port: 80, protocol: %s}}}\n"
    assert unused(workload(tmp_path, HEAD + MAIN + port % "TCP"), ["service.ports"]) == []
    assert unused(workload(tmp_path, HEAD + MAIN + port % "UDP"), []) == [
        "service.ports.web",
        "service.ports.web.protocol",
    ]


def test_an_annotation_that_looks_like_ours_is_told(tmp_path: Path) -> None:
    notes = "  annotations: {idp.dev/biuld: make, idp.dev/tier: critical, other.org/build: x}\n"
    found = workload(tmp_path, HEAD + notes + MAIN)
    assert unused(found, FIELDS) == ['metadata.annotations["idp.dev/biuld"]']
