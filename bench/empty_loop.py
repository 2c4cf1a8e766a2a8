"""A loop of control's period and priority that does nothing: how late the machine itself makes it. Must not know what is measured beside it."""

from __future__ import annotations

import asyncio
import sys
from typing import NamedTuple

LOOP = """
import os, signal, time
try: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50))
except OSError: pass
told, late, due = [], [], time.monotonic()
signal.signal(signal.SIGTERM, lambda *_: told.append(True))
print(flush=True)
while not told:
    due += 0.005
    time.sleep(max(0, due - time.monotonic()))
    late.append(1e6 * (time.monotonic() - due))
    if late[-1] > 5000: due = time.monotonic()
late.sort()
print(*(late[min(len(late) - 1, int(len(late) * share))] for share in (0.5, 0.99, 0.999, 1)), sum(value > 5000 for value in late))
"""


class Late(NamedTuple):
    """Microseconds after its time, and how many turns were a whole period late."""

    p50_us: float
    p99_us: float
    p999_us: float
    max_us: float
    missed: int


class EmptyLoop:
    """The loop, running from `start` to `end`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls) -> EmptyLoop:
        """Returns once it turns."""
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", LOOP, stdout=asyncio.subprocess.PIPE)
        assert process.stdout is not None
        await process.stdout.readline()
        return cls(process)

    async def end(self) -> Late:
        """Ends it, and says how late it was."""
        self._process.terminate()
        out, _ = await self._process.communicate()
        *late, missed = (float(word) for word in out.split())
        return Late(late[0], late[1], late[2], late[3], int(missed))
