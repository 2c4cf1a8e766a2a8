"""Answers a firmware process's datagrams from the board. Must not know who asks beyond a number, or how datagrams travel."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from errno import ENOENT

from sim.rig.board import Board
from sim.rig.protocol import I2C_ANSWER, PIN, PIN_LEVEL

MAX_US = 0xFFFF
Answer = bytes | None
Read = tuple[int, int, bytes]


class NotARequest(Exception):
    """A datagram that is none of the protocol's."""


class FirmwareSide:
    """names: what "sim:..." port names stand for; `directory` holds those that are files."""

    def __init__(self, board: Board, directory: str) -> None:
        self._board = board
        self._directory = directory
        self.names: dict[str, str] = {}
        self._bank = tuple(board.wiring.inputs)
        self._acts: dict[int, Callable[[int, bytes], Answer]] = {
            ord("R"): self._read_bank,
            ord("W"): self._write,
            ord("I"): self._i2c,
            ord("C"): self._claim,
            ord("L"): self._let_go,
            ord("O"): self._output,
            ord("M"): self._pins,
            ord("P"): self._pwm_write,
            ord("Q"): self._pwm_read,
            ord("N"): self._resolve,
        }

    def answer(self, owner: int, request: bytes) -> Answer:
        """The answer, or None where there is none to give. Raises NotARequest."""
        try:
            return self._acts[request[0]](owner, request)
        except (KeyError, IndexError, ValueError, struct.error) as error:
            raise NotARequest(f"{request!r}: {error}") from error

    def _read_bank(self, owner: int, request: bytes) -> Answer:
        read = self._board.read
        return bytes([read(pin) for pin in self._bank])

    def _write(self, owner: int, request: bytes) -> Answer:
        _, pin, level = PIN_LEVEL.unpack(request)
        self._board.write(owner, pin, bool(level))
        return None

    def _i2c(self, owner: int, request: bytes) -> Answer:
        messages: list[Read] = []
        at = 2
        while at < len(request):
            address, length, size = request[at : at + 3]
            messages.append((address, length, request[at + 3 : at + 3 + size]))
            at += 3 + size
        error, seconds, data = self._board.i2c(request[1], messages)
        return I2C_ANSWER.pack(error, min(MAX_US, int(seconds * 1e6))) + data

    def _claim(self, owner: int, request: bytes) -> Answer:
        _, pin, level = PIN_LEVEL.unpack(request)
        return bytes([self._board.claim(owner, pin, bool(level))])

    def _let_go(self, owner: int, request: bytes) -> Answer:
        _, pin = PIN.unpack(request)
        return bytes([self._board.let_go(owner, pin)])

    def _output(self, owner: int, request: bytes) -> Answer:
        _, pin = PIN.unpack(request)
        return bytes([self._board.read(pin)])

    def _pins(self, owner: int, request: bytes) -> Answer:
        return b"".join(pin.to_bytes(2, "little") for pin in self._bank)

    def _pwm_write(self, owner: int, request: bytes) -> Answer:
        chip, attribute, text = request[1:].decode().split("\0", 2)
        return bytes([self._board.pwm_write(chip, attribute, text)])

    def _pwm_read(self, owner: int, request: bytes) -> Answer:
        chip, attribute = request[1:].decode().split("\0", 1)
        text = self._board.pwm_read(chip, attribute)
        return bytes([ENOENT]) if text is None else b"\0" + text.encode()

    def _resolve(self, owner: int, request: bytes) -> Answer:
        self._board.station_back()
        name = request[1:].decode()
        return self.names.get(name, os.path.join(self._directory, name)).encode()
