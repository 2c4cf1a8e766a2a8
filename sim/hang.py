"""Holds the main thread of a process while its other threads run on: what a hung loop looks like. Must not know which process it is.

ptrace(2) with PTRACE_SEIZE stops one thread without a signal, so an unmodified program cannot notice it. A traced process that dies is
reported to the tracer before its parent: `settle` must be called now and then while something is held.

A Python thread stopped between two instructions holds the interpreter's lock, and no other thread would run on: the thread is let go and
stopped again until it stands in a system call, where it has given the lock up.
"""

from __future__ import annotations

import ctypes
import os
import time
from pathlib import Path

from sim import processes

PTRACE_CONT, PTRACE_DETACH, PTRACE_SEIZE, PTRACE_INTERRUPT = 7, 17, 0x4206, 0x4207
TRIES = 100
STOPS_WITHIN_S = 0.02
BETWEEN_S = 0.0007
LOOK_S = 0.0001
IN_USER_SPACE = "-1"


def _ptrace(request: int, pid: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.restype = ctypes.c_long
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    if libc.ptrace(request, pid, None, None) < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _stopped(pid: int) -> bool:
    """Waits for the stop asked for. False: it does not come at once (a system call that cannot be interrupted), or the process is gone."""
    deadline = time.monotonic() + STOPS_WITHIN_S
    while time.monotonic() < deadline:
        found, status = os.waitpid(pid, os.WNOHANG | processes.WALL)
        if found:
            return os.WIFSTOPPED(status)
        time.sleep(LOOK_S)
    return False


def _in_system_call(pid: int) -> bool:
    """Whether the stopped main thread stands in a system call."""
    try:
        return Path("/proc", str(pid), "syscall").read_text().split()[0] != IN_USER_SPACE
    except OSError:
        return True


class Held:
    """The main threads held now. To be used from one thread only, as the kernel asks of a tracer."""

    def __init__(self) -> None:
        self._pids: set[int] = set()

    def __contains__(self, pid: int) -> bool:
        return pid in self._pids

    def __bool__(self) -> bool:
        return bool(self._pids)

    def hold(self, pid: int) -> None:
        """Stops the main thread. Raises OSError when the kernel does not let us (PermissionError) or the process is gone."""
        if pid in self._pids:
            return
        _ptrace(PTRACE_SEIZE, pid)
        self._pids.add(pid)
        for last in (False,) * TRIES + (True,):
            _ptrace(PTRACE_INTERRUPT, pid)
            if not _stopped(pid) or _in_system_call(pid) or last:
                return
            _ptrace(PTRACE_CONT, pid)
            time.sleep(BETWEEN_S)

    def release(self, pid: int) -> None:
        """Lets the main thread go on; nothing happens when it is not held."""
        if pid not in self._pids:
            return
        self._pids.discard(pid)
        try:
            os.waitpid(pid, os.WNOHANG | processes.WALL)
            _ptrace(PTRACE_DETACH, pid)
        except (ProcessLookupError, ChildProcessError):
            pass

    def settle(self) -> None:
        """Takes the death of held processes, so that their parent is told."""
        for pid in list(self._pids):
            try:
                found, status = os.waitpid(pid, os.WNOHANG | processes.WALL)
            except ChildProcessError:
                self._pids.discard(pid)
                continue
            if found and not os.WIFSTOPPED(status):
                self._pids.discard(pid)
