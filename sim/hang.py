"""Holds the main thread of a process while its other threads run on: what a hung loop looks like. Must not know which process it is.

ptrace(2) with PTRACE_SEIZE stops one thread without a signal, so an unmodified program cannot notice it. A traced process that dies is
reported to the tracer before its parent: `settle` must be called now and then while something is held.
"""

from __future__ import annotations

import ctypes
import os

from sim import processes

PTRACE_DETACH, PTRACE_SEIZE, PTRACE_INTERRUPT = 17, 0x4206, 0x4207


def _ptrace(request: int, pid: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.restype = ctypes.c_long
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    if libc.ptrace(request, pid, None, None) < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


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
        _ptrace(PTRACE_INTERRUPT, pid)

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
