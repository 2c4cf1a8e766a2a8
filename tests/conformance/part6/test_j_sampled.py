"""Block J, meter values, of OCPP 2.0.1 part 6, 2.11: values sampled at the begin, during, and at the end of a transaction."""

from __future__ import annotations

import asyncio

from tests.conformance.driver import states
from tests.conformance.driver.lab import Lab
from tests.conformance.driver.matching import Payload
from tests.conformance.driver.values import holds, metered, periodic

INTERVAL_S = 2
SEVERAL = 4
"""Moments a case waits for."""
MEASURANDS = ("Energy.Active.Import.Register", "Power.Active.Import", "Voltage")
STARTED = {"SampledDataCtrlr.TxStartedMeasurands": ",".join(MEASURANDS)}
UPDATED = {"SampledDataCtrlr.TxUpdatedMeasurands": ",".join(MEASURANDS), "SampledDataCtrlr.TxUpdatedInterval": INTERVAL_S}
ENDED = {"SampledDataCtrlr.TxEndedMeasurands": ",".join(MEASURANDS), "SampledDataCtrlr.TxEndedInterval": INTERVAL_S}


def begins(event: Payload) -> None:
    """The event carries the values of the transaction's begin."""
    [value] = event["meterValue"]
    holds(value, {"Transaction.Begin"}, MEASURANDS)


async def test_TC_J_07_CS(lab: Lab) -> None:
    """The values of the begin go with Started where the EVSE is known."""
    await lab.up(variables={**STARTED, "TxCtrlr.TxStartPoint": "EVConnected"})
    await metered(lab)
    await states.parking_bay_occupied(lab)
    started = await states.ev_connected_pre_session(lab)
    await states.energy_transfer_started(lab)
    assert started is not None and started["eventType"] == "Started"
    begins(started)


async def test_TC_J_08_CS(lab: Lab) -> None:
    """The values of the begin are told as soon as the EVSE is known, where the transaction starts before."""
    await lab.up(evses=2, variables={**STARTED, "TxCtrlr.TxStartPoint": "Authorized"})
    await metered(lab)
    lab.reader_for_all = True
    await states.energy_transfer_started(lab)
    first = next(it.payload for it in lab.csms.calls("TransactionEvent") if "evse" in it.payload)
    assert first["eventType"] == "Updated" and first["evse"]["id"] == lab.evse
    begins(first)


async def test_TC_J_09_CS(lab: Lab) -> None:
    """Every interval an Updated event carries the values sampled then."""
    await lab.up(variables=UPDATED)
    await states.energy_transfer_started(lab)
    moments = []
    for _ in range(SEVERAL):
        event = await states.transaction_event(lab, {"eventType": "Updated", "triggerReason": "MeterValuePeriodic"})
        [value] = event["meterValue"]
        holds(value, {"Sample.Periodic"}, MEASURANDS)
        moments.append(event["timestamp"])
    periodic(moments, INTERVAL_S)


async def test_TC_J_10_CS(lab: Lab) -> None:
    """The values sampled for the end go with Ended; the last are those of the end."""
    await lab.up(variables={**ENDED, "AlignedDataCtrlr.TxEndedMeasurands": ""})
    await metered(lab)
    await states.energy_transfer_started(lab)
    await asyncio.sleep((SEVERAL + 2) * INTERVAL_S)
    await states.parking_bay_unoccupied(lab)
    [event] = lab.csms.calls("TransactionEvent", {"eventType": "Ended"})
    begin, *between, end = event.payload["meterValue"]
    holds(begin, {"Transaction.Begin"}, MEASURANDS)
    assert len(between) >= SEVERAL
    for value in between:
        holds(value, {"Sample.Periodic"}, MEASURANDS)
    holds(end, {"Transaction.End"}, MEASURANDS)
    periodic([value["timestamp"] for value in (begin, *between)], INTERVAL_S)
