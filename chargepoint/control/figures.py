"""What control needs to know of one EVSE besides its drivers: ratings, lock, times. Filled from settings and board file. Must not know either."""

from __future__ import annotations

from typing import NamedTuple


class Figures(NamedTuple):
    """board_a: what the power path is built for; rating_a: what the owner set; socket: a socket with lock and coded cables (else a tethered cable).
    convert_s: the longest conversion of the pilot's ADC. Times in seconds."""

    evse: int
    board_a: float
    rating_a: float
    socket: bool
    d_allowed: bool = False
    lock_move_s: float = 0.6
    lock_pause_s: float = 1.0
    test_pulse_s: float = 0.25
    test_trip_s: float = 1.0
    test_clear_s: float = 3.0
    convert_s: float = 0.0014
