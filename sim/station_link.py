"""Asks the firmware through its local socket, with a short deadline, and watches what it says of itself. Must not know the wire."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

DEADLINE_S = 0.3
CLEAR_DEADLINE_S = 0.8
WATCH_S = 0.15
LONGEST_ANSWER = 1 << 20
QUIET = ("loop", "pids")
"""Parts of the status that change all the time and are no news by themselves."""


class StationLink:
    """The client end of RUNTIME_DIRECTORY/station.sock: one connection, kept while it works."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._turn = asyncio.Lock()

    async def status(self) -> dict[str, Any] | None:
        """What the firmware reports of itself; None when it does not answer in time."""
        return await self._ask({"status": True}, DEADLINE_S)

    async def clear_fault(self, evse: int, fault: str) -> dict[str, Any] | None:
        """{"done": ..., "text": ...}; None when the firmware does not answer."""
        return await self._ask({"clear_fault": {"evse": evse, "fault": fault}}, CLEAR_DEADLINE_S)

    async def _ask(self, question: dict[str, Any], within_s: float) -> dict[str, Any] | None:
        try:
            async with asyncio.timeout(within_s), self._turn:
                try:
                    return await self._exchange(question)
                except BaseException:
                    self.close()
                    raise
        except (OSError, TimeoutError, ValueError):
            return None

    async def _exchange(self, question: dict[str, Any]) -> dict[str, Any] | None:
        fresh = self._streams is None
        if self._streams is None:
            self._streams = await asyncio.open_unix_connection(str(self._path), limit=LONGEST_ANSWER)
        reader, writer = self._streams
        writer.write(json.dumps(question).encode() + b"\n")
        await writer.drain()
        line = await reader.readline()
        if not line and not fresh:
            self.close()
            return await self._exchange(question)
        answer = json.loads(line) if line else None
        return answer if isinstance(answer, dict) else None

    def close(self) -> None:
        """Drops the connection; the next question makes a new one."""
        if self._streams:
            self._streams[1].close()
            self._streams = None


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
