"""The world process: charge points side by side, their wires, the control API, and everything's end. Must not know what an act means."""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal

from aiohttp import web

from chargepoint.board_settings import board_of
from chargepoint.settings_file import Problem, SettingsError, load
from hal.errors import BoardError
from sim import api, processes, vehicles
from sim.derive import CannotDerive, derived
from sim.ending import Ending
from sim.firmware import COMMAND
from sim.rig_process import RigProcess
from sim.site import Site

if TYPE_CHECKING:
    from sim.csms.server import Csms
    from sim.record import Recorder

HINT = """\
open {url} in a browser: click «plug in», then «swipe»; the contactor closes and the energy counts up. Swipe again, or unplug, to end.
built-in CSMS at {csms}; what it knows: {url}/csms/state
Ctrl-C ends it all."""

log = logging.getLogger(__name__)

Power = Literal["on", "off", "service"]
END_S = 1.2
PATH_LIMIT = 40
"""A run directory longer than this leaves no room for the sockets in it (sun_path holds 108 bytes)."""


Changes = dict[tuple[str, str], str | int]
PASSWORD = "built-in-csms-password"
"""Security profile 2 is TLS with HTTP Basic authentication; the built-in CSMS takes any password."""


class WorldError(Exception):
    """The world cannot be built; the message says what to do."""


class World:
    """All charge points of one `up`. `stations` None: one, with the identity as it stands; else so many, each with "-i" after its identity.
    `csms`: start the built-in CSMS and point the firmware to it; `tls`: the same over TLS. `record`: the scenario file that what is done to the one
    charge point becomes."""

    def __init__(
        self,
        config: Path,
        directory: Path,
        *,
        stations: int | None = None,
        csms: bool = False,
        tls: bool = False,
        port: int = 0,
        command: Sequence[str] = COMMAND,
        record: Path | None = None,
    ) -> None:
        self.config, self.directory = config.resolve(), directory.resolve()
        self.sites: list[Site] = []
        self.vehicles: list[dict[str, str]] = []
        self.csms = self._own_csms(tls) if csms or tls else None
        self.port = port
        self.ending = Ending()
        self._count = stations
        self._command = command
        self._record = record
        self._recorder: Recorder | None = None
        self._rigs: list[RigProcess] = []
        self._lock: IO[str] | None = None
        self._guard: subprocess.Popen[bytes] | None = None
        self._run = Path()
        self._runner: web.AppRunner | None = None

    async def start(self, *, power: Power = "on") -> None:
        """Builds everything, switches the power as told and listens. Raises WorldError; `stop` must be called in any case."""
        self.vehicles = _vehicles(self.config.parent)
        self._lock = _locked(self.directory)
        self._run = _run_directory()
        processes.adopt_orphans()
        self.ending.word = f"CHARGEPOINT_WORLD={self._run}/"
        self._guard = _start_guard(self._run)
        csms = _csms_settings(self.csms, await self.csms.start()) if self.csms else {}
        await asyncio.gather(*(self._build(number, csms) for number in range(1, (self._count or 1) + 1)))
        self.sites.sort(key=lambda site: site.number)
        if self._record:
            self._recorder = self._recording(self._record)
        await self._listen()
        if power != "off":
            await asyncio.gather(*(site.power_on() if power == "on" else site.service() for site in self.sites))

    async def stop(self) -> None:
        """Cuts the power and leaves no process."""
        try:
            async with asyncio.timeout(END_S):
                await self._stop_parts()
        except TimeoutError:
            log.warning("the world did not end in time and was cut off")
        finally:
            self._end_processes()

    async def _stop_parts(self) -> None:
        if self._recorder:
            await self._recorder.stop()
        for site in self.sites:
            site.firmware.strike()
        results = await asyncio.gather(*(site.stop() for site in self.sites), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                log.error("while ending: %r", result)
        if self._runner:
            await self._runner.cleanup()
        if self.csms:
            await self.csms.stop()
        await asyncio.gather(*(rig.stop() for rig in self._rigs))

    def _end_processes(self) -> None:
        if self.ending.word:
            processes.kill_marked(self.ending.word)
        if self._guard and self._guard.stdin:
            self._guard.stdin.close()
            self._guard.wait()
        if self._lock:
            self._lock.close()

    async def _build(self, number: int, csms: Changes) -> None:
        one_of_many = self._count is not None
        directory = self.directory / f"station-{number}" if one_of_many else self.directory
        run = self._run / str(number)
        run.mkdir()
        directory.mkdir(parents=True, exist_ok=True)
        config = self._derived(run, number if one_of_many else None, csms)
        try:
            settings = load(config)
            board = board_of(settings, config.parent)[1]
        except (SettingsError, BoardError) as error:
            raise WorldError(str(error)) from None
        site = Site(number, config, settings, board, directory, run, self._command)
        rig = RigProcess(config, site.rig_socket, directory / "rig.log")
        self._rigs.append(rig)
        self.sites.append(site)
        await site.start(await rig.start())

    def _own_csms(self, tls: bool) -> Csms:
        from sim.csms.server import Csms

        return Csms(self.directory / "csms", self._overhear) if tls else Csms(None, _nobody)

    def _overhear(self, identity: str, sender: str, text: str) -> None:
        """A message on a line that is encrypted."""
        for site in self.sites:
            if site.identity == identity:
                site.overheard.message(sender, text)

    def _derived(self, run: Path, number: int | None, csms: Changes) -> Path:
        """The settings the firmware gets: the user's own file unless something has to be changed in it."""
        try:
            identity = load(self.config).csms.identity
            changes: Changes = {**csms, **({("csms", "identity"): f"{identity}-{number}"} if number else {})}
            if not changes:
                return self.config
            if (vehicles := self.config.parent / "vehicles").is_dir():
                (run / "vehicles").symlink_to(vehicles.resolve())
            made = run / self.config.name
            made.write_text(derived(self.config.read_text("utf-8"), changes, self.config.parent), "utf-8")
            return made
        except SettingsError as error:
            raise WorldError("\n".join(map(_worded, error.problems))) from None
        except (CannotDerive, ValueError, RecursionError, OSError) as error:
            raise WorldError(f"{self.config}: {error}") from None

    def _recording(self, file: Path) -> Recorder:
        from sim.record import Recorder

        recorder = Recorder(file, self.sites[0], own_csms=self.csms is not None)
        try:
            recorder.start()
        except OSError as error:
            raise WorldError(f"{file} cannot be written: {error.strerror}; give another file with --record") from None
        return recorder

    async def _listen(self) -> None:
        app = api.application(self)
        if self._recorder:
            app.middlewares.append(self._recorder.middleware)
        if self.csms:
            from sim.csms.api import add_routes

            add_routes(app, self.csms)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.3)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, "127.0.0.1", self.port).start()
        except OSError as error:
            raise WorldError(f"port {self.port} cannot be used: {error.strerror or error}; give another with --port, 0 picks a free one") from None
        self.port = int(self._runner.addresses[0][1])


