"""One simulated charge point with all that stands around it: wire, readers, meters, network, firmware. Must not know HTTP or the other sites."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import shlex
import time
from collections.abc import AsyncIterator, Coroutine, Sequence
from pathlib import Path
from typing import Any, Protocol

from chargepoint.settings import Settings
from hal import spec
from sim.events import Events
from sim.firmware import COMMAND, HANG, Firmware, NoProcess
from sim.meters import Meters
from sim.network import Network
from sim.readers import Readers
from sim.sessions import Sessions
from sim.station_link import StationLink, Watch
from sim.wiretap import Conversation

log = logging.getLogger(__name__)

HARD_RESET = 77
"""Exit code by which `chargepoint run` asks the board for a power cycle."""
WITHOUT_POWER_S = 1.0
SAVE_S = 2.0
HAND_S = 0.4
"""No hand puts a plug in sooner after it, or another, was pulled out."""
BACK_S = 0.5
STATES = {"KILL": "killed", "STOP": "stopped", HANG: "hung", "CONT": "running"}
"""What the wire is told of a process that was hurt."""
TAKES_EFFECT = ("KILL", "STOP", HANG)
READER_OFFLINE = "reader_offline"


class Conflict(Exception):
    """The act does not fit the state of the world; the message says why."""


class Rig(Protocol):
    """The wire's process, as the site uses it."""

    async def call(self, name: str, /, **args: Any) -> Any: ...

    def events(self) -> AsyncIterator[dict[str, Any]]: ...


