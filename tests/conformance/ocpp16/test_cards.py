"""Each kind of card under each combination of the keys that decide who may charge, online and offline, shown by what the whole charge point does."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.conformance.driver import cards16, states16
from tests.conformance.driver.cards16 import Invalidated, Kind, Settings
from tests.conformance.driver.charger import PATIENCE_S
from tests.conformance.driver.lab import Lab
from tests.conformance.driver.messages import Delayed
from tests.conformance.driver.showing import ALL, EVSES, FIXED, calm, in_central, named, new_uid, past, shown, uids
from tests.conformance.driver.values import triggered

MOST_WH = 12
SHARED: dict[str, Any] = {
    "evses": EVSES,
    "keys": {"MeterValueSampleInterval": 0, "BlinkRepeat": 6, "ConnectionTimeOut": 2, "StopTransactionOnInvalidId": False},
}


async def known_cards(lab: Lab) -> None:
    """List and cache as the kinds say; once for all cases of the charge point."""
    if FIXED[Kind.LISTED] in lab.csms.answers.cards:
        return
    in_central(lab)
    listed: dict[str, Any] = {
        FIXED[Kind.LISTED]: {"status": "Accepted"},
        FIXED[Kind.LISTED_BLOCKED]: {"status": "Blocked"},
        FIXED[Kind.LISTED_EXPIRED]: {"status": "Accepted", "expiryDate": past()},
        FIXED[Kind.LISTED_CONCURRENT]: {"status": "ConcurrentTx"},
    }
    await states16.local_list(lab, 1, **listed)
    await lab.charger.swipe(FIXED[Kind.CACHED_BLOCKED], 2)
    await lab.csms.expect("Authorize", {"idTag": FIXED[Kind.CACHED_BLOCKED]})
    await in_cache(lab, FIXED[Kind.CACHED], 1)


@pytest.mark.covers("LocalPreAuthorize", "AuthorizationCacheEnabled", "LocalAuthorizeOffline", "AllowOfflineTxForUnknownId", "3.5", "3.5.4", "4.1")
@pytest.mark.parametrize("settings", ALL, ids=named)
async def test_who_may_begin(shared_booted: Lab, settings: Settings) -> None:
    """All kinds of cards, online and then offline."""
    lab = shared_booted
    await known_cards(lab)
    await states16.configure(lab, **{key: str(value).lower() for key, value in settings._asdict().items()})
    found = await shown(lab, uids(lab))
    assert found == {kind: cards16.online(kind, settings) for kind in Kind}
    async with lab.csms.offline():
        found = await shown(lab, uids(lab))
    assert found == {kind: cards16.offline(kind, settings) for kind in Kind}


async def in_cache(lab: Lab, uid: str, evse: int) -> None:
    """The central system accepts the card once, and the session is over again."""
    lab.csms.answers.cards.setdefault(uid, {"status": "Accepted"})
    await lab.charger.swipe(uid, evse)
    await lab.csms.expect("Authorize", {"idTag": uid})
    await states16.connector_told(lab, "Preparing", evse)
    await states16.connector_told(lab, "Available", evse)
    await calm(lab)


async def four_cards(lab: Lab, *, online: bool) -> dict[int, str]:
    """Cards for four EVSEs: one of the list, one of the cache, and two that (online) the central system or (offline) nobody knows."""
    cards = {1: FIXED[Kind.LISTED], 2: new_uid(), 3: new_uid(), 4: new_uid()}
    await in_cache(lab, cards[2], 2)
    for evse in (3, 4) if online else ():
        lab.csms.answers.cards[cards[evse]] = {"status": "Accepted"}
    return cards


REFUSALS = {1: "Invalid", 2: "Blocked", 3: "ConcurrentTx", 4: "Expired"}


def refusing(payload: dict[str, Any]) -> Delayed:
    """An answer to StartTransaction that does not accept the card, after the cable has been locked."""
    connector = payload["connectorId"]
    return Delayed(0.7, {"transactionId": 1000 + connector, "idTagInfo": {"status": REFUSALS[connector]}})


async def begin(lab: Lab, cards: dict[int, str]) -> None:
    for evse in cards:
        await lab.charger.plug_in(evse)
    await lab.charger.until(lambda state: all(state["station"]["connectors"][evse - 1]["status"] == "Preparing" for evse in cards))
    for evse, uid in cards.items():
        await lab.charger.swipe(uid, evse)


async def metered(lab: Lab, evse: int, wh: int) -> None:
    """Waits until the charge point's own readings reach this register."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            await triggered(lab, connectorId=evse)
            told = await lab.csms.expect("MeterValues", {"connectorId": evse, "meterValue": [{"sampledValue": [{"context": "Trigger"}]}]})
            if int(told["meterValue"][0]["sampledValue"][0]["value"]) >= wh:
                return
            await asyncio.sleep(0.5)


