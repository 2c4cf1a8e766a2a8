"""The station process: opens board and store, joins the station's parts to link, line, readers and sockets, and ends in order. Decides nothing.

Exit codes: 0 told to end; 77 the board is to be restarted, 78 this process (on a CSMS's order); 1 and a message when it cannot run. Whatever fails
in a task ends the process: the permit outlives it by the lease, and the next start goes on from the store.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import random
import signal
import sys
from collections.abc import Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any

from chargepoint import __version__
from chargepoint.board_settings import board_of
from chargepoint.clock import Clock
from chargepoint.csms.face import Face, StationView
from chargepoint.csms.line import Line
from chargepoint.csms.teller import Teller
from chargepoint.factory import model_of
from chargepoint.link.client import LinkClient
from chargepoint.link.messages import OrderKind
from chargepoint.local import service
from chargepoint.model.fault import CATALOGUE
from chargepoint.model.idtoken import IdToken
from chargepoint.model.variable import ReportItem
from chargepoint.model.vehicle import Vehicle
from chargepoint.notify import Notifier
from chargepoint.settings import Settings
from chargepoint.settings_file import load
from chargepoint.station.backend import Backend
from chargepoint.station.certificates import Certificates
from chargepoint.station.core import Core, Ground
from chargepoint.station.ledger_desk import Desk
from chargepoint.station.network_profiles import PASSWORD
from chargepoint.station.report import Report
from chargepoint.station.security import SecurityEvent
from chargepoint.store.boots import Boots
from chargepoint.store.db import Db
from chargepoint.store.outbox import Outbox
from chargepoint.store.values import Values
from chargepoint.store.variables import Variables
from chargepoint.vehicle_files import vehicles
from hal.board import open_station
from hal.errors import DeviceLost
from hal.ports import StationBoard, TokenReader

log = logging.getLogger(__name__)

STATE_DIRECTORY, RUNTIME_DIRECTORY = "/var/lib/chargepoint", "/run/chargepoint"
SECOND_S = 1.0
POWER_CYCLE = 77
"""Exit code of a hard reset; the file `reboot` in the runtime directory says the same to systemd's path unit."""
READER_FAULT = "reader_lost"


