"""The car's end is unplugged while the cable stays in the socket (4.9, 4.10): both keys, in all combinations."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conformance.driver import keys16, states16
from tests.conformance.driver.lab import GROUP_1, GROUP_2, VALID, Lab
from tests.conformance.driver.matching import ABSENT, check

SHARED: dict[str, Any] = {}
STOP, UNLOCK = "StopTransactionOnEVSideDisconnect", "UnlockConnectorOnEVSideDisconnect"
EV_SIDE = "EV side disconnected"


async def lock(lab: Lab, word: str) -> None:
    await lab.charger.until(lambda state: state["evses"][0]["lock"] == word)


async def unplugged_at_the_car(lab: Lab, status: str) -> None:
    """The car's end comes out of a charging session; its connector is told with the reason."""
    await states16.charging(lab)
    await lock(lab, "locked")
    await lab.charger.ev_unplug()
    told = await states16.connector_told(lab, status)
    check({"info": EV_SIDE}, told)
    await lab.charger.contactor("open")


@pytest.mark.covers("StopTransactionOnEVSideDisconnect", "UnlockConnectorOnEVSideDisconnect", "4.10 EV side stops", "4.9 EV side")
async def test_stops_and_unlocks(shared_booted: Lab) -> None:
    """Stop true, unlock true: the transaction ends with EVDisconnected, Finishing, and the cable is free."""
    lab = shared_booted
    await keys16.boolean(lab, STOP)
    async with states16.keys(lab, **{STOP: True, UNLOCK: True}):
        await unplugged_at_the_car(lab, "Finishing")
        check({"idTag": ABSENT}, await lab.csms.expect("StopTransaction", {"reason": "EVDisconnected"}))
        await lock(lab, "unlocked")
        await states16.available(lab)


@pytest.mark.covers("StopTransactionOnEVSideDisconnect", "UnlockConnectorOnEVSideDisconnect", "4.10 EV side stops", "4.9 EV side", "3.5.4 held cable")
async def test_stops_and_keeps_the_cable(shared_booted: Lab) -> None:
    """Stop true, unlock false: the transaction ends, and the cable stays locked until the card that began it is shown."""
    lab = shared_booted
    await keys16.boolean(lab, UNLOCK)
    async with states16.keys(lab, **{STOP: True, UNLOCK: False}):
        await unplugged_at_the_car(lab, "Finishing")
        await lab.csms.expect("StopTransaction", {"reason": "EVDisconnected"})
        await lab.csms.no_more("StatusNotification", for_s=0.5)
        await lock(lab, "locked")
        await lab.charger.swipe(VALID.uid, 1)
        await lock(lab, "unlocked")
        await states16.available(lab)


@pytest.mark.covers("StopTransactionOnEVSideDisconnect", "4.10 EV side stops")
async def test_a_stopped_transaction_does_not_go_on(shared_booted: Lab) -> None:
    """Stop true: the car comes back, and gets no energy before a card begins a new transaction."""
    lab = shared_booted
    async with states16.keys(lab, **{STOP: True, UNLOCK: False}):
        await unplugged_at_the_car(lab, "Finishing")
        first = int(lab.session.transaction or 0)
        await lab.csms.expect("StopTransaction", {"transactionId": first})
        await lab.charger.ev_plug()
        await lab.csms.no_more("StartTransaction", for_s=1.5)
        await lab.charger.contactor("open")
        await states16.available(lab)


@pytest.mark.covers("StopTransactionOnEVSideDisconnect", "UnlockConnectorOnEVSideDisconnect", "4.10 EV side goes on", "4.9 EV side")
@pytest.mark.parametrize("unlock", [True, False])
async def test_goes_on_and_never_unlocks(shared_booted: Lab, unlock: bool) -> None:
    """Stop false, whatever unlock says: SuspendedEV, locked, the transaction runs on when a car is plugged in again, and its card ends it."""
    lab = shared_booted
    async with states16.keys(lab, **{STOP: False, UNLOCK: unlock}):
        await unplugged_at_the_car(lab, "SuspendedEV")
        await lab.csms.no_more("StopTransaction", for_s=1.5)
        await lock(lab, "locked")
        await lab.charger.ev_plug()
        await lab.charger.contactor("closed", within=40)
        await states16.connector_told(lab, "Charging")
        await lab.csms.no_more("StartTransaction", for_s=0)
        await states16.stopped(lab)
        await lock(lab, "unlocked")
        await states16.available(lab)


@pytest.mark.covers("StopTransactionOnEVSideDisconnect", "4.10 EV side goes on")
async def test_the_card_ends_it_while_the_car_is_away(shared_booted: Lab) -> None:
    """Stop false: the card shown while nobody is plugged in ends the transaction and frees the cable."""
    lab = shared_booted
    async with states16.keys(lab, **{STOP: False, UNLOCK: False}):
        await unplugged_at_the_car(lab, "SuspendedEV")
        await lab.charger.swipe(VALID.uid, 1)
        await lab.csms.expect("StopTransaction", {"reason": {"Local"}, "idTag": VALID.uid})
        await lock(lab, "unlocked")
        await states16.available(lab)


@pytest.mark.covers("UnlockConnectorOnEVSideDisconnect", "3.10")
async def test_a_card_of_the_group_frees_a_kept_cable(shared_booted: Lab) -> None:
    """The cable that was kept locked is given to a card with the same parentIdTag."""
    lab = shared_booted
    async with states16.keys(lab, **{STOP: True, UNLOCK: False}):
        await states16.charging(lab, token=GROUP_1)
        await lab.charger.ev_unplug()
        await lab.csms.expect("StopTransaction", {"reason": "EVDisconnected"})
        await lock(lab, "locked")
        await lab.charger.swipe(GROUP_2.uid, 1)
        await lock(lab, "unlocked")
        await states16.available(lab)


@pytest.mark.covers("UnlockConnectorOnEVSideDisconnect")
async def test_a_tethered_cable_has_nothing_to_unlock(lab: Lab) -> None:
    """With a cable of its own the key is false and cannot be changed (errata 3.84)."""
    await lab.up(connectors=["cType2"])
    assert await keys16.read_only(lab, UNLOCK) == "false"
