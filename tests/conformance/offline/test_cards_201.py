"""Each kind of card under each combination of the settings that decide who may charge, online and offline, in OCPP 2.0.1: as in 1.6."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conformance.driver import cards16
from tests.conformance.driver.cards16 import Kind, Settings
from tests.conformance.driver.lab import Lab
from tests.conformance.driver.matching import Payload
from tests.conformance.driver.showing import ALL, EVSES, FIXED, calm, in_central, named, past, shown, uids

SHARED: dict[str, Any] = {
    "evses": EVSES,
    "keys": {"BlinkRepeat": 6},
    "variables": {"TxCtrlr.EVConnectionTimeOut": 2, "SampledDataCtrlr.TxUpdatedInterval": 0},
}
NAMES = {
    "LocalPreAuthorize": "AuthCtrlr.LocalPreAuthorize",
    "AuthorizationCacheEnabled": "AuthCacheCtrlr.Enabled",
    "LocalAuthorizeOffline": "AuthCtrlr.LocalAuthorizeOffline",
    "AllowOfflineTxForUnknownId": "AuthCtrlr.OfflineTxForUnknownIdEnabled",
}
LISTED: dict[Kind, Payload] = {
    Kind.LISTED: {"status": "Accepted"},
    Kind.LISTED_BLOCKED: {"status": "Blocked"},
    Kind.LISTED_EXPIRED: {"status": "Accepted", "cacheExpiryDateTime": past()},
    Kind.LISTED_CONCURRENT: {"status": "ConcurrentTx"},
}


async def known_cards(lab: Lab) -> None:
    """List and cache as the kinds say; once for all cases of the charge point."""
    if FIXED[Kind.LISTED] in lab.csms.answers.cards:
        return
    in_central(lab)
    entries = [{"idToken": {"idToken": FIXED[kind], "type": "ISO14443"}, "idTokenInfo": info} for kind, info in LISTED.items()]
    answer = await lab.csms.call("SendLocalList", {"versionNumber": 1, "updateType": "Full", "localAuthorizationList": entries})
    assert answer == {"status": "Accepted"}, answer
    for evse, kind in enumerate(cards16.CACHED, start=1):
        await lab.charger.swipe(FIXED[kind], evse)
        await lab.csms.expect("Authorize", lambda payload, kind=kind: payload["idToken"]["idToken"] == FIXED[kind])
    await lab.charger.until(lambda state: state["station"]["connectors"][0]["status"] == "Preparing")
    await calm(lab)


@pytest.mark.parametrize("settings", ALL, ids=named)
async def test_who_may_begin_201(shared_booted: Lab, settings: Settings) -> None:
    """All kinds of cards, online and then offline."""
    lab = shared_booted
    await known_cards(lab)
    await lab.configure(**{NAMES[key]: value for key, value in settings._asdict().items()})
    found = await shown(lab, uids(lab))
    assert found == {kind: cards16.online(kind, settings) for kind in Kind}
    async with lab.csms.offline():
        found = await shown(lab, uids(lab))
    assert found == {kind: cards16.offline(kind, settings) for kind in Kind}
