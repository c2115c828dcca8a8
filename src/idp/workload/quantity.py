"""Quantities as Kubernetes and Score write them: `100m`, `1.5`, `128Mi`, `2G`."""

from __future__ import annotations

import re
from decimal import Decimal

_WRITTEN = re.compile(
    r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:([eE][+-]?[0-9]{1,2})|(m|k|[KMGTPE]|[KMGTPE]i)?)"
)
_FACTORS = {"": Decimal(1), "m": Decimal("0.001"), "k": Decimal(1000), "K": Decimal(1000)}
_FACTORS |= {unit: Decimal(1000) ** power for power, unit in enumerate("MGTPE", 2)}
_FACTORS |= {f"{unit}i": Decimal(1024) ** power for power, unit in enumerate("KMGTPE", 1)}
GIGABYTE = Decimal(10) ** 9


def quantity(written: object) -> Decimal | None:
    """Return a quantity as a number; None if it is none."""
    found = None if isinstance(written, bool) else _WRITTEN.fullmatch(str(written).strip())
    if not found:
        return None
    number, exponent, unit = found.groups()
    return Decimal(number + (exponent or "")) * _FACTORS[unit or ""]
