"""Block C, authorization, of OCPP 2.0.1 part 6, 2.4: cards of one group stop each other's transactions; a master pass stops all and starts none."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conformance.driver import states
from tests.conformance.driver.cards import WAIT_S, asked, never_asked, nothing_follows
from tests.conformance.driver.lab import GROUP_1, GROUP_2, GROUP_ID, MASTER, MASTER_GROUP_ID, VALID, VALID_2, Lab
from tests.conformance.driver.matching import ABSENT, Payload, one_of

GROUP = {"groupIdToken": {"idToken": GROUP_ID, "type": "Central"}}
SHARED: dict[str, Any] = {"evses": 2}
LOCAL: dict[str, Any] = {
    "AuthCacheCtrlr.Enabled": True,
    "AuthCacheCtrlr.DisablePostAuthorize": False,
    "LocalAuthListCtrlr.Enabled": True,
    "AuthCtrlr.LocalPreAuthorize": True,
    "TxCtrlr.TxStartPoint": "Authorized",
}
MASTER_PASS = {"AuthCtrlr.MasterPassGroupId": MASTER_GROUP_ID}


@pytest.fixture
def lab(as_new: Lab) -> Lab:
    """One charge point for all cases: what each configures it is, as part 6 has it, configured by the CSMS."""
    return as_new


async def list_of(lab: Lab, second: str) -> None:
    """Both cards of the group are in the local list; what that says of the second."""
    entries = [{"idToken": token.id_token, "idTokenInfo": {"status": word, **GROUP}} for token, word in ((GROUP_1, "Accepted"), (GROUP_2, second))]
    order = {"versionNumber": 1, "updateType": "Full", "localAuthorizationList": entries}
    assert (await lab.csms.call("SendLocalList", order))["status"] == "Accepted"


async def started_by_the_first(lab: Lab, *, asks: bool) -> None:
    """A car is connected, and the first card of the group starts."""
    await states.ev_connected_pre_session(lab)
    event = await states.authorized(lab, token=GROUP_1, asks=asks)
    assert event is not None and (event["eventType"], event["triggerReason"]) == ("Started", "Authorized"), event
    await states.energy_transfer_started(lab)


async def second_does_not_stop(lab: Lab) -> None:
    """The second card of the group is asked about, called Invalid, and stops nothing."""
    await asked(lab, GROUP_2, "Invalid")
    await nothing_follows(lab)
    assert not lab.csms.calls("TransactionEvent", {"eventType": "Ended", "transactionInfo": {"transactionId": lab.session.transaction}})
    await lab.charger.contactor("closed", within=1)


# --- groups


async def test_TC_C_39_CS(lab: Lab) -> None:
    """Another card of the same group stops the transaction, once the CSMS has accepted it."""
    await lab.configure(**{"TxCtrlr.TxStartPoint": "Authorized"})
    await started_by_the_first(lab, asks=True)
    await asked(lab, GROUP_2)
    lab.session.stopped = True
    await states.transaction_event(lab, {"triggerReason": "StopAuthorized", "idToken": GROUP_2.id_token})
    await states.parking_bay_unoccupied(lab)


async def test_TC_C_40_CS(lab: Lab) -> None:
    """Another listed card of the same group stops the transaction; nobody is asked."""
    await lab.configure(**{**LOCAL, "TxCtrlr.TxStopPoint": "EVConnected"})
    await list_of(lab, "Accepted")
    await started_by_the_first(lab, asks=False)
    event = await states.stop_authorized(lab, token=GROUP_2)
    assert event is not None and (event["eventType"], event["idToken"]) == ("Updated", GROUP_2.id_token), event
    await states.parking_bay_unoccupied(lab)
    never_asked(lab)


async def test_TC_C_41_CS(lab: Lab) -> None:
    """Another cached card of the same group stops the transaction; nobody is asked."""
    await lab.configure(**LOCAL)
    await states.id_token_cached(lab, GROUP_1)
    await states.id_token_cached(lab, GROUP_2)
    await started_by_the_first(lab, asks=False)
    event = await states.stop_authorized(lab, token=GROUP_2)
    assert event is not None and event["idToken"] == GROUP_2.id_token, event
    await states.parking_bay_unoccupied(lab)
    never_asked(lab)


async def test_TC_C_42_CS(lab: Lab) -> None:
    """Another card of the same group that is Invalid does not stop the transaction."""
    await lab.configure(**{"TxCtrlr.TxStartPoint": "Authorized"})
    await started_by_the_first(lab, asks=True)
    await second_does_not_stop(lab)


async def test_TC_C_43_CS(lab: Lab) -> None:
    """Another card of the same group, listed as Invalid, is asked about and does not stop the transaction."""
    await lab.configure(**LOCAL)
    await list_of(lab, "Invalid")
    await started_by_the_first(lab, asks=False)
    await second_does_not_stop(lab)


async def test_TC_C_44_CS(lab: Lab) -> None:
    """Another card of the same group, cached as Invalid, is asked about and does not stop the transaction."""
    await lab.configure(**LOCAL)
    await states.id_token_cached(lab, GROUP_1)
    lab.csms.answers.cards[GROUP_2.uid] = {"status": "Invalid", **GROUP}
    await states.id_token_cached(lab, GROUP_2, accepted=False)
    await started_by_the_first(lab, asks=False)
    await second_does_not_stop(lab)


# --- master pass


async def master_cached(lab: Lab) -> None:
    """Shown while nothing runs, so that the cache knows it."""
    await asked(lab, MASTER)
    await nothing_follows(lab)
    lab.csms.forget()


async def stopped_by_master(lab: Lab, evse: int) -> None:
    """The transaction at an EVSE is stopped by the master pass, and the car leaves."""
    session = lab.session_of(evse)
    event = await states.transaction_event(lab, _stop(session.transaction), evse=evse)
    assert event["eventType"] == "Ended" and event["transactionInfo"]["stoppedReason"] == "MasterPass", event
    lab.evse, session.stopped = evse, True
    await states.parking_bay_unoccupied(lab)


def _stop(transaction: str | None) -> Payload:
    return {
        "triggerReason": "StopAuthorized",
        "idToken": one_of(ABSENT, MASTER.id_token),
        "transactionInfo": {"transactionId": transaction},
    }


async def test_TC_C_14_CS(lab: Lab) -> None:
    """A cached master pass stops the transaction; nobody is asked."""
    await lab.configure(**{**LOCAL, **MASTER_PASS})
    await master_cached(lab)
    await states.energy_transfer_started(lab)
    await lab.charger.swipe(MASTER.uid)
    await stopped_by_master(lab, lab.evse)
    never_asked(lab)


async def test_TC_C_45_CS(lab: Lab) -> None:
    """A master pass starts nothing, with or without a car."""
    await lab.configure(**{**MASTER_PASS, "TxCtrlr.TxStartPoint": "Authorized,PowerPathClosed"})
    await asked(lab, MASTER)
    await nothing_follows(lab)
    await states.ev_connected_pre_session(lab)
    await lab.csms.no_more("TransactionEvent", {"transactionInfo": {"chargingState": "Charging"}}, for_s=WAIT_S)
    await nothing_follows(lab)
    await lab.charger.contactor("open", within=1)


async def test_TC_C_49_CS(lab: Lab) -> None:
    """A master pass stops every transaction of a station without a user interface."""
    await lab.configure(**MASTER_PASS)
    for evse, token in ((1, VALID), (2, VALID_2)):
        await states.energy_transfer_started(lab, token=token, evse=evse)
    await asked(lab, MASTER)
    for evse in (1, 2):
        await stopped_by_master(lab, evse)
