"""How long queries take inside the process: p50 and p95 of each kind, each with many values.

    python bench/catalog_query.py INDEX [RUNS]

Values are drawn from the index itself with a fixed seed, each as often as it is there, so that
frequent ones are asked for more often. The first run of each kind counts too.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

from idp.catalog.index.opened import Index, opened
from idp.catalog.query.counting import count_by
from idp.catalog.query.run import answer, written

SEED = 7
Ask = Callable[[Index], int]


def values(index: Index, path: str) -> list[str]:
    """Return each value of a field as often as an entity has it."""
    rows = index.connection.execute(
        "SELECT value FROM attribute WHERE field = (SELECT id FROM field WHERE path = ?)", (path,)
    )
    return [f'"{value}"' for (value,) in rows if value]


def popular(index: Index, many: int) -> list[str]:
    """Return the refs with most direct dependants."""
    rows = index.connection.execute(
        "SELECT n.ref FROM relation r JOIN node n ON n.id = r.target WHERE r.type = 8"
        " GROUP BY r.target ORDER BY count(*) DESC LIMIT ?",
        (many,),
    )
    return [ref for (ref,) in rows]


def questions(index: Index, runs: int) -> dict[str, list[Ask]]:
    """Return what is asked, by kind."""
    draw = random.Random(SEED)
    owners, kinds = values(index, "spec.owner"), values(index, "kind")
    cards = index.connection.execute("SELECT kind, type, lifecycle FROM entity").fetchall()
    types = values(index, "spec.type")
    slugs = values(index, "metadata.annotations.github.com/project-slug")
    names = [part for name in values(index, "metadata.name") for part in name.strip('"').split("-")]

    def kind_and_field() -> str:
        kind, type_, lifecycle = draw.choice(cards)
        field = draw.choice([f"type={type_}", f"lifecycle={lifecycle}"][: 1 + bool(lifecycle)])
        return f"kind={kind} {field} limit 100" if type_ else f"kind={kind} limit 100"

    def unrelated() -> str:
        return f"kind={draw.choice(kinds)} type={draw.choice(types)} limit 100"

    busiest = popular(index, 1)[0]
    several = popular(index, 50)
    return {
        "kind and field, a page of 100": [_found(kind_and_field()) for _ in range(runs)],
        "kind and field that may exclude each other": [_found(unrelated()) for _ in range(runs)],
        "by owner, all": [_found(f"owner={draw.choice(owners)}") for _ in range(runs)],
        "by annotation, all": [
            _found(f"annotations.github.com/project-slug={draw.choice(slugs)}") for _ in range(runs)
        ],
        f"dependants of {busiest}, all": [_found(f"dependsOn={busiest}") for _ in range(runs)],
        "dependants of the 50 most popular, all": [
            _found(f"dependsOn={draw.choice(several)}") for _ in range(runs)
        ],
        "ranked text, one word, a page of 20": [
            _found(f"text~{draw.choice(names)} limit 20") for _ in range(runs)
        ],
        "ranked text, two words, a page of 20": [
            _found(f'text~"{draw.choice(names)} {draw.choice(names)}" limit 20')
            for _ in range(runs)
        ],
        "count by owner, everything": [_counted("", "owner") for _ in range(runs)],
        "count by owner, of a kind and field": [
            _counted(kind_and_field().removesuffix(" limit 100"), "owner") for _ in range(runs)
        ],
        "dependants to any depth, of the 50": [
            _found(f"dependsOn*={draw.choice(several)} limit 100") for _ in range(runs)
        ],
    }


def _found(expression: str) -> Ask:
    return lambda index: len(answer(index, written(expression)).rows)


def _counted(expression: str, field: str) -> Ask:
    return lambda index: len(count_by(index, written(expression), field).rows)


def main(path: Path, runs: int) -> None:
    """Print a line a kind."""
    with opened(path) as index:
        (total,) = index.connection.execute("SELECT count(*) FROM entity").fetchone()
        print(f"{total:,} entities, {runs} runs each; milliseconds, wall (CPU)")
        for kind, asks in questions(index, runs).items():
            walls, cpus, rows = [], [], 0
            for ask in asks:
                wall, cpu = time.perf_counter(), time.process_time()
                rows += ask(index)
                cpus.append(1000 * (time.process_time() - cpu))
                walls.append(1000 * (time.perf_counter() - wall))
            p50, p95 = (f"{_at(walls, p):.2f} ({_at(cpus, p):.2f})" for p in (50, 95))
            print(f"{kind:50} p50 {p50:16} p95 {p95:16} rows a run {rows / runs:.0f}")


def _at(times: list[float], percent: int) -> float:
    return sorted(times)[min(len(times) - 1, len(times) * percent // 100)]


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 200)
