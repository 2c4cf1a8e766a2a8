"""Configuration keys of meter values (9.1, 3.16): type, limits, access, and what each does."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest

from tests.conformance.driver import keys16, states16
from tests.conformance.driver.lab import Lab
from tests.conformance.driver.matching import ABSENT, Payload, check

SHARED: dict[str, Any] = {"evses": 2, "keys": {"MeterValueSampleInterval": 0, "ClockAlignedDataInterval": 0}}
REGISTER = "Energy.Active.Import.Register"
POWER, VOLTAGE, CURRENT = "Power.Active.Import", "Voltage", "Current.Import"
UNKNOWN_MEASURANDS = ("Nonsense", f"{REGISTER},Nonsense", "RPM", f"{REGISTER},SoC")


def measurands(meter_values: Sequence[Payload]) -> set[str]:
    return {value.get("measurand", REGISTER) for meter_value in meter_values for value in meter_value["sampledValue"]}


def contexts(meter_values: Sequence[Payload]) -> set[str]:
    return {value.get("context", "Sample.Periodic") for meter_value in meter_values for value in meter_value["sampledValue"]}


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def sampled(context: str) -> Any:
    """A MeterValues whose values have this context."""
    return lambda payload: contexts(payload["meterValue"]) == {context}


async def ended(lab: Lab) -> Payload:
    stop = await states16.stopped(lab, remote=True)
    await states16.available(lab)
    return stop


async def list_of_measurands(lab: Lab, key: str, longest: str) -> None:
    """A CSL of measurands: those this meter has, none, but never an unknown one, nor more than its MaxLength says."""
    most = int(await keys16.read_only(lab, longest))
    assert most >= 1
    await keys16.settable(lab, key, (REGISTER, "", f"{REGISTER},{POWER},{VOLTAGE},{CURRENT}", "Voltage.L1"), UNKNOWN_MEASURANDS)


async def short_list(lab: Lab, key: str, longest: str) -> None:
    """A list of more items than its MaxLength is rejected and changes nothing."""
    assert await keys16.read_only(lab, longest) == "2"
    await keys16.settable(lab, key, (REGISTER, f"{REGISTER},{VOLTAGE}"), (f"{REGISTER},{VOLTAGE},{POWER}",))


@pytest.mark.covers("MeterValueSampleInterval", "3.16.1", "4.7")
async def test_key_MeterValueSampleInterval(shared_booted: Lab) -> None:
    """Samples come at this interval from the start of the transaction; 0: none."""
    lab = shared_booted
    await keys16.integer(lab, "MeterValueSampleInterval", ("0", "1", "900"))
    async with states16.keys(lab, MeterValueSampleInterval=0):
        await states16.charging(lab)
        await lab.csms.no_more("MeterValues", for_s=1.5)
        await ended(lab)
    async with states16.keys(lab, MeterValueSampleInterval=2, MeterValuesSampledData=REGISTER):
        start = await states16.charging(lab)
        number = int(lab.session.transaction or 0)
        told = [await lab.csms.expect("MeterValues", {"connectorId": 1, "transactionId": number}) for _ in range(3)]
        offsets = [(moment(it["meterValue"][0]["timestamp"]) - moment(start["timestamp"])).total_seconds() for it in told]
        assert all(later - sooner == pytest.approx(2, abs=1.1) for sooner, later in zip([0.0, *offsets], offsets, strict=False)), offsets
        assert all(sampled("Sample.Periodic")(it) for it in told)
        await ended(lab)


@pytest.mark.covers("MeterValuesSampledData", "MeterValuesSampledDataMaxLength", "3.16.4", "7.31")
async def test_key_MeterValuesSampledData(shared_booted: Lab) -> None:
    """The samples hold exactly these measurands, all phases of each, or the one phase that is named; a measurand the meter lacks is rejected."""
    lab = shared_booted
    await list_of_measurands(lab, "MeterValuesSampledData", "MeterValuesSampledDataMaxLength")
    async with states16.keys(lab, MeterValueSampleInterval=1, MeterValuesSampledData=f"{REGISTER},{CURRENT}"):
        await states16.charging(lab)
        told = await lab.csms.expect("MeterValues", {"transactionId": int(lab.session.transaction or 0)})
        assert measurands(told["meterValue"]) == {REGISTER, CURRENT}
        assert {value["phase"] for value in told["meterValue"][0]["sampledValue"] if value.get("measurand") == CURRENT} == {"L1", "L2", "L3"}
        async with states16.keys(lab, MeterValuesSampledData="Voltage.L2"):
            await lab.csms.expect("MeterValues", lambda payload: _only_one_phase(payload["meterValue"], "L2"))
        await ended(lab)


def _only_one_phase(meter_values: Sequence[Payload], phase: str) -> bool:
    values = [value for meter_value in meter_values for value in meter_value["sampledValue"]]
    return len(values) == 1 and values[0]["measurand"] == VOLTAGE and values[0]["phase"].startswith(phase)


@pytest.mark.covers("StopTxnSampledData", "StopTxnSampledDataMaxLength", "3.16.5", "3.16.6")
async def test_key_StopTxnSampledData(shared_booted: Lab) -> None:
    """StopTransaction holds these measurands of the begin, each sample and the end; with an empty list it holds no values."""
    lab = shared_booted
    await list_of_measurands(lab, "StopTxnSampledData", "StopTxnSampledDataMaxLength")
    async with states16.keys(lab, MeterValueSampleInterval=1, StopTxnSampledData=f"{REGISTER},{VOLTAGE}", StopTxnAlignedData=""):
        await states16.charging(lab)
        await lab.csms.expect("MeterValues")
        await lab.csms.expect("MeterValues")
        data = (await ended(lab))["transactionData"]
        assert measurands(data) == {REGISTER, VOLTAGE}
        assert contexts(data) == {"Transaction.Begin", "Sample.Periodic", "Transaction.End"}
        stamps = [moment(it["timestamp"]) for it in data]
        assert stamps == sorted(stamps)
        for context in ("Transaction.Begin", "Transaction.End"):
            assert measurands([it for it in data if contexts([it]) == {context}]) == {REGISTER, VOLTAGE}
    async with states16.keys(lab, MeterValueSampleInterval=1, StopTxnSampledData="", StopTxnAlignedData=""):
        await states16.charging(lab)
        await lab.csms.expect("MeterValues")
        check({"transactionData": ABSENT}, await ended(lab))


@pytest.mark.covers("StopTransactionMaxMeterValues")
async def test_key_StopTransactionMaxMeterValues(lab: Lab) -> None:
    """StopTransaction holds so many values at most, those of begin and end always among them, and not only the oldest of the others."""
    await lab.up(keys={"StopTransactionMaxMeterValues": 5, "MeterValueSampleInterval": 1, "StopTxnSampledData": REGISTER, "StopTxnAlignedData": ""})
    assert await keys16.read_only(lab, "StopTransactionMaxMeterValues") == "5"
    await states16.charging(lab)
    for _ in range(9):
        await lab.csms.expect("MeterValues")
    data = (await ended(lab))["transactionData"]
    assert 3 <= len(data) <= 5, data
    assert [contexts([it]) for it in (data[0], data[-1])] == [{"Transaction.Begin"}, {"Transaction.End"}]
    stamps = [moment(it["timestamp"]) for it in data]
    assert (stamps[-2] - stamps[0]).total_seconds() > 4, stamps


@pytest.mark.covers("ClockAlignedDataInterval", "MeterValuesAlignedData", "MeterValuesAlignedDataMaxLength", "3.16.2", "4.7")
async def test_key_ClockAlignedDataInterval_and_MeterValuesAlignedData(shared_booted: Lab) -> None:
    """Every connector's values at full multiples of the interval since midnight, with exactly these measurands, the running transaction named;
    0: none."""
    lab = shared_booted
    await keys16.integer(lab, "ClockAlignedDataInterval", ("0", "1", "900", "86400"), ("86401",))
    await list_of_measurands(lab, "MeterValuesAlignedData", "MeterValuesAlignedDataMaxLength")
    await states16.charging(lab)
    number = int(lab.session.transaction or 0)
    async with states16.keys(lab, ClockAlignedDataInterval=2, MeterValuesAlignedData=f"{REGISTER},{POWER}"):
        for _ in range(2):
            told = await lab.csms.expect("MeterValues", {"connectorId": 1, "transactionId": number})
            assert measurands(told["meterValue"]) == {REGISTER, POWER}
            assert contexts(told["meterValue"]) == {"Sample.Clock"}
            at = moment(told["meterValue"][0]["timestamp"])
            assert at.second % 2 == 0 and at.microsecond < 2000, at
        idle = await lab.csms.expect("MeterValues", {"connectorId": 2, "transactionId": ABSENT})
        assert contexts(idle["meterValue"]) == {"Sample.Clock"}
    lab.csms.forget()
    await lab.csms.no_more("MeterValues", for_s=2.5)
    await ended(lab)


@pytest.mark.covers("StopTxnAlignedData", "StopTxnAlignedDataMaxLength", "3.16.2", "3.16.6")
async def test_key_StopTxnAlignedData(shared_booted: Lab) -> None:
    """StopTransaction holds these measurands at each aligned moment of the transaction, at its begin and at its end."""
    lab = shared_booted
    await list_of_measurands(lab, "StopTxnAlignedData", "StopTxnAlignedDataMaxLength")
    wanted = {"ClockAlignedDataInterval": 1, "StopTxnAlignedData": f"{REGISTER},{CURRENT}", "MeterValuesAlignedData": REGISTER}
    async with states16.keys(lab, **wanted, StopTxnSampledData=""):
        await states16.charging(lab)
        for _ in range(3):
            await lab.csms.expect("MeterValues", {"transactionId": int(lab.session.transaction or 0)})
        data = (await ended(lab))["transactionData"]
        aligned = [it for it in data if contexts([it]) == {"Sample.Clock"}]
        assert len(aligned) >= 3 and measurands(aligned) == {REGISTER, CURRENT}
        assert all(moment(it["timestamp"]).microsecond < 2000 for it in aligned)
        for context in ("Transaction.Begin", "Transaction.End"):
            assert measurands([it for it in data if contexts([it]) == {context}]) == {REGISTER, CURRENT}
        stamps = [moment(it["timestamp"]) for it in data]
        assert stamps == sorted(stamps)


@pytest.mark.covers(
    "MeterValuesAlignedDataMaxLength",
    "MeterValuesSampledDataMaxLength",
    "StopTxnAlignedDataMaxLength",
    "StopTxnSampledDataMaxLength",
    "ConnectorPhaseRotationMaxLength",
    "5.3",
)
async def test_keys_MaxLength(lab: Lab) -> None:
    """A list takes as many items as its MaxLength says, and no more."""
    lists = ("MeterValuesAlignedData", "MeterValuesSampledData", "StopTxnAlignedData", "StopTxnSampledData")
    longest = {f"{name}MaxLength": 2 for name in (*lists, "ConnectorPhaseRotation")}
    await lab.up(keys={**longest, "ConnectorPhaseRotation": "1.RST,2.RST"}, evses=2)
    for name in lists:
        await short_list(lab, name, f"{name}MaxLength")
    assert await keys16.read_only(lab, "ConnectorPhaseRotationMaxLength") == "2"
    await keys16.settable(lab, "ConnectorPhaseRotation", ("1.RST,2.RTS",), ("0.RST,1.RST,2.RST",))


@pytest.mark.covers("ConnectorPhaseRotation", "ConnectorPhaseRotationMaxLength")
async def test_key_ConnectorPhaseRotation(shared_booted: Lab) -> None:
    """One rotation per connector, 0 the main meter's; all eight words; no connector that is not there."""
    lab = shared_booted
    assert await keys16.read_only(lab, "ConnectorPhaseRotationMaxLength") == "3"
    good = ("0.RST,1.RTS,2.SRT", "1.STR,2.TRS", "1.TSR,2.Unknown", "1.NotApplicable,2.RST")
    await keys16.settable(lab, "ConnectorPhaseRotation", good, ("1.XYZ", "3.RST", "RST", "1.RST,1.RTS", "1,RST"))
