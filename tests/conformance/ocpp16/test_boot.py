"""BootNotification and what may be said before it is accepted (4.2, 4.2.1; OCPP-J 5.4), and heartbeats (4.6)."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.conformance.driver import states16
from tests.conformance.driver.lab import VALID, Lab
from tests.conformance.driver.matching import ABSENT, check, present
from tests.conformance.driver.messages import SILENCE, Delayed

TYPE = {
    "chargePointVendor": "Maker",
    "chargePointModel": "M1",
    "chargePointSerialNumber": "1",
    "firmwareVersion": "7.8.9",
}

WITHOUT_CLOCK = "[board.sim]\nrtc = false\n"


async def told_all(lab: Lab, connectors: int) -> None:
    """The status of the charge point and of every connector, in their order (errata 3.22)."""
    await lab.csms.until(lambda: len(lab.csms.pending("StatusNotification")) > connectors, "not every status was told")
    assert [it.payload["connectorId"] for it in lab.csms.pending("StatusNotification")] == list(range(connectors + 1))


def actions(lab: Lab) -> list[str]:
    return [it.action for it in lab.csms.calls()]


@pytest.mark.covers("4.2", "4.2 accepted", "6.3", "6.4")
async def test_accepted(lab: Lab) -> None:
    """It says who it is; until the answer comes it says nothing else; then every status; the answer's interval is the heartbeat's."""
    lab.csms.answers.interval_s = 1
    lab.csms.answer("BootNotification", Delayed(1.5))
    await lab.up(boot=False, evses=2, station={"firmware_version": "7.8.9"})
    boot = await lab.csms.expect("BootNotification", within=30)
    assert boot == TYPE
    await asyncio.sleep(1.0)
    assert actions(lab) == ["BootNotification"]
    await told_all(lab, 2)
    assert await states16.get(lab, "HeartbeatInterval") == "1"
    await lab.csms.expect("Heartbeat")
    await lab.csms.expect("Heartbeat")
    assert actions(lab).count("BootNotification") == 1


@pytest.mark.covers("4.2", "4.2 pending", "4.2.1", "7.38")
async def test_pending(lab: Lab) -> None:
    """Nothing of its own but the next BootNotification after the interval; calls are answered, remote start and stop are rejected, and only
    what is triggered is sent; nobody charges."""
    lab.csms.answer("BootNotification", {"status": "Pending", "interval": 4})
    await lab.up(boot=False)
    first = await lab.csms.expect_message("BootNotification", within=30)
    await lab.charger.registered("pending")
    assert await states16.set_key(lab, "MeterValueSampleInterval", "7") == "Accepted"
    assert await states16.get(lab, "MeterValueSampleInterval") == "7"
    assert await lab.csms.call("RemoteStartTransaction", {"idTag": VALID.uid, "connectorId": 1}) == {"status": "Rejected"}
    assert await lab.csms.call("RemoteStopTransaction", {"transactionId": 1}) == {"status": "Rejected"}
    await lab.charger.plug_in()
    await lab.charger.swipe(VALID.uid, 1)
    await lab.csms.no_more(action="StatusNotification")
    assert set(actions(lab)) == {"BootNotification"}
    assert await lab.csms.call("TriggerMessage", {"requestedMessage": "StatusNotification", "connectorId": 1}) == {"status": "Accepted"}
    await states16.connector_told(lab, "Preparing")
    await lab.charger.contactor("open")
    second = await lab.csms.expect_message("BootNotification")
    assert second.at - first.at >= 4
    lab.csms.answer_as_usual()
    await lab.csms.expect("BootNotification", within=20)
    await lab.charger.registered()
    await states16.connector_told(lab, "Preparing")
    assert "Authorize" not in actions(lab)


@pytest.mark.covers("4.2", "4.2 rejected", "4.2.1", "7.38")
async def test_rejected(lab: Lab) -> None:
    """Nothing is sent or answered until the interval is over."""
    lab.csms.answer("BootNotification", {"status": "Rejected", "interval": 4})
    await lab.up(boot=False)
    first = await lab.csms.expect_message("BootNotification", within=30)
    await lab.charger.registered("rejected")
    with pytest.raises((AssertionError, ConnectionError)):
        await lab.csms.call("GetConfiguration", {}, within=1.5)
    await lab.charger.plug_in()
    await lab.charger.swipe(VALID.uid, 1)
    lab.csms.answer_as_usual()
    second = await lab.csms.expect_message("BootNotification")
    assert second.at - first.at >= 4
    assert actions(lab)[:2] == ["BootNotification", "BootNotification"]
    await lab.charger.registered()
    await states16.connector_told(lab, "Preparing")


@pytest.mark.covers("4.2 interval 0")
@pytest.mark.parametrize("status", ["Pending", "Rejected"])
async def test_without_an_interval_it_waits_by_itself(lab: Lab, status: str) -> None:
    """An interval of 0: the charge point chooses a wait that does not flood the central system."""
    lab.csms.answer("BootNotification", {"status": status, "interval": 0})
    await lab.up(boot=False)
    await lab.csms.expect("BootNotification", within=30)
    await lab.csms.no_more("BootNotification", for_s=4)


@pytest.mark.covers("4.2 no answer")
async def test_without_an_answer_it_asks_again(lab: Lab) -> None:
    """A BootNotification that nobody answers is sent again, and nothing before it."""
    lab.csms.judge.message_timeout_s = 0.5
    lab.csms.answer("BootNotification", SILENCE, times=1)
    await lab.up(boot=False, variables={"OCPPCommCtrlr.MessageTimeout[Default]": 1})
    await lab.csms.expect("BootNotification", within=30)
    await lab.csms.expect("BootNotification", within=30)
    assert set(actions(lab)) == {"BootNotification"}
    await told_all(lab, 1)


@pytest.mark.covers("4.2 reconnection", "4.9 return")
async def test_a_reconnection_is_no_boot(lab: Lab) -> None:
    """After a lost connection there is no BootNotification; a status is told that changed meanwhile, of its changes only the last."""
    await lab.up(evses=2)
    async with lab.csms.offline():
        await lab.charger.plug_in(1)
        await lab.charger.plug_in(2)
        await lab.charger.until(lambda state: {it["status"] for it in state["station"]["connectors"]} == {"Preparing"})
        await lab.charger.unplug(2)
        await lab.charger.until(lambda state: state["station"]["connectors"][1]["status"] == "Available")
    await states16.connector_told(lab, "Preparing", 1)
    await lab.csms.no_more("BootNotification")
    assert not lab.csms.pending("StatusNotification"), "only what is new is told"


@pytest.mark.covers("4.2 time", "3.14", "3.15")
async def test_it_takes_the_time_of_the_central_system(lab: Lab) -> None:
    """The time of the answer is used, with a zone and fractions as any; what is sent is in UTC by ISO 8601."""
    ahead = datetime.now(UTC) + timedelta(hours=2)
    zoned = (ahead + timedelta(hours=1)).replace(tzinfo=None).isoformat(timespec="microseconds") + "+01:00"
    lab.csms.answer("BootNotification", {"currentTime": zoned})
    await lab.up(tables=WITHOUT_CLOCK)
    await lab.charger.plug_in()
    told = await states16.connector_told(lab, "Preparing")
    at = datetime.fromisoformat(told["timestamp"].replace("Z", "+00:00"))
    assert told["timestamp"].endswith("Z")
    assert abs((at - datetime.now(UTC)) - timedelta(hours=2)) < timedelta(seconds=60), at


@pytest.mark.covers("4.6", "6.29", "6.30")
async def test_a_heartbeat_has_no_fields(lab: Lab) -> None:
    """Heartbeat is empty, and its answer's time is taken."""
    lab.csms.answers.interval_s = 1
    ahead = (datetime.now(UTC) + timedelta(hours=3)).isoformat(timespec="seconds").replace("+00:00", "Z")
    lab.csms.answer("Heartbeat", {"currentTime": ahead})
    await lab.up(tables=WITHOUT_CLOCK)
    assert await lab.csms.expect("Heartbeat") == {}
    await asyncio.sleep(0.3)
    await lab.charger.plug_in()
    told = await states16.connector_told(lab, "Preparing")
    at = datetime.fromisoformat(told["timestamp"].replace("Z", "+00:00"))
    assert at - datetime.now(UTC) > timedelta(hours=2)


