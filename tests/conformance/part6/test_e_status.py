"""Block E, transactions, of OCPP 2.0.1 part 6, 2.6: GetTransactionStatus, with and without messages in the queue."""

from __future__ import annotations

import asyncio
import uuid

from tests.conformance.driver import states
from tests.conformance.driver.lab import Lab
from tests.conformance.driver.matching import ABSENT, Payload, check
from tests.conformance.driver.messages import Delayed

SAMPLED = {
    "SampledDataCtrlr.TxUpdatedMeasurands": "Energy.Active.Import.Register,Power.Active.Import",
    "SampledDataCtrlr.TxUpdatedInterval": 1,
    "OCPPCommCtrlr.OfflineThreshold": 120,
}
OFFLINE_S = 3.5
"""Longer than the interval of the samples."""
SLOW_S = 1.0
"""How long the CSMS takes for each event of the queue, so that it is still there when the status is asked for."""
QUEUED = {"eventType": "Updated", "meterValue": [{}], "offline": True}


async def status(lab: Lab, transaction: str | None, ongoing: object, queued: bool) -> None:
    """GetTransactionStatus is answered so."""
    answer = await lab.csms.call("GetTransactionStatus", {} if transaction is None else {"transactionId": transaction})
    check({"ongoingIndicator": ongoing, "messagesInQueue": queued}, answer)


async def charging(lab: Lab, **variables: object) -> str:
    await lab.up(variables=variables)
    await states.energy_transfer_started(lab)
    await lab.charger.all_told()
    assert lab.session.transaction is not None
    return lab.session.transaction


async def sampled_offline(lab: Lab) -> str:
    """Samples were taken while the CSMS could not be reached; it is back, and slow."""
    transaction = await charging(lab, **SAMPLED)
    lab.csms.answer("TransactionEvent", Delayed(SLOW_S))
    async with lab.csms.offline():
        lab.csms.forget()
        await asyncio.sleep(OFFLINE_S)
    return transaction


async def queue_emptied(lab: Lab, transaction: str) -> None:
    """What was queued comes: all of it of this transaction, offline, with values."""
    first: Payload = await lab.csms.expect("TransactionEvent")
    check({**QUEUED, "transactionInfo": {"transactionId": transaction}}, first)
    lab.csms.answer_as_usual("TransactionEvent")
    await lab.csms.expect("TransactionEvent", {**QUEUED, "triggerReason": "MeterValuePeriodic"})


async def test_TC_E_28_CS(lab: Lab) -> None:
    """Of a transaction that nobody knows: not ongoing, nothing queued."""
    await lab.up()
    await status(lab, str(uuid.uuid4()), ongoing=False, queued=False)


async def test_TC_E_29_CS(lab: Lab) -> None:
    """Of one that goes on, with events in the queue."""
    transaction = await sampled_offline(lab)
    await status(lab, transaction, ongoing=True, queued=True)
    await queue_emptied(lab, transaction)


async def test_TC_E_30_CS(lab: Lab) -> None:
    """Of one that goes on, all told."""
    await status(lab, await charging(lab), ongoing=True, queued=False)


async def test_TC_E_31_CS(lab: Lab) -> None:
    """Of one that ended offline, with events in the queue; then they come, in the order of the states from StopAuthorized on."""
    transaction = await charging(lab, **{**SAMPLED, "TxCtrlr.TxStopPoint": "EVConnected", "OCPPCommCtrlr.UnlockOnEVSideDisconnect": True})
    lab.csms.answer("TransactionEvent", Delayed(SLOW_S))
    async with lab.csms.offline():
        lab.csms.forget()
        await lab.charger.swipe(lab.token.uid, lab.evse)
        await lab.charger.contactor("open", lab.evse)
        await lab.charger.unplug(lab.evse, lab.connector)
        await lab.charger.free_again(lab.evse)
    await status(lab, transaction, ongoing=False, queued=True)
    lab.csms.answer_as_usual("TransactionEvent")
    of_it = {"offline": True, "transactionInfo": {"transactionId": transaction}}
    await lab.csms.expect("TransactionEvent", {**of_it, "eventType": "Updated", "triggerReason": "StopAuthorized"})
    stopped = {"transactionInfo": {"transactionId": transaction, "chargingState": "EVConnected"}}
    await lab.csms.expect("TransactionEvent", {**of_it, **stopped, "triggerReason": "ChargingStateChanged"})
    last = await lab.csms.expect("TransactionEvent", {**of_it, "eventType": "Ended"})
    check({"triggerReason": "EVCommunicationLost", "transactionInfo": {"chargingState": "Idle", "stoppedReason": {"Local", ABSENT}}}, last)
    await lab.charger.all_told()
    await lab.csms.no_more("TransactionEvent", {"offline": ABSENT})


async def test_TC_E_32_CS(lab: Lab) -> None:
    """Of one that ended, all told."""
    transaction = await charging(lab)
    await states.parking_bay_unoccupied(lab)
    await lab.charger.all_told()
    await status(lab, transaction, ongoing=False, queued=False)


async def test_TC_E_33_CS(lab: Lab) -> None:
    """Of none, with events in the queue."""
    transaction = await sampled_offline(lab)
    await status(lab, None, ongoing=ABSENT, queued=True)
    await queue_emptied(lab, transaction)


async def test_TC_E_34_CS(lab: Lab) -> None:
    """Of none, all told."""
    await lab.up()
    await status(lab, None, ongoing=ABSENT, queued=False)
