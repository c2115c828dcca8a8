"""A process that adds records to a trail: PLACE FOLDER HOW-MANY."""

from __future__ import annotations

import sys
from pathlib import Path

from idp.audit import Trail, new_act
from idp.audit.record import Record
from idp.audit.seal import Seals
from idp.clock import SystemClock
from idp.identity import unverified
from idp.ledger import open_ledger

place, folder, many = sys.argv[1:]
clock = SystemClock()
trail = Trail(open_ledger(place, clock, print), Seals(Path(folder)), clock)
for _ in range(int(many)):
    with trail.writing() as writing:
        writing.append(Record("intent", new_act(), unverified(), "try", "pay"))
