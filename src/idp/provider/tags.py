"""Tags in the form of labels and annotations, which what runs carries; and back.

A label is `idp.dev/TAG`. What does not fit a label (63 of `A-Z a-z 0-9 . _ -`, with a letter or
figure at both ends, or nothing) is an annotation of the same name; tags whose very names do not fit
are together in one annotation. A place that knows labels alone takes both as labels.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from idp.provider.base import MANAGED_BY, Release

PREFIX = "idp.dev/"
MANAGED = "managed-by"
_OTHERS = "other-tags"
_LIFE = ("release", "previous", "next", "fence", "created-at", "updated-at", "expires-at")
_VALUE = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?")
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?")


@dataclass(frozen=True)
class Written:
    """Tags as what runs carries them; no key is in both."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str]

    @property
    def together(self) -> dict[str, str]:
        """All of it, for places that have labels alone."""
        return {**self.labels, **self.annotations}


@dataclass(frozen=True)
class Life:
    """What an environment carries of itself beside its tags; see `base.Observed`."""

    release: str
    fence: int
    created_at: datetime
    updated_at: datetime
    previous: str = ""
    next: str = ""
    expires_at: datetime | None = None


def tags_of(release: Release) -> dict[str, str]:
    """Return the tags that everything made for a release carries."""
    return {**release.tags, "environment": release.environment, "service": release.service}


def fits_label(value: str) -> bool:
    """Tell whether a value can be a label's."""
    return bool(_VALUE.fullmatch(value))


def written(tags: Mapping[str, str], life: Life | None = None) -> Written:
    """Return tags, and what else an environment carries, with idp's mark."""
    labels, annotations = {PREFIX + MANAGED: MANAGED_BY}, dict[str, str]()
    others = {name: value for name, value in tags.items() if not _can_be_key(name)}
    plain = {name: value for name, value in tags.items() if name not in others}
    for name, value in (plain | (_of_life(life) if life else {})).items():
        (labels if fits_label(value) else annotations)[PREFIX + name] = value
    if others:
        annotations[PREFIX + _OTHERS] = json.dumps(others, sort_keys=True, separators=(",", ":"))
    return Written(labels, annotations)


def _can_be_key(name: str) -> bool:
    return bool(_NAME.fullmatch(name)) and name not in (MANAGED, _OTHERS, *_LIFE)


def _of_life(life: Life) -> dict[str, str]:
    times = {"created-at": life.created_at, "updated-at": life.updated_at}
    if life.expires_at:
        times["expires-at"] = life.expires_at
    ids = {"release": life.release, "previous": life.previous, "next": life.next}
    told = {name: value for name, value in ids.items() if value} | {"fence": str(life.fence)}
    return told | {name: time.astimezone(UTC).isoformat() for name, time in times.items()}


def is_ours(labels: Mapping[str, str]) -> bool:
    """Tell whether something bears idp's mark."""
    return labels.get(PREFIX + MANAGED) == MANAGED_BY


def read_tags(labels: Mapping[str, str], annotations: Mapping[str, str]) -> dict[str, str]:
    """Return the tags that something carries; what nobody can read is left out."""
    found = _words(labels, annotations)
    try:
        others = json.loads(found.pop(_OTHERS, "{}"))
    except (ValueError, RecursionError):
        others = {}
    tags = {name: value for name, value in found.items() if _can_be_key(name)}
    if isinstance(others, dict):
        tags |= {name: value for name, value in others.items() if isinstance(value, str)}
    return tags


def read_life(labels: Mapping[str, str], annotations: Mapping[str, str], made_at: datetime) -> Life:
    """Return what an environment carries of itself; what was damaged counts as never written.

    Args:
        made_at: when it was made, as its provider knows it.
    """
    found = _words(labels, annotations)
    created = _time(found.get("created-at", "")) or made_at
    fence = found.get("fence", "")
    return Life(
        release=found.get("release", ""),
        previous=found.get("previous", ""),
        next=found.get("next", ""),
        fence=int(fence) if re.fullmatch("[0-9]{1,18}", fence) else 0,
        created_at=created,
        updated_at=_time(found.get("updated-at", "")) or created,
        expires_at=_time(found.get("expires-at", "")),
    )


def _words(labels: Mapping[str, str], annotations: Mapping[str, str]) -> dict[str, str]:
    both = {**annotations, **labels}
    return {key.removeprefix(PREFIX): both[key] for key in both if key.startswith(PREFIX)}


def _time(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
        return found.astimezone(UTC) if found.tzinfo else None
    except (ValueError, OverflowError):
        return None


def selector(tags: Mapping[str, str]) -> dict[str, str]:
    """Return labels by which a server can be asked for what carries these tags.

    What a label cannot hold is left out: `carries` decides about what comes back.
    """
    fitting = {name: value for name, value in tags.items() if _can_be_key(name)}
    return {
        PREFIX + MANAGED: MANAGED_BY,
        **{PREFIX + name: value for name, value in fitting.items() if fits_label(value)},
    }


def carries(tags: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    """Tell whether all of the wanted tags are there."""
    return wanted.items() <= tags.items()
