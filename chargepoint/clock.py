"""Time is two things: monotonic for waiting, wall for telling. Nobody else calls time, asyncio.sleep or loop.call_later.

Must not know: who waits, or why. Imports asyncio only inside the coroutines, so that the control process stays free of it.
"""

from __future__ import annotations

import os
import select
import time
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from chargepoint.model.stamp import Stamp

T = TypeVar("T")

NS = 1_000_000_000
SYNCHRONISED = "/run/systemd/timesync/synchronized"
BOOT_ID = "/proc/sys/kernel/random/boot_id"


class Timer(Protocol):
    """A pending call; `cancel` may be called at any time, also after it ran."""

    def cancel(self) -> None: ...


class Clock:
    """The system's clocks. `boot` numbers the boots of this board (the store gives it out); `has_rtc` is the board's word that the
    wall clock is right from the start."""

    def __init__(self, *, has_rtc: bool = False) -> None:
        self.boot = 0
        self._has_rtc = has_rtc
        self._offset_s: float | None = None

    def boot_s(self) -> float:
        """Seconds since boot, suspend included (CLOCK_BOOTTIME)."""
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) / NS

    def boot_id(self) -> str:
        """The identity of this boot of the kernel, or of the simulated board's power-on."""
        return os.environ.get("CHARGEPOINT_BOOT_ID") or open(BOOT_ID, encoding="ascii").read().strip()

    def wall_s(self) -> float:
        """Best present estimate of UTC, seconds since 1970."""
        if self._offset_s is not None and not self._system_known():
            return self.boot_s() + self._offset_s
        return time.time()

    def wall_known(self) -> bool:
        """Whether `wall_s` is known to be right: a real-time clock, a synchronised kernel, or a time learnt from the CSMS."""
        return self._offset_s is not None or self._system_known()

    def learn_wall(self, wall_s: float) -> None:
        """Takes a time told by a CSMS (seconds since 1970); used while the system's own clock is not known."""
        self._offset_s = wall_s - self.boot_s()

    def stamp(self) -> Stamp:
        """Now, in both kinds of time."""
        return self.stamp_at(self.boot_s())

    def stamp_at(self, boot_s: float) -> Stamp:
        """A moment of this boot, in both kinds of time."""
        return Stamp(self.boot, boot_s, self.wall_s() - (self.boot_s() - boot_s), self.wall_known())

    def sleep_until(self, boot_s: float) -> None:
        """Blocks until the moment; returns at once when it is past."""
        left = boot_s - self.boot_s()
        if left > 0:
            time.sleep(left)

    def wait_until(self, boot_s: float, descriptor: int) -> bool:
        """Blocks until the moment, or until the descriptor can be read. Answers whether it can."""
        readable, _, _ = select.select([descriptor], [], [], max(0.0, boot_s - self.boot_s()))
        return bool(readable)

    async def sleep(self, seconds: float) -> None:
        import asyncio

        await asyncio.sleep(seconds)

    async def wait_for(self, awaitable: Awaitable[T], seconds: float) -> T:
        """Awaits with a deadline. Raises TimeoutError (the awaitable is cancelled)."""
        import asyncio

        async with asyncio.timeout(seconds):  # asyncio.wait_for forgets a cancellation that comes with the result, before Python 3.12
            return await awaitable

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        """Calls back from the running event loop after the time."""
        import asyncio

        return asyncio.get_running_loop().call_later(max(0.0, seconds), callback)

    def _system_known(self) -> bool:
        return self._has_rtc or os.path.exists(SYNCHRONISED)
