"""The words and signs of an expression."""

from __future__ import annotations

import re
from dataclasses import dataclass

from idp.catalog.query.ast import Word
from idp.catalog.query.fault import fault

SIGNS = ("!=", "*=", "!~", "=", "~", "(", ")", ",")
OPERATORS = frozenset({"!=", "*=", "!~", "=", "~"})

# Signs of other languages, and what is written here instead.
_FOREIGN = {
    "==": "write =",
    "=~": "write ~",
    "&&": "write and, or nothing: conditions side by side all hold",
    "||": "write or",
    "<>": "write !=",
    ">=": "values are not compared by size here",
    "<=": "values are not compared by size here",
    ">": "values are not compared by size here",
    "<": "values are not compared by size here",
    "!": "write not",
}
_SPACE = re.compile(r"\s*")
_NAME = re.compile(r"""(?:[^\s()=!~<>,"'*&|]|&(?!&)|\|(?!\|))+""")
_VALUE = re.compile(r"""[^\s(),"']+""")


@dataclass(frozen=True)
class Token:
    """A word or a sign; `kind` is `name`, `quoted`, `value`, `end`, or the sign itself."""

    kind: str
    word: Word


class Tokens:
    """An expression that is read from left to right; what a word may hold depends on the place."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._at = 0

    def peek(self) -> Token:
        """Return the next token, and stay."""
        return self._name_at(self._skip(self._at))

    def after(self, token: Token) -> Token:
        """Return the token behind another one."""
        return self._name_at(self._skip(token.word.end))

    def take(self) -> Token:
        """Return the next token, and go on."""
        token = self.peek()
        self._at = token.word.end
        return token

    def take_value(self) -> Token:
        """Return the next token where a value is expected: it may hold signs."""
        start = self._skip(self._at)
        if found := _VALUE.match(self.text, start):
            token = Token("value", Word(found[0], start, found.end()))
        else:
            token = self._name_at(start)
        self._at = token.word.end
        return token

    def _skip(self, start: int) -> int:
        found = _SPACE.match(self.text, start)
        return found.end() if found else start

    def _name_at(self, start: int) -> Token:
        text = self.text
        if start >= len(text):
            return Token("end", Word("", len(text), len(text) + 1))
        if text[start] in "\"'":
            return self._quoted(start)
        for sign, mend in _FOREIGN.items():
            if text.startswith(sign, start) and not text.startswith(("!=", "!~"), start):
                place = Word(sign, start, start + len(sign))
                raise fault(text, place, f"there is no {sign} in a query", mend)
        for sign in SIGNS:
            if text.startswith(sign, start):
                return Token(sign, Word(sign, start, start + len(sign)))
        found = _NAME.match(text, start)
        if not found:
            place = Word(text[start], start, start + 1)
            raise fault(text, place, f"{text[start]} does not belong here", 'quote it: "…"')
        return Token("name", Word(found[0], start, found.end()))

    def _quoted(self, start: int) -> Token:
        """Read a text in quotes; a backslash in it takes the next character as it is."""
        quote, at, letters = self.text[start], start + 1, []
        while at < len(self.text) and self.text[at] != quote:
            at += self.text[at] == "\\" and at + 1 < len(self.text)
            letters.append(self.text[at])
            at += 1
        if at >= len(self.text):
            place = Word(quote, start, start + 1)
            raise fault(self.text, place, f"this {quote} is never closed", f"end it with {quote}")
        return Token("quoted", Word("".join(letters), start, at + 1))