def _vehicles(config_dir: Path) -> list[dict[str, str]]:
    """The cars that can be plugged in by name. Raises WorldError when a file of an own one is wrong."""
    try:
        return vehicles.listed(config_dir)
    except SettingsError as error:
        raise WorldError(str(error)) from None


def _nobody(identity: str, sender: str, text: str) -> None:
    """A line that is not encrypted is read from the line."""


def _csms_settings(csms: Csms, port: int) -> Changes:
    """What points a charge point to the built-in CSMS."""
    if csms.certificates is None:
        return {("csms", "url"): f"ws://127.0.0.1:{port}/ocpp"}
    return {
        ("csms", "url"): f"wss://127.0.0.1:{port}/ocpp",
        ("csms", "security_profile"): 2,
        ("csms", "basic_auth_password"): PASSWORD,
        ("csms.tls", "ca_file"): str(csms.certificates.ca_file),
    }


def _worded(problem: Problem) -> str:
    return str(problem)


def _locked(directory: Path) -> IO[str]:
    """One world per directory at a time. Raises WorldError."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        lock = (directory / "world.lock").open("a")
    except OSError as error:
        raise WorldError(f"{directory} cannot be used as state directory: {error.strerror}") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise WorldError(f"another world uses {directory}; end it or give another --state-dir") from None
    return lock


def _run_directory() -> Path:
    """A short path for sockets and lines."""
    place = tempfile.gettempdir()
    return Path(tempfile.mkdtemp(prefix="cpsim-", dir=place if len(place) < PATH_LIMIT else "/tmp")).resolve()


def _start_guard(run: Path) -> subprocess.Popen[bytes]:
    """Ends everything if the world is killed."""
    script = Path(__file__).parent / "guard.py"
    return subprocess.Popen(
        [sys.executable, "-I", "-S", str(script), str(run)], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True
    )


def run(
    config: Path, directory: Path, port: int, *, power: Power, csms: bool, tls: bool, stations: int | None, record: Path | None, show: bool
) -> int:
    """`chargepoint-sim up`: in the foreground until SIGTERM or SIGINT. show: open the page in a browser. Returns the exit code."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("pymodbus").setLevel(logging.CRITICAL)
    return asyncio.run(_run(World(config, directory, stations=stations, csms=csms, tls=tls, port=port, record=record), power, show))


def _open_page(url: str) -> None:
    """In a browser, where there is a screen; whatever comes of it holds nothing up."""
    if sys.platform == "darwin" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        quiet = subprocess.DEVNULL
        subprocess.Popen([sys.executable, "-m", "webbrowser", url], stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True)


async def _run(world: World, power: Power, show: bool) -> int:
    end, loop = asyncio.Event(), asyncio.get_running_loop()

    def begin(*_: object) -> None:
        """At once, even while the loop does not turn."""
        world.ending.begin()
        loop.call_soon_threadsafe(end.set)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, begin)
    starting = asyncio.create_task(world.start(power=power))
    ending = asyncio.create_task(end.wait())
    try:
        await asyncio.wait([starting, ending], return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            starting.result()
            print(f"listening on http://127.0.0.1:{world.port}", flush=True)
            if power == "service":
                print("\n".join(site.selftest_command() for site in world.sites), flush=True)
            if world.csms:
                print(HINT.format(url=f"http://127.0.0.1:{world.port}", csms=world.sites[0].settings.csms.url), flush=True)
            if show:
                _open_page(f"http://127.0.0.1:{world.port}")
            await ending
        return 0
    except WorldError as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        await world.stop()


__all__ = ["World", "WorldError", "run"]
