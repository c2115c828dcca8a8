"""The query language: `kind=component owner=team-a not has(annotations.pagerduty.com/service-id)`.

query     = [either] ["order by" field ["asc" | "desc"] {"," …}] ["limit" number]
either    = all {"or" all}
all       = one {["and"] one}
one       = "not" one | "(" either ")" | "has" "(" field ")" | test | words
test      = field ("=" | "!=" | "~" | "!~" | "*=") value | field ["not"] "in" "(" value {","…} ")"
"""

from __future__ import annotations

from idp.catalog.query.ast import EVERYTHING, And, Condition, Not, Or, Order, Query, Test, Word
from idp.catalog.query.fault import fault
from idp.catalog.query.tokens import OPERATORS, Token, Tokens
from idp.errors import UsageError

DEEPEST = 100
_JOINS = frozenset({"and", "or"})


def parse(text: str, fields: frozenset[str] = frozenset()) -> Query:
    """Return what an expression says.

    Args:
        fields: names of fields, in lower case: one that stands alone is told, not searched for.

    Raises:
        UsageError: it cannot be read; the error shows where.
    """
    return _Parser(text, fields).query()


class _Parser:
    def __init__(self, text: str, fields: frozenset[str]) -> None:
        self.text = text
        self.tokens = Tokens(text)
        self.fields = fields
        self.depth = 0

    def query(self) -> Query:
        starts_with_condition = not self._at_end() and not self._at_clause()
        condition = self._either() if starts_with_condition else EVERYTHING
        order: tuple[Order, ...] = ()
        limit = None
        while self._at_clause():
            if self._keyword() == "order":
                order += self._order()
            else:
                limit = self._limit()
        if not self._at_end():
            raise self._unexpected(self.tokens.take())
        return Query(condition, order, limit, self.text)

    def _either(self) -> Condition:
        parts = [self._all()]
        while self._keyword() == "or":
            self.tokens.take()
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _all(self) -> Condition:
        parts = [self._one()]
        while not self._at_end() and not self._at_clause() and self._keyword() != "or":
            if self.tokens.peek().kind in (")", ","):
                break
            if self._keyword() == "and":
                self.tokens.take()
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _one(self) -> Condition:
        token = self.tokens.peek()
        self.depth += 1
        if self.depth > DEEPEST:
            raise self._fault(token, f"brackets or nots are more than {DEEPEST} deep")
        try:
            if token.kind == "(":
                return self._bracket()
            if token.kind == "quoted":
                return self._words()
            if token.kind != "name" or self._keyword() in _JOINS:
                raise self._fault(token, f"expected a condition{_before(token)}", "such as owner=X")
            if self._keyword() == "not":
                self.tokens.take()
                return Not(self._one())
            if self._keyword() == "has" and self.tokens.after(token).kind == "(":
                return self._has()
            return self._test()
        finally:
            self.depth -= 1

    def _bracket(self) -> Condition:
        opening = self.tokens.take()
        inner = self._either()
        if self.tokens.peek().kind == ",":
            raise self._unexpected(self.tokens.take())
        if self.tokens.peek().kind != ")":
            raise self._fault(opening, "this ( is never closed", "add a )")
        self.tokens.take()
        return inner

    def _has(self) -> Condition:
        self.tokens.take()
        self.tokens.take()
        name = self.tokens.take()
        if name.kind not in ("name", "quoted"):
            raise self._fault(name, "expected a field's name", "such as has(owner)")
        self._expect(")", "has(…) takes one field")
        return Test(name.word, "has")

    def _test(self) -> Condition:
        name = self.tokens.take()
        sign = self.tokens.peek()
        if sign.kind in OPERATORS:
            self.tokens.take()
            operator = sign.kind.replace("!", "") or "="
            test = Test(name.word, operator, (self._value(f"after {sign.kind}"),))
            return Not(test) if sign.kind.startswith("!") else test
        word = self._keyword()
        if word == "in" and self.tokens.after(sign).kind == "(":
            return Test(name.word, "=", self._list())
        if word == "not" and self.tokens.after(sign).word.text.lower() == "in":
            self.tokens.take()
            return Not(Test(name.word, "=", self._list()))
        return self._alone(name)

    def _list(self) -> tuple[Word, ...]:
        self.tokens.take()
        self._expect("(", "values in brackets", "such as tag in (pci, gdpr)")
        values = [self._value("in the brackets")]
        while self.tokens.peek().kind == ",":
            self.tokens.take()
            values.append(self._value("after the comma"))
        self._expect(")", "the list of values ends with )")
        return tuple(values)

    def _value(self, where: str) -> Word:
        token = self.tokens.take_value()
        if token.kind == "quoted":
            return token.word
        if token.kind != "value":
            raise self._fault(token, f"expected a value {where}", 'quote an odd one: "…"')
        word = token.word
        if "*" in word.text[:-1]:
            raise self._fault(token, "a * ends a value that others begin with", "contains is ~")
        if word.text.endswith("*"):
            return Word(word.text[:-1], word.start, word.end, prefix=True)
        return word

    def _alone(self, name: Token) -> Condition:
        """Return what a word by itself means: the ref of an entity, or a word to search for."""
        field, colon, value = name.word.text.partition(":")
        if field.lower() in self.fields and not field.lower().startswith("text"):
            hint = f"write {field}={value}" if colon and value else f"such as {field}=X"
            hint += f', or "{name.word.text}" to search for the word'
            raise self._fault(name, f"expected = after {field}", hint)
        if colon and field and value:
            return Test(Word("ref"), "=", (name.word,))
        return self._words(name)

    def _words(self, first: Token | None = None) -> Condition:
        return Test(Word("text"), "~", ((first or self.tokens.take()).word,))

    def _order(self) -> tuple[Order, ...]:
        self.tokens.take()
        self.tokens.take()
        found: list[Order] = []
        while True:
            name = self.tokens.take()
            if name.kind not in ("name", "quoted"):
                raise self._fault(name, "expected a field to order by", "such as order by name")
            way = self._keyword()
            if way in ("asc", "desc"):
                self.tokens.take()
            found.append(Order(name.word, way == "desc"))
            if self.tokens.peek().kind != ",":
                return tuple(found)
            self.tokens.take()

    def _limit(self) -> int:
        self.tokens.take()
        number = self.tokens.take()
        if not (number.word.text.isascii() and number.word.text.isdigit()):
            raise self._fault(number, "expected a number after limit", "such as limit 20")
        return min(int(number.word.text), 10**9)

    def _at_end(self) -> bool:
        return self.tokens.peek().kind == "end"

    def _at_clause(self) -> bool:
        token, word = self.tokens.peek(), self._keyword()
        if word == "order":
            return self.tokens.after(token).word.text.lower() == "by"
        return word == "limit" and self.tokens.after(token).kind in ("name", "end")

    def _keyword(self) -> str:
        token = self.tokens.peek()
        return token.word.text.lower() if token.kind == "name" else ""

    def _expect(self, sign: str, message: str, hint: str = "") -> None:
        token = self.tokens.take_value() if sign == ")" else self.tokens.take()
        if token.kind != sign:
            raise self._fault(token, f"expected {sign}: {message}", hint)

    def _unexpected(self, token: Token) -> UsageError:
        mends = {
            ",": "either of two values is written: tag in (pci, gdpr)",
            ")": "no ( is open here",
        }
        return self._fault(token, f"{token.word.text} does not belong here", mends.get(token.kind))

    def _fault(self, token: Token, message: str, hint: str | None = "") -> UsageError:
        return fault(self.text, token.word, message, hint or "")


def _before(token: Token) -> str:
    return f" before {token.word.text}" if token.word.text else " at the end"
