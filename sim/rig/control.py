"""The world's hand on the rig: commands and events over the rig's second socket. Must not know what a command does."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path
from typing import Any

import msgspec

log = logging.getLogger(__name__)

MAX_LINE = 1 << 22


class RigError(Exception):
    """The rig refused a command. status: "unknown", "conflict", "wrong", or "gone" (the rig does not answer)."""

    def __init__(self, status: str, text: str) -> None:
        super().__init__(text)
        self.status = status


class RigControl:
    """One connection to a rig: `await RigControl.connect(path)`, then calls by name (see `sim.rig.commands`)."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._numbers = count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._listeners: list[asyncio.Queue[dict[str, Any] | None]] = []
        self._gone = False
        self._task = asyncio.create_task(self._receive())

    @classmethod
    async def connect(cls, path: str | Path) -> RigControl:
        return cls(*await asyncio.open_unix_connection(str(path), limit=MAX_LINE))

    async def call(self, name: str, /, **args: Any) -> Any:
        """Carries out a command and gives its result. Raises RigError."""
        if self._gone:
            raise RigError("gone", "the rig is gone")
        number = next(self._numbers)
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        self._writer.write(msgspec.json.encode({"id": number, "call": name, "args": args}) + b"\n")
        reply = await answer
        if "error" in reply:
            raise RigError(reply["status"], reply["error"])
        return reply["result"]

    async def events(self) -> AsyncIterator[dict[str, Any]]:
        """Every change in the world from now on: {"what": kind, "at_s": boot time, "evse": id, ...}; ends with the rig."""
        queue: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        self._listeners.append(queue)
        try:
            await self.call("events")
            while (event := await queue.get()) is not None:
                yield event
        finally:
            self._listeners.remove(queue)

    async def close(self) -> None:
        self._task.cancel()
        self._writer.close()
        self._end()

    async def _receive(self) -> None:
        try:
            while line := await self._reader.readline():
                self._take(msgspec.json.decode(line))
        except OSError as error:
            log.debug("%s", error)
        finally:
            self._end()

    def _take(self, message: dict[str, Any]) -> None:
        if "what" in message:
            for queue in self._listeners:
                queue.put_nowait(message)
            return
        answer = self._waiting.pop(message["id"], None)
        if answer is not None and not answer.done():
            answer.set_result(message)

    def _end(self) -> None:
        self._gone = True
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_result({"error": "the rig is gone", "status": "gone"})
        self._waiting.clear()
        for queue in self._listeners:
            queue.put_nowait(None)
