"""A plan: what a command is about to change, as frozen data with a digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Literal

Risk = Literal["local", "remote", "destroys"]


@dataclass(frozen=True)
class Effect:
    """One thing that will be so once the plan is carried out.

    Attributes:
        what: added, updated, merged, deleted, renamed, kept, conflict, pushed …
        on: a path, a reference or a URL.
    """

    what: str
    on: str


@dataclass(frozen=True)
class Plan:
    """What will be changed, on which conditions.

    Attributes:
        action: the command, e.g. `update-service`.
        subject: what it acts on.
        inputs: what was asked for (release, answers).
        preconditions: what must still hold when it is carried out (HEAD, versions).
        result: what it all comes to, e.g. the git tree that will be there.
        risk: remote and destroying plans ask first.
    """

    action: str
    subject: str
    inputs: Mapping[str, str] = field(default_factory=dict)
    preconditions: Mapping[str, str] = field(default_factory=dict)
    effects: tuple[Effect, ...] = ()
    result: str = ""
    risk: Risk = "local"

    @property
    def canonical(self) -> bytes:
        """The plan as JSON with sorted keys and no white space."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":")).encode()

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON, in hex."""
        return hashlib.sha256(self.canonical).hexdigest()