@pytest.mark.covers("4.2", "6.3")
async def test_what_is_not_known_is_left_out(lab: Lab) -> None:
    """Optional fields that nobody gave are not sent empty; texts have the lengths of the specification at most."""
    await lab.up(boot=False, evses=2, station={"vendor": "V" * 20, "model": "M" * 20, "serial_number": ""})
    boot = await lab.csms.expect("BootNotification", within=30)
    wanted: dict[str, Any] = {"chargePointVendor": "V" * 20, "chargePointModel": "M" * 20, "chargePointSerialNumber": ABSENT}
    check({**wanted, "iccid": ABSENT, "imsi": ABSENT, "chargeBoxSerialNumber": ABSENT, "meterType": ABSENT, "meterSerialNumber": ABSENT}, boot)


@pytest.mark.covers("4.2", "6.3")
async def test_what_is_known_of_meter_and_modem_is_said(lab: Lab) -> None:
    """The one meter there is is the main one; its number is read by the next boot at the latest, which waits for no meter."""
    sim_card = {"iccid": "89490200001234567890", "imsi": "262011234567890"}
    await lab.up(boot=False, station=sim_card)
    check({**sim_card, "meterType": present}, await lab.csms.expect("BootNotification", within=30))
    await lab.charger.registered("accepted")
    await states16.charging(lab)
    await states16.stopped(lab)
    await states16.available(lab)
    await lab.csms.call("Reset", {"type": "Soft"})
    check({**sim_card, "meterType": present, "meterSerialNumber": present}, await lab.csms.expect("BootNotification", within=30))
