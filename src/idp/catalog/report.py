"""Verdicts in the shapes that others read: SARIF, GitHub's workflow commands, plain lines."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from idp.catalog.check import Verdict
from idp.catalog.problem import Problem
from idp.output import harmless

RULES = {
    "yaml": "The file is YAML 1.2 with an entity in it",
    "envelope": "apiVersion, kind and metadata are there and of their types",
    "format": "Names, tags, labels, annotations and links have their formats",
    "kind": "The kind and its apiVersion are known to a stock Backstage",
    "spec": "The spec has what its kind requires",
    "reference": "References can be read",
    "placeholder": "Files that placeholders name can be read and are in the same repository",
    "refs": "What is referred to is there, once, and not in circles",
}
SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_CHARACTERS = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_MORE = {**_CHARACTERS, ":": "%3A", ",": "%2C"}


def told(problem: Problem) -> str:
    """Return what is wrong as a sentence, with its field."""
    return f"{problem.path}: {problem.message}" if problem.path else problem.message


def lines(verdict: Verdict) -> Iterator[str]:
    """Yield a verdict's problems as a compiler would write them, each with its mend below."""
    for problem in verdict.problems:
        level = "skeleton" if verdict.skeleton else problem.level
        place = f"{verdict.file}:{problem.line}:{problem.column}"
        yield f"{place}: {level}: {told(problem)}"
        if problem.hint:
            yield f"  hint: {problem.hint}"


def workflow_commands(verdicts: Iterable[Verdict]) -> Iterator[str]:
    """Yield GitHub's workflow commands: annotations on the lines of a pull request."""
    for verdict in verdicts:
        for problem in verdict.problems:
            level = _level(verdict, problem).replace("note", "notice")
            where = f"file={_escaped(verdict.file, _MORE)},line={problem.line},col={problem.column}"
            text = f"{told(problem)}\nhint: {problem.hint}" if problem.hint else told(problem)
            yield f"::{level} {where}::{_escaped(text, _CHARACTERS)}"


def _escaped(text: str, characters: Mapping[str, str]) -> str:
    text = text.encode("utf-8", "backslashreplace").decode()
    return harmless("".join(characters.get(one, one) for one in text))


def _level(verdict: Verdict, problem: Problem) -> str:
    return "note" if verdict.skeleton else problem.level


def sarif(
    verdicts: Iterable[Verdict], version: str, known: Mapping[str, str] = RULES
) -> dict[str, Any]:
    """Return a SARIF 2.1.0 log with one run; `known` has each rule in words."""
    rules = [
        {"id": name, "shortDescription": {"text": f"{words}."}} for name, words in known.items()
    ]
    driver = {"name": "idp", "semanticVersion": version, "rules": rules}
    results = [_result(verdict, problem) for verdict in verdicts for problem in verdict.problems]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _result(verdict: Verdict, problem: Problem) -> dict[str, Any]:
    text = f"{told(problem)} ({problem.hint})" if problem.hint else told(problem)
    place = {
        "artifactLocation": {"uri": quote(os.fsencode(verdict.file))},
        "region": {"startLine": problem.line, "startColumn": problem.column},
    }
    return {
        "ruleId": problem.rule,
        "level": _level(verdict, problem),
        "message": {"text": text},
        "locations": [{"physicalLocation": place}],
    }
