"""The branch of an update's pull request: what it is called, and whether it is still ours.

It holds one commit of ours, whose message names the commit's own tree. As soon as anybody adds a
commit, amends or merges, that no longer holds, and the branch is theirs.
"""

from __future__ import annotations

import hashlib
import re

from idp import git
from idp.clone import Clone
from idp.service.answers import DEFAULT
from idp.service.merge import changes
from idp.service.proposal import Update

TRAILER = "Idp-Update-Tree"
PREFIX = "idp/update/"


def name_of(update: Update) -> str:
    """Return the name, the same for each update of one template in one folder."""
    service = update.service
    place = service.prefix.rstrip("/")
    own = "" if service.answers_file == DEFAULT else service.answers_file
    words = _words(update.new.name) or "template"
    if not place and not own:
        return f"{PREFIX}{words}"
    key = hashlib.sha256(f"{place}\0{own}".encode(errors="surrogateescape")).hexdigest()[:6]
    more = _words(own.removeprefix(".copier-answers.").removesuffix(".yml"))
    return PREFIX + "-".join(filter(None, (words, _words(place), more, key)))


def _words(text: str) -> str:
    """Return what of a text a reference may be called."""
    return re.sub(r"[^A-Za-z0-9_]+", "-", text).strip("-")[:60]


def message(title: str, tree: str) -> str:
    """Return the message of our commit."""
    return f"{title}\n\n{TRAILER}: {tree}\n"


def write_tree(clone: Clone, update: Update) -> str:
    """Write the tree that the update comes to; conflicts stand in it as their markers."""
    repo, prefix = clone.repo, update.service.prefix
    ours, merged = update.sides.ours, update.merged
    new = {entry.oid for entry in merged.tree.values()} - {e.oid for e in ours.values()}
    if new:
        repo.run("unpack-objects", "-q", stdin=update.scratch.pack(sorted(new)))
    lines = b""
    for path, _ in changes(ours, merged):
        entry = merged.tree.get(path)
        stages = {0: entry} if entry else {}
        lines += git.index_lines(f"{prefix}{path}", stages, repo.nothing)
    return clone.write_tree(update.service.head, lines)
