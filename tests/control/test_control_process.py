"""The control process itself on the simulated board: what it loads and opens, its first act, charging, death, and its end in order."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from chargepoint.clock import Clock
from chargepoint.link.client import LinkClient
from chargepoint.link.messages import Acknowledge, Edge, EdgeKind, EvseState, Hello, LoopFigures, OrderAnswer, Permit
from sim.rig.control import RigControl

FORBIDDEN = {"asyncio", "ssl", "_ssl", "http", "websockets", "pymodbus", "sqlite3", "ocpp", "serial", "urllib.request", "aiohttp"}
WRAPPER = """
import sys
from pathlib import Path
from chargepoint import control_process
code = control_process.main(Path(sys.argv[1]))
Path(sys.argv[2]).write_text("\\n".join(sys.modules))
sys.exit(code)
"""
LEASE_S = 15.0


class Station:
    """Permits whatever is plugged in, as long as it is told to."""

    def __init__(self, directory: Path) -> None:
        self.edges: list[Edge] = []
        self.states: dict[int, EvseState] = {}
        self.connected = 0
        self.permits = True
        self._plugged: dict[int, int] = {}
        self._clock = Clock()
        self.client = LinkClient(directory, self._clock, self)

    def on_connected(self, hello: Hello) -> None:
        self.connected += 1
        self._plugged.clear()

    def on_lost(self, reason: str) -> None:
        return

    def on_state(self, state: EvseState) -> None:
        self.states[state.evse] = state

    def on_edge(self, edge: Edge) -> None:
        self.edges.append(edge)
        if edge.kind is EdgeKind.PLUGGED:
            self._plugged[edge.evse] = edge.plug_in
        self.client.send(Acknowledge(edge.number))

    def on_answer(self, answer: OrderAnswer) -> None:
        return

    def on_figures(self, figures: LoopFigures) -> None:
        return

    async def renew(self) -> None:
        while True:
            for evse, plug_in in self._plugged.items():
                if self.permits:
                    self.client.send(Permit(evse, plug_in, 16.0, self._clock.boot_s() + LEASE_S))
            await asyncio.sleep(0.25)

    def count(self, kind: EdgeKind) -> int:
        return sum(edge.kind is kind for edge in self.edges)


class Stand:
    """A rig, its firmware's environment, and the station."""

    def __init__(self, directory: Path, world: RigControl) -> None:
        self.directory = directory
        self.config = directory / "chargepoint.toml"
        self.world = world
        self.station = Station(directory / "run")
        self.environment = os.environ | {
            "CHARGEPOINT_WORLD": str(directory / "rig.sock"),
            "STATE_DIRECTORY": str(directory / "state"),
            "RUNTIME_DIRECTORY": str(directory / "run"),
            "CHARGEPOINT_BOOT_ID": "one",
        }

    @contextmanager
    def process(self, *command: str) -> Iterator[subprocess.Popen[bytes]]:
        process = subprocess.Popen([sys.executable, *command], env=self.environment)
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(15)
            finally:
                process.kill()

    def control(self) -> Any:
        return self.process("-m", "chargepoint", "control", "--config", str(self.config))

    async def until(self, holds: Callable[[], object], within_s: float = 10.0) -> None:
        async with asyncio.timeout(within_s):
            while not holds():
                await asyncio.sleep(0.01)

    async def ended(self, process: subprocess.Popen[bytes], within_s: float = 12.0) -> int:
        async with asyncio.timeout(within_s):
            while process.poll() is None:
                await asyncio.sleep(0.01)
        return process.returncode

    async def evse(self) -> dict[str, Any]:
        evses: list[dict[str, Any]] = (await self.world.call("state"))["evses"]
        return evses[0]

    async def charge(self) -> None:
        await self.until(lambda: 1 in self.station.states and self.station.states[1].pilot == "A")
        closed = self.station.count(EdgeKind.CLOSED)
        await self.world.call("plug_in", evse=1, ev={"delay_s": 0.1})
        await self.until(lambda: self.station.count(EdgeKind.CLOSED) > closed)

    async def violations(self) -> list[Any]:
        found: list[Any] = (await self.world.call("violations"))["violations"]
        return found


@pytest.fixture
async def stand(tmp_path: Path) -> AsyncIterator[Stand]:
    (tmp_path / "chargepoint.toml").write_text("[[evse]]\nid = 1\n")
    sockets = ("--socket", str(tmp_path / "rig.sock"), "--control", str(tmp_path / "world.sock"))
    rig = subprocess.Popen(
        [sys.executable, "-m", "sim.rig.server", "--config", str(tmp_path / "chargepoint.toml"), *sockets],
        stdout=subprocess.PIPE,
    )
    assert rig.stdout is not None
    await asyncio.to_thread(rig.stdout.readline)
    world = await RigControl.connect(tmp_path / "world.sock")
    await world.call("power", on=True)
    made = Stand(tmp_path, world)
    tasks = [asyncio.create_task(made.station.client.run()), asyncio.create_task(made.station.renew())]
    try:
        yield made
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await world.close()
        rig.terminate()
        rig.wait(5)
        rig.stdout.close()


