"""Block C, authorization, of OCPP 2.0.1 part 6, 2.4: a card that is in the local authorization list is shown, online and offline."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conformance.driver import states
from tests.conformance.driver.cards import INVALID, REMOTE, WAIT_S, both_ways, never_asked, nothing_follows, refused, refused_without_asking, says
from tests.conformance.driver.lab import BLOCKED, EXPIRED, UNKNOWN, VALID, Lab, Token
from tests.conformance.driver.matching import Payload, matches

SHARED: dict[str, Any] = {"reconnect": {"wait_minimum_s": 1, "random_range_s": 0}}
LIST: dict[str, Any] = {
    **REMOTE,
    "LocalAuthListCtrlr.Enabled": True,
    "LocalAuthListCtrlr.DisablePostAuthorize": False,
    "AuthCtrlr.LocalPreAuthorize": True,
    "TxCtrlr.TxStartPoint": "Authorized",
}
OFFLINE: dict[str, Any] = {
    "AuthCtrlr.OfflineTxForUnknownIdEnabled": False,
    "AuthCtrlr.LocalAuthorizeOffline": True,
    "OCPPCommCtrlr.OfflineThreshold": 61,
}


@pytest.fixture
def lab(as_new: Lab) -> Lab:
    """One charge point for all cases: what each configures it is, as part 6 has it, configured by the CSMS."""
    return as_new


async def with_listed(lab: Lab, token: Token, status: str = "Accepted", **variables: Any) -> None:
    """A station whose local list says this of a card; the CSMS says the same."""
    await lab.configure(**{**LIST, **variables})
    says(lab, token, status)
    await states.id_token_in_local_list(lab, token, info={"status": status})


# --- online


@both_ways
async def test_TC_C_27_CS(lab: Lab, remote: bool) -> None:
    """A listed, accepted card starts at once; nobody is asked."""
    await with_listed(lab, VALID)
    event = await states.authorized(lab, asks=False, remote=remote)
    assert event is not None and event["triggerReason"] == ("RemoteStart" if remote else "Authorized"), event
    await states.ev_connected_pre_session(lab)
    await states.energy_transfer_started(lab)
    never_asked(lab)


@both_ways
async def test_TC_C_28_CS(lab: Lab, remote: bool) -> None:
    """A card listed as Invalid is asked about, and starts nothing when the CSMS says the same."""
    await with_listed(lab, INVALID, "Invalid")
    await refused(lab, INVALID, "Invalid", remote=remote)


@both_ways
async def test_TC_C_29_CS(lab: Lab, remote: bool) -> None:
    """A card listed as Blocked is asked about, and starts nothing when the CSMS says the same."""
    await with_listed(lab, BLOCKED, "Blocked")
    await states.ev_connected_pre_session(lab)
    await refused(lab, BLOCKED, "Blocked", remote=remote)


@both_ways
async def test_TC_C_30_CS(lab: Lab, remote: bool) -> None:
    """A card listed as Expired is asked about, and starts nothing when the CSMS says the same."""
    await with_listed(lab, EXPIRED, "Expired")
    await states.ev_connected_pre_session(lab)
    await refused(lab, EXPIRED, "Expired", remote=remote)


@both_ways
async def test_TC_C_31_CS(lab: Lab, remote: bool) -> None:
    """A card listed as Invalid is asked about, and starts when the CSMS accepts it."""
    await with_listed(lab, INVALID, "Invalid")
    says(lab, INVALID, "Accepted")
    await states.authorized(lab, token=INVALID, asks=True, remote=remote)
    await states.ev_connected_pre_session(lab)
    await states.energy_transfer_started(lab)


@both_ways
async def test_TC_C_58_CS(lab: Lab, remote: bool) -> None:
    """With DisablePostAuthorize a card listed as Invalid is refused, and nobody is asked."""
    await with_listed(lab, INVALID, "Invalid", **{"LocalAuthListCtrlr.DisablePostAuthorize": True})
    says(lab, INVALID, "Accepted")
    await refused_without_asking(lab, INVALID, remote=remote)


# --- offline


async def test_TC_C_21_CS(lab: Lab) -> None:
    """A listed, accepted card starts a transaction while the CSMS cannot be reached, and stops it when that is back."""
    await with_listed(lab, VALID, **OFFLINE)
    await states.start_offline_transaction(lab)
    await lab.charger.swipe(VALID.uid)
    await lab.charger.unplug()
    await lab.csms.expect("TransactionEvent", {"triggerReason": "StopAuthorized"})
    told = [it.payload for it in lab.csms.calls("TransactionEvent")]
    before = told[: next(index for index, event in enumerate(told) if event["triggerReason"] == "StopAuthorized")]
    assert before and all(event.get("offline") is True for event in before), before
    await states.connector_told(lab, "Available")


async def refused_offline(lab: Lab, token: Token, status: str) -> None:
    """Listed as anything but accepted, shown while the CSMS cannot be reached: nothing comes of it, then or later."""
    await with_listed(lab, token, status, **OFFLINE)
    async with lab.csms.offline():
        await lab.charger.swipe(token.uid)
        await nothing_follows(lab)
    await nothing_follows(lab)
    never_asked(lab)


async def test_TC_C_22_CS(lab: Lab) -> None:
    """A card listed as Invalid starts nothing offline."""
    await refused_offline(lab, INVALID, "Invalid")


async def test_TC_C_23_CS(lab: Lab) -> None:
    """A card listed as Blocked starts nothing offline."""
    await refused_offline(lab, BLOCKED, "Blocked")


async def test_TC_C_24_CS(lab: Lab) -> None:
    """A card listed as Expired starts nothing offline."""
    await refused_offline(lab, EXPIRED, "Expired")


async def test_TC_C_25_CS(lab: Lab) -> None:
    """The local list outweighs the cache, and a card listed as Invalid is not an unknown one."""
    unknown_too = {"AuthCtrlr.OfflineTxForUnknownIdEnabled": True, "TxCtrlr.StopTxOnInvalidId": False}
    await lab.configure(**{**LIST, **OFFLINE, **unknown_too})
    await states.id_token_cached(lab, VALID)
    await states.id_token_in_local_list(lab, VALID, info={"status": "Invalid"})
    await states.ev_connected_pre_session(lab)
    async with lab.csms.offline():
        await lab.charger.swipe(VALID.uid)
        await nothing_follows(lab)
    await nothing_follows(lab)


async def test_TC_C_26_CS(lab: Lab) -> None:
    """An unknown card may start offline; when the CSMS calls it Invalid, the transaction goes on without energy, and the card still stops it."""
    lenient = {"AuthCtrlr.OfflineTxForUnknownIdEnabled": True, "TxCtrlr.MaxEnergyOnInvalidId": 0, "TxCtrlr.StopTxOnInvalidId": False}
    await lab.configure(**{**LIST, **OFFLINE, **lenient})
    says(lab, UNKNOWN, "Invalid")
    await states.start_offline_transaction(lab, token=UNKNOWN)
    await states.connector_told(lab, "Occupied")
    await states.transaction_event(lab, {"eventType": "Started", "idToken": UNKNOWN.id_token, "offline": True})
    suspended = {"triggerReason": "ChargingStateChanged", "transactionInfo": {"chargingState": "SuspendedEVSE"}}
    event = await states.transaction_event(lab, suspended)
    told = [it.payload for it in lab.csms.calls("TransactionEvent")]
    assert all(it.get("offline") is True for it in told[: told.index(event)]), told
    await lab.charger.contactor("open")
    await lab.csms.no_more("TransactionEvent", with_energy, for_s=WAIT_S)
    says(lab, UNKNOWN, "Accepted")
    await states.stop_authorized(lab, token=UNKNOWN)
    await states.ev_connected_post_session(lab)
    await states.ev_disconnected(lab)


def with_energy(event: Payload) -> bool:
    return matches({"offline": lambda value: value is not True, "transactionInfo": {"chargingState": "Charging"}}, event)
