"""What does not go together in the sections on where things run of a platform file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from difflib import get_close_matches
from typing import Any

from idp.config.running import moment

Path = tuple[str | int, ...]
Mistakes = Iterator[tuple[Path, str, str]]


def mistakes(data: object) -> Mistakes:
    """Yield (path, what, mend) for what does not go together in the three sections.

    What has the wrong type is passed over: that is told by its model.
    """
    whole = _mapping(data)
    said = _mapping(whole.get("providers"))
    kinds = {name: _mapping(one).get("kind") for name, one in said.items()} or {"local": "local"}
    environments = _mapping(whole.get("environments"))
    yield from _known(("environments", "provider"), environments.get("provider"), kinds)
    yield from _health(("environments", "health"), environments.get("health"))
    for name, one in said.items():
        yield from _provider(("providers", name), _mapping(one))
    targets = _mapping(whole.get("deploy"))
    for name in targets:
        yield from _target(name, targets, kinds)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _known(path: Path, name: object, kinds: Mapping[str, object]) -> Mistakes:
    if isinstance(name, str) and name and name not in kinds:
        near = get_close_matches(name, kinds, n=1)
        mend = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(kinds)}"
        yield path, f"there is no {'target' if path[-1] == 'after' else 'provider'} {name!r}", mend


def _provider(path: Path, said: Mapping[str, Any]) -> Mistakes:
    seen: set[str] = set()
    for index, one in enumerate(map(_mapping, _list(said.get("provisioners")))):
        here: Path = (*path, "provisioners", index)
        whose = str(one.get("type"))
        if whose in seen:
            yield here, "never counts: one before it is of the same type and class", "remove one"
        seen.add(whose)
        yield from _provisioner(here, one)


def _provisioner(path: Path, said: Mapping[str, Any]) -> Mistakes:
    outputs, command = _mapping(said.get("outputs")), said.get("command")
    if bool(outputs) == bool(command):
        what = "has outputs and a command" if outputs else "supplies nothing"
        yield path, what, "give it one of `outputs` and `command`"
    for index, name in enumerate(_list(said.get("secret"))):
        if isinstance(name, str) and outputs and name not in outputs:
            what = f"there is no output {name!r}"
            yield (*path, "secret", index), what, f"there are: {', '.join(map(str, outputs))}"


def _target(name: str, targets: Mapping[str, Any], kinds: Mapping[str, object]) -> Mistakes:
    path, said = ("deploy", name), _mapping(targets[name])
    provider, after = said.get("provider"), said.get("after")
    yield from _known((*path, "provider"), provider, kinds)
    yield from _known((*path, "after"), after, targets)
    yield from _health((*path, "health"), said.get("health"))
    if isinstance(after, str) and after in targets:
        yield from _promotion(name, after, targets)
    for index, one in enumerate(map(_mapping, _list(said.get("freezes")))):
        begin, end = _moment(one.get("begin")), _moment(one.get("end"))
        if begin and end and begin >= end:
            yield (*path, "freezes", index, "end"), "is not after its begin", "`end` is excluded"


def _promotion(name: str, after: str, targets: Mapping[str, Any]) -> Mistakes:
    """Yield a promotion that leads back to itself."""
    path = ("deploy", name, "after")
    seen, one = [name], _mapping(targets[name]).get("after")
    while isinstance(one, str) and one in targets and one not in seen:
        seen.append(one)
        one = _mapping(targets[one]).get("after")
    if one == name:
        yield path, f"{name!r} would wait for itself", "the first target has no `after`"


def _health(path: Path, said: object) -> Mistakes:
    health = _mapping(said)
    asked, query = health.get("prometheus"), health.get("query")
    if bool(asked) != bool(query):
        lacking = "query" if asked else "prometheus"
        yield path, f"{lacking} is missing", "`prometheus` and `query` go together"
    numbers = [health.get("passes", 3), health.get("every", 1.0), health.get("deadline", 300.0)]
    if all(isinstance(one, (int, float)) for one in numbers):
        passes, every, deadline = numbers
        if (passes - 1) * every >= deadline:
            what = f"{passes} checks every {every} s take longer than {deadline} s"
            yield path, what, "raise the deadline"


def _moment(written: object) -> datetime | None:
    try:
        return moment(written) if isinstance(written, str) else None
    except (ValueError, OverflowError):
        return None
