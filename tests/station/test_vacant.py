"""A session without a plug: somebody is authorized and no car is there, or the plug of a tethered cable has come out and may come back."""

from __future__ import annotations

from pathlib import Path

import pytest

from chargepoint.model.connector import Status, availability
from chargepoint.model.facts import EventKind, StatusFact, StopReason
from chargepoint.settings import Evse
from tests.simclock import SimulatedClock
from tests.station.station_rig import CARD, OTHER, Rig


def tethered(tmp_path: Path, version: str = "ocpp2.0.1") -> Rig:
    cable = (Evse(id=1, connectors=("cType2",)),)
    stays = {"TxCtrlr.StopTxOnEVSideDisconnect": False, "TxCtrlr.TxStopPoint": "Authorized"}
    made = Rig(SimulatedClock(), tmp_path / "station.db", evses=cable, version=version, variables=stays)
    made.online()
    made.accept(CARD)
    made.accept(OTHER)
    return made


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return tethered(tmp_path)


def words(rig: Rig) -> list[str]:
    """Connector 1's words of 2.x, each change once."""
    told = [availability(Status(fact.status), fact.vacant) for fact in rig.facts if isinstance(fact, StatusFact) and fact.connector]
    return [word for place, word in enumerate(told) if place == 0 or word != told[place - 1]]


async def detached(rig: Rig) -> None:
    await rig.swipe()
    rig.control.plug()
    await rig.seconds(1)
    rig.control.close()
    rig.control.unplug()
    await rig.seconds(1)


async def test_occupied_follows_the_cable(rig: Rig) -> None:
    await rig.swipe()
    assert words(rig) == ["Available"] and rig.statuses()[-1] == "Preparing"
    rig.control.plug()
    await rig.seconds(1)
    assert words(rig) == ["Available", "Occupied"]
    rig.control.close()
    rig.control.unplug()
    await rig.seconds(1)
    assert words(rig) == ["Available", "Occupied", "Available"] and rig.statuses()[-1] == "SuspendedEV"
    assert rig.dm.text("Connector@1:1.AvailabilityState") == rig.dm.text("EVSE@1.AvailabilityState") == "Available"


async def test_a_tethered_plug_that_does_not_come_back(rig: Rig) -> None:
    await detached(rig)
    await rig.seconds(61)
    assert rig.last().stopped_reason is StopReason.TIMEOUT and rig.sessions.row(1) is None


async def test_in_16_the_transaction_waits_for_the_plug_without_end(tmp_path: Path) -> None:
    """1.6 4.10: with StopTransactionOnEVSideDisconnect false it is not stopped; ConnectionTimeOut is for transactions that have not begun (9.1.6)."""
    rig = tethered(tmp_path, version="ocpp1.6")
    await detached(rig)
    await rig.seconds(600)
    assert rig.last().kind is not EventKind.ENDED and rig.statuses()[-1] == "SuspendedEV"
    rig.control.plug()
    await rig.seconds(1)
    rig.control.close()
    await rig.seconds(1)
    assert rig.statuses()[-1] == "Charging" and len({fact.transaction for fact in rig.transaction_facts()}) == 1


async def test_a_card_ends_a_session_whose_tethered_plug_is_out(rig: Rig) -> None:
    await detached(rig)
    await rig.swipe()
    assert rig.sessions.row(1) is None and rig.statuses()[-1] == "Available"
    await rig.swipe(OTHER)
    row = rig.sessions.row(1)
    assert row is not None and row.authorized
