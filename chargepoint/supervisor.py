"""`chargepoint run`: both processes, each restarted alone when it dies; outputs safe after control died or hung. Must not know what they do.

Imports next to nothing, for it stays in memory, and what it needs later only after the start. Control is given a watchdog: a process that is
stopped or hangs is killed.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path

from chargepoint.control import realtime

RUNTIME_DIRECTORY = "/run/chargepoint"
POWER_CYCLE = 77
"""The station's exit code: the board is to be powered off and on."""
AGAIN = 78
"""The station's exit code: start it again at once."""
TICK_MS = 200
QUICK_TICKS = 25
"""A process that died within 5 s of its start waits longer for the next."""
WAIT_TICKS, WAIT_LONGER_TICKS = 1, 5
WATCHDOG_TICKS = 6
WATCHDOG_US = 1_000_000
END_TICKS = 75
"""15 s: longer than control's own end takes."""


class Child:
    """One process. urgent: begins with real-time priority where that is permitted, so that a busy machine does not hold up its start; wait: ticks
    until the next start, None while it runs; age: ticks since its start; quiet: ticks since its last sign of life, None until the first."""

    def __init__(self, name: str, config: Path, environment: dict[str, str], *, urgent: bool = False) -> None:
        self.name = name
        self._urgent = urgent
        self._command = [sys.executable, "-m", "chargepoint", name, "--config", str(config)]
        self._environment = environment
        self.pid = 0
        self.wait: int | None = 0
        self.age = 0
        self.quiet: int | None = None

    def start(self) -> None:
        self.pid = self._spawned()
        self.wait, self.age, self.quiet = None, 0, None

    def _spawned(self) -> int:
        command, environment = self._command, self._environment
        if self._urgent:
            with suppress(PermissionError):
                return os.posix_spawn(command[0], command, environment, scheduler=(os.SCHED_FIFO, os.sched_param(realtime.START_PRIORITY)))
        return os.posix_spawn(command[0], command, environment)

    def ended(self, code: int) -> None:
        """It died; when it starts again."""
        self.pid = 0
        self.wait = 0 if code == AGAIN else WAIT_LONGER_TICKS if self.age < QUICK_TICKS else WAIT_TICKS

    def kill(self, number: int) -> None:
        if self.pid:
            os.kill(self.pid, number)


class Supervisor:
    """directory: for pids.json."""

    def __init__(self, config: Path, directory: Path) -> None:
        self._config = config
        self._directory = directory
        self._lives = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        self._lives.bind("")  # an abstract address of the kernel's choice
        address = "@" + self._lives.getsockname()[1:].decode()
        watched = {**os.environ, "NOTIFY_SOCKET": address, "WATCHDOG_USEC": str(WATCHDOG_US)}
        watched.pop("WATCHDOG_PID", None)
        plain = {key: value for key, value in os.environ.items() if key not in ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")}
        self.control = Child("control", config, watched, urgent=True)
        self.station = Child("station", config, plain)
        self._children = (self.control, self.station)
        self._alone = len(os.sched_getaffinity(0)) == 1
        self._ending: int | None = None
        self._code = 0
        self._asked = False
        self._signals, write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(write, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask_end)
        for number in (signal.SIGCHLD, signal.SIGALRM):
            signal.signal(number, lambda *_: None)

    def run(self) -> int:
        """Runs until told to end. Returns the exit code."""
        poll = select.poll()
        poll.register(self._lives, select.POLLIN)
        poll.register(self._signals, select.POLLIN)
        signal.setitimer(signal.ITIMER_REAL, TICK_MS / 1000, TICK_MS / 1000)
        self._start_due()
        while self._ending is None or any(child.pid for child in self._children):
            drained = [self._drain(descriptor) for descriptor, _ in poll.poll()]
            self._reap()
            if self._asked:
                self._end(0)
            if any(drained):
                self._tick()
            self._start_due()
        signal.setitimer(signal.ITIMER_REAL, 0)
        self._write_pids()
        return self._code

    def _ask_end(self, *_: object) -> None:
        self._asked = True

    def _drain(self, descriptor: int) -> bool:
        """Takes signs of life and signals; whether a tick was among them: one, however late this process looks."""
        if descriptor == self._signals:
            return signal.SIGALRM in os.read(descriptor, 256)
        if self._lives.recv(4096):
            self.control.quiet = 0
        return False

    def _reap(self) -> None:
        while any(child.pid for child in self._children):
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            for child in self._children:
                if child.pid == pid:
                    self._ended(child, os.waitstatus_to_exitcode(status))

    def _ended(self, child: Child, code: int) -> None:
        child.ended(code)
        if child is self.control:
            make_safe(self._config)
        if self._ending is None:
            print(f"run: {child.name} ended with {code}", file=sys.stderr, flush=True)
            if child is self.station and code == POWER_CYCLE:
                self._end(POWER_CYCLE)

    def _tick(self) -> None:
        for child in self._children:
            child.age += 1
            if child.wait:
                child.wait -= 1
        control = self.control
        if control.quiet is not None:
            control.quiet += 1
            if control.pid and control.quiet > WATCHDOG_TICKS:
                print("run: control gives no sign of life; killed", file=sys.stderr, flush=True)
                control.kill(signal.SIGKILL)
        if self._ending is not None:
            self._ending -= 1
            if self._ending <= 0:
                for child in self._children:
                    child.kill(signal.SIGKILL)

    def _start_due(self) -> None:
        due = [child for child in self._children if child.wait == 0 and not (child is self.station and self._control_begins)]
        if self._ending is None and due:
            for child in due:
                child.start()
            self._write_pids()

    @property
    def _control_begins(self) -> bool:
        """On a board with one processor control has it to itself from its start to its first sign of life, for a tick at most."""
        control = self.control
        return self._alone and (control.wait == 0 or (bool(control.pid) and control.quiet is None and control.age == 0))

    def _end(self, code: int) -> None:
        if self._ending is None:
            self._ending, self._code = END_TICKS, code
            for child in self._children:
                child.kill(signal.SIGTERM)

    def _write_pids(self) -> None:
        import json

        pids = {"run": os.getpid(), **{child.name: child.pid or None for child in self._children}}
        temporary = self._directory / "pids.json.new"
        temporary.write_text(json.dumps(pids), "ascii")
        temporary.replace(self._directory / "pids.json")


def make_safe(config: Path) -> None:
    """Coils off, pilots at X1, by the board file alone."""
    from chargepoint import safe_child

    safe_child.make_safe(config)


def main(config: Path) -> int:
    """Runs both processes until SIGTERM or SIGINT. Returns 0, or 77 when the board wants a power cycle."""
    directory = Path(os.environ.get("RUNTIME_DIRECTORY", RUNTIME_DIRECTORY).split(":")[0])
    directory.mkdir(parents=True, exist_ok=True)
    return Supervisor(config, directory).run()
