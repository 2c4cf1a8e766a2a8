"""Phases that change while a car is plugged in, for a vehicle that takes it: three, one, three. The test stands in for the station on the link,
for nothing in the settings changes a limit while a session runs.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from chargepoint.clock import Clock
from chargepoint.link.client import LinkClient
from chargepoint.link.messages import Edge, EvseState, Hello, LoopFigures, OrderAnswer, Permit, PhaseWish, Sample
from tests.world import World

REST_S = 10.0
LEASE_S = 15.0
EVERY_S = 0.5


class StandIn:
    """A station that renews its permit, hands on what the meter would read, and wishes phases."""

    def __init__(self, world: World, directory: Path) -> None:
        self._world = world
        self._clock = Clock()
        self._link = LinkClient(directory, self._clock, self)
        self.state: EvseState | None = None
        self.edges: list[Edge] = []
        self.wish = PhaseWish(1, 3)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._link.run())
            group.create_task(self._renew())

    async def _renew(self) -> None:
        while True:
            amps = (await self._world.evse())["current_a"]
            now = self._clock.boot_s()
            self._link.send(Sample(1, now, True, tuple(amps), (230.0, 230.0, 230.0)))
            self._link.send(self.wish)
            if self.state is not None and self.state.plug_in:
                self._link.send(Permit(1, self.state.plug_in, 16.0, now + LEASE_S))
            await asyncio.sleep(EVERY_S)

    def on_connected(self, hello: Hello) -> None: ...

    def on_lost(self, reason: str) -> None: ...

    def on_state(self, state: EvseState) -> None:
        self.state = state

    def on_edge(self, edge: Edge) -> None:
        self.edges.append(edge)

    def on_answer(self, answer: OrderAnswer) -> None: ...

    def on_figures(self, figures: LoopFigures) -> None: ...


@asynccontextmanager
async def standing_in(world: World) -> AsyncIterator[StandIn]:
    """The station and its supervisor stand still meanwhile."""
    pids = (await world.get("state"))["station"]["pids"]
    environment = Path(f"/proc/{pids['control']}/environ").read_bytes().split(b"\0")
    directory = next(entry.decode().partition("=")[2] for entry in environment if entry.startswith(b"RUNTIME_DIRECTORY="))
    station = StandIn(world, Path(directory))
    async with world.standing_still("station"):
        task = asyncio.create_task(station.run())
        try:
            yield station
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def draws(world: World, phases: int, seconds: float = 40.0) -> None:
    wanted = [16.0] * phases + [0.0] * (3 - phases)
    await world.until(lambda s: s["evses"][0]["current_a"] == wanted and s["evses"][0]["phases_connected"] == phases, seconds)


async def test_three_phases_one_and_three_again_within_a_session(world: World) -> None:
    await world.up("ocpp2.0.1", evse="phase_switching = true", board="[board.sim]\nphase_switching = true")
    await world.charge(max_current_a=16.0)
    await draws(world, 3)
    async with standing_in(world) as station:
        station.wish = PhaseWish(1, 1, within=False, rest_s=REST_S)
        await asyncio.sleep(3.0)
        assert (await world.evse())["phases_connected"] == 3, "a vehicle that is not said to take it keeps its phases"
        for phases in (1, 3):
            station.edges.clear()
            station.wish = PhaseWish(1, phases, within=True, rest_s=REST_S)
            await draws(world, phases)
            ended, again = (edge.at for edge in station.edges if edge.kind.value == "offered")
            assert again - ended >= REST_S, "the car sees X1"
            assert [edge.kind.value for edge in station.edges if edge.kind.value in ("opened", "closed")] == ["opened", "closed"]
            await asyncio.sleep(2.0)
        assert station.state is not None and (station.state.phases, station.state.switches, station.state.faults) == (3, 2, ())
        evse = await world.evse()
        assert (evse["cycles"], evse["contactor_l23"]["cycles"]) == ({"coil": 3, "under_load": 0}, 2)
