"""A whole charge point driven by its control API alone, and a CSMS beside it: what programs outside the project do."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shlex
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import aiohttp

from sim.csms.server import Csms

ROOT = Path(__file__).parents[1]
KNOWN_CARD = "04A1B2C3"
OTHER_CARD = "04A1B2C4"
UNKNOWN_CARD = "DEADBEEF"
PATIENCE_S = 30.0
SOON_S, LOOK_S, LOOK_LATER_S = 1.0, 0.05, 0.1
"""What does not come soon is looked for less often: a look costs all processes of the world together more than they do in that time by themselves."""

CONFIG = """\
[station]
vendor = "Maker"
model = "M1"
serial_number = "1"
{station}
[board]
name = "{name}"
{board}
{evses}
{control}
[csms]
url = "{scheme}://127.0.0.1:{port}/ocpp"
identity = "CP001"
ocpp = [{offered}]
{csms}
[csms.reconnect]
wait_minimum_s = 0.3
random_range_s = 0.1
repeat_times = 2
{more}
"""
EVSE = '[[evse]]\nid = {id}\nconnectors = ["{connector}"]\n{evse}\n'


class World:
    """One `chargepoint-sim up`, its control API, and its CSMS."""

    def __init__(self, directory: Path, csms: Csms, port: int) -> None:
        self.directory = directory
        self.csms = csms
        self.port = port
        self.url = ""
        self.version = ""
        self.selftest: list[str] = []
        self._process: asyncio.subprocess.Process | None = None
        self._http: aiohttp.ClientSession | None = None

    async def up(
        self,
        *versions: str,
        evses: int = 1,
        name: str = "sim",
        connector: str = "sType2",
        evse: str = "",
        station: str = "",
        board: str = "",
        control: str = "",
        csms: str = "",
        more: str = "",
        scheme: str = "ws",
        options: Sequence[str] = (),
        accepted: bool = True,
        service: bool = False,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Versions as offered, most wanted first. name: the board's. evse: more lines of each [[evse]]. accepted: wait until the CSMS accepted the
        station. service: a technician's power, no firmware; `selftest` is then the command that was printed. environment: what the world's processes
        get on top of ours. Again after `down`: the same DIR."""
        self.version = versions[0]
        config = self.directory / "chargepoint.toml"
        tables = "".join(EVSE.format(id=number, connector=connector, evse=evse) for number in range(1, evses + 1))
        offered = ", ".join(f'"{version}"' for version in versions)
        config.write_text(
            CONFIG.format(
                station=station,
                name=name,
                board=board,
                control=control,
                more=more,
                evses=tables,
                csms=csms,
                scheme=scheme,
                port=self.port,
                offered=offered,
            )
        )
        command = [sys.executable, "-m", "sim", "up", "--config", str(config), "--state-dir", str(self.directory / "state"), "--port", "0", *options]
        if service:
            command += ["--power", "service"]
        self._process = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.PIPE, cwd=ROOT, env={**os.environ, **(environment or {})}
        )
        assert self._process.stdout is not None
        line = (await asyncio.wait_for(self._process.stdout.readline(), PATIENCE_S)).decode()
        assert line.startswith("listening on http://127.0.0.1:"), line
        self.url = line.split()[-1]
        self._http = aiohttp.ClientSession(self.url)
        if service:
            self.selftest = shlex.split((await asyncio.wait_for(self._process.stdout.readline(), PATIENCE_S)).decode())
        else:
            await self.registered("accepted" if accepted else None)

    async def down(self) -> None:
        if self._http:
            await self._http.close()
        if self._process and self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
            await asyncio.wait_for(self._process.wait(), PATIENCE_S)
            assert self._process.returncode == 0

    @contextlib.asynccontextmanager
    async def standing_still(self, *processes: str) -> AsyncIterator[None]:
        """These processes stand still, and the supervisor with them, which would restart them."""
        control = (await self.get("state"))["station"]["pids"]["control"]
        supervisor = int(Path(f"/proc/{control}/stat").read_text().rpartition(")")[2].split()[1])
        os.kill(supervisor, signal.SIGSTOP)
        for process in processes:
            await self.post("kill", {"process": process, "signal": "STOP"})
        try:
            yield
        finally:
            for process in processes:
                await self.post("kill", {"process": process, "signal": "CONT"})
            os.kill(supervisor, signal.SIGCONT)

    async def registered(self, word: str | None) -> None:
        """Waits for a registration state; None: for the station alone."""
        await self.until(lambda s: s["station"] is not None and word in (None, s["station"]["registration"]))

    async def get(self, path: str) -> Any:
        assert self._http is not None
        async with self._http.get(f"/api/{path}") as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        assert self._http is not None
        async with self._http.post(f"/api/{path}", json=body or {}) as answer:
            assert answer.status < 300, f"{path}: {answer.status} {await answer.text()}"
            return await answer.json()

    async def delete(self, path: str) -> None:
        assert self._http is not None
        async with self._http.delete(f"/api/{path}") as answer:
            assert answer.status < 300, await answer.text()

    async def event(self, met: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The next event of the world that is meant."""
        assert self._http is not None
        async with self._http.get("/api/events") as stream:
            async for line in stream.content:
                if line.startswith(b"data:") and met(event := json.loads(line[5:])):
                    return dict(event)
        raise AssertionError("the world's events have ended")

    async def evse(self, number: int = 1) -> dict[str, Any]:
        return (await self.get("state"))["evses"][number - 1]

    async def until(self, met: Callable[[dict[str, Any]], bool], seconds: float = PATIENCE_S) -> dict[str, Any]:
        state: dict[str, Any] = {}
        soon = time.monotonic() + SOON_S
        try:
            async with asyncio.timeout(seconds):
                while True:
                    state = await self.get("state")
                    with contextlib.suppress(TypeError, IndexError):
                        if met(state):
                            return state
                    await asyncio.sleep(LOOK_S if time.monotonic() < soon else LOOK_LATER_S)
        except TimeoutError:
            raise AssertionError(f"never came true; the last state: {state}") from None

    async def contactor(self, word: str, evse: int = 1, seconds: float = PATIENCE_S) -> dict[str, Any]:
        return await self.until(lambda s: s["evses"][evse - 1]["contactor"] == word, seconds)

    async def plug_in(self, evse: int = 1, **ev: Any) -> None:
        await self.post(f"evse/{evse}/plug-in", {"ev": {"delay_s": 0.2, **ev}})

    async def unplug(self, evse: int = 1) -> None:
        await self.post(f"evse/{evse}/unplug")

    async def swipe(self, uid: str = KNOWN_CARD, evse: int | None = None) -> None:
        await self.post("rfid/swipe", {"uid": uid} if evse is None else {"uid": uid, "evse": evse})

    async def charge(self, evse: int = 1, **ev: Any) -> None:
        await self.plug_in(evse, **ev)
        await self.swipe()
        await self.contactor("closed", evse)

    async def told(self, met: Callable[[Csms], bool], seconds: float = PATIENCE_S) -> None:
        try:
            async with asyncio.timeout(seconds):
                while not met(self.csms):
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"the CSMS never heard it: {self.csms.book.transactions}") from None

    async def logged(self, text: str, seconds: float = PATIENCE_S) -> None:
        """Waits until the firmware's log has a text."""
        try:
            async with asyncio.timeout(seconds):
                while not any(text in line for line in (await self.get("log?lines=5000"))["lines"]):
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise AssertionError(f"the log never had {text!r}") from None

    async def all_told(self) -> None:
        await self.until(lambda s: s["station"]["facts_waiting"] == 0)

    async def status(self, word: str, evse: int = 1) -> None:
        await self.until(lambda s: s["station"]["connectors"][evse - 1]["status"] == word)

    async def judged(self) -> None:
        """What must hold after every test: the world saw nothing wrong, nor did the CSMS."""
        seen = await self.get("violations")
        assert seen == [], seen
        assert self.csms.book.violations == [], self.csms.book.violations
