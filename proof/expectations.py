"""The fault campaign as data: what each fault of the simulator has to do in each state. Must not know how it is tried.

What a fault does by default follows from the firmware's word for it and that word's effect in the fault catalogue; a row states where the fault
cannot be seen, and what differs.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from chargepoint.model.fault import CATALOGUE, Effect
from proof.place import State
from sim.api_bodies import ALL_FAULTS, KNOWN_AS

A, B1, B2, C2, C1, AFTER, D2, E, F = State


class Reaction(StrEnum):
    """What the firmware does. Where nothing is closed yet the driver goes on: plugs in, shows the card, and the car asks for energy."""

    OPENED = "coil off"
    WITHDRAWN = "withdrawn"
    LIMITED = "limited"
    KEPT_OPEN = "kept open"
    TOLD = "told only"
    GOES_ON = "goes on"


class Expected(NamedTuple):
    """word: the firmware's fault while the cause lasts ("": none). at_end: the one found when the session ends, at the latest."""

    reaction: Reaction
    word: str = ""
    at_end: str = ""


class Row(NamedTuple):
    """One fault. word: the firmware's for it ("": it has none). unseen: states in which nothing of it shows. differs: what else is expected, by
    state. at_end: the word found when a session with it ends. within_s: the limit from the fault to the reaction, where it is not the usual one of
    its kind. alone: it reaches the other EVSEs of the board too. value: as the simulator's fault is given one."""

    fault: str
    word: str
    unseen: frozenset[State]
    differs: Mapping[State, Expected]
    within_s: float | None
    alone: bool
    value: float | None

    def expected(self, state: State) -> Expected:
        """What has to happen in a state. In E and F, as after a session, nothing is closed or offered."""
        if state in self.differs:
            return self.differs[state]
        if state in (E, F):
            return self.expected(AFTER)
        if not self.word or state in self.unseen:
            return Expected(Reaction.GOES_ON)
        return Expected(BY_EFFECT[CATALOGUE[self.word].effect][state], self.word)

    def limit_s(self, reaction: Reaction) -> float | None:
        """From the fault to the reaction, in seconds; None: not judged."""
        usual_s = LIMITS_S.get(reaction)
        return self.within_s if usual_s is not None and self.within_s is not None else usual_s


LIMITS_S: dict[Reaction, float] = {Reaction.OPENED: 0.1, Reaction.WITHDRAWN: 2.0, Reaction.LIMITED: 10.0}
"""Coil off: as for a car that asks for it (IEC 61851-1 sequences 2.2 and 8.1). X1 and the limit: what is measured slowly, and a turn."""


def _by_state(kept: Reaction, offered: Reaction, charging: Reaction, withdrawn: Reaction, after: Reaction) -> dict[State, Reaction]:
    return {A: kept, B1: kept, B2: offered, C2: charging, D2: charging, C1: withdrawn, AFTER: after, E: after, F: after}


R = Reaction
BY_EFFECT: dict[Effect, dict[State, Reaction]] = {
    Effect.OPEN_NOW: _by_state(R.KEPT_OPEN, R.WITHDRAWN, R.OPENED, R.OPENED, R.TOLD),
    Effect.WITHDRAW: _by_state(R.KEPT_OPEN, R.WITHDRAWN, R.WITHDRAWN, R.TOLD, R.TOLD),
    Effect.LIMIT: _by_state(R.LIMITED, R.LIMITED, R.LIMITED, R.TOLD, R.TOLD),
    Effect.NO_NEXT_CLOSING: _by_state(R.KEPT_OPEN, R.WITHDRAWN, R.TOLD, R.TOLD, R.TOLD),
    Effect.TELL_ONLY: _by_state(R.TOLD, R.TOLD, R.TOLD, R.TOLD, R.TOLD),
}
"""What a fault of each effect does where it is seen."""


def _row(
    fault: str,
    word: str | None = None,
    *,
    unseen: tuple[State, ...] = (),
    differs: Mapping[State, Expected] | None = None,
    within_s: float | None = None,
    alone: bool = False,
    value: float | None = None,
) -> Row:
    """word None: the first of those the simulator knows the fault as."""
    known = (*KNOWN_AS.get(fault, (fault,)), "")[0]
    return Row(fault, known if word is None else word, frozenset(unseen), differs or {}, within_s, alone, value)


def _unseen_until_the_end(word: str, *states: State) -> dict[State, Expected]:
    return {state: Expected(R.GOES_ON, "", word) for state in states}


def _unplugged() -> dict[State, Expected]:
    """A cut pilot is an unplugged car."""
    opened, kept = Expected(R.OPENED), Expected(R.KEPT_OPEN)
    return {A: kept, B1: kept, B2: Expected(R.WITHDRAWN), C2: opened, D2: opened, C1: opened}


def _held(word: str) -> dict[State, Expected]:
    """Nobody can see that a closed contactor would not open."""
    return _unseen_until_the_end(word, C2, D2, C1)


def _not_closed() -> dict[State, Expected]:
    """Found when it is to close, after three tries; one that drops out opens."""
    kept, opened = Expected(R.KEPT_OPEN, "contactor_stuck_open"), Expected(R.OPENED)
    return {A: kept, B1: kept, B2: kept, C2: opened, D2: opened, C1: opened}


def _silent() -> dict[State, Expected]:
    """Silence counts only while permits come: else the meter is only told to be lost."""
    told = Expected(R.TOLD, "meter_lost")
    return {C1: told, AFTER: told}


