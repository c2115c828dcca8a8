"""What policies ask of a workload: score.yaml (score.dev/v1b1)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from idp.catalog.problem import written
from idp.errors import InvalidInput
from idp.plan import Use
from idp.policy.files import File
from idp.policy.plain import is_secret, looks_secret
from idp.policy.said import is_yes, said_of
from idp.workload.quantity import GIGABYTE, quantity

_INSIDE = ("internal", "private")
_NAMED = ("variables", "params")


@dataclass(frozen=True)
class Workload:
    """What a workload says of itself; each with its FILE:LINE.

    Attributes:
        secrets: places of what seems to be a secret in plain text; never its value.
        public: where it says that it can be reached from the internet; "" where it does not.
        unpriced: types of resources that the rate card does not have.
    """

    name: str
    images: Mapping[str, str]
    uses: tuple[Use, ...]
    secrets: Mapping[str, str]
    public: str
    unpriced: tuple[str, ...]


def workload(file: File, flat: Collection[str] = ()) -> Workload:
    """Return what policies ask of a score.yaml.

    Args:
        flat: the resources that the rate card has.

    Raises:
        InvalidInput: an amount of CPU or memory is none.
    """
    types = [kind for _, kind in _resources(file) if kind != "volume"]
    return Workload(
        str(file.under("metadata").get("name") or ""),
        dict(_images(file)),
        (*_of_containers(file), *_of_resources(file, flat)),
        {f"{place} {path}": place for place, path in _secrets(file)},
        _public(file),
        tuple(dict.fromkeys(kind for kind in types if kind not in flat)),
    )


def _images(file: File) -> Iterator[tuple[str, str]]:
    for name in file.under("containers"):
        image = file.under("containers", name).get("image")
        if isinstance(image, str):
            yield image, file.at("containers", name, "image")


def _of_containers(file: File) -> Iterator[Use]:
    """Yield CPU and memory: what is requested, else what it is limited to."""
    for name in file.under("containers"):
        for what, rate, unit in (("cpu", "cpu_hour", 1), ("memory", "gb_hour", GIGABYTE)):
            for kind in ("requests", "limits"):
                path = ("containers", name, "resources", kind)
                if (said := file.under(*path).get(what)) is not None:
                    yield Use(f"{name} {what}", rate, _amount(file, (*path, what), said) / unit)
                    break


def _of_resources(file: File, flat: Collection[str]) -> Iterator[Use]:
    for name, kind in _resources(file):
        size = file.under("resources", name, "params").get("size")
        if kind == "volume" and size is not None:
            path = ("resources", name, "params", "size")
            yield Use(name, "gb_month", _amount(file, path, size) / GIGABYTE)
        elif kind in flat:
            yield Use(name, kind, Decimal(1))


def _amount(file: File, path: tuple[str, ...], said: object) -> Decimal:
    amount = quantity(said)
    if amount is None:
        what = f"{file.at(*path)}: {written(path)}: {said!r} is no amount"
        raise InvalidInput(what, hint="like 100m, 0.5 or 128Mi")
    return amount


def _resources(file: File) -> Iterator[tuple[str, str]]:
    """Yield the resources, each with its type."""
    for name in file.under("resources"):
        if isinstance(kind := file.under("resources", name).get("type"), str):
            yield name, kind


def _secrets(file: File) -> Iterator[tuple[str, str]]:
    """Yield FILE:LINE and the path of each text that seems to be a secret."""
    for path, text in file.texts():
        keys = [part for part in path if isinstance(part, str)]
        is_named = any(part in _NAMED for part in keys[:-1])
        if is_secret(keys[-1], text) if is_named else looks_secret(text):
            yield file.at(*path), written(path)


def _public(file: File) -> str:
    """Return where a workload says that it is public: by annotation, else a route is."""
    data: Mapping[str, Any] = file.data
    for said in said_of(data, "public"):
        return file.at("metadata", "annotations") if is_yes(said) else ""
    for name, kind in _resources(file):
        if kind == "route" and file.under("resources", name).get("class") not in _INSIDE:
            return file.at("resources", name)
    return ""
