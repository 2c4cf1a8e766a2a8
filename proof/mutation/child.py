"""One mutant in a process of its own, and in it the tests that can find it, until one fails. Must not know how mutants are made or tests are chosen.

Limits are of processor time, so that a busy machine kills no mutant; only what stands still altogether is ended by the clock on the wall.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import traceback
from collections.abc import Callable, Sequence
from typing import NamedTuple, NoReturn

import pytest

BUDGET_S = 10.0
"""For one mutant; what was not found by then is said to have survived, with the share of its tests that were run."""
SPARE_S, TIMES = 3.0, 10.0
"""A test that takes so much longer than it should does not end: that is found too."""
STANDS_STILL_S = 180.0
MEMORY_BYTES = 3 * 1024**3
KILLED, SURVIVED, ENDLESS = "killed", "survived", "killed: endless"
ENDLESS_BY = (signal.SIGPROF, signal.SIGALRM, signal.SIGXCPU)


class Outcome(NamedTuple):
    """by: the test that found it."""

    outcome: str
    ran: int
    by: str = ""


def used_s() -> float:
    """Processor time of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def apart(work: Callable[[], Outcome]) -> Outcome:
    """Does the work in a process of its own. One that dies of it is found. Raises RuntimeError when the work itself went wrong."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        _in_child(work, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        told = pipe.read()
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        return Outcome(ENDLESS if os.WTERMSIG(status) in ENDLESS_BY else KILLED, 0)
    if not told:
        raise RuntimeError("a trial ended without an outcome")
    return Outcome(*json.loads(told))


def _in_child(work: Callable[[], Outcome], writing: int) -> NoReturn:
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1):
        os.dup2(nowhere, number)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    told = b""
    try:
        told = json.dumps(work()).encode()
    finally:
        if not told:
            traceback.print_exc()
        os.write(writing, told)
        os._exit(0)


def allow(seconds: float) -> None:
    """From here on so much processor time, and a little; then the process ends."""
    signal.setitimer(signal.ITIMER_PROF, SPARE_S + TIMES * seconds)
    signal.setitimer(signal.ITIMER_REAL, STANDS_STILL_S + TIMES * seconds)


def try_on(session: pytest.Session, items: Sequence[tuple[pytest.Item, float]]) -> Outcome:
    """Runs tests until one fails. items: each with the processor time it takes."""
    for number, (item, seconds) in enumerate(items, 1):
        allow(seconds)
        item.ihook.pytest_runtest_protocol(item=item, nextitem=None)
        if session.testsfailed:
            return Outcome(KILLED, number, item.nodeid)
        if used_s() > BUDGET_S:
            return Outcome(SURVIVED, number)
    return Outcome(SURVIVED, len(items))
