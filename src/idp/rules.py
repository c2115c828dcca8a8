"""Rules in CEL (cel.dev), the Common Expression Language: compiled once, asked of any variables.

An expression always ends, and sees nothing but its variables. What might take long is refused when
it is compiled: a text that is too long, and loops within loops within loops.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.machinery import PathFinder
from importlib.util import find_spec, module_from_spec
from typing import Any

LONGEST = 2000
"""Characters of an expression."""
DEEPEST = 2
"""Loops within each other."""

FUNCTIONS = (
    frozenset({"size", "contains", "startsWith", "endsWith", "matches", "min", "max", "type"})
    | {"int", "uint", "double", "string", "bytes", "timestamp", "duration", "dyn"}
    | {"getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear"}
    | {"getHours", "getMinutes", "getSeconds", "getMilliseconds"}
)
_TYPES = frozenset(
    ("int", "uint", "double", "string", "bytes", "bool", "list", "map", "null_type", "type")
)
_TEXT = re.compile(
    r"""[rR](?:\"\"\".*?\"\"\"|'''.*?'''|"[^"\n]*"|'[^'\n]*')"""
    r"""|\"\"\"(?:\\.|[^\\])*?\"\"\"|'''(?:\\.|[^\\])*?'''"""
    r"""|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|//[^\n]*""",
    re.S,
)
_BRACKET = re.compile(
    r"\b(?:all|exists|exists_one|map|filter)\s*\(\s*(?P<bound>\w+)\s*,|[(\[{]|[)\]}]"
)
_PARSE_ERROR = re.compile(r"ERROR: <input>:(\d+):(\d+): (?:Syntax error: )?(.*)")


class UnreadableRule(ValueError):
    """An expression that cannot be used; its text says why, `mend` what to do."""

    def __init__(self, what: str, mend: str = "") -> None:
        super().__init__(what)
        self.mend = mend


class NoAnswer(Exception):
    """An expression has no value for these variables; its text says why."""


class Scope:
    """Variables that many rules may be asked of; they are converted once.

    Raises:
        NoAnswer: a value is none that CEL knows: text, numbers, booleans, null, times, lists, maps.
    """

    def __init__(self, variables: Mapping[str, Any]) -> None:
        try:
            self.context = _cel().Context(variables=dict(variables))
        except ValueError as error:
            raise NoAnswer(str(error)) from error


@dataclass(frozen=True)
class Rule:
    """A compiled expression.

    Attributes:
        variables: those that it refers to.
    """

    text: str
    variables: frozenset[str]
    program: Any

    def value(self, scope: Scope) -> Any:
        """Return what the expression comes to; raises NoAnswer where it comes to nothing."""
        try:
            return self.program.execute(scope.context)
        except KeyError as error:
            raise NoAnswer(f"there is no {error.args[0]}") from error
        except (TypeError, RuntimeError, ValueError, IndexError, ArithmeticError) as error:
            raise NoAnswer(_shortened(str(error))) from error

    def holds(self, scope: Scope) -> bool:
        """Tell whether the expression is true; raises NoAnswer where it is neither true nor false.

        What is not there makes no rule true or false: `has(a.b)` asks whether it is.
        """
        answer = self.value(scope)
        if not isinstance(answer, bool):
            raise NoAnswer(f"it comes to {type(answer).__name__}, and must be true or false")
        return answer


def compile_rule(text: str, variables: Collection[str]) -> Rule:
    """Return the rule that a text is.

    Args:
        variables: the names it may refer to.

    Raises:
        UnreadableRule: it is not CEL, is too long or too deep, or refers to what there is not.
    """
    if len(text) > LONGEST:
        raise UnreadableRule(f"longer than {LONGEST} characters", "make several rules of it")
    try:
        program = _cel().compile(text)
    except ValueError as error:
        raise _unreadable(text, str(error)) from error
    bound = _bound(text)
    used = frozenset(program.variables()) - bound - _TYPES
    _check_names("variable", used, variables)
    named = (name for name in program.functions() if name.isidentifier() and name[0] != "_")
    _check_names("function", frozenset(named), FUNCTIONS)
    return Rule(text, used, program)


def _check_names(what: str, used: frozenset[str], known: Collection[str]) -> None:
    for name in sorted(used - frozenset(known)):
        from difflib import get_close_matches

        near = get_close_matches(name, known, n=1)
        mend = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(sorted(known))}"
        raise UnreadableRule(f"there is no {what} {name!r}", mend)


def _bound(text: str) -> frozenset[str]:
    """Return the names that an expression's loops give; too many loops in each other are refused.

    CEL stops no loop, and each within another multiplies how long it takes.
    """
    names: set[str] = set()
    around: list[bool] = []
    for bracket in _BRACKET.finditer(_TEXT.sub('""', text)):
        if bracket[0] in (")", "]", "}"):
            around.pop()
            continue
        around.append(bracket["bound"] is not None)
        names.add(bracket["bound"] or "")
        if sum(around) > DEEPEST:
            raise UnreadableRule(f"more than {DEEPEST} loops within each other")
    return frozenset(names)


def _unreadable(text: str, message: str) -> UnreadableRule:
    found = _PARSE_ERROR.search(message)
    if not found:
        return UnreadableRule(f"not CEL: {_shortened(message)}")
    line, column, what = int(found[1]), int(found[2]), found[3].partition(" expecting {")[0]
    where = f"character {column}" + (f" of line {line}" if line > 1 else "")
    single = "recognition error at: '=" in what
    return UnreadableRule(
        f"not CEL at its {where}: {what}",
        "write == to compare" if single else "CEL is described at https://cel.dev",
    )


def _shortened(message: str) -> str:
    """Return the first sentence of a message."""
    first = " ".join(message.split()).split(". ")[0]
    return first.replace("No such overload: the", "the").rstrip(".")


@cache
def _cel() -> Any:
    # The package's own __init__ imports its command line with it: 15 times as long.
    package = find_spec("cel")
    path = package.submodule_search_locations if package else None
    spec = PathFinder.find_spec("cel.cel", path)
    if spec is None or spec.loader is None:
        raise ImportError("the package common-expression-language is incomplete", name="cel")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
