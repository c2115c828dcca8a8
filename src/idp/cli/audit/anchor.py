"""idp audit anchor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from idp.cli.options import DryRun, Fields, Json, given, shape

if TYPE_CHECKING:
    from idp.audit.anchors import Kept
    from idp.audit.seal import Checkpoint
    from idp.clone import Clone
    from idp.context import Context
    from idp.plan import Plan

app = typer.Typer(add_completion=False, rich_markup_mode=None)

EXAMPLES = """\b
Examples:
  idp audit anchor --dry-run
  idp --yes audit anchor
  idp audit anchor --to https://git.example.com/platform/audit-anchors.git@main
"""


@dataclass(frozen=True)
class Anchoring:
    """What came of it.

    Attributes:
        status: anchored or unchanged; so it would be after a dry run.
        place: the repository and its branch.
        seq: up to which record the trail is anchored.
        added: how many records that are more than before.
        commit: the one that holds the newest checkpoint; empty where there is none.
    """

    status: str
    place: str
    ledger: str
    seq: int
    added: int
    commit: str


@app.command(epilog=EXAMPLES)
def anchor(
    ctx: typer.Context,
    to: Annotated[
        str | None,
        typer.Option(metavar="PLACE[@BRANCH]", help="Another repository than `ledger.anchors`."),
    ] = None,
    dry_run: DryRun = False,
    as_json: Json = False,
    fields: Fields = "",
) -> None:
    """Verify the trail, and keep its signed head in a git repository.

    A machine that never signed this ledger's head is given the key in IDP_AUDIT_KEY.
    """
    from idp.audit import anchoring, anchors
    from idp.cli.audit.places import anchors_of
    from idp.errors import UsageError

    idp: Context = ctx.obj
    given(to=to)
    wanted = shape(as_json, fields, Anchoring)
    place = anchors_of(idp, to)
    if place is None:
        raise UsageError(
            "no repository to anchor the trail in",
            hint="--to PLACE, or `ledger.anchors` in idp-platform.yaml",
        )
    pinned = set(idp.platform.guardrails.ledger.keys.values())
    trail = idp.trail
    anchoring.check_key(trail, pinned)
    keys = pinned or {trail.seals.public}
    with anchors.opened(*place, idp.cache / "audit") as clone:
        kept = anchors.kept(clone, trail.ledger.id)
        found, head = anchoring.due(trail, kept, keys)
        if head is None:
            seq, commit = found.anchored, kept.tip
        else:
            seq, commit = head.seq, _carried_out(idp, clone, kept, head, keys, dry_run=dry_run)
        status = "anchored" if head else "unchanged"
        told = Anchoring(status, kept.place, trail.ledger.id, seq, seq - found.anchored, commit)
    idp.output.item(told, wanted, lambda: _text(told, dry_run=dry_run))


def _carried_out(
    idp: Context, clone: Clone, kept: Kept, head: Checkpoint, keys: set[str], *, dry_run: bool
) -> str:
    """Push the checkpoint and return the commit; of a dry run the one that is there."""
    from idp.audit import anchors
    from idp.ledger import trail as rows

    def observe() -> dict[str, str]:
        with idp.ledger.reading() as tx:
            links = list(rows.links(tx, after=head.seq - 1, until=head.seq))
        return {f"record {head.seq}": link.hash for link in links}

    def apply() -> str:
        return anchors.add(clone, head, keys)

    plan, road = _plan(kept, head), idp.road
    if dry_run:
        road.rehearse(plan)
        return kept.tip
    return road.carry_out(plan, apply, observe=observe, proof=lambda commit: commit)


def _plan(kept: Kept, head: Checkpoint) -> Plan:
    from idp.audit.anchoring import ACTION
    from idp.plan import Effect, Plan

    return Plan(
        ACTION,
        kept.place,
        inputs={"ledger": head.ledger, "seq": str(head.seq), "hash": head.hash},
        preconditions={f"record {head.seq}": head.hash},
        effects=(Effect("pushed", kept.place),),
        result=head.hash,
        risk="remote",
    )


def _text(told: Anchoring, *, dry_run: bool) -> str:
    if told.status == "unchanged":
        what = f"up to record {told.seq}" if told.seq else "the trail is empty"
        return f"nothing new to anchor in {told.place}: {what}"
    would = "would be " * dry_run
    return f"{would}anchored in {told.place} up to record {told.seq}, {told.added} more than before"
