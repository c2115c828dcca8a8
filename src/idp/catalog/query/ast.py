"""What a query says, whichever language it was written in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Word:
    """A word of a query: a field's name or a value.

    Attributes:
        start, end: where it is in the expression; both 0 if it was in none.
        prefix: a value that others need only begin with.
    """

    text: str
    start: int = 0
    end: int = 0
    prefix: bool = False


@dataclass(frozen=True)
class Test:
    """One condition on one field.

    Attributes:
        operator: `=` any of the values, `~` contains, `*=` related to any depth, `has` is there.
        exact: the field is a path as Backstage writes it, without any of our short forms.
    """

    field: Word
    operator: str
    values: tuple[Word, ...] = ()
    exact: bool = False


@dataclass(frozen=True)
class And:
    """All of the parts hold; true if there is none."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class Or:
    """One of the parts holds; false if there is none."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class Not:
    """The part does not hold."""

    part: Condition


Condition = Test | And | Or | Not

EVERYTHING = And(())


@dataclass(frozen=True)
class Order:
    """A field to sort by."""

    field: Word
    descending: bool = False


@dataclass(frozen=True)
class Query:
    """A whole query.

    Attributes:
        order: empty for the best match of a text first, else by ref.
        text: the expression as it was written, to point into; empty if it was no expression.
    """

    condition: Condition = EVERYTHING
    order: tuple[Order, ...] = ()
    limit: int | None = None
    text: str = ""

    def at_most(self, limit: int | None) -> Query:
        """Return the query with another limit, where that is the lower one."""
        if limit is None or (self.limit is not None and self.limit <= limit):
            return self
        return Query(self.condition, self.order, limit, self.text)
