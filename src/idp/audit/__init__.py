"""The audit trail: one append-only chain of records of all that idp does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import uuid4

from idp.audit.record import Record, linked
from idp.audit.seal import Seals
from idp.clock import Clock
from idp.ledger import Ledger, Transaction, trail
from idp.ledger.records import Link
from idp.ledger.tables import written


def new_act() -> str:
    """Return an id that the records of one act share."""
    return uuid4().hex


@dataclass
class Writing:
    """A transaction of the ledger that holds the chain: what is added belongs together."""

    tx: Transaction
    clock: Clock
    head: Link | None

    def append(self, record: Record) -> Link:
        """Add a record after the last one."""
        self.head = linked(record, self.head, self.clock.now())
        trail.append(self.tx, self.head)
        return self.head


@dataclass(frozen=True)
class Trail:
    """The trail in a ledger, with the key that signs its heads."""

    ledger: Ledger
    seals: Seals
    clock: Clock

    @contextmanager
    def writing(self) -> Iterator[Writing]:
        """Give a transaction to add records in; once it is committed, the new head is signed.

        A head that is not signed for want of time is only older: it is never ahead.
        """
        with self.ledger.writing() as tx:
            tx.lock(trail.LOCK)
            writing = Writing(tx, self.clock, trail.head(tx))
            before = writing.head
            yield writing
        head = writing.head
        if head and head is not before:
            self.seals.keep(self.seals.sign(self.ledger.id, head.seq, head.hash, written(head.at)))
