"""Laying text out for a terminal: widths in columns, cutting, wrapping, aligned rows."""

from __future__ import annotations

import shutil
import textwrap
import unicodedata
from collections.abc import Callable, Iterable, Sequence

from idp.output import printable

Style = Callable[[str, str], str]
"""Returns words in a style, such as `Output.text` does: style("yes", "green")."""

GAP = 2
WIDEST = 140

_PLAIN = str.maketrans(
    {"→": "->", "…": "...", "├": "|", "└": "`", "─": "-", "│": "|", "·": "-", "×": "x", "–": "-"}
)


def unstyled(words: str, style: str) -> str:
    """Return words as they are."""
    return words


def page(lines: Callable[[int], Iterable[str]], encoding: str | None) -> str:
    """Return the lines that fit the terminal, as a stream of an encoding takes them.

    Args:
        lines: gives them for a width in columns.
    """
    width = max(40, min(shutil.get_terminal_size((100, 24)).columns, WIDEST))
    return encodable("\n".join(lines(width)), encoding)


def columns(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    return sum(_width(character) for character in text)


def _width(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def cut(text: str, width: int) -> str:
    """Return a text that takes at most `width` columns; what is cut off is told by a `…`."""
    if columns(text) <= width:
        return text
    taken, used = "", 1
    for character in text:
        used += _width(character)
        if used > width:
            break
        taken += character
    return f"{taken}…"


def beside(words: Iterable[str], room: int) -> str:
    """Return those foreign words that fit whole behind something, two blanks before each."""
    told = ""
    for word in filter(None, map(printable, words)):
        if columns(told) + GAP + columns(word) <= room:
            told += " " * GAP + word
    return told


def wrapped(text: str, width: int, indent: str = "", most: int = 4) -> list[str]:
    """Return a foreign text in lines, at most so many of them."""
    flat = printable(" ".join(text.split()))
    return textwrap.wrap(
        flat,
        max(width, 20),
        initial_indent=indent,
        subsequent_indent=indent,
        max_lines=most,
        placeholder=" …",
    )


def rows(
    cells: Sequence[Sequence[str]], width: int, indent: str = "  ", elastic: int = -1
) -> list[str]:
    """Return rows of foreign texts in aligned columns, none longer than `width`.

    Args:
        elastic: the column that is cut where a row is too long; the last one where it is below 0.
    """
    if not cells:
        return []
    safe = [[printable(cell) for cell in row] for row in cells]
    widths = [max(map(columns, column)) for column in zip(*safe, strict=True)]
    gaps = GAP * sum(1 for one in widths[1:] if one)
    widths[elastic] = max(
        8, min(widths[elastic], width - len(indent) - gaps - _others(widths, elastic))
    )
    return [cut(_row(row, widths, indent), width) for row in safe]


def _others(widths: Sequence[int], elastic: int) -> int:
    return sum(widths) - widths[elastic]


def _row(row: Sequence[str], widths: Sequence[int], indent: str) -> str:
    parts = []
    for cell, width in zip(row, widths, strict=True):
        if width:
            fitting = cut(cell, width)
            parts.append(fitting + " " * (width - columns(fitting)))
    return (indent + (" " * GAP).join(parts)).rstrip()


def encodable(text: str, encoding: str | None) -> str:
    """Return a text that a stream of an encoding takes: without box drawing where it has none."""
    try:
        text.encode(encoding or "utf-8")
    except (UnicodeEncodeError, LookupError):
        plain = text.translate(_PLAIN)
        return plain.encode("ascii", "backslashreplace").decode()
    return text


def short(ref: str) -> str:
    """Return a ref without the namespace that most entities are in."""
    return ref.replace(":default/", ":", 1)


def many(number: int, one: str, several: str = "") -> str:
    """Return a number of things in words: `1 team`, `2 teams`."""
    return f"{number:,} {one if number == 1 else several or one + 's'}"
