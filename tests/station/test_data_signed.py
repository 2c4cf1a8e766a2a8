"""TxStartPoint DataSigned: a transaction that begins with what the meter signs, and no energy before (2.0.1 part 2, E01.FR.04)."""

from __future__ import annotations

from pathlib import Path

import pytest

from chargepoint.model.facts import StopReason
from tests.simclock import SimulatedClock
from tests.station.station_rig import CARD, Rig


def make(tmp_path: Path, start: str = "DataSigned", stop: str = "Authorized", *, signs: bool = True) -> Rig:
    variables = {"TxCtrlr.TxStartPoint": start, "TxCtrlr.TxStopPoint": stop, "SampledDataCtrlr.SignReadings": signs}
    rig = Rig(SimulatedClock(), tmp_path / "station.db", variables=variables, signs=(1,))
    rig.online()
    rig.accept(CARD)
    return rig


async def ready(rig: Rig) -> None:
    await rig.swipe()
    rig.control.plug()
    await rig.seconds(1)


async def test_it_begins_with_the_signature_and_charges_then(tmp_path: Path) -> None:
    rig = make(tmp_path)
    rig.sessions.signed(1)
    await ready(rig)
    assert rig.told() == [] and rig.control.permits[1].limit_a == 0.0
    rig.sessions.signed(1)
    await rig.seconds(1)
    assert rig.told() == [("Started", "SignedDataReceived", "EVConnected")] and rig.control.permits[1].limit_a == 32.0
    fact = rig.last()
    assert fact.id_token is not None and fact.said_evse and fact.readings
    rig.control.close()
    rig.sessions.signed(1)
    assert rig.told()[1:] == [("Updated", "ChargingStateChanged", "Charging")]
    await rig.swipe()
    rig.control.open()
    await rig.seconds(3)
    assert rig.told()[-1][:2] == ("Ended", "StopAuthorized") and rig.last().stopped_reason is StopReason.LOCAL


async def test_only_signatures_that_are_told_count(tmp_path: Path) -> None:
    rig = make(tmp_path, signs=False)
    await ready(rig)
    rig.sessions.signed(1)
    assert rig.told() == []


@pytest.mark.parametrize(("start", "first"), [("DataSigned,PowerPathClosed", "CablePluggedIn"), ("DataSigned,Authorized", "Authorized")])
async def test_another_point_that_comes_first_begins_it(tmp_path: Path, start: str, first: str) -> None:
    rig = make(tmp_path, start)
    await ready(rig)
    rig.sessions.signed(1)
    assert rig.told()[0][:2] == ("Started", first) and all(kind == "Updated" for kind, _, _ in rig.told()[1:])
    assert rig.control.permits[1].limit_a == 32.0


async def test_energy_that_comes_first_begins_it(tmp_path: Path) -> None:
    rig = make(tmp_path, "DataSigned,EnergyTransfer")
    await ready(rig)
    assert rig.control.permits[1].limit_a == 32.0
    rig.control.close()
    rig.sessions.signed(1)
    assert rig.told() == [("Started", "ChargingStateChanged", "Charging")]


async def test_what_charges_after_an_end_is_signed_anew(tmp_path: Path) -> None:
    rig = make(tmp_path, stop="EnergyTransfer")
    await ready(rig)
    rig.sessions.signed(1)
    await rig.seconds(1)
    rig.control.close()
    rig.control.open()
    await rig.seconds(3)
    assert rig.told()[-1][0] == "Ended" and rig.control.permits[1].limit_a == 0.0
    rig.sessions.signed(1)
    await rig.seconds(1)
    assert rig.told()[-1][:2] == ("Started", "SignedDataReceived") and rig.control.permits[1].limit_a == 32.0
