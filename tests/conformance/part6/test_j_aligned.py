"""Block J, meter values, of OCPP 2.0.1 part 6, 2.11: clock-aligned meter values."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.conformance.driver import states
from tests.conformance.driver.lab import Lab
from tests.conformance.driver.matching import Payload, check
from tests.conformance.driver.values import clock_aligned, holds, metered, phases

INTERVAL_S = 5
SEVERAL = 3
"""Moments a case waits for."""
OF_EACH_PHASE = ("Power.Active.Import", "Current.Import", "Voltage")
MEASURANDS = ("Energy.Active.Import.Register", *OF_EACH_PHASE)
ALIGNED: dict[str, Any] = {"AlignedDataCtrlr.Interval": INTERVAL_S, "AlignedDataCtrlr.Measurands": ",".join(MEASURANDS)}
OF_CLOCK = {"Sample.Clock"}
NOTHING_SAMPLED: dict[str, Any] = {"SampledDataCtrlr.TxStartedMeasurands": "", "SampledDataCtrlr.TxUpdatedInterval": 0}


async def values_of(lab: Lab, evse: int) -> list[Payload]:
    """The meter values of an EVSE's next MeterValues, judged one by one and together."""
    values = []
    for _ in range(SEVERAL):
        [value] = (await lab.csms.expect("MeterValues", {"evseId": evse}))["meterValue"]
        holds(value, OF_CLOCK, MEASURANDS)
        values.append(value)
    clock_aligned([value["timestamp"] for value in values], INTERVAL_S)
    return values


async def test_TC_J_01_CS(lab: Lab) -> None:
    """Without a transaction each EVSE's values are told at every aligned moment."""
    await lab.up(evses=2)
    await metered(lab)
    await lab.configure(**ALIGNED)
    first, second = await values_of(lab, 1), await values_of(lab, 2)
    together = [value["timestamp"] for value in (*first, *second)]
    clock_aligned(together, INTERVAL_S)


async def test_TC_J_02_CS(lab: Lab) -> None:
    """During a transaction its own events carry its aligned values, of every phase; an idle EVSE has MeterValues."""
    await lab.up(evses=2, variables={**ALIGNED, "AlignedDataCtrlr.SendDuringIdle": False})
    await states.energy_transfer_started(lab)
    await states.transaction_event(lab, {"triggerReason": "MeterValueClock"})
    lab.csms.forget()
    moments = []
    for _ in range(SEVERAL):
        event = await states.transaction_event(lab, {"triggerReason": "MeterValueClock"})
        [value] = event["meterValue"]
        holds(value, OF_CLOCK, MEASURANDS)
        lines = int(await lab.get(f"EVSE@{lab.evse}.SupplyPhases"))
        assert {measurand: len(phases(value, measurand)) for measurand in OF_EACH_PHASE} == dict.fromkeys(OF_EACH_PHASE, lines)
        moments.append(value["timestamp"])
    clock_aligned(moments, INTERVAL_S)
    await values_of(lab, 2)
    await lab.csms.no_more("MeterValues", {"evseId": lab.evse}, for_s=0)


async def test_TC_J_03_CS(lab: Lab) -> None:
    """The aligned values collected during a transaction go with its end."""
    ended = {"AlignedDataCtrlr.TxEndedInterval": INTERVAL_S, "AlignedDataCtrlr.TxEndedMeasurands": ",".join(MEASURANDS)}
    await lab.up(variables={**ended, "AlignedDataCtrlr.SendDuringIdle": False, "SampledDataCtrlr.TxEndedMeasurands": ""})
    await states.energy_transfer_started(lab)
    await asyncio.sleep((SEVERAL + 1) * INTERVAL_S)
    await states.parking_bay_unoccupied(lab)
    [event] = lab.csms.calls("TransactionEvent", {"eventType": "Ended"})
    values = event.payload["meterValue"]
    assert len(values) >= SEVERAL
    for value in values:
        holds(value, OF_CLOCK, MEASURANDS)
    clock_aligned([value["timestamp"] for value in values], INTERVAL_S)


async def test_TC_J_06_CS(lab: Lab) -> None:
    """With SendDuringIdle no values are told while a transaction runs, and again when it is over. Sampled values are switched off."""
    await lab.up(variables={**ALIGNED, **NOTHING_SAMPLED, "AlignedDataCtrlr.SendDuringIdle": True})
    await values_of(lab, lab.evse)
    await states.energy_transfer_started(lab)
    lab.csms.forget()
    await asyncio.sleep(INTERVAL_S + 5)
    assert not lab.csms.pending("MeterValues")
    during = lab.csms.calls("TransactionEvent")
    for message in during:
        check({"transactionInfo": {"transactionId": lab.session.transaction}}, message.payload)
        assert "meterValue" not in message.payload, message.payload
    assert during
    await states.parking_bay_unoccupied(lab)
    await values_of(lab, lab.evse)
