"""Delivery of transaction-related messages (3.7, 3.7.1; OCPP-J 4.2.3): order, queue, attempts and their waits."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from tests.conformance.driver import keys16, states16
from tests.conformance.driver.lab import VALID, Lab
from tests.conformance.driver.messages import SILENCE, CallError

INTERVAL_S, TIMEOUT_S = 1, 2
ON_THE_WAY_S = 0.2
"""The station counts from its sending, the central system sees the receiving: a first message long on its way shortens the gap to the next."""
SHARED: dict[str, Any] = {
    "keys": {"MeterValueSampleInterval": 0, "TransactionMessageAttempts": 3, "TransactionMessageRetryInterval": INTERVAL_S},
    "variables": {"OCPPCommCtrlr.MessageTimeout[Default]": TIMEOUT_S},
}


async def moments(lab: Lab, action: str, count: int) -> list[float]:
    """When so many messages of this kind were sent; and that no more come in the time of another wait."""
    found = [(await lab.csms.expect_message(action)).at for _ in range(count)]
    await lab.csms.no_more(action, for_s=count * INTERVAL_S + 1.5)
    return found


def gaps(found: list[float]) -> list[float]:
    return [later - sooner for sooner, later in pairwise(found)]


@pytest.mark.covers("TransactionMessageAttempts", "TransactionMessageRetryInterval", "3.7.1")
async def test_keys_TransactionMessageAttempts_and_RetryInterval(shared_booted: Lab) -> None:
    """A message that the central system fails to process is sent so often, after the interval times the attempts before; then the next goes on."""
    lab = shared_booted
    await keys16.integer(lab, "TransactionMessageAttempts", ("1", "3", "10"), ("0",))
    await keys16.integer(lab, "TransactionMessageRetryInterval", ("0", "1", "60"))
    await states16.charging(lab)
    lab.csms.answer("StopTransaction", CallError("InternalError"))
    await lab.charger.swipe(VALID.uid, 1)
    first, second = gaps(await moments(lab, "StopTransaction", 3))
    assert first >= INTERVAL_S and second >= 2 * INTERVAL_S, (first, second)
    lab.csms.answer_as_usual()
    await states16.available(lab)
    await states16.charging(lab)
    await states16.stopped(lab, remote=True)
    await states16.available(lab)


@pytest.mark.covers("TransactionMessageAttempts", "3.7.1 timeout")
async def test_a_message_without_answer_counts_as_an_attempt(shared_booted: Lab) -> None:
    """No answer within the message timeout is a failure too; the wait begins when the time is over."""
    lab = shared_booted
    lab.csms.judge.message_timeout_s = TIMEOUT_S - 0.2
    await states16.charging(lab)
    lab.csms.answer("StopTransaction", SILENCE)
    await lab.charger.swipe(VALID.uid, 1)
    first, second = gaps(await moments(lab, "StopTransaction", 3))
    least = TIMEOUT_S - ON_THE_WAY_S
    assert first >= least + INTERVAL_S and second >= least + 2 * INTERVAL_S, (first, second)
    lab.csms.answer_as_usual()
    await states16.available(lab)


@pytest.mark.covers("TransactionMessageAttempts", "3.7.1 lost connection")
async def test_a_lost_connection_counts_as_no_attempt(shared_booted: Lab) -> None:
    """The connection goes while the answer is awaited, more often than there are attempts: the message is told in the end."""
    lab = shared_booted
    await states16.charging(lab)
    count = 0

    async def lost(_: Any) -> Any:
        nonlocal count
        count += 1
        if count > 4:
            return {}
        await lab.csms.disconnect()
        return SILENCE

    lab.csms.answer("StopTransaction", lost)
    await lab.charger.swipe(VALID.uid, 1)
    await lab.csms.until(lambda: count > 4, "it was given up")
    await lab.csms.reconnected()
    lab.csms.forget()
    await lab.csms.no_more("StopTransaction", for_s=0.5)
    await states16.available(lab)


@pytest.mark.covers("TransactionMessageAttempts", "4.8 no transactionId", "3.7.1")
async def test_a_start_that_is_given_up_leaves_transaction_minus_one(shared_booted: Lab) -> None:
    """After the last attempt of StartTransaction what follows is told with transactionId -1."""
    lab = shared_booted
    async with states16.keys(lab, TransactionMessageAttempts=2, MeterValueSampleInterval=1):
        lab.csms.answer("StartTransaction", CallError("InternalError"))
        await states16.preparing(lab)
        await states16.authorized(lab)
        await moments(lab, "StartTransaction", 2)
        await lab.csms.expect("MeterValues", {"transactionId": -1})
        lab.csms.answer_as_usual()
        await lab.charger.swipe(VALID.uid, 1)
        await lab.csms.expect("StopTransaction", {"transactionId": -1})
        await states16.available(lab)


@pytest.mark.covers("3.7.1 MeterValues", "4.7")
async def test_meter_values_are_tried_again_too(shared_booted: Lab) -> None:
    """MeterValues of a transaction is tried like the others, and what follows waits for it."""
    lab = shared_booted
    await states16.charging(lab)
    lab.csms.answer("MeterValues", CallError("InternalError"), times=3)
    async with states16.keys(lab, MeterValueSampleInterval=1):
        first = (await lab.csms.expect("MeterValues"))["meterValue"]
        assert (await lab.csms.expect("MeterValues"))["meterValue"] == first
    answer = await lab.csms.call("RemoteStopTransaction", {"transactionId": int(lab.session.transaction or 0)})
    assert answer == {"status": "Accepted"}
    assert (await lab.csms.expect("MeterValues"))["meterValue"] == first
    await lab.csms.expect("MeterValues", lambda payload: payload["meterValue"] != first)
    await lab.csms.expect("StopTransaction")
    order = [it.action for it in lab.csms.calls() if it.action in ("MeterValues", "StopTransaction")]
    assert order.index("StopTransaction") == len(order) - 1
    await states16.available(lab)


@pytest.mark.covers("3.7 other messages", "3.7")
async def test_other_messages_do_not_wait_for_the_queue(shared_booted: Lab) -> None:
    """While a StopTransaction is retried, an Authorize and a StatusNotification are sent at once, and the next StartTransaction waits."""
    lab = shared_booted
    async with states16.keys(lab, TransactionMessageRetryInterval=3, TransactionMessageAttempts=2):
        await states16.charging(lab)
        lab.csms.answer("StopTransaction", CallError("InternalError"))
        await lab.charger.swipe(VALID.uid, 1)
        await lab.csms.expect("StopTransaction")
        await states16.available(lab)
        await states16.preparing(lab)
        await states16.authorized(lab)
        await lab.csms.expect("Authorize")
        await lab.charger.contactor("closed")
        await lab.csms.expect("StopTransaction")
        await lab.csms.expect("StartTransaction")
        order = [it.action for it in lab.csms.calls() if it.action in ("StartTransaction", "StopTransaction")]
        assert order[-3:] == ["StopTransaction", "StopTransaction", "StartTransaction"], order
        lab.csms.answer_as_usual()
        await lab.charger.swipe(VALID.uid, 1)
        await lab.csms.expect("StopTransaction")
        await states16.available(lab)


@pytest.mark.covers("3.7 queue", "3.7", "4.8", "4.10")
async def test_what_happens_offline_is_told_in_order(shared_booted: Lab) -> None:
    """Two transactions without a connection: told later, in their order, with the times and registers of then, each once."""
    lab = shared_booted
    await states16.cached(lab, VALID)
    async with lab.csms.offline():
        for _ in range(2):
            await lab.charger.plug_in()
            await lab.charger.swipe(VALID.uid, 1)
            await lab.charger.contactor("closed")
            await lab.charger.unplug()
            await lab.charger.until(lambda state: state["station"]["connectors"][0]["status"] == "Available")
    told = [(await lab.csms.expect(action)) for action in ("StartTransaction", "StopTransaction") * 2]
    assert [it["timestamp"] for it in told] == sorted(it["timestamp"] for it in told)
    registers = [it.get("meterStart", it.get("meterStop")) for it in told]
    assert registers == sorted(registers)
    assert told[1]["transactionId"] != told[3]["transactionId"]
    assert told[1]["reason"] == told[3]["reason"] == "EVDisconnected"
    await lab.csms.no_more("StartTransaction", for_s=0.5)
    order = [it.action for it in lab.csms.calls() if "Transaction" in it.action][-4:]
    assert order == ["StartTransaction", "StopTransaction"] * 2


@pytest.mark.covers("3.7 queue", "3.7")
async def test_the_queue_outlives_a_power_cut(lab: Lab) -> None:
    """What was not told when the power went is told after it is back, before anything newer."""
    await lab.up(keys={"MeterValueSampleInterval": 0})
    await states16.charging(lab)
    number = int(lab.session.transaction or 0)
    lab.csms.refuse()
    await lab.csms.disconnect()
    await lab.charger.swipe(VALID.uid, 1)
    await lab.charger.contactor("open")
    await lab.charger.power_cycle()
    lab.csms.accept()
    await lab.csms.expect("BootNotification", within=30)
    await lab.csms.expect("StopTransaction", {"transactionId": number, "reason": "Local"})
