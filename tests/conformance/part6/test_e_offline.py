"""Block E, transactions, of OCPP 2.0.1 part 6, 2.6: what happens while the CSMS cannot be reached is told when it is back, and says so."""

from __future__ import annotations

import asyncio

from tests.conformance.driver import states
from tests.conformance.driver.lab import CARDS, GROUP_1, GROUP_2, Lab, Token
from tests.conformance.driver.matching import ABSENT, Payload, check

SAMPLED = {
    "SampledDataCtrlr.TxUpdatedMeasurands": "Energy.Active.Import.Register,Power.Active.Import",
    "SampledDataCtrlr.TxUpdatedInterval": 1,
    "SampledDataCtrlr.Enabled": True,
}
LONG_THRESHOLD = {"OCPPCommCtrlr.OfflineThreshold": 120}
OFFLINE_S = 3.5
"""Longer than the interval of the samples."""


async def queued(lab: Lab, transaction: str | None = None) -> list[Payload]:
    """The events that were queued, all told now: those of one transaction, in their order, each said to be of the time offline."""
    await lab.charger.all_told()
    events = [it.payload for it in lab.csms.pending("TransactionEvent")]
    assert events
    ids = {event["transactionInfo"]["transactionId"] for event in events}
    assert ids == {transaction or events[0]["transactionInfo"]["transactionId"]}, ids
    numbers = [event["seqNo"] for event in events]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers))), numbers
    return events


def all_offline(events: list[Payload]) -> None:
    for event in events:
        check({"offline": True}, event)


async def stopped_offline(lab: Lab, token: Token) -> None:
    """A card ends the running transaction while the CSMS cannot be reached, and the cable goes out."""
    transaction = lab.session.transaction
    async with lab.csms.offline():
        lab.csms.forget()
        await lab.charger.swipe(token.uid, lab.evse)
        await lab.charger.contactor("open", lab.evse)
        await lab.charger.until(lambda state: state["evses"][lab.evse - 1]["lock"] == "unlocked")
        await lab.charger.unplug(lab.evse, lab.connector)
        await lab.charger.free_again(lab.evse)
    events = await queued(lab, transaction)
    all_offline(events)
    assert [event["eventType"] for event in events].index("Ended") == len(events) - 1
    await lab.csms.no_more("Authorize", for_s=0)


async def test_TC_E_40_CS(lab: Lab) -> None:
    """The connection is lost during a transaction: its samples come later, each of the time offline."""
    await lab.up(variables={**SAMPLED, **LONG_THRESHOLD})
    await states.energy_transfer_started(lab)
    transaction = lab.session.transaction
    async with lab.csms.offline():
        lab.csms.forget()
        await asyncio.sleep(OFFLINE_S)
    await lab.csms.until(lambda: bool(lab.csms.pending("TransactionEvent", {"offline": ABSENT})), "no event of the time online", 10)
    events = [it.payload for it in lab.csms.pending("TransactionEvent", {"offline": True})]
    assert len(events) >= 2, events
    for event in events:
        check({"eventType": "Updated", "meterValue": [{}], "transactionInfo": {"transactionId": transaction}}, event)
    later = [it.payload["seqNo"] for it in lab.csms.pending("TransactionEvent", {"offline": ABSENT})]
    assert max(event["seqNo"] for event in events) < min(later)


async def test_TC_E_43_CS(lab: Lab) -> None:
    """A whole transaction while the CSMS cannot be reached."""
    await lab.up(variables={"AuthCtrlr.OfflineTxForUnknownIdEnabled": True})
    await states.id_token_cached(lab)
    await states.id_token_in_local_list(lab)
    await states.transaction_events_in_queue_ended(lab)
    events = await queued(lab)
    all_offline(events)
    assert [event["eventType"] for event in events if event["eventType"] != "Updated"] == ["Started", "Ended"]


async def test_TC_E_44_CS(lab: Lab) -> None:
    """The card that started stops while the CSMS cannot be reached."""
    await lab.up(variables=LONG_THRESHOLD)
    await states.energy_transfer_started(lab)
    await stopped_offline(lab, lab.token)


async def test_TC_E_45_CS(lab: Lab) -> None:
    """Another card of the same group, known here, stops while the CSMS cannot be reached."""
    await lab.up(variables=LONG_THRESHOLD)
    await states.id_token_cached(lab, GROUP_2)
    await states.id_token_in_local_list(lab, GROUP_2, info=CARDS[GROUP_2.uid])
    lab.token = GROUP_1
    await states.authorized(lab)
    await states.energy_transfer_started(lab)
    await stopped_offline(lab, GROUP_2)
