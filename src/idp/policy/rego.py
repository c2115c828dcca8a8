"""Policies in Rego (openpolicyagent.org): the rules `deny`, `needs_approval` and `warn` of a file.

Each is a set of texts, or of objects with `message` and perhaps `id`, `hint` and `at`. `input` is
what CEL's variables are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from idp.errors import InvalidInput
from idp.policy.verdict import Finding, Severity

SEVERITIES: dict[str, Severity] = {
    "deny": "deny",
    "needs_approval": "needs-approval",
    "warn": "warn",
}
_PACKAGE = re.compile(r"^\s*package\s+([A-Za-z_][\w.]*)", re.M)
_MISTAKE = re.compile(r"\(error \d+:[^|]*\|(\d+)\|\d+\s*\(errormsg \d+:([^)]*)\)")


@dataclass(frozen=True)
class Module:
    """A file of Rego; `name` is its stem, and the id of findings that name none."""

    file: str
    name: str
    package: str
    text: str

    def findings(self, variables: Mapping[str, Any]) -> list[Finding]:
        """Return what its rules find; a rule that fails denies."""
        engine = _engine()
        engine.add_module(self.name, self.text)
        engine.set_input(json.loads(json.dumps(variables, default=_written)))
        found: list[Finding] = []
        for rule, severity in SEVERITIES.items():
            output = engine.query(f"data.{self.package}.{rule}")
            if output.ok():
                answers = output.results[0].expressions if output.results else []
                found += self._read(rule, severity, answers[0] if answers else [])
            else:
                found.append(self._unjudged(f"its rule {rule} fails"))
        return found

    def _read(self, rule: str, severity: Severity, answers: object) -> list[Finding]:
        if isinstance(answers, dict):  # a set as Rego wrote it before its version 1
            answers = [key for key, holds in answers.items() if holds]
        if not isinstance(answers, list):
            return [self._unjudged(f"its rule {rule} is no set of messages")]
        return [self._finding(severity, answer) for answer in answers]

    def _finding(self, severity: Severity, answer: object) -> Finding:
        match answer:
            case {"message": str(message), **said} | {"msg": str(message), **said}:
                texts = {key: str(said.get(key, "")) for key in ("id", "hint", "at")}
                name = texts["id"] or self.name
                return Finding(name, severity, message, texts["hint"], texts["at"])
        message = answer if isinstance(answer, str) else json.dumps(answer)
        return Finding(self.name, severity, message)

    def _unjudged(self, why: str) -> Finding:
        message = f"{self.name}: it cannot be judged, since {why}"
        return Finding(self.name, "deny", message, "mend the file of Rego")


def read(path: Path) -> Module:
    """Return a file of Rego; it is compiled, so that a mistake is told before any plan is judged.

    Raises:
        InvalidInput: it cannot be read, is no Rego, or Rego is not installed.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"cannot read {path}: {error}", hint="see policies.rego") from error
    package = _PACKAGE.search(text)
    if not package:
        raise InvalidInput(f"{path}: no package", hint="begin it with `package NAME`")
    try:
        _engine().add_module(path.stem, text)
    except _rego("rego_shared").RegoError as error:
        raise InvalidInput(
            f"{path}: not Rego", details=tuple(_mistakes(text, str(error)))
        ) from error
    return Module(str(path), path.stem, package[1], text)


def _mistakes(text: str, told: str) -> Iterator[str]:
    """Yield what the engine tells of a file, with the line; it counts characters."""
    for place, what in _MISTAKE.findall(told):
        yield f"line {text.count(chr(10), 0, int(place)) + 1}: {what}"


def _rego(part: str = "") -> Any:
    try:
        return import_module(f"regopy.{part}".rstrip("."))
    except ImportError as error:
        raise InvalidInput(
            "policies.rego is set, and Rego is not installed",
            hint="pip install 'idp-toolchain[rego]'",
        ) from error


def _engine() -> Any:
    engine = _rego().Interpreter()
    # Else it writes its own view of a mistake to stderr.
    engine.log_level = _rego("rego_shared").LogLevel.NONE
    engine.strict_built_in_errors = True
    return engine


def _written(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return str(value)