async def judge(lab: Lab, cards: dict[int, str], wanted: Invalidated) -> None:
    """What became of each transaction; then the cables go."""
    starts = {evse: await lab.csms.expect("StartTransaction", {"connectorId": evse, "idTag": uid}) for evse, uid in cards.items()}
    for evse, uid in cards.items():
        if wanted is Invalidated.LIMITED:
            await metered(lab, evse, starts[evse]["meterStart"] + MOST_WH)
        await lab.charger.contactor("open", evse)
        if wanted is Invalidated.STOPPED:
            await lab.csms.expect("StopTransaction", {"transactionId": 1000 + evse, "reason": "DeAuthorized"})
            await lab.charger.until(lambda state, evse=evse: state["evses"][evse - 1]["lock"] == "locked")
            await lab.charger.swipe(uid, evse)
            await lab.charger.until(lambda state, evse=evse: state["evses"][evse - 1]["lock"] == "unlocked")
            await lab.charger.unplug(evse)
        else:
            await states16.connector_told(lab, "SuspendedEVSE", evse)
            assert not lab.csms.pending("StopTransaction", {"transactionId": 1000 + evse})
            await lab.charger.unplug(evse)
            stop = await lab.csms.expect("StopTransaction", {"transactionId": 1000 + evse})
            energy_wh = stop["meterStop"] - starts[evse]["meterStart"]
            assert energy_wh >= MOST_WH if wanted is Invalidated.LIMITED else energy_wh < 60, energy_wh


@pytest.mark.covers("StopTransactionOnInvalidId", "MaxEnergyOnInvalidId", "3.5.4", "3.5.4 held cable", "4.8 not accepted", "4.8", "7.36 DeAuthorized")
@pytest.mark.parametrize("most_wh", [0, MOST_WH])
@pytest.mark.parametrize("stop", [True, False])
@pytest.mark.parametrize("online", [True, False], ids=["online", "offline"])
async def test_a_card_that_start_transaction_does_not_accept(shared_booted: Lab, online: bool, stop: bool, most_wh: int) -> None:
    """Begun by list, cache, and the central system or nobody; then StartTransaction.conf refuses the card, with each of its words."""
    lab = shared_booted
    await known_cards(lab)
    settings = Settings(LocalPreAuthorize=True, AuthorizationCacheEnabled=True, LocalAuthorizeOffline=True, AllowOfflineTxForUnknownId=not online)
    await states16.configure(lab, **{key: str(value).lower() for key, value in settings._asdict().items()})
    async with states16.keys(lab, StopTransactionOnInvalidId=stop, MaxEnergyOnInvalidId=most_wh, ConnectionTimeOut=1):
        cards = await four_cards(lab, online=online)
        lab.csms.answer("StartTransaction", refusing)
        if online:
            await begin(lab, cards)
        else:
            async with lab.csms.offline():
                await begin(lab, cards)
                for evse in cards:
                    await lab.charger.contactor("closed", evse)
        await judge(lab, cards, cards16.invalidated(stop, most_wh))
        await calm(lab)
