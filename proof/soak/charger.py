"""The charge point of the year: the station's process code on a simulated clock, its control beside it, its power and its restarts.

A power cut leaves the files as they were at that moment; what a disk loses by it is not this proof's business. Must not know who charges.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from chargepoint.settings import Csms, Evse, Ledger, Ocpp2, Settings
from chargepoint.settings import Station as Plate
from chargepoint.station_process import POWER_CYCLE, Station
from hal.ports import StationBoard, TokenSeen
from proof.soak.control import Control
from proof.soak.csms import IDENTITY
from proof.soak.meters import SoakMeter
from proof.soak.simulated import Pace, SimulatedClock, SimulatedLoop

log = logging.getLogger("soak.charger")

EVSES = (1, 2)
CONNECTORS = {1: "sType2", 2: "cType2"}
TICK_AT_S, CONTROL_AT_S = 0.5, 0.75
"""Within each second: first the meters are read, then the station looks at its sessions, then control at its permits."""
RESTART_S = 2.0
SAMPLE_S, PING_S = 300, 240
KEEP_DAYS = 30
"""So that the ledger is as large as it gets after a month."""
FILES = ("station.db", "station.db-wal")


class Reader:
    """One card reader for each EVSE."""

    def __init__(self) -> None:
        self._shown: asyncio.Queue[TokenSeen] = asyncio.Queue()

    def show(self, uid: str, at: float) -> None:
        self._shown.put_nowait(TokenSeen(uid, "ISO14443", at))

    async def next(self) -> TokenSeen:
        return await self._shown.get()

    def healthy(self) -> bool:
        return True

    async def close(self) -> None:
        return None


class SoakStation(Station):
    """The station's process, its seconds half a second after its meters'."""

    async def _seconds(self) -> None:
        await asyncio.sleep(TICK_AT_S)
        await super()._seconds()

    @property
    def parts(self) -> tuple[object, ...]:
        return self._db, self._core


class Charger:
    """ends: how often the process ended, by why. failures: exceptions that ended it."""

    def __init__(self, directory: Path, loop: SimulatedLoop, pace: Pace, epoch_s: float, version: str) -> None:
        self.state, self.runtime = directory / "state", directory / "run"
        self.ends: Counter[str] = Counter()
        self.failures: list[str] = []
        self.meters = {evse: SoakMeter(evse, loop.time) for evse in EVSES}
        self.readers = {evse: Reader() for evse in EVSES}
        self.settings = settings(version)
        self.station: SoakStation | None = None
        self._loop, self._pace, self._epoch_s = loop, pace, epoch_s
        self._boots = 0
        self._tasks: list[asyncio.Task[None]] = []
        self._run: asyncio.Task[int] | None = None
        self.clock = SimulatedClock(loop, pace, epoch_s, "boot-0")
        self.control: Control | None = None
        for path in (self.state, self.runtime):
            path.mkdir(parents=True, exist_ok=True)

    @property
    def powered(self) -> bool:
        return self.control is not None

    @property
    def cuts(self) -> int:
        """How often the board's power went away."""
        return self.ends["power cut"] + self.ends["reboot"]

    def power_on(self) -> None:
        """A new boot of the board. Its clock is right unless somebody spoils it."""
        self._boots += 1
        self.clock = SimulatedClock(self._loop, self._pace, self._epoch_s, f"boot-{self._boots}")
        for meter in self.meters.values():
            meter.boot_s = self.clock.boot_s
        meters = self.meters
        self.control = Control(
            self.runtime, self.clock, EVSES, self._boots, lambda evse, amps: meters[evse].flow(amps), lambda evse: meters[evse].long_silent
        )
        self._tasks = [self._loop.create_task(self._control(self.control)), self._loop.create_task(self._supervise())]

    async def power_cut(self, why: str = "power cut") -> None:
        """Everything stops at once."""
        for meter in self.meters.values():
            meter.flow(0.0)
        self.ends[why] += 1
        await self._kill()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        assert self.control is not None
        self.control.link.close()
        self.control = None

    async def kill_station(self) -> None:
        """SIGKILL: nothing is said, and the files are left as they are. It is started again at once."""
        self.ends["killed"] += 1
        await self._kill()

    def show(self, evse: int, uid: str) -> None:
        self.readers[evse].show(uid, self.clock.boot_s())

    def size(self) -> int:
        """Bytes of all that lies in the state directory."""
        return sum(path.stat().st_size for path in self.state.rglob("*") if path.is_file())

    async def _kill(self) -> None:
        if self._run is None:
            return
        kept = {name: self.state / name for name in FILES if (self.state / name).exists()}
        for name, path in kept.items():
            shutil.copyfile(path, self.runtime / name)
        self._run.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._run
        for name in FILES:
            (self.state / name).unlink(missing_ok=True)
        for name, path in kept.items():
            shutil.copyfile(self.runtime / name, path)

    async def _control(self, control: Control) -> None:
        await self._second(CONTROL_AT_S)
        await control.run()

    async def _supervise(self) -> None:
        while True:
            await self._second(0.0)
            with directories(self.state, self.runtime):
                self.station = SoakStation(self.settings, self.clock, self._board(), {})
            self._run = self._loop.create_task(self.station.run())
            await asyncio.wait((self._run,))
            self.station = None
            if not self._run.cancelled():
                self._ended(self._run)
            await asyncio.sleep(RESTART_S)

    def _ended(self, run: asyncio.Task[int]) -> None:
        problem = run.exception()
        if problem is not None:
            self.ends["failed"] += 1
            self.failures.append(repr(problem))
            log.error("the station ended", exc_info=problem)
        elif run.result() == POWER_CYCLE:
            self._loop.create_task(self._reboot())
        else:
            self.ends["restarted"] += 1

    async def _reboot(self) -> None:
        await self.power_cut("reboot")
        await asyncio.sleep(RESTART_S)
        self.power_on()

    async def _second(self, at_s: float) -> None:
        """Waits for the next whole second, and a part of one."""
        now = self._loop.time()
        await asyncio.sleep(math.ceil(now) + at_s - now)

    def _board(self) -> StationBoard:
        return StationBoard(dict(self.meters), tuple((reader, evse) for evse, reader in self.readers.items()))


@contextlib.contextmanager
def directories(state: Path, runtime: Path) -> Iterator[None]:
    """What systemd tells a service of its directories."""
    told = {"STATE_DIRECTORY": str(state), "RUNTIME_DIRECTORY": str(runtime)}
    former = {name: os.environ.get(name) for name in told}
    os.environ.update(told)
    try:
        yield
    finally:
        for name, value in former.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def settings(version: str) -> Settings:
    """Of a station as an owner would set it, with a sample each five minutes."""
    return Settings(
        station=Plate(vendor="Maker", model="M1", serial_number="1"),
        evse=tuple(Evse(id=evse, connectors=(CONNECTORS[evse],)) for evse in EVSES),
        csms=Csms(url="ws://csms.invalid/ocpp", identity=IDENTITY, ocpp=(version,)),
        ledger=Ledger(keep_days=KEEP_DAYS),
        ocpp2=Ocpp2(variables={"SampledDataCtrlr.TxUpdatedInterval": SAMPLE_S, "OCPPCommCtrlr.WebSocketPingInterval": PING_S}),
    )
