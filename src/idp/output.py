"""What a command prints: data on stdout (JSON, table or TSV), words on stderr.

A terminal gets a table, a pipe gets tab-separated values, untruncated and with a header, and
`--json` gets JSON. Colours follow NO_COLOR, CLICOLOR, CLICOLOR_FORCE and TERM=dumb
(https://no-color.org, https://bixense.com/clicolors); FORCE_TTY takes any stream for a terminal.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from difflib import get_close_matches
from enum import Enum
from pathlib import Path
from typing import Any, TextIO

from idp.errors import IdpError, UsageError


@dataclass(frozen=True)
class Shape:
    """How data is asked for: as JSON, and which fields of it."""

    as_json: bool = False
    fields: tuple[str, ...] = ()


@dataclass(frozen=True)
class Output:
    """The two streams, and what is known of them."""

    quiet: bool = False
    verbose: bool = False
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)

    def is_tty(self, stream: TextIO) -> bool:
        """Tell whether a person reads a stream."""
        return bool(self.environ.get("FORCE_TTY")) or stream.isatty()

    def has_colour(self, stream: TextIO) -> bool:
        """Tell whether a stream gets colours."""
        env = self.environ
        if env.get("NO_COLOR"):
            return False
        if env.get("CLICOLOR_FORCE", "0") != "0":
            return True
        return self.is_tty(stream) and env.get("CLICOLOR") != "0" and env.get("TERM") != "dumb"

    @property
    def coloured(self) -> bool:
        """Whether data is printed with colours."""
        return self.has_colour(sys.stdout)

    def say(self, words: str) -> None:
        """Tell a person something, unless --quiet."""
        if not self.quiet:
            print(words, file=sys.stderr)

    def detail(self, words: str) -> None:
        """Tell a person something under --verbose."""
        if self.verbose:
            print(words, file=sys.stderr)

    @contextmanager
    def progress(self) -> Iterator[Callable[[str, int, int], None]]:
        """Give what shows a person how far something is: of what, how many are done, of how many.

        At a terminal it is a bar with the time left; elsewhere each thing is named once.
        """
        if self.quiet or not self.is_tty(sys.stderr):
            named: set[str] = set()

            def name(what: str, _done: int, _of: int) -> None:
                if what not in named:
                    named.add(what)
                    self.say(f"reading {what}")

            yield name
            return
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

        console = Console(stderr=True, no_color=not self.has_colour(sys.stderr))
        columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=console, transient=True) as bars:
            tasks: dict[str, Any] = {}

            def show(what: str, done: int, of: int) -> None:
                if what not in tasks:
                    tasks[what] = bars.add_task(printable(what), total=None)
                bars.update(tasks[what], completed=done, total=of or None)

            yield show

    def item(self, record: Any, shape: Shape, text: Callable[[], str]) -> None:
        """Print one thing: as JSON, or by the words that `text` gives."""
        if shape.as_json or shape.fields:
            _print_json(select(plain(record), shape.fields))
        else:
            print(text())

    def rows(self, records: Iterable[Any], columns: Sequence[str], shape: Shape) -> None:
        """Print a list: as JSON, as a table for a terminal, as TSV for a pipe."""
        listed = [plain(record) for record in records]
        if shape.as_json:
            _print_json([select(row, shape.fields) for row in listed])
            return
        columns = shape.fields or columns
        cells = [[_cell(select(row, (name,))[name]) for name in columns] for row in listed]
        if self.is_tty(sys.stdout):
            self._table(columns, cells)
        else:
            lines = [columns, *([harmless(_one_line(cell)) for cell in row] for row in cells)]
            sys.stdout.write("".join("\t".join(line) + "\n" for line in lines))

    def text(self, words: str, style: str) -> str:
        """Return words in a style for stdout (bold, green, red, yellow, dim), if it has colours."""
        codes = {"bold": 1, "dim": 2, "red": 31, "green": 32, "yellow": 33, "cyan": 36}
        if not self.coloured:
            return words
        return f"\033[{codes[style]}m{words}\033[0m"

    def _table(self, columns: Sequence[str], cells: Sequence[Sequence[str]]) -> None:
        from rich import box
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
        for name in columns:
            table.add_column(name.replace("_", " "), overflow="fold")
        for row in cells:
            table.add_row(*(Text(harmless(cell)) for cell in row))
        Console(
            no_color=not self.coloured, force_terminal=self.coloured or None, highlight=False
        ).print(table)


def plain(value: Any) -> Any:
    """Return what JSON can hold: dataclasses become objects, times ISO 8601, Decimal a string.

    A field named like a Python keyword has an underscore behind it, which is taken off.
    """
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name.rstrip("_"): plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted((plain(item) for item in value), key=str)
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, (Decimal, Path)):
        return str(value)
    return plain(value.value) if isinstance(value, Enum) else value


def select(record: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Return the named fields of a record, all if none is named.

    Raises:
        UsageError: there is no such field.
    """
    for name in names:
        if name not in record:
            close = get_close_matches(name, record, 1) or sorted(record)
            raise UsageError(f"no field {name!r}", hint=f"fields: {', '.join(close)}")
    return {name: record[name] for name in names} if names else record


def _print_json(value: Any) -> None:
    print(_dumped(value, 2 if sys.stdout.isatty() else None))


def _dumped(value: Any, indent: int | None = None) -> str:
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    return json.dumps(value, indent=indent) if any(map(_is_undecodable, text)) else text


def _is_undecodable(character: str) -> bool:
    """Tell whether it stands for a byte of a file's name that is no UTF-8."""
    return "\udc80" <= character <= "\udcff"


def printable(words: str) -> str:
    """Return words that cannot drive a terminal: other people name files."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in words)


_DRIVING = {c: f"\\x{c:02x}" for c in (*range(9), *range(11, 32), *range(127, 160))}
_DRIVING |= {c: f"\\u{c:x}" for c in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))}


def harmless(words: str) -> str:
    """Return words of several lines without what drives a terminal or turns text around."""
    return words if words.isprintable() else words.translate(_DRIVING)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ", ".join(map(_cell, value))
    return json.dumps(value) if isinstance(value, dict) else str(value)


def _one_line(cell: str) -> str:
    return " ".join(cell.replace("\t", " ").splitlines())


def error_json(error: IdpError) -> str:
    """Return an error as one line of JSON."""
    told = {
        "code": error.code,
        "message": error.message,
        "hint": error.hint,
        "retryable": error.retryable,
        "details": list(error.details),
    }
    return _dumped(told)


def error_text(error: IdpError, *, colour: bool) -> str:
    """Return an error for a person: what, the details, what to do."""
    red, dim, off = ("\033[31m", "\033[2m", "\033[0m") if colour else ("", "", "")
    message, *more = error.message.splitlines() or [""]
    lines = [f"{red}error:{off} {printable(message)}"]
    lines += [f"  {printable(line.expandtabs())}" for line in (*more, *error.details)]
    return "\n".join([*lines, f"{dim}hint:{off} {error.hint}"] if error.hint else lines)
