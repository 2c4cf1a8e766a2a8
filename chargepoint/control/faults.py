"""The faults of one EVSE, laid over its state: raised by causes, cleared as the catalogue says. Must not know how a cause is found.

Sets are bits, in the order of the guards: this runs 200 times a second.
"""

from __future__ import annotations

from collections.abc import Iterable

from chargepoint.control.guard import NAMES
from chargepoint.model.fault import CATALOGUE, Clears, Effect

HOLD_S = 1.0
"""A fault that goes with its cause stays so long after the cause was last seen, so that a flickering cause is one fault."""


UNREADABLE = "residual_test_failed"
"""What is latched where it cannot be told what was: no closing until a person has cleared it and the test has passed."""


def _mask(names: Iterable[str]) -> int:
    return sum(1 << NAMES.index(name) for name in set(names))


def _with(effect: Effect) -> int:
    return _mask(name for name in NAMES if CATALOGUE[name].effect is effect)


def _clearing(how: Clears) -> int:
    return _mask(name for name in NAMES if CATALOGUE[name].clears is how)


OPENS = _with(Effect.OPEN_NOW)
WITHDRAWS = _with(Effect.WITHDRAW)
BARS = _with(Effect.NO_NEXT_CLOSING)
VENTILATION = _mask(["ventilation"])
SENSOR_LOST = _mask(["temperature_sensor_lost"])
METER_SILENT = _mask(["meter_silent"])
WELDED = _mask(["contactor_welded"])
TEST_FAILED = _mask(["residual_test_failed"])
RESIDUAL = _mask(["residual_current", "residual_test_failed"])
LATCHING = _mask(name for name in NAMES if CATALOGUE[name].latching)
BY_ITSELF = _clearing(Clears.CAUSE_GONE)
BY_UNPLUG = _clearing(Clears.UNPLUG)


class Faults:
    """active: what holds now; causes: what was seen in the last turn. latched: names kept from before the start; one that nobody knows, as of
    a later version, counts as unreadable."""

    __slots__ = ("_seen_at", "active", "causes")

    def __init__(self, latched: Iterable[str] = ()) -> None:
        self.active = _mask(name if name in NAMES else UNREADABLE for name in latched)
        self.causes = 0
        self._seen_at = [0.0] * len(NAMES)

    def step(self, causes: int, now: float, in_a: bool) -> int:
        """One turn. in_a: the pilot is in A. Answers the bits that changed."""
        former = self.active
        self.causes = causes
        if not (former | causes):
            return 0
        for number in _bits(causes):
            self._seen_at[number] = now
        gone = (former & ~causes) & (BY_ITSELF | (BY_UNPLUG if in_a else 0))
        for number in _bits(gone):
            if (BY_ITSELF >> number) & 1 and now - self._seen_at[number] < HOLD_S:
                gone &= ~(1 << number)
        self.active = (former | causes) & ~gone
        return former ^ self.active

    def clear(self, name: str) -> None:
        """A person clears it."""
        self.active &= ~_mask([name])

    def names(self, bits: int | None = None) -> tuple[str, ...]:
        """The names of the bits, of all active ones by default."""
        return tuple(NAMES[number] for number in _bits(self.active if bits is None else bits))

    def leading(self, bits: int) -> str:
        """The first active one of the bits, or nothing."""
        return next(iter(self.names(self.active & bits)), "")


def is_known(name: str) -> bool:
    """Whether control can raise this fault."""
    return name in NAMES


def bit(name: str) -> int:
    """The bit of a known fault."""
    return _mask([name])


def _bits(mask: int) -> Iterable[int]:
    number = 0
    while mask:
        if mask & 1:
            yield number
        mask >>= 1
        number += 1
