"""The PN532 card reader on a serial line (HSU): frames, set-up, polling. Must not know who the card belongs to.

NXP PN532 user manual 141520: frames 6.2.1, SAMConfiguration 7.2.10, RFConfiguration 7.3.1, InListPassiveTarget 7.3.5.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol

START = b"\x00\xff"
ACK = bytes.fromhex("0000FF00FF00")
WAKE = bytes.fromhex("5555" + "00" * 14)
TO_CHIP, FROM_CHIP, ERROR = 0xD4, 0xD5, 0x7F
SAM_CONFIGURATION = bytes.fromhex("14010001")
"""Normal mode, no timeout, IRQ: before it the chip answers nothing."""
RF_RETRIES = bytes.fromhex("3205FF0101")
"""Item 5, one passive retry: else InListPassiveTarget blocks until a card comes."""
LIST_TARGET = bytes.fromhex("4A0100")
"""One target, 106 kbit/s type A."""
SET_UP_WITHIN_S = 0.3
POLL_WITHIN_S = 0.5
POLL_PAUSE_S = 0.22
"""With the 30 ms of a poll without a card: 4 polls a second."""
FAILURES = 3
"""Exchanges that may fail in a row before the chip counts as lost."""
ABSENCES = 2
"""Polls without a card after which it has been taken away: one may fail at the edge of the field."""
UID_LENGTHS = (4, 7, 10)

log = logging.getLogger(__name__)


class Mute(OSError):
    """The chip does not answer."""


class Port(Protocol):
    """The serial line."""

    async def read(self, within_s: float) -> bytes:
        """The bytes that came, b"" when none did. Raises OSError when the line is gone."""

    def write(self, data: bytes) -> None:
        """Raises OSError."""


class Frames:
    """Finds frames in a stream that comes in pieces, with garbage before and between."""

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, data: bytes) -> list[bytes]:
        """The data of the information frames completed by these bytes, without TFI D5; b"\\x7f" for an error frame. ACK and NACK are passed over."""
        self._buffer += data
        found = []
        while (frame := self._next()) is not None:
            found += [frame] if frame else []
        return found

    def clear(self) -> None:
        self._buffer = b""

    def _next(self) -> bytes | None:
        """The next frame, b"" for one that tells nothing, None when it is not complete."""
        at = self._buffer.find(START)
        if at < 0:
            self._buffer = self._buffer[-1:]
            return None
        self._buffer = self._buffer[at:]
        if len(self._buffer) < 4:
            return None
        length, check = self._buffer[2], self._buffer[3]
        if (length, check) in ((0x00, 0xFF), (0xFF, 0x00)):
            return self._cut(4)  # ACK, NACK
        if (length + check) & 0xFF or length == 0:
            return self._cut(2)
        if len(self._buffer) < 5 + length:
            return None
        body, total = self._buffer[4 : 4 + length], self._buffer[4 + length]
        if (sum(body) + total) & 0xFF or body[0] not in (FROM_CHIP, ERROR):
            return self._cut(2)
        self._cut(5 + length)
        return body if body[0] == ERROR else body[1:]

    def _cut(self, count: int) -> bytes:
        self._buffer = self._buffer[count:]
        return b""


def framed(command: bytes) -> bytes:
    """A command as the chip wants it."""
    body = bytes((TO_CHIP,)) + command
    return b"\x00" + START + bytes((len(body), -len(body) & 0xFF)) + body + bytes((-sum(body) & 0xFF, 0))


def uid_of(answer: bytes) -> bytes | None:
    """The UID in an InListPassiveTarget answer, in the order of transmission; None: no card. An ATS after it is not looked at.

    Raises ValueError when the answer is cut off or the UID has an impossible length.
    """
    if not answer or answer[0] == 0:
        return None
    if len(answer) < 6 or answer[5] not in UID_LENGTHS or len(answer) < 6 + answer[5]:
        raise ValueError(f"target data {answer.hex()}")
    return answer[6 : 6 + answer[5]]


class Pn532:
    """The conversation with one chip."""

    def __init__(self, port: Port, device: str) -> None:
        self._port = port
        self._device = device
        self._frames = Frames()
        self._failures = 0
        self._late = b""

    async def set_up(self) -> None:
        """Wakes and configures the chip. Raises Mute after three tries; OSError when the line is gone."""
        for left in reversed(range(FAILURES)):
            try:
                await self._ask(SAM_CONFIGURATION, SET_UP_WITHIN_S, WAKE)
                await self._ask(RF_RETRIES, SET_UP_WITHIN_S)
                return
            except Mute:
                if not left:
                    raise

    async def poll(self) -> bytes | None:
        """The UID in the field; None: no card. A failed exchange sets the chip up again; an answer that came only then still counts, since whoever
        held the card may have gone. Raises Mute after three failures; OSError."""
        while True:
            late, self._late = self._late, b""
            try:
                uid = uid_of(late or await self._ask(LIST_TARGET, POLL_WITHIN_S))
            except (Mute, ValueError) as error:
                self._failures += 1
                log.info("%s: %s; set up again", self._device, error)
                if self._failures >= FAILURES:
                    raise Mute(str(error)) from error
                await self.set_up()
            else:
                self._failures = 0
                return uid

    async def _ask(self, command: bytes, within_s: float, before: bytes = b"") -> bytes:
        """Sends a command; the answer's data after its command code. Raises Mute."""
        self._frames.clear()
        self._port.write(before + framed(command))
        try:
            async with asyncio.timeout(within_s):
                return await self._answer(command[0], within_s)
        except TimeoutError:
            self._port.write(ACK)  # ends a command that may still run
            raise Mute(f"no answer to command {command[0]:#04x}") from None

    async def _answer(self, code: int, within_s: float) -> bytes:
        while True:
            for frame in self._frames.feed(await self._port.read(within_s)):
                if frame[0] == ERROR:
                    raise Mute(f"command {code:#04x} is refused")
                if frame[0] == code + 1:
                    return frame[1:]
                if frame[0] == LIST_TARGET[0] + 1:
                    self._late = frame[1:]


class Presence:
    """Which card lies in the field; one event per presentation."""

    def __init__(self) -> None:
        self._poll = 0
        self._seen: dict[bytes, int] = {}

    def changed(self, uid: bytes | None) -> bool:
        """Takes one poll's answer; True when a card was presented. Two cards that lie in the field together are told once each."""
        self._poll += 1
        self._seen = {known: poll for known, poll in self._seen.items() if self._poll - poll <= ABSENCES}
        lay_there = uid in self._seen
        if uid is not None:
            self._seen[uid] = self._poll
        return uid is not None and not lay_there
