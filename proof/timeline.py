"""What happened in a world, as its event stream tells it: one list per EVSE, times on the world's wire. Must not know what is expected."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import aiohttp

Event = dict[str, Any]
Met = Callable[[Event], bool]


class Timeline:
    """Listens to one world. `at_s` of an event is when the wire changed (or, of what the firmware says, when it was asked), seconds since boot."""

    def __init__(self) -> None:
        self._events: dict[int, list[Event]] = defaultdict(list)
        self._news = asyncio.Condition()
        self._task: asyncio.Task[None] | None = None

    async def start(self, url: str) -> None:
        listening = asyncio.Event()
        self._task = asyncio.create_task(self._listen(url, listening))
        await listening.wait()

    async def stop(self) -> None:
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def mark(self, evse: int) -> int:
        """The place in an EVSE's list from which later events count."""
        return len(self._events[evse])

    def since(self, evse: int, mark: int) -> list[Event]:
        return self._events[evse][mark:]

    def first(self, evse: int, mark: int, met: Met) -> Event | None:
        return next((event for event in self.since(evse, mark) if met(event)), None)

    async def wait(self, evse: int, mark: int, met: Met, seconds: float) -> Event | None:
        """The first event after the mark that fits, waiting for it; None: it did not come."""
        found: Event | None = None

        def here() -> bool:
            nonlocal found
            found = self.first(evse, mark, met)
            return found is not None

        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds), self._news:
                await self._news.wait_for(here)
        return found

    async def _listen(self, url: str, listening: asyncio.Event) -> None:
        endless = aiohttp.ClientTimeout(total=None)
        async with aiohttp.ClientSession(url, timeout=endless) as http, http.get("/api/events") as answer:
            async for line in answer.content:
                listening.set()
                if line.startswith(b"data: "):
                    await self._take(json.loads(line[6:]))

    async def _take(self, event: Event) -> None:
        async with self._news:
            self._events[int(event.get("evse") or 0)].append(event)
            self._news.notify_all()


def coil_off(event: Event) -> bool:
    return event["what"] == "coil" and not event["coil"]


def coil_on(event: Event) -> bool:
    return event["what"] == "coil" and bool(event["coil"])


def contacts(word: str) -> Met:
    """The contactor, any pole or all, has become "open" or "closed"."""
    return lambda event: event["what"] == "contactor" and event["contactor"] == word


def pilot(met: Met) -> Met:
    return lambda event: event["what"] == "pilot" and met(event)


@pilot
def x1(event: Event) -> bool:
    """No offer: steady +12 V."""
    return float(event["duty_percent"]) >= 100.0


@pilot
def offered(event: Event) -> bool:
    return 8.0 <= float(event["duty_percent"]) <= 97.0


def told(word: str) -> Met:
    """The firmware says that it has this fault."""
    return lambda event: event["what"] == "connector" and word in event.get("faults", ())
