"""What a snapshot says of itself."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from idp.errors import InvalidInput

FORMAT = "idp-catalog-snapshot/1"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\Z")
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")


@dataclass(frozen=True)
class Manifest:
    """A snapshot; times are ISO 8601 in UTC.

    Attributes:
        data: the name of the compressed file beside the manifest.
        size, sha256: of the compressed file.
        index_size, index_sha256: of the index in it.
        schema: the number of the index's schema.
        idp: the version of idp that published it.
        checked_at: when the sources were last looked at.
        previous: the data of the snapshot before, which late readers may still need.
    """

    data: str
    size: int
    sha256: str
    index_size: int
    index_sha256: str
    schema: int
    idp: str
    created_at: datetime
    checked_at: datetime
    documents: int
    entities: int
    previous: str

    @property
    def text(self) -> bytes:
        """The manifest as JSON."""
        held = {f.name: getattr(self, f.name) for f in fields(self)}
        said = {k: v.isoformat() if isinstance(v, datetime) else v for k, v in held.items()}
        return json.dumps({"format": FORMAT, **said}, indent=2).encode() + b"\n"


def parse(text: bytes, place: str) -> Manifest:
    """Return the manifest that a text is.

    Raises:
        InvalidInput: it is none, or one of a format that this idp does not know.
    """
    try:
        held = json.loads(text)
        if not isinstance(held, dict) or held.pop("format", None) != FORMAT:
            raise ValueError("it says no format that this idp knows")
        said: Any = {f.name: _value(held[f.name], str(f.type)) for f in fields(Manifest)}
        made = Manifest(**said)
        _check(made)
    except (ValueError, KeyError, RecursionError) as error:
        raise InvalidInput(
            f"{place} is no snapshot of a catalog: {error}",
            hint="name another location, or update idp",
        ) from error
    return made


def _value(value: object, kind: str) -> object:
    if kind == "datetime":
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
        if moment is None or moment.tzinfo is None:
            raise ValueError(f"{value!r} is no time")
        return moment
    if type(value).__name__ != kind:
        raise ValueError(f"{value!r} is no {kind}")
    return value


def _check(made: Manifest) -> None:
    names = [made.data, *filter(None, [made.previous])]
    if not all(map(_NAME.match, names)):
        raise ValueError(f"{names} are no names of files beside it")
    if not (_SHA256.match(made.sha256) and _SHA256.match(made.index_sha256)):
        raise ValueError("a checksum in it is none")
