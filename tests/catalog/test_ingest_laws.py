"""What holds of an index whatever happens to its sources, and whatever is in them."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import tempfile
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from idp.catalog.index import schema
from idp.catalog.index.find import find
from idp.catalog.index.opened import opened
from idp.catalog.index.packing import unpack
from idp.catalog.index.rows import entity_of, rows_of
from idp.catalog.ingest import Order, Origin, ingest
from idp.catalog.ingest.survey import Shard
from idp.catalog.merge import merge
from idp.catalog.source.folder import FolderSource
from idp.catalog.source.grammar import parse_place
from idp.errors import InvalidInput

from ..service.stories import idp
from .index_stories import component, group, ingested, later, made, origin, written
from .test_ingest import dump, refs

LOCATION = (
    "apiVersion: backstage.io/v1alpha1\nkind: Location\nmetadata:\n  name: {}\nspec:\n"
    "  targets: [{}]\n"
)


def check(path: Path) -> None:
    """Check that an index holds what its documents come to, and nothing else."""
    with opened(path) as index:
        ask = index.connection.execute
        assert ask("PRAGMA integrity_check").fetchone() == ("ok",)
        live = {row[0] for row in ask("SELECT id FROM entity")}
        assert live == {row[0] for row in ask("SELECT id FROM document")}
        assert live == {row[0] for row in ask("SELECT rowid FROM words")}
        files = {row[0] for row in ask("SELECT id FROM file")}
        for table in ("entity", "problem", "claim"):
            assert files >= {row[0] for row in ask(f"SELECT file FROM {table}")}, table
        ids = dict(ask("SELECT ref, id FROM node"))
        paths = dict(ask("SELECT path, id FROM field"))
        attributes, relations = set(), set()
        for node, data in ask("SELECT id, data FROM document").fetchall():
            rows = rows_of(entity_of(unpack(data)))
            assert ids[rows.ref] == node
            attributes |= {(paths[path], value, node) for path, value, _ in rows.attributes}
            for number, ref in rows.relations:
                relations.add((number, ids[ref], node, 0))
                relations.add((schema.INVERSE[number], node, ids[ref], 1))
        assert attributes == set(ask("SELECT field, value, entity FROM attribute"))
        assert relations == set(ask("SELECT type, target, source, by FROM relation"))
        vain = ask(
            "SELECT 1 FROM claim c LEFT JOIN entity e ON e.id = c.node"
            " WHERE e.id IS NULL OR e.orphaned_at IS NOT NULL"
        )
        assert vain.fetchone() is None


PLACES = st.sampled_from(["one/a", "one/b", "one/in/c", "two/a", "two/d"])
NAMES = st.sampled_from(["x", "y", "z"])
TEXTS = st.one_of(
    st.builds(lambda names: "---\n".join(map(component, names)), st.lists(NAMES, max_size=3)),
    st.builds(lambda n, o: component(n, dependsOn=f"[component:{o}]", x=".nan"), NAMES, NAMES),
    st.builds(lambda n: group(n) + "---\nkind: Component\n", NAMES),
    st.builds(LOCATION.format, NAMES, st.sampled_from(["./more.yaml", "../*/more.yaml"])),
    st.just("a: [\n"),
)
SOURCES = st.permutations(["one", "one/in", "two"]).flatmap(
    lambda all_: st.integers(1, 3).map(lambda count: all_[:count])
)


class Catalog(RuleBasedStateMachine):
    """Files come, change, move and go; sources come, go, and cannot be reached."""

    @initialize()
    def begin(self) -> None:
        self.room = tempfile.TemporaryDirectory()
        self.top = Path(self.room.name)
        self.index = self.top / "i" / "x.db"
        self.hours = 0
        for name in ("one/in", "two"):
            (self.top / "org" / name).mkdir(parents=True)
        self.run(["one", "two"])

    def run(self, sources: list[str], order: Order | None = None) -> None:
        self.hours += 1
        self.sources = [self.top / "org" / name for name in sources]
        ingested(self.index, self.sources, later(hours=self.hours), order)

    def file(self, place: str, name: str = "catalog-info.yaml") -> Path:
        return self.top / "org" / place / name

    @rule(place=PLACES, text=TEXTS, name=st.sampled_from(["catalog-info.yaml", "more.yaml"]))
    def write(self, place: str, text: str, name: str) -> None:
        written(self.file(place).parent, {name: text})

    @rule(place=PLACES, to=PLACES)
    def move(self, place: str, to: str) -> None:
        if self.file(place).exists():
            self.file(to).parent.mkdir(parents=True, exist_ok=True)
            self.file(place).replace(self.file(to))

    @rule(place=PLACES)
    def remove(self, place: str) -> None:
        self.file(place).unlink(missing_ok=True)

    @rule(sources=SOURCES)
    def read_all(self, sources: list[str]) -> None:
        self.run(sources)

    @rule(source=st.sampled_from(["one", "one/in", "two"]))
    def read_one(self, source: str) -> None:
        self.run([source], Order(is_whole=False))

    @rule()
    def read_while_one_is_away(self) -> None:
        folder = self.top / "org" / "two"
        folder.rename(self.top / "away")
        self.run(["one", "two"])
        (self.top / "away").rename(folder)

    @rule(sources=SOURCES, count=st.integers(1, 3))
    def read_in_shards(self, sources: list[str], count: int) -> None:
        parts = [self.top / f"part-{number}" / "x.db" for number in range(count)]
        folders = [self.top / "org" / name for name in sources]
        for number, part in enumerate(parts, 1):
            part.unlink(missing_ok=True)
            ingested(part, folders, later(), Order(shard=Shard(number, count)))
        merge(parts, self.index, later())
        self.run(sources)

    @rule(sources=SOURCES)
    def comes_to_what_is_there(self, sources: list[str]) -> None:
        """After two more ingests, live refs are a fresh index's; no orphan is in a live file."""
        fresh = self.top / "fresh" / "x.db"
        fresh.unlink(missing_ok=True)
        self.run(sources)
        ingested(fresh, self.sources)
        check(fresh)
        with opened(self.index) as index, opened(fresh) as new:
            assert refs(index, orphans=False) == refs(new)
        if len(sources) == 3:
            self.hours += 24 * 30
            self.run(sources)
            self.run(sources)
            with opened(self.index) as index:
                assert refs(index) == refs(index, orphans=False)
            before = self.index.stat().st_ino
            self.run(sources)
            assert self.index.stat().st_ino == before

    @invariant()
    def is_sound(self) -> None:
        if hasattr(self, "index"):
            check(self.index)

    def teardown(self) -> None:
        if hasattr(self, "room"):
            self.room.cleanup()


