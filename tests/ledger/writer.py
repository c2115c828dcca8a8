"""A process that appends to a ledger and says each number once it is committed.

Arguments: the place, who, how many (0 for ever), and the most bytes a file may have (0 for any).
"""

from __future__ import annotations

import resource
import signal
import sys

from idp.clock import SystemClock
from idp.errors import IdpError
from idp.ledger import open_ledger
from tests.ledger.stories import append_next

place, who, count, size = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
if size:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
ledger = open_ledger(place, SystemClock(), print)
done = 0
try:
    while not count or done < count:
        print(append_next(ledger, who), flush=True)
        done += 1
except IdpError as error:
    sys.exit(f"{type(error).__name__}: {error}")
