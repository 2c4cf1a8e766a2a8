"""The firmware of one simulated charge point as processes: powered on, cut, shut down, and hurt one by one. Must not know the wire.

A power-on starts `chargepoint run` in a session of its own with a fresh CHARGEPOINT_BOOT_ID; whatever it starts inherits that word, and a power
cut ends everything that carries it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from sim import processes
from sim.hang import Held

COMMAND = (sys.executable, "-m", "chargepoint", "run", "--config")
PARTS = ("control", "station")
SIGNALS = {name: signal.Signals[f"SIG{name}"] for name in ("KILL", "STOP", "CONT", "TERM")}
HANG = "HANG"
COMMAND_WORDS = 4
"""`python -m chargepoint control`: the part is named among the first words."""
SHUTDOWN_S = 20.0
HELD_POLL_S = 0.005
DIRECTORIES = ("STATE_DIRECTORY", "RUNTIME_DIRECTORY", "LOGS_DIRECTORY", "CREDENTIALS_DIRECTORY")
DROPPED = ("CHARGEPOINT_", "GPIOZERO_", "NOTIFY_SOCKET", "WATCHDOG_", *DIRECTORIES)


class NoProcess(Exception):
    """There is no such process now; the message says why."""


def environment(own: Mapping[str, str]) -> dict[str, str]:
    """The world's environment without what belongs to other runs and other proxies, and with `own`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(DROPPED) and not name.lower().endswith("_proxy")}
    root = str(Path(__file__).resolve().parent.parent)
    paths = [root, *[path for path in kept.get("PYTHONPATH", "").split(os.pathsep) if path and path != root]]
    return {**kept, "PYTHONPATH": os.pathsep.join(paths), "PYTHONUNBUFFERED": "1", **own}


class Firmware:
    """The processes. `on_end` gets the exit code when the supervisor ends by itself; `on_change` is told of every start and end."""

    def __init__(
        self,
        config: Path,
        own_environment: Mapping[str, str],
        log: Path,
        *,
        on_end: Callable[[int], None],
        on_change: Callable[..., None],
        command: Sequence[str] = COMMAND,
    ) -> None:
        self._command = (*command, str(config))
        self._environment = dict(own_environment)
        self._log = log
        self._on_end = on_end
        self._on_change = on_change
        self._process: asyncio.subprocess.Process | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._mark = ""
        self._ending = False
        self._held = Held()
        self._holder: asyncio.Task[None] | None = None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    def use_environment(self, own: Mapping[str, str]) -> None:
        """What the next power-on gives the firmware."""
        self._environment = dict(own)

    async def start(self) -> None:
        """Power on; nothing happens when it runs. Raises OSError when the command cannot be started."""
        if self.running:
            return
        boot_id = str(uuid.uuid4())
        self._mark, self._ending = f"CHARGEPOINT_BOOT_ID={boot_id}", False
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                env=environment({**self._environment, "CHARGEPOINT_BOOT_ID": boot_id}),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._on_change("firmware_started", pid=self._process.pid)
        self._watcher = asyncio.create_task(self._watch(self._process))

    def strike(self) -> None:
        """SIGKILL, waiting for nobody: for many of them at once. `cut` is to follow."""
        if self._process is not None and self.running:
            self._ending = True
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    async def cut(self) -> None:
        """SIGKILL of everything, now."""
        self._ending = True
        if self._process is None:
            return
        processes.kill_marked(self._mark, leave=frozenset({self._process.pid}))
        await self._ended()

    async def shut_down(self, within_s: float = SHUTDOWN_S) -> None:
        """SIGTERM to the supervisor, then waits; what is left after `within_s` is killed."""
        self._ending = True
        if self._process is not None and self.running:
            processes.send(self._process.pid, signal.SIGTERM)
            await asyncio.wait([asyncio.create_task(self._process.wait())], timeout=within_s)
        await self.cut()

    def pid_of(self, part: str) -> int | None:
        """The process id of `control` or `station`, None while it is not there."""
        for pid in processes.marked(self._mark) if self._mark else []:
            words = processes.command_line(pid)
            if part in words[:COMMAND_WORDS] and "run" not in words[:COMMAND_WORDS]:
                return pid
        return None

    def hurt(self, part: str, how: str) -> int:
        """Sends KILL, STOP, CONT or TERM to a part, or HANGs its main thread (CONT ends that too). Returns the process id.
        Raises NoProcess; PermissionError when the kernel does not let the world hold a thread."""
        pid = self.pid_of(part)
        if pid is None:
            raise NoProcess(f"{part} does not run now" if self.running else f"{part} does not run: the firmware is off")
        if how == HANG:
            self._held.hold(pid)
            if self._holder is None or self._holder.done():
                self._holder = asyncio.create_task(self._settle_held())
        else:
            if how == "CONT":
                self._held.release(pid)
            processes.send(pid, SIGNALS[how])
        return pid

    def has_open(self, device: str) -> bool:
        """Whether a firmware process has a device file open."""
        return any(device in processes.open_files(pid) for pid in (processes.marked(self._mark) if self._mark else []))

    async def _settle_held(self) -> None:
        while self._held:
            self._held.settle()
            await asyncio.sleep(HELD_POLL_S)

    async def _watch(self, process: asyncio.subprocess.Process) -> None:
        code = await process.wait()
        self._on_change("firmware_ended", pid=process.pid, code=code)
        if not self._ending:
            processes.kill_marked(self._mark)
            self._on_end(code)

    async def _ended(self) -> None:
        if self._watcher:
            await asyncio.wait([self._watcher], timeout=1.0)
