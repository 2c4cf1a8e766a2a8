"""The cable and the car's end of it, time-outs, and measured values at their moments."""

from __future__ import annotations

import asyncio

import pytest

from sim.csms.book import seconds
from tests.world import World

VERSIONS = ["ocpp1.6", "ocpp2.0.1"]


def settings(version: str, in_16: str, in_2: str) -> str:
    return f"[ocpp16.configuration]\n{in_16}" if version == "ocpp1.6" else f"[ocpp2.variables]\n{in_2}"


@pytest.mark.parametrize("version", VERSIONS)
async def test_car_side_unplugged_ends_it(world: World, version: str) -> None:
    await world.up(version)
    await world.charge()
    await world.told(lambda csms: len(csms.book.transactions) == 1)
    await world.post("evse/1/ev-unplug")
    await world.contactor("open")
    await world.told(lambda csms: csms.book.transactions[0].ended)
    assert world.csms.book.transactions[0].reason == "EVDisconnected"
    await world.until(lambda s: s["evses"][0]["lock"] == "unlocked")
    await world.post("evse/1/ev-plug")
    await asyncio.sleep(3)
    assert (await world.evse())["contactor"] == "open"
    await world.unplug()
    await world.status("Available")
    await world.charge()


@pytest.mark.parametrize("version", VERSIONS)
async def test_car_side_unplugged_may_go_on(world: World, version: str) -> None:
    more = settings(
        version,
        '"StopTransactionOnEVSideDisconnect" = false\n"UnlockConnectorOnEVSideDisconnect" = false',
        '"TxCtrlr.StopTxOnEVSideDisconnect" = false\n"OCPPCommCtrlr.UnlockOnEVSideDisconnect" = false\n"TxCtrlr.TxStopPoint" = "Authorized"',
    )
    await world.up(version, more=more)
    await world.charge()
    await world.told(lambda csms: len(csms.book.transactions) == 1)
    await world.post("evse/1/ev-unplug")
    await world.contactor("open")
    await asyncio.sleep(2)
    evse = await world.evse()
    assert evse["lock"] == "locked"
    assert not world.csms.book.transactions[0].ended
    await world.status("SuspendedEV")
    await world.post("evse/1/ev-plug")
    await world.contactor("closed")
    await world.swipe()
    await world.told(lambda csms: csms.book.transactions[0].ended)
    await world.until(lambda s: s["evses"][0]["lock"] == "unlocked")
    assert world.csms.book.transactions[0].reason == "Local"
    assert len(world.csms.book.transactions) == 1


async def test_nobody_plugs_in(world: World) -> None:
    await world.up("ocpp1.6", more='[ocpp16.configuration]\n"ConnectionTimeOut" = 3')
    await world.swipe()
    await world.status("Preparing")
    await world.status("Available")
    await world.plug_in()
    await asyncio.sleep(2)
    assert (await world.evse())["contactor"] == "open"
    await world.swipe()
    await world.contactor("closed")


@pytest.mark.parametrize("version", VERSIONS)
async def test_values_at_their_intervals(world: World, version: str) -> None:
    wanted = "Energy.Active.Import.Register,Current.Import,Voltage,Power.Active.Import"
    in_16 = f'"MeterValueSampleInterval" = 2\n"ClockAlignedDataInterval" = 5\n"MeterValuesSampledData" = "{wanted}"\n'
    in_16 += '"MeterValuesAlignedData" = "Voltage"\n'
    in_16 += '"StopTxnSampledData" = "Energy.Active.Import.Register"\n"StopTxnAlignedData" = "Voltage"'
    in_2 = f'"SampledDataCtrlr.TxUpdatedInterval" = 2\n"AlignedDataCtrlr.Interval" = 5\n"SampledDataCtrlr.TxUpdatedMeasurands" = "{wanted}"\n'
    in_2 += '"AlignedDataCtrlr.Measurands" = "Voltage"\n"AlignedDataCtrlr.TxEndedInterval" = 5\n"AlignedDataCtrlr.TxEndedMeasurands" = "Voltage"'
    await world.up(version, more=settings(version, in_16, in_2))
    await world.charge()
    await asyncio.sleep(12)
    await world.swipe()
    await world.told(lambda csms: bool(csms.book.transactions) and csms.book.transactions[0].ended)
    transaction = world.csms.book.transactions[0]
    began = seconds(transaction.started_at or "")
    by_context: dict[str, list[dict[str, object]]] = {}
    for value in transaction.values:
        by_context.setdefault(str(value["sampledValue"][0].get("context", "Sample.Periodic")), []).append(value)
    sampled = [v for v in by_context["Sample.Periodic"] if v.get("source") != "transactionData"]
    assert 4 <= len(sampled) <= 8
    for number, value in enumerate(sampled, 1):
        assert seconds(str(value["timestamp"])) - began == pytest.approx(2 * number, abs=1.5)
        names = {row.get("measurand", "Energy.Active.Import.Register") for row in value["sampledValue"]}  # type: ignore[attr-defined]  # JSON
        assert names == set(wanted.split(","))
    aligned = by_context["Sample.Clock"]
    assert len(aligned) >= 2
    for value in aligned:
        assert seconds(str(value["timestamp"])) % 5 == pytest.approx(0.0, abs=0.01)
        assert {row["measurand"] for row in value["sampledValue"]} == {"Voltage"}  # type: ignore[attr-defined]  # JSON
