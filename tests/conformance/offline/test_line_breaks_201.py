"""The line to the CSMS breaks at moments that no case of part 6 has (2.0.1 part 2, C15, E04, E11, B11, F02): nothing is lost or doubled."""

from __future__ import annotations

from typing import Any

from tests.conformance.driver import states
from tests.conformance.driver.lab import VALID, Lab
from tests.conformance.driver.matching import Payload
from tests.conformance.driver.messages import SILENCE

VARIABLES = {"SampledDataCtrlr.TxUpdatedInterval": 0, "AuthCtrlr.LocalAuthorizeOffline": True}
ENDED = {"eventType": "Ended"}


async def lost_at(lab: Lab, action: str, where: Any = None) -> None:
    """The connection goes when this call has been sent, once; its answer never comes."""

    async def lost(_: Payload) -> Any:
        await lab.csms.disconnect()
        return SILENCE

    lab.csms.answer(action, lost, where=where, times=1)


async def charging(lab: Lab) -> str:
    """Returns the transaction's id."""
    await lab.charger.plug_in()
    await lab.charger.swipe(VALID.uid, 1)
    started = await lab.csms.expect("TransactionEvent", {"eventType": "Started"})
    await lab.charger.contactor("closed")
    return str(started["transactionInfo"]["transactionId"])


def numbers(lab: Lab, transaction: str) -> list[int]:
    return [it.payload["seqNo"] for it in lab.csms.calls("TransactionEvent") if it.payload["transactionInfo"]["transactionId"] == transaction]


async def test_while_a_card_is_asked_about_201(lab: Lab) -> None:
    """Authorize is lost: the offline rule decides; a card of the list charges."""
    await lab.up(variables=VARIABLES)
    await states.id_token_in_local_list(lab, VALID)
    await lost_at(lab, "Authorize")
    await charging(lab)


async def test_while_a_start_is_told_201(lab: Lab) -> None:
    """The first event is lost: it is sent again with the same number, and the transaction is told whole."""
    await lab.up(variables=VARIABLES)
    await lost_at(lab, "TransactionEvent", {"eventType": "Started"})
    transaction = await charging(lab)
    again = await lab.csms.expect("TransactionEvent", {"eventType": "Started"})
    assert again["transactionInfo"]["transactionId"] == transaction and again["seqNo"] == 0
    await lab.charger.unplug()
    await lab.csms.expect("TransactionEvent", ENDED)
    found = numbers(lab, transaction)
    assert sorted(set(found)) == list(range(max(found) + 1))


async def test_two_sessions_offline_201(lab: Lab) -> None:
    """Each is told later, whole and in order, and marked as offline."""
    await lab.up(variables=VARIABLES)
    await states.id_token_in_local_list(lab, VALID)
    async with lab.csms.offline():
        for _ in range(2):
            await lab.charger.plug_in()
            await lab.charger.swipe(VALID.uid, 1)
            await lab.charger.contactor("closed")
            await lab.charger.unplug()
            await lab.charger.until(lambda state: state["station"]["connectors"][0]["status"] == "Available")
    for _ in range(2):
        await lab.csms.expect("TransactionEvent", {**ENDED, "offline": True})
    ids = [it.payload["transactionInfo"]["transactionId"] for it in lab.csms.calls("TransactionEvent")]
    assert len(set(ids)) == 2 and ids == sorted(ids, key=ids.index)
    assert all(it.payload["offline"] for it in lab.csms.calls("TransactionEvent"))


async def test_after_a_remote_start_201(lab: Lab) -> None:
    """The line goes after the remote start was accepted: the car that comes is charged, and told later with its remoteStartId."""
    await lab.up(variables=VARIABLES)
    request = {"idToken": VALID.id_token, "remoteStartId": 77, "evseId": 1}
    assert (await lab.csms.call("RequestStartTransaction", request))["status"] == "Accepted"
    await lab.charger.until(lambda state: state["station"]["connectors"][0]["status"] == "Preparing")
    async with lab.csms.offline():
        await lab.charger.plug_in()
        await lab.charger.contactor("closed")
    await lab.csms.expect("TransactionEvent", {"transactionInfo": {"remoteStartId": 77}})


async def test_a_reset_that_could_not_tell_the_end_201(lab: Lab) -> None:
    """Nobody answers the end of a transaction in a reset: it is told after the restart."""
    await lab.up(variables={**VARIABLES, "OCPPCommCtrlr.MessageTimeout[Default]": 2})
    lab.csms.judge.message_timeout_s = 1.5
    transaction = await charging(lab)
    lab.csms.answer("TransactionEvent", SILENCE, where=ENDED, times=1)
    assert (await lab.csms.call("Reset", {"type": "Immediate"}))["status"] == "Accepted"
    await lab.csms.expect("TransactionEvent", ENDED)
    await lab.csms.expect("BootNotification", within=30)
    told = await lab.csms.expect("TransactionEvent", ENDED)
    assert told["transactionInfo"]["transactionId"] == transaction


async def test_the_queue_outlives_a_power_cut_201(lab: Lab) -> None:
    """What was not told when the power went is told after it is back."""
    await lab.up(variables=VARIABLES)
    transaction = await charging(lab)
    lab.csms.refuse()
    await lab.csms.disconnect()
    await lab.charger.unplug()
    await lab.charger.until(lambda state: state["station"]["connectors"][0]["status"] == "Available")
    await lab.charger.power_cycle()
    lab.csms.accept()
    await lab.csms.expect("BootNotification", within=30)
    told = await lab.csms.expect("TransactionEvent", ENDED)
    assert told["transactionInfo"]["transactionId"] == transaction


async def test_a_line_that_is_open_but_dead_201(lab: Lab) -> None:
    """No byte passes: the ping finds it, the card is judged by the offline rule, and all is told once the line is back."""
    more = {"OCPPCommCtrlr.MessageTimeout[Default]": 2, "OCPPCommCtrlr.WebSocketPingInterval": 1}
    await lab.up(variables={**VARIABLES, **more})
    lab.csms.judge.message_timeout_s = 0.0  # what stood in the line comes all at once
    await states.id_token_in_local_list(lab, VALID)
    await lab.charger.network("stall")
    await lab.charger.plug_in()
    await lab.charger.swipe(VALID.uid, 1)
    await lab.charger.contactor("closed")
    await lab.charger.network("up")
    await lab.csms.expect("TransactionEvent", {"eventType": "Started"}, within=60)
    await lab.charger.unplug()
    await lab.csms.expect("TransactionEvent", ENDED, within=60)
