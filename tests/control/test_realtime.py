"""Real-time priority and locked memory: asked for in their order, and each refusal said once."""

from __future__ import annotations

import ctypes
import errno
import os
import sys
import threading

import pytest

from chargepoint.control import realtime


class Kernel:
    """Grants, or refuses."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[object] = []
        self.refuses_priority = False
        self.refuses_memory = False
        monkeypatch.setattr(os, "sched_setscheduler", self._schedule)
        monkeypatch.setattr(ctypes, "CDLL", self._library)
        monkeypatch.setattr(ctypes, "get_errno", lambda: errno.ENOMEM)
        monkeypatch.setattr(sys, "setswitchinterval", lambda seconds: self.asked.append(("switch", seconds)))
        monkeypatch.setattr(threading, "stack_size", lambda size: self.asked.append(("stack", size)))

    def _schedule(self, pid: int, policy: int, param: os.sched_param) -> None:
        self.asked.append((pid, policy, param.sched_priority))
        if self.refuses_priority:
            raise PermissionError(errno.EPERM, "not permitted")

    def _library(self, name: object, use_errno: bool) -> Kernel:
        assert name is None and use_errno
        return self

    def mlockall(self, flags: int) -> int:
        self.asked.append(("lock", flags))
        return -1 if self.refuses_memory else 0


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    return Kernel(monkeypatch)


CURRENT_FUTURE_ONFAULT = 7
"""mlockall(2)."""
SETTLED = [("switch", 0.0005), ("stack", 262144), ("lock", CURRENT_FUTURE_ONFAULT)]


def test_a_start_is_before_every_other_process_and_behind_every_loop(kernel: Kernel) -> None:
    assert realtime.ask_priority() == ""
    assert kernel.asked == [(0, os.SCHED_FIFO, 2)]
    kernel.refuses_priority = True
    assert realtime.ask_priority() == "[Errno 1] not permitted"


def test_what_is_granted_is_not_spoken_of(kernel: Kernel) -> None:
    lines: list[str] = []
    realtime.settle("", lines.append)
    assert kernel.asked == [(0, os.SCHED_FIFO, 50), *SETTLED]
    assert lines == []


def test_what_was_refused_at_the_start_is_said_and_not_asked_again(kernel: Kernel) -> None:
    lines: list[str] = []
    realtime.settle("not permitted", lines.append)
    assert kernel.asked == SETTLED
    assert lines == ["control: no real-time priority (not permitted); the loop may be late when the machine is busy"]


def test_what_is_refused_then_is_said_too(kernel: Kernel) -> None:
    kernel.refuses_priority = kernel.refuses_memory = True
    lines: list[str] = []
    realtime.settle("", lines.append)
    assert lines == [
        "control: no real-time priority ([Errno 1] not permitted); the loop may be late when the machine is busy",
        "control: memory is not locked (Cannot allocate memory)",
    ]
