"""Telling what is wrong in an expression, and where."""

from __future__ import annotations

from idp.catalog.query.ast import Word
from idp.errors import UsageError

WIDTH = 76


def fault(text: str, place: Word, message: str, hint: str = "") -> UsageError:
    """Return an error that shows the expression, with a caret under the place."""
    if not text or place.end == 0:
        return UsageError(message, hint=hint)
    flat = "".join(c if c.isprintable() else " " for c in text) + " "
    left = max(0, min(place.start - WIDTH // 2, len(flat) - WIDTH))
    shown = flat[left : left + WIDTH].rstrip()
    width = max(1, min(place.end - place.start, WIDTH - (place.start - left)))
    caret = " " * (place.start - left) + "^" * width
    return UsageError(message, hint=hint, details=(shown, caret))


def close(word: str, known: list[str]) -> str:
    """Return the known word that is most like one, empty if none is."""
    from difflib import get_close_matches

    lower = {name.lower(): name for name in known}
    found = get_close_matches(word.lower(), lower, 1, 0.7)
    return lower[found[0]] if found else ""
