"""A car that is plugged in and that nobody is authorized for: 1.6 gives it ConnectionTimeOut (4.9 B6, errata 3.20)."""

from __future__ import annotations

from pathlib import Path

import pytest

from chargepoint.model.session import State
from chargepoint.settings import Evse
from tests.simclock import SimulatedClock
from tests.station.station_rig import CARD, OTHER, Rig

TWO = (Evse(id=1), Evse(id=2))


def build(tmp_path: Path, version: str = "ocpp1.6", evses: tuple[Evse, ...] = TWO) -> Rig:
    rig = Rig(SimulatedClock(), tmp_path / "station.db", version=version, evses=evses, variables={"TxCtrlr.EVConnectionTimeOut": 20})
    rig.online()
    rig.accept(CARD, OTHER)
    return rig


async def test_preparing_becomes_finishing_and_the_next_card_does_not_mean_that_cable(tmp_path: Path) -> None:
    rig = build(tmp_path)
    rig.control.plug(1)
    await rig.seconds(18)
    assert rig.statuses(1)[-1] == "Preparing"
    await rig.seconds(4)
    assert rig.statuses(1)[-1] == "Finishing" and rig.told() == []
    await rig.swipe(OTHER)
    rig.control.plug(2)
    await rig.seconds(1)
    assert rig.control.permits.keys() == {2} and rig.statuses(1)[-1] == "Finishing"


async def test_before_the_time_is_over_a_card_means_the_cable(tmp_path: Path) -> None:
    rig = build(tmp_path)
    rig.control.plug(1)
    await rig.seconds(18)
    await rig.swipe()
    assert rig.control.permits.keys() == {1}


@pytest.mark.parametrize("reader", [1, None])
async def test_its_own_driver_still_charges(tmp_path: Path, reader: int | None) -> None:
    """F2: at the only EVSE, or at a reader of its own."""
    rig = build(tmp_path, evses=TWO if reader else TWO[:1])
    rig.control.plug(1)
    await rig.seconds(25)
    await rig.swipe(CARD, reader)
    await rig.seconds(1)
    assert rig.statuses(1)[-2:] == ["Finishing", "Preparing"] and rig.control.permits[1].limit_a == 32.0
    rig.control.close(1)
    assert rig.statuses(1)[-1] == "Charging" and rig.told()[0][0] == "Started"


async def test_the_unplugged_cable_frees_it(tmp_path: Path) -> None:
    rig = build(tmp_path)
    rig.control.plug(1)
    await rig.seconds(25)
    rig.control.unplug(1)
    await rig.seconds(1)
    assert rig.statuses(1)[-1] == "Available" and rig.sessions.rows == {} and rig.told() == []


async def test_2_0_1_has_no_such_time(tmp_path: Path) -> None:
    """EVConnectionTimeOut waits for a car there, not for a card."""
    rig = build(tmp_path, version="ocpp2.0.1")
    rig.control.plug(1)
    await rig.seconds(60)
    assert rig.sessions.rows[1].state is State.PLUGGED
