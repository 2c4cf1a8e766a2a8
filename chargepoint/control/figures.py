"""What control needs to know of one EVSE besides its drivers: ratings, lock, times. Filled from settings and board file. Must not know either."""

from __future__ import annotations

from typing import Literal, NamedTuple

from chargepoint.control.offer import Manner


class Figures(NamedTuple):
    """board_a: what the power path is built for; rating_a: what the owner set; socket: a socket with lock and coded cables (else a tethered cable).
    keeps_floor: a pause for comfort's sake is 6 A; caps_simplified: a car without state B gets 10 A at most. convert_s: the longest conversion of the
    pilot's ADC; turn_s: the loop's period; phases: how many are connected; phase_switching: whether a car may get others than it has drawn on;
    single_a: with one phase; meter: where it sits, seen from the contactor ("": there is none); meter_limit_s, meter_withdraw_s: a silence of the
    meter that limits to 6 A, and that ends the offer (0: none does); csms_clears: whether the CSMS may clear a residual-current trip. Times in
    seconds."""

    evse: int
    board_a: float
    rating_a: float
    socket: bool
    d_allowed: bool
    manner: Manner
    keeps_floor: bool
    caps_simplified: bool
    phase_switching: bool
    single_a: float
    lock_move_s: float
    lock_pause_s: float
    test_pulse_s: float
    test_trip_s: float
    test_clear_s: float
    convert_s: float
    turn_s: float
    phases: int
    meter: Literal["", "before", "after"]
    meter_limit_s: float
    meter_withdraw_s: float
    csms_clears: bool
