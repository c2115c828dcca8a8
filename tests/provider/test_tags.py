"""Tags become labels and annotations that Kubernetes takes, and come back as they were."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.provider.tags import (
    Life,
    carries,
    fits_label,
    is_ours,
    read_life,
    read_tags,
    selector,
    tags_of,
    written,
)
from idp.workload.model import Workload

from .releases import NOW, maps, release, times

AUTHOR = "dependabot[bot]"
LABEL = re.compile(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?")
KEY = re.compile(r"idp\.dev/[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
names = st.sampled_from(["team", "fence", "managed-by", "other-tags", "Cost Centre", "pull"])
tag_maps = st.dictionaries(names | st.text(max_size=5), st.text(max_size=70), max_size=5)
lives = st.builds(
    Life,
    release=st.sampled_from(["", "r1", "a b"]),
    fence=st.integers(0, 10**18 - 1),
    created_at=times,
    updated_at=times,
    next=st.sampled_from(["", "r2"]),
    expires_at=st.none() | times,
)


@given(tags=tag_maps, life=st.none() | lives)
def test_tags_come_back_as_they_were_and_fit(tags: dict[str, str], life: Life | None) -> None:
    made = written(tags, life)
    assert read_tags(made.labels, made.annotations) == tags
    assert read_tags(made.together, {}) == tags
    assert all(len(v) <= 63 and LABEL.fullmatch(v) for v in made.labels.values())
    assert all(KEY.fullmatch(key) for key in made.together)
    assert is_ours(made.labels)
    if life:
        assert read_life(made.labels, made.annotations, NOW) == life


def test_a_value_that_fits_no_label_is_an_annotation() -> None:
    made = written({"team": "payments", "author": AUTHOR})
    assert made.labels == {"idp.dev/managed-by": "idp", "idp.dev/team": "payments"}
    assert made.annotations == {"idp.dev/author": AUTHOR}


@pytest.mark.parametrize("value", ["-a", "a-", "a b", "ä", "x" * 64, "a\n", "1:2"])
def test_what_fits_no_label(value: str) -> None:
    assert not fits_label(value)


def test_the_environment_and_service_are_among_a_releases_tags() -> None:
    one = release(Workload("shop", ()), tags={"team": "pay", "service": "another"})
    assert tags_of(one) == {"team": "pay", "service": "shop", "environment": "shop-pr-7"}


@given(tags=tag_maps, wanted=maps)
def test_a_server_asked_by_the_selector_withholds_nothing(
    tags: dict[str, str], wanted: dict[str, str]
) -> None:
    made = written(tags | wanted)
    assert selector(wanted).items() <= made.labels.items()
    assert carries(read_tags(made.labels, made.annotations), wanted)


def test_a_selector_leaves_out_what_no_label_holds() -> None:
    assert selector({"team": "pay", "author": AUTHOR}) == {
        "idp.dev/managed-by": "idp",
        "idp.dev/team": "pay",
    }
    assert not carries({"team": "pay"}, {"author": AUTHOR})


def test_damaged_tags_are_as_if_never_written() -> None:
    labels = {"idp.dev/fence": "-3", "idp.dev/release": "r1", "app": "shop"}
    damaged = {
        "idp.dev/created-at": "yesterday",
        "idp.dev/expires-at": "2026-01-01T00:00:00",  # of no zone
        "idp.dev/other-tags": "[" * 100_000,
    }
    assert read_life(labels, damaged, NOW) == Life("r1", 0, NOW, NOW)
    assert read_tags(labels, damaged) == {}
    assert read_tags({}, {"idp.dev/other-tags": json.dumps({"A": 1, "B": "b"})}) == {"B": "b"}


def test_times_of_another_zone_are_kept_as_utc() -> None:
    labels = {"idp.dev/expires-at": "2026-11-24T06:30:00+02:00"}
    assert read_life(labels, {}, NOW).expires_at == datetime(2026, 11, 24, 4, 30, tzinfo=UTC)
    far = NOW + timedelta(days=1)
    assert read_life({}, {"idp.dev/updated-at": far.isoformat()}, NOW).updated_at == far
