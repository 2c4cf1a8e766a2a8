"""A moment: what the boot clock said, and what the wall clock said if it was known. Must not know how to read a clock."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec


class Stamp(msgspec.Struct, frozen=True, array_like=True):
    """A moment that stays what it was when taken.

    boot: number of the board's boot (0: not given out yet); boot_s: seconds since that boot (CLOCK_BOOTTIME);
    wall_s: the wall clock's seconds since 1970 at that moment; known: whether that wall clock was right.
    """

    boot: int
    boot_s: float
    wall_s: float
    known: bool


LAST_S = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()
"""Beyond it a date-time has no words; a clock that is there is as wrong as one that stops at it."""


def to_rfc3339(wall_s: float) -> str:
    """UTC with `Z` and three decimals at most (OCPP 1.6 3.14, OCPP 2.0.1 part 2 'dateTime'), from 1970 to the end of 9999."""
    moment = datetime.fromtimestamp(round(min(max(wall_s, 0.0), LAST_S), 3), UTC)
    return moment.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def from_rfc3339(text: str) -> float:
    """Seconds since 1970 of a date-time as any CSMS writes it: any number of decimals, any offset, even with a `Z` behind it, no zone meaning UTC.

    Raises ValueError when the text is no date-time.
    """
    moment = datetime.fromisoformat(text.strip().upper().removesuffix("Z"))
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.timestamp()
