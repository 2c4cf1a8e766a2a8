"""Block C, authorization, of OCPP 2.0.1 part 6, 2.4: a card that is in the authorization cache is shown while the CSMS can be asked."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conformance.driver import states
from tests.conformance.driver.cards import INVALID, REMOTE, asked, both_ways, never_asked, nothing_follows, refused, refused_without_asking, says
from tests.conformance.driver.lab import BLOCKED, EXPIRED, VALID, Lab, Token

CACHE: dict[str, Any] = {
    **REMOTE,
    "AuthCacheCtrlr.Enabled": True,
    "AuthCacheCtrlr.DisablePostAuthorize": False,
    "AuthCtrlr.LocalPreAuthorize": True,
    "TxCtrlr.TxStartPoint": "Authorized",
}


@pytest.fixture
def lab(as_new: Lab) -> Lab:
    """One charge point for all cases: what each configures it is, as part 6 has it, configured by the CSMS."""
    return as_new


async def with_cached(lab: Lab, token: Token, status: str = "Accepted", **variables: Any) -> None:
    """A station whose cache knows a card, and says this of it."""
    await lab.configure(**{**CACHE, **variables})
    says(lab, token, status)
    await states.id_token_cached(lab, token, accepted=status == "Accepted")


async def with_cached_and_a_car(lab: Lab, token: Token, status: str = "Accepted", **variables: Any) -> None:
    await with_cached(lab, token, status, **variables)
    await states.ev_connected_pre_session(lab)


@both_ways
async def test_TC_C_08_CS(lab: Lab, remote: bool) -> None:
    """A cached, accepted card starts at once; nobody is asked."""
    await with_cached_and_a_car(lab, VALID)
    await states.authorized(lab, asks=False, remote=remote)
    await states.energy_transfer_started(lab)
    never_asked(lab)


@both_ways
async def test_TC_C_09_CS(lab: Lab, remote: bool) -> None:
    """A cached card that was Invalid is asked about, and starts nothing while it still is."""
    await with_cached_and_a_car(lab, INVALID, "Invalid")
    await refused(lab, INVALID, "Invalid", remote=remote)


@both_ways
async def test_TC_C_10_CS(lab: Lab, remote: bool) -> None:
    """A cached card that was Blocked is asked about, and starts nothing while it still is."""
    await with_cached_and_a_car(lab, BLOCKED, "Blocked")
    await refused(lab, BLOCKED, "Blocked", remote=remote)


@both_ways
async def test_TC_C_11_CS(lab: Lab, remote: bool) -> None:
    """A cached card that was Expired is asked about, and starts nothing while it still is."""
    await with_cached_and_a_car(lab, EXPIRED, "Expired")
    await refused(lab, EXPIRED, "Expired", remote=remote)


@both_ways
async def test_TC_C_12_CS(lab: Lab, remote: bool) -> None:
    """A cached card that was Invalid, and is accepted now, starts."""
    await with_cached_and_a_car(lab, INVALID, "Invalid")
    says(lab, INVALID, "Accepted")
    await states.authorized(lab, token=INVALID, asks=True, remote=remote)
    await states.energy_transfer_started(lab)


@both_ways
async def test_TC_C_13_CS(lab: Lab, remote: bool) -> None:
    """A cached, accepted card is enough before the cable comes; energy waits for the cable."""
    await with_cached(lab, VALID)
    event = await states.authorized(lab, asks=False, remote=remote)
    assert event is not None and (event["eventType"], event["triggerReason"]) == ("Started", "RemoteStart" if remote else "Authorized"), event
    await nothing_follows(lab)
    await states.ev_connected_pre_session(lab)
    await states.energy_transfer_started(lab)
    never_asked(lab)


@both_ways
async def test_TC_C_57_CS(lab: Lab, remote: bool) -> None:
    """With DisablePostAuthorize a cached card that was Invalid is refused, and nobody is asked."""
    await with_cached_and_a_car(lab, INVALID, "Invalid", **{"AuthCacheCtrlr.DisablePostAuthorize": True})
    says(lab, INVALID, "Accepted")
    await refused_without_asking(lab, INVALID, remote=remote)


@both_ways
async def test_TC_C_36_CS(lab: Lab, remote: bool) -> None:
    """Without LocalPreAuthorize a cached, accepted card is asked about."""
    await with_cached(lab, VALID, **{"AuthCtrlr.LocalPreAuthorize": False})
    await refused(lab, VALID, "Invalid", remote=remote)


async def test_TC_C_46_CS(lab: Lab) -> None:
    """A cached card that nobody has said anything of for LifeTime is asked about again."""
    await with_cached_and_a_car(lab, VALID, **{"AuthCacheCtrlr.LifeTime": 3})
    await nothing_follows(lab, for_s=4)
    await states.authorized(lab, asks=True)


async def test_TC_C_38_CS(lab: Lab) -> None:
    """A cache that is switched off cannot be cleared."""
    await with_cached(lab, VALID)
    await lab.configure(**{"AuthCacheCtrlr.Enabled": False})
    assert (await lab.csms.call("ClearCache"))["status"] == "Rejected"


@both_ways
async def test_TC_C_37_CS(lab: Lab, remote: bool) -> None:
    """A cache that was cleared knows nothing: the card is asked about."""
    await with_cached(lab, VALID)
    assert (await lab.csms.call("ClearCache"))["status"] == "Accepted"
    await states.ev_connected_pre_session(lab)
    await states.authorized(lab, asks=True, remote=remote)
    await states.energy_transfer_started(lab)


@both_ways
async def test_TC_C_32_CS(lab: Lab, remote: bool) -> None:
    """The cache outlives a power cut."""
    await with_cached(lab, VALID)
    await states.booted(lab)
    event = await states.authorized(lab, asks=False, remote=remote)
    assert event is not None and event["triggerReason"] == ("RemoteStart" if remote else "Authorized"), event
    await states.ev_connected_pre_session(lab)
    await states.energy_transfer_started(lab)
    never_asked(lab)


@both_ways
async def test_TC_C_33_CS(lab: Lab, remote: bool) -> None:
    """The answer to Authorize goes into the cache: the next time nobody is asked."""
    await lab.configure(**{**CACHE, "LocalAuthListCtrlr.Enabled": True})
    await states.ev_connected_pre_session(lab)
    await states.authorized(lab, asks=True, remote=remote)
    await states.energy_transfer_started(lab)
    await states.parking_bay_unoccupied(lab)
    await states.ev_connected_pre_session(lab)
    lab.csms.answer("TransactionEvent", {"idTokenInfo": {"status": "Invalid"}}, where={"idToken": VALID.id_token})
    event = await states.authorized(lab, asks=False, remote=remote)
    assert event is not None and (event["eventType"], event["triggerReason"]) == ("Started", "RemoteStart" if remote else "Authorized"), event
    never_asked(lab)


async def test_TC_C_34_CS(lab: Lab) -> None:
    """The answer to TransactionEvent goes into the cache: a card it calls Invalid is asked about the next time."""
    limits = {"TxCtrlr.StopTxOnInvalidId": True, "TxCtrlr.MaxEnergyOnInvalidId": 0, "TxCtrlr.TxStartPoint": "PowerPathClosed"}
    await with_cached(lab, VALID, **limits, **{"LocalAuthListCtrlr.Enabled": True})
    says(lab, VALID, "Invalid")
    await states.authorized(lab, asks=False)
    await states.deauthorized(lab)
    never_asked(lab)
    await states.ev_disconnected(lab)
    await asked(lab, VALID)
    await nothing_follows(lab)
