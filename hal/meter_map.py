"""Register maps of meters (config/meters/*.toml) as data: a new meter needs no code. Must not know Modbus lines.

Addresses are base-0 wire addresses; a scale leads to Wh, W, A, V, Hz.
"""

from __future__ import annotations

import math
import struct
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from hal.errors import BoardError
from hal.spec import Base

WORDS = {"u16": 1, "s16": 1, "u32": 2, "s32": 2, "f32": 2, "u64": 4, "s64": 4, "f64": 4}
"""Registers of each type."""
MOST_REGISTERS = 125
"""Modbus application protocol 1.1b3, 6.3 and 6.4."""
LAST_REGISTER = 0xFFFF
LONGEST_PAUSE_MS = 500.0
"""A reading is due each second."""


class Value(Base, frozen=True, kw_only=True):
    """One quantity. at: its address, three for one per phase; a one-phase meter gives one where three are possible. tenfold_above: some
    units of the meter tell ten times the value; a value above this is divided by ten."""

    at: tuple[int, ...]
    type: Literal["u16", "s16", "u32", "s32", "f32", "u64", "s64", "f64"] = "f32"
    scale: float = 1.0
    tenfold_above: float | None = None


class Values(Base, frozen=True, kw_only=True):
    """What the meter has."""

    energy_wh: Value
    export_wh: Value | None = None
    power_w: Value | None = None
    current_a: Value | None = None
    voltage_v: Value | None = None
    power_phase_w: Value | None = None
    frequency_hz: Value | None = None


class Serial(Base, frozen=True, kw_only=True):
    """The meter's own number."""

    at: int
    function: Literal[3, 4] = 3
    type: Literal["u16", "u32", "u64"] = "u32"


class Span(Base, frozen=True, kw_only=True):
    """Registers that hold bytes, the high one first; what is left at their end is zero."""

    at: int
    count: int
    function: Literal[3, 4] = 3


class Signed(Base, frozen=True, kw_only=True):
    """Where a meter that signs keeps what it has signed. encoding: of the data, e.g. OCMF; method: where it does not stand in the data;
    public_key: as an ASN.1 structure."""

    data: Span
    encoding: str
    method: str = ""
    public_key: Span | None = None


class Block(Base, frozen=True, kw_only=True):
    """Registers read by one request."""

    start: int
    count: int


class Map(Base, frozen=True, kw_only=True):
    """A register map. slow_registers: what the weak units of this meter answer at most; asked for after a failed block.
    pause_ms: silence the meter needs between requests."""

    name: str
    function: Literal[3, 4]
    word_order: Literal["big", "little"] = "big"
    pause_ms: float = 0.0
    slow_registers: int = MOST_REGISTERS
    block: tuple[Block, ...]
    value: Values
    serial: Serial | None = None
    signed: Signed | None = None


def load(path: Path) -> Map:
    """Raises BoardError when the file is no register map."""
    try:
        table = msgspec.convert(tomllib.loads(path.read_text("utf-8")), Map)
    except (msgspec.ValidationError, ValueError, RecursionError) as error:
        raise BoardError(f"{path}: {error}") from error
    for fault in faults(table):
        raise BoardError(f"{path}: {fault}")
    return table


def faults(table: Map) -> Iterator[str]:
    """What does not fit together in a map."""
    if not 0.0 <= table.pause_ms <= LONGEST_PAUSE_MS:
        yield f"pause_ms {table.pause_ms:g} is not between 0 and {LONGEST_PAUSE_MS:g}"
    for block in table.block:
        if not 0 <= block.start <= LAST_REGISTER + 1 - block.count:
            yield f"the registers {block.start} to {block.start + block.count - 1} are not between 0 and {LAST_REGISTER}"
        if not 1 <= block.count <= MOST_REGISTERS:
            yield f"a request reads 1 to {MOST_REGISTERS} registers, not {block.count}"
    for name, value in values(table):
        phases = (1, 3) if name in PHASES else (1,)
        if not math.isfinite(value.scale) or not value.scale:
            yield f"value.{name}: {value.scale!r} is no scale"
        if len(value.at) not in phases:
            yield f"value.{name}: {len(value.at)} addresses, expected {' or '.join(map(str, phases))}"
        for address in value.at:
            if not any(inside(block, address, WORDS[value.type]) for block in table.block):
                yield f"value.{name}: address {address:#06x} is in no block"
        if WORDS[value.type] > table.slow_registers:
            yield f"slow_registers {table.slow_registers} is less than {name} needs"


