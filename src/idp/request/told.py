"""What became of a request, told in a comment on its pull request."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from idp.forge.base import Comment

Became = Literal["refused", "fulfilling", "fulfilled", "failed"]
MARKER = "idp-request"
_BLOCK = re.compile(r"^```json\n(.*?)\n```$", re.DOTALL | re.MULTILINE)
_WORDS = {
    "refused": "Refused",
    "fulfilling": "Carried out; the requester has still to be handed over what was made",
    "fulfilled": "Fulfilled",
    "failed": "Could not be fulfilled; running `idp request fulfil` again goes on with it",
}


@dataclass(frozen=True)
class Told:
    """What a comment tells of a request.

    Attributes:
        handover: sealed, for the requester alone.
    """

    state: Became
    outcome: str = ""
    handover: str = ""

    def written(self, id: str) -> str:
        """Return the comment's text, without its marker."""
        said = {
            "request": id,
            "state": self.state,
            "outcome": self.outcome,
            "handover": self.handover,
        }
        head = f"{_WORDS[self.state]}: {self.outcome}".removesuffix(": ")
        return f"{head}\n\n```json\n{json.dumps(said)}\n```\n"


def read(comment: Comment, id: str) -> Told | None:
    """Return what a comment tells of this request; None for nothing that we would have written."""
    found = _BLOCK.search(comment.body)
    try:
        said = json.loads(found[1]) if found else {}
    except ValueError:
        return None
    if not isinstance(said, dict) or said.get("request") != id:
        return None
    if said.get("state") not in get_args(Became):
        return None
    return Told(said["state"], str(said.get("outcome", "")), str(said.get("handover", "")))


def last(
    comments: Iterable[Comment], id: str, counts: Callable[[str, Became], bool]
) -> Told | None:
    """Return the last that was told; once fulfilled it stays so.

    Args:
        counts: whether an account's word of this counts.
    """
    found = None
    for comment in sorted(comments, key=lambda one: one.id):
        told = read(comment, id)
        if told is None or (found and found.state == "fulfilled" and told.state != "fulfilled"):
            continue
        if counts(comment.author, told.state):
            found = told
    return found
