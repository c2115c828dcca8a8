"""What every entity must have whatever its kind: the envelope, the root fields, the formats."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from typing import Any

from idp.catalog import formats
from idp.catalog.kinds import ANY_TEXT, KINDS, TEXT, TEXTS, Kind
from idp.catalog.problem import KeyPath
from idp.catalog.reading import TEMPLATING
from idp.catalog.shapes import Findings, ListOf, Record, told
from idp.catalog.urls import is_url

ROOT = ("apiVersion", "kind", "metadata", "spec")
RENDER = "a template's marks are in it: render the template first"

_LINK = Record({"url": TEXT, "title": TEXT, "icon": TEXT, "type": TEXT}, ("url",))
_METADATA = Record(
    {
        **dict.fromkeys(("name", "namespace", "title", "uid", "etag"), TEXT),
        "description": ANY_TEXT,
        "labels": Record(rest=ANY_TEXT),
        "annotations": Record(rest=ANY_TEXT),
        "tags": TEXTS,
        "links": ListOf(_LINK),
    },
    ("name",),
)
_ENVELOPE = Record(
    {"apiVersion": TEXT, "kind": TEXT, "metadata": _METADATA}, ("apiVersion", "kind", "metadata")
)


def check(data: dict[str, Any], found: Findings) -> Kind | None:
    """Note what is wrong around the spec; return the entity's kind, None if it is not known."""
    metadata = data.get("metadata")
    if isinstance(metadata, dict):
        metadata = _as_emitted(metadata)
        data = {**data, "metadata": metadata}
    _ENVELOPE.check(data, (), found, "envelope")
    for key in data:
        if key not in ROOT:
            _foreign(key, data.get("kind"), found)
    _formats(metadata if isinstance(metadata, dict) else {}, found)
    return _kind(data, found)


def _as_emitted(metadata: dict[str, Any]) -> dict[str, Any]:
    """Return metadata as Backstage's policies see it: annotations of null have become a mapping."""
    annotations = metadata.get("annotations")
    if annotations or isinstance(annotations, (dict, list)):
        return metadata
    return {key: value for key, value in metadata.items() if key != "annotations"}


def _foreign(key: str, kind: object, found: Findings) -> None:
    if (key,) in found.paths:  # told with what is missing
        return
    close = get_close_matches(key, ROOT, 1, 0.75)
    known = KINDS.get(kind) if isinstance(kind, str) else None
    hint = f"did you mean {close[0]}?" if close else "move it under metadata or spec"
    if key in _METADATA.fields:
        hint = "move it under metadata"
    elif known and key in known.spec.fields:
        hint = "move it under spec"
    message = f"is no field of an entity, which has {', '.join(ROOT)}"
    found.add((key,), message, hint, rule="envelope", key=True)


def _formats(metadata: dict[str, Any], found: Findings) -> None:
    for field, fits, what, nearest in _TEXTS:
        _form(("metadata", field), metadata.get(field), fits, what, nearest, found)
    for index, tag in enumerate(_listed(metadata.get("tags"))):
        path = ("metadata", "tags", index)
        _form(path, tag, formats.is_tag, f"a tag ({formats.TAG_WORDS})", formats.as_tag, found)
    _maps(metadata, found)
    _links(metadata, found)


_TEXTS = (
    ("name", formats.is_name, f"a name ({formats.NAME_WORDS})", formats.as_name),
    (
        "namespace",
        formats.is_namespace,
        f"a namespace ({formats.NAMESPACE_WORDS})",
        formats.as_namespace,
    ),
)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _form(
    path: KeyPath,
    value: Any,
    fits: Callable[[str], bool],
    what: str,
    nearest: Callable[[str], str],
    found: Findings,
) -> None:
    """Note a text that has not its format; one that is no text has been told before."""
    if not isinstance(value, str) or not value or fits(value):
        return
    near = nearest(value)
    hint = RENDER if TEMPLATING.search(value) else f"{near} would do" if near else ""
    found.add(path, f"{told(value)} is not {what}", hint, rule="format")


def _maps(metadata: dict[str, Any], found: Findings) -> None:
    """Judge the keys of labels and annotations, and the values of labels."""
    for field in ("labels", "annotations"):
        pairs = metadata.get(field)
        for key, value in pairs.items() if isinstance(pairs, dict) else ():
            path = ("metadata", field, key)
            if not formats.is_key(key):
                hint = RENDER if TEMPLATING.search(key) else "e.g. example.com/name"
                message = f"{told(key)} is not a key ({formats.KEY_WORDS})"
                found.add(path, message, hint, rule="format", key=True)
            is_text = isinstance(value, str) and value
            if field == "labels" and is_text and not formats.is_name(value):
                hint = "make it an annotation: those may hold any text"
                what = f"a label's value (empty, or {formats.NAME_WORDS})"
                found.add(path, f"{told(value)} is not {what}", hint, rule="format")


def _links(metadata: dict[str, Any], found: Findings) -> None:
    for index, link in enumerate(_listed(metadata.get("links"))):
        if not isinstance(link, dict):
            continue
        path, url = ("metadata", "links", index), link.get("url")
        if isinstance(url, str) and url and not is_url(url):
            hint = RENDER if TEMPLATING.search(url) else "write it in full: https://…"
            found.add((*path, "url"), f"{told(url)} is not a URL", hint, rule="format")
        for name in ("title", "icon"):
            text = link.get(name)
            if isinstance(text, str) and text and formats.is_blank(text):
                found.add((*path, name), "is blank", "give it a value", rule="format")


def _kind(data: dict[str, Any], found: Findings) -> Kind | None:
    kind, version = data.get("kind"), data.get("apiVersion")
    if isinstance(version, str) and version and not formats.is_api_version(version):
        message = f"{told(version)} is not an apiVersion"
        found.add(("apiVersion",), message, "backstage.io/v1alpha1", rule="format")
        version = None
    if not isinstance(kind, str) or not kind:
        return None
    if kind not in KINDS:
        lower = {name.lower(): name for name in KINDS}
        close = get_close_matches(kind.lower(), lower, 1, 0.75)
        hint = f"did you mean {lower[close[0]]}?" if close else f"kinds: {', '.join(KINDS)}"
        found.add(("kind",), f"{told(kind)} is no kind of a stock Backstage", hint, rule="kind")
        if not close:
            return None
        kind = lower[close[0]]  # what is wrong with it as that is told too
    known = KINDS[kind]
    if isinstance(version, str) and version and version not in known.versions:
        message = f"{told(version)} is no apiVersion of the kind {kind}"
        found.add(("apiVersion",), message, f"write {known.versions[0]}", rule="kind")
    return known