PHASES = frozenset(("current_a", "voltage_v", "power_phase_w"))


def values(table: Map) -> list[tuple[str, Value]]:
    """The quantities the meter has, by name."""
    named = ((name, getattr(table.value, name)) for name in table.value.__struct_fields__)
    return [(name, value) for name, value in named if value is not None]


def inside(block: Block, address: int, words: int) -> bool:
    return block.start <= address and address + words <= block.start + block.count


def energy_blocks(table: Map, blocks: Sequence[Block]) -> list[Block]:
    """Those of the blocks that hold the energy register."""
    energy = table.value.energy_wh
    return [block for block in blocks if inside(block, energy.at[0], WORDS[energy.type])]


def slow_blocks(table: Map) -> list[Block]:
    """The same values in requests of at most slow_registers, no value cut in two."""
    found: list[Block] = []
    for address, words in sorted({(address, WORDS[value.type]) for _, value in values(table) for address in value.at}):
        last = found[-1] if found else None
        if last is not None and address == last.start + last.count and last.count + words <= table.slow_registers:
            found[-1] = Block(start=last.start, count=last.count + words)
        else:
            found.append(Block(start=address, count=words))
    return found


def decoded(table: Map, value: Value, registers: dict[int, int]) -> tuple[float | None, ...]:
    """The quantity's numbers from registers by address; None: not available, or no number."""
    words = ([registers[address + i] for i in range(WORDS[value.type])] for address in value.at)
    return tuple(_scaled(value, raw(value.type, table.word_order, numbers)) for numbers in words)


def raw(kind: str, word_order: str, words: Sequence[int]) -> float | None:
    """The number in the words; None for the marker "not available": all ones of an unsigned, 0x7FFF... of a signed, no number of a float."""
    ordered = words if word_order == "big" else list(reversed(words))
    data = b"".join(word.to_bytes(2, "big") for word in ordered)
    if kind[0] == "f":
        return _float(data)
    number = int.from_bytes(data, "big", signed=kind[0] == "s")
    marker = (1 << len(data) * 8 - (kind[0] == "s")) - 1
    return None if number == marker else float(number)


def _float(data: bytes) -> float | None:
    number: float = struct.unpack(">f" if len(data) == 4 else ">d", data)[0]
    return number if math.isfinite(number) else None


def _scaled(value: Value, number: float | None) -> float | None:
    if number is None:
        return None
    scaled = number * value.scale
    return scaled / 10.0 if value.tenfold_above is not None and scaled > value.tenfold_above else scaled


def spans(span: Span) -> list[Block]:
    """The requests that read it."""
    return [Block(start=at, count=min(MOST_REGISTERS, span.at + span.count - at)) for at in range(span.at, span.at + span.count, MOST_REGISTERS)]


def octets(words: Sequence[int]) -> bytes:
    """The bytes in registers, without the zeros behind them."""
    return b"".join(word.to_bytes(2, "big") for word in words).rstrip(b"\0")


def asn1(data: bytes) -> bytes:
    """An ASN.1 structure by the length it states (X.690 8.1.3), which a last byte of zero belongs to; the bytes as they are when they state none."""
    if len(data) < 3 or data[0] != 0x30:
        return data
    long = data[1] - 0x80 if data[1] > 0x80 else 0
    length = 2 + long + (int.from_bytes(data[2 : 2 + long], "big") if long else data[1])
    return data[:length].ljust(length, b"\0")