TestCatalog = Catalog.TestCase
TestCatalog.settings = settings(max_examples=15, stateful_step_count=12, deadline=None)


def test_a_file_that_the_first_source_leaves_out_now_is_the_second_ones(tmp_path: Path) -> None:
    path = made(tmp_path, {"in/catalog-info.yaml": component("pay")})
    whole, part = origin(tmp_path / "org"), origin(tmp_path / "org" / "in", 1)
    ingest(path, [whole, part], later())
    less = parse_place(whole.source.place, skip=("in",), base=tmp_path)
    outcome = ingest(path, [Origin(FolderSource(less, later()), 0), part], later()).outcome
    assert (outcome.entities, outcome.orphans) == (1, 0)


def test_half_a_character_and_a_number_without_end_spoil_nothing(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", tmp_path / "org"], check=True)
    path = made(
        tmp_path,
        {
            "a/catalog-info.yaml": component("a", x="{$json: ./x.json}", y=".nan", z="1e400"),
            "a/x.json": '{"said": "\\ud83d", "\\udfff": 1e400}',
            "b/catalog-info.yaml": component("b"),
        },
    )
    with opened(path) as index:
        spec = index.document(find(index, "a").id)["spec"]
        assert spec["x"] == {"said": "\ufffd", "\ufffd": None}
        assert (spec["y"], spec["z"]) == (None, None)
    written(tmp_path / "org", {"a/catalog-info.yaml": component("a")})
    ingested(path, [tmp_path / "org"])
    check(path)


@pytest.mark.parametrize("name", [".copier-answers.yml", "openapi.yaml"])
def test_a_pipe_in_a_repository_is_not_waited_for(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "org"
    subprocess.run(["git", "init", "-q", folder], check=True)
    os.mkfifo(folder / name)
    path = made(
        tmp_path,
        {
            "catalog-info.yaml": component("pay", said="{$text: ./openapi.yaml}"),
            "other/catalog-info.yaml": component("other"),
        },
    )
    with opened(path) as index:
        assert "component:default/other" in refs(index)


def test_a_link_to_itself_stops_nothing(tmp_path: Path) -> None:
    folder = written(tmp_path / "org", {"a/catalog-info.yaml": component("a")})
    (folder / "b").mkdir()
    (folder / "b" / "catalog-info.yaml").symlink_to("catalog-info.yaml")
    given = [origin(folder)]
    done = ingest(tmp_path / "i" / "x.db", given, later(), Order(grace=timedelta(days=7)))
    assert (done.outcome.entities, done.unread) == (1, ())


def test_what_a_location_in_an_oddly_named_folder_names_stays(tmp_path: Path) -> None:
    folder = tmp_path / "org" / os.fsdecode(b"caf\xe9")
    folder.mkdir(parents=True)
    path = made(tmp_path, {"catalog-info.yaml": component("other")})
    written(folder, {"catalog-info.yaml": LOCATION.format("all", "./more.yaml")})
    written(folder, {"more.yaml": component("pay")})
    ingested(path, [tmp_path / "org"])
    assert ingested(path, [tmp_path / "org"]).orphans == 0


def test_a_file_that_is_no_index_is_not_written_over(tmp_path: Path) -> None:
    folder = written(tmp_path / "org", {"catalog-info.yaml": component("pay")})
    notes = tmp_path / "i" / "notes.txt"
    written(tmp_path / "i", {"notes.txt": "what I know\n"})
    with pytest.raises(InvalidInput, match="is no catalog index"):
        ingested(notes, [folder])
    assert notes.read_text() == "what I know\n"


def test_an_index_of_a_newer_idp_is_refused(tmp_path: Path) -> None:
    path = made(tmp_path, {"catalog-info.yaml": component("pay")})
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {schema.SCHEMA + 1}")
    with pytest.raises(InvalidInput, match="newer idp"):
        ingested(path, [tmp_path / "org"])


def test_an_index_that_was_cut_short_is_made_anew(tmp_path: Path) -> None:
    path = made(tmp_path, {"catalog-info.yaml": component("pay")})
    whole = path.read_bytes()
    for length in (0, 4096, len(whole) // 2, len(whole) - 4096):
        path.write_bytes(whole[:length])
        written(tmp_path / "org", {"b/catalog-info.yaml": component(f"c-{length}")})
        assert ingested(path, [tmp_path / "org"]).entities == 2
        check(path)
    assert dump(path)


EVIL = '"\\e]0;title\\a\\e[31mred\\x9b2J\\u202e"'


def test_nothing_that_drives_a_terminal_is_printed(tmp_path: Path) -> None:
    folder = written(
        tmp_path / "org",
        {
            "catalog-info.yaml": component("pay", owner=EVIL, type=EVIL, said=f"{{deep: {EVIL}}}")
            + f"---\nkind: {EVIL}\n---\n"
            + LOCATION.format("all", EVIL),
        },
    )
    index = tmp_path / "i" / "x.db"
    at = ("--index", index)
    for words in (
        ("ingest", folder, "--out", index),
        ("query", "kind=component", "--fields", "ref,owner,spec.type,spec.said", *at),
        ("query", "kind=component", "--count-by", "owner", *at),
        ("show", "pay", *at),
        ("impact", "pay", *at),
        ("graph", "pay", *at),
        ("problems", *at),
        ("export", "--to", "csv", *at),
        ("validate", folder, "--format", "github"),
    ):
        run = idp("catalog", *words)
        assert run.out
        assert not set(run.out + run.err) & set("\x1b\x07\x9b\u202e"), words


def test_an_index_that_is_damaged_inside_is_told_with_the_mend(tmp_path: Path) -> None:
    path = made(tmp_path, {f"{n}/catalog-info.yaml": component(f"c-{n}") for n in range(60)})
    held = path.read_bytes()
    path.write_bytes(held[:8192] + b"\xff" * (len(held) - 8192))
    written(tmp_path / "org", {"0/catalog-info.yaml": component("other")})
    with pytest.raises(InvalidInput, match="is damaged") as told:
        ingested(path, [tmp_path / "org"])
    assert told.value.hint == "remove it, and ingest again"


def test_parts_are_not_merged_over_what_is_no_index(tmp_path: Path) -> None:
    path = made(tmp_path, {"catalog-info.yaml": component("pay")})
    written(tmp_path, {"notes.txt": "what I know\n"})
    with pytest.raises(InvalidInput, match="is no catalog index"):
        merge([path], tmp_path / "notes.txt", later())
