r"""Placeholders of a workload: what they name, and a workload with them filled.

`${metadata.name}`, `${metadata.annotations.KEY}`, `${resources.NAME}` (the name itself) and
`${resources.NAME.OUTPUT}` stand in variables, in the text of files, in the sources of volumes and
in the params of resources. A dot inside a part is written `\.`; `$${` is a plain `${`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from graphlib import CycleError, TopologicalSorter
from typing import Any

from idp.catalog.problem import KeyPath, written
from idp.errors import InvalidInput
from idp.workload.model import Container, Resource, Workload

Outputs = Mapping[str, Mapping[str, str]]
"""What resources give, by the resource's name and the output's."""

_LOOKED_AT = 100  # a file of thousands of names takes no minutes to be refused
_SHOWN = 12
_DOT = re.compile(r"(?<!\\)\.")


@dataclass(frozen=True)
class Placeholder:
    """What stands between `${` and `}`.

    Attributes:
        written: as it stands there.
        root: `resources`, `metadata`, or whatever else its first part is.
        name: the resource, or the field of the metadata.
        output: the output, or the annotation's key; empty for neither.
    """

    written: str
    root: str
    name: str = ""
    output: str = ""


class UnknownPlaceholder(InvalidInput):
    """A placeholder stands for nothing that the workload has; the message does not say where."""


def parts(text: str) -> Iterator[str | Placeholder]:
    """Yield what a text is made of: plain text and placeholders, in order."""
    end = 0
    while (start := text.find("${", end)) >= 0:
        is_plain = start > end and text[start - 1] == "$"
        close = start + 1 if is_plain else text.find("}", start)
        if close < 0:
            break
        if before := text[end : start - is_plain]:
            yield before
        yield "${" if is_plain else _placeholder(text[start + 2 : close])
        end = close + 1
    if rest := text[end:].replace("$${", "${"):
        yield rest


def _placeholder(inside: str) -> Placeholder:
    root, *rest = (part.replace("\\.", ".") for part in _DOT.split(inside))
    return Placeholder(inside, root, "".join(rest[:1]), ".".join(rest[1:]))


def check(one: Placeholder, resources: Collection[str], annotations: Collection[str]) -> None:
    """Hold a placeholder against the names that a workload has.

    Raises:
        UnknownPlaceholder: it stands for nothing there.
    """
    if one.root == "resources" and one.name:
        if one.name not in resources:
            what = f"${{{_short(one.written)}}}: there is no resource {_short(one.name)!r}"
            raise UnknownPlaceholder(what, hint=closest(one.name, resources))
    elif one.root == "metadata" and one.name == "annotations" and one.output:
        if one.output not in annotations:
            what = f"${{{_short(one.written)}}}: there is no annotation {_short(one.output)!r}"
            hint = r"write a dot in its key as \.; " + closest(one.output, annotations)
            raise UnknownPlaceholder(what, hint=hint)
    elif (one.root, one.name, one.output) != ("metadata", "name", ""):
        what = f"${{{_short(one.written)}}} is no placeholder of Score"
        known = "resources.NAME.OUTPUT, metadata.name or metadata.annotations.KEY"
        raise UnknownPlaceholder(what, hint=f"{known}; a plain ${{ is written $${{")


def closest(name: str, known: Collection[str]) -> str:
    """Return the hint for a name that is not among those known."""
    among = sorted(known)[:_LOOKED_AT]
    if len(name) <= _LOOKED_AT and (near := get_close_matches(name, among, n=1)):
        return f"did you mean {near[0]!r}?"
    shown = ", ".join([*among[:_SHOWN], *["…"][: len(known) > _SHOWN]])
    return f"there are: {shown}" if known else "there are none"


def _short(text: str) -> str:
    return text if len(text) <= _LOOKED_AT else f"{text[:_LOOKED_AT]}…"


def fill(text: str, workload: Workload, outputs: Outputs) -> str:
    """Return a text of a workload with its placeholders filled.

    Raises:
        UnknownPlaceholder: one stands for nothing that is known.
    """
    if "${" not in text:
        return text
    resources = {resource.name: resource for resource in workload.resources}
    return "".join(
        part if isinstance(part, str) else _value(part, workload, resources, outputs)
        for part in parts(text)
    )


def _value(
    one: Placeholder, workload: Workload, resources: Mapping[str, Resource], outputs: Outputs
) -> str:
    check(one, resources, workload.annotations)
    if one.root == "metadata":
        return workload.annotations[one.output] if one.output else workload.name
    if not one.output:
        return one.name
    given = outputs.get(one.name, {})
    if one.output not in given:
        kind = resources[one.name].kind
        lacking = f"{one.name!r} ({kind}) has no output {_short(one.output)!r}"
        what = f"${{{_short(one.written)}}}: {lacking}"
        raise UnknownPlaceholder(what, hint=closest(one.output, given))
    return given[one.output]


def needs(workload: Workload) -> frozenset[tuple[str, str]]:
    """Return the outputs that a workload uses: names of resources, each with its output's."""
    return frozenset(use for _, text in texts(workload) for use in uses(text))


