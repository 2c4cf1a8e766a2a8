"""StatusNotification: every change of the table of 4.9 that this charge point can make, and its error codes (7.6, 7.7)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from tests.conformance.driver import states16
from tests.conformance.driver.lab import VALID, Lab
from tests.conformance.driver.matching import check
from tests.conformance.driver.states16 import connector_told

SHARED: dict[str, Any] = {"keys": {"MeterValueSampleInterval": 0}}


async def in_order(lab: Lab, *statuses: str, connector: int = 1, within: float = 30.0) -> None:
    """Exactly these statuses of the connector come, one after the other; more may follow."""
    for status in statuses:
        told = await lab.csms.expect("StatusNotification", {"connectorId": connector}, within=within)
        assert told["status"] == status, (told, statuses)


@pytest.mark.covers("4.9", "4.9 A2", "4.9 B3", "4.9 C4", "4.9 D3", "4.9 C6", "4.9 F1", "4.10", "6.47", "7.7", "3.6")
async def test_a_whole_session(shared_booted: Lab) -> None:
    """Plug in, charge, the car pauses and goes on, the card ends it, the cable goes."""
    lab = shared_booted
    await states16.charging(lab)
    await lab.charger.ev_ready(False)
    await in_order(lab, "SuspendedEV")
    await lab.charger.ev_ready(True)
    await connector_told(lab, "Charging", within=40)
    lab.csms.forget()
    await states16.stopped(lab)
    await in_order(lab, "Finishing")
    await lab.charger.unplug()
    await in_order(lab, "Available")
    lab.sessions.clear()


@pytest.mark.covers("4.9 A2", "4.9 B1")
async def test_usage_is_begun_and_ended(shared_booted: Lab) -> None:
    """A plug that goes again, and a card that is shown twice, lead to Preparing and back."""
    lab = shared_booted
    await lab.charger.plug_in()
    await in_order(lab, "Preparing")
    await lab.charger.unplug()
    await in_order(lab, "Available")
    await lab.charger.swipe(VALID.uid, 1)
    await in_order(lab, "Preparing")
    await lab.charger.swipe(VALID.uid, 1)
    await in_order(lab, "Available")
    assert await lab.csms.call("RemoteStartTransaction", {"idTag": VALID.uid, "connectorId": 1}) == {"status": "Accepted"}
    await in_order(lab, "Preparing")
    await lab.charger.swipe(VALID.uid, 1)
    await in_order(lab, "Available")
    await lab.csms.no_more("StartTransaction", for_s=0)


@pytest.mark.covers("4.9 B6", "ConnectionTimeOut")
async def test_nobody_is_authorized_in_time(shared_booted: Lab) -> None:
    """A plug, and no card within ConnectionTimeOut: Finishing. Its driver's card then begins it anew (F2)."""
    lab = shared_booted
    async with states16.keys(lab, ConnectionTimeOut=2):
        await lab.charger.plug_in()
        await in_order(lab, "Preparing", "Finishing")
        await lab.csms.no_more("StartTransaction", for_s=0)
        await lab.charger.swipe(VALID.uid, 1)
        await in_order(lab, "Preparing", "Charging")
        await lab.csms.expect("StartTransaction")
        await lab.charger.unplug()
        await connector_told(lab, "Available")
    lab.csms.forget()


@pytest.mark.covers("4.9 B4", "4.9 D6", "4.9 F2", "4.9 D1")
async def test_a_car_that_does_not_begin(shared_booted: Lab) -> None:
    """Authorized, and the car stays in state B: SuspendedEV. The card ends it and begins it anew; the cable goes while it is suspended."""
    lab = shared_booted
    await states16.preparing(lab, ready=False)
    await states16.authorized(lab)
    start = await lab.csms.expect("StartTransaction")
    await in_order(lab, "SuspendedEV")
    await lab.charger.swipe(VALID.uid, 1)
    await lab.csms.expect("StopTransaction")
    await in_order(lab, "Finishing")
    await lab.charger.swipe(VALID.uid, 1)
    assert (await lab.csms.expect("StartTransaction"))["timestamp"] > start["timestamp"]
    await in_order(lab, "Preparing", "SuspendedEV")
    await lab.charger.unplug()
    await lab.csms.expect("StopTransaction", {"reason": "EVDisconnected"})
    await in_order(lab, "Available")
    lab.sessions.clear()


@pytest.mark.covers("4.9 C5", "4.9 E6", "4.9 E1")
async def test_suspended_by_the_charge_point(shared_booted: Lab) -> None:
    """The answer to StartTransaction refuses the card: SuspendedEVSE; its card ends it, or the cable goes."""
    lab = shared_booted
    async with states16.keys(lab, StopTransactionOnInvalidId=False):
        for leave in ("card", "cable"):
            lab.csms.answer("StartTransaction", {"idTagInfo": {"status": "Invalid"}}, times=1)
            await states16.preparing(lab)
            await states16.authorized(lab)
            await connector_told(lab, "SuspendedEVSE")
            if leave == "card":
                await lab.charger.swipe(VALID.uid, 1)
                await lab.csms.expect("StopTransaction")
                await connector_told(lab, "Finishing")
            await states16.available(lab)


