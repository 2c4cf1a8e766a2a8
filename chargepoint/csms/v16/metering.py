"""MeterValues (OCPP 1.6 4.7), and the wording of readings. Must not know meters, nor which values were wanted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from chargepoint.csms.face import NoWords, Payload, Spoken, StationView, Told
from chargepoint.csms.rpc import Result, Rpc, Urgency, unspoken
from chargepoint.csms.v16.words import connector_id, time_text, whole_wh
from chargepoint.model.facts import MeterFact
from chargepoint.model.sample import Reading, SampledValue

UNITS = frozenset(("Wh", "kWh", "varh", "kvarh", "W", "kW", "VA", "kVA", "var", "kvar", "A", "V", "Celcius", "Fahrenheit", "K", "Percent"))
"""7.45 UnitOfMeasure. It has no Hertz: a Frequency goes without unit (7.31)."""
MEASURANDS = frozenset(
    (
        *(f"Energy.{kind}.{way}.{form}" for kind in ("Active", "Reactive") for way in ("Export", "Import") for form in ("Register", "Interval")),
        *("Power.Active.Export", "Power.Active.Import", "Power.Offered", "Power.Reactive.Export", "Power.Reactive.Import", "Power.Factor"),
        *("Current.Import", "Current.Export", "Current.Offered", "Voltage", "Frequency", "Temperature", "SoC", "RPM"),
    )
)
"""7.31 Measurand."""


def number_text(value: SampledValue) -> str:
    """Registers in Wh are rounded down like meterStart and meterStop, so that none of them ever falls; all else has three decimals at most."""
    if value.unit == "Wh" and value.measurand.endswith(".Register"):
        return str(whole_wh(value.value))
    return f"{value.value:.3f}".rstrip("0").rstrip(".")


def sampled(value: SampledValue) -> Payload:
    """7.43 SampledValue."""
    said: Payload = {"value": number_text(value), "context": value.context.value, "measurand": value.measurand, "location": value.location}
    if value.unit in UNITS:
        said["unit"] = value.unit
    if value.phase is not None:
        said["phase"] = value.phase
    return said


def _worded(value: SampledValue) -> Iterator[Payload]:
    """A signed value stands beside the plain one (7.25, OCA whitepaper "Signed meter values", 3.1.4 and 3.2.1)."""
    plain = sampled(value)
    yield plain
    if value.signed is not None:
        signed = value.signed
        fields = {"signedMeterData": signed.data, "signingMethod": signed.method, "encodingMethod": signed.encoding, "publicKey": signed.public_key}
        yield {**plain, "value": msgspec.json.encode(fields).decode(), "format": "SignedData"}


def meter_values(view: StationView, readings: Iterable[Reading]) -> list[Payload]:
    """7.33 MeterValue, one per reading that has a value 1.6 can name."""
    worded = ((reading.at, [word for value in reading.values if value.measurand in MEASURANDS for word in _worded(value)]) for reading in readings)
    return [{"timestamp": time_text(view, at), "sampledValue": values} for at, values in worded if values]


async def speak_meter(view: StationView, rpc: Rpc, fact: MeterFact) -> Spoken:
    """MeterValues that are no event of a transaction; the running one is named where its number is known (4.7)."""
    values = meter_values(view, [fact.reading])
    if not values:
        return NoWords()
    payload: Payload = {"connectorId": connector_id(view, fact.evse, fact.connector), "meterValue": values}
    number = view.notes.note(fact.transaction) if fact.transaction else None
    if number is not None:
        payload["transactionId"] = int(number)
    outcome = await rpc.call("MeterValues", payload, Urgency.GUARANTEED)
    return Told() if isinstance(outcome, Result) else unspoken(outcome)