def main(config: Path) -> int:
    """Runs the station until SIGTERM, SIGINT or a reset. Returns the exit code."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    settings = load(config)
    _, wiring = board_of(settings, config.parent)
    clock = Clock(has_rtc=wiring.rtc)
    board = open_station(wiring, [evse.id for evse in settings.evse], clock.boot_s, config.parent)
    code = asyncio.run(Station(settings, clock, board, vehicles(settings, config.parent)).run())
    if code == POWER_CYCLE:
        (directory("RUNTIME_DIRECTORY", RUNTIME_DIRECTORY) / "reboot").touch()
    return code


class Station:
    """One run of the process."""

    def __init__(self, settings: Settings, clock: Clock, board: StationBoard, cars: Mapping[str, Vehicle]) -> None:
        self._settings = settings
        self._cars = cars
        self._clock = clock
        self._board = board
        self._runtime = directory("RUNTIME_DIRECTORY", RUNTIME_DIRECTORY)
        self._state = directory("STATE_DIRECTORY", STATE_DIRECTORY)
        self._version = settings.station.firmware_version or __version__
        self._code = 0
        self._over = asyncio.Event()
        self._notifier = Notifier()

    async def run(self) -> int:
        """Serves until told to end."""
        self._db = Db(self._state / "station.db", alone=True, runtime=self._runtime, boot=self._clock.boot_id())
        boots = Boots(self._db)
        self._clock.boot = boots.begin(self._clock.boot_id())
        self._build(boots)
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._failed)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._end, 0)
        self._core.security.started(fresh=boots.fresh, ordered=self._core.provisioning.reasons.ordered, version=self._version)
        self._core.begin()
        desk = Desk(self._db, boots, self._core.outbox.retell)
        served = service.Served(self._report.status, self._clear_fault, Variables(self._db), desk.answer)
        server = await service.serve(self._runtime / "station.sock", served)
        self._notifier.ready()
        try:
            await self._serve()
        finally:
            self._notifier.stopping()
            server.close()
            self._db.close()
        return self._code

    def _build(self, boots: Boots) -> None:
        settings, clock = self._settings, self._clock
        model = model_of(settings, Variables(self._db), [evse for evse, meter in self._board.meters.items() if meter.signs], self._board.bays)
        outbox = Outbox(self._db)
        self._backend: Backend[Face] = Backend(Values(self._db), "", settings.csms.ocpp, outbox.change_csms)
        ground = Ground(
            settings,
            clock,
            self._db,
            boots,
            model,
            outbox,
            self._backend,
            self._board.meters,
            self._send_report,
            self._end,
            lambda most: random.uniform(0.0, most),
            self._cars,
        )
        self._core = core = Core(ground)
        self._link = LinkClient(self._runtime, clock, core.hardware, core.edges.acknowledged)
        core.hardware.use(self._link)
        core.edges.buttons = self._board.buttons
        core.bays.evses = self._board.bays
        self._report = Report(core, self._version)
        view = StationView(
            core.handlers,
            model,
            settings,
            clock,
            boots.wall_of,
            outbox,
            self._backend,
            lambda: [id for id, _ in core.sessions.running()],
            self._version,
            core.metering.main_meter,
        )
        certificates = Certificates(self._state / "certificates", settings.csms.tls, clock)
        self._line = Line(core.network_profiles, view, self._backend, certificates, self._security)
        model.observe(PASSWORD, lambda key, old, new: self._secured("BasicAuthPassword", "the password was changed"))
        core.network_profiles.on_raise = lambda: self._secured("SecurityProfile", "the security profile was raised")
        self._teller = Teller(outbox, self._backend, lambda: self._backend.face, model, clock, core.answered, core.connectors.states)

    async def _serve(self) -> None:
        core = self._core
        work: list[Coroutine[Any, Any, None]] = [
            self._link.run(),
            self._seconds(),
            core.metering.run(),
            core.driver.run(),
            core.provisioning.run(),
            core.resets.run(),
            core.vehicles.run(),
            self._teller.run(),
            self._line.run(),
            *(self._listen(reader, evse) for reader, evse in self._board.readers),
        ]
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one) for one in work]
            await self._over.wait()
            for task in tasks:
                task.cancel()

    async def _seconds(self) -> None:
        """The turn that looks at every session and keeps its permit alive."""
        while True:
            started = self._clock.boot_s()
            self._core.second()
            self._notifier.alive(started)
            await self._clock.sleep(max(0.0, started + SECOND_S - self._clock.boot_s()))

    async def _listen(self, reader: TokenReader, evse: int | None) -> None:
        """One reader's tokens, for as long as the process runs."""
        evses = [one.id for one in self._settings.evse] if evse is None else [evse]
        while True:
            try:
                seen = await reader.next()
            except DeviceLost as lost:
                log.error("the card reader is lost: %s", lost)
                await self._until_back(reader, evses)
                continue
            log.info("a token is shown: ...%s", seen.value[-4:])
            self._core.driver.show(IdToken(seen.value, seen.type), evse)

    async def _until_back(self, reader: TokenReader, evses: Sequence[int]) -> None:
        for evse in evses:
            self._core.connectors.fault(evse, READER_FAULT, True)
        while not reader.healthy():
            await self._clock.sleep(SECOND_S)
        log.info("the card reader is back")
        for evse in evses:
            self._core.connectors.fault(evse, READER_FAULT, False)

    async def _send_report(self, request_id: int, parts: Sequence[ReportItem]) -> None:
        if self._backend.face is not None:
            await self._backend.face.report(request_id, parts)

    async def _clear_fault(self, evse: int, fault: str) -> tuple[bool, str]:
        if fault not in CATALOGUE:
            return False, f"there is no fault {fault!r}; `chargepoint status` names those that hold"
        if evse not in {one.id for one in self._settings.evse}:
            return False, f"there is no EVSE {evse}"
        answer = await self._core.hardware.order(OrderKind.CLEAR_FAULT, evse, fault, in_person=True)
        log.warning("EVSE %d: a person clears %s: %s", evse, fault, "done" if answer.done else answer.text)
        return answer.done, answer.text

    def _secured(self, parameter: str, reason: str) -> None:
        """2.0.1 A01, 1.6 security whitepaper A01 and A05: noted without its content, and used at once."""
        self._core.security.happened(SecurityEvent.PARAMETERS_CHANGED, parameter)
        self._line.redial(reason)

    def _security(self, kind: str, info: str) -> None:
        self._core.security.happened(SecurityEvent(kind), info)

    def _failed(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """What fails in a callback (an edge that cannot be written down) ends the process as what fails in a task does. A conversation on the local
        socket that the end cuts off is no failure."""
        if isinstance(context.get("exception"), asyncio.CancelledError):
            return
        loop.default_exception_handler(context)
        if "handle" in context:
            self._end(1)

    def _end(self, code: int) -> None:
        """Ends with the code; the permit is left to run, so that a restart interrupts nothing."""
        self._code = code
        self._over.set()


def directory(variable: str, otherwise: str) -> Path:
    """Made if it is missing. Where it cannot be, who uses it says so: the store goes on in memory."""
    path = Path(os.environ.get(variable, otherwise).split(":")[0])
    with contextlib.suppress(OSError):
        path.mkdir(parents=True, exist_ok=True)
    return path
