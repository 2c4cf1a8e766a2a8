"""Block C, authorization, of OCPP 2.0.1 part 6, 2.4: a card accepted while there was no CSMS to ask, and then called Invalid."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.conformance.driver import states
from tests.conformance.driver.cards import WAIT_S, never_asked, nothing_follows, says
from tests.conformance.driver.lab import VALID, Lab
from tests.conformance.driver.matching import Payload, matches

LONG = {"OCPPCommCtrlr.RetryBackOffWaitMinimum": 1, "OCPPCommCtrlr.RetryBackOffRandomRange": 0, "OCPPCommCtrlr.OfflineThreshold": 61}
KNOWN: dict[str, Any] = {
    **LONG,
    "AuthCacheCtrlr.Enabled": True,
    "LocalAuthListCtrlr.Enabled": True,
    "AuthCtrlr.LocalPreAuthorize": True,
    "AuthCtrlr.LocalAuthorizeOffline": True,
    "AuthCtrlr.OfflineTxForUnknownIdEnabled": True,
    "TxCtrlr.TxStartPoint": "Authorized",
}
DEAUTHORIZED = {"triggerReason": "Deauthorized"}
SUSPENDED = {"triggerReason": "ChargingStateChanged", "transactionInfo": {"chargingState": "SuspendedEVSE"}}
SLOW_CAR = {"max_current_a": 16, "phases": 1}
"""Takes 1 Wh in a second."""
TOLERANCE_WH = 30.0
METER_READ_S = 2.0
"""By then what flowed last has been read: the next transaction does not begin below it."""


async def charging_since_offline(lab: Lab, *, stop: bool, most_wh: int, **variables: Any) -> None:
    """The card is in cache and list; the CSMS cannot be reached when it is shown, and calls it Invalid when it hears of it."""
    await lab.up(variables={**KNOWN, "TxCtrlr.StopTxOnInvalidId": stop, "TxCtrlr.MaxEnergyOnInvalidId": most_wh, **variables})
    await states.id_token_cached(lab)
    await states.id_token_in_local_list(lab)
    await charge_offline(lab)


async def charge_offline(lab: Lab, **ev: Any) -> None:
    """A car is connected, the card is shown while nobody can be asked, energy flows, and then the CSMS hears of it."""
    await states.ev_connected_pre_session(lab, **ev)
    says(lab, VALID, "Invalid")
    async with lab.csms.offline():
        await lab.charger.swipe(VALID.uid)
        await lab.charger.contactor("closed")
        await lab.charger.until(lambda state: state["station"]["connectors"][0]["status"] == "Charging")
    lab.session.authorized = lab.session.energy = True
    await told_as_offline(lab)


async def told_as_offline(lab: Lab) -> None:
    """Step 3: the authorization and the flow of energy, both told as having happened offline."""
    first = await states.transaction_event(lab, {"triggerReason": "Authorized", "idToken": VALID.id_token, "offline": True})
    assert first["eventType"] == "Started"
    charging = {"triggerReason": "ChargingStateChanged", "offline": True, "transactionInfo": {"chargingState": "Charging"}}
    await states.transaction_event(lab, charging)
    never_asked(lab)


def online(event: Payload) -> bool:
    return matches({"offline": lambda value: value is not True}, event)


async def test_TC_C_15_CS(lab: Lab) -> None:
    """StopTxOnInvalidId false: the transaction goes on with what MaxEnergyOnInvalidId allows, and then without energy.

    The steps are judged with the 10,000 Wh of the case. That no more is delivered, its last validation, is judged with 10 Wh in a second transaction:
    10,000 Wh would take 27 minutes at the 22 kW of the outlet, and the meter counts what really flows, however fast the car lives.
    """
    await charging_since_offline(lab, stop=False, most_wh=10_000)
    await nothing_follows(lab, for_s=3)
    await lab.charger.contactor("closed")
    says(lab, VALID, "Accepted")
    await states.stop_authorized(lab)
    await states.parking_bay_unoccupied(lab)
    await states.id_token_cached(lab)
    await lab.configure(**{"TxCtrlr.MaxEnergyOnInvalidId": 10})
    await asyncio.sleep(METER_READ_S)
    before_wh = await energy_wh(lab)
    await charge_offline(lab, **SLOW_CAR)
    await states.transaction_event(lab, {**SUSPENDED, "eventType": "Updated"}, within=60)
    await lab.charger.contactor("open")
    given_wh = await energy_wh(lab) - before_wh
    assert 10 <= given_wh <= 10 + TOLERANCE_WH
    assert not lab.csms.calls("TransactionEvent", DEAUTHORIZED)


async def energy_wh(lab: Lab) -> float:
    return float((await lab.charger.state())["evses"][lab.evse - 1]["energy_wh"])


async def test_TC_C_16_CS(lab: Lab) -> None:
    """StopTxOnInvalidId true: the transaction is ended."""
    await charging_since_offline(lab, stop=True, most_wh=0)
    await states.transaction_event(lab, DEAUTHORIZED)
    await lab.charger.contactor("open")


async def test_TC_C_17_CS(lab: Lab) -> None:
    """StopTxOnInvalidId false, and no energy allowed: the transaction goes on, its energy stops at once."""
    await charging_since_offline(lab, stop=False, most_wh=0)
    await states.transaction_event(lab, {**SUSPENDED, "eventType": "Updated"})
    await lab.charger.contactor("open")
    await lab.csms.no_more("TransactionEvent", for_s=WAIT_S)
    assert not lab.csms.calls("TransactionEvent", DEAUTHORIZED)


async def test_TC_C_18_CS(lab: Lab) -> None:
    """StopTxOnInvalidId true: the transaction is ended, whatever energy would be allowed."""
    await charging_since_offline(lab, stop=True, most_wh=500)
    event = await states.transaction_event(lab, DEAUTHORIZED)
    assert online(event), event
    await lab.charger.contactor("open")
