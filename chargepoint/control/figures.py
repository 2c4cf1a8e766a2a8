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
    d_allowed: bool = False
    manner: Manner = Manner()
    keeps_floor: bool = False
    caps_simplified: bool = False
    phase_switching: bool = False
    single_a: float = 80.0
    lock_move_s: float = 0.6
    lock_pause_s: float = 1.0
    test_pulse_s: float = 0.25
    test_trip_s: float = 1.0
    test_clear_s: float = 3.0
    convert_s: float = 0.0014
    turn_s: float = 0.005
    phases: int = 3
    meter: Literal["", "before", "after"] = ""
    meter_limit_s: float = 10.0
    meter_withdraw_s: float = 60.0
    csms_clears: bool = False
