"""Other people's words in a pull request's text: they may not mention, link, close or hide."""

from __future__ import annotations

import re
from html import escape

from idp.output import printable

UNSEEN = "\u200b"
"""A space without width: what it parts, a forge no longer reads as one."""

# @name; #12, !12 and GH-12 (an issue would be told, or closed); a picture, fetched by whoever
# reads it; a tag or a comment of HTML; an entity, which may stand for any of these.
ACTIVE = re.compile(r"@(?=[\w-])|[#!](?=\d)|\bGH-(?=\d)|!(?=\[)|<(?=[a-z/!?])|&(?=#?\w+;)", re.I)

# A link to an issue would be told there, once for each service that is updated, or close it.
TOLD = re.compile(
    r"https?://(?:www\.)?github\.com/(?=[\w.-]+/[\w.-]+/(?:issues|pull|commit|discuss))", re.I
)
TOLD_ELSEWHERE = re.compile(
    r"https?://(?!redirect\.github)\S{1,300}?/(?:issues|pulls?|merge_requests|work_items|epics)/"
    r"(?=\d)",
    re.I,
)

PLAIN = re.compile(r"[^`|\\]+")


def code(words: str) -> str:
    """Return words as code that fits into a line, a list and a table."""
    shown = printable(words)
    if PLAIN.fullmatch(shown) and shown == shown.strip():
        return f"`{shown}`"
    marks = {"`": "&#96;", "|": "&#124;", "\\": "&#92;", "_": "&#95;", "*": "&#42;"}
    marks |= {" ": "&#32;", "@": "&#64;", "[": "&#91;", "~": "&#126;", ":": "&#58;"}
    return f"<code>{''.join(marks.get(c, c) for c in escape(shown))}</code>"


def harmless(text: str) -> str:
    """Return Markdown that mentions nobody, links no issue and holds no HTML."""
    seen = "".join(c if c.isprintable() or c in "\n\t" else UNSEEN for c in text)
    parted = ACTIVE.sub(lambda found: f"{found[0]}{UNSEEN}", seen)
    moved = TOLD.sub("https://redirect.github.com/", parted)
    return TOLD_ELSEWHERE.sub(lambda found: f"{found[0]}{UNSEEN}", moved)


def quoted(text: str) -> str:
    """Return Markdown as a quotation, which nothing in it can leave."""
    return "\n".join(f"> {line}".rstrip() for line in harmless(text).splitlines())
