"""What the lamp of an EVSE is wished to show: the session, and for a moment a refused token (1.6 9.1.4, 9.1.11)."""

from __future__ import annotations

from pathlib import Path

import pytest

from chargepoint.settings import Evse
from tests.simclock import SimulatedClock
from tests.station.station_rig import CARD, OTHER, Rig

TWO = (Evse(id=1), Evse(id=2))


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    made = Rig(SimulatedClock(), tmp_path / "station.db", evses=TWO)
    made.online()
    made.accept(CARD)
    return made


async def test_the_lamp_follows_the_session(rig: Rig) -> None:
    await rig.seconds()
    assert rig.control.lamps == {1: "ready", 2: "ready"}
    rig.control.plug()
    await rig.swipe(evse=1)
    await rig.seconds()
    assert rig.control.lamps[1] == "waiting"
    rig.control.close()
    await rig.seconds()
    assert rig.control.lamps == {1: "charging", 2: "ready"}


@pytest.mark.parametrize(("repeat", "evse", "blinking"), [("3", 1, {1}), ("3", None, {1, 2}), ("0", 1, set())])
async def test_a_refused_token_blinks_where_it_was_shown(rig: Rig, repeat: str, evse: int | None, blinking: set[int]) -> None:
    rig.dm.set("Ocpp16Ctrlr.BlinkRepeat", repeat)
    await rig.swipe(OTHER, evse)
    assert {one for one, pattern in rig.control.lamps.items() if pattern == "fault"} == blinking
    await rig.seconds()
    assert {one for one, pattern in rig.control.lamps.items() if pattern == "fault"} == blinking
    await rig.clock.advance(0.6)
    assert "fault" not in rig.control.lamps.values()


async def test_no_light_is_no_light_but_for_faults(rig: Rig) -> None:
    rig.dm.set("Ocpp16Ctrlr.LightIntensity", "0")
    await rig.seconds()
    assert rig.control.lamps == {1: "off", 2: "off"}
    rig.control.fault(1, "over_temperature")
    await rig.seconds()
    assert rig.control.lamps[1] == "fault"
