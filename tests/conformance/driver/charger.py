"""The charge point under test in its simulated world: its settings file, its power, and a person at it. Speaks the simulator's contract only.

The command that starts a world is `CHARGEPOINT_SIM` of the environment (by default the `sim` module of this interpreter). Must not know OCPP.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shlex
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

PATIENCE_S = 90.0
SOON_S, LOOK_S, LOOK_LATER_S = 1.0, 0.05, 0.1
"""What does not come soon is looked for less often: a look costs all processes of the world together more than they do in that time by themselves."""
QUICK_EV = {"delay_s": 0.2, "s2_open_s": 0.2}
BAY_SENSORS = "[board.sim]\nbay_sensor = true\n"
METER_THAT_SIGNS = '[board.sim]\nmeter_map = "sim_ocmf"\n'
"""Tables for `Factory`."""


def command() -> list[str]:
    """What starts a simulated world."""
    told = os.environ.get("CHARGEPOINT_SIM")
    return shlex.split(told) if told else [sys.executable, "-m", "sim"]


@dataclass
class Factory:
    """What the settings file says of a new charge point. variables and keys: factory values of 2.x variables and 1.6 keys. tables: more TOML, at
    the end; station, board, evse, csms, reconnect: more keys of those tables."""

    versions: Sequence[str] = ("ocpp2.0.1",)
    url: str = ""
    identity: str = "CP001"
    evses: int = 1
    connectors: Sequence[str] = ("sType2",)
    variables: Mapping[str, Any] = field(default_factory=dict)
    keys: Mapping[str, Any] = field(default_factory=dict)
    station: Mapping[str, Any] = field(default_factory=dict)
    board: Mapping[str, Any] = field(default_factory=dict)
    evse: Mapping[str, Any] = field(default_factory=dict)
    csms: Mapping[str, Any] = field(default_factory=dict)
    reconnect: Mapping[str, Any] = field(default_factory=dict)
    tables: str = ""

    @property
    def bays(self) -> bool:
        """Whether the board has bay sensors."""
        return BAY_SENSORS in self.tables

    def text(self) -> str:
        station = {"vendor": "Maker", "model": "M1", "serial_number": "1", **self.station}
        csms = {"url": self.url, "identity": self.identity, "ocpp": list(self.versions), **self.csms}
        reconnect = {"wait_minimum_s": 0.3, "random_range_s": 0.1, "repeat_times": 1, **self.reconnect}
        evses = [_table("[evse]", {"id": number, "connectors": list(self.connectors), **self.evse}) for number in range(1, self.evses + 1)]
        tables = {
            "station": station,
            "board": {"name": "sim", **self.board},
            "csms": csms,
            "csms.reconnect": reconnect,
            "ocpp16.configuration": self.keys,
            "ocpp2.variables": self.variables,
        }
        return "\n".join([*(_table(name, values) for name, values in tables.items()), *evses, self.tables])


def _is_free(connector: Mapping[str, Any]) -> bool:
    return connector["status"] == "Available" and not connector["transaction"]


def _table(name: str, values: Mapping[str, Any]) -> str:
    return "\n".join([f"[{name}]", *(f"{json.dumps(key)} = {json.dumps(value)}" for key, value in values.items()), ""])


class Charger:
    """One world with one charge point. EVSEs and connectors count from 1."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.factory = Factory()
        self._process: asyncio.subprocess.Process | None = None
        self._http: aiohttp.ClientSession | None = None

    # --- power

    async def up(self, factory: Factory | None = None, *options: str) -> None:
        """Starts the world with the power on; again after `down`: the same charge point, powered again. Returns when its control API answers."""
        self.factory = factory or self.factory
        config = self.directory / "chargepoint.toml"
        config.write_text(self.factory.text())
        words = [*command(), "up", "--config", str(config), "--state-dir", str(self.directory / "state"), "--port", "0", *options]
        with (self.directory / "world.log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.PIPE, stderr=log)
        assert self._process.stdout is not None
        line = (await asyncio.wait_for(self._process.stdout.readline(), PATIENCE_S)).decode()
        assert line.startswith("listening on http://"), f"{line!r}; {(self.directory / 'world.log').read_text()[-2000:]}"
        self._http = aiohttp.ClientSession(line.split()[-1])

    async def down(self) -> None:
        """Ends the world."""
        if self._http is not None:
            await self._http.close()
            self._http = None
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(self._process.communicate(), PATIENCE_S)
            except TimeoutError:
                self._process.kill()
                raise
        self._process = None

    @property
    def running(self) -> bool:
        return self._http is not None

    async def power(self, state: str, how: str = "cut") -> None:
        """state: on or off. Cars and cables stay as they are."""
        await self.post("power", {"state": state, "how": how})

    async def power_cycle(self) -> None:
        await self.power("off")
        await self.power("on")

    async def network(self, state: str) -> None:
        """up, down (closed and refused) or stall (open, but no byte passes)."""
        await self.post("network", {"state": state})

    # --- a person at the charger

    async def plug_in(self, evse: int = 1, connector: int = 1, **ev: Any) -> None:
        """A car's cable goes in; ev as in the contract (`ready=False`: it waits in state B)."""
        await self.post(f"evse/{evse}/plug-in", {"connector": connector, "ev": {**QUICK_EV, **ev}})

    async def ev(self, evse: int = 1, **ev: Any) -> None:
        """Changes the car that is plugged in."""
        await self.post(f"evse/{evse}/ev", ev)

    async def ev_ready(self, ready: bool = True, evse: int = 1) -> None:
        await self.ev(evse, ready=ready)

    async def unplug(self, evse: int = 1, connector: int = 1) -> None:
        await self.post(f"evse/{evse}/unplug", {"connector": connector})

    async def ev_unplug(self, evse: int = 1) -> None:
        """The car's end only; the cable stays in the socket."""
        await self.post(f"evse/{evse}/ev-unplug")

    async def ev_plug(self, evse: int = 1) -> None:
        await self.post(f"evse/{evse}/ev-plug")

    async def swipe(self, uid: str, evse: int | None = 1) -> None:
        """evse None: a reader for all."""
        await self.post("rfid/swipe", {"uid": uid} if evse is None else {"uid": uid, "evse": evse})

    async def button(self, evse: int = 1) -> None:
        await self.post(f"evse/{evse}/button")

    async def bay(self, occupied: bool, evse: int = 1) -> None:
        await self.post(f"evse/{evse}/bay", {"occupied": occupied})

    async def fault(self, fault: str, evse: int = 1, **how: Any) -> None:
        await self.post(f"evse/{evse}/fault", {"fault": fault, **how})

    async def fault_gone(self, fault: str, evse: int = 1) -> None:
        await self.request("DELETE", f"evse/{evse}/fault/{fault}")

    async def kill(self, process: str = "station", how: str = "KILL") -> None:
        await self.post("kill", {"process": process, "signal": how})

    # --- what can be seen

    async def state(self) -> dict[str, Any]:
        told: dict[str, Any] = await self.request("GET", "state")
        return told

    async def until(self, met: Callable[[dict[str, Any]], bool], within: float = PATIENCE_S) -> dict[str, Any]:
        """Polls the state until it is so. A state in which the firmware does not answer yet counts as not so."""
        state: dict[str, Any] = {}
        soon = time.monotonic() + SOON_S
        try:
            async with asyncio.timeout(within):
                while True:
                    state = await self.state()
                    with contextlib.suppress(TypeError, IndexError, KeyError):
                        if met(state):
                            return state
                    await asyncio.sleep(LOOK_S if time.monotonic() < soon else LOOK_LATER_S)
        except TimeoutError:
            raise AssertionError(f"never came true; the last state: {state}") from None

    async def contactor(self, word: str, evse: int = 1, within: float = PATIENCE_S) -> dict[str, Any]:
        """Waits until the contactor is open or closed."""
        return await self.until(lambda state: state["evses"][evse - 1]["contactor"] == word, within)

    async def free_again(self, evse: int = 1, within: float = PATIENCE_S) -> None:
        """Waits until the EVSE's first connector is free and its transaction is over."""
        await self.until(lambda state: _is_free(next(it for it in state["station"]["connectors"] if it["evse"] == evse)), within)

    async def registered(self, word: str = "accepted", within: float = PATIENCE_S) -> None:
        await self.until(lambda state: state["station"]["registration"] == word, within)

    async def all_told(self, within: float = PATIENCE_S) -> None:
        """Waits until nothing is queued for the CSMS."""
        await self.until(lambda state: state["station"]["facts_waiting"] == 0, within)

    async def violations(self) -> list[Any]:
        seen: list[Any] = await self.request("GET", "violations")
        return seen

    # --- the wire of the contract

    async def post(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        return await self.request("POST", path, body or {})

    async def request(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        assert self._http is not None, "the world is not running"
        async with self._http.request(method, f"/api/{path}", json=body) as answer:
            assert answer.status < 300 or answer.status == 409, f"{method} {path}: {answer.status} {await answer.text()}"
            return await answer.json()
