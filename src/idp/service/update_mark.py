"""The mark in a pull request's text, hidden from who reads it: what the text was written of."""

from __future__ import annotations

import re
from dataclasses import dataclass

MARK = re.compile(
    r"<!-- idp-update-service: (?P<told>[0-9a-f]{64}) (?P<update>[0-9a-f]{64}) "
    r"(?P<draft>draft|ready) (?P<commit>[0-9a-f]{40,64}) -->"
)


@dataclass(frozen=True)
class Mark:
    """What a mark says.

    Attributes:
        told: a digest of title, base and text.
        update: a digest of what is brought to which base, however it merges there.
        draft: whether there were conflicts.
        commit: the tip of the branch that the text was written for.
    """

    told: str
    update: str
    draft: bool
    commit: str

    def __str__(self) -> str:
        draft = "draft" if self.draft else "ready"
        return f"<!-- idp-update-service: {self.told} {self.update} {draft} {self.commit} -->"


def find(body: str) -> Mark | None:
    """Return the mark of a text, the last one where it has several."""
    found = list(MARK.finditer(body))
    if not found:
        return None
    told, update, draft, commit = found[-1].groups()
    return Mark(told, update, draft == "draft", commit)


def replaced(body: str, words: str) -> str:
    """Return a text with words instead of its marks."""
    return MARK.sub(words, body)
