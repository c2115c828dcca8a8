"""`idp catalog graph`: a tree in the terminal, and drawings for other programs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pytest_snapshot.plugin import Snapshot  # type: ignore[import-untyped]

from idp.catalog.graph.around import Direction, Edge, Graph, Node
from idp.catalog.graph.drawing import dot, mermaid
from idp.catalog.screen import encodable

from ..service.stories import Run, idp
from .org_stories import org, service


@pytest.fixture
def index(tmp_path: Path) -> Path:
    return org(tmp_path)


def graph(index: Path, *words: str) -> Run:
    return idp("catalog", "graph", *words, "--index", index)


def test_what_it_needs_is_drawn_two_steps_deep(index: Path) -> None:
    assert graph(index, "basket").out.splitlines() == [
        "component:basket  tier-2  group:team-cart",
        "└── component:payments  tier-1  group:team-pay",
        "    ├── component:retired-tax (missing)",
        "    └── resource:ledger  group:team-pay",
    ]


def test_what_needs_it_is_drawn_upwards(index: Path) -> None:
    out = graph(index, "payments", "--direction", "up", "--depth", "1").out
    assert re.findall(r"(?:component|api):\S+", out)[1:] == [
        "api:payments-api",
        "component:basket",
        "component:newsletter",
    ]


def test_both_ways_have_their_own_tree(index: Path) -> None:
    out = graph(index, "basket", "--direction", "both", "--depth", "1").out
    assert out.splitlines()[1:] == [
        "needs",
        "└── component:payments  tier-1  group:team-pay",
        "is needed by",
        "└── component:cart  critical  group:team-cart",
    ]


def test_a_circle_and_what_was_drawn_before_are_marked(index: Path) -> None:
    out = graph(index, "mail", "--depth", "4").out
    assert "component:mail (circle)" in out
    assert "component:payments (above)" in out


def test_other_relations_are_followed_on_request(index: Path) -> None:
    out = graph(index, "group:shop", "--relation", "parentOf", "--relation", "hasMember").out
    assert "├── parentOf group:team-cart" in out
    assert "hasMember user:ann" in out
    run = graph(index, "shop", "--relation", "parentof")
    assert run.code == 0, "their case does not matter"
    wrong = graph(index, "shop", "--relation", "dependOn", "--json")
    assert (wrong.code, wrong.error["hint"]) == (2, "did you mean dependsOn?")


def test_too_many_are_left_out_and_counted(tmp_path: Path) -> None:
    many = "---\n".join(service(f"user-{number:02}", "payments") for number in range(30))
    index = org(tmp_path, many=many)
    run = graph(index, "payments", "--direction", "up", "--most", "10", "--depth", "1")
    assert len(re.findall("──", run.out)) == 9
    assert "left out: 24 entities next to these" in run.out


def test_json_has_nodes_and_edges(index: Path) -> None:
    found = graph(index, "refunds", "--json").json
    assert [(one["ref"], one["depth"]) for one in found["nodes"]] == [
        ("component:default/refunds", 0),
        ("api:default/payments-api", 1),
        ("component:default/payments", 2),
    ]
    assert found["edges"][0] == {
        "source": "api:default/payments-api",
        "type": "apiProvidedBy",
        "target": "component:default/payments",
    }


def test_an_edge_says_who_needs_whom_whichever_way_it_was_found(index: Path) -> None:
    up = graph(index, "payments", "--direction", "up", "--depth", "1", "--json").json["edges"]
    needs = "component:default/basket", "dependsOn", "component:default/payments"
    assert needs in {tuple(edge.values()) for edge in up}


def test_a_drawing_goes_with_no_json(index: Path) -> None:
    assert graph(index, "payments", "--format", "dot", "--json").code == 2


EVIL = 'component:default/a"] --> x["<b>`end`\\N #35; {x}'


def evil() -> Graph:
    nodes = (Node(EVIL, 0, "", "", "", False), Node("component:default/b", 1, "", "", "", True))
    edge = Edge(EVIL, "dependsOn", "component:default/b")
    return Graph(EVIL, Direction.down, 2, nodes, (edge,), 0)


def test_mermaid_takes_any_name_for_a_name() -> None:
    """Each line is one of four forms; a label has letters and numbered characters alone."""
    label = r"(?:[\w :/.-]|#\d+;)*"
    forms = (
        rf'flowchart LR|  n\d+\["{label}"\](?::::\w+)?|  n\d+ -->\|\w+\| n\d+|  classDef [\w #,:-]+'
    )
    lines = list(mermaid(evil()))
    assert all(re.fullmatch(forms, line) for line in lines), lines
    label_written = lines[1].split('"')[1]
    decoded = re.sub(r"#(\d+);", lambda code: chr(int(code[1])), label_written)
    assert decoded == EVIL.replace(":default/", ":")


def test_dot_takes_any_name_for_a_name() -> None:
    """In Graphviz' grammar a quoted ID ends at the first quote without a backslash before it."""
    quoted = r'"(?:[^"\\]|\\\\|\\")*"'
    forms = (
        rf"digraph catalog \{{|  rankdir=LR;|  node \[shape=box\];|\}}"
        rf"|  {quoted} \[label={quoted}(?:, style=\w+)?\];"
        rf"|  {quoted} -> {quoted} \[label={quoted}\];"
    )
    lines = list(dot(evil()))
    assert all(re.fullmatch(forms, line) for line in lines), lines
    name = re.match(quoted, lines[3].strip())
    assert name and re.sub(r"\\(.)", r"\1", name[0][1:-1]) == EVIL


def test_a_terminal_without_box_drawing_gets_plain_lines() -> None:
    assert encodable("├── a → b", "ascii") == "|-- a -> b"
    assert encodable("├── a", "utf-8") == "├── a"
    assert encodable("└── Zoë", "ascii") == "`-- Zo\\xeb"


@pytest.mark.parametrize("width", [40, 100])
def test_its_screen(
    index: Path, width: int, snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    out = graph(index, "mail", "--direction", "both", "--depth", "4").out
    assert max(map(len, out.splitlines())) <= width
    snapshot.snapshot_dir = Path(__file__).parent / "snapshots"
    snapshot.assert_match(out, f"graph-{width}.txt")