def uses(text: str) -> Iterator[tuple[str, str]]:
    """Yield the resources and outputs that a text has placeholders of."""
    for part in parts(text):
        if isinstance(part, Placeholder) and part.root == "resources" and part.output:
            yield part.name, part.output


def texts(workload: Workload) -> Iterator[tuple[KeyPath, str]]:
    """Yield each text in which placeholders count, with its path in the file."""
    for container in workload.containers:
        here = ("containers", container.name)
        for name, text in container.variables.items():
            yield (*here, "variables", name), text
        for file in container.files:
            if file.expand and file.text is not None:
                yield (*here, "files", file.target, "content"), file.text
        for mount in container.mounts:
            yield (*here, "volumes", mount.target, "source"), mount.source
    for resource in workload.resources:
        yield from _inside(resource.params, ("resources", resource.name, "params"))


def _inside(value: object, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _inside(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _inside(inner, (*path, index))


def filled(workload: Workload, outputs: Outputs) -> Workload:
    """Return a workload with all its placeholders filled, and every `$${` a plain `${`.

    Raises:
        InvalidInput: it uses what the resources do not give; every such place is told.
    """
    _check_all(workload, texts(workload), outputs)

    def put(text: str) -> str:
        return fill(text, workload, outputs)

    return replace(
        workload,
        containers=tuple(_container(one, put) for one in workload.containers),
        resources=tuple(
            replace(one, params=_params(one.params, put)) for one in workload.resources
        ),
    )


def params(resource: Resource, workload: Workload, outputs: Outputs) -> dict[str, Any]:
    """Return the params of one resource, filled from the outputs of those before it.

    Raises:
        InvalidInput: they use what is not given.
    """
    path = ("resources", resource.name, "params")
    _check_all(workload, _inside(resource.params, path), outputs)
    made = _params(resource.params, lambda text: fill(text, workload, outputs))
    return dict(made)


def _check_all(workload: Workload, found: Iterator[tuple[KeyPath, str]], outputs: Outputs) -> None:
    wrong: list[tuple[str, str]] = []
    for path, text in found:
        try:
            fill(text, workload, outputs)
        except UnknownPlaceholder as error:
            wrong.append((f"{written(path)}: {error.message}", error.hint))
    if len(wrong) == 1:
        raise InvalidInput(wrong[0][0], hint=wrong[0][1])
    if wrong:
        raise InvalidInput(
            f"the workload {workload.name!r} has {len(wrong)} placeholders that stand for nothing",
            details=tuple(f"{what} ({mend})" for what, mend in wrong),
        )


def _container(container: Container, put: Callable[[str], str]) -> Container:
    return replace(
        container,
        variables={name: put(text) for name, text in container.variables.items()},
        files=tuple(
            replace(file, text=put(file.text)) if file.expand and file.text is not None else file
            for file in container.files
        ),
        mounts=tuple(replace(mount, source=put(mount.source)) for mount in container.mounts),
    )


def _params(value: Any, put: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return put(value)
    if isinstance(value, Mapping):
        return {key: _params(inner, put) for key, inner in value.items()}
    return [_params(inner, put) for inner in value] if isinstance(value, list) else value


def in_order(workload: Workload) -> tuple[Resource, ...]:
    """Return the resources such that each comes after those whose outputs its params use.

    Raises:
        InvalidInput: some wait for each other.
    """
    resources = {one.name: one for one in workload.resources}
    waits = {name: sorted(_waits_for(one) & resources.keys()) for name, one in resources.items()}
    try:
        return tuple(resources[name] for name in TopologicalSorter(waits).static_order())
    except CycleError as error:
        what = f"resources use each other's outputs in their params: {_circle(error)}"
        raise InvalidInput(what, hint="take one of the placeholders out") from None


def _circle(error: CycleError) -> str:
    names = list(error.args[1])
    return " → ".join([*names[:_SHOWN], *["…"][: len(names) > _SHOWN]])


def _waits_for(resource: Resource) -> set[str]:
    return {name for _, text in _inside(resource.params, ()) for name, _ in uses(text)}