FROZEN_WITHIN_S = 85.0
"""A meter that stands still under load is heard no more after 60 s, and silent 10 s later; standing still without load it is a meter at rest."""
OVER_A = 45.0
"""More than the 32 A offered, with its tolerance."""
_LOCK_LOST, _LOCK_TRIED = Expected(R.OPENED, "lock_lost"), Expected(R.TOLD, "lock_failed")
_LOCK_GONE = {C2: _LOCK_LOST, D2: _LOCK_LOST, C1: _LOCK_LOST, E: _LOCK_TRIED, F: _LOCK_TRIED}
_NO_LOCK = Expected(R.KEPT_OPEN, "lock_failed")
_GOES_ON = Expected(R.GOES_ON)
_NO_PLUG = {E: _GOES_ON, F: _GOES_ON}
"""Whether a plug is there is told by the pilot: without B, C or D its coding is not judged."""
_TOLD_ALREADY = {F: _GOES_ON}
"""F is told as `pilot_lost` itself."""
_NO_CARD = Expected(R.KEPT_OPEN, "reader_lost")
_MISSING = Expected(R.KEPT_OPEN, "proximity_missing")
_OVER = Expected(R.WITHDRAWN, "over_current")

ROWS: tuple[Row, ...] = (
    # pilot
    _row("diode", unseen=(C1, AFTER)),
    _row("cp_short", differs={E: _GOES_ON}),
    _row("cp_open", "", differs=_unplugged()),
    _row("pilot_noise", unseen=(AFTER,), differs={B2: Expected(R.KEPT_OPEN, "pilot_implausible")}, within_s=3.0),
    _row("pilot_spike", ""),
    _row("pilot_offset", ""),
    _row("pwm_stuck", unseen=(C1, AFTER), differs=_unseen_until_the_end("pilot_lost", B2, C2, D2)),
    _row("pwm_lost", unseen=(C1, AFTER), differs={B2: Expected(R.KEPT_OPEN, "pilot_lost")}),
    # ADC
    _row("i2c_stuck", alone=True, differs=_TOLD_ALREADY),
    _row("adc_lost", differs=_TOLD_ALREADY),
    _row("adc_frozen", differs=_TOLD_ALREADY),
    _row("adc_reset", ""),
    # power path
    _row("contactor_weld", differs=_held("contactor_welded"), alone=True),
    _row("contactor_stuck_open", unseen=(AFTER,), differs=_not_closed()),
    _row("coil_stuck_on", differs=_held("contactor_welded"), alone=True),
    _row("relay_supply_lost", unseen=(AFTER,), differs=_not_closed()),
    _row("mirror_stuck_open", differs=_held("contactor_welded"), alone=True),
    _row("mirror_stuck_closed", unseen=(AFTER,), differs=_not_closed()),
    _row("contactor_l23_weld", differs=_held("contactor_welded"), alone=True),
    _row("contactor_l23_stuck_open", ""),
    _row("over_current", unseen=(C1, AFTER), differs={A: _OVER, B1: _OVER, B2: _OVER}, within_s=20.0, value=OVER_A),
    _row("under_voltage", within_s=10.0),
    _row("over_voltage", within_s=10.0),
    _row("phase_loss", within_s=10.0),
    _row("pe_loss"),
    # residual current
    _row("rcd_trip", "residual_current"),
    _row("rcd_stuck", "", differs=_unseen_until_the_end("residual_test_failed", *State)),
    _row("rcd_stuck_tripped", "residual_current"),
    _row("rcd_noise", ""),
    # heat
    _row("over_temperature"),
    _row("temperature_sensor_lost"),
    _row("temperature_jump", ""),
    # meter
    _row("meter_offline", "meter_silent", differs=_silent(), within_s=25.0),
    _row("meter_garbage", "meter_silent", differs=_silent(), within_s=25.0),
    _row("meter_frozen", "meter_silent", unseen=(A, B1, B2, C1, AFTER), within_s=FROZEN_WITHIN_S),
    _row("meter_nan", "meter_silent", differs=_silent(), within_s=25.0),
    _row("meter_swapped"),
    # cable
    _row("lock_jam", differs={A: _NO_LOCK, B1: _NO_LOCK} | _unseen_until_the_end("unlock_failed", B2, C2, D2, C1, E, F), unseen=(AFTER,)),
    _row("lock_stuck_locked", unseen=(AFTER,), differs=_unseen_until_the_end("unlock_failed", A, B1, B2, C2, D2, C1, E, F)),
    _row("lock_feedback_lost", "lock_failed", unseen=(AFTER,), differs=_LOCK_GONE),
    _row("pp_open", "proximity_changed", differs={A: _MISSING, B1: _MISSING} | _NO_PLUG),
    _row("pp_short", "proximity_changed", differs={A: _MISSING, B1: _MISSING} | _NO_PLUG),
    _row("pp_change", unseen=(A, B1), differs=_NO_PLUG),
    # board
    _row("emergency_stop", alone=True),
    _row("reader_offline", differs={A: _NO_CARD, B1: _NO_CARD}, alone=True),
)

BY_FAULT: dict[str, Row] = {row.fault: row for row in ROWS}
NOT_IN_THE_TABLE = frozenset(ALL_FAULTS) - BY_FAULT.keys()
"""Faults of the simulator nobody has said anything about: none, and a test keeps it so."""
