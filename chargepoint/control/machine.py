"""The table of IEC 61851-1 for an AC charge point: what PWM and contactor do in each pilot state. Must not know volts, time or why.

A plain table, not the `transitions` library: it is looked up 200 times a second in the process that has to be lean (0.3 us against 10 us for a
transition, 2.6 MiB less), and every cell of it can be printed and walked. The first row that fits decides; where none fits, nothing changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum, StrEnum
from functools import lru_cache
from itertools import product
from typing import NamedTuple

from chargepoint.model.pilot import PilotState

A, B, C, D, E, F, LOST = PilotState


class Phase(IntEnum):
    """REST: X1, open. OFFER: PWM, open. SUPPLY: PWM, closed. WITHDRAW: X1, still closed, the car has its time to stop."""

    REST = 0
    OFFER = 1
    SUPPLY = 2
    WITHDRAW = 3


class Outputs(NamedTuple):
    """pwm: the offer is signalled (else X1). coil: the contactor is driven."""

    pwm: bool
    coil: bool


OUTPUTS: dict[Phase, Outputs] = {
    Phase.REST: Outputs(False, False),
    Phase.OFFER: Outputs(True, False),
    Phase.SUPPLY: Outputs(True, True),
    Phase.WITHDRAW: Outputs(False, True),
}


class Cause(StrEnum):
    """Why a row fires; of rows that open, why the contactor opened."""

    NONE = ""
    FAULT = "fault"
    UNPLUGGED = "unplugged"
    PILOT = "pilot"
    SUSPECT = "low plateau"
    CAR = "car"
    VENTILATION = "ventilation"
    WITHDRAWN = "withdrawn"
    CAR_TIME_OVER = "car did not stop"
    OFFERED = "offered"
    CLOSED = "closed"


class Inputs(NamedTuple):
    """What the table looks at. opening: a fault opens now. suspect: the low plateau is lost, not yet named. offer: current is allowed and nothing
    withdraws it (while open: nor bars a closing). ready: all that closing needs. car_time_over: the withdrawal has lasted its 6 s (sequence 10.2).
    d_allowed: the outlet is ventilated."""

    pilot: PilotState
    opening: bool
    suspect: bool
    offer: bool
    ready: bool
    car_time_over: bool
    d_allowed: bool


class Row(NamedTuple):
    """Empty sets and None fit everything."""

    phases: frozenset[Phase]
    pilots: frozenset[PilotState]
    next: Phase
    cause: Cause
    opening: bool | None = None
    suspect: bool | None = None
    offer: bool | None = None
    ready: bool | None = None
    car_time_over: bool | None = None
    d_allowed: bool | None = None

    def fits(self, phase: Phase, inputs: Inputs) -> bool:
        """Whether the row decides this cell."""
        return (
            (not self.phases or phase in self.phases)
            and (not self.pilots or inputs.pilot in self.pilots)
            and all(want is None or want is bool(is_) for want, is_ in zip(self[4:], inputs[1:], strict=True))
        )


def _phases(*phases: Phase) -> frozenset[Phase]:
    return frozenset(phases)


def _pilots(*pilots: PilotState) -> frozenset[PilotState]:
    return frozenset(pilots)


REST, OFFER, SUPPLY, WITHDRAW = Phase
ANY: frozenset[Phase] = frozenset()
ALL: frozenset[PilotState] = frozenset()

ROWS: tuple[Row, ...] = (
    # opening asks nobody
    Row(ANY, ALL, REST, Cause.FAULT, opening=True),
    Row(ANY, _pilots(A), REST, Cause.UNPLUGGED),  # sequence 2.1, 2.2
    Row(ANY, _pilots(E, F, LOST), REST, Cause.PILOT),
    Row(_phases(SUPPLY), ALL, OFFER, Cause.SUSPECT, suspect=True),  # PWM stays on until the high peak has told diode from short
    Row(_phases(WITHDRAW), ALL, REST, Cause.SUSPECT, suspect=True),
    # the car stops: sequences 8.1 and 8.2, open within 100 ms
    Row(_phases(SUPPLY), _pilots(B), OFFER, Cause.CAR, offer=True),
    Row(_phases(SUPPLY, WITHDRAW), _pilots(B), REST, Cause.CAR),
    Row(_phases(SUPPLY), _pilots(D), OFFER, Cause.VENTILATION, offer=True, d_allowed=False),
    Row(_phases(SUPPLY, WITHDRAW), _pilots(D), REST, Cause.VENTILATION, d_allowed=False),
    # the offer ends: sequences 9 and 10.2, X1, the car's time, opening under load at 6 s
    Row(_phases(WITHDRAW), ALL, REST, Cause.CAR_TIME_OVER, car_time_over=True),
    Row(_phases(SUPPLY), ALL, WITHDRAW, Cause.WITHDRAWN, offer=False),
    Row(_phases(OFFER), ALL, REST, Cause.WITHDRAWN, offer=False),
    # the offer begins, the car closes S2: sequences 3 and 4, closed within 3 s
    Row(_phases(REST), ALL, OFFER, Cause.OFFERED, offer=True),
    Row(_phases(OFFER), _pilots(C), SUPPLY, Cause.CLOSED, ready=True, suspect=False),
    Row(_phases(OFFER), _pilots(D), SUPPLY, Cause.CLOSED, ready=True, suspect=False, d_allowed=True),
)


def decide(phase: Phase, inputs: Inputs) -> tuple[Phase, Cause]:
    """The next phase by the rows, and why."""
    for row in ROWS:
        if row.fits(phase, inputs):
            return row.next, row.cause
    return phase, Cause.NONE


def cells() -> Iterator[tuple[Phase, Inputs]]:
    """Every cell of the table."""
    flags = list(product((False, True), repeat=len(Inputs._fields) - 1))
    for phase in Phase:
        for pilot in PilotState:
            yield from ((phase, Inputs(pilot, *row)) for row in flags)


step = lru_cache(maxsize=None)(decide)
"""`decide`, remembered."""
