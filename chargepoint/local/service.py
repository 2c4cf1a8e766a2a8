"""The station's local socket: newline JSON, one answer per question. Must not know what it serves: it is given functions.

`{"status": true}` answers what the firmware reports of itself; `{"clear_fault": {"evse": 1, "fault": "diode"}}` answers `{"done": ..., "text": ...}`.
`{"kept": true}` answers the variables a CSMS has set, each with its value and the factory value it had then; `{"forget": "AuthCtrlr.Enabled"}` makes
the factory value hold again from the next start. `{"sessions": {...}}` asks the ledger (`station/ledger_desk.py`). The store is the station's alone
while it runs, so the commands ask here.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
import struct
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple, Protocol

Status = Callable[[], dict[str, Any]]
ClearFault = Callable[[int, str], Awaitable[tuple[bool, str]]]
Ledger = Callable[[dict[str, Any]], dict[str, Any]]

log = logging.getLogger(__name__)

LONGEST_QUESTION = 4096


class Kept(Protocol):
    """What a CSMS has set, as the store has it."""

    def load(self) -> dict[str, str]: ...

    def factory(self, key: str) -> str | None: ...

    def remove(self, key: str) -> None: ...


class Served(NamedTuple):
    """Who answers what."""

    status: Status
    clear_fault: ClearFault
    kept: Kept
    ledger: Ledger


async def serve(path: Path, served: Served) -> asyncio.AbstractServer:
    """Listens on the Unix socket (0660, peers of the same user or group, or root). Raises OSError when it cannot."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if _welcome(writer.get_extra_info("socket")):
                await _converse(reader, writer, served)
        except (OSError, ValueError) as error:
            log.debug("local socket: %s", error)
        finally:
            writer.close()

    path.unlink(missing_ok=True)
    server = await asyncio.start_unix_server(answer, path, limit=LONGEST_QUESTION)
    path.chmod(0o660)
    return server


async def _converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, served: Served) -> None:
    while line := await reader.readline():
        reply = await _reply(line, served)
        writer.write(json.dumps(reply).encode() + b"\n")
        await writer.drain()


async def _reply(line: bytes, served: Served) -> dict[str, Any]:
    try:
        question = json.loads(line)
    except (ValueError, RecursionError):
        return {"error": "not JSON"}
    match question:
        case {"status": _}:
            return served.status()
        case {"clear_fault": {"evse": int(evse), "fault": str(fault)}}:
            done, text = await served.clear_fault(evse, fault)
            return {"done": done, "text": text}
        case {"kept": _}:
            return {key: [value, served.kept.factory(key)] for key, value in served.kept.load().items()}
        case {"forget": str(key)}:
            served.kept.remove(key)
            return {"done": True}
        case {"sessions": dict(asked)}:
            return served.ledger(asked)
        case _:
            return {"error": 'unknown question; ask {"status": true} or {"clear_fault": {"evse": 1, "fault": "..."}}'}


def _welcome(connection: socket.socket) -> bool:
    """SO_PEERCRED: our own user or group, or root."""
    _, uid, gid = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))
    return uid in (0, os.getuid()) or gid == os.getgid()