async def test_it_loads_no_network_and_opens_unix_sockets_only(stand: Stand) -> None:
    modules = stand.directory / "modules"
    with stand.process("-c", WRAPPER, str(stand.config), str(modules)) as control:
        await stand.until(lambda: 1 in stand.station.states)
        await stand.charge()
        await stand.world.call("unplug", evse=1)
        held = {os.readlink(f"/proc/{control.pid}/fd/{fd}") for fd in os.listdir(f"/proc/{control.pid}/fd")}
        sockets = {match.group(1) for name in held if (match := re.fullmatch(r"socket:\[(\d+)\]", name))}
        unix = {line.split()[6] for line in Path("/proc/net/unix").read_text().splitlines()[1:]}
        assert sockets and sockets <= unix
        control.terminate()
        assert await stand.ended(control) == 0
    assert not FORBIDDEN & set(modules.read_text().splitlines())
    assert await stand.violations() == []


async def test_it_ends_in_order_under_load(stand: Stand) -> None:
    with stand.control() as control:
        await stand.charge()
        control.terminate()
        assert await stand.ended(control) == 0
        evse = await stand.evse()
        assert (evse["coil"], evse["pilot"]["duty_percent"], evse["lock"]) == (False, 100.0, "unlocked")
        assert evse["cycles"]["under_load"] == 0
        assert await stand.violations() == []


async def test_after_it_was_killed_the_next_start_makes_safe_and_asks_for_a_fresh_permit(stand: Stand) -> None:
    with stand.control() as control:
        await stand.charge()
        control.kill()
        await stand.world.call("process", name="control", state="KILL")
        assert await stand.ended(control) == -signal.SIGKILL
    stand.station.permits = False
    with stand.control():
        await stand.until(lambda: stand.station.connected == 2)
        closed = stand.station.count(EdgeKind.CLOSED)
        evse = await stand.evse()
        assert (evse["coil"], evse["pilot"]["duty_percent"]) == (False, 100.0)
        await asyncio.sleep(0.5)
        assert stand.station.count(EdgeKind.CLOSED) == closed
        stand.station.permits = True
        await stand.until(lambda: stand.station.count(EdgeKind.CLOSED) > closed, 12.0)
        assert await stand.violations() == []


async def test_a_stopped_control_loses_the_relay_supply_and_takes_nothing_for_granted_afterwards(stand: Stand) -> None:
    with stand.control() as control:
        await stand.charge()
        closed = stand.station.count(EdgeKind.CLOSED)
        plug_in = stand.station.states[1].plug_in
        control.send_signal(signal.SIGSTOP)
        await stand.world.call("process", name="control", state="STOP")
        await asyncio.sleep(1.0)
        assert (await stand.evse())["contactor"] == "open"
        control.send_signal(signal.SIGCONT)
        await stand.world.call("process", name="control", state="CONT")
        await stand.until(lambda: stand.station.count(EdgeKind.CLOSED) > closed, 12.0)
        assert stand.station.states[1].plug_in != plug_in
        assert await stand.violations() == []


async def test_settings_that_cannot_be_used_end_it_with_the_outputs_safe(stand: Stand) -> None:
    stand.config.write_text("[[evse]]\nid = 1\nmax_current_a = 'many'\n")
    with stand.control() as control:
        assert await stand.ended(control) != 0


def pids(stand: Stand) -> dict[str, int]:
    file = stand.directory / "run" / "pids.json"
    return json.loads(file.read_text()) if file.exists() else {}


async def test_run_restarts_each_alone_and_ends_both(stand: Stand) -> None:
    with stand.process("-m", "chargepoint", "run", "--config", str(stand.config)) as run:
        await stand.until(lambda: stand.station.connected and pids(stand).get("control"))
        before = pids(stand)
        os.kill(before["control"], signal.SIGKILL)
        await stand.until(lambda: pids(stand)["control"] not in (None, before["control"]))
        await stand.until(lambda: stand.station.connected == 2)
        stopped = pids(stand)["control"]
        os.kill(stopped, signal.SIGSTOP)
        await stand.until(lambda: pids(stand)["control"] not in (None, stopped), 5.0)
        after = pids(stand)
        run.terminate()
        assert await stand.ended(run, 20.0) == 0
    for pid in (after["control"], after["station"]):
        assert pid is None or not os.path.exists(f"/proc/{pid}")
