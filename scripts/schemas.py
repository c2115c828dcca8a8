"""Write the JSON Schemas under docs/schemas/; with --check, only say which differ (exit 1)."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter

from idp.audit import log, verify
from idp.auth import LoggedIn, LoggedOut
from idp.budget import freeing, lines, statement
from idp.catalog.check import Verdict
from idp.catalog.export import Exported
from idp.catalog.graph.around import Graph
from idp.catalog.history import Past, Version
from idp.catalog.impact.told import Impact
from idp.catalog.ingest import Outcome
from idp.catalog.problems import Listed as CatalogProblem
from idp.catalog.score import Report, Scored, Team
from idp.catalog.show.record import Shown as ShownEntity
from idp.catalog.snapshot.pull import Pulled
from idp.cli.audit.anchor import Anchoring
from idp.cli.audit.key import Key
from idp.cli.registering import Registered
from idp.cli.template import Listed
from idp.cli.update_pull import Proposed
from idp.cli.update_service import Updated
from idp.config import Setting
from idp.config.schema import PlatformModel
from idp.doctor import Check
from idp.env.reap import Reaped
from idp.forge.standing import Standing
from idp.ledger.summary import Summary
from idp.plan import Plan
from idp.policy import check, overview, trial
from idp.request.base import Request
from idp.rollout.records import Deployment, Environment
from idp.secret import check as secret_check
from idp.secret import listing, manifest
from idp.secret import request as secret_request
from idp.service.create import Created
from idp.service.merge import FileOutcome
from idp.service.status import Status
from idp.service.update import Undone
from idp.snapshot import Published
from idp.template.release import Released, Verified
from idp.template.show import Shown

FOLDER = Path(__file__).parent.parent / "docs" / "schemas"


@dataclass(frozen=True)
class Error:
    """An error, on stderr as one line.

    Attributes:
        code: a word for programs, e.g. `not_found`; the exit code is coarser.
        message: what is wrong.
        hint: what mends it; empty where nothing is known to.
        retryable: whether the same call may succeed later.
        details: more lines for a person: paths, a program's output.
    """

    code: str
    message: str
    hint: str
    retryable: bool
    details: tuple[str, ...]


# Name → (a Pydantic model or a dataclass, whether it is read by idp or printed by it).
SHAPES: dict[str, tuple[Any, Literal["validation", "serialization"]]] = {
    "idp-platform": (PlatformModel, "validation"),
    "create-service": (Created, "serialization"),
    "update-service": (Updated, "serialization"),
    "update-pull-request": (Proposed, "serialization"),
    "update-status": (Status, "serialization"),
    "platform-init": (Created, "serialization"),
    "template-list": (list[Listed], "serialization"),
    "template-show": (Shown, "serialization"),
    "template-release": (Released, "serialization"),
    "template-verify": (Verified, "serialization"),
    "update-undone": (Undone, "serialization"),
    "catalog-validate": (list[Verdict], "serialization"),
    "catalog-ingest": (Outcome, "serialization"),
    "catalog-show": (ShownEntity, "serialization"),
    "catalog-impact": (Impact, "serialization"),
    "catalog-graph": (Graph, "serialization"),
    "catalog-score": (list[Scored], "serialization"),
    "catalog-score-report": (Report, "serialization"),
    "catalog-score-teams": (list[Team], "serialization"),
    "catalog-problems": (list[CatalogProblem], "serialization"),
    "catalog-history": (list[Version], "serialization"),
    "catalog-history-at": (Past, "serialization"),
    "catalog-register": (Registered, "serialization"),
    "catalog-export": (Exported, "serialization"),
    "catalog-snapshot-publish": (Published, "serialization"),
    "catalog-snapshot-pull": (Pulled, "serialization"),
    "policy-check": (check.Checked, "serialization"),
    "policy-explain": (overview.Explained, "serialization"),
    "policy-test": (list[trial.Tried], "serialization"),
    "budget-list": (list[lines.Standing], "serialization"),
    "budget-show": (statement.Statement, "serialization"),
    "budget-release": (freeing.Freed, "serialization"),
    "request": (Request, "serialization"),
    "secret-request": (secret_request.Told, "serialization"),
    "secret-list": (list[listing.Row], "serialization"),
    "secret-check": (list[secret_check.Lack], "serialization"),
    "secret-manifest": (manifest.Manifest, "serialization"),
    "audit-log": (list[log.Entry], "serialization"),
    "audit-verify": (verify.Verified, "serialization"),
    "audit-anchor": (Anchoring, "serialization"),
    "environment": (Environment, "serialization"),
    "env-list": (list[Environment], "serialization"),
    "env-reap": (list[Reaped], "serialization"),
    "deployment": (Deployment, "serialization"),
    "deploy-history": (list[Deployment], "serialization"),
    "audit-key": (Key, "serialization"),
    "ledger-show": (Summary, "serialization"),
    "config-explain": (list[Setting], "serialization"),
    "auth-login": (LoggedIn, "serialization"),
    "auth-status": (list[Standing], "serialization"),
    "auth-logout": (LoggedOut, "serialization"),
    "doctor": (list[Check], "serialization"),
    "plan": (Plan, "serialization"),
    "error": (Error, "serialization"),
}


def schema(name: str) -> str:
    """Return a shape's JSON Schema as text."""
    shape, mode = SHAPES[name]
    adapter = TypeAdapter(shape)
    # Commands import what their shapes name for the type checker only.
    adapter.rebuild(raise_errors=False, _types_namespace={"FileOutcome": FileOutcome})
    made = adapter.json_schema(mode=mode)
    if mode == "serialization":
        for record in _records(made):
            _as_printed(record)
    made = {"$schema": "https://json-schema.org/draft/2020-12/schema", **made}
    return json.dumps(made, indent=2, ensure_ascii=False) + "\n"


def _records(made: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the schema of each object that has named fields."""
    yield from (found for found in (made, *made.get("$defs", {}).values()) if "properties" in found)


def _as_printed(record: dict[str, Any]) -> None:
    """Describe a record as idp.output prints it: every field, no underscore behind a name."""
    about, _, attributes = record.get("description", "").partition("Attributes:")
    told = _told(attributes)
    properties = record["properties"].items()
    record["description"] = " ".join(about.split())
    record["properties"] = {
        name.rstrip("_"): _described(field, told.get(name, "")) for name, field in properties
    }
    record["required"] = list(record["properties"])


def _described(field: dict[str, Any], words: str) -> dict[str, Any]:
    """Return a field's schema; its title would only repeat its name."""
    about = {"description": words} if words else {}
    return about | {key: value for key, value in field.items() if key not in ("title", "default")}


def _told(attributes: str) -> dict[str, str]:
    """Return what a docstring tells of each attribute, several of which may share a line."""
    lines = re.sub(r"\n\s{6,}", " ", attributes)  # a line further in goes on
    rows = re.findall(r"^\s*([\w, ]+): (.+)$", lines, re.M)
    return {name.strip(): words for names, words in rows for name in names.split(",")}


def stale() -> dict[Path, str]:
    """Return the text of each schema file that is missing or differs."""
    wanted = {FOLDER / f"{name}.schema.json": schema(name) for name in SHAPES}
    return {
        path: text
        for path, text in wanted.items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    }


def main(arguments: list[str]) -> int:
    """Write what differs; with --check, name it and return 1."""
    check = "--check" in arguments
    found = stale()
    for path, text in found.items():
        print(f"{'differs' if check else 'written'}: {path.name}")
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return 1 if check and found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
