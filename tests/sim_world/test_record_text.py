"""A recording as text: what is expected after an act, what is left out, and how the times come in."""

from __future__ import annotations

from sim.record_text import Done, Heard, Seen, steps
from sim.record_wire import Talk

OPEN = Seen(0.0, "evse 1 contactor", "open")


def told(*entries: Done | Heard | Seen, ended_s: float = 100.0) -> list[str]:
    return [line for line in steps([OPEN, *entries], ended_s) if line]


def test_what_settled_before_the_next_act_is_expected_and_the_pace_kept() -> None:
    lines = told(Done(1.0, "plug-in 1", 1), Seen(1.2, "connector 1 status", "Preparing"), Done(4.0, "swipe CARD1"))
    assert lines == [
        "plug-in 1",
        "expect connector 1 status = Preparing within 20 s",
        "wait 2.8 s",
        "swipe CARD1",
        "expect evse 1 contactor = open for 2 s",
    ]


def test_what_only_passed_by_is_not() -> None:
    passing = [Seen(1.2, "connector 1 status", "Preparing"), Seen(2.0, "connector 1 status", "Charging")]
    assert told(Done(1.0, "swipe CARD1"), *passing)[1:2] == ["expect connector 1 status = Charging within 20 s"]


def test_what_is_said_again_and_again_has_settled_all_the_same() -> None:
    again = [Seen(1.2 + tenth / 10, "connector 1 status", "Charging") for tenth in range(30)]
    assert told(Done(1.0, "swipe CARD1"), *again, Done(4.3, "unplug 1", 1))[1] == "expect connector 1 status = Charging within 20 s"


def test_what_had_no_time_to_settle_is_not() -> None:
    lines = told(Done(1.0, "plug-in 1", 1), Seen(1.2, "connector 1 status", "Preparing"), Done(1.5, "unplug 1", 1), ended_s=1.6)
    assert lines == ["plug-in 1", "wait 0.5 s", "unplug 1"]


def test_a_contactor_that_was_open_for_a_while_is_expected_on_the_way() -> None:
    closed = Seen(0.5, "evse 1 contactor", "closed")
    moved = [Seen(10.1, "evse 1 contactor", "open"), Seen(18.0, "evse 1 contactor", "closed")]
    lines = told(closed, Done(10.0, "kill control"), *moved)
    assert lines[1:] == ["expect evse 1 contactor = open within 2 s", "expect evse 1 contactor = closed within 37 s"]


def test_how_things_stood_before_the_first_act_is_not_told() -> None:
    assert told(Seen(0.5, "connector 1 status", "Available"), Heard(0.6, "csms BootNotification"), Done(1.0, "swipe CARD1"), ended_s=2.0) == [
        "swipe CARD1"
    ]


def test_a_firmware_that_is_silent_and_back() -> None:
    there = Seen(0.5, "world station", True)
    lines = told(there, Done(1.0, "power off"), Seen(1.1, "world station", False), Done(5.0, "power on"), Seen(7.0, "world station", True))
    assert [line for line in lines if "world" in line] == ["expect world station = null within 20 s", "expect world station != null within 20 s"]


def message(sender: str, what: str, number: str, **details: object) -> dict[str, object]:
    return {"at_s": 1.0, "time": "2026-11-22T10:00:00.000Z", "sender": sender, "what": what, "message": number, **details}


def test_an_order_refers_to_what_another_run_calls_otherwise() -> None:
    talk = Talk()
    talk.entry(message("station", "call", "1", action="StartTransaction", payload={"connectorId": 1, "idTag": "04FF"}))
    talk.entry(message("csms", "result", "1", payload={"transactionId": 77, "idTagInfo": {"status": "Blocked"}}))
    order = {"connectorId": 1, "csChargingProfiles": {"transactionId": 77, "validTo": "2026-11-22T10:30:00Z"}}
    sent = talk.entry(message("csms", "call", "2", action="SetChargingProfile", payload=order))
    assert isinstance(sent, Done) and sent.text == (
        'send SetChargingProfile {"connectorId": 1, "csChargingProfiles": {"transactionId": "$transactions[0].id", "validTo": "$now + 1800 s"}}'
    )
    assert talk.cards == {"04FF": "Blocked"}
    assert talk.entry(message("station", "result", "2", payload={"status": "Accepted"})) == Heard(1.0, "answer status = Accepted")


def test_a_refused_order_and_an_event_on_the_way() -> None:
    talk = Talk()
    talk.entry(message("csms", "call", "2", action="Dance", payload={}))
    assert talk.entry(message("station", "error", "2", code="NotImplemented")) == Heard(1.0, "answer error = NotImplemented")
    assert talk.entry(message("station", "call", "3", action="TransactionEvent", payload={"eventType": "Updated"})) is None
