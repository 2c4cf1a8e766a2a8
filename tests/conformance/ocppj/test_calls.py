"""OCPP-J, both versions: calls and answers find each other, one call is open at a time, and the other side may do as it likes (4.1.1, 4.1.4)."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from tests.conformance.driver import wire
from tests.conformance.driver.lab import V16, Lab
from tests.conformance.driver.matching import Payload
from tests.conformance.driver.messages import SILENCE, CallError, Delayed

TIMEOUT_S = 2
SHORT = {"OCPPCommCtrlr.MessageTimeout[Default]": TIMEOUT_S}
PIPELINED = 40


async def trigger(lab: Lab, message: str) -> None:
    """The station is asked to send a message."""
    assert (await lab.csms.call("TriggerMessage", {"requestedMessage": message}))["status"] == "Accepted"


async def up(lab: Lab) -> None:
    """With a short message timeout."""
    lab.csms.judge.message_timeout_s = TIMEOUT_S - 0.2
    await lab.up(variables=SHORT)


async def test_an_answer_with_another_id_ends_no_call(shared_booted: Lab) -> None:
    """Only the right one does; until then nothing else is sent."""
    lab = shared_booted

    async def answer(_: Payload) -> Any:
        await lab.csms.send_text(json.dumps([3, wire.new_id(), {"currentTime": "2000-01-01T00:00:00Z"}]))
        await lab.csms.send_text(json.dumps([4, wire.new_id(), "GenericError", "", {}]))
        await lab.charger.plug_in()
        await asyncio.sleep(1)
        assert len(lab.csms.calls("StatusNotification")) == known, "sent while another call was open"
        return {}

    known = len(lab.csms.calls("StatusNotification"))
    lab.csms.answer("Heartbeat", answer, times=1)
    await trigger(lab, "Heartbeat")
    await lab.csms.expect("Heartbeat")
    await lab.csms.expect("StatusNotification")


async def test_one_call_is_open_however_much_there_is_to_say(lab: Lab) -> None:
    """Every answer takes its time, and both sides talk; the order of what happened is kept."""
    await lab.up(evses=2)
    for action in ("StatusNotification", "Authorize", "Heartbeat", "MeterValues", "TransactionEvent", "StartTransaction"):
        lab.csms.answer(action, Delayed(0.4))
    for evse in (1, 2):
        await lab.charger.plug_in(evse)
    await lab.charger.swipe(lab.token.uid, 1)
    await asyncio.gather(*(trigger(lab, "Heartbeat") for _ in range(3)), *(wire.alive(lab.csms) for _ in range(10)))
    await lab.charger.contactor("closed")
    await lab.charger.all_told()
    assert len(lab.csms.calls("Heartbeat")) >= 1 and lab.csms.calls("Authorize")


async def test_silence_ends_at_the_message_timeout_and_a_late_answer_changes_nothing(lab: Lab) -> None:
    await up(lab)
    lab.csms.answer("Heartbeat", Delayed(TIMEOUT_S + 1.5), times=1)
    await trigger(lab, "Heartbeat")
    first = await lab.csms.expect_message("Heartbeat")
    await trigger(lab, "Heartbeat")
    second = await lab.csms.expect_message("Heartbeat")
    assert second.at - first.at >= TIMEOUT_S - 0.2 and second.connection == first.connection
    await lab.csms.until(lambda: any(it.id_ == first.id_ and not it.incoming for it in lab.csms.messages), "the late answer was never sent")
    await wire.alive(lab.csms)
    assert lab.csms.attempts[-1].refused is None and len(lab.csms.attempts) == first.connection


async def test_a_second_answer_changes_nothing(shared_booted: Lab) -> None:
    """Not even one that says the contrary."""
    lab = shared_booted
    await trigger(lab, "Heartbeat")
    message = await lab.csms.expect_message("Heartbeat")
    await lab.csms.until(lambda: any(it.id_ == message.id_ and not it.incoming for it in lab.csms.messages), "never answered")
    await wire.unanswered(
        lab.csms,
        json.dumps([3, message.id_, {"currentTime": "2000-01-01T00:00:00Z"}]),
        json.dumps([4, message.id_, "InternalError", "", {}]),
        json.dumps([3, message.id_, "nonsense"]),
    )
    await trigger(lab, "Heartbeat")
    await lab.csms.expect("Heartbeat")


WRONG_ANSWERS: dict[str, list[Any]] = {
    "an error": [4, "ID", "GenericError", "no", {}],
    "an error without code": [4, "ID"],
    "an error of numbers": [4, "ID", 1, 2, 3],
    "no payload": [3, "ID"],
    "null": [3, "ID", None],
    "a text": [3, "ID", "fine"],
    "a list": [3, "ID", []],
    "a status nobody knows": [3, "ID", {"idTagInfo": {"status": "Perhaps"}, "idTokenInfo": {"status": "Perhaps"}, "status": "Perhaps"}],
    "too much": [3, "ID", {}, {}, {}],
}


@pytest.mark.parametrize("what", WRONG_ANSWERS)
async def test_an_answer_that_is_none_ends_the_call(shared_booted: Lab, what: str) -> None:
    """It counts as a refusal: the card is not let in, the station answers nothing to it and goes on."""
    lab = shared_booted

    async def answer(_: Payload) -> Any:
        id_ = lab.csms.calls("Authorize")[-1].id_
        await lab.csms.send_text(json.dumps([id_ if part == "ID" else part for part in WRONG_ANSWERS[what]]))
        return SILENCE

    lab.csms.answer("Authorize", answer, times=1)
    await lab.charger.plug_in()
    await lab.csms.expect("StatusNotification")
    await lab.charger.swipe(lab.token.uid)
    asked = await lab.csms.expect_message("Authorize")
    lab.csms.closed(asked.id_)
    await trigger(lab, "Heartbeat")
    beat = await lab.csms.expect_message("Heartbeat")
    assert beat.at - asked.at < lab.csms.judge.message_timeout_s / 2
    assert (await lab.charger.state())["evses"][0]["contactor"] == "open"
    assert not wire.answers(lab.csms, asked.id_)


async def test_a_call_of_the_csms_is_answered_while_one_of_the_station_is_open(lab: Lab) -> None:
    await lab.up()
    lab.csms.answer("Heartbeat", SILENCE, times=1)
    await trigger(lab, "Heartbeat")
    await lab.csms.expect("Heartbeat")
    for _ in range(5):
        await wire.alive(lab.csms)


async def test_pipelined_calls_are_all_answered_in_their_order(shared_booted: Lab) -> None:
    """A CSMS that does not wait (4.1.1 forbids it): nothing is lost and nothing mixed up."""
    lab = shared_booted
    ids = [wire.new_id() for _ in range(PIPELINED)]
    for number, id_ in enumerate(ids):
        await lab.csms.send_text(wire.call_text(lab.csms, id_) if number % 2 else json.dumps([2, id_, "Fly", {}]))
    await lab.csms.until(lambda: all(wire.answers(lab.csms, id_) for id_ in ids), "not all were answered")
    mine = [it for it in lab.csms.messages if it.incoming and it.id_ in ids]
    assert [it.id_ for it in mine] == ids
    assert [it.kind for it in mine] == ["error", "result"] * (PIPELINED // 2)


async def test_an_id_that_is_being_answered(shared_booted: Lab) -> None:
    """The second call of the same id is refused, or dropped; the first has its answer."""
    lab = shared_booted
    id_ = wire.new_id()
    for _ in range(2):
        await lab.csms.send_text(wire.call_text(lab.csms, id_))
    await lab.csms.until(lambda: any(it.kind == "result" for it in wire.answers(lab.csms, id_)), "the first was not answered")
    await wire.alive(lab.csms)
    wanted = "FormationViolation" if lab.version == V16 else "RpcFrameworkError"
    for message in wire.answers(lab.csms, id_):
        assert message.kind == "result" or wire.code_of(lab.version, message) == wanted


async def test_ids_of_the_station_are_new_over_a_restart(lab: Lab) -> None:
    """The judge of every frame holds them against all before."""
    await lab.up()
    before = {it.id_ for it in lab.csms.calls()}
    await lab.charger.power_cycle()
    await lab.settled()
    after = {it.id_ for it in lab.csms.calls()} - before
    assert after and all(0 < len(id_) <= 36 for id_ in after)


async def test_calls_before_the_boot_answer(lab: Lab) -> None:
    """Answered as while pending; the station itself says nothing else before it has its answer."""
    lab.csms.answer("BootNotification", Delayed(2), times=1)
    await lab.up(boot=False)
    await lab.csms.expect("BootNotification")
    for _ in range(3):
        await wire.alive(lab.csms)
    assert {it.action for it in lab.csms.calls()} == {"BootNotification"}
    await lab.charger.registered()


async def test_calls_after_a_rejection(lab: Lab) -> None:
    """1.6, 4.2: no answer at all; 2.0.1 B03.FR.07: SecurityError."""
    lab.csms.answer("BootNotification", {"status": "Rejected", "interval": 300})
    await lab.up(boot=False)
    await lab.charger.registered("rejected")
    if lab.version == V16:
        with pytest.raises(AssertionError, match="no answer"):
            await lab.csms.call(*wire.HARMLESS[V16], within=1)
    else:
        with pytest.raises(CallError) as refused:
            await lab.csms.call(*wire.HARMLESS[lab.version])
        assert refused.value.code == "SecurityError"
    assert {it.action for it in lab.csms.calls()} == {"BootNotification"}
