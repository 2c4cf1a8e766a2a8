"""Authorize, the cache and the local list (3.4, 3.5.1 to 3.5.3, 3.9, 3.10, 4.1, 5.4, 5.10, 5.15)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.conformance.driver import keys16, states16
from tests.conformance.driver.lab import BLOCKED, GROUP_1, GROUP_2, UNKNOWN, VALID, VALID_2, Lab
from tests.conformance.driver.matching import ABSENT, check
from tests.conformance.driver.messages import SILENCE

SHARED: dict[str, Any] = {"keys": {"MeterValueSampleInterval": 0, "BlinkRepeat": 6}}
ACCEPTED = {"status": "Accepted"}


def later(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def ended(lab: Lab) -> None:
    await states16.stopped(lab, remote=True)
    await states16.available(lab)


async def not_charging(lab: Lab, uid: str) -> None:
    """The card is shown, the lamp blinks red, no transaction begins."""
    await lab.charger.swipe(uid, lab.evse)
    await lab.charger.until(lambda state: state["evses"][0]["lamp"]["red"])
    assert not lab.csms.pending("StartTransaction")


@pytest.mark.covers("4.1", "3.4", "7.36 Local", "6.1", "6.2", "6.45", "6.46")
async def test_the_card_that_began_ends_it_unasked(shared_booted: Lab) -> None:
    """Asked about before the transaction, not asked about for its end."""
    lab = shared_booted
    await lab.csms.call("ClearCache")
    await states16.preparing(lab)
    await states16.authorized(lab)
    assert await lab.csms.expect("Authorize") == {"idTag": VALID.uid}
    start = await lab.csms.expect("StartTransaction")
    check({"connectorId": 1, "idTag": VALID.uid, "meterStart": lambda wh: isinstance(wh, int), "reservationId": ABSENT}, start)
    lab.session.transaction = str([it for it in lab.csms.messages if it.action == "StartTransaction"][-1].payload["transactionId"])
    await lab.charger.contactor("closed")
    stop = await states16.stopped(lab)
    check({"idTag": VALID.uid, "reason": {ABSENT, "Local"}} if "reason" not in stop else {"idTag": VALID.uid, "reason": "Local"}, stop)
    await lab.csms.no_more("Authorize", for_s=0)
    await states16.available(lab)


@pytest.mark.covers("4.1 stop by another", "3.10", "4.1")
async def test_another_card_ends_it_only_with_the_same_parent(shared_booted: Lab) -> None:
    """A card of another group is asked about and does not end it; one with the same parentIdTag does."""
    lab = shared_booted
    await lab.csms.call("ClearCache")
    await states16.charging(lab, token=GROUP_1)
    lab.csms.forget()
    await lab.charger.swipe(VALID_2.uid, 1)
    await lab.csms.expect("Authorize", {"idTag": VALID_2.uid})
    await lab.csms.no_more("StopTransaction")
    await lab.charger.swipe(GROUP_2.uid, 1)
    await lab.csms.expect("Authorize", {"idTag": GROUP_2.uid})
    await lab.csms.expect("StopTransaction", {"idTag": GROUP_2.uid})
    await states16.available(lab)


@pytest.mark.covers("4.1 refused", "7.2", "7.27")
@pytest.mark.parametrize("status", ["Blocked", "Expired", "Invalid", "ConcurrentTx"])
async def test_a_card_that_is_not_accepted(shared_booted: Lab, status: str) -> None:
    """Whatever word the central system has for it: no transaction, and each showing is asked about anew."""
    lab = shared_booted
    lab.csms.answer("Authorize", {"idTagInfo": {"status": status}})
    await states16.preparing(lab)
    for _ in range(2):
        await not_charging(lab, UNKNOWN.uid)
        await lab.csms.expect("Authorize", {"idTag": UNKNOWN.uid})
    await states16.available(lab)


@pytest.mark.covers("3.5.1 updates")
async def test_the_cache_takes_every_word_on_a_card(shared_booted: Lab) -> None:
    """The cache learns from Authorize, StartTransaction and StopTransaction, the newest word counts, and what is not valid there is asked about."""
    lab = shared_booted
    async with states16.keys(lab, LocalPreAuthorize=True, StopTransactionOnInvalidId=False):
        await lab.csms.call("ClearCache")
        await states16.charging(lab)
        await lab.csms.expect("Authorize", {"idTag": VALID.uid})
        await ended(lab)
        await states16.charging(lab)
        await lab.csms.no_more("Authorize", for_s=0)
        lab.csms.answer("StopTransaction", {"idTagInfo": {"status": "Blocked"}}, times=1)
        await states16.stopped(lab)
        await states16.available(lab)
        await states16.charging(lab)
        await lab.csms.expect("Authorize", {"idTag": VALID.uid})
        await ended(lab)
        lab.csms.answer("StartTransaction", {"idTagInfo": {"status": "Blocked"}}, times=1)
        await states16.preparing(lab)
        await states16.authorized(lab)
        await lab.csms.expect("StartTransaction")
        await states16.connector_told(lab, "SuspendedEVSE")
        await lab.csms.no_more("Authorize", for_s=0)
        await states16.available(lab)
        await states16.charging(lab)
        await lab.csms.expect("Authorize", {"idTag": VALID.uid})
        await ended(lab)


@pytest.mark.covers("3.5.1 expiry")
async def test_a_cached_card_expires(shared_booted: Lab) -> None:
    """An entry whose expiryDate passes is expired: online it is asked about, offline refused."""
    lab = shared_booted
    async with states16.keys(lab, LocalPreAuthorize=True, LocalAuthorizeOffline=True):
        await lab.csms.call("ClearCache")
        lab.csms.answer("Authorize", {"idTagInfo": {"status": "Accepted", "expiryDate": later(4)}}, times=1)
        lab.csms.answer("StartTransaction", {"idTagInfo": {"status": "Accepted", "expiryDate": later(4)}}, times=1)
        await states16.charging(lab)
        await lab.csms.expect("Authorize")
        await ended(lab)
        await lab.csms.no_more("Authorize", for_s=4)
        await states16.preparing(lab)
        async with states16.keys(lab, AllowOfflineTxForUnknownId=True), lab.csms.offline():
            await not_charging(lab, VALID.uid)
        await states16.authorized(lab)
        await lab.csms.expect("Authorize", {"idTag": VALID.uid})
        await lab.charger.contactor("closed")
        await lab.charger.unplug()
        await lab.csms.expect("StopTransaction")
        lab.sessions.clear()
        await states16.connector_told(lab, "Available")


@pytest.mark.covers("3.5.1 persistent", "3.5.2 persistent")
async def test_cache_and_list_outlive_a_power_cut(lab: Lab) -> None:
    """Both are there after the power was gone and after a reset."""
    await lab.up(keys={"LocalPreAuthorize": True, "MeterValueSampleInterval": 0})
    await states16.cached(lab, VALID)
    await states16.local_list(lab, 7, **{VALID_2.uid: ACCEPTED})
    for reset in (None, "Hard"):
        await states16.booted(lab, reset=reset)
        lab.csms.forget()
        assert await lab.csms.call("GetLocalListVersion") == {"listVersion": 7}
        for token in (VALID, VALID_2):
            await states16.charging(lab, token=token)
            await lab.csms.no_more("Authorize", for_s=0)
            await ended(lab)


@pytest.mark.covers("5.4", "6.11", "6.12")
async def test_clear_cache(shared_booted: Lab) -> None:
    """Accepted, and cards are asked about again; without a cache: Rejected (errata 3.23)."""
    lab = shared_booted
    async with states16.keys(lab, LocalPreAuthorize=True):
        await lab.csms.call("ClearCache")
        await states16.cached(lab, VALID)
        assert await lab.csms.call("ClearCache") == ACCEPTED
        await states16.charging(lab)
        await lab.csms.expect("Authorize", {"idTag": VALID.uid})
        await ended(lab)
        async with states16.keys(lab, AuthorizationCacheEnabled=False):
            assert await lab.csms.call("ClearCache") == {"status": "Rejected"}


@pytest.mark.covers("LocalAuthListEnabled", "3.5.2", "3.5.3")
async def test_key_LocalAuthListEnabled(shared_booted: Lab) -> None:
    """A card of the list is authorized by it, before the cache; switched off, it is asked about, and there is no list to change."""
    lab = shared_booted
    await keys16.boolean(lab, "LocalAuthListEnabled")
    await lab.csms.call("ClearCache")
    async with states16.keys(lab, LocalPreAuthorize=True, LocalAuthListEnabled=True):
        await states16.local_list(lab, 1, **{VALID.uid: ACCEPTED, BLOCKED.uid: {"status": "Blocked"}})
        await states16.charging(lab)
        await lab.csms.no_more("Authorize", for_s=0)
        await ended(lab)
        async with states16.keys(lab, LocalAuthListEnabled=False):
            await states16.charging(lab)
            await lab.csms.expect("Authorize", {"idTag": VALID.uid})
            await ended(lab)
            assert await lab.csms.call("GetLocalListVersion") == {"listVersion": -1}
            update = {"listVersion": 2, "updateType": "Full"}
            assert await lab.csms.call("SendLocalList", update) == {"status": "NotSupported"}
        assert await lab.csms.call("GetLocalListVersion") == {"listVersion": 1}
        await states16.local_list(lab, 2)


@pytest.mark.covers("3.5.2 conflict", "3.5.3")
async def test_a_list_at_odds_with_the_central_system(shared_booted: Lab) -> None:
    """The answer to StartTransaction refuses a card of the list: LocalListConflict of connector 0; the list stays, and the card is not cached."""
    lab = shared_booted
    await lab.csms.call("ClearCache")
    async with states16.keys(lab, LocalPreAuthorize=True):
        await states16.local_list(lab, 3, **{VALID.uid: ACCEPTED})
        lab.csms.answer("StartTransaction", {"idTagInfo": {"status": "Blocked"}}, times=1)
        await states16.preparing(lab)
        await states16.authorized(lab)
        await lab.csms.expect("StatusNotification", {"connectorId": 0, "errorCode": "LocalListConflict"})
        await lab.csms.expect("StopTransaction", {"reason": "DeAuthorized"})
        await lab.charger.swipe(VALID.uid, 1)
        await states16.available(lab)
        await states16.charging(lab)
        await lab.csms.no_more("Authorize", for_s=0)
        await ended(lab)
        await states16.local_list(lab, 4)
        await states16.charging(lab)
        await lab.csms.expect("Authorize", {"idTag": VALID.uid})
        await ended(lab)


@pytest.mark.covers("3.9", "7.28", "7.15-7.19")
async def test_a_tag_may_be_any_text(shared_booted: Lab) -> None:
    """Twenty characters of any kind, compared without regard to case."""
    lab = shared_booted
    tag = "aB-09 x/y_z.#*+=!?()"
    lab.csms.answers.cards[tag.upper()] = dict(ACCEPTED)
    answer = await lab.csms.call("RemoteStartTransaction", {"idTag": tag, "connectorId": 1})
    assert answer == ACCEPTED
    await lab.charger.plug_in()
    assert (await lab.csms.expect("StartTransaction"))["idTag"] == tag
    await lab.charger.contactor("closed")
    await lab.charger.unplug()
    await lab.csms.expect("StopTransaction")
    await states16.connector_told(lab, "Available")
    await lab.csms.call("ClearCache")
    await states16.local_list(lab, 5, **{VALID.uid.lower(): ACCEPTED})
    async with states16.keys(lab, LocalPreAuthorize=True):
        await states16.charging(lab)
        await lab.csms.no_more("Authorize", for_s=0)
        await ended(lab)
    await states16.local_list(lab, 6)


async def send(lab: Lab, version: int, kind: str, **entries: Any) -> str:
    items = [{"idTag": tag} | ({} if info is None else {"idTagInfo": info}) for tag, info in entries.items()]
    answer = await lab.csms.call("SendLocalList", {"listVersion": version, "updateType": kind, "localAuthorizationList": items})
    return str(answer["status"])


async def version(lab: Lab) -> int:
    return int((await lab.csms.call("GetLocalListVersion"))["listVersion"])


@pytest.mark.covers("5.10", "5.15", "6.27", "6.28", "6.41", "6.42", "7.1", "7.47", "7.48")
async def test_full_and_differential(shared_booted: Lab) -> None:
    """A whole list replaces, a differential one adds, changes and removes; its version must be newer; a refused one changes nothing."""
    lab = shared_booted
    await send(lab, 90, "Full")
    assert await version(lab) == 0, "an empty list"
    assert await send(lab, 100, "Full", AA=ACCEPTED, BB=ACCEPTED) == "Accepted"
    assert await version(lab) == 100
    assert await send(lab, 100, "Differential", CC=ACCEPTED) == "VersionMismatch"
    assert await send(lab, 99, "Differential", CC=ACCEPTED) == "VersionMismatch"
    assert await version(lab) == 100
    assert await send(lab, 101, "Differential", CC=ACCEPTED, AA={"status": "Blocked"}, BB=None) == "Accepted"
    assert await version(lab) == 101
    assert await send(lab, 102, "Full", AA=None) == "Failed", "an entry of a whole list needs its idTagInfo"
    for wrong in (0, -1):
        assert await send(lab, wrong, "Full", AA=ACCEPTED) == "Failed", "errata 3.52"
    assert await version(lab) == 101
    twice = [{"idTag": "DD", "idTagInfo": ACCEPTED}] * 2
    answer = await lab.csms.call("SendLocalList", {"listVersion": 103, "updateType": "Full", "localAuthorizationList": twice})
    assert answer == {"status": "Failed"}
    assert await version(lab) == 101
    assert await send(lab, 50, "Full", AA=ACCEPTED) == "Accepted", "a whole list may have any version"
    assert await send(lab, 51, "Differential", AA=None) == "Accepted"
    assert await version(lab) == 0, "empty again"
    assert await send(lab, 1, "Differential", AA=ACCEPTED) == "Accepted", "newer than that"
    assert await version(lab) == 1
    await send(lab, 2, "Full")


@pytest.mark.covers("5.15 effect")
async def test_what_a_differential_update_does_to_cards(shared_booted: Lab) -> None:
    """Added, changed and removed cards are authorized accordingly."""
    lab = shared_booted
    await lab.csms.call("ClearCache")
    async with states16.keys(lab, LocalPreAuthorize=True, AuthorizationCacheEnabled=False):
        await send(lab, 200, "Full")
        assert await send(lab, 201, "Differential", **{VALID.uid: ACCEPTED}) == "Accepted"
        await states16.charging(lab)
        await lab.csms.no_more("Authorize", for_s=0)
        await ended(lab)
        assert await send(lab, 202, "Differential", **{VALID.uid: {"status": "Accepted", "expiryDate": later(-60)}}) == "Accepted"
        await states16.preparing(lab)
        async with lab.csms.offline():
            await not_charging(lab, VALID.uid)
        assert await send(lab, 203, "Differential", **{VALID.uid: None}) == "Accepted"
        await states16.authorized(lab)
        await lab.csms.expect("Authorize", {"idTag": VALID.uid})
        await lab.charger.contactor("closed")
        await lab.charger.unplug()
        await states16.connector_told(lab, "Available")
        lab.sessions.clear()


@pytest.mark.covers("LocalAuthListMaxLength", "SendLocalListMaxLength", "5.15")
async def test_keys_LocalAuthListMaxLength_and_SendLocalListMaxLength(lab: Lab) -> None:
    """So many identifiers fit in the list, and so many in one message; more are refused and change nothing."""
    await lab.up(keys={"LocalAuthListMaxLength": 5, "SendLocalListMaxLength": 3})
    assert await keys16.read_only(lab, "LocalAuthListMaxLength") == "5"
    assert await keys16.read_only(lab, "SendLocalListMaxLength") == "3"
    four = {f"CARD{number}": ACCEPTED for number in range(4)}
    three, three_more = dict(list(four.items())[:3]), {f"MORE{number}": ACCEPTED for number in range(3)}
    assert await send(lab, 1, "Full", **four) == "Failed"
    assert await version(lab) == 0
    assert await send(lab, 2, "Full", **three) == "Accepted"
    assert await send(lab, 3, "Differential", **three_more) == "Failed", "six do not fit"
    assert await version(lab) == 2
    assert await send(lab, 4, "Differential", MORE0=ACCEPTED, MORE1=ACCEPTED) == "Accepted"


@pytest.mark.covers("4.1 offline", "3.5")
async def test_no_answer_counts_as_offline(lab: Lab) -> None:
    """A central system that does not answer in time is as good as none: a card of the list may charge by LocalAuthorizeOffline."""
    lab.csms.judge.message_timeout_s = 0.8
    await lab.up(variables={"OCPPCommCtrlr.MessageTimeout[Default]": 1})
    await states16.local_list(lab, 1, **{VALID.uid: ACCEPTED})
    lab.csms.answer("Authorize", SILENCE)
    await states16.preparing(lab)
    await states16.authorized(lab)
    await lab.csms.expect("Authorize")
    await lab.charger.contactor("closed")
