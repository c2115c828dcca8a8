"""What is asked of an index inside a process, and how long each kind of question takes.

Values are drawn from the index itself with a fixed seed, each as often as it is there, so that
frequent ones are asked for more often. The first question of each kind counts too.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from idp.catalog.impact.aim import aim
from idp.catalog.impact.reach import reach
from idp.catalog.impact.told import nearest, summary
from idp.catalog.index.opened import Index, opened
from idp.catalog.query.counting import count_by
from idp.catalog.query.run import answer, written

SEED = 7
NEAREST = 15
SHORTEST_WORD = 4

Ask = Callable[[Index], int]
"""Asks one question; returns how many rows came, or how many entities were reached."""


@dataclass(frozen=True)
class Times:
    """Milliseconds of one kind of question; `rows` is the mean of what came of one."""

    kind: str
    p50: float
    p95: float
    cpu50: float
    cpu95: float
    rows: float


def measured(path: Path, popular: list[str], runs: int) -> Iterator[Times]:
    """Yield the times of each kind of question.

    Args:
        popular: the refs with most dependants, the first the most.
    """
    with opened(path) as index:
        for kind, asks in _questions(index, popular, runs).items():
            walls, cpus, rows = [], [], 0
            for ask in asks:
                wall, cpu = time.perf_counter(), time.process_time()
                rows += ask(index)
                cpus.append(1000 * (time.process_time() - cpu))
                walls.append(1000 * (time.perf_counter() - wall))
            wall50, wall95 = _at(walls, 50), _at(walls, 95)
            yield Times(kind, wall50, wall95, _at(cpus, 50), _at(cpus, 95), rows / len(asks))


def _questions(index: Index, popular: list[str], runs: int) -> dict[str, list[Ask]]:
    draw = random.Random(SEED)
    owners = _values(index, "spec.owner")
    slugs = _values(index, "metadata.annotations.github.com/project-slug")
    cards = index.connection.execute(
        "SELECT kind, type, lifecycle FROM entity WHERE type != ''"
    ).fetchall()
    described = [text.split() for text in _values(index, "metadata.description")]
    tokens = [[w.strip('".,()') for w in text if len(w) > SHORTEST_WORD] for text in described]
    sentences = [text for text in tokens if text]

    def kind_and_field() -> str:
        kind, type_, lifecycle = draw.choice(cards)
        field = draw.choice([f"type={type_}", f"lifecycle={lifecycle}"][: 1 + bool(lifecycle)])
        return f"kind={kind} {field} limit 100"

    def two_words() -> str:
        text = draw.choice(sentences)
        return f"{draw.choice(text)} {draw.choice(text)}"

    busiest = popular[0]
    times = range(runs)
    return {
        "kind and field, a page of 100": [_found(kind_and_field()) for _ in times],
        "by owner, all": [_found(f"owner={draw.choice(owners)}") for _ in times],
        "by annotation, all": [
            _found(f"annotations.github.com/project-slug={draw.choice(slugs)}") for _ in times
        ],
        "dependants of the most popular, all": [_found(f"dependsOn={busiest}") for _ in times],
        f"dependants of the {len(popular)} most popular, all": [
            _found(f"dependsOn={draw.choice(popular)}") for _ in times
        ],
        "ranked text, one word of a description, 20 best": [
            _found(f"text~{draw.choice(draw.choice(sentences))} limit 20") for _ in times
        ],
        "ranked text, two words of a description, 20 best": [
            _found(f'text~"{two_words()}" limit 20') for _ in times
        ],
        "count by team, of everything": [_counted("") for _ in times],
        "count by team, of a kind and field": [
            _counted(kind_and_field().removesuffix(" limit 100")) for _ in times
        ],
        "impact of the most popular": [_reached(busiest) for _ in times],
    }


def _values(index: Index, path: str) -> list[str]:
    """Return each value of a field as often as an entity has it, in quotes."""
    rows = index.connection.execute(
        "SELECT value FROM attribute WHERE field = (SELECT id FROM field WHERE path = ?)", (path,)
    )
    return [f'"{value}"' for (value,) in rows if value]


def _found(expression: str) -> Ask:
    return lambda index: len(answer(index, written(expression)).rows)


def _counted(expression: str) -> Ask:
    return lambda index: len(count_by(index, written(expression), "owner").rows)


def _reached(ref: str) -> Ask:
    """Ask what `idp catalog impact` prints: counts by tier and team, and the nearest."""

    def ask(index: Index) -> int:
        meant = aim(index, ref)
        reached = reach(index, meant.node)
        told = summary(index, meant, reached)
        nearest(index, reached, NEAREST)
        return told.reached

    return ask


def _at(times: list[float], percent: int) -> float:
    return sorted(times)[min(len(times) - 1, len(times) * percent // 100)]
