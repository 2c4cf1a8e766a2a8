"""A whole station core on real files: control, cars, meters and the CSMS are of paper, and the clock is moved by hand.

What happens to a fact is noted in a file of its own, `said`, before and after: so that of each moment it is known what was promised by then.
Must not know when the power goes.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from chargepoint.csms.face import Face, NoWords, Spoken, StationView
from chargepoint.csms.teller import Teller
from chargepoint.csms.v2.face import build as build_v2
from chargepoint.csms.v16.face import build as build_v16
from chargepoint.factory import model_of
from chargepoint.model.facts import Fact, TransactionFact
from chargepoint.model.idtoken import IdToken
from chargepoint.model.questions import Registration
from chargepoint.settings import Csms, Evse, Ocpp2, Settings
from chargepoint.station.backend import Backend
from chargepoint.station.core import Core, Ground
from chargepoint.store.boots import Boots
from chargepoint.store.db import Db
from chargepoint.store.outbox import Outbox, Waiting
from chargepoint.store.values import Values
from chargepoint.store.variables import Variables
from hal.errors import DeviceLost
from hal.ports import MeterReading, Signature
from tests.offline.scene import PaperCsms
from tests.simclock import SimulatedClock
from tests.station.station_rig import CARD, FakeControl

BUILD = {"ocpp1.6": build_v16, "ocpp2.0.1": build_v2}
WH_PER_S = 3.0
"""11 kW."""
EVSES = (Evse(id=1), Evse(id=2))
Key = tuple[str, int]
"""A transaction and a seq: what a fact is known by."""


class Said:
    """Notes what has been promised, one line each."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def __call__(self, what: str, **more: Any) -> None:
        os.write(self._file, msgspec.json.encode({"what": what, **more}) + b"\n")


def silent(what: str, **more: Any) -> None:
    """Notes nothing."""


class NotingDb(Db):
    """Notes which facts outlive a power cut from now on. fresh: those that do not yet."""

    def __init__(self, path: Path, runtime: Path, boot: str, say: Callable[..., None]) -> None:
        super().__init__(path, alone=True, runtime=runtime, boot=boot)
        self._say = say
        self.fresh: list[Key] = []

    def mark(self) -> None:
        super().mark()
        self.kept()

    def kept(self) -> None:
        if not self.unsynced:
            for key in self.fresh:
                self._say("kept", fact=key)
            self.fresh.clear()


class NotingOutbox(Outbox):
    """Notes each transaction fact when it is to be written, and when it is marked told."""

    def __init__(self, db: NotingDb, say: Callable[..., None]) -> None:
        super().__init__(db)
        self._say, self._file = say, db
        self._batch: list[Waiting] = []
        self.spoken: Spoken | None = None

    def append(self, fact: Fact) -> int:
        if not isinstance(fact, TransactionFact):
            return super().append(fact)
        key = (fact.transaction, fact.seq)
        self._say("will", fact=key, kind=fact.kind.value, wh=fact.register_wh, evse=fact.evse)
        with self._file.transaction():
            id = super().append(fact)
            self._file.after_commit(partial(self._file.fresh.append, key))
            self._file.after_commit(self._file.kept)
        return id

    def told(self, id: int, note: str | None = None) -> None:
        waiting = next((one for one in self._batch if one.id == id and isinstance(one.fact, TransactionFact)), None)
        super().told(id, note)
        if waiting is not None and isinstance(waiting.fact, TransactionFact):
            self._say("told", fact=(waiting.fact.transaction, waiting.fact.seq), note=note, silent=isinstance(self.spoken, NoWords))

    def some(self, delivery: Any, n: int) -> list[Waiting]:
        found = super().some(delivery, n)
        if any(isinstance(one.fact, TransactionFact) for one in found):
            self._batch = found
        return found


class NotingFace:
    """Notes each transaction fact before it is told."""

    def __init__(self, face: Face, outbox: NotingOutbox, say: Callable[..., None]) -> None:
        self._face, self._outbox, self._say = face, outbox, say
        self.subprotocol = face.subprotocol
        self.ask = face.ask

    async def speak(self, fact: Fact, offline: bool) -> Spoken:
        if not isinstance(fact, TransactionFact):
            return await self._face.speak(fact, offline)
        self._say("tells", fact=(fact.transaction, fact.seq))
        self._outbox.spoken = await self._face.speak(fact, offline)
        return self._outbox.spoken


