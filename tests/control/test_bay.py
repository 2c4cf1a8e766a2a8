"""The sensor of a parking bay: what it shows for a while counts, and what is not known is not said."""

from __future__ import annotations

import pytest

from chargepoint.control.bay import STEADY_S, Bay
from hal.errors import DeviceLost
from tests.control.fakes import FakeSwitch

LOOK_S = 0.1


class Road:
    """A bay looked at as control does, by hand."""

    def __init__(self) -> None:
        self.switch, self.now = FakeSwitch(), 100.0
        self.bay = Bay(self.switch)

    def stands(self, car: bool, seconds: float) -> bool | None:
        self.switch.pressed = car
        for _ in range(round(seconds / LOOK_S)):
            self.now += LOOK_S
            self.bay.read(self.now)
        return self.bay.occupied


@pytest.mark.parametrize("car", [False, True])
def test_nothing_is_known_before_the_sensor_has_shown_it_for_a_while(car: bool) -> None:
    road = Road()
    assert road.stands(car, STEADY_S / 2) is None
    assert road.stands(car, STEADY_S) is car


def test_a_car_that_stays_is_seen_and_one_that_leaves_too() -> None:
    road = Road()
    road.stands(False, 2 * STEADY_S)
    assert road.stands(True, 2 * STEADY_S) is True
    assert road.stands(False, 2 * STEADY_S) is False


def test_who_walks_through_is_no_car() -> None:
    road = Road()
    road.stands(False, 2 * STEADY_S)
    for _ in range(5):
        assert road.stands(True, STEADY_S / 2) is False
        assert road.stands(False, STEADY_S / 2) is False


def test_a_sensor_that_is_lost_opens_nothing_and_knows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    road = Road()
    road.stands(True, 2 * STEADY_S)

    def lost() -> bool:
        raise DeviceLost("bay sensor", "no answer")

    with monkeypatch.context() as patch:
        patch.setattr(road.switch, "active", lost)
        assert road.stands(True, LOOK_S) is None
    assert road.stands(True, 2 * STEADY_S) is True


def test_a_board_without_a_sensor_says_nothing() -> None:
    bay = Bay(None)
    bay.read(100.0)
    bay.read(200.0)
    assert bay.occupied is None


@pytest.mark.parametrize(("seconds", "occupied"), [(0.9, None), (1.2, True)])
def test_a_while_is_a_second(seconds: float, occupied: bool | None) -> None:
    assert Road().stands(True, seconds) is occupied
