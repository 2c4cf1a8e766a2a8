"""Every change in the world and in the firmware, with time, for whoever listens. Must not know where changes come from."""

from __future__ import annotations

import asyncio
import collections
import time
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from typing import Any

KEPT = 1000
LONGEST_QUEUE = 5000


def wall_text(wall_s: float) -> str:
    """UTC with Z and three decimals."""
    return datetime.fromtimestamp(wall_s, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def boot_s() -> float:
    """Seconds since boot, suspend included, as the firmware and the wire count them."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Events:
    """A numbered stream. A listener that falls too far behind is dropped, never waited for."""

    def __init__(self) -> None:
        self._last = 0
        self._kept: collections.deque[dict[str, Any]] = collections.deque(maxlen=KEPT)
        self._listeners: set[asyncio.Queue[dict[str, Any] | None]] = set()

    @property
    def wanted(self) -> bool:
        """Whether anybody listens."""
        return bool(self._listeners)

    def tell(self, source: str, what: str, *, at_s: float | None = None, **details: Any) -> None:
        """One change. source: "world" or "firmware"; what: a word; at_s: when, on the clock of `boot_s`, if not now; details: JSON values."""
        self._last += 1
        now_s = boot_s()
        at_s = now_s if at_s is None else at_s
        wall = wall_text(time.time() - (now_s - at_s))
        event = {"id": self._last, "time": wall, "at_s": round(at_s, 4), "source": source, "what": what, **details}
        self._kept.append(event)
        for queue in list(self._listeners):
            if queue.qsize() >= LONGEST_QUEUE:
                self._listeners.discard(queue)
                queue.put_nowait(None)
            else:
                queue.put_nowait(event)

    def since(self, number: int) -> list[dict[str, Any]]:
        """The kept events after a number."""
        return [event for event in self._kept if event["id"] > number]

    async def listen(self, after: int | None = None) -> AsyncGenerator[dict[str, Any], None]:
        """Events from now on, or from those kept after a number. Ends when the listener fell behind or the stream closed."""
        queue: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        for event in self.since(after) if after is not None else []:
            queue.put_nowait(event)
        self._listeners.add(queue)
        try:
            while (event_or_end := await queue.get()) is not None:
                yield event_or_end
        finally:
            self._listeners.discard(queue)

    def close(self) -> None:
        """Ends every listener."""
        for queue in self._listeners:
            queue.put_nowait(None)
        self._listeners.clear()
