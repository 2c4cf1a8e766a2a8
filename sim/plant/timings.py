"""How fast the firmware opened: from the change on the wire to the coil going off, and to the contacts open. Must not know what is fast enough."""

from __future__ import annotations

from math import ceil
from typing import Any

from sim.plant.pilot import Wire
from sim.plant.timeline import Timeline

CAUSES = (
    "unplug",
    "s2_open",
    "cp_short",
    "diode",
    "rcd_trip",
    "emergency_stop",
    "lock_lost",
    "permit_lapsed",
    "offer_withdrawn",
    "over_current",
    "control_killed",
    "control_stopped",
    "loop_hung",
    "i2c_stuck",
)
WITHDRAWALS = frozenset({"permit_lapsed", "offer_withdrawn"})
BY_LETTER = {"A": "unplug", "B": "s2_open", "E": "cp_short"}
DIODE_V = -10.0
"""The low plateau of a car with a diode stays below this while PWM runs."""


class Reaction:
    """One opening, by one cause. Milliseconds from the change on the wire; contacts_ms None: a contact stayed closed, or not open yet."""

    __slots__ = ("at", "cause", "coil_ms", "contacts_ms")

    def __init__(self, cause: str, at: float, coil_ms: float) -> None:
        self.cause = cause
        self.at = at
        self.coil_ms = coil_ms
        self.contacts_ms: float | None = None

    def shown(self) -> dict[str, Any]:
        contacts = None if self.contacts_ms is None else round(self.contacts_ms, 3)
        return {"cause": self.cause, "at_s": round(self.at, 6), "coil_ms": round(self.coil_ms, 3), "contacts_ms": contacts}


class Timings:
    """The reactions of one EVSE. A cause counts from the moment it is noted with the coil on; one that goes again before the coil does is dropped."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._pending: dict[str, float] = {}
        self._opening: list[Reaction] = []
        self.station_gone = False
        self.reactions: list[Reaction] = []

    def note(self, cause: str, coil: bool) -> None:
        """The cause came, with the coil on or off."""
        if coil:
            self._pending.setdefault(cause, self._timeline.now)

    def drop(self, cause: str) -> None:
        """The cause went by itself."""
        self._pending.pop(cause, None)

    def wire(self, former: Wire, wire: Wire, coil: bool) -> None:
        """The wire changed: which causes does it bring, which does it end?"""
        if wire.letter in "CD":
            for cause in BY_LETTER.values():
                self.drop(cause)
        elif former.letter in "CD" and wire.letter in BY_LETTER:
            self.note(BY_LETTER[wire.letter], coil)
        pwm = 0.0 < wire.duty < 1.0
        if pwm:
            for cause in WITHDRAWALS:
                self.drop(cause)
        elif 0.0 < former.duty < 1.0 and not self._pending:
            self.note("permit_lapsed" if self.station_gone else "offer_withdrawn", coil)
        if pwm and wire.low_v > DIODE_V and wire.letter in "BCD":
            self.note("diode", coil)
        elif pwm:
            self.drop("diode")

    def coil(self, on: bool) -> None:
        """The coil got, or lost, its current."""
        if on:
            self._pending.clear()
            return
        now = self._timeline.now
        self._opening = [Reaction(cause, since, (now - since) * 1000.0) for cause, since in self._pending.items()]
        self.reactions.extend(self._opening)
        self._pending.clear()

    def contacts_open(self) -> None:
        """The last contact opened."""
        for reaction in self._opening:
            reaction.contacts_ms = (self._timeline.now - reaction.at) * 1000.0
        self._opening = []

    def reset(self) -> None:
        """Starts afresh."""
        self.reactions.clear()
        self._opening = []


def at_share(values: list[float], share: float) -> float | None:
    """The value that a share of all does not exceed (nearest rank)."""
    ordered = sorted(values)
    return round(ordered[max(0, ceil(share * len(ordered)) - 1)], 3) if ordered else None


def table(reactions: list[Reaction]) -> list[dict[str, Any]]:
    """A row per cause that occurred."""
    return [_row(cause, [each for each in reactions if each.cause == cause]) for cause in CAUSES if any(each.cause == cause for each in reactions)]


def _row(cause: str, reactions: list[Reaction]) -> dict[str, Any]:
    coil = [reaction.coil_ms for reaction in reactions]
    contacts = [reaction.contacts_ms for reaction in reactions if reaction.contacts_ms is not None]
    return {
        "cause": cause,
        "count": len(coil),
        "p50_ms": at_share(coil, 0.5),
        "p99_ms": at_share(coil, 0.99),
        "p999_ms": at_share(coil, 0.999),
        "max_ms": at_share(coil, 1.0),
        "contacts_p999_ms": at_share(contacts, 0.999),
    }
