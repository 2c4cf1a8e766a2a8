"""Configuration keys of who may charge (9.1, 9.2): type, limits, access, and what each does."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conformance.driver import keys16, states16
from tests.conformance.driver import lab as cards
from tests.conformance.driver.lab import Lab
from tests.conformance.driver.matching import Payload

SHARED: dict[str, Any] = {"evses": 2, "keys": {"AllowOfflineTxForUnknownId": False, "BlinkRepeat": 6}}
CARD, OTHER, UNKNOWN = cards.VALID, cards.VALID_2, cards.UNKNOWN


async def refused(lab: Lab, uid: str) -> None:
    """Shows a card that may not charge: the lamp blinks red for it, and the connector stays as it is."""

    def red(state: dict[str, Any]) -> bool:
        return bool(state["evses"][lab.evse - 1]["lamp"]["red"])

    await lab.charger.swipe(uid, lab.evse)
    state = await lab.charger.until(red)
    assert state["station"]["connectors"][lab.evse - 1]["transaction"] is None
    assert state["evses"][lab.evse - 1]["contactor"] == "open"


async def ended(lab: Lab, *, remote: bool = False) -> None:
    """Stops the transaction and takes the cable out."""
    await states16.stopped(lab, remote=remote)
    await states16.available(lab)


async def charging_offline(lab: Lab, uid: str) -> None:
    await lab.charger.swipe(uid, lab.evse)
    await lab.charger.contactor("closed", lab.evse)


async def told_later(lab: Lab, uid: str) -> None:
    """What was charged offline is told, and the cable taken out."""
    await lab.csms.expect("StartTransaction", {"idTag": uid})
    await lab.charger.swipe(uid, lab.evse)
    await lab.csms.expect("StopTransaction")
    await states16.available(lab)


@pytest.mark.covers("AllowOfflineTxForUnknownId", "3.5.4")
async def test_key_AllowOfflineTxForUnknownId(shared_booted: Lab) -> None:
    """Offline, a card that neither list nor cache knows may charge with true, and may not with false."""
    lab = shared_booted
    await keys16.boolean(lab, "AllowOfflineTxForUnknownId")
    await states16.preparing(lab)
    async with lab.csms.offline():
        await refused(lab, UNKNOWN.uid)
    async with states16.keys(lab, AllowOfflineTxForUnknownId=True):
        async with lab.csms.offline():
            await charging_offline(lab, OTHER.uid)
        await told_later(lab, OTHER.uid)


@pytest.mark.covers("AuthorizationCacheEnabled", "3.5.1")
async def test_key_AuthorizationCacheEnabled(shared_booted: Lab) -> None:
    """With the cache a card that was accepted before need not be asked about again; without it each showing is asked about."""
    lab = shared_booted
    await keys16.boolean(lab, "AuthorizationCacheEnabled")
    await lab.csms.call("ClearCache")
    async with states16.keys(lab, LocalPreAuthorize=True, AuthorizationCacheEnabled=True):
        await states16.cached(lab, CARD)
        await states16.charging(lab)
        await lab.csms.no_more("Authorize", for_s=0)
        await ended(lab)
        async with states16.keys(lab, AuthorizationCacheEnabled=False):
            await states16.charging(lab)
            await lab.csms.expect("Authorize", {"idTag": CARD.uid})
            await ended(lab)


@pytest.mark.covers("AuthorizeRemoteTxRequests")
async def test_key_AuthorizeRemoteTxRequests(shared_booted: Lab) -> None:
    """With true a remote start is authorized like a local one; with false the transaction begins at once."""
    lab = shared_booted
    await keys16.boolean(lab, "AuthorizeRemoteTxRequests")
    async with states16.keys(lab, AuthorizeRemoteTxRequests=True, AuthorizationCacheEnabled=False):
        await states16.preparing(lab)
        answer = await lab.csms.call("RemoteStartTransaction", {"idTag": UNKNOWN.uid, "connectorId": lab.evse})
        assert answer == {"status": "Accepted"}
        await lab.csms.expect("Authorize", {"idTag": UNKNOWN.uid})
        await lab.csms.no_more("StartTransaction")
        await states16.charging(lab, remote=True)
        await lab.csms.expect("Authorize", {"idTag": CARD.uid})
        await ended(lab, remote=True)
    async with states16.keys(lab, AuthorizeRemoteTxRequests=False):
        await states16.charging(lab, remote=True)
        await lab.csms.no_more("Authorize", for_s=0)
        await ended(lab, remote=True)


@pytest.mark.covers("LocalAuthorizeOffline", "3.5")
async def test_key_LocalAuthorizeOffline(shared_booted: Lab) -> None:
    """Offline, a card of the cache may charge with true, and may not with false."""
    lab = shared_booted
    await keys16.boolean(lab, "LocalAuthorizeOffline")
    await lab.csms.call("ClearCache")
    await states16.cached(lab, CARD)
    await states16.preparing(lab)
    async with states16.keys(lab, LocalAuthorizeOffline=False), lab.csms.offline():
        await refused(lab, CARD.uid)
    async with states16.keys(lab, LocalAuthorizeOffline=True):
        async with lab.csms.offline():
            await charging_offline(lab, CARD.uid)
        await told_later(lab, CARD.uid)


@pytest.mark.covers("LocalPreAuthorize", "3.5")
async def test_key_LocalPreAuthorize(shared_booted: Lab) -> None:
    """Online, a card of the cache starts without an Authorize with true; with false it is asked about first."""
    lab = shared_booted
    await keys16.boolean(lab, "LocalPreAuthorize")
    await lab.csms.call("ClearCache")
    await states16.cached(lab, CARD)
    async with states16.keys(lab, LocalPreAuthorize=True):
        await states16.charging(lab)
        await lab.csms.no_more("Authorize", for_s=0)
        await ended(lab)
    async with states16.keys(lab, LocalPreAuthorize=False):
        await states16.charging(lab)
        await lab.csms.expect("Authorize", {"idTag": CARD.uid})
        await ended(lab)


def invalid(lab: Lab, **info: Any) -> None:
    """The central system no longer accepts the card, and says so in its answer to StartTransaction."""
    lab.csms.answer("StartTransaction", {"transactionId": 4711, "idTagInfo": {"status": "Invalid", **info}}, times=1)
    lab.session.transaction = "4711"


@pytest.mark.covers("StopTransactionOnInvalidId")
async def test_key_StopTransactionOnInvalidId(shared_booted: Lab) -> None:
    """A card refused in StartTransaction.conf: with true the transaction ends with DeAuthorized, with false it goes on without energy."""
    lab = shared_booted
    await keys16.boolean(lab, "StopTransactionOnInvalidId")
    async with states16.keys(lab, StopTransactionOnInvalidId=True, MaxEnergyOnInvalidId=0):
        await states16.preparing(lab)
        invalid(lab)
        await states16.authorized(lab)
        await lab.csms.expect("StopTransaction", {"transactionId": 4711, "reason": "DeAuthorized"})
        await lab.charger.contactor("open", lab.evse)
        await lab.charger.swipe(CARD.uid, lab.evse)
        await states16.available(lab)
    async with states16.keys(lab, StopTransactionOnInvalidId=False, MaxEnergyOnInvalidId=0):
        await states16.preparing(lab)
        invalid(lab)
        await states16.authorized(lab)
        await states16.connector_told(lab, "SuspendedEVSE", lab.evse)
        await lab.charger.contactor("open", lab.evse)
        await lab.csms.no_more("StopTransaction", for_s=0.5)
        await lab.charger.swipe(CARD.uid, lab.evse)
        await lab.csms.expect("StopTransaction", {"transactionId": 4711, "reason": {"Local"}})
        await states16.available(lab)


def energy_wh(stop: Payload, start: Payload) -> int:
    return int(stop["meterStop"] - start["meterStart"])


@pytest.mark.covers("MaxEnergyOnInvalidId")
async def test_key_MaxEnergyOnInvalidId(shared_booted: Lab) -> None:
    """An invalidated card that is not stopped gets this much energy and then none, the transaction still running (0: none at all)."""
    lab = shared_booted
    await keys16.integer(lab, "MaxEnergyOnInvalidId", ("0", "1", "50000"))
    most_wh = 12
    async with states16.keys(lab, StopTransactionOnInvalidId=False, MaxEnergyOnInvalidId=most_wh):
        await states16.preparing(lab)
        invalid(lab)
        await states16.authorized(lab)
        start = await lab.csms.expect("StartTransaction")
        await lab.charger.contactor("closed", lab.evse)
        await states16.connector_told(lab, "Charging", lab.evse)
        await lab.charger.contactor("open", lab.evse)
        await states16.connector_told(lab, "SuspendedEVSE", lab.evse)
        await lab.csms.no_more("StopTransaction", for_s=0)
        await lab.charger.swipe(CARD.uid, lab.evse)
        stop = await lab.csms.expect("StopTransaction", {"transactionId": 4711})
        assert most_wh <= energy_wh(stop, start) < most_wh + 40, (start, stop)
        await states16.available(lab)
