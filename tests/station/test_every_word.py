"""Every trigger reason and every stop reason of a transaction is told where it belongs, or docs/transactions.md says why it never is."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from chargepoint.model.facts import StopReason, Trigger
from chargepoint.model.idtoken import AuthorizationStatus, IdToken, IdTokenInfo
from chargepoint.model.orders import RemoteStart, RemoteStop, Unlock
from chargepoint.model.sample import Context, Purpose
from tests.simclock import SimulatedClock
from tests.station.station_rig import CARD, OTHER, Rig

PAGE = (Path(__file__).parents[2] / "docs/transactions.md").read_text(encoding="utf-8")
INVALID = IdTokenInfo(AuthorizationStatus.INVALID)


def rows(heading: str) -> dict[str, str]:
    """The table under a heading of the page."""
    part = PAGE.partition(f"## {heading}")[2].partition("\n## ")[0]
    return dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", part, re.MULTILINE))


def untold(heading: str) -> set[str]:
    return {word for word, when in rows(heading).items() if when.startswith("never: ")}


Course = Callable[[Rig], Awaitable[None]]
PLAIN: dict[str, Any] = {"TxCtrlr.TxStartPoint": "Authorized", "TxCtrlr.TxStopPoint": "PowerPathClosed"}
ENERGY: dict[str, Any] = {**PLAIN, "TxCtrlr.TxStopPoint": "EnergyTransfer"}


async def charge(rig: Rig) -> None:
    await rig.swipe()
    rig.control.plug()
    await rig.seconds(1)
    rig.control.close()
    await rig.seconds(1)


async def open_and_read(rig: Rig, why: str = "withdrawn") -> None:
    rig.control.open(why=why)
    await rig.seconds(3)


async def by_card(rig: Rig) -> None:
    await charge(rig)
    for trigger, context in ((Trigger.METER_VALUE_PERIODIC, Context.SAMPLE_PERIODIC), (Trigger.METER_VALUE_CLOCK, Context.SAMPLE_CLOCK)):
        rig.sessions.sampled(1, trigger, rig.meters.readings(1, Purpose.UPDATED, context))
    rig.sessions.trigger(1, None)
    await rig.swipe()
    await open_and_read(rig)


async def remotely(rig: Rig) -> None:
    answer = await rig.remote.start(RemoteStart(IdToken(CARD), 7, 1))
    assert answer.then is not None
    await answer.then()
    rig.control.plug()
    stop = await rig.remote.stop(RemoteStop(rig.last().transaction))
    assert stop.then is not None
    await stop.then()


async def unplugged(rig: Rig) -> None:
    await charge(rig)
    rig.control.unplug()
    await rig.seconds(3)


async def nobody_came(rig: Rig) -> None:
    await rig.swipe()
    await rig.seconds(70)


async def refused(rig: Rig) -> None:
    await charge(rig)
    rig.sessions.answered(rig.transaction_facts()[0], INVALID)
    await open_and_read(rig)


async def refused_and_limited(rig: Rig) -> None:
    rig.dm.push("TxCtrlr.StopTxOnInvalidId", False)
    await charge(rig)
    rig.sessions.answered(rig.transaction_facts()[0], INVALID)
    rig.meters.energy_wh[1] = 2000.0
    await open_and_read(rig)


async def used_up(rig: Rig) -> None:
    rig.dm.push("TxCtrlr.MaxEnergyOnInvalidId", 1000)
    await refused_and_limited(rig)


async def master(rig: Rig) -> None:
    rig.dm.push("AuthCtrlr.MasterPassGroupId", "MASTER")
    rig.accept(OTHER, group="MASTER")
    await charge(rig)
    await rig.swipe(OTHER)
    await open_and_read(rig)


async def reset(rig: Rig) -> None:
    await charge(rig)
    ending = asyncio.create_task(rig.sessions.end(Trigger.RESET_COMMAND, StopReason.IMMEDIATE_RESET))
    await rig.seconds(1)
    await open_and_read(rig)
    await ending


async def parked(rig: Rig) -> None:
    rig.control.park()
    rig.control.leave()


async def signed(rig: Rig) -> None:
    await rig.swipe()
    rig.control.plug()
    await rig.seconds(1)
    rig.sessions.signed(1)


async def stopped_by_the_car(rig: Rig) -> None:
    await charge(rig)
    await open_and_read(rig, why="car")


async def unlocked(rig: Rig) -> None:
    """As 1.6 5.18 has it."""
    await rig.swipe()
    rig.control.plug()
    await rig.remote.unlock(Unlock(1, 1, stop_transaction=True))


def by_fault(fault: str) -> Course:
    async def failed(rig: Rig) -> None:
        await charge(rig)
        rig.control.fault(1, fault)
        await rig.seconds(3)

    failed.__name__ = fault
    return failed


BAY = {"TxCtrlr.TxStartPoint": "ParkingBayOccupancy", "TxCtrlr.TxStopPoint": "ParkingBayOccupancy"}
SIGNED = {**PLAIN, "TxCtrlr.TxStartPoint": "DataSigned", "SampledDataCtrlr.SignReadings": True}
COURSES: list[tuple[Course, dict[str, Any], str, str]] = [
    (by_card, PLAIN, "StopAuthorized", "Local"),
    (remotely, PLAIN, "RemoteStop", "Remote"),
    (unplugged, PLAIN, "EVCommunicationLost", "EVDisconnected"),
    (nobody_came, PLAIN, "EVConnectTimeout", "Timeout"),
    (refused, PLAIN, "Deauthorized", "DeAuthorized"),
    (refused_and_limited, ENERGY, "Deauthorized", "DeAuthorized"),
    (used_up, ENERGY, "EnergyLimitReached", "EnergyLimitReached"),
    (master, PLAIN, "StopAuthorized", "MasterPass"),
    (reset, PLAIN, "ResetCommand", "ImmediateReset"),
    (parked, BAY, "EVDeparted", "Local"),
    (stopped_by_the_car, ENERGY, "ChargingStateChanged", "StoppedByEV"),
    (unlocked, PLAIN, "UnlockCommand", "Remote"),
    (by_fault("emergency_stop"), PLAIN, "AbnormalCondition", "EmergencyStop"),
    (by_fault("residual_current"), PLAIN, "AbnormalCondition", "GroundFault"),
    (by_fault("over_current"), PLAIN, "AbnormalCondition", "OvercurrentFault"),
    (by_fault("contactor_welded"), PLAIN, "AbnormalCondition", "Other"),
    (by_fault("over_voltage"), ENERGY, "AbnormalCondition", "PowerQuality"),
    (by_fault("under_voltage"), ENERGY, "AbnormalCondition", "PowerQuality"),
    (by_fault("phase_loss"), ENERGY, "AbnormalCondition", "PowerQuality"),
    (by_fault("pilot_short"), ENERGY, "AbnormalCondition", "Other"),
]


def rig_for(tmp_path: Path, variables: dict[str, Any]) -> Rig:
    rig = Rig(SimulatedClock(), tmp_path / "station.db", variables=variables, bays=(1,), signs=(1,))
    rig.online()
    rig.accept(CARD)
    rig.control.say(1, bay=False)
    return rig


@pytest.mark.parametrize(("course", "variables", "trigger", "reason"), COURSES)
async def test_an_end_says_what_ended_it(tmp_path: Path, course: Course, variables: dict[str, Any], trigger: str, reason: str) -> None:
    rig = rig_for(tmp_path, variables)
    await course(rig)
    assert (rig.told()[-1][0], rig.last().trigger, rig.last().stopped_reason) == ("Ended", trigger, reason)


@pytest.mark.parametrize("fault", ["over_voltage", "under_voltage", "phase_loss"])
async def test_a_fault_of_the_supply_suspends_where_energy_is_no_stop_point(tmp_path: Path, fault: str) -> None:
    rig = rig_for(tmp_path, PLAIN)
    await by_fault(fault)(rig)
    assert rig.told()[-1] == ("Updated", "ChargingStateChanged", "SuspendedEVSE")


async def test_every_word_is_told_or_the_page_says_why_not(tmp_path: Path) -> None:
    """PowerLoss and Reboot need more than one boot: test_restarts, and SoftReset of 1.6 in conformance."""
    triggers, reasons = set[str](), {"PowerLoss", "Reboot"}
    for number, (course, variables) in enumerate([*((it[0], it[1]) for it in COURSES), (signed, SIGNED)]):
        (tmp_path / str(number)).mkdir()
        rig = rig_for(tmp_path / str(number), variables)
        await course(rig)
        triggers |= {fact.trigger.value for fact in rig.transaction_facts()}
        reasons |= {fact.stopped_reason.value for fact in rig.transaction_facts() if fact.stopped_reason}
        rig.db.close()
    for heading, words, told in (("Why an event is told", Trigger, triggers), ("Why it ended", StopReason, reasons)):
        assert rows(heading).keys() == {word.value for word in words}
        assert {word.value for word in words} - told == untold(heading)
