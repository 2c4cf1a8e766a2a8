"""The pilot states of IEC 61851-1 Table A.4, as words both processes share. Must not know volts."""

from __future__ import annotations

from enum import StrEnum


class PilotState(StrEnum):
    """A no car, B car, C energy wanted, D with ventilation, E shorted or off, F not available; IMPLAUSIBLE: none of them stands still.
    Whether PWM is on is told beside it (B1/B2 and so on)."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"
    E = "E"
    F = "F"
    IMPLAUSIBLE = "implausible"


PLUGGED = (PilotState.B, PilotState.C, PilotState.D)
"""A car is there, and says so."""
