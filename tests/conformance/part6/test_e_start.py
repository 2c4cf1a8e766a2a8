"""Block E, transactions, of OCPP 2.0.1 part 6, 2.6: what the driver does to begin, in either order, and what then goes wrong."""

from __future__ import annotations

import asyncio

from tests.conformance.driver import states
from tests.conformance.driver.lab import UNKNOWN, Lab
from tests.conformance.driver.matching import check

TIME_OUT_S = 3
AUTHORIZES = {"AuthCtrlr.Enabled": True, "AuthCtrlr.DisableRemoteAuthorization": False}


async def test_TC_E_03_CS(lab: Lab) -> None:
    """The cable first, then the card: it charges."""
    await lab.up(variables=AUTHORIZES)
    await states.ev_connected_pre_session(lab)
    await states.authorized(lab, remote=False, asks=True)
    check({"transactionInfo": {"chargingState": "Charging"}}, await states.energy_transfer_started(lab))


async def test_TC_E_04_CS(lab: Lab) -> None:
    """The card first, then the cable: it charges."""
    await lab.up(variables=AUTHORIZES)
    await states.parking_bay_occupied(lab)
    await states.authorized(lab, remote=False, asks=True)
    check({"transactionInfo": {"chargingState": "Charging"}}, await states.energy_transfer_started(lab))


async def test_TC_E_05_CS(lab: Lab) -> None:
    """Nobody plugs in within EVConnectionTimeOut: the authorization is over, and the next one may charge."""
    cacheless = {"AuthCacheCtrlr.Enabled": False, "AuthCtrlr.LocalPreAuthorize": False}
    points = {"TxCtrlr.TxStartPoint": "Authorized", "TxCtrlr.TxStopPoint": "Authorized"}
    await lab.up(variables={**AUTHORIZES, **cacheless, **points, "TxCtrlr.EVConnectionTimeOut": TIME_OUT_S})
    await states.authorized(lab, remote=False, asks=True)
    event = await states.transaction_event(lab, {"triggerReason": "EVConnectTimeout"})
    check({"eventType": "Ended", "transactionInfo": {"stoppedReason": "Timeout"}}, event)
    lab.sessions.clear()
    check({"eventType": "Started"}, await states.authorized(lab, remote=False, asks=True))
    await states.energy_transfer_started(lab)


async def test_TC_E_38_CS(lab: Lab) -> None:
    """The car takes nothing yet: the transaction says SuspendedEV."""
    await lab.up()
    await states.authorized(lab)
    await states.ev_connected_pre_session(lab, ready=False)
    event = await states.transaction_event(lab, {"triggerReason": "ChargingStateChanged"}, within=30)
    check({"transactionInfo": {"chargingState": "SuspendedEV"}}, event)


async def test_TC_E_39_CS(lab: Lab) -> None:
    """Deauthorized by EVConnectionTimeOut: the transaction ends, and the car that comes later does not charge."""
    points = {"TxCtrlr.TxStartPoint": "Authorized", "TxCtrlr.TxStopPoint": "Authorized"}
    await lab.up(variables={**AUTHORIZES, **points, "TxCtrlr.EVConnectionTimeOut": TIME_OUT_S})
    await states.authorized(lab)
    event = await states.transaction_event(lab, {"triggerReason": "EVConnectTimeout"})
    check({"eventType": "Ended", "transactionInfo": {"stoppedReason": "Timeout"}}, event)
    await lab.charger.plug_in(lab.evse, lab.connector)
    await states.connector_told(lab, "Occupied")
    await asyncio.sleep(2)
    assert all(it.payload["triggerReason"] == "CablePluggedIn" for it in lab.csms.pending("TransactionEvent"))
    await lab.charger.contactor("open", lab.evse)


async def test_TC_E_52_CS(lab: Lab) -> None:
    """DisableRemoteAuthorization: the CSMS is not asked about a card that nobody here knows, and it is refused."""
    await lab.up(variables={"AuthCtrlr.Enabled": True, "AuthCtrlr.DisableRemoteAuthorization": True})
    await states.parking_bay_occupied(lab)
    await lab.charger.swipe(UNKNOWN.uid, lab.evse)
    await lab.csms.no_more("Authorize")
    await lab.charger.swipe(lab.token.uid, lab.evse)
    await states.ev_connected_pre_session(lab)
    await lab.csms.no_more("Authorize", for_s=2)
    await lab.csms.no_more("TransactionEvent", {"transactionInfo": {"chargingState": "Charging"}}, for_s=0)
    await lab.charger.contactor("open", lab.evse)
