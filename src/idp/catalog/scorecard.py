"""A scorecard made ready: its rules compiled, and asked of one entity."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from idp.catalog.index.schema import RELATIONS
from idp.config.catalog import Scorecard, ScorecardRule
from idp.config.scorecard import BUILT_IN, FILTER, VARIABLES
from idp.rules import NoAnswer, Rule, Scope, compile_rule

_RELATION = re.compile(r"\brelations\b(?:\.(\w+))?")
_COLUMNS = re.compile(r"\bentity\.(?:kind|spec\.(?:type|lifecycle))\b(?!\.)")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one rule came out.

    Attributes:
        ok: it holds.
        why: what it found instead; empty where it holds.
        next: what to do; empty where it holds.
    """

    rule: str
    level: str
    title: str
    ok: bool
    why: str
    next: str
    weight: int


@dataclass(frozen=True)
class Asked:
    """A rule that is asked; its filter says of whom."""

    name: str
    says: ScorecardRule
    when: Rule
    filter: Rule | None

    def outcome(self, scope: Scope) -> Outcome | None:
        """Return how the rule comes out; None if it is not asked of this entity."""
        if self.filter and not _holds(self.filter, scope)[0]:
            return None
        ok, why = _holds(self.when, scope)
        says, do = self.says, "" if ok else self.says.next
        return Outcome(self.name, says.level, says.title, ok, why, do, says.weight)


@dataclass(frozen=True)
class Ready:
    """A scorecard made ready.

    Attributes:
        rules: by level, from the lowest.
        is_light: kind, type and lifecycle are enough to tell whether an entity is scored.
    """

    levels: tuple[str, ...]
    filter: Rule
    rules: tuple[Asked, ...]
    is_light: bool

    @property
    def variables(self) -> frozenset[str]:
        """Those that some rule refers to; a light filter has been asked before."""
        filters = [one.filter.variables for one in self.rules if one.filter]
        whens = [one.when.variables for one in self.rules]
        first = frozenset() if self.is_light else self.filter.variables
        return first.union(*whens, *filters)

    @property
    def relations(self) -> Sequence[str]:
        """The types of relations that some rule refers to."""
        rules = [rule for one in self.rules for rule in (one.when, one.filter) if rule]
        named = {name for rule in (self.filter, *rules) for name in _RELATION.findall(rule.text)}
        return RELATIONS if "" in named else [name for name in RELATIONS if name in named]

    def scores(self, scope: Scope) -> bool:
        """Tell whether an entity is scored at all."""
        return _holds(self.filter, scope)[0]

    def outcomes(self, scope: Scope) -> list[Outcome]:
        """Return how the rules come out that are asked of an entity, lowest level first."""
        found = (one.outcome(scope) for one in self.rules)
        return [outcome for outcome in found if outcome]


def ready(card: Scorecard) -> Ready:
    """Compile a platform's scorecard, the built-in rules among its own."""
    chosen = BUILT_IN if card.built_in is None else card.built_in
    said = {name: BUILT_IN[name] for name in chosen} | dict(card.rules)
    rules = sorted(said.items(), key=lambda pair: card.levels.index(pair[1].level))
    filter_ = card.filter or FILTER
    rest = _COLUMNS.sub("", re.sub(r"""r?"[^"\\]*"|r?'[^'\\]*'""", '""', filter_))
    return Ready(
        card.levels,
        compile_rule(filter_, VARIABLES),
        tuple(_asked(name, rule) for name, rule in rules),
        is_light=not any(re.search(rf"\b{name}\b", rest) for name in VARIABLES),
    )


def _asked(name: str, rule: ScorecardRule) -> Asked:
    only = compile_rule(rule.filter, VARIABLES) if rule.filter else None
    return Asked(name, rule, compile_rule(rule.when, VARIABLES), only)


def _holds(rule: Rule, scope: Scope) -> tuple[bool, str]:
    """Return whether a rule holds, and why not; one without an answer does not."""
    try:
        return (True, "") if rule.holds(scope) else (False, f"not so: {rule.text}")
    except NoAnswer as error:
        return False, f"{error}: {rule.text}"


def light(kind: str, type_: str, lifecycle: str) -> Mapping[str, Any]:
    """Return the variables that are enough for a light filter."""
    spec = {"type": type_, "lifecycle": lifecycle}
    return {"entity": {"kind": kind, "spec": {key: value for key, value in spec.items() if value}}}
