"""Releases of every form, for hypothesis; and a plain one."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from hypothesis import strategies as st

from idp.provider.base import Release
from idp.workload.model import (
    Amounts,
    Check,
    Container,
    File,
    HttpGet,
    Mount,
    Port,
    Resource,
    Workload,
)

NOW = datetime(2026, 11, 24, 4, 30, tzinfo=UTC)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
maps = st.dictionaries(texts, texts, max_size=3)
times = st.datetimes(timezones=st.just(UTC))
amounts = st.builds(
    Amounts,
    cpu=st.none() | st.decimals(0, 1000, places=3),
    memory=st.none() | st.decimals(0, Decimal(10) ** 15, places=0),
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
words = st.lists(texts, max_size=3).map(tuple)
checks = st.none() | st.builds(
    Check,
    http=st.none() | st.builds(HttpGet, path=texts, port=st.integers(1, 65535), headers=maps),
    command=words,
)
containers = st.builds(
    Container,
    name=texts,
    image=texts,
    command=words,
    args=words,
    variables=maps,
    files=st.lists(
        st.builds(File, target=texts, text=st.none() | texts, data=st.none() | st.binary()),
        max_size=2,
    ).map(tuple),
    mounts=st.lists(st.builds(Mount, texts, texts, texts, st.booleans()), max_size=2).map(tuple),
    requests=amounts,
    limits=amounts,
    liveness=checks,
    readiness=checks,
    before=maps,
    run=texts,
)
ports = st.builds(
    Port, texts, st.integers(1, 65535), st.integers(1, 65535), st.sampled_from(["TCP", "UDP"])
)
resources = st.builds(
    Resource, texts, texts, texts, texts, st.dictionaries(texts, json_values, max_size=3)
)
workloads = st.builds(
    Workload,
    name=texts,
    containers=st.lists(containers, max_size=2).map(tuple),
    ports=st.lists(ports, max_size=2).map(tuple),
    resources=st.lists(resources, max_size=2).map(tuple),
    annotations=maps,
    build=texts,
    run=texts,
    manifests=texts,
    extra=words,
)
releases = st.builds(
    Release,
    id=texts,
    environment=texts,
    service=texts,
    commit=texts,
    workload=workloads,
    created_at=times,
    expires_at=st.none() | times,
    artefact=texts,
    plan=texts,
    previous=texts,
    tags=maps,
    settings=maps,
    strategy=st.sampled_from(["rolling", "blue-green"]),
)


def release(workload: Workload, **said: object) -> Release:
    """Return a release of a workload, with fields of your choice."""
    plain = Release("r1", "shop-pr-7", "shop", "c0ffee", workload, NOW)
    return Release(**{**vars(plain), **said})
