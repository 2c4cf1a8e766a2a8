"""An energy meter by its register map. Must not know pymodbus, sessions or what the values are for."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from hal import meter_map, spec
from hal.errors import DeviceLost
from hal.meter_map import Block, Map, Span
from hal.modbus_line import BadAnswer, ModbusLine
from hal.ports import MeterReading, Now, Signature

READ_WITHIN_S = 1.0
SIGNED_WITHIN_S = 3.0
BLOCK_FAILURES = 2
"""Whole blocks may go unanswered so often while single values are answered, before the meter is taken for one that answers few registers."""
SMALL_EVERY = 4
"""A silent meter is asked for single values at each so many reads."""
DOUBTS = 3
"""Readings of nothing but zeros that are not believed after a silence: many meters start with them."""
IDENTIFY_EVERY = 60
"""Readings from one look at the meter's own number to the next: a meter may be swapped."""

Registers = tuple[dict[int, int], float]
Phases = tuple[float | None, float | None, float | None]
NONE: Phases = (None, None, None)

log = logging.getLogger(__name__)


class ModbusMeter:
    """One meter. Reads whole blocks, or a few registers at a time once the meter has shown that it answers no more."""

    def __init__(self, line: ModbusLine, table: Map, wiring: spec.Meter, device: str, now: Now) -> None:
        self._line = line
        self._map = table
        self._wiring = wiring
        self._device = device
        self._now = now
        self._small = meter_map.slow_blocks(table)
        self._slow = False
        self._block_failures = 0
        self._failures = 0
        self._answering: bool | None = None
        self._doubts = DOUBTS
        self._meter_id = ""
        self._public_key = b""
        self._readings = 0
        self._energy_wh = 0.0

    async def read(self) -> MeterReading:
        """One reading, within a second. Raises DeviceLost."""
        try:
            async with asyncio.timeout(READ_WITHIN_S):
                reading = await self._read()
        except TimeoutError as error:
            raise self._lost(DeviceLost(self._device, f"no complete answer within {READ_WITHIN_S:g} s")) from error
        except DeviceLost as loss:
            raise self._lost(loss) from loss.__cause__
        if not self._answering:
            log.info("%s: answers (%s, number %s)", self._device, self._map.name, reading.meter_id or "unknown")
        self._answering = True
        return reading

    @property
    def type(self) -> str:
        return self._map.name

    @property
    def signs(self) -> bool:
        return self._map.signed is not None

    async def signature(self) -> Signature:
        """What it signs now, within some seconds; its key is read once. Raises DeviceLost."""
        signed = self._map.signed
        if signed is None:
            raise DeviceLost(self._device, "this meter does not sign")
        try:
            async with asyncio.timeout(SIGNED_WITHIN_S):
                if signed.public_key is not None and not self._public_key:
                    self._public_key = meter_map.asn1(await self._octets(signed.public_key))
                return Signature(await self._octets(signed.data), signed.encoding, signed.method, self._public_key)
        except TimeoutError as error:
            raise DeviceLost(self._device, f"no signed data within {SIGNED_WITHIN_S:g} s") from error

    async def _octets(self, span: Span) -> bytes:
        words: list[int] = []
        for block in meter_map.spans(span):
            words += (await self._asked(span.function, block))[0]
        return meter_map.octets(words)

    async def close(self) -> None:
        """Closes the line."""
        await self._line.close()

    def _lost(self, loss: DeviceLost) -> DeviceLost:
        if self._answering is not False:
            log.warning("%s", loss)
        if self._answering:
            self._doubts = DOUBTS
        self._answering = False
        self._readings = 0
        return loss

    async def _read(self) -> MeterReading:
        registers, at = await self._registers()
        values = {name: meter_map.decoded(self._map, value, registers) for name, value in meter_map.values(self._map)}
        if self._doubts and all(not number for numbers in values.values() for number in numbers):
            self._doubts -= 1
            raise DeviceLost(self._device, "answers nothing but zeros, as meters do after power-up")
        self._doubts = 0
        reading = self._reading(values, at)
        return reading._replace(meter_id=await self._identified(reading))

    async def _registers(self) -> Registers:
        """Every register of the map by address, and when the energy came."""
        if self._slow:
            return await self._blocks(self._small)
        try:
            registers = await self._blocks(self._map.block)
        except BadAnswer as failure:
            if not self._worth_trying(failure):
                raise
            return await self._tried_slowly(failure)
        self._block_failures = 0
        return registers

    def _worth_trying(self, failure: BadAnswer) -> bool:
        """Whether smaller requests may help: not with each read of a silent meter, which would hold up the others on its line."""
        self._failures += 1
        return self._small != list(self._map.block) and (failure.refused or self._answering is not False or self._failures % SMALL_EVERY == 0)

    async def _tried_slowly(self, failure: BadAnswer) -> Registers:
        first, at = await self._blocks(self._small[:1])  # a meter that does not answer this either is lost, not slow
        self._block_failures = BLOCK_FAILURES if failure.refused else self._block_failures + 1
        if self._block_failures >= BLOCK_FAILURES:
            self._slow = True
            log.warning("%s: answers few registers at a time; read so from now on (%s)", self._device, failure)
        rest, later = await self._blocks(self._small[1:])
        return first | rest, max(at, later)

    async def _blocks(self, blocks: Sequence[Block]) -> Registers:
        registers: dict[int, int] = {}
        came = 0.0
        energy = meter_map.energy_blocks(self._map, blocks)
        for block in blocks:
            words, at = await self._asked(self._map.function, block)
            registers.update(enumerate(words, block.start))
            came = at if block in energy else came
        return registers, came

    async def _asked(self, function: int, block: Block) -> tuple[list[int], float]:
        return await self._line.read(self._device, self._wiring.unit, function, block, self._map.pause_ms / 1000.0)

    async def _identified(self, reading: MeterReading) -> str:
        """The meter's own number; looked at after a silence, when the register falls, and now and then."""
        energy_wh = reading.energy_wh if reading.energy_wh is not None else self._energy_wh
        if self._readings % IDENTIFY_EVERY == 0 or energy_wh < self._energy_wh:
            before, self._meter_id = self._meter_id, await self._serial_number()
            self._public_key = self._public_key if before == self._meter_id else b""
        self._energy_wh = energy_wh
        self._readings += 1
        return self._meter_id

    async def _serial_number(self) -> str:
        serial = self._map.serial
        if serial is None:
            return ""
        words = meter_map.WORDS[serial.type]
        try:
            registers, _ = await self._asked(serial.function, Block(start=serial.at, count=words))
        except BadAnswer as failure:
            if not failure.refused:
                raise
            return ""
        number = meter_map.raw(serial.type, self._map.word_order, registers)
        return "" if number is None else f"{number:.0f}"

    def _reading(self, values: dict[str, tuple[float | None, ...]], at: float) -> MeterReading:
        sign = -1.0 if self._wiring.invert else 1.0
        energy, export = _one(values, "energy_wh"), _one(values, "export_wh")
        return MeterReading(
            at=at,
            energy_wh=export if self._wiring.invert else energy,
            power_w=_times(_one(values, "power_w"), sign),
            current_a=_three(values, "current_a"),
            voltage_v=_three(values, "voltage_v"),
            power_phase_w=_signed(_three(values, "power_phase_w"), sign),
            frequency_hz=_one(values, "frequency_hz"),
            export_wh=energy if self._wiring.invert else export,
            meter_id=self._meter_id,
        )


def _one(values: dict[str, tuple[float | None, ...]], name: str) -> float | None:
    return values[name][0] if name in values else None


def _three(values: dict[str, tuple[float | None, ...]], name: str) -> Phases:
    numbers = values.get(name, NONE)
    return (numbers[0], None, None) if len(numbers) == 1 else (numbers[0], numbers[1], numbers[2])


def _signed(phases: Phases, sign: float) -> Phases:
    return (_times(phases[0], sign), _times(phases[1], sign), _times(phases[2], sign))


def _times(number: float | None, sign: float) -> float | None:
    return None if number is None else number * sign
