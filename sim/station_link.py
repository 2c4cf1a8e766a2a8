"""Asks the firmware through its local socket, with a short deadline, and watches what it says of itself. Must not know the wire."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

DEADLINE_S = 0.3
LATE_S = 0.02
CLEAR_DEADLINE_S = 5.0
WATCH_S = 0.15
LONGEST_ANSWER = 1 << 20
QUIET = ("loop", "pids")
"""Parts of the status that change all the time and are no news by themselves."""


class StationLink:
    """The client end of RUNTIME_DIRECTORY/station.sock: one connection, kept while it works."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._asking: asyncio.Task[dict[str, Any] | None] | None = None
        self._asked_s = 0.0

    async def status(self) -> dict[str, Any] | None:
        """What the firmware reports of itself; None when it does not answer in time. While a question is unanswered, all who ask wait for the one
        answer, and only for what is left of its time: a firmware that stands still costs a program that looks at the state 0.3 s once."""
        asking = self._asking
        if asking is None or asking.done():
            asking, self._asked_s = asyncio.create_task(self._status()), time.monotonic()
            self._asking = asking
        left_s = self._asked_s + DEADLINE_S - time.monotonic()
        done, _ = await asyncio.wait([asking], timeout=max(LATE_S, left_s))
        return asking.result() if done and not asking.cancelled() else None

    async def clear_fault(self, evse: int, fault: str) -> dict[str, Any] | None:
        """{"done": ..., "text": ...}; None when the firmware does not answer."""
        try:
            async with asyncio.timeout(CLEAR_DEADLINE_S):
                reader, writer = await asyncio.open_unix_connection(str(self._path), limit=LONGEST_ANSWER)
                try:
                    return await _exchange(reader, writer, {"clear_fault": {"evse": evse, "fault": fault}})
                finally:
                    writer.close()
        except (OSError, TimeoutError, ValueError):
            return None

    def close(self) -> None:
        """Drops the connection and the question; the next one makes new ones."""
        if self._asking:
            self._asking.cancel()
            self._asking = None
        self._drop()

    async def _status(self) -> dict[str, Any] | None:
        """The answer, however long it takes; None when the line breaks, also at a second try of a line that was left from before."""
        for _ in range(2):
            fresh = self._streams is None
            try:
                if self._streams is None:
                    self._streams = await asyncio.open_unix_connection(str(self._path), limit=LONGEST_ANSWER)
                if (answer := await _exchange(*self._streams, {"status": True})) is not None:
                    return answer
            except (OSError, ValueError):
                pass
            self._drop()
            if fresh:
                break
        return None

    def _drop(self) -> None:
        if self._streams:
            self._streams[1].close()
            self._streams = None


async def _exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, question: dict[str, Any]) -> dict[str, Any] | None:
    writer.write(json.dumps(question).encode() + b"\n")
    await writer.drain()
    line = await reader.readline()
    answer = json.loads(line) if line else None
    return answer if isinstance(answer, dict) else None


class Watch:
    """Tells what changed in the firmware's status while somebody wants to know."""

    def __init__(self, link: StationLink, wanted: Callable[[], bool], tell: Callable[..., None]) -> None:
        self._link, self._wanted, self._tell = link, wanted, tell
        self._last: dict[str, Any] | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while True:
            if self._wanted():
                self._compare(await self._link.status())
            await asyncio.sleep(WATCH_S)

    def _compare(self, status: dict[str, Any] | None) -> None:
        last, self._last = self._last, status
        if status is None or last is None:
            if (status is None) != (last is None):
                self._tell("answers" if status else "silent", status=status)
            return
        changed = {key: value for key, value in status.items() if key not in QUIET and value != last.get(key)}
        connectors = changed.pop("connectors", None)
        if changed:
            self._tell("station", **{"changes": changed})
        for connector in _differing(connectors or [], last.get("connectors") or []):
            self._tell("connector", **connector)


def _differing(now: list[dict[str, Any]], before: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [connector for connector in now if connector not in before]
