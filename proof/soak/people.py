"""Who charges, when and how much: drawn at random, acted out at one EVSE, and written down as it was. Must not know what the CSMS is told."""

from __future__ import annotations

import asyncio
import json
import math
import random
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from proof.soak.charger import Charger
from proof.soak.simulated import Pace, SimulatedLoop

CARDS = [f"04A0{number:04X}" for number in range(60)]
STRANGERS = [f"04FF{number:04X}" for number in range(200)]
HOUR_S = 3600.0
WH_PER_H = 3 * 230.0
MOMENT = 0.9
"""The part of a second at which people do things: when the turns of that second are over."""


class Interrupted(Exception):
    """The power went away under the session."""


@dataclass
class Charge:
    """What was really charged in one go. start_wh, end_wh: of the meter's register. how: "" as usual, else what disturbed it."""

    evse: int
    token: str
    at: float
    start_wh: float
    end_wh: float = 0.0
    end_at: float = 0.0
    how: str = ""


class Visitors:
    """The people at one EVSE, one after the other. number: of their visits so far. remote: orders a start or a stop at the CSMS, where it is
    connected."""

    def __init__(
        self,
        evse: int,
        charger: Charger,
        loop: SimulatedLoop,
        pace: Pace,
        randomness: random.Random,
        truth: Path,
        remote: Callable[[str, int, str], bool],
    ) -> None:
        self.number = 0
        self._evse, self._charger, self._loop, self._pace = evse, charger, loop, pace
        self._random, self._remote = randomness, remote
        self._written = truth.open("a", encoding="utf-8")
        self._charge: Charge | None = None

    async def run(self, gap_s: float) -> None:
        """Until cancelled. gap_s: the mean time for which nobody comes."""
        while True:
            await self._wait(30.0 + self._random.expovariate(1 / gap_s))
            await self._until_powered()
            self.number += 1
            try:
                await self._visit()
            except Interrupted:
                self._note("power cut")
                await self._return()

    def finish(self) -> None:
        if self._charge is not None:
            self._note("the year ended")
        self._written.close()

    # one visit

    async def _visit(self) -> None:
        chance = self._random.random()
        card = self._random.choice(STRANGERS if chance < 0.04 else CARDS)
        if chance > 0.9 and await self._ordered(card):
            return
        first = self._random.random() < 0.3
        if first:
            await self._show(card)
            await self._wait(self._random.uniform(5, 25))
        self._control.plug(self._evse)
        if not first:
            await self._wait(self._random.uniform(4, 60))
            await self._show(card)
        await self._wait(10)
        if await self._offered(card):
            await self._draw()
        await self._leave(card)

    async def _ordered(self, card: str) -> bool:
        """A start by the CSMS, as an app's user gives it."""
        self._control.plug(self._evse)
        await self._wait(20)
        if not self._remote("start", self._evse, card):
            self._control.unplug(self._evse)
            return True
        await self._wait(10)
        if self._control.states[self._evse].offered_a:
            self._begin(card)
            await self._draw()
        await self._leave(card)
        return True

    async def _offered(self, card: str) -> bool:
        """Whether current is offered; a driver tries a second time."""
        for again in (True, False):
            if self._control.states[self._evse].offered_a:
                self._begin(card)
                return True
            if again:
                await self._show(card)
                await self._wait(20)
        return False

    async def _draw(self) -> None:
        """The car takes what it wants, pauses at times, and is full or is fetched before."""
        amps = float(self._random.choice((8, 13, 16, 16, 20, 32)))
        wh = min(60_000.0, self._random.lognormvariate(math.log(9_000), 0.9))
        for part in (wh,) if self._random.random() < 0.8 else (wh * 0.7, wh * 0.3):
            self._control.want(self._evse, amps)
            await self._wait(part / (WH_PER_H * amps) * HOUR_S)
            if self._random.random() < 0.7:
                self._control.want(self._evse, 0.0)
                await self._wait(self._random.uniform(10, 1.5 * HOUR_S))

    async def _leave(self, card: str) -> None:
        chance = self._random.random()
        if chance < 0.3 and self._control.states[self._evse].offered_a:
            await self._show(card)
            await self._wait(15)
        elif chance < 0.35:
            self._remote("stop", self._evse, card)
            await self._wait(20)
        self._control.unplug(self._evse)
        self._note("")
        await self._wait(8)

    async def _return(self) -> None:
        """The driver comes back to a dead charge point: takes the car away, or begins anew when the power is there."""
        await self._until_powered()
        self._control.found(self._evse)
        try:
            await self._wait(self._random.uniform(60, HOUR_S))
            if self._random.random() < 0.5:
                card = self._random.choice(CARDS)
                await self._show(card)
                await self._wait(20)
                if self._control.states[self._evse].offered_a:
                    self._begin(card)
                    await self._draw()
            self._control.unplug(self._evse)
            self._note("")
        except Interrupted:
            self._note("power cut")

    # how it is done

    @property
    def _control(self):  # type: ignore[no-untyped-def]  # mypy does not look here
        if self._charger.control is None:
            raise Interrupted
        return self._charger.control

    async def _show(self, card: str) -> None:
        if not self._charger.powered:
            raise Interrupted
        self._charger.show(self._evse, card)

    def _begin(self, card: str) -> None:
        self._charge = Charge(self._evse, card, self._charger.clock.true_s(), self._charger.meters[self._evse].wh())

    def _note(self, how: str) -> None:
        charge, self._charge = self._charge, None
        if charge is None:
            return
        meter = self._charger.meters[self._evse]
        charge.end_wh, charge.end_at = meter.wh(), self._charger.clock.true_s()
        charge.how = how or ("silent meter" if meter.silent else "")
        self._written.write(json.dumps(asdict(charge)) + "\n")
        self._written.flush()

    async def _wait(self, seconds: float) -> None:
        """Until a moment that is announced. Raises Interrupted when the power went away meanwhile."""
        cuts = self._charger.cuts
        await wait(self._loop, self._pace, seconds)
        if self._charger.cuts != cuts and self._charge is not None:
            raise Interrupted

    async def _until_powered(self) -> None:
        while not self._charger.powered:
            await asyncio.sleep(10)
        await wait(self._loop, self._pace, 5)


async def wait(loop: SimulatedLoop, pace: Pace, seconds: float) -> None:
    """Waits about so long, until a moment that is announced."""
    until = math.floor(loop.time() + max(seconds, 1.0)) + MOMENT
    pace.announce(until)
    await asyncio.sleep(until - loop.time())
