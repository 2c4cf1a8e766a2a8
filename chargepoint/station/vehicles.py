"""Cars that sleep: which car it is, whether it sleeps, and which step of its ladder is to wake it. One table; control carries a step out.

A car sleeps when it is offered current, stays in state B, and did not end charging by itself. Steps are written down before they are ordered, so
that a restart of the station takes none twice. Must not know how a step is signalled.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from chargepoint.clock import Clock
from chargepoint.link.messages import EvseState, OrderKind, WakeKind
from chargepoint.model.pilot import PilotState
from chargepoint.model.session import SessionRow, State
from chargepoint.model.vehicle import UNKNOWN, Vehicle
from chargepoint.settings import Evse, Settings
from chargepoint.station.hardware import Hardware
from chargepoint.station.sessions import Sessions

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
MINIMUM_A = 6.0
"""IEC 61851-1 Table A.7: the least current a duty can offer."""


class Doing(StrEnum):
    """What is done about the car. LET: nothing, it does what it should. WAITING: it may still wake by itself. STEP: a step is due or runs.
    GIVEN_UP: every step that is allowed was tried."""

    LET = ""
    WAITING = "waiting"
    STEP = "waking"
    GIVEN_UP = "given_up"


class Sight(NamedTuple):
    """What the table looks at. sleeps: offered, in B, nothing of ours pauses it; waited_s: for so long; satisfied: it ended charging by itself;
    steps_left: on the ladder; spent: the session's bounds are reached."""

    sleeps: bool
    satisfied: bool
    waited_s: float
    patience_s: float
    steps_left: int
    spent: bool


class Row(NamedTuple):
    doing: Doing
    holds: Callable[[Sight], bool]


TABLE: tuple[Row, ...] = (
    Row(Doing.LET, lambda s: not s.sleeps),
    Row(Doing.LET, lambda s: s.satisfied),
    Row(Doing.WAITING, lambda s: s.waited_s < s.patience_s),
    Row(Doing.GIVEN_UP, lambda s: s.steps_left <= 0 or s.spent),
    Row(Doing.STEP, lambda s: True),
)
"""The first row that holds decides."""


def decide(sight: Sight) -> Doing:
    """What is to be done."""
    return next(row.doing for row in TABLE if row.holds(sight))


def sleeps(row: SessionRow | None, state: EvseState | None, start: int) -> bool:
    """Whether a car is offered current and does not take it. start: control's present start."""
    if row is None or state is None or row.state is not State.READY or row.no_energy or row.control_start != start:
        return False
    offered = state.permit and state.offered_a >= MINIMUM_A and not state.testing and not state.waking
    return offered and state.pilot == PilotState.B and state.plug_in == row.plug_in


class Vehicles:
    """known: the vehicles the settings name, by their names there."""

    def __init__(self, clock: Clock, sessions: Sessions, hardware: Hardware, settings: Settings, known: Mapping[str, Vehicle]) -> None:
        self._clock = clock
        self._sessions = sessions
        self._hardware = hardware
        self._evses: Sequence[Evse] = settings.evse
        self._after_s = settings.vehicles.wake_after_s
        self._of_evse = {evse.id: known[evse.vehicle] for evse in settings.evse if evse.vehicle}
        self._of_token = {token.casefold(): known[name] for token, name in settings.vehicles.tokens.items()}
        self._since: dict[int, float] = {}
        self._tried: set[int] = set()
        self._doing: dict[int, Doing] = {}

    def of(self, row: SessionRow) -> Vehicle:
        """The car of a session: by its token, else by its EVSE, else unknown."""
        token = self._of_token.get(row.token.key()) if row.token is not None else None
        return token or self._of_evse.get(row.evse) or UNKNOWN

    def doing(self, evse: int) -> Doing:
        """What is done about the car at an EVSE."""
        return self._doing.get(evse, Doing.LET)

    async def run(self) -> None:
        """Looks at every EVSE once a second, and takes the steps that are due."""
        async with asyncio.TaskGroup() as tasks:
            for evse in self._evses:
                tasks.create_task(self._watch(evse.id))

    async def _watch(self, evse: int) -> None:
        while True:
            if self._look(evse) is Doing.STEP:
                await self._step(evse)
            await self._clock.sleep(LOOK_EVERY_S)

    def _look(self, evse: int) -> Doing:
        row = self._sessions.row(evse)
        asleep = sleeps(row, self._hardware.state(evse), self._hardware.start)
        if row is None or not asleep:
            self._since.pop(evse, None)
            self._tell_awake(evse, row)
            self._doing[evse] = Doing.LET
            return Doing.LET
        ladder, now = self.of(row).wake, self._clock.boot_s()
        sight = Sight(
            sleeps=asleep,
            satisfied=row.satisfied,
            waited_s=now - self._since.setdefault(evse, now),
            patience_s=self._after_s if ladder.after_s is None else ladder.after_s,
            steps_left=len(ladder.steps) - row.wake_rung,
            spent=row.wake_steps >= ladder.most_steps or row.interruptions >= ladder.most_interruptions,
        )
        return self._becomes(evse, row, decide(sight))

    async def _step(self, evse: int) -> None:
        """One step: first written, then ordered; the patience begins anew when it is over."""
        row = self._sessions.rows[evse]
        vehicle = self.of(row)
        rung = vehicle.wake.steps[row.wake_rung]
        with self._sessions.writing(row):
            row.wake_rung, row.wake_steps = row.wake_rung + 1, row.wake_steps + 1
        self._tried.add(evse)
        log.info("EVSE %d: the car (%s) sleeps; step %d to wake it: %s for %g s", evse, vehicle.name, row.wake_rung, rung.do, rung.seconds)
        answer = await self._hardware.order(OrderKind.WAKE, evse, wake=WakeKind(rung.do), seconds=rung.seconds)
        self._since.pop(evse, None)
        self._doing[evse] = Doing.LET
        if not answer.done:
            log.warning("EVSE %d: the step to wake the car was not carried out: %s", evse, answer.text)

    def _becomes(self, evse: int, row: SessionRow, doing: Doing) -> Doing:
        if doing is Doing.GIVEN_UP and self.doing(evse) is not doing:
            log.warning("EVSE %d: the car sleeps and %d steps did not wake it; it is left alone", evse, row.wake_steps)
        self._doing[evse] = doing
        return doing

    def _tell_awake(self, evse: int, row: SessionRow | None) -> None:
        if evse not in self._tried or (row is not None and row.state is State.READY):
            return
        self._tried.discard(evse)
        if row is not None and row.state is State.CHARGING:
            log.info("EVSE %d: the car is awake after %d steps", evse, row.wake_steps)
