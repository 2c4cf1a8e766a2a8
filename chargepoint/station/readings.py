"""Picks from a meter's sample what a CSMS wants to see: measurands, phases, units (2.0.1 part 2, 3.47 MeasurandEnumType; 1.6 7.31). Pure functions.

Must not know when or for whom. What the meter does not measure is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from chargepoint.model.sample import Context, MeterSample, SampledValue

LINES = ("L1", "L2", "L3")
TO_NEUTRAL = ("L1-N", "L2-N", "L3-N")
NOMINAL_V = 230.0
Value = tuple[float, str | None]
"""A value and its phase."""


class Source(NamedTuple):
    """What values are picked from. register_wh: the import register to tell; offered_a: what is offered to the car, A per phase; every_phase: what
    has a sum is told of each phase too (2.0.1 errata 2025-09, 2.34)."""

    sample: MeterSample
    register_wh: float | None
    phases: int
    offered_a: float
    every_phase: bool = False


class Measurand(NamedTuple):
    unit: str
    digits: int
    pick: Callable[[Source], Iterable[Value]]


def values(source: Source, names: Iterable[str], context: Context) -> tuple[SampledValue, ...]:
    """The values of the measurands named, in their order."""
    return tuple(value for name in names for value in _of(source, name, context))


def _of(source: Source, name: str, context: Context) -> Iterator[SampledValue]:
    """A name may have a phase behind it: "Voltage.L1" (1.6 9.1.17)."""
    base, line = (name, "") if name in MEASURANDS else (name.rpartition(".")[0], name.rpartition(".")[2])
    measurand = OF_ONE_PHASE.get(base) if line else None
    measurand = measurand or MEASURANDS.get(base)
    for value, phase in measurand.pick(source) if measurand else ():
        if measurand and (not line or phase in (line, f"{line}-N")):
            yield SampledValue(round(value, measurand.digits), base, context, measurand.unit, phase)


def _one(value: float | None) -> list[Value]:
    return [] if value is None else [(value, None)]


def _each(numbers: tuple[float | None, ...], names: tuple[str, ...], phases: int) -> list[Value]:
    return [(number, name) for number, name in zip(numbers[:phases], names, strict=False) if number is not None]


def _power(source: Source) -> list[Value]:
    """The sum, and what several phases have part in it."""
    parts = _power_of_phases(source) if source.every_phase and source.phases > 1 else []
    return [*_one(source.sample.power_w), *parts]


def _power_of_phases(source: Source) -> list[Value]:
    return _each(source.sample.power_phase_w, LINES, source.phases)


def _offered_w(source: Source) -> float:
    volts = [volt for volt in source.sample.voltage_v[: source.phases] if volt]
    mean = sum(volts) / len(volts) if volts else NOMINAL_V
    return source.offered_a * mean * source.phases


MEASURANDS: dict[str, Measurand] = {
    "Energy.Active.Import.Register": Measurand("Wh", 3, lambda source: _one(source.register_wh)),
    "Energy.Active.Export.Register": Measurand("Wh", 3, lambda source: _one(source.sample.export_wh)),
    "Power.Active.Import": Measurand("W", 1, _power),
    "Power.Offered": Measurand("W", 0, lambda source: _one(_offered_w(source))),
    "Current.Import": Measurand("A", 2, lambda source: _each(source.sample.current_a, LINES, source.phases)),
    "Current.Offered": Measurand("A", 1, lambda source: _one(source.offered_a)),
    "Voltage": Measurand("V", 1, lambda source: _each(source.sample.voltage_v, TO_NEUTRAL, source.phases)),
    "Frequency": Measurand("Hz", 2, lambda source: _one(source.sample.frequency_hz)),
}
OF_ONE_PHASE: dict[str, Measurand] = {
    "Power.Active.Import": Measurand("W", 1, _power_of_phases),
}
"""What has a sum, where a phase is named."""
