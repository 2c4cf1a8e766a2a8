"""Locked memory, real-time priority: asked for where permitted. Must not know the loop. Light: imported before the outputs are safe."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

PRIORITY = 50
START_PRIORITY = 2
"""Before every other process, and behind every loop that turns already."""
MCL_CURRENT, MCL_FUTURE, MCL_ONFAULT = 1, 2, 4
"""On fault: what has been touched stays; code that never runs costs no memory."""
STACK_BYTES = 256 * 1024
"""Of the slow thread; a locked one of 8 MiB would be a third of the process."""
SWITCH_S = 0.0005
"""How long the slow thread may keep the interpreter from the loop."""


def ask_priority() -> str:
    """Asked for first of all, so that a busy machine does not hold up the start. Answers why it was refused; "" when it was granted."""
    return _take(START_PRIORITY)


def settle(refused: str, say: Callable[[str], None]) -> None:
    """Takes the loop's priority and locks the memory, and says once what was refused. Called before the slow thread starts."""
    import ctypes
    import threading

    refused = refused or _take(PRIORITY)
    sys.setswitchinterval(SWITCH_S)
    threading.stack_size(STACK_BYTES)
    if refused:
        say(f"control: no real-time priority ({refused}); the loop may be late when the machine is busy")
    if ctypes.CDLL(None, use_errno=True).mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) != 0:
        say(f"control: memory is not locked ({os.strerror(ctypes.get_errno())})")


def _take(priority: int) -> str:
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(priority))
    except OSError as error:
        return str(error)
    return ""
