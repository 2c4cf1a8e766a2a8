"""Stands for the control process and the cars: speaks the real link, and does what its permits say within a second. Must not know sessions.

The real one's loop of five milliseconds would need the year itself; it is proven elsewhere.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from chargepoint.clock import Clock
from chargepoint.link.messages import (
    EdgeKind,
    EvseState,
    LoopFigures,
    Order,
    OrderAnswer,
    Permit,
    ToControl,
    ToStation,
)
from chargepoint.link.server import LinkServer

log = logging.getLogger("soak.control")

TURN_S = 1.0
LEAST_A = 6.0


class Control:
    """wants: whether the car at an EVSE would take current now. power: told (EVSE, amperes drawn per phase) when the contactor has moved.
    blind: whether the meter of an EVSE has been silent for so long that nothing may flow."""

    def __init__(
        self, directory: Path, clock: Clock, evses: Iterable[int], start: int, power: Callable[[int, float], None], blind: Callable[[int], bool]
    ) -> None:
        self._clock, self._power, self._blind = clock, power, blind
        self.wants: dict[int, float] = {}
        self._permits: dict[int, Permit] = {}
        self._plug_ins = start * 100_000
        self.states = {
            evse: EvseState(evse, clock.boot_s(), 0, "A", False, False, 0.0, "", False, False, None, False, (), False, 30.0, 0.0) for evse in evses
        }
        self.link = LinkServer(directory, start, self, log.info)

    # what the link calls

    def peer_came(self) -> None:
        self._permits.clear()

    def heard(self, message: ToControl) -> None:
        if isinstance(message, Permit):
            self._permits[message.evse] = message
        elif isinstance(message, Order):
            self.link.answer(OrderAnswer(message.id, True))

    def status(self) -> Iterable[ToStation]:
        return list(self.states.values())

    # what cars and people do

    def plug(self, evse: int) -> None:
        self._plug_ins += 1
        self._say(evse, pilot="B", plug_in=self._plug_ins, since_plug_in=self._clock.boot_s(), cable=True, cable_a=32.0)
        self._edge(evse, EdgeKind.PLUGGED)
        self.turn()

    def unplug(self, evse: int) -> None:
        closed = self.states[evse].closed
        self.wants.pop(evse, None)
        self._edge(evse, EdgeKind.UNPLUGGED)
        if closed:
            self._edge(evse, EdgeKind.OPENED, "unplugged")
        self._power(evse, 0.0)
        self._say(evse, pilot="A", plug_in=0, closed=False, offered_a=0.0, pwm=False, cable=False, cable_a=None, since_plug_in=0.0)
        self.turn()

    def want(self, evse: int, amps: float) -> None:
        """The car would take so much from now on; 0: it opens S2."""
        self.wants[evse] = amps
        self.turn()

    def found(self, evse: int) -> None:
        """After a power cut: a car is there as before."""
        self.plug(evse)

    # the turn

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self.turn()
            for evse in self.states:
                self._say(evse)
            self.link.tell(LoopFigures(1, 0, 0, 0, 0, 0, False, 1))
            self.link.poll()
            await self._clock.sleep(TURN_S)

    def turn(self) -> None:
        self.link.poll()
        for evse in self.states:
            self._follow(evse)
        self.link.poll()

    def _follow(self, evse: int) -> None:
        state, amps = self.states[evse], self._offer(evse)
        if amps != state.offered_a:
            self._edge(evse, EdgeKind.OFFERED, f"{amps:g}")
            self._say(evse, offered_a=amps, pwm=amps > 0, permit=amps > 0, offer_limit_by="permit" if amps else "")
        wanted = self.wants.get(evse, 0.0)
        closes = amps > 0 and wanted > 0
        if closes and not state.closed:
            self._edge(evse, EdgeKind.CLOSED)
            self._say(evse, pilot="C", closed=True)
        elif state.closed and not closes:
            self._edge(evse, EdgeKind.OPENED, "car" if wanted <= 0 else "withdrawn")
            self._say(evse, pilot="B", closed=False)
        if state.pilot != "A":
            self._power(evse, min(amps, wanted) if closes else 0.0)

    def _offer(self, evse: int) -> float:
        permit, state = self._permits.get(evse), self.states[evse]
        if permit is None or state.pilot == "A" or permit.plug_in != state.plug_in or permit.until <= self._clock.boot_s():
            return 0.0
        return permit.limit_a if permit.limit_a >= LEAST_A and not self._blind(evse) else 0.0

    def _edge(self, evse: int, kind: EdgeKind, value: str = "") -> None:
        self.link.edge(self._clock.boot_s(), evse, kind, self.states[evse].plug_in, value)

    def _say(self, evse: int, **changes: object) -> None:
        self.states[evse] = msgspec.structs.replace(self.states[evse], at=self._clock.boot_s(), **changes)
        self.link.tell(self.states[evse])
