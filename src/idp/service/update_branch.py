"""The branch of an update's pull request: what it is called, and whether it is still ours.

It holds one commit of ours, whose message names the commit's own tree. As soon as anybody adds a
commit, amends or merges, that no longer holds, and the branch is theirs.
"""

from __future__ import annotations

import hashlib
import re

from idp.service.answers import DEFAULT
from idp.service.clone import Clone
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


def is_ours(clone: Clone, base: str, tip: str) -> bool:
    """Tell whether a branch holds nothing, beyond its base, but one commit as we wrote it."""
    commits = clone.word("rev-list", f"{base}..{tip}").split()
    if not commits:
        return True
    trailer = f"%(trailers:key={TRAILER},valueonly=true,separator=%x20)"
    said = clone.word("log", "-1", f"--format=%T %P%n{trailer}", tip)
    about, _, named = said.partition("\n")
    tree, *parents = about.split()
    return len(commits) == 1 == len(parents) and named.strip() == tree


def holds(clone: Clone, base: str, tip: str, tree: str) -> bool:
    """Tell whether a branch, merged into its base, comes to a tree."""
    if clone.word("rev-parse", f"{tip}^{{tree}}") == tree:
        return True
    asked = ("merge-tree", "--write-tree", "--allow-unrelated-histories", base, tip)
    done = clone.repo.run(*asked, ok=(0, 1))
    return done.code == 0 and done.stdout.decode().strip() == tree
