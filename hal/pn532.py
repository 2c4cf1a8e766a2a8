"""The PN532 card reader on a serial line (HSU): frames, set-up, searching. Must not know who the card belongs to.

NXP PN532 user manual 141520: frames 6.2.1, SAMConfiguration 7.2.10, RFConfiguration 7.3.1, InListPassiveTarget 7.3.5.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import NamedTuple, Protocol

START = b"\x00\xff"
ACK = bytes.fromhex("0000FF00FF00")
WAKE = bytes.fromhex("5555" + "00" * 14)
TO_CHIP, FROM_CHIP, ERROR = 0xD4, 0xD5, 0x7F
TAKEN = 0x00
"""Stands for an ACK among the codes of the answers, which are odd."""
SAM_CONFIGURATION = bytes.fromhex("14010001")
"""Normal mode, no timeout, IRQ: before it the chip answers nothing."""
ENDLESS = bytes.fromhex("3205FF01FF")
"""Item 5, passive retries: InListPassiveTarget goes on until a card comes."""
LIST_TARGET = bytes.fromhex("4A0100")
"""One target, 106 kbit/s type A."""
LISTED = LIST_TARGET[0] + 1
SET_UP_WITHIN_S = 0.3
TAKEN_WITHIN_S = 0.5
SEARCH_S = 1.0
"""How long the chip searches before it is asked anew, which shows that it still hears."""
FAILURES = 3
"""Exchanges that may fail in a row before the chip counts as lost."""
AWAY_S = 0.2
"""A card that a search, some dozen tries of the chip, does not find for so long has been taken away."""
EMPTY_S = 0.1
"""What lies there is found sooner: before a longer search the field was empty, and only the card found last may have been missed for so long."""
TOGETHER = 2
"""A card that lies there with another is among so many last finds."""
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
        """The data of the information frames completed by these bytes, without TFI D5; b"\\x7f" for an error frame, TAKEN for an ACK. NACK is
        passed over."""
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
            self._cut(4)
            return b"" if length else bytes((TAKEN,))
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


class Found(NamedTuple):
    """What a search found. uid: None: no card; after_s: seconds for which nothing had been found, as looked at after a card at EMPTY_S and AWAY_S: a
    process that stood still meanwhile has not seen the field empty."""

    uid: bytes | None
    after_s: float


class Pn532:
    """The conversation with one chip."""

    def __init__(self, port: Port, device: str) -> None:
        self._port = port
        self._device = device
        self._frames = Frames()
        self._heard: deque[bytes] = deque()
        self._failures = 0
        self._late = b""
        self._lies = False

    async def set_up(self) -> None:
        """Wakes and configures the chip. Raises Mute after three tries; OSError when the line is gone."""
        for left in reversed(range(FAILURES)):
            try:
                await self._ask(SAM_CONFIGURATION, SET_UP_WITHIN_S, WAKE)
                await self._ask(ENDLESS, SET_UP_WITHIN_S)
                return
            except Mute:
                if not left:
                    raise

    async def search(self) -> Found:
        """The card in the field, or the first that comes within SEARCH_S. A failed exchange sets the chip up again; an answer that came only then
        still counts, since whoever held the card may have gone. Raises Mute after three failures; OSError."""
        while True:
            try:
                found = await self._found()
            except (Mute, ValueError) as error:
                self._failures += 1
                log.info("%s: %s; set up again", self._device, error)
                if self._failures >= FAILURES:
                    raise Mute(str(error)) from error
                await self.set_up()
            else:
                self._failures = 0
                return found

    async def _found(self) -> Found:
        if not self._late:
            await self._told(LIST_TARGET, TAKEN, TAKEN_WITHIN_S)
        target, self._late = self._late, b""
        silent_s = 0.0
        for until_s in (EMPTY_S, AWAY_S, SEARCH_S) if self._lies else (SEARCH_S,):
            target = target or await self._answer(LISTED, until_s - silent_s) or b""
            if target:
                break
            silent_s = until_s
        self._lies = bool(target)
        return Found(uid_of(target), silent_s)

    async def _ask(self, command: bytes, within_s: float, before: bytes = b"") -> bytes:
        """Sends a command; the answer's data after its command code. Raises Mute."""
        return await self._told(command, command[0] + 1, within_s, before)

    async def _told(self, command: bytes, code: int, within_s: float, before: bytes = b"") -> bytes:
        """Sends a command after an ACK, which ends one that still runs (6.2.1.3); what follows the code in the answer. Raises Mute."""
        self._frames.clear()
        self._port.write(ACK + before + framed(command))
        answer = await self._answer(code, within_s)
        if answer is None:
            raise Mute(f"no answer to command {command[0]:#04x}")
        return answer

    async def _answer(self, code: int, within_s: float) -> bytes | None:
        """What follows the code in the next frame that begins with it; None: none came in time. A target that comes instead is kept. Raises Mute."""
        try:
            async with asyncio.timeout(within_s):
                while (answer := self._picked(code)) is None:
                    await self._hear(within_s)
                return answer
        except TimeoutError:
            await self._hear(0.0)  # what came while this process stood still
            return self._picked(code)

    async def _hear(self, within_s: float) -> None:
        self._heard.extend(self._frames.feed(await self._port.read(within_s)))

    def _picked(self, code: int) -> bytes | None:
        while self._heard:
            frame = self._heard.popleft()
            if frame[0] == ERROR:
                raise Mute("a command is refused")
            if frame[0] == code:
                return frame[1:]
            if frame[0] == LISTED:
                self._late = frame[1:]
        return None


class Presence:
    """Which cards lie in the field; one event per presentation."""

    def __init__(self) -> None:
        self._finds = 0
        self._seen: dict[bytes, int] = {}

    def changed(self, found: Found) -> bool:
        """Takes what a search found; True when a card was presented. Two cards that lie in the field together are told once each."""
        if found.uid is None or found.after_s >= AWAY_S:
            self._seen.clear()
        if found.uid is None:
            return False
        among = 1 if found.after_s >= EMPTY_S else TOGETHER
        self._seen = {known: find for known, find in self._seen.items() if self._finds - find < among}
        self._finds += 1
        lay_there = found.uid in self._seen
        self._seen[found.uid] = self._finds
        return not lay_there