@pytest.mark.covers("4.9 C1", "7.36 EVDisconnected")
async def test_the_cable_goes_while_charging(shared_booted: Lab) -> None:
    """The whole cable is out: the transaction ends, and no user action is left to wait for."""
    lab = shared_booted
    await states16.charging(lab)
    await lab.charger.unplug()
    await lab.csms.expect("StopTransaction", {"reason": "EVDisconnected"})
    await connector_told(lab, "Available")
    lab.sessions.clear()


async def stop_pressed(lab: Lab, before: str, after: str) -> None:
    """The emergency stop is pressed and released."""
    await lab.charger.fault("emergency_stop")
    told = await connector_told(lab, "Faulted", error="OtherError")
    check({"vendorErrorCode": "emergency_stop", "vendorId": "Maker"}, told)
    assert told["info"]
    await lab.charger.fault_gone("emergency_stop")
    await connector_told(lab, after)


@pytest.mark.covers("4.9 A9", "4.9 B9", "4.9 F9", "4.9 H9", "4.9 11-18", "6.47")
async def test_faulted_and_back(shared_booted: Lab) -> None:
    """A fault in Available, Preparing, Finishing and Unavailable, and the status it goes back to."""
    lab = shared_booted
    await stop_pressed(lab, "Available", "Available")
    await states16.preparing(lab)
    await stop_pressed(lab, "Preparing", "Preparing")
    await states16.charging(lab)
    await states16.stopped(lab, remote=True)
    await connector_told(lab, "Finishing")
    await stop_pressed(lab, "Finishing", "Finishing")
    await states16.available(lab)
    for type_, status in (("Inoperative", "Unavailable"), ("Operative", "Available")):
        assert await lab.csms.call("ChangeAvailability", {"connectorId": 1, "type": type_}) == {"status": "Accepted"}
        await connector_told(lab, status)
        await stop_pressed(lab, status, status)


@pytest.mark.covers("4.9 C9", "4.9 D9", "4.9 E9", "7.36 EmergencyStop")
@pytest.mark.parametrize("state", ["Charging", "SuspendedEV", "SuspendedEVSE"])
async def test_faulted_in_a_transaction(shared_booted: Lab, state: str) -> None:
    """A fault that prevents charging ends the transaction with its reason; afterwards the cable is still to be taken."""
    lab = shared_booted
    async with states16.keys(lab, StopTransactionOnInvalidId=False):
        if state == "SuspendedEVSE":
            lab.csms.answer("StartTransaction", {"idTagInfo": {"status": "Invalid"}}, times=1)
            await states16.preparing(lab)
            await states16.authorized(lab)
            await lab.csms.expect("StartTransaction")
        else:
            await states16.charging(lab)
            await lab.charger.ev_ready(state == "Charging")
        if state != "Charging":
            await connector_told(lab, state)
        await lab.charger.fault("emergency_stop")
        await connector_told(lab, "Faulted", error="OtherError")
        await lab.csms.expect("StopTransaction", {"reason": "EmergencyStop"})
        await lab.charger.fault_gone("emergency_stop")
        await connector_told(lab, "Finishing")
        await states16.available(lab)


@pytest.mark.covers("4.9 A8", "4.9 H1", "4.9 C8", "4.9 D8", "4.9 F8", "4.9 H2", "5.2 scheduled")
async def test_unavailable(shared_booted: Lab) -> None:
    """Made inoperative when free, finishing, charging and suspended: the running transaction goes on, then Unavailable; and back."""
    lab = shared_booted

    async def change(type_: str, status: str) -> None:
        assert await lab.csms.call("ChangeAvailability", {"connectorId": 1, "type": type_}) == {"status": status}

    await change("Inoperative", "Accepted")
    await in_order(lab, "Unavailable")
    await change("Operative", "Accepted")
    await in_order(lab, "Available")
    await states16.charging(lab)
    await states16.stopped(lab, remote=True)
    await in_order(lab, "Finishing")
    await change("Inoperative", "Accepted")
    await in_order(lab, "Unavailable")
    await change("Operative", "Accepted")
    await in_order(lab, "Finishing")
    await states16.available(lab)
    for paused in (False, True):
        await states16.charging(lab)
        if paused:
            await lab.charger.ev_ready(False)
            await in_order(lab, "SuspendedEV")
        await change("Inoperative", "Scheduled")
        await lab.csms.no_more("StatusNotification", for_s=0.5)
        await states16.stopped(lab, remote=True)
        await in_order(lab, "Unavailable")
        await lab.charger.unplug()
        await change("Operative", "Accepted")
        lab.sessions.clear()
        await connector_told(lab, "Available")
        lab.csms.forget()


