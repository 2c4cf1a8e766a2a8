"""TxStartPoint DataSigned: a transaction that begins with what the meter signs, and no energy before (2.0.1 part 2, E01.FR.04)."""

from __future__ import annotations

from pathlib import Path

import pytest

from chargepoint.model.facts import StopReason
from chargepoint.settings import Evse
from tests.simclock import SimulatedClock
from tests.station.station_rig import CARD, FakeControl, Rig


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


@pytest.mark.parametrize(
    ("second", "signs", "offered"),
    [
        (Evse(id=2), (1, 2), True),
        (Evse(id=2), (1,), False),
        (Evse(id=2), (), False),
        (Evse(id=2, meter_position="after"), (1, 2), False),
    ],
)
async def test_it_is_offered_where_every_meter_can_sign_before_energy_flows(
    tmp_path: Path, second: Evse, signs: tuple[int, ...], offered: bool
) -> None:
    """A meter that never signs, or has no supply behind the open contactor, would keep its EVSE from ever charging."""
    rig = Rig(SimulatedClock(), tmp_path / "station.db", evses=(Evse(id=1), second), signs=signs)
    assert ("DataSigned" in rig.dm.spec("TxCtrlr.TxStartPoint").values) is offered
    assert rig.dm.set("TxCtrlr.TxStartPoint", "DataSigned") == ("Accepted" if offered else "Rejected")
    assert rig.dm.has("SampledDataCtrlr.SignReadings") is bool(signs)


class Late(FakeControl):
    """Says nothing before `arrive`."""

    def connect(self) -> None:
        return None

    def arrive(self) -> None:
        super().connect()


@pytest.mark.parametrize("plugged", [True, False])
async def test_after_a_power_cut_it_begins_for_a_car_that_is_seen(tmp_path: Path, plugged: bool) -> None:
    rig = make(tmp_path)
    await ready(rig)
    rig.crash()
    clock = SimulatedClock(start_s=5.0, wall_s=rig.clock.wall_s() + 600, boot_id="boot-2")
    control = Late(clock, rig.evses)
    control.start = 900
    if plugged:
        control.plug(1)
    again = Rig(clock, rig.path, variables=rig.variables, signs=(1,), after_power_loss="resume", control=control)
    again.sessions.signed(1)
    assert again.told() == []
    control.arrive()
    again.sessions.signed(1)
    await again.seconds(1)
    assert again.told() == ([("Started", "SignedDataReceived", "EVConnected")] if plugged else [])


async def test_without_control_it_does_not_begin(tmp_path: Path) -> None:
    rig = make(tmp_path)
    await ready(rig)
    rig.hardware.on_lost("control died")
    rig.sessions.signed(1)
    assert rig.told() == []
