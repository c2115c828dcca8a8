"""What is exported is what others take: Backstage's own code, spreadsheets, jq."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from idp.catalog.export.backstage import dump
from idp.catalog.index.opened import opened
from idp.catalog.placeholders import Surroundings
from idp.catalog.reading import read
from idp.catalog.validation import Judged, judge_file

from ..service.stories import idp
from .index_stories import component, group, ingested, made, written
from .stories import DATA, ROOT, data, documents
from .test_backstage import their_refs
from .test_verdicts import verdicts

GENERATOR = ROOT.parent / "shared" / "testbed" / "gen_org.py"

BARE_API = """\
apiVersion: backstage.io/v1alpha1
kind: API
metadata:
  name: billing
spec:
  type: openapi
  lifecycle: production
  owner: team-a
  definition:
    $text: {named}
"""
LOCATION = """\
apiVersion: backstage.io/v1alpha1
kind: Location
metadata:
  name: all
spec:
  targets: [./teams.yaml]
"""


def exported(index: Path, *words: str) -> str:
    run = idp("catalog", "export", "--index", index, *words)
    assert run.code == 0, run.err
    return run.out


def judged(text: str) -> dict[str, Judged]:
    """Return the documents of an export by their refs; each has to be valid."""
    found = judge_file(text.encode(), Surroundings()) if text else []
    assert [one.problems for one in found if not one.ok] == []
    return {str(one.entity.ref): one for one in found if one.entity}


def one_document(index: Path, *words: str) -> dict[str, Any]:
    (held,) = yaml.safe_load_all(exported(index, "--to", "backstage", *words))
    assert isinstance(held, dict)
    return held


def refused_by_backstage(text: str, folder: Path) -> list[str]:
    """Return the refs of documents that @backstage/catalog-model takes for others, or not."""
    known = {
        ref: one.document.data
        for ref, one in judged(text).items()
        if not ref.startswith("template:")  # of another package of theirs
    }
    theirs = their_refs([data for data in known.values() if isinstance(data, dict)], folder)
    return [ours for ours, their in zip(known, theirs, strict=True) if ours != their]


# Backstage.


def test_what_is_real_is_taken_as_it_was(tmp_path: Path) -> None:
    data("files")
    index = tmp_path / "index.db"
    ingested(index, [f"{DATA}/files/*"])
    text = exported(index, "--to", "backstage")
    ours = judged(text)

    expected: dict[str, set[int]] = {}
    for verdict in (one for them in verdicts().values() for one in them if one["ok"]):
        if verdict["kind"] != "Location":
            expected.setdefault(verdict["ref"], set()).add(verdict["relations"])
    assert len(expected) > 500
    assert expected.keys() <= ours.keys()
    for ref, counts in expected.items():
        entity = ours[ref].entity
        assert entity and len(list(entity.relations())) in counts, ref
    assert refused_by_backstage(text, tmp_path) == []


def test_a_whole_organisation_is_taken(tmp_path: Path) -> None:
    if not GENERATOR.exists():
        pytest.skip(f"no {GENERATOR}")
    command = [sys.executable, str(GENERATOR), str(tmp_path / "org"), "150", "--seed", "4"]
    subprocess.run(command, check=True, capture_output=True)
    index = tmp_path / "index.db"
    ingested(index, [tmp_path / "org"])
    text = exported(index, "--to", "backstage")

    with opened(index) as held:
        refs = held.connection.execute("SELECT ref FROM node WHERE id IN (SELECT id FROM entity)")
        assert sorted(judged(text)) == sorted(row[0] for row in refs)
    assert list(judged(text)) == sorted(judged(text))
    assert refused_by_backstage(text, tmp_path) == []


def test_what_only_a_backend_may_say_is_dropped(tmp_path: Path) -> None:
    metadata = (
        "metadata:\n  uid: 1-2\n  etag: x\n  annotations:\n"
        "    backstage.io/managed-by-location: url:https://old.example.com/x\n"
        "    backstage.io/managed-by-origin-location: url:https://old.example.com/x\n"
        "    backstage.io/orphan: 'true'\n    acme.io/kept: 'yes'\n"
    )
    index = made(tmp_path, {"catalog-info.yaml": component("a").replace("metadata:\n", metadata)})

    assert one_document(index)["metadata"] == {
        "annotations": {"acme.io/kept": "yes"},
        "name": "a",
    }


def test_a_file_that_could_not_be_read_is_named_in_its_place(tmp_path: Path) -> None:
    named = "https://example.com/billing.yaml"
    index = made(tmp_path, {"catalog-info.yaml": BARE_API.format(named=named)})

    assert one_document(index)["spec"]["definition"] == named
    assert (
        "1 placeholders could not be read"
        in idp(*("catalog", "export", "--to", "backstage", "--index", index)).err
    )


def test_locations_are_left_out_since_what_they_lead_to_is_there(tmp_path: Path) -> None:
    files = {"catalog-info.yaml": LOCATION, "teams.yaml": group("team-a")}
    run = idp("catalog", "export", "--to", "backstage", "--index", made(tmp_path, files))

    assert list(judged(run.out)) == ["group:default/team-a"]
    assert "1 Locations left out" in run.err


def test_orphans_are_left_out(tmp_path: Path) -> None:
    index = made(tmp_path, {"a/catalog-info.yaml": component("a"), "catalog-info.yaml": group("g")})
    ingested(index, [written(tmp_path / "org", {"a/catalog-info.yaml": None})])

    assert list(judged(exported(index, "--to", "backstage"))) == ["group:default/g"]
    (row,) = csv.DictReader(io.StringIO(exported(index, "--to", "csv", "kind=component")))
    assert row["orphan"] == "true"


WORDS = ["yes", "NO", "on", "y", "null", "~", "<<", "=", "0o17", "0b11", "1e3", "1_000", ".inf"]
WORDS += ["12:30:45", "2020-01-01", "0x1F", "010", "E5"]
TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
    st.text("0123456789+-._eExobyYnN:~ ", max_size=8),
    st.text("ab \n\t:#-'\"|>", max_size=14),
    st.sampled_from(WORDS),
    st.sampled_from(["", "\n", " a\n", "a\n\n", "a\r\nb", "a\u2028b", "\ufeffa", "--- a", "a\x85"]),
)
VALUES = st.recursive(
    TEXTS | st.booleans() | st.none() | st.integers(-(10**15) + 1, 10**15 - 1),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, min_size=1, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(TEXTS, VALUES, min_size=1, max_size=4))
def test_readers_of_yaml_1_1_and_of_1_2_take_it_for_the_same(document: dict[str, Any]) -> None:
    out = io.StringIO()
    dump(document, out)

    assert list(yaml.safe_load_all(out.getvalue())) == [document]
    (ours,) = read(out.getvalue().encode())
    assert (list(ours.problems), ours.data) == ([], document)


def test_what_is_there_twice_is_written_twice() -> None:
    same = ["go", "grpc"]
    out = io.StringIO()
    dump({"a": same, "b": same}, out)
    assert out.getvalue() == "---\na:\n- go\n- grpc\nb:\n- go\n- grpc\n"


# CSV and JSON lines.


def test_csv_has_the_columns_that_are_promised(tmp_path: Path) -> None:
    text = component("a", system="shop").replace("name: a", "name: a\n  tags: [go, pci]")
    lines = exported(made(tmp_path, {"x/catalog-info.yaml": text}), "--to", "csv")

    assert lines == (
        "ref,kind,namespace,name,title,description,type,lifecycle,owner,system,tier,tags,"
        "repository,path,orphan\r\n"
        "component:default/a,Component,default,a,,,service,production,group:default/team-a,"
        "system:default/shop,,go pci,,x/catalog-info.yaml,false\r\n"
    )


@pytest.mark.parametrize("start", ["=", "+", "-", "@"])
def test_no_cell_is_a_formula(start: str, tmp_path: Path) -> None:
    evil = f"{start}HYPERLINK(1)"
    text = component("a").replace("name: a", f"name: a\n  description: '{evil}'")
    (row,) = rows(made(tmp_path, {"catalog-info.yaml": text}))
    assert row["description"] == f"'{evil}"


def rows(index: Path) -> Iterator[dict[str, str]]:
    return csv.DictReader(io.StringIO(exported(index, "--to", "csv")))


def test_a_json_line_has_the_entity_its_relations_and_where_it_is_from(tmp_path: Path) -> None:
    index = made(tmp_path, {"catalog-info.yaml": documents(component("a"), group("team-a"))})
    first, second = map(json.loads, exported(index, "--to", "jsonl").splitlines())

    assert first["entity"]["spec"]["owner"] == "team-a"
    assert first["relations"] == [{"type": "ownedBy", "targetRef": "group:default/team-a"}]
    assert second["relations"] == [{"type": "ownerOf", "targetRef": "component:default/a"}]
    assert first["provenance"].pop("read_at").endswith("Z")
    assert first["provenance"] == {
        "source": str(tmp_path / "org"),
        "location": f"file:{tmp_path}/org/catalog-info.yaml",
        "path": "catalog-info.yaml",
        "document": 0,
        "line": 4,
        "repository": "",
        "commit": "",
        "orphaned_at": None,
    }


# What is chosen, and where it goes.


def test_an_expression_chooses(tmp_path: Path) -> None:
    files = documents(component("a"), component("b", lifecycle="deprecated"), group("team-a"))
    index = made(tmp_path, {"catalog-info.yaml": files})
    words = ("kind=component", "lifecycle!=deprecated")
    assert list(judged(exported(index, "--to", "backstage", *words))) == ["component:default/a"]
    run = idp("catalog", "export", "--to", "csv", "--index", index, "lifecicle=x")
    assert (run.code, "lifecycle" in run.err) == (2, True)


def test_the_file_is_the_old_one_or_the_new_one(tmp_path: Path) -> None:
    index = made(tmp_path, {"catalog-info.yaml": component("a")})
    out = tmp_path / "out" / "a.csv"
    words = ("catalog", "export", "--to", "csv", "--index", index, "--out", out)
    assert idp(*words).code == 3  # there is no such folder

    out.parent.mkdir()
    out.write_text("old")
    assert idp(*words, "owner=").code == 2
    assert out.read_text() == "old"
    done = idp(*words, "--json").json
    assert done == {
        "out": str(out),
        "to": "csv",
        "entities": 1,
        "left_out": 0,
        "notes": [],
    }
    assert [path.name for path in out.parent.iterdir()] == ["a.csv"]


def test_json_needs_a_file_to_tell_of(tmp_path: Path) -> None:
    index = made(tmp_path, {"catalog-info.yaml": component("a")})
    assert idp("catalog", "export", "--to", "csv", "--index", index, "--json").code == 2


def test_a_query_that_cannot_be_read_leaves_nothing_on_stdout(tmp_path: Path) -> None:
    path = made(tmp_path, {"catalog-info.yaml": component("pay")})
    run = idp("catalog", "export", "--to", "csv", "foo=1", "--index", path)
    assert (run.code, run.out) == (2, "")


def test_an_export_tells_what_a_query_tells(tmp_path: Path) -> None:
    path = made(tmp_path, {"catalog-info.yaml": component("pay")})
    run = idp("catalog", "export", "--to", "jsonl", "name=pya", "--index", path)
    assert (run.code, run.out) == (0, "")
    assert "pya" in run.err
