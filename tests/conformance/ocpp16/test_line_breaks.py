"""The line to the central system breaks at each moment of a session (3.5, 3.7, 4.8, 4.9): nothing is lost or doubled, and the car notices nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conformance.driver import states16
from tests.conformance.driver.lab import GROUP_1, GROUP_2, GROUP_ID, VALID, Lab
from tests.conformance.driver.messages import SILENCE
from tests.conformance.driver.states16 import connector_told

SHARED: dict[str, Any] = {"keys": {"MeterValueSampleInterval": 0, "LocalAuthorizeOffline": True, "AllowOfflineTxForUnknownId": False}}


async def lost_at(lab: Lab, action: str) -> None:
    """The connection goes when this call has been sent, once; its answer never comes."""

    async def lost(_: Any) -> Any:
        await lab.csms.disconnect()
        return SILENCE

    lab.csms.answer(action, lost, times=1)


@pytest.mark.covers("4.1 offline", "3.5")
async def test_while_a_card_is_asked_about(shared_booted: Lab) -> None:
    """Authorize is lost: the offline rule decides; a card of the list charges."""
    lab = shared_booted
    await states16.local_list(lab, 1, **{VALID.uid: {"status": "Accepted"}})
    await states16.preparing(lab)
    await lost_at(lab, "Authorize")
    await lab.charger.swipe(VALID.uid, 1)
    await lab.csms.expect("Authorize")
    await lab.csms.expect("StartTransaction", {"idTag": VALID.uid})
    await lab.charger.contactor("closed")
    await lab.charger.swipe(VALID.uid, 1)
    await lab.csms.expect("StopTransaction")
    await states16.available(lab)


@pytest.mark.covers("4.8", "3.7.1 lost connection")
async def test_while_a_start_is_told(shared_booted: Lab) -> None:
    """StartTransaction is lost: it is sent again with the same content, and what follows has the number of its answer."""
    lab = shared_booted
    await states16.preparing(lab)
    await lost_at(lab, "StartTransaction")
    await states16.authorized(lab)
    first = await lab.csms.expect("StartTransaction")
    assert await lab.csms.expect("StartTransaction") == first
    await lab.charger.contactor("closed")
    await lab.charger.swipe(VALID.uid, 1)
    stop = await lab.csms.expect("StopTransaction")
    numbers = [it.payload["transactionId"] for it in lab.csms.messages if it.action == "StartTransaction" and it.kind == "result"]
    assert stop["transactionId"] == numbers[-1]
    await states16.available(lab)


@pytest.mark.covers("3.7 queue", "4.7")
async def test_while_it_charges(shared_booted: Lab) -> None:
    """The contactor stays closed, samples are taken and told later with their times, each once and in order."""
    lab = shared_booted
    async with states16.keys(lab, MeterValueSampleInterval=1):
        await states16.charging(lab)
        number = int(lab.session.transaction or 0)
        await lab.csms.expect("MeterValues", {"transactionId": number})
        async with lab.csms.offline():
            before = (await lab.charger.state())["evses"][0]["cycles"]["coil"]
            await lab.charger.until(lambda state: state["station"]["facts_waiting"] >= 3)
            state = await lab.charger.state()
            assert state["evses"][0]["contactor"] == "closed" and state["evses"][0]["cycles"]["coil"] == before
        await states16.stopped(lab)
        times = [it.payload["meterValue"][0]["timestamp"] for it in lab.csms.calls("MeterValues", {"transactionId": number})]
        assert times == sorted(set(times)) and len(times) >= 4
        await states16.available(lab)


@pytest.mark.covers("3.7 queue", "4.9 return", "4.10")
async def test_while_it_ends(shared_booted: Lab) -> None:
    """Stopped and unplugged without a line: StopTransaction comes later with the time and register of then, and only the present status."""
    lab = shared_booted
    await states16.charging(lab)
    number = int(lab.session.transaction or 0)
    async with lab.csms.offline():
        await lab.charger.swipe(VALID.uid, 1)
        await lab.charger.contactor("open")
        await lab.charger.unplug()
        await lab.charger.until(lambda state: state["station"]["connectors"][0]["status"] == "Available")
    await lab.csms.expect("StopTransaction", {"transactionId": number, "reason": "Local", "idTag": VALID.uid})
    await connector_told(lab, "Available")
    assert not lab.csms.pending("StatusNotification", {"status": "Finishing"})
    await lab.csms.no_more("StopTransaction", for_s=0.5)
    lab.sessions.clear()


@pytest.mark.covers("5.11", "3.7 queue")
async def test_after_a_remote_start(shared_booted: Lab) -> None:
    """The line goes after RemoteStartTransaction was accepted: the car that comes is charged, and told later."""
    lab = shared_booted
    answer = await lab.csms.call("RemoteStartTransaction", {"idTag": VALID.uid, "connectorId": 1})
    assert answer == {"status": "Accepted"}
    await connector_told(lab, "Preparing")
    async with lab.csms.offline():
        await lab.charger.plug_in()
        await lab.charger.contactor("closed")
    await lab.csms.expect("StartTransaction", {"idTag": VALID.uid})
    await lab.charger.unplug()
    await lab.csms.expect("StopTransaction", {"reason": "EVDisconnected"})
    await connector_told(lab, "Available")


@pytest.mark.covers("3.7.1 lost connection", "4.1 offline")
async def test_a_line_that_is_open_but_dead(lab: Lab) -> None:
    """No byte passes: the ping finds it, the card is judged by the offline rule, and all is told once the line is back."""
    await lab.up(keys={"WebSocketPingInterval": 1, "MeterValueSampleInterval": 0}, variables={"OCPPCommCtrlr.MessageTimeout[Default]": 2})
    lab.csms.judge.message_timeout_s = 0.0  # what stood in the line comes all at once
    await states16.local_list(lab, 1, **{VALID.uid: {"status": "Accepted"}})
    await states16.preparing(lab)
    await lab.charger.network("stall")
    await lab.charger.swipe(VALID.uid, 1)
    await lab.charger.contactor("closed")
    await lab.charger.network("up")
    await lab.csms.expect("StartTransaction", {"idTag": VALID.uid}, within=60)
    await lab.charger.swipe(VALID.uid, 1)
    await lab.csms.expect("StopTransaction", within=60)


@pytest.mark.covers("3.10", "3.5")
async def test_a_card_of_the_group_ends_it_offline(shared_booted: Lab) -> None:
    """A card of the list whose parentIdTag is that of the card that began ends the transaction without a line; another card does not."""
    lab = shared_booted
    group = {"status": "Accepted", "parentIdTag": GROUP_ID}
    await states16.local_list(lab, 1, **{GROUP_2.uid: group, VALID.uid: {"status": "Accepted"}})
    await states16.charging(lab, token=GROUP_1)
    async with lab.csms.offline():
        await lab.charger.swipe(VALID.uid, 1)
        await lab.charger.swipe(GROUP_2.uid, 1)
        await lab.charger.contactor("open")
    await lab.csms.expect("StopTransaction", {"idTag": GROUP_2.uid, "reason": "Local"})
    await states16.available(lab)