class PaperMeter:
    """The meter of one EVSE; the wire counts in it. silent: it does not answer."""

    signs = False

    def __init__(self, clock: SimulatedClock, evse: int, wh: float) -> None:
        self._clock, self._id = clock, f"meter-{evse}"
        self.wh, self.amps, self.silent = wh, 0.0, False

    async def read(self) -> MeterReading:
        if self.silent:
            raise DeviceLost(self._id, "it is silent")
        amps = (self.amps,) * 3
        watts = (self.amps * 230.0,) * 3
        return MeterReading(self._clock.boot_s(), self.wh, sum(watts), amps, (230.0,) * 3, watts, 50.0, None, self._id)

    async def signature(self) -> Signature:
        raise DeviceLost(self._id, "it does not sign")

    async def close(self) -> None: ...


def settings_of(version: str, sample_s: int) -> Settings:
    """Both EVSEs. sample_s: interval of the periodic samples."""
    variables = {"SampledDataCtrlr.TxUpdatedInterval": sample_s, "TxCtrlr.EVConnectionTimeOut": 30}
    return Settings(evse=EVSES, csms=Csms(url="ws://csms", ocpp=(version,)), ocpp2=Ocpp2(variables=variables))  # type: ignore[arg-type]  # a version's text


class PaperStation:
    """One start of the station on the files of `state`; `runtime` holds what need not outlive the power. wh: the meters' registers."""

    def __init__(
        self,
        state: Path,
        runtime: Path,
        clock: SimulatedClock,
        settings: Settings,
        wh: dict[int, float],
        *,
        csms: PaperCsms,
        say: Callable[..., None] = silent,
    ) -> None:
        self.clock, self.csms, self._say = clock, csms, say
        runtime.mkdir(exist_ok=True)
        self.db = NotingDb(state / "station.db", runtime, clock.boot_id(), say)
        boots = Boots(self.db)
        clock.boot = boots.begin(clock.boot_id())
        self.meters = {evse.id: PaperMeter(clock, evse.id, wh.get(evse.id, 0.0)) for evse in settings.evse}
        self.outbox = NotingOutbox(self.db, say)
        model = model_of(settings, Variables(self.db))
        self.backend: Backend[Any] = Backend(Values(self.db), "", settings.csms.ocpp, self.outbox.change_csms)
        self.core = Core(
            Ground(settings, clock, self.db, boots, model, self.outbox, self.backend, self.meters, _no_report, _no_restart, lambda most: 0.0, {})
        )
        view = StationView(self.core.handlers, model, settings, clock, boots.wall_of, self.outbox, self.backend)
        self._face = NotingFace(BUILD[csms.version](view, csms), self.outbox, say)  # type: ignore[arg-type]  # paper for an Rpc
        face: Any = lambda: self.backend.face  # noqa: E731
        self._teller = Teller(self.outbox, self.backend, face, model, clock, self.core.answered, self.core.connectors.states)
        self.control = FakeControl(clock, settings.evse)
        self.control.start = int(clock.boot_s())  # it starts with its board, and is another one each time
        self.tasks: list[asyncio.Task[None]] = []

    def begin(self) -> None:
        """What the process does once it is built."""
        self.core.begin()
        self.core.hardware.use(self.control)
        self.control.hardware = self.core.hardware
        self.control.connect()
        self.tasks = [asyncio.create_task(work) for work in (self.core.metering.run(), self._teller.run())]

    async def end(self) -> None:
        """The tasks end; the files are left as they are until `db` is closed."""
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        self.control.hardware = None

    def online(self) -> None:
        self.backend.line_up(self._face)
        self.backend.registered(Registration.ACCEPTED)

    def offline(self) -> None:
        self.backend.line_down("paper burns")

    async def swipe(self, evse: int) -> None:
        await self.core.driver.take(IdToken(CARD), evse)
        await self.clock.settle()

    async def second(self, seconds: int = 1) -> None:
        """Lets time pass: cars take what is offered, control opens where nothing is, and the wire counts."""
        for _ in range(seconds):
            await self.clock.advance(1.0)
            for evse, state in list(self.control.states.items()):
                self._wire(evse, state)
            self._say("wh", wh={evse: meter.wh for evse, meter in self.meters.items()})
            self.core.second()
            await self.clock.settle()

    async def all_told(self, within_s: int = 120) -> bool:
        """Lets time pass until nothing waits any more."""
        for _ in range(within_s):
            for _ in range(50):
                if not self.outbox.waiting():
                    return True
                await self.clock.settle()
            await self.second()
        return not self.outbox.waiting()

    def _wire(self, evse: int, state: Any) -> None:
        meter = self.meters[evse]
        if state.closed:
            meter.wh += WH_PER_S
        if state.pilot in ("B", "C"):
            amps = self.control.offer(evse)
            if state.closed and amps == 0:
                self.control.open(evse, why="withdrawn")
            elif not state.closed and amps > 0:
                self.control.close(evse)
        self.control.say(evse)
        meter.amps = 16.0 if self.control.states[evse].closed else 0.0


async def _no_report(request_id: int, parts: Any) -> None: ...


def _no_restart(code: int) -> None: ...