@pytest.mark.covers("4.9 B5", "4.9 E3", "4.9 E4", "4.9 E8")
async def test_what_the_charge_point_holds_back(lab: Lab) -> None:
    """After a power cut a transaction that goes on waits for the start delay: SuspendedEVSE, then as the car wants."""
    await lab.up(station={"after_power_loss": "resume", "start_delay_max_s": 6}, evses=2)
    for evse in (1, 2):
        lab.evse = evse
        await states16.charging(lab)
    await lab.charger.power("off")
    await lab.charger.ev_ready(False, 2)
    await lab.charger.power("on")
    await connector_told(lab, "SuspendedEVSE", 1, within=40)
    await connector_told(lab, "Charging", 1, within=40)
    await connector_told(lab, "SuspendedEV", 2, within=40)


@pytest.mark.covers("4.9 D5")
async def test_both_suspend(shared_booted: Lab) -> None:
    """The car does not begin, and then the answer to StartTransaction refuses the card: SuspendedEVSE goes before SuspendedEV."""
    lab = shared_booted
    async with states16.keys(lab, StopTransactionOnInvalidId=False):
        refused = asyncio.Event()

        async def late(_: Any) -> Any:
            await refused.wait()
            return {"idTagInfo": {"status": "Invalid"}}

        lab.csms.answer("StartTransaction", late, times=1)
        await states16.preparing(lab, ready=False)
        await states16.authorized(lab)
        await lab.charger.until(lambda state: state["station"]["connectors"][0]["status"] == "SuspendedEV")
        refused.set()
        await connector_told(lab, "SuspendedEVSE")
        await states16.available(lab)


@pytest.mark.covers("4.9 A3", "4.9 A4", "4.9 A5")
@pytest.mark.parametrize("status", ["Charging", "SuspendedEV", "SuspendedEVSE"])
async def test_without_authorization(lab: Lab, status: str) -> None:
    """A charge point that asks nobody: the plug alone begins the charging."""
    lab.csms.answers.cards[""] = {"status": "Invalid" if status == "SuspendedEVSE" else "Accepted"}
    await lab.up(variables={"AuthCtrlr.Enabled": False}, keys={"StopTransactionOnInvalidId": False})
    await lab.charger.plug_in(ready=status != "SuspendedEV")
    await lab.csms.expect("StartTransaction")
    await connector_told(lab, status)
    await lab.charger.unplug()
    await lab.csms.expect("StopTransaction")
    await connector_told(lab, "Available")


FAULTS: dict[str, tuple[str, str]] = {
    "ConnectorLockFailure": ("lock_jam", "authorized"),
    "GroundFailure": ("rcd_trip", "free"),
    "HighTemperature": ("over_temperature", "free"),
    "InternalError": ("adc_lost", "free"),
    "OverVoltage": ("over_voltage", "free"),
    "PowerMeterFailure": ("meter_offline", "free"),
    "PowerSwitchFailure": ("contactor_weld", "charging"),
    "UnderVoltage": ("under_voltage", "free"),
    "OverCurrentFailure": ("over_current", "charging"),
    "EVCommunicationError": ("diode", "authorized"),
    "ReaderFailure": ("reader_offline", "free"),
}
"""ChargePointErrorCode: what causes it here, and when. OtherError: the emergency stop, which is of all EVSEs."""


def batched(names: Iterable[str], size: int) -> Iterator[tuple[str, ...]]:
    """As many as the simulated board has EVSEs."""
    rest = list(names)
    while rest:
        yield tuple(rest[:size])
        rest = rest[size:]


@pytest.mark.covers("7.6", "4.9 warning")
@pytest.mark.parametrize("codes", list(batched(FAULTS, 4)), ids=" ".join)
async def test_every_error_code(lab: Lab, codes: tuple[str, ...]) -> None:
    """One fault at each connector: its code, our own name for it and a sentence; warnings do not make the connector Faulted."""
    await lab.up(evses=len(codes), keys={"MeterValueSampleInterval": 0, "AuthorizeRemoteTxRequests": False})
    for evse, code in enumerate(codes, start=1):
        await make(lab, evse, *FAULTS[code])
    for connector, code in enumerate(codes, start=1):
        told = await lab.csms.expect("StatusNotification", {"connectorId": connector, "errorCode": code}, within=40)
        check({"vendorId": "Maker", "vendorErrorCode": bool, "info": bool}, told)
        if code == "EVCommunicationError":
            assert told["status"] in ("Preparing", "SuspendedEV", "SuspendedEVSE", "Finishing"), told


async def make(lab: Lab, evse: int, fault: str, when: str) -> None:
    """Brings an EVSE to where the fault shows, with the fault."""
    if when != "free":
        await lab.charger.plug_in(evse)
        await connector_told(lab, "Preparing", evse)
    if when == "authorized":
        await lab.charger.fault(fault, evse)
    if when in ("authorized", "charging"):
        assert await lab.csms.call("RemoteStartTransaction", {"idTag": VALID.uid, "connectorId": evse}) == {"status": "Accepted"}
    if when == "charging":
        await lab.charger.contactor("closed", evse)
    if when != "authorized":
        await lab.charger.fault(fault, evse)
    if fault == "contactor_weld":
        await lab.charger.unplug(evse)
