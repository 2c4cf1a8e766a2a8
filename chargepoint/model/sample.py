"""Measured values: one instant of one EVSE's meter, and values picked from it for a CSMS. Must not know meters or messages."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from chargepoint.model.stamp import Stamp


class Quality(StrEnum):
    """GOOD: read from the meter at that time. STORED: the last value known before a loss. LOST: the meter does not answer."""

    GOOD = "good"
    STORED = "stored"
    LOST = "lost"


class MeterSample(msgspec.Struct, frozen=True, omit_defaults=True):
    """One reading of a meter. energy_wh: import register; None: the meter has no such value."""

    at: Stamp
    quality: Quality
    energy_wh: float | None = None
    power_w: float | None = None
    current_a: tuple[float | None, float | None, float | None] = (None, None, None)
    voltage_v: tuple[float | None, float | None, float | None] = (None, None, None)
    power_phase_w: tuple[float | None, float | None, float | None] = (None, None, None)
    frequency_hz: float | None = None
    export_wh: float | None = None
    meter_id: str = ""


class Context(StrEnum):
    """ReadingContextEnumType."""

    INTERRUPTION_BEGIN = "Interruption.Begin"
    INTERRUPTION_END = "Interruption.End"
    OTHER = "Other"
    SAMPLE_CLOCK = "Sample.Clock"
    SAMPLE_PERIODIC = "Sample.Periodic"
    TRANSACTION_BEGIN = "Transaction.Begin"
    TRANSACTION_END = "Transaction.End"
    TRIGGER = "Trigger"


class Purpose(StrEnum):
    """The message a reading was taken for: 2.0.1 J02, SampledDataCtrlr and AlignedDataCtrlr."""

    BEGIN = "begin"
    UPDATED = "updated"
    ENDED = "ended"
    ALIGNED = "aligned"
    ALIGNED_ENDED = "aligned_ended"


class Signed(msgspec.Struct, frozen=True, omit_defaults=True):
    """SignedMeterValueType: what the meter signed, carried unchanged. data and public_key: Base64; public_key empty where it is not sent."""

    data: str
    encoding: str
    method: str = ""
    public_key: str = ""


class SampledValue(msgspec.Struct, frozen=True, omit_defaults=True):
    """SampledValueType. unit is an OCPP unit of measure ("Wh", "W", "A", "V", "Hz"); phase an OCPP phase ("L1", "L1-N") or None."""

    value: float
    measurand: str
    context: Context
    unit: str
    phase: str | None = None
    location: str = "Outlet"
    signed: Signed | None = None


class Reading(msgspec.Struct, frozen=True):
    """MeterValueType: values of one moment, and what they were taken for."""

    at: Stamp
    purpose: Purpose
    values: tuple[SampledValue, ...]
