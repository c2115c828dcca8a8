"""What is wrong in a score.yaml although Score's schema takes it."""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import PurePosixPath
from typing import Any

from idp.catalog.problem import KeyPath
from idp.catalog.reading import Document
from idp.catalog.shapes import Findings, told
from idp.workload.building import MANIFESTS, RUN, by_target
from idp.workload.placeholders import Placeholder, UnknownPlaceholder, check, closest, parts

RULE = "meaning"
Data = Mapping[str, Any]
_HEADER = re.compile(r"[\t\x20-\x7e]*")
_URL_PART = re.compile(r"[\x21-\x7e]*")
_INSIDE = "name a file or folder below the one that score.yaml is in"


def note_all(document: Document, found: Findings) -> None:
    """Note every mistake of a document that Score's schema takes."""
    data: Any = document.data
    _plain_values(data, (), found)
    _annotations(data, found)
    _ports(data.get("service", {}).get("ports", {}), found)
    _circles(data["containers"], found)
    for name, container in data["containers"].items():
        _container(name, container, data, found)
    for name, resource in data.get("resources", {}).items():
        _placeholders(resource.get("params", {}), ("resources", name, "params"), data, found)


def _plain_values(value: object, path: KeyPath, found: Findings) -> None:
    """Note characters and numbers that nothing can be started with."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if "\0" in key:
                found.add((*path, key), "has a NUL in its name", rule=RULE, key=True)
            _plain_values(inner, (*path, key), found)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            _plain_values(inner, (*path, index), found)
    elif isinstance(value, str) and "\0" in value:
        found.add(path, "has a NUL in it", "binaryContent of a file takes any bytes", rule=RULE)
    elif isinstance(value, float) and not math.isfinite(value):
        found.add(path, f"{value} is no number that can be passed on", rule=RULE)


def _annotations(data: Data, found: Findings) -> None:
    annotations = data["metadata"].get("annotations", {})
    for key, value in annotations.items():
        path = ("metadata", "annotations", key)
        name = key.removeprefix(f"{RUN}.")
        if name != key and name not in data["containers"]:
            hint = closest(name, data["containers"])
            found.add(path, f"there is no container {name!r}", hint, rule=RULE, key=True)
        if key == MANIFESTS and not _is_inside(value.strip()):
            found.add(path, f"{told(value)} is no folder of the service", _INSIDE, rule=RULE)


def _is_inside(path: str) -> bool:
    pure = PurePosixPath(path)
    return bool(path) and not pure.is_absolute() and ".." not in pure.parts


def _ports(ports: Data, found: Findings) -> None:
    seen: dict[tuple[int, str], str] = {}
    for name, said in ports.items():
        key = int(said["port"]), said.get("protocol", "TCP")
        if (first := seen.setdefault(key, name)) != name:
            what = f"publishes {key[0]}/{key[1]}, as {first} does"
            found.add(("service", "ports", name, "port"), what, "give it another", rule=RULE)


def _container(name: str, said: Data, data: Data, found: Findings) -> None:
    path: KeyPath = ("containers", name)
    _placeholders(said.get("variables", {}), (*path, "variables"), data, found)
    for other in said.get("before", {}):
        if other not in data["containers"]:
            what, hint = f"there is no container {other!r}", closest(other, data["containers"])
            found.add((*path, "before", other), what, hint, rule=RULE, key=True)
    for kind in ("files", "volumes"):
        places = _places(said.get(kind, {}), (*path, kind))
        _targets([(target, at) for target, _, at in places], found)
        for _, one, at in places:
            if kind == "files":
                _file(one, at, data, found)
            else:
                _placeholders(one["source"], (*at, "source"), data, found)
    for kind in ("livenessProbe", "readinessProbe"):
        _probe(said.get(kind, {}), (*path, kind), found)


def _places(said: Any, path: KeyPath) -> list[tuple[str, Data, KeyPath]]:
    keys = range(len(said)) if isinstance(said, list) else said
    pairs = zip(by_target(said), keys, strict=True)
    return [(target, one, (*path, key)) for (target, one), key in pairs]


def _targets(targets: list[tuple[str, KeyPath]], found: Findings) -> None:
    seen: set[PurePosixPath] = set()
    for target, path in targets:
        pure = PurePosixPath("/", target.lstrip("/"))
        if target[:1] != "/" or ".." in pure.parts or not pure.name:
            what = f"{told(target)} is no place in a container" if target else "has no target"
            found.add(path, what, "an absolute path, like /etc/app.conf", rule=RULE, key=True)
        elif pure in seen:
            found.add(path, f"{target} is there twice", "remove one", rule=RULE, key=True)
        seen.add(pure)


def _file(said: Data, path: KeyPath, data: Data, found: Findings) -> None:
    source, binary = said.get("source"), said.get("binaryContent")
    if source is not None and not _is_inside(source):
        what = f"{told(source)} is no file of the service"
        found.add((*path, "source"), what, _INSIDE, rule=RULE)
    if binary is not None:
        try:
            base64.b64decode(binary, validate=True)
        except (binascii.Error, ValueError):
            what = "is no base64"
            found.add((*path, "binaryContent"), what, "`base64 FILE` makes it", rule=RULE)
    if not said.get("noExpand"):
        _placeholders(said.get("content"), (*path, "content"), data, found)


def _circles(containers: Data, found: Findings) -> None:
    """Note a container that would have to start before itself."""
    try:
        TopologicalSorter(
            {name: one.get("before", {}) for name, one in containers.items()}
        ).prepare()
    except CycleError as error:
        first, second, *_ = reversed(error.args[1])
        path = ("containers", first, "before", second)
        what = f"{first} would have to start before itself"
        found.add(path, what, "take a `before` out", rule=RULE, key=True)


def _probe(said: Data, path: KeyPath, found: Findings) -> None:
    if "exec" in said and not said["exec"]["command"]:
        found.add((*path, "exec", "command"), "is empty", "name a program", rule=RULE)
    get = said.get("httpGet", {})
    for key in ("path", "host"):
        if not _URL_PART.fullmatch(get.get(key, "")):
            what = f"{told(get[key])} has characters that no URL has"
            found.add((*path, "httpGet", key), what, "write them as %XX", rule=RULE)
    for index, header in enumerate(get.get("httpHeaders", ())):
        if not _HEADER.fullmatch(header["value"]):
            at = (*path, "httpGet", "httpHeaders", index, "value")
            found.add(at, "has characters that no header has", "ASCII alone", rule=RULE)


def _placeholders(value: object, path: KeyPath, data: Data, found: Findings) -> None:
    """Note placeholders that stand for nothing in the file."""
    if isinstance(value, dict):
        for key, inner in value.items():
            _placeholders(inner, (*path, key), data, found)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            _placeholders(inner, (*path, index), data, found)
    elif isinstance(value, str):
        annotations = data["metadata"].get("annotations", {})
        for part in parts(value):
            try:
                if isinstance(part, Placeholder):
                    check(part, data.get("resources", {}), annotations)
            except UnknownPlaceholder as error:
                found.add(path, error.message, error.hint, rule=RULE)
