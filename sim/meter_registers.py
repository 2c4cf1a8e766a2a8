"""The registers of the simulated meters, as their makers document them. Must not know lines or the world.

Written from the makers' tables, not from config/meters, so that a wrong map shows in a test.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from typing import NamedTuple

Words = list[int]
NAN = math.nan


class Values(NamedTuple):
    """What a meter measures: phases as triples, import in Wh."""

    voltage_v: tuple[float, float, float]
    current_a: tuple[float, float, float]
    power_w: tuple[float, float, float]
    energy_wh: float
    frequency_hz: float
    serial: int


class Block(NamedTuple):
    """One undivided range of registers of a function code (3 holding, 4 input), and how its words come from the values; None: not a number."""

    function: int
    address: int
    size: int
    words: Callable[[Values | None, int], Words]


def f32(value: float) -> Words:
    """IEEE-754, high word first."""
    return list(struct.unpack(">HH", struct.pack(">f", value)))


def integer(value: float | None, bits: int, *, signed: bool = False) -> Words:
    """High word first. None: ABB's not-available marker, all ones for unsigned, 7FFF... for signed."""
    missing = (1 << (bits - 1 if signed else bits)) - 1
    raw = missing if value is None else int(value) & ((1 << bits) - 1)
    return [(raw >> shift) & 0xFFFF for shift in range(bits - 16, -1, -16)]


def _eastron_values(values: Values | None) -> dict[int, float]:
    """Input registers of the SDM630 family by wire address."""
    if values is None:
        return {address: NAN for address in EASTRON}
    u, i, p = values.voltage_v, values.current_a, values.power_w
    kwh = values.energy_wh / 1000
    row: dict[int, float] = {}
    for phase in range(3):
        row |= {0x00 + 2 * phase: u[phase], 0x06 + 2 * phase: i[phase], 0x0C + 2 * phase: p[phase], 0x12 + 2 * phase: u[phase] * i[phase]}
        row |= {0x1E + 2 * phase: 1.0, 0x15A + 2 * phase: kwh / 3}
    row |= {0x34: sum(p), 0x38: sum(a * b for a, b in zip(u, i, strict=True)), 0x3E: 1.0, 0x46: values.frequency_hz}
    row |= {0x48: kwh, 0x4A: 0.0, 0x156: kwh, 0xE0: 0.0}
    return row


EASTRON = (*range(0x00, 0x24, 2), 0x34, 0x38, 0x3C, 0x3E, 0x46, 0x48, 0x4A, 0x156, *range(0x15A, 0x166, 2), 0xE0)


def _eastron(address: int, count: int) -> Block:
    def words(values: Values | None, code: int) -> Words:
        row = _eastron_values(values)
        return [word for at in range(address, address + count, 2) for word in f32(row.get(at, 0.0))]

    return Block(4, address, count, words)


def _eastron_identity(code: int) -> Block:
    def words(values: Values | None, serial: int) -> Words:
        return [*integer(serial, 32), code]

    return Block(3, 0xFC00, 3, words)


def _abb_live(values: Values | None, serial: int) -> Words:
    """5B00 to 5B3D: voltages, currents, powers, frequency, power factors; what lies between is not available."""
    row: dict[int, Words] = {}
    for phase in range(3):
        row[0x5B00 + 2 * phase] = integer(values.voltage_v[phase] * 10 if values else None, 32)
        row[0x5B0C + 2 * phase] = integer(values.current_a[phase] * 100 if values else None, 32)
        row[0x5B16 + 2 * phase] = integer(values.power_w[phase] * 100 if values else None, 32, signed=True)
    row[0x5B14] = integer(sum(values.power_w) * 100 if values else None, 32, signed=True)
    row[0x5B2C] = integer(values.frequency_hz * 100 if values else None, 16)
    row[0x5B3A] = [word for _ in range(4) for word in integer(1000 if values else None, 16, signed=True)]
    words = [0xFFFF] * (0x5B3E - 0x5B00)
    for address, found in row.items():
        words[address - 0x5B00 : address - 0x5B00 + len(found)] = found
    return words


def _abb_energy(values: Values | None, serial: int) -> Words:
    """5000 import and 5004 export, 0.01 kWh."""
    return [*integer(values.energy_wh / 10 if values else None, 64), *integer(0 if values else None, 64)]


def _abb_serial(values: Values | None, serial: int) -> Words:
    return integer(serial, 32)


SIGNED, HALF = 0x7000, 125
"""Registers one request can read; the container lies in two of them."""
_latched: dict[int, Words] = {}
"""By the meter's number: what it signed when its first half was asked for."""


def _octets(data: bytes, size: int) -> Words:
    return list(struct.unpack(f">{size}H", data[: 2 * size].ljust(2 * size, b"\0")))


def _sign(values: Values | None, serial: int) -> Words:
    from sim import ocmf  # loads `cryptography`, where a meter signs

    _latched[serial] = _octets(ocmf.container(serial, values.energy_wh), 2 * HALF) if values else [0] * 2 * HALF
    return _latched[serial][:HALF]


def _signed_rest(values: Values | None, serial: int) -> Words:
    return _latched.get(serial, [0] * 2 * HALF)[HALF:]


def _public_key(values: Values | None, serial: int) -> Words:
    from sim import ocmf

    return _octets(ocmf.public_key(serial), 48)


LAYOUTS: dict[str, tuple[Block, ...]] = {
    "sdm630": (_eastron(0x00, 80), _eastron(0xC8, 26), _eastron(0x156, 16), _eastron_identity(0x0070)),
    "sdm72dm_v2": (_eastron(0x00, 80), _eastron(0xC8, 26), _eastron(0x156, 2), _eastron_identity(0x0089)),
    "sim_ocmf": (
        _eastron(0x00, 80),
        _eastron_identity(0x0070),
        Block(3, SIGNED, HALF, _sign),
        Block(3, SIGNED + HALF, HALF, _signed_rest),
        Block(3, 0x7200, 48, _public_key),
    ),
    "abb_b23": (
        Block(3, 0x5000, 8, _abb_energy),
        Block(3, 0x5B00, 0x3E, _abb_live),
        Block(3, 0x8900, 2, _abb_serial),
    ),
}
"""By the name of the map in config/meters."""
