"""Ingest: what is read, what is kept, whose a ref is, and what a killed ingest leaves."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from idp.catalog.index.find import find
from idp.catalog.index.opened import Index, opened
from idp.catalog.ingest import Order, ingest, remembered

from .index_stories import component, group, ingested, later, made, origin, written


def refs(index: Index, *, orphans: bool = True) -> list[str]:
    where = "" if orphans else " WHERE e.orphaned_at IS NULL"
    rows = index.connection.execute(
        f"SELECT n.ref FROM entity e JOIN node n ON n.id = e.id{where} ORDER BY n.ref"
    )
    return [ref for (ref,) in rows]


def dump(path: Path) -> dict[str, object]:
    """Return all that an index says, by names instead of numbers."""
    with opened(path) as index:
        cards = index.cards(
            row[0] for row in index.connection.execute("SELECT id FROM entity").fetchall()
        )
        said: dict[str, object] = {
            card.ref: (
                index.document(card.id),
                [(end.type, end.ref) for end in index.related(card.id)],
                card.orphan,
                (at := index.provenance(card.id)).location,
                (at.document, at.line),
                index.evidence(card.id),
            )
            for card in cards.values()
        }
        tables = {
            "attributes": "SELECT f.path, a.value, n.ref, a.shown FROM attribute a"
            " JOIN field f ON f.id = a.field JOIN node n ON n.id = a.entity ORDER BY 1, 2, 3",
            "problems": "SELECT f.location, p.document, p.line, p.col, p.message FROM problem p"
            " JOIN file f ON f.id = p.file ORDER BY 1, 2, 3, 4, 5",
            "claims": "SELECT f.location, c.document, n.ref FROM claim c"
            " JOIN file f ON f.id = c.file JOIN node n ON n.id = c.node ORDER BY 1, 2",
            "words": "SELECT n.ref, bm25(words) FROM words JOIN node n ON n.id = words.rowid"
            " WHERE words MATCH 'service OR team' ORDER BY 1",
        }
        for name, select in tables.items():
            said[name] = index.connection.execute(select).fetchall()
        return said


def test_entities_relations_both_ways_and_provenance_are_in_the_index(tmp_path: Path) -> None:
    path = made(
        tmp_path,
        {
            "teams/catalog-info.yaml": group("team-a"),
            "pay/catalog-info.yaml": component("pay", dependsOn="[component:ledger]"),
            "ledger/catalog-info.yaml": component("ledger"),
        },
    )
    with opened(path) as index:
        ledger = find(index, "ledger")
        assert [(end.type, end.ref) for end in index.related(ledger.id)] == [
            ("ownedBy", "group:default/team-a"),
            ("dependencyOf", "component:default/pay"),
        ]
        at = index.provenance(ledger.id)
        assert (at.path, at.document, at.line) == ("ledger/catalog-info.yaml", 0, 4)
        assert at.location == f"file:{tmp_path}/org/ledger/catalog-info.yaml"


def test_one_bad_document_and_one_unreadable_file_stop_nothing(tmp_path: Path) -> None:
    folder = written(
        tmp_path / "org",
        {
            "a/catalog-info.yaml": component("good") + "---\nkind: Component\n",
            "b/catalog-info.yaml": "a: [\n",
            "c/catalog-info.yaml": component("other"),
        },
    )
    outcome = ingested(tmp_path / "i" / "x.db", [folder])
    assert (outcome.documents, outcome.entities) == (4, 2)
    assert outcome.problems >= 2


def test_nothing_is_written_where_nothing_changed(tmp_path: Path) -> None:
    path = made(tmp_path, {"catalog-info.yaml": component("pay")})
    before = path.read_bytes()
    inode = path.stat().st_ino
    outcome = ingested(path, [tmp_path / "org"], later(hours=1))
    assert outcome.entities == 1
    assert (path.read_bytes(), path.stat().st_ino) == (before, inode)
    with opened(path) as index:
        assert index.checked_at == later(hours=1).time.replace(
            microsecond=index.checked_at.microsecond, second=index.checked_at.second
        )


def test_an_edit_is_read_though_size_and_time_are_as_before(tmp_path: Path) -> None:
    path = made(tmp_path, {"catalog-info.yaml": component("pay", owner="team-a")})
    file = tmp_path / "org" / "catalog-info.yaml"
    held = file.stat()
    file.write_text(component("pay", owner="team-b"))
    os.utime(file, ns=(held.st_atime_ns, held.st_mtime_ns))
    ingested(path, [tmp_path / "org"])
    with opened(path) as index:
        assert find(index, "pay").owner == "group:default/team-b"


def test_what_a_document_includes_is_watched_too(tmp_path: Path) -> None:
    api = (
        "apiVersion: backstage.io/v1alpha1\nkind: API\nmetadata:\n  name: pay\nspec:\n"
        "  type: openapi\n  lifecycle: production\n  owner: team-a\n"
        "  definition:\n    $text: ./openapi.yaml\n"
    )
    subprocess.run(["git", "init", "-q", tmp_path / "org"], check=True)
    path = made(tmp_path, {"catalog-info.yaml": api, "openapi.yaml": "openapi: 3.0.0\n"})
    written(tmp_path / "org", {"openapi.yaml": "openapi: 3.1.0\n"})
    ingested(path, [tmp_path / "org"])
    with opened(path) as index:
        assert index.document(find(index, "pay").id)["spec"]["definition"] == "openapi: 3.1.0\n"


def test_what_disappeared_is_an_orphan_for_a_time_and_then_goes(tmp_path: Path) -> None:
    path = made(
        tmp_path,
        {"a/catalog-info.yaml": component("a"), "b/catalog-info.yaml": component("b")},
    )
    written(tmp_path / "org", {"a/catalog-info.yaml": None})
    assert ingested(path, [tmp_path / "org"]).orphans == 1
    assert ingested(path, [tmp_path / "org"], later(days=6)).orphans == 1
    outcome = ingested(path, [tmp_path / "org"], later(days=8))
    assert (outcome.entities, outcome.orphans) == (1, 0)


def test_a_document_that_became_invalid_leaves_an_orphan_until_it_is_mended(
    tmp_path: Path,
) -> None:
    path = made(tmp_path, {"catalog-info.yaml": component("pay")})
    written(tmp_path / "org", {"catalog-info.yaml": component("pay").replace("type:", "tipe:")})
    assert ingested(path, [tmp_path / "org"]).orphans == 1
    written(tmp_path / "org", {"catalog-info.yaml": component("pay")})
    assert ingested(path, [tmp_path / "org"]).orphans == 0


def test_a_file_that_moved_takes_its_entities_with_it(tmp_path: Path) -> None:
    path = made(tmp_path, {"old/catalog-info.yaml": component("pay")})
    written(
        tmp_path / "org",
        {"old/catalog-info.yaml": None, "new/catalog-info.yaml": component("pay")},
    )
    outcome = ingested(path, [tmp_path / "org"])
    assert (outcome.entities, outcome.orphans, outcome.problems) == (1, 0, 0)
    with opened(path) as index:
        assert index.provenance(find(index, "pay").id).path == "new/catalog-info.yaml"


def test_the_first_to_have_a_ref_keeps_it_and_the_next_gets_it_when_it_is_free(
    tmp_path: Path,
) -> None:
    path = made(tmp_path, {"m/catalog-info.yaml": component("pay", owner="first")})
    written(tmp_path / "org", {"a/catalog-info.yaml": component("pay", owner="second")})
    assert ingested(path, [tmp_path / "org"]).problems == 1
    with opened(path) as index:
        assert find(index, "pay").owner == "group:default/first"
    written(tmp_path / "org", {"m/catalog-info.yaml": None})
    assert ingested(path, [tmp_path / "org"]).problems == 0
    with opened(path) as index:
        assert find(index, "pay").owner == "group:default/second"


def test_of_several_sources_read_at_once_the_first_wins(tmp_path: Path) -> None:
    folders = [
        written(tmp_path / name, {"catalog-info.yaml": component("pay", owner=name)})
        for name in ("z-first", "a-second")
    ]
    ingested(tmp_path / "i" / "x.db", folders)
    with opened(tmp_path / "i" / "x.db") as index:
        assert find(index, "pay").owner == "group:default/z-first"


def test_locations_are_followed_in_circles_too_and_only_inside_the_source(tmp_path: Path) -> None:
    location = (
        "apiVersion: backstage.io/v1alpha1\nkind: Location\nmetadata:\n  name: {}\nspec:\n"
        "  targets: [{}]\n"
    )
    written(tmp_path, {"outside.yaml": component("outside")})
    path = made(
        tmp_path,
        {
            "catalog-info.yaml": location.format("root", "./teams/*.yaml, ../outside.yaml"),
            "teams/a.yaml": group("team-a"),
            "teams/back.yaml": location.format("back", "../catalog-info.yaml"),
        },
    )
    with opened(path) as index:
        found = ["group:default/team-a", "location:default/back", "location:default/root"]
        assert refs(index) == found
    written(tmp_path / "org", {"teams/b.yaml": group("team-b")})
    ingested(path, [tmp_path / "org"])
    with opened(path) as index:
        assert "group:default/team-b" in refs(index)


def test_a_source_that_cannot_be_reached_loses_nothing(tmp_path: Path) -> None:
    path = made(tmp_path, {"catalog-info.yaml": component("pay")})
    (tmp_path / "org").rename(tmp_path / "away")
    done = ingest(path, [origin(tmp_path / "org")], later(), Order())
    assert (done.outcome.entities, done.outcome.orphans) == (1, 0)
    assert [one.part for one in done.unread] == [""]


def test_a_source_that_is_no_longer_named_leaves_orphans(tmp_path: Path) -> None:
    path = made(tmp_path, {"catalog-info.yaml": component("pay")})
    other = written(tmp_path / "other", {"catalog-info.yaml": component("else")})
    ingested(path, [tmp_path / "org", other])
    assert ingested(path, [other]).orphans == 1
    outcome = ingested(path, [other], later(days=30), Order(grace=timedelta(days=7)))
    assert (outcome.entities, outcome.orphans) == (1, 0)


def test_an_index_of_another_schema_is_made_anew(tmp_path: Path) -> None:
    path = made(tmp_path, {"catalog-info.yaml": component("pay")})
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 0")
    assert ingested(path, [tmp_path / "org"]).entities == 1


NAMES = st.sampled_from(["a", "b", "c", "d"])
TEXTS = st.one_of(
    st.builds(lambda names: "---\n".join(map(component, names)), st.lists(NAMES, unique=True)),
    st.builds(lambda n, o: component(n, dependsOn=f"[component:{o}]"), NAMES, NAMES),
    st.just("kind: Component\n"),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.dictionaries(NAMES, TEXTS, max_size=4), min_size=2, max_size=4), st.data())
def test_many_small_ingests_come_to_what_one_does(
    tmp_path_factory: pytest.TempPathFactory, states: list[dict[str, str]], data: st.DataObject
) -> None:
    """But for whose a ref is, which the first to have it keeps; so each file has its own here."""
    tmp_path = tmp_path_factory.mktemp("law")
    folder = tmp_path / "org"
    folder.mkdir()
    path = tmp_path / "i" / "x.db"
    held: set[str] = set()
    for day, state in enumerate(states):
        wanted = {f"{name}.yaml": _apart(name, text) for name, text in state.items()}
        written(folder, dict.fromkeys(held - wanted.keys()))
        written(folder, wanted)
        held = set(wanted)
        ingested(path, [f"{folder}/*.yaml"], later(days=day * 30))
    fresh = tmp_path / "j" / "x.db"
    ingested(path, [f"{folder}/*.yaml"], later(days=500))
    ingested(path, [f"{folder}/*.yaml"], later(days=600))
    ingested(fresh, [f"{folder}/*.yaml"])
    assert dump(path) == dump(fresh)


def _apart(file: str, text: str) -> str:
    return text.replace("name: ", f"name: {file}-")


KILLED = """
import sys
from pathlib import Path
from tests.catalog.index_stories import ingested
ingested(Path(sys.argv[1]), [sys.argv[2]])
"""


def test_a_killed_ingest_leaves_the_old_index_or_the_new_one(tmp_path: Path) -> None:
    folder = written(
        tmp_path / "org", {f"{n}/catalog-info.yaml": component(f"old-{n}") for n in range(300)}
    )
    path = tmp_path / "i" / "x.db"
    ingested(path, [folder])
    with opened(path) as index:
        old = refs(index)
    written(folder, {f"{n}/catalog-info.yaml": component(f"new-{n}") for n in range(300)})
    outcomes = set()
    for step in range(12):
        run = subprocess.Popen([sys.executable, "-c", KILLED, str(path), str(folder)])
        time.sleep(0.15 + step * 0.12)
        run.send_signal(signal.SIGKILL)
        run.wait()
        with opened(path) as index:
            assert index.connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            outcomes.add(refs(index) == old)
            if refs(index) != old:
                assert len(refs(index, orphans=False)) == 300
    assert True in outcomes
    ingested(path, [folder])
    assert [one.name for one in path.parent.iterdir()] == ["x.db"]


def test_of_two_ingests_at_once_both_are_right(tmp_path: Path) -> None:
    folder = written(
        tmp_path / "org", {f"{n}/catalog-info.yaml": component(f"c-{n}") for n in range(50)}
    )
    path = tmp_path / "i" / "x.db"
    runs = [
        subprocess.Popen([sys.executable, "-c", KILLED, str(path), str(folder)]) for _ in range(3)
    ]
    assert [run.wait() for run in runs] == [0, 0, 0]
    with opened(path) as index:
        assert len(refs(index)) == 50


def test_a_file_of_two_sources_is_read_once(tmp_path: Path) -> None:
    path = made(tmp_path, {"pay/catalog-info.yaml": component("pay")})
    both = [tmp_path / "org", tmp_path / "org" / "pay"]
    assert ingested(path, both).problems == 0
    assert ingested(path, [both[1]], order=Order(is_whole=False)).problems == 0
    assert ingested(path, [both[1]]).orphans == 0


def test_a_source_that_is_named_by_mistake_is_not_remembered(tmp_path: Path) -> None:
    path = made(tmp_path, {"catalog-info.yaml": component("pay")})
    wrong = replace(origin(tmp_path / "nope"), given=True)
    done = ingest(path, [wrong], later(), Order(is_whole=False))
    assert [one.place for one in done.unread] == [str(tmp_path / "nope")]
    assert (done.outcome.problems, remembered(path)) == (0, [])
