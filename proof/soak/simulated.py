"""An event loop whose time passes only while nobody has anything to do, and the station's clock upon it. Must not know what runs on them.

Sockets and pipes inside the process work as ever: what is written is read before time goes on. A connection to a host is one to `SimulatedLoop.dial`.
"""

from __future__ import annotations

import asyncio
import bisect
import selectors
import socket
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from chargepoint.clock import Clock

START_S = 100.0
RESOLUTION_S = 1e-6
"""After half a year a float of seconds no longer tells the nanosecond by which asyncio thinks a timer due."""
POLL_S = 5.0
"""A sleep of at most so long is one that looks whether something has happened."""
CALM_S = 119
"""How many whole seconds longer such a sleep lasts while nothing is announced: whole ones, so that the meter is still read before it is asked."""
AHEAD_S, AFTER_S = 2.0, 3.0
"""How long before and after an announced moment every second counts."""
Dial = Callable[[], Awaitable[socket.socket]]


class Standstill(RuntimeError):
    """Everybody waits for somebody else."""


class _Selector(selectors.BaseSelector):
    """Looks at the real files, and lets the simulated time pass instead of waiting for them."""

    def __init__(self) -> None:
        self._real = selectors.DefaultSelector()
        self.now = START_S

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.modify(fileobj, events, data)

    def close(self) -> None:
        self._real.close()

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._real.get_map()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = self._real.select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None:
            raise Standstill("nothing will ever happen again")
        self.now += timeout
        return []


class SimulatedLoop(asyncio.SelectorEventLoop):
    """dial: who makes the connections to other hosts."""

    def __init__(self) -> None:
        self._simulated = _Selector()
        self.dial: Dial | None = None
        super().__init__(self._simulated)
        self._clock_resolution = RESOLUTION_S

    def time(self) -> float:
        return self._simulated.now

    def call_later(self, delay: float, callback: Any, *args: Any, context: Any = None) -> asyncio.TimerHandle:
        """Whoever waits for what is left until a moment waits for some time, even if a float of seconds since the start cannot tell so little."""
        return super().call_later(max(delay, 2 * RESOLUTION_S) if delay > 0 else delay, callback, *args, context=context)

    def add_signal_handler(self, sig: int, callback: Any, *args: Any) -> None:
        """Left out: a signal is meant for this process, not for the station in it."""

    async def create_connection(self, protocol_factory: Any, host: Any = None, port: Any = None, **options: Any) -> Any:
        if self.dial is None or options.get("sock") is not None:  # a proxy of the environment is as simulated as any other host
            return await super().create_connection(protocol_factory, host, port, **options)
        return await super().create_connection(protocol_factory, sock=await self.dial())


class Pace:
    """Who polls each second is let sleep while nothing is announced. A world announces every moment at which somebody does something."""

    def __init__(self) -> None:
        self._moments: list[float] = []

    def announce(self, moment: float) -> None:
        bisect.insort(self._moments, moment)

    def longer_s(self, now: float, seconds: float) -> int:
        """Whole seconds by which a sleep may last longer."""
        while self._moments and self._moments[0] < now - AFTER_S:
            self._moments.pop(0)
        if not self._moments:
            return CALM_S
        return max(0, min(CALM_S, int(self._moments[0] - AHEAD_S - now - seconds)))


class SimulatedClock(Clock):
    """Of one boot of the board. error_s: how far the system's wall clock is off; synchronised: whether the system says that it is right."""

    def __init__(self, loop: SimulatedLoop, pace: Pace, epoch_s: float, name: str) -> None:
        super().__init__()
        self.error_s = 0.0
        self.synchronised = True
        self._loop, self._pace, self._epoch_s, self._name = loop, pace, epoch_s, name
        self._booted = loop.time()

    def boot_s(self) -> float:
        return self._loop.time() - self._booted

    def boot_id(self) -> str:
        return self._name

    def true_s(self) -> float:
        """Seconds since 1970, as nobody inside the station knows them."""
        return self._epoch_s + self._loop.time()

    def wall_s(self) -> float:
        if self._offset_s is not None and not self.synchronised:
            return self.boot_s() + self._offset_s
        return self.true_s() + self.error_s

    def _system_known(self) -> bool:
        return self.synchronised

    async def sleep(self, seconds: float) -> None:
        longer = self._pace.longer_s(self._loop.time(), seconds) if seconds <= POLL_S else 0
        await asyncio.sleep(seconds + longer)
