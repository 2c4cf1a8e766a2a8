"""The conversation on a WebSocket as it passes by: frames to OCPP messages, answers to their calls. Must not know sockets, nor what a message means.

RFC 6455 5.2. Only what is not encrypted can be read; what cannot be read passes all the same.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

CALL, RESULT, ERROR = 2, 3, 4
HEAD_END = b"\r\n\r\n"
TLS_HANDSHAKE = 0x16
CONTINUED, TEXT, CLOSE = 0x0, 0x1, 0x8
LENGTH_16, LENGTH_64 = 126, 127
LONGEST_HEAD, LONGEST_MESSAGE = 65536, 1 << 20
OPEN_CALLS = 64

Hear = Callable[[int, bytes], None]


class Unreadable(Exception):
    """No WebSocket, or one that is encrypted or too large."""


class Frames:
    """One direction. `hear` gets (opcode, payload) of each whole message, and of each close."""

    def __init__(self, hear: Hear) -> None:
        self._hear = hear
        self._buffer = bytearray()
        self._head = True
        self._parts = b""
        self._opcode = CONTINUED

    def feed(self, data: bytes) -> None:
        """Bytes that passed. Raises Unreadable."""
        self._buffer += data
        if self._head and not self._past_head():
            return
        while self._frame():
            pass

    def _past_head(self) -> bool:
        if self._buffer[0] == TLS_HANDSHAKE:
            raise Unreadable("the connection is encrypted")
        at = self._buffer.find(HEAD_END)
        if at < 0 and len(self._buffer) > LONGEST_HEAD:
            raise Unreadable("no HTTP head")
        if at >= 0:
            del self._buffer[: at + len(HEAD_END)]
            self._head = False
        return at >= 0

    def _frame(self) -> bool:
        """Takes one whole frame out of the buffer. False: there is none yet."""
        buffer = self._buffer
        if len(buffer) < 2:
            return False
        size, at = buffer[1] & 0x7F, 2
        if size in (LENGTH_16, LENGTH_64):
            wide = 2 if size == LENGTH_16 else 8
            size, at = int.from_bytes(buffer[2 : 2 + wide], "big"), 2 + wide
        if size > LONGEST_MESSAGE or buffer[0] & 0x70:
            raise Unreadable("too large, or compressed")
        masked = bool(buffer[1] & 0x80)
        start = at + 4 * masked
        if len(buffer) < start + size:
            return False
        payload = bytes(buffer[start : start + size])
        if masked and size:
            key = bytes(buffer[at:start]) * (size // 4 + 1)
            payload = (int.from_bytes(payload, "big") ^ int.from_bytes(key[:size], "big")).to_bytes(size, "big")
        first = buffer[0]
        del buffer[: start + size]
        self._took(first & 0x0F, bool(first & 0x80), payload)
        return True

    def _took(self, opcode: int, last: bool, payload: bytes) -> None:
        if opcode >= CLOSE:
            if opcode == CLOSE:
                self._hear(CLOSE, payload)
            return
        self._opcode = opcode or self._opcode
        self._parts += payload
        if len(self._parts) > LONGEST_MESSAGE:
            raise Unreadable("too large")
        if last:
            whole, self._parts = self._parts, b""
            self._hear(self._opcode, whole)


class Conversation:
    """One connection. `tell` gets each message as JSON values: `sender` ("station" or "csms"), `kind` ("call", "result", "error", "text"), and what
    is known of it; answers carry `action` and `ms`, the time since their call passed."""

    def __init__(self, tell: Callable[..., None]) -> None:
        self._tell = tell
        self._open: dict[str, tuple[str, float]] = {}
        self._readable = True
        self._ways = {sender: Frames(self._hearing(sender)) for sender in ("station", "csms")}

    def passed(self, sender: str, data: bytes) -> None:
        """Bytes that passed from one side to the other."""
        if not self._readable:
            return
        try:
            self._ways[sender].feed(data)
        except Unreadable as why:
            self._readable = False
            self._tell("unreadable", sender=sender, text=str(why))

    def _hearing(self, sender: str) -> Hear:
        def hear(opcode: int, payload: bytes) -> None:
            if opcode == CLOSE:
                code = int.from_bytes(payload[:2], "big") if payload else 0
                self._tell("close", sender=sender, code=code, text=payload[2:].decode(errors="replace"))
            else:
                self.message(sender, payload.decode(errors="replace"))

        return hear

    def message(self, sender: str, text: str) -> None:
        """A whole message."""
        try:
            message = json.loads(text)
            kind, number = message[0], str(message[1])
            if kind == CALL:
                self._call(sender, number, message[2], message[3])
            elif kind == RESULT:
                self._tell("result", sender=sender, message=number, payload=message[2], **self._called(number))
            elif kind == ERROR:
                self._tell("error", sender=sender, message=number, code=message[2], text=message[3], payload=message[4], **self._called(number))
            else:
                raise ValueError(kind)
        except (ValueError, LookupError, TypeError, RecursionError):
            self._tell("text", sender=sender, text=text)

    def _call(self, sender: str, number: str, action: Any, payload: Any) -> None:
        while len(self._open) >= OPEN_CALLS:
            del self._open[next(iter(self._open))]
        self._open[number] = (str(action), time.monotonic())
        self._tell("call", sender=sender, message=number, action=action, payload=payload)

    def _called(self, number: str) -> dict[str, Any]:
        action, since = self._open.pop(number, ("", 0.0))
        return {"action": action, "ms": round(1000 * (time.monotonic() - since), 1)} if action else {"action": ""}
