"""Finds and ends the processes of one run by a word in their environment. Must not know what they do.

Every process a world starts carries the path of the world's run directory in its environment, and so do its children; a kill that goes by
that word misses no grandchild and touches nobody else's process.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import time
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
WALL = 0x40000000
"""__WALL of waitpid(2): children of any kind, traced threads too."""

POLL_S = 0.002


def adopt_orphans() -> None:
    """Grandchildren whose parent dies become ours, so that they can be reaped (prctl PR_SET_CHILD_SUBREAPER)."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def marked(word: str) -> list[int]:
    """The living processes (zombies excluded) whose environment has an entry that starts with `word`."""
    needle = word.encode()
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            environment = Path("/proc", entry, "environ").read_bytes()
            if needle in environment and any(item.startswith(needle) for item in environment.split(b"\0")):
                found.append(int(entry))
    return found


def command_line(pid: int) -> list[str]:
    """The arguments of a process; empty when it is gone."""
    try:
        return [part.decode(errors="replace") for part in Path("/proc", str(pid), "cmdline").read_bytes().split(b"\0") if part]
    except OSError:
        return []


def send(pid: int, number: signal.Signals) -> bool:
    """Sends a signal. False: the process is gone."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def reap(pid: int) -> bool:
    """Takes the exit status of an adopted or traced process. True: nothing is left of it. A process whose dying parent has not handed it
    over yet is still there."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG | WALL)
    return not Path("/proc", str(pid)).exists()


def kill_marked(word: str, *, within_s: float = 1.0, leave: frozenset[int] = frozenset()) -> bool:
    """SIGKILLs every marked process until none is left, and reaps those that became ours; `leave` are direct children somebody else waits
    for (killed, not reaped here). Returns False when some are left after `within_s` seconds."""
    deadline = time.monotonic() + within_s
    while pids := marked(word):
        for pid in pids:
            send(pid, signal.SIGKILL)
        left = {pid for pid in pids if pid not in leave}
        while left := {pid for pid in left if not reap(pid)}:  # looked for one by one: a look at every process costs too much on a busy machine
            if time.monotonic() > deadline:
                return False
            time.sleep(POLL_S)
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_S)
    return True


def open_files(pid: int) -> set[str]:
    """What a process's descriptors point to; empty when it is gone or another user's."""
    found = set()
    with contextlib.suppress(OSError):
        for entry in Path("/proc", str(pid), "fd").iterdir():
            with contextlib.suppress(OSError):
                found.add(os.readlink(entry))
    return found
