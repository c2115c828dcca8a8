"""Reading the trail: what was done, by whom, and what came of it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any

from idp.errors import UsageError
from idp.ledger import Ledger, trail
from idp.ledger.records import Link
from idp.output import harmless, plain


@dataclass(frozen=True)
class Entry:
    """A record of the trail.

    Attributes:
        seq: its number.
        act: what its intent and its outcome share.
        who: the identity; `how` says who vouches for it.
        outcome: done, failed or interrupted; of an intent without outcome: open.
        proof: the git commit, or what a server called it.
        origin: the host, or the page of the CI's run.
    """

    seq: int
    at: datetime
    act: str
    kind: str
    who: str
    how: str
    action: str
    subject: str
    team: str
    why: str
    cost: str
    verdict: str
    outcome: str
    proof: str
    plan: str
    origin: str
    hash: str


@dataclass(frozen=True)
class Wanted:
    """Which records are asked for; empty lets all pass.

    Attributes:
        since, until: `[since, until)`.
        open: only intents without outcome.
    """

    who: str = ""
    action: str = ""
    subject: str = ""
    team: str = ""
    act: str = ""
    since: datetime | None = None
    until: datetime | None = None
    open: bool = False

    def holds(self, link: Link) -> bool:
        """Tell whether a link is asked for; times are compared as they are kept."""
        named = ("who", "action", "subject", "team", "act")
        if any(getattr(self, name) not in ("", getattr(link, name)) for name in named):
            return False
        return (not self.since or link.at >= self.since) and (
            not self.until or link.at < self.until
        )


def moment(written: str) -> datetime:
    """Return a time that a person wrote; a day is its beginning, in UTC.

    Raises:
        UsageError: it is none.
    """
    try:
        found = datetime.fromisoformat(written)
    except ValueError as error:
        raise UsageError(
            f"{written!r} is no time", hint="like 2026-11-01 or 2026-11-01T09:00Z"
        ) from error
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def newest(ledger: Ledger, wanted: Wanted, limit: int) -> list[Entry]:
    """Return the newest records that are asked for, in their order; `limit` 0 is all."""
    with ledger.reading() as tx:
        unfinished = list(trail.open_acts(tx))
        if wanted.open:
            found = [link for link in unfinished if wanted.holds(link)]
            found = found[-limit:] if limit else found
        else:
            found = list(_links(tx, wanted, limit=limit or None, newest_first=True))[::-1]
    acts = {link.act for link in unfinished}
    return [_entry(link, acts) for link in found]


def newer(ledger: Ledger, wanted: Wanted, after: int) -> list[Entry]:
    """Return the records that were added after one."""
    with ledger.reading() as tx:
        acts = {link.act for link in trail.open_acts(tx)}
        found = list(_links(tx, wanted, after=after))
    if wanted.open:
        found = [link for link in found if link.kind == "intent" and link.act in acts]
    return [_entry(link, acts) for link in found]


def _links(tx: Any, wanted: Wanted, **how: Any) -> Iterator[Link]:
    return trail.links(
        tx,
        who=wanted.who,
        action=wanted.action,
        subject=wanted.subject,
        team=wanted.team,
        act=wanted.act,
        since=wanted.since,
        before=wanted.until,
        **how,
    )


def _entry(link: Link, unfinished: Iterable[str]) -> Entry:
    try:
        body = json.loads(link.body)
    except ValueError:  # bent: `idp audit verify` says so
        body = {}
    outcome = body.get("outcome", "")
    if link.kind == "intent" and link.act in unfinished:
        outcome = "open"
    return Entry(
        link.seq,
        link.at,
        link.act,
        link.kind,
        link.who,
        body.get("who", {}).get("how", ""),
        link.action,
        link.subject,
        link.team,
        body.get("why", ""),
        body.get("cost", ""),
        body.get("verdict", {}).get("outcome", ""),
        outcome or body.get("details", {}).get("error", ""),
        body.get("proof", ""),
        body.get("plan", ""),
        body.get("origin", {}).get("run") or body.get("origin", {}).get("host", ""),
        link.hash,
    )


def told_jsonl(found: Sequence[Entry], *, heading: bool) -> Iterator[str]:
    """Yield a line of JSON for each record; there is no heading."""
    for one in found:
        yield json.dumps(plain(one))


def told_csv(found: Sequence[Entry], *, heading: bool) -> Iterator[str]:
    """Yield lines of CSV (RFC 4180), the names of the columns first if there is to be a heading.

    A cell that a spreadsheet would take for a formula gets an apostrophe before it.
    """
    names = [field.name for field in fields(Entry)]
    rows = [names] if heading else []
    rows += [[_cell(plain(one)[name]) for name in names] for one in found]
    for row in rows:
        text = io.StringIO()
        csv.writer(text, lineterminator="").writerow(row)
        yield text.getvalue()


def _cell(value: object) -> str:
    text = harmless(str(value))
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text
