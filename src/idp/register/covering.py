"""Whether the catalog's sources have a service already."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path

from idp.catalog.source.grammar import Place, parse_place
from idp.catalog.source.patterns import DEFAULT, chosen, left_out
from idp.config.catalog import SourceEntry
from idp.errors import InvalidInput
from idp.register.service import Service, same

NOWHERE = Path("/\0")
"""The folder of a platform file that is not on this machine: no path begins there."""


def covering(
    sources: Iterable[SourceEntry], service: Service, folder: Path | None, own: str
) -> str:
    """Return the first source by which the catalog reads a file of the service; "" if each is new.

    A source that cannot be understood, or whose entities another catalog keeps, has none.

    Args:
        folder: the platform file's; None where it is not on this machine.
        own: the host of the platform's own forge.
    """
    missing, first = set(service.files), ""
    for entry in sources:
        with suppress(InvalidInput):
            place = parse_place(entry.source, entry.files, entry.skip, base=folder or NOWHERE)
            read = {path for path in service.files if _reads(place, service, path, own)}
            first = first or (entry.source if read else "")
            missing -= read
    return first if not missing else ""


def _reads(place: Place, service: Service, path: str, own: str) -> bool:
    """Tell whether a source has a file of the service, by its path in the repository."""
    match place.kind:
        case "folder":
            return _below(place, service.repo.top / path)
        case "git":
            top = f"{place.subfolder}/" if place.subfolder else ""
            is_same = same(place.url) == same(service.url)
            return is_same and path.startswith(top) and _is_meant(place, path[len(top) :])
        case "forge":
            return _is_of_owner(place, service, own) and chosen(place.files)(path)
    return False


def _below(place: Place, file: Path) -> bool:
    root, file = place.root.resolve(), file.resolve()
    if root == file:
        return place.files == DEFAULT
    return file.is_relative_to(root) and _is_meant(place, file.relative_to(root).as_posix())


def _is_meant(place: Place, path: str) -> bool:
    is_left_out: Callable[[str], bool] | None = left_out(place.skip)
    return chosen(place.files)(path) and not (is_left_out and is_left_out(path))


def _is_of_owner(place: Place, service: Service, own: str) -> bool:
    address = service.address
    if address is None or address.host != (place.host or own):
        return False
    whole, owner = address.name.lower(), f"{place.owner.lower()}/"
    names = (whole, whole.removeprefix(owner), whole.rpartition("/")[2])
    skip = [pattern.lower() for pattern in place.skip]
    is_left_out = any(fnmatchcase(name, pattern) for pattern in skip for name in names)
    return whole.startswith(owner) and not is_left_out
