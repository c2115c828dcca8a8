"""How critical is more critical: the order of the words that people use for tiers."""

from __future__ import annotations

import re
from functools import cache

_WORDS = {
    "critical": -1,
    "mission-critical": -1,
    "business-critical": -1,
    "high": 3,
    "important": 3,
    "medium": 5,
    "moderate": 5,
    "normal": 5,
    "standard": 5,
    "low": 7,
    "minor": 7,
}
_NUMBERED = re.compile(r"(?:tier|t|p)?[-_ ]?(\d{1,2})")
_OTHER, _UNKNOWN = 1000, 2000


@cache
def rank(tier: str) -> tuple[int, str]:
    """Return what tiers are sorted by, the most critical first.

    `critical`; `tier-0` (`0`, `t0`, `p0`); `tier-1`; `high`; `tier-2`; `medium`; `tier-3`; `low`;
    further numbers; words that are not known here, by name; and last what says nothing.
    """
    word = tier.strip().lower()
    if not word:
        return _UNKNOWN, ""
    if numbered := _NUMBERED.fullmatch(word):
        return 2 * int(numbered[1]), word
    return _WORDS.get(word, _OTHER), word
