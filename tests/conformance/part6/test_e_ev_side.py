"""Block E, transactions, of OCPP 2.0.1 part 6, 2.6: the cable comes out at the car, with a socket (its other end stays) and with a tethered cable.

All begin in the state EnergyTransferSuspended, as a car lets its plug go only then. Errata 2025-09 6.2.45, 6.2.46, 6.2.52 hold.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.conformance.driver import states
from tests.conformance.driver.lab import Lab
from tests.conformance.driver.matching import Payload, check

LOST = {"triggerReason": "EVCommunicationLost", "transactionInfo": {"chargingState": "Idle"}}
EITHER_CABLE = pytest.mark.parametrize("connector", ["sType2", "cType2"])
TIME_OUT_S = 3


async def suspended(lab: Lab, stop: str, *, ends: bool, unlocks: bool | None = None, connector: str = "sType2", **more: Any) -> None:
    """The car takes nothing. ends: StopTxOnEVSideDisconnect; unlocks: UnlockOnEVSideDisconnect (None, or a tethered cable: as it is)."""
    variables = {"TxCtrlr.TxStopPoint": stop, "TxCtrlr.StopTxOnEVSideDisconnect": ends, "AuthCtrlr.Enabled": True, **more}
    if unlocks is not None and connector.startswith("s"):
        variables["OCPPCommCtrlr.UnlockOnEVSideDisconnect"] = unlocks
    await lab.up(connectors=[connector], variables=variables)
    await states.energy_transfer_suspended(lab)


async def pulled_out(lab: Lab) -> Payload:
    """The plug comes out of the car; a tethered cable has no other end."""
    if is_tethered(lab):
        await lab.charger.unplug(lab.evse, lab.connector)
    else:
        await lab.charger.ev_unplug(lab.evse)
    event = await states.transaction_event(lab, {"triggerReason": "EVCommunicationLost"})
    check(LOST, event)
    return event


async def cable_gone(lab: Lab) -> None:
    """The other end comes out too, if there is one; the connector is free."""
    if not is_tethered(lab):
        await lab.charger.unplug(lab.evse, lab.connector)
    await states.connector_told(lab, "Available")


def is_tethered(lab: Lab) -> bool:
    return lab.charger.factory.connectors[0].startswith("c")


async def lock(lab: Lab, word: str) -> None:
    await lab.charger.until(lambda state: state["evses"][lab.evse - 1]["lock"] == word)


@EITHER_CABLE
@pytest.mark.parametrize("stop", ["Authorized", "PowerPathClosed"])
async def test_TC_E_17_CS(lab: Lab, stop: str, connector: str) -> None:
    """Deauthorized by the plug that comes out: the transaction ends; a locked cable is given to its owner."""
    await suspended(lab, stop, ends=True, unlocks=False, connector=connector)
    check({"eventType": "Ended", "transactionInfo": {"stoppedReason": "EVDisconnected"}}, await pulled_out(lab))
    if not is_tethered(lab):
        await lab.charger.swipe(lab.token.uid, lab.evse)
        await lock(lab, "unlocked")
    await cable_gone(lab)


@EITHER_CABLE
async def test_TC_E_37_CS(lab: Lab, connector: str) -> None:
    """PowerPathClosed: ends with the plug, though StopTxOnEVSideDisconnect is false."""
    await suspended(lab, "PowerPathClosed", ends=False, connector=connector)
    check({"eventType": "Ended", "transactionInfo": {"stoppedReason": {"EVDisconnected", "StoppedByEV"}}}, await pulled_out(lab))


@EITHER_CABLE
async def test_TC_E_20_CS(lab: Lab, connector: str) -> None:
    """EVConnected: ends with the plug, though StopTxOnEVSideDisconnect is false."""
    await suspended(lab, "EVConnected", ends=False, connector=connector)
    check({"eventType": "Ended", "transactionInfo": {"stoppedReason": "EVDisconnected"}}, await pulled_out(lab))


async def test_TC_E_24_CS(lab: Lab) -> None:
    """Deauthorized, UnlockOnEVSideDisconnect: the socket gives the cable back at once."""
    await suspended(lab, "Authorized", ends=True, unlocks=True)
    await lock(lab, "locked")
    await pulled_out(lab)
    await lock(lab, "unlocked")
    await cable_gone(lab)


@EITHER_CABLE
async def test_TC_E_25_CS(lab: Lab, connector: str) -> None:
    """Deauthorized, no UnlockOnEVSideDisconnect: the socket keeps the cable until its owner shows the card."""
    await suspended(lab, "Authorized", ends=True, unlocks=False, connector=connector)
    await pulled_out(lab)
    if not is_tethered(lab):
        await lab.csms.no_more("StatusNotification")
        await lock(lab, "locked")
        await lab.charger.swipe(lab.token.uid, lab.evse)
        await lock(lab, "unlocked")
    await cable_gone(lab)


@EITHER_CABLE
async def test_TC_E_26_CS(lab: Lab, connector: str) -> None:
    """Suspended by the plug that comes out: the transaction goes on when it is back, and charges."""
    await suspended(lab, "Authorized", ends=False, unlocks=False, connector=connector)
    check({"eventType": "Updated"}, await pulled_out(lab))
    if is_tethered(lab):
        await states.connector_told(lab, "Available")
        await lab.charger.plug_in(lab.evse, lab.connector)
    else:
        await lock(lab, "locked")
        await lab.charger.ev_plug(lab.evse)
        await lab.charger.ev_ready(True, lab.evse)
    event = await states.transaction_event(lab, {"triggerReason": "CablePluggedIn"})
    check({"eventType": "Updated", "transactionInfo": {"chargingState": "EVConnected"}}, event)
    event = await states.transaction_event(lab, {"triggerReason": "ChargingStateChanged", "transactionInfo": {"chargingState": "Charging"}})
    check({"eventType": "Updated"}, event)
    await lab.charger.contactor("closed", lab.evse)


async def test_TC_E_27_CS(lab: Lab) -> None:
    """Suspended by the plug of a tethered cable that does not come back within EVConnectionTimeOut: deauthorized."""
    await suspended(lab, "Authorized", ends=False, connector="cType2", **{"TxCtrlr.EVConnectionTimeOut": TIME_OUT_S})
    check({"eventType": "Updated"}, await pulled_out(lab))
    await states.connector_told(lab, "Available")
    event = await states.transaction_event(lab, {"triggerReason": "EVConnectTimeout"})
    check({"eventType": "Ended", "transactionInfo": {"stoppedReason": "Timeout"}}, event)
