"""Backstage's verdict on each of 994 real documents is ours."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

from idp.catalog.placeholders import Surroundings
from idp.catalog.validation import Judged, judge_file
from idp.forge.address import Address

from ..service.stories import idp
from .stories import data

Outcome = tuple[bool, str | None, int | None]


def verdicts() -> dict[str, list[dict[str, Any]]]:
    found = defaultdict(list)
    for line in data("VERDICTS.jsonl").read_text("utf-8").splitlines():
        verdict = json.loads(line)
        found[verdict["file"]].append(verdict)
    return found


def repositories() -> dict[str, str]:
    rows = [line.split("\t") for line in data("INDEX.tsv").read_text("utf-8").splitlines()]
    return {row[0]: row[1] for row in rows[1:]}


def summed_up(one: Judged) -> Outcome:
    if one.entity is None:
        return one.ok, None, None
    return one.ok, str(one.entity.ref), len(list(one.entity.relations()))


def test_every_document_is_judged_as_backstage_judges_it() -> None:
    repository = repositories()
    ours: dict[tuple[str, int], Outcome] = {}
    theirs: dict[tuple[str, int], Outcome] = {}
    for file, expected in verdicts().items():
        around = Surroundings(stated=Address("github.com", repository[file]))
        judged = judge_file((data("files") / file).read_bytes(), around)
        ours |= {(file, number): summed_up(one) for number, one in enumerate(judged)}
        theirs |= {(file, v["doc"]): (v["ok"], v.get("ref"), v.get("relations")) for v in expected}

    assert len(theirs) == 994
    assert ours == theirs


def test_every_problem_has_a_place_in_its_file_and_words() -> None:
    for file in verdicts():
        content = (data("files") / file).read_bytes()
        lines = content.decode().split("\n")
        for one in judge_file(content, Surroundings()):
            assert one.ok == (not one.problems)
            for problem in one.problems:
                assert 1 <= problem.line <= len(lines)
                assert 1 <= problem.column <= len(lines[problem.line - 1]) + 1
                assert problem.message


def test_most_of_the_invalid_ones_are_skeletons_of_templates() -> None:
    judged = [
        one
        for file in verdicts()
        for one in judge_file((data("files") / file).read_bytes(), Surroundings())
    ]
    skeletons = [one for one in judged if one.is_skeleton]

    assert 45 <= len(skeletons) <= 55
    assert all(not one.ok for one in skeletons)


def test_the_command_gives_the_same_verdicts_and_fails() -> None:
    stages = {file: {one.get("stage") for one in them} for file, them in verdicts().items()}
    file = next(file for file, found in stages.items() if "relations" in found)
    run = idp("catalog", "validate", data("files") / file, "--json")

    assert run.code == 3
    told = [(v["document"], v["ok"], v["ref"]) for v in json.loads(run.out)]
    assert told == [(v["doc"], v["ok"], v.get("ref")) for v in verdicts()[file]]
