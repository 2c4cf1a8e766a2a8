"""A clock that only moves when a test says so. Must not know what is tested.

`await clock.advance(10)` fires every sleep, timer and deadline of the next 10 s in order, letting tasks run after each.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Awaitable, Callable
from typing import TypeVar

from chargepoint.clock import Clock

T = TypeVar("T")


class SimulatedTimer:
    """A pending call of the simulated clock."""

    def __init__(self, callback: Callable[[], None]) -> None:
        self._callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        self._callback = None

    def fire(self) -> None:
        if self._callback is not None:
            callback, self._callback = self._callback, None
            callback()


class SimulatedClock(Clock):
    """boot_s starts at `start_s`, the wall clock at `wall_s` (2024-01-01T00:00:00Z unless said); known: whether the wall clock is right."""

    def __init__(
        self, *, start_s: float = 1000.0, wall_s: float = 1_704_067_200.0, known: bool = True, boot: int = 1, boot_id: str = "boot-1"
    ) -> None:
        super().__init__()
        self.boot = boot
        self._now = start_s
        self._wall_offset_s = wall_s - start_s
        self._known = known
        self._name = boot_id
        self._heap: list[tuple[float, int, SimulatedTimer]] = []
        self._count = itertools.count()

    def boot_s(self) -> float:
        return self._now

    def boot_id(self) -> str:
        return self._name

    def wall_s(self) -> float:
        return self._now + self._wall_offset_s

    def wall_known(self) -> bool:
        return self._known

    def learn_wall(self, wall_s: float) -> None:
        self._wall_offset_s = wall_s - self._now
        self._known = True

    def sleep_until(self, boot_s: float) -> None:
        self._now = max(self._now, boot_s)

    async def sleep(self, seconds: float) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        timer = self.call_later(seconds, lambda: None if woken.done() else woken.set_result(None))
        try:
            await woken
        finally:
            timer.cancel()

    async def wait_for(self, awaitable: Awaitable[T], seconds: float) -> T:
        task = asyncio.ensure_future(awaitable)
        late = False

        def expire() -> None:
            nonlocal late
            late = True
            task.cancel()

        timer = self.call_later(seconds, expire)
        try:
            return await task
        except asyncio.CancelledError:
            if late:
                raise TimeoutError from None
            task.cancel()
            raise
        finally:
            timer.cancel()

    def call_later(self, seconds: float, callback: Callable[[], None]) -> SimulatedTimer:
        timer = SimulatedTimer(callback)
        heapq.heappush(self._heap, (self._now + max(0.0, seconds), next(self._count), timer))
        return timer

    async def advance(self, seconds: float) -> None:
        """Lets `seconds` pass."""
        until = self._now + seconds
        await self.settle()
        while self._heap and self._heap[0][0] <= until:
            at, _, timer = heapq.heappop(self._heap)
            self._now = max(self._now, at)
            timer.fire()
            await self.settle()
        self._now = until

    async def settle(self) -> None:
        """Lets every task run until it waits, without time passing."""
        for _ in range(12):
            await asyncio.sleep(0)