class Site:
    """`directory` keeps what outlives the run; `run_directory` (short) holds sockets and lines of this run."""

    def __init__(
        self, number: int, config: Path, settings: Settings, board: spec.Board, directory: Path, run_directory: Path, command: Sequence[str] = COMMAND
    ) -> None:
        self.number, self.config, self.settings, self.board = number, config, settings, board
        self.directory, self.run_directory = directory, run_directory
        self.events = Events()
        self.conversation = Events()
        self.sessions = Sessions()
        self.overheard = Conversation(self._tell_message)
        """Told by the built-in CSMS where the line itself is encrypted."""
        self.power = "off"
        self.evse_ids = [evse.id for evse in settings.evse]
        self.network = Network(self._tell, self._tell_message)
        self.link = StationLink(run_directory / "run" / "station.sock")
        self.rig_socket = run_directory / "rig.sock"
        self.firmware = Firmware(
            config, self._environment(), directory / "firmware.log", on_end=self._firmware_ended, on_change=self._tell, command=command
        )
        self.readers = Readers(
            board.reader,
            self.evse_ids,
            run_directory,
            powered=lambda: self.firmware.running,
            listening=self.firmware.has_open,
            on_change=self._tell_reader,
        )
        wired = zip(self.evse_ids, board.evse, strict=False)
        self.meters = Meters([(evse, row.meter) for evse, row in wired if row.meter], run_directory, self._meter)
        self._watch = Watch(self.link, lambda: self.events.wanted and self.power == "on", self._tell_firmware)
        self._rig: Rig | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._pulled_s: dict[int, float] = {}
        self._switching = asyncio.Lock()
        self._ordered = asyncio.Lock()

    @property
    def identity(self) -> str:
        """As the CSMS knows it."""
        return self.settings.csms.identity

    @property
    def rig(self) -> Rig:
        if self._rig is None:
            raise Conflict("the world is not built yet")
        return self._rig

    async def start(self, rig: Rig) -> None:
        """Builds everything around the firmware; the power stays off."""
        self._rig = rig
        (self.directory / "firmware").mkdir(parents=True, exist_ok=True)
        (self.run_directory / "run").mkdir(mode=0o700, exist_ok=True)
        for evse, wh in self._stored_energy().items():
            if evse in self.evse_ids:
                await rig.call("energy", evse=evse, wh=wh)
        await self.network.start()
        self.firmware.use_environment({**self._environment(), **self._proxies()})
        await self.readers.start()
        await rig.call("names", **await self.meters.start())
        self._watch.start()
        self._spawn(self._listen())
        self._spawn(self._save_now_and_then())

    async def stop(self) -> None:
        """Cuts the power and ends everything but the rig's process."""
        await self.power_cut()
        await self._save()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._watch.stop()
        self.link.close()
        self.events.close()
        self.conversation.close()
        await self.readers.stop()
        await self.meters.stop()
        await self.network.stop()

    # power

    async def power_on(self) -> None:
        """The board gets power; the firmware starts afresh."""
        async with self._switching:
            await self._on()

    async def service(self) -> None:
        """A technician's power: the board has it, the mains are switched off before the contactors, and no firmware runs."""
        await self.firmware.cut()
        async with self._switching:
            if self.power == "service":
                return
            await self._off()
            await self.rig.call("power", on=True, mains=False)
            self.power = "service"
            self._tell("power", state="service")

    async def power_cut(self) -> None:
        """All firmware is killed, coil and pilot are at 0; a shutdown under way is cut short."""
        await self.firmware.cut()
        async with self._switching:
            await self._off()

    async def shut_down(self) -> None:
        """SIGTERM, and the power goes when the firmware has ended."""
        async with self._switching:
            if self.power == "on":
                self._tell("shutting_down")
                await self.firmware.shut_down()
                await self._off()

    async def _on(self) -> None:
        if self.power == "on":
            return
        if self.power == "service":
            await self._off()
        await self.rig.call("power", on=True)
        self.readers.power_on()
        await self.firmware.start()
        self.power = "on"
        self._tell("power", state="on")

    async def _off(self) -> None:
        await self.firmware.cut()
        if self.power == "off":
            return
        await self.rig.call("power", on=False)
        self.power = "off"
        self.link.close()
        self._tell("power", state="off")
        await self._save()

    def _firmware_ended(self, code: int) -> None:
        """The supervisor ended by itself: a hard reset asks for a power cycle, anything else leaves the board alone with its log."""
        if code == HARD_RESET:
            self._spawn(self._power_cycle())
        else:
            log.error("the firmware ended with code %s; its last words:\n%s", code, "\n".join(self.log_lines(8)))

    async def _power_cycle(self) -> None:
        async with self._switching:
            await self._off()
            await asyncio.sleep(WITHOUT_POWER_S)
            await self._on()

    # acts

    async def act(self, name: str, /, **arguments: Any) -> dict[str, Any]:
        """An act on the wire that stays behind the swipes before it, and behind the hand that pulled the plug before."""
        async with self._ordered:
            await self.readers.settled()
            if name in ("plug_in", "ev_plug"):
                await asyncio.sleep(max(0.0, self._pulled_s.get(arguments["evse"], 0.0) + HAND_S - time.monotonic()))
            done = dict(await self.rig.call(name, **arguments))
            if name in ("unplug", "ev_unplug") and done.get("changed", True):
                self._pulled_s[arguments["evse"]] = time.monotonic()
            self.readers.plug_moved()
            return done

    async def hurt(self, part: str, how: str) -> int:
        """A signal or HANG for one process. Raises NoProcess, Conflict."""
        if self.firmware.pid_of(part) is None:
            raise NoProcess(f"{part} does not run now")
        await self.rig.call("process", name=part, state=STATES.get(how, "other"))
        try:
            pid = self.firmware.hurt(part, how)
        except PermissionError as error:
            raise Conflict(f"this machine does not let the simulator hold a thread (ptrace): {error}") from None
        except ProcessLookupError:
            raise NoProcess(f"{part} is just ending") from None
        if how in TAKES_EFFECT:  # until it did, control went on reading the pilot, which counts as running
            await self.rig.call("process", name=part, state=STATES[how])
        if how == "KILL":
            self._spawn(self._back(part, pid))
        self._tell("hang" if how == HANG else "signal", process=part, signal=how, pid=pid)
        return pid

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """A task that ends with the site."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # what is seen

    async def state(self) -> dict[str, Any]:
        """As the control API tells it."""
        station = await self._station()
        wire = await self.rig.call("state")
        return {"power": self.power, "network": self.network.state, "evses": wire["evses"], "station": station}

    async def _station(self) -> dict[str, Any] | None:
        """What the firmware reports of itself; the world knows the processes before they know of each other."""
        status = await self.link.status() if self.firmware.running else None
        if status is not None:
            status["pids"] = {part: pid or self.firmware.pid_of(part) for part, pid in status["pids"].items()}
        return status

    async def listed_sessions(self) -> list[dict[str, Any]]:
        """What was charged, newest first, as the wire saw it."""
        return self.sessions.listed(await self._registers_wh())

    async def _registers_wh(self) -> dict[int, float]:
        return {row["id"]: row["energy_wh"] for row in (await self.rig.call("state"))["evses"]}

    def log_lines(self, count: int) -> list[str]:
        """The last lines the firmware wrote."""
        path = self.directory / "firmware.log"
        if not path.exists():
            return []
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 400 * count))
            return file.read().decode(errors="replace").splitlines()[-count:]

    async def _meter(self, evse: int) -> dict[str, Any]:
        found: dict[str, Any] = await self.rig.call("meter", evse=evse)
        return found

    # inside

    def selftest_command(self) -> str:
        """A technician's report of this charge point, for a shell."""
        words = [*(f"{name}={value}" for name, value in self._environment().items()), "chargepoint", "control", "--selftest", "--config"]
        return shlex.join([*words, str(self.config)])

    def _environment(self) -> dict[str, str]:
        return {
            "CHARGEPOINT_WORLD": str(self.rig_socket),
            "STATE_DIRECTORY": str(self.directory / "firmware"),
            "RUNTIME_DIRECTORY": str(self.run_directory / "run"),
        }

    def _proxies(self) -> dict[str, str]:
        return {"http_proxy": self.network.url, "https_proxy": self.network.url}

    def _tell(self, what: str, **details: Any) -> None:
        self.events.tell("world", what, **details)

    def _tell_reader(self, what: str, **details: Any) -> None:
        if what == "swipe":
            self.sessions.card(details["uid"], details["evse"])
        self._tell(what, **details)

    def _tell_firmware(self, what: str, **details: Any) -> None:
        self.events.tell("firmware", what, **details)

    def _tell_message(self, kind: str, **details: Any) -> None:
        self.conversation.tell("line", kind, **details)

    async def _listen(self) -> None:
        """The wire's changes; of its faults, a reader's line is the site's affair."""
        async for event in self.rig.events():
            details = {key: value for key, value in event.items() if key != "what"}
            if event["what"] == "fault" and event["fault"] == READER_OFFLINE:
                self.readers.set_offline(event["evse"], event["active"])
            if event["what"] in ("plugged", "unplugged"):
                note = self.sessions.plugged if event["what"] == "plugged" else self.sessions.unplugged
                note(event["evse"], (await self._registers_wh())[event["evse"]])
            self._tell(event["what"], **details)
        log.error("the wire's process has ended; see %s", self.directory / "rig.log")

    async def _back(self, part: str, former: int) -> None:
        """Waits until a killed process has been there again for a while, and says so to the wire."""
        while (pid := self.firmware.pid_of(part)) is None or pid == former:
            await asyncio.sleep(BACK_S)
            if not self.firmware.running:
                return
        await asyncio.sleep(BACK_S)
        await self.rig.call("process", name=part, state="running")

    async def _save_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(SAVE_S)
            await self._save()

    async def _save(self) -> None:
        """The registers of energy, so that a later run on this directory goes on."""
        energy = {str(evse): wh for evse, wh in (await self._registers_wh()).items()}
        path = self.directory / "world.json"
        text = json.dumps({"energy_wh": energy})
        with contextlib.suppress(OSError):
            if path.exists() and path.read_text() == text:
                return
        fresh = path.with_suffix(".new")
        fresh.write_text(text)
        fresh.replace(path)

    def _stored_energy(self) -> dict[int, float]:
        try:
            stored = json.loads((self.directory / "world.json").read_text())
            return {int(evse): float(wh) for evse, wh in stored["energy_wh"].items()}
        except FileNotFoundError:
            return {}
        except (ValueError, KeyError, AttributeError, TypeError):
            log.warning("%s is damaged; the meters start at 0 Wh", self.directory / "world.json")
            return {}
