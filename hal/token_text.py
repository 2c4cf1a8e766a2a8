"""What text readers send, as tokens. Pure: bytes in, tokens out; must not know ports.

Forms that can be told apart: hex digits, with or without separators; STX hex ETX; RDM6300 (STX, ten digits, XOR of the five bytes, ETX);
colon form (last byte: two's complement of the sum). Any other text stays as it is.
"""

from __future__ import annotations

import re

from hal import spec

STX, ETX = 0x02, 0x03
ENDS = re.compile(rb"[\r\n\x03]")
LONGEST = 64
PLAUSIBLE = (8, 10, 14, 16, 20)
"""Hex digits of the identifiers in use: 4, 5, 7, 8 and 10 bytes."""
HEX = re.compile(r"[0-9A-Fa-f]+")
SEPARATED = re.compile(r"[0-9A-Fa-f]{2}(?:[:\- ][0-9A-Fa-f]{2})+")


class Lines:
    """Cuts a stream into lines. A line that began with STX keeps it as its first byte."""

    def __init__(self) -> None:
        self._partial = b""
        self._too_long = False

    def feed(self, data: bytes) -> list[bytes]:
        """The lines completed by these bytes. A line longer than 64 characters comes cut, one character too long."""
        *whole, rest = ENDS.split(self._partial + data)
        lines = [line for line in map(self._from_stx, whole) if line]
        if self._too_long and whole:
            lines, self._too_long = lines[1:], False
        self._partial = self._from_stx(rest)
        if len(self._partial) > LONGEST:
            lines += [] if self._too_long else [self._partial[: LONGEST + 1]]
            self._partial, self._too_long = b"x", True
        return lines

    def pending(self) -> bool:
        """Whether a line has begun."""
        return bool(self._partial)

    def forget(self) -> bytes:
        """Drops the line that has begun, and answers it."""
        dropped, self._partial, self._too_long = self._partial, b"", False
        return dropped

    @staticmethod
    def _from_stx(line: bytes) -> bytes:
        """A new STX begins the line anew."""
        return line[max(0, line.rfind(STX)) :]


def token_of(line: bytes, wiring: spec.Reader) -> str | None:
    """The token a line tells; None: it says that there is no card. Raises ValueError with the reason when it is garbage."""
    if len(line) > LONGEST:
        raise ValueError(f"longer than {LONGEST} characters")
    framed = line[:1] == bytes((STX,))
    text = line.lstrip(bytes((STX,))).decode("utf-8").strip()
    if not text.isprintable():
        raise ValueError("not text")
    for prefix in wiring.prefixes:
        text = text.removeprefix(prefix).lstrip()
    if not text:
        return None
    if wiring.decimal and text.isdecimal():
        number = f"{int(text):08X}"
        return ordered("0" * (len(number) % 2) + number, wiring)
    digits = _hex_of(text, framed)
    return text if digits is None else ordered(digits.upper(), wiring)


def ordered(digits: str, wiring: spec.Reader) -> str:
    """Hex digits in the order of transmission; of ISO 15693 in its customary order, E0 first."""
    if len(digits) % 2:
        return digits
    data = bytes.fromhex(digits)
    if wiring.reverse:
        data = data[::-1]
    if wiring.token_type == "ISO15693" and len(data) == 8 and data[-1] == 0xE0 and data[0] != 0xE0:
        data = data[::-1]
    return data.hex().upper()


def _hex_of(text: str, framed: bool) -> str | None:
    """The hex digits of the identifier; None when the line is another text."""
    if text[0] == ":" and HEX.fullmatch(text[1:]) and len(text) % 2 == 1:
        return _summed(text[1:])
    if SEPARATED.fullmatch(text):
        digits = re.sub(r"[:\- ]", "", text)
        return digits if len(digits) in PLAUSIBLE else None
    if not HEX.fullmatch(text):
        return None
    return _xored(text) if framed and len(text) == 12 else text


def _summed(digits: str) -> str:
    if sum(bytes.fromhex(digits)) % 256:
        raise ValueError("wrong checksum")
    return digits[:-2]


def _xored(digits: str) -> str:
    check = 0
    for byte in bytes.fromhex(digits):
        check ^= byte
    if check:
        raise ValueError("wrong checksum")
    return digits[:-2]
