"""A car's battery: the charging curve by its state of charge, the end at its target, and time that runs faster for it alone."""

from __future__ import annotations

import msgspec
import pytest

from sim.battery import Battery, on_curve
from sim.ev import ev_of

CURVE = ((0.0, 16.0), (80.0, 16.0), (100.0, 6.0))


@pytest.mark.parametrize(("percent", "amps"), [(0, 16), (50, 16), (80, 16), (90, 11), (100, 6)])
def test_between_its_points_a_curve_is_a_straight_line(percent, amps):
    assert on_curve(CURVE, percent) == pytest.approx(amps)


def test_beyond_its_ends_a_curve_goes_on_level():
    assert (on_curve(((20.0, 10.0), (60.0, 8.0)), 5), on_curve(((20.0, 10.0), (60.0, 8.0)), 95)) == (10.0, 8.0)


def test_takes_less_the_fuller_it_is(wire):
    wire.charge(16.0, capacity_wh=1000.0, soc_percent=85.0, curve=CURVE)
    drawn = {}
    while wire.word() == "C2":
        drawn[int(wire.plant.car.battery.soc_percent + 1e-6)] = wire.plant.power_path.current_a[0]
        wire.run(0.5)
    assert drawn == {percent: pytest.approx(on_curve(CURVE, percent)) for percent in range(85, 100)}


def test_the_register_is_what_went_into_the_battery(wire):
    wire.charge(16.0, capacity_wh=1000.0, soc_percent=85.0, curve=CURVE)
    while wire.word() == "C2":
        wire.run(1.0)
    assert wire.plant.power_path.energy_wh() == pytest.approx(150.0)


def test_stops_at_its_target_and_goes_on_when_that_is_raised(wire):
    wire.charge(16.0, capacity_wh=1000.0, soc_percent=79.0, target_percent=80.0)
    wire.run(10.0)
    assert wire.word() == "B2" and wire.plant.car.battery.soc_percent == pytest.approx(80.0)
    wire.plant.change_ev({"target_percent": 90.0})
    wire.run(1.0)
    assert wire.word() == "C2" and wire.plant.power_path.current_a[0] == pytest.approx(16.0)


def test_already_at_its_target_it_never_asks(wire):
    wire.plant.plug_in(1, {"capacity_wh": 1000.0, "soc_percent": 80.0, "target_percent": 80.0, "delay_s": 0.1})
    wire.offer(16)
    wire.run(5.0)
    assert wire.word() == "B2"


def test_with_speed_the_battery_fills_faster_than_the_meter_counts(wire):
    wire.charge(16.0, capacity_wh=50_000.0, soc_percent=20.0, target_percent=80.0, speed=2000.0)
    assert wire.plant.power_path.power_w() == pytest.approx(3 * 230 * 16), "what flows is real"
    wire.run(15.0)
    assert wire.word() == "B2" and wire.plant.car.battery.soc_percent == pytest.approx(80.0)
    assert wire.plant.power_path.energy_wh() == pytest.approx(30_000.0 / 2000.0)


def test_with_speed_it_sleeps_sooner_and_follows_the_pilot_as_ever(wire):
    wire.plant.plug_in(1, {"sleeps_after_s": 3600.0, "speed": 360.0, "delay_s": 2.0})
    wire.run(9.0)
    assert not wire.plant.car.asleep
    wire.run(2.0)
    assert wire.plant.car.asleep
    wire.plant.unplug()
    wire.plant.plug_in(1, {"speed": 360.0, "delay_s": 2.0})
    wire.offer(16)
    wire.run(1.9)
    assert wire.word() == "B2"
    wire.run(0.2)
    assert wire.word() == "C2"


def test_with_speed_a_slow_rise_is_sooner_over(wire):
    wire.charge(8.0, follow_s=0.5, rises_s=60.0, speed=10.0)
    wire.run(1.0)
    wire.offer(16)
    wire.run(5.5)
    assert wire.plant.power_path.current_a[0] == pytest.approx(8.0)
    wire.run(1.0)
    assert wire.plant.power_path.current_a[0] == pytest.approx(16.0)


def test_its_state_of_charge_is_seen_and_can_be_set(wire):
    wire.charge(16.0, capacity_wh=1000.0, soc_percent=40.0)
    assert wire.plant.car.state()["soc_percent"] == pytest.approx(40.0, abs=1.0)
    wire.plant.change_ev({"soc_percent": 70.0})
    assert wire.plant.car.state()["soc_percent"] == 70.0
    wire.plant.change_ev({"energy_wh": 500.0})
    assert wire.plant.car.state()["soc_percent"] == 50.0
    wire.plant.change_ev({"phases": 1})
    assert wire.plant.car.state()["soc_percent"] == pytest.approx(50.0, abs=0.1)


def test_without_a_capacity_it_takes_without_end(wire):
    wire.charge(16.0)
    assert wire.plant.car.state()["soc_percent"] is None and Battery(wire.plant.car.ev).until_change_wh() is None


def test_the_battery_stays_while_its_plug_is_out(wire):
    wire.charge(16.0, capacity_wh=1000.0, soc_percent=40.0)
    wire.plant.ev_unplug(), wire.plant.ev_plug()
    assert wire.plant.car.battery.soc_percent == pytest.approx(40.0, abs=1.0)


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"soc_percent": 40}, "soc_percent: is in percent of capacity_wh"),
        ({"curve": [[0, 16]]}, "curve: is in percent of capacity_wh"),
        ({"target_percent": 80}, "target_percent: is in percent of capacity_wh"),
        ({"capacity_wh": 1000, "curve": [[50, 16], [20, 6]]}, "by rising state of charge"),
        ({"capacity_wh": 1000, "curve": [[0, 16], [120, 6]]}, "<= 100"),
        ({"capacity_wh": -1}, ">= 0"),
        ({"speed": 0.5}, ">= 1"),
    ],
)
def test_what_cannot_be_is_refused_with_the_key(keys, words):
    with pytest.raises(msgspec.ValidationError, match=words):
        ev_of(keys)
