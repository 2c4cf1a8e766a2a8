"""An NXP PN532 as it speaks over its high-speed UART (user manual 141520, 6.2.1 and 7). Must not know who holds the card, or ptys.

Silent until SAMConfiguration, acknowledges each frame, answers a little later; what lies in the field it finds at once. With endless passive
activation (MxRtyPassiveActivation FF, the chip's default) InListPassiveTarget waits for a card; with less it answers "no target".
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

ACK = bytes.fromhex("0000FF00FF00")
ERROR = bytes.fromhex("0000FF01FF7F8100")
START = b"\x00\xff"
SAM_CONFIGURATION, GET_FIRMWARE_VERSION, RF_CONFIGURATION = 0x14, 0x02, 0x32
IN_LIST_PASSIVE_TARGET, IN_AUTO_POLL, IN_RELEASE = 0x4A, 0x60, 0x52
VERSION = bytes([0x32, 0x01, 0x06, 0x07])
ENDLESS = 0xFF
ANSWER_S = 0.004
NO_TARGET_S = 0.030
SENS_AND_SEL = {4: bytes([0x00, 0x04, 0x08]), 7: bytes([0x00, 0x44, 0x00]), 10: bytes([0x00, 0x84, 0x00])}
"""ATQA and SAK by length of the UID: Classic 1K, Ultralight or NTAG, triple size."""


def frame(payload: bytes) -> bytes:
    """A normal information frame from the chip (TFI D5)."""
    body = b"\xd5" + payload
    return b"\x00\x00\xff" + bytes([len(body), -len(body) & 0xFF]) + body + bytes([-sum(body) & 0xFF, 0x00])


def take(buffer: bytearray) -> bytes | None:
    """The next frame from the host, cut out of the buffer: the bytes after TFI, b"" for an ACK (abort) or a broken frame. None: not complete yet."""
    while True:
        at = buffer.find(START)
        if at < 0:
            del buffer[: max(0, len(buffer) - 1)]
            return None
        if len(buffer) < at + 4:
            return None
        length, check = buffer[at + 2], buffer[at + 3]
        if (length, check) in ((0x00, 0xFF), (0xFF, 0x00)):
            del buffer[: at + 4]
            return b""
        if (length + check) & 0xFF:
            del buffer[: at + 2]
            continue
        if len(buffer) < at + 5 + length:
            return None
        body, checksum = bytes(buffer[at + 4 : at + 4 + length]), buffer[at + 4 + length]
        del buffer[: at + 5 + length]
        return body[1:] if body[0] == 0xD4 and not (sum(body) + checksum) & 0xFF else b""


class Pn532:
    """The chip. `write` sends bytes to the host; `on_seen` is called when a card's UID went out."""

    def __init__(self, write: Callable[[bytes], None], on_seen: Callable[[bytes], None]) -> None:
        self._write = write
        self._on_seen = on_seen
        self._card: bytes | None = None
        self.reset()

    def reset(self) -> None:
        """Power-on state."""
        self._buffer = bytearray()
        self._configured = False
        self._retries = ENDLESS
        self._waiting: int | None = None
        self._turn = 0

    def present(self, uid: bytes | None) -> None:
        """A card of 4, 7 or 10 bytes in the field, or none."""
        self._card = uid
        if uid is not None and self._waiting is not None:
            self._later(ANSWER_S, self._waiting)

    def received(self, data: bytes) -> None:
        """Bytes from the host."""
        self._buffer += data
        while (command := take(self._buffer)) is not None:
            self._turn += 1
            self._waiting = None
            if command:
                self._obey(command)

    def _obey(self, command: bytes) -> None:
        code, parameters = command[0], command[1:]
        if code != SAM_CONFIGURATION and not self._configured:
            return
        self._write(ACK)
        if code == SAM_CONFIGURATION:
            self._configured = True
            self._answer(b"\x15")
        elif code == GET_FIRMWARE_VERSION:
            self._answer(b"\x03" + VERSION)
        elif code == RF_CONFIGURATION:
            if parameters[:1] == b"\x05" and len(parameters) >= 4:
                self._retries = parameters[3]
            self._answer(b"\x33")
        elif code == IN_RELEASE:
            self._answer(b"\x53\x00")
        elif code in (IN_LIST_PASSIVE_TARGET, IN_AUTO_POLL):
            self._search(code)
        else:
            self._write(ERROR)

    def _search(self, code: int) -> None:
        if self._card is not None:
            self._found(code)
        elif self._endless(code):
            self._waiting = code
        else:
            self._later(NO_TARGET_S, code)

    def _endless(self, code: int) -> bool:
        return code == IN_LIST_PASSIVE_TARGET and self._retries == ENDLESS

    def _later(self, seconds: float, code: int) -> None:
        """The answer to a search, of what is in the field when it is due; void when the host sent something else meanwhile."""
        turn = self._turn

        def due() -> None:
            if turn == self._turn:
                self._waiting = None
                self._found(code)

        asyncio.get_running_loop().call_later(seconds, due)

    def _found(self, code: int) -> None:
        uid = self._card
        if uid is None and self._endless(code):
            self._waiting = code
            return
        if uid is None:
            self._write(frame(bytes([code + 1, 0])))
            return
        target = b"\x01" + SENS_AND_SEL[len(uid)] + bytes([len(uid)]) + uid
        found = b"\x01" + target if code == IN_LIST_PASSIVE_TARGET else b"\x01\x10" + bytes([len(target)]) + target
        self._write(frame(bytes([code + 1]) + found))
        self._on_seen(uid)

    def _answer(self, payload: bytes) -> None:
        turn = self._turn

        def due() -> None:
            if turn == self._turn:
                self._write(frame(payload))

        asyncio.get_running_loop().call_later(ANSWER_S, due)
