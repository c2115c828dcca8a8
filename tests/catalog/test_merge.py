"""Shards and their merging: the same answers as a whole ingest."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from idp.catalog.ingest import Order
from idp.catalog.ingest.survey import Shard
from idp.catalog.merge import merge
from idp.errors import InvalidInput

from .index_stories import component, group, ingested, later, written
from .test_ingest import dump

LOCATION = (
    "apiVersion: backstage.io/v1alpha1\nkind: Location\nmetadata:\n  name: {}\nspec:\n"
    "  targets: [./more.yaml]\n"
)
NAMES = st.sampled_from(["a", "b", "c"])
TEXTS = st.one_of(
    st.builds(component, NAMES),
    st.builds(lambda n, o: component(n, dependsOn=f"[component:{o}]"), NAMES, NAMES),
    st.builds(lambda n: group(n) + "---\n" + LOCATION.format(n), NAMES),
    st.just("kind: Component\n"),
)


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.sampled_from("pqrstuvw"), TEXTS, max_size=8), st.integers(1, 4))
def test_shards_merged_say_what_a_whole_ingest_says(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, str], count: int
) -> None:
    tmp_path = tmp_path_factory.mktemp("shards")
    (tmp_path / "org").mkdir()
    folder = written(
        tmp_path / "org",
        {f"{name}/catalog-info.yaml": text for name, text in files.items()}
        | {f"{name}/more.yaml": component("a", owner=name) for name in files},
    )
    parts = []
    for number in range(1, count + 1):
        part = tmp_path / f"part-{number}" / "x.db"
        ingested(part, [folder], order=Order(shard=Shard(number, count)))
        parts.append(part)
    whole = tmp_path / "whole" / "x.db"
    ingested(whole, [folder])
    outcome = merge(parts, tmp_path / "merged" / "x.db", later())
    assert dump(tmp_path / "merged" / "x.db") == dump(whole)
    assert outcome.documents == ingested(whole, [folder]).documents


def test_an_ingest_goes_on_from_what_was_merged(tmp_path: Path) -> None:
    folder = written(
        tmp_path / "org", {f"{n}/catalog-info.yaml": component(f"c-{n}") for n in range(9)}
    )
    parts = [tmp_path / f"{n}" / "x.db" for n in (1, 2)]
    for number, part in enumerate(parts, 1):
        ingested(part, [folder], order=Order(shard=Shard(number, 2)))
    merged = tmp_path / "merged" / "x.db"
    merge(parts, merged, later())
    before = dump(merged)
    assert ingested(merged, [folder]).entities == 9
    assert dump(merged) == before


def test_another_shard_does_not_go_into_the_same_index(tmp_path: Path) -> None:
    folder = written(tmp_path / "org", {"catalog-info.yaml": component("pay")})
    ingested(tmp_path / "i" / "x.db", [folder], order=Order(shard=Shard(1, 2)))
    with pytest.raises(InvalidInput, match="is of the shard 1/2"):
        ingested(tmp_path / "i" / "x.db", [folder], order=Order(shard=Shard(2, 2)))


def test_parts_of_other_sources_are_refused(tmp_path: Path) -> None:
    one = written(tmp_path / "one", {"catalog-info.yaml": component("one")})
    two = written(tmp_path / "two", {"catalog-info.yaml": component("two")})
    ingested(tmp_path / "a" / "x.db", [one, two])
    ingested(tmp_path / "b" / "x.db", [two, one])
    with pytest.raises(InvalidInput, match="in another place"):
        merge([tmp_path / "a" / "x.db", tmp_path / "b" / "x.db"], tmp_path / "c" / "x.db", later())


def test_parts_that_are_no_whole_are_refused(tmp_path: Path) -> None:
    folder = written(tmp_path / "org", {"catalog-info.yaml": component("pay")})
    ingested(tmp_path / "a" / "x.db", [folder], order=Order(shard=Shard(1, 3)))
    with pytest.raises(InvalidInput, match="missing 2/3, 3/3"):
        merge([tmp_path / "a" / "x.db"], tmp_path / "c" / "x.db", later())
