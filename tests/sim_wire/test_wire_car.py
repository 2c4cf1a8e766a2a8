"""The car's habits: what it makes of the duty, when it closes and opens S2, and the known quirks."""

from __future__ import annotations

import msgspec
import pytest

from hal.files import packaged_config
from sim.car import offered_a
from sim.vehicles import ev_from, vehicle

TOLD = {
    *("max_current_a", "phases", "min_current_a", "capacity_wh", "soc_percent", "target_percent", "curve"),
    *("delay_s", "follow_s", "s2_open_s", "sleeps_after_s"),
}


@pytest.mark.parametrize(
    ("percent", "amps"),
    [
        *((percent, 0) for percent in (0, 2, 5, 7.5, 98, 100)),
        *((8, 6), (9.9, 6), (10, 6), (16.67, 10), (26.67, 16), (53.33, 32), (85, 51), (89.2, 63), (96, 80), (97, 80)),
    ],
)
def test_duty_means_what_table_a7_says(percent, amps):
    assert offered_a(percent / 100) == pytest.approx(amps, abs=1e-3)


def test_closes_s2_delay_after_the_offer_and_opens_it_after_its_end(wire):
    wire.plant.plug_in(1, {"delay_s": 1.0, "s2_open_s": 0.5})
    wire.offer(16)
    wire.run(0.99)
    assert wire.word() == "B2"
    wire.run(0.02)
    assert wire.word() == "C2"
    wire.offer(0)
    wire.run(0.49)
    assert wire.word() == "C1"
    wire.run(0.02)
    assert wire.word() == "B1"


def test_stops_drawing_before_it_opens_s2(wire):
    wire.charge(16.0, s2_open_s=0.5)
    wire.offer(0)
    wire.run(0.3)
    assert wire.word() == "C1" and wire.plant.power_path.current_a[0] == 0.0


def test_offer_back_before_s2_opened(wire):
    wire.charge(16.0, s2_open_s=0.5)
    wire.offer(0)
    wire.run(0.3)
    wire.offer(10)
    wire.run(1.0)
    assert wire.word() == "C2" and wire.plant.power_path.current_a[0] == pytest.approx(10.0)


def test_never_opens_s2(wire):
    wire.charge(16.0, s2_open_s=None)
    wire.offer(0)
    wire.run(5.0)
    assert wire.word() == "C1" and wire.plant.power_path.current_a[0] == pytest.approx(16.0)


def test_follows_a_lower_offer_after_its_time(wire):
    wire.charge(16.0, follow_s=2.0)
    wire.run(2.0)
    wire.offer(8)
    wire.run(1.9)
    assert wire.plant.power_path.current_a[0] == pytest.approx(16.0)
    wire.run(0.2)
    assert wire.plant.power_path.current_a[0] == pytest.approx(8.0)


def test_draws_what_it_can(wire):
    wire.charge(32.0, max_current_a=4.0, phases=1)
    assert wire.plant.power_path.current_a == (4.0, 0.0, 0.0)


def test_draws_nothing_below_its_least(wire):
    wire.charge(6.0, min_current_a=8.0)
    assert wire.plant.power_path.current_a == (0.0, 0.0, 0.0)


def test_not_ready_goes_to_b_and_ready_again_to_c(wire):
    wire.charge()
    wire.plant.change_ev({"ready": False})
    assert wire.word() == "B2"
    wire.plant.change_ev({"ready": True})
    wire.run(0.2)
    assert wire.word() == "C2"


def test_full_battery_stops_and_opens_s2(wire):
    wire.charge(16.0, capacity_wh=20.0, energy_wh=10.0)
    wire.run(5.0)
    assert wire.word() == "B2"
    assert wire.plant.car.battery.energy_wh == pytest.approx(20.0)
    wire.plant.change_ev({"capacity_wh": 30.0})
    wire.run(0.2)
    assert wire.word() == "C2"


def test_skips_b(wire):
    wire.plant.plug_in(1, {"skips_b": True})
    assert wire.word() == "C1"
    assert wire.plant.power_path.current_a[0] == 0.0


def test_latches_on_f_until_it_is_plugged_in_anew(wire):
    wire.plant.plug_in(1, {"latches_on_f": True, "delay_s": 0.1})
    wire.duty(0.0)
    wire.run(0.1)
    wire.offer(16)
    wire.run(1.0)
    assert wire.word() == "B2" and wire.plant.car.latched
    wire.plant.ev_unplug(), wire.plant.ev_plug()
    wire.run(0.2)
    assert wire.word() == "C2"


@pytest.mark.parametrize(("wakes_by", "awake"), [(None, False), ("f", True), ("cp_break", False), ("offer", True)])
def test_sleeps_and_is_woken_by_what_wakes_it(wire, wakes_by, awake):
    wire.plant.plug_in(1, {"sleeps_after_s": 10.0, "wakes_by": wakes_by, "delay_s": 0.1})
    wire.run(11.0)
    assert wire.plant.car.asleep
    wire.duty(0.0)
    wire.run(4.0)
    wire.offer(16)
    wire.run(1.0)
    assert (wire.word() == "C2") is awake


def test_gives_up_after_its_starts(wire):
    wire.plant.plug_in(1, {"max_starts": 2, "delay_s": 0.1})
    words = []
    for _ in range(3):
        wire.offer(16)
        wire.run(0.2)
        words.append(wire.word())
        wire.offer(0)
        wire.run(1.0)
    assert words == ["C2", "C2", "B2"]


def test_sees_nothing_through_a_cut_wire(wire):
    wire.charge(16.0)
    wire.plant.faults.lay("cp_open")
    assert wire.word() == "A"
    wire.run(1.0)
    assert not wire.plant.car.s2


def test_its_end_only(wire):
    wire.charge(16.0)
    assert wire.plant.ev_unplug() and not wire.plant.ev_unplug()
    assert wire.word() == "A" and wire.plant.plugged and wire.plant.pp_ohm() == 220.0
    assert wire.plant.ev_plug() and not wire.plant.ev_plug()
    assert wire.word() == "B2"


def test_each_connector_is_unplugged_for_itself(make_wire):
    wire = make_wire(evse={"connectors": ["cType2", "cType1"]})
    wire.plant.plug_in(2, {})
    assert not wire.plant.unplug(1) and wire.plant.plugged
    assert wire.plant.unplug(2) and not wire.plant.plugged


def test_what_cannot_be_is_refused(wire):
    with pytest.raises(ValueError, match="no car"):
        wire.plant.change_ev({"ready": False})
    with pytest.raises(ValueError, match="no cable"):
        wire.plant.ev_plug()
    with pytest.raises(ValueError, match="no connector 2"):
        wire.plant.plug_in(2, {})
    with pytest.raises(msgspec.ValidationError):
        wire.plant.plug_in(1, {"colour": "red"})
    with pytest.raises(KeyError):
        wire.plant.plug_in(1, {"profile": "trabant"})
    wire.plant.plug_in(1, {})
    with pytest.raises(ValueError, match="occupied"):
        wire.plant.plug_in(1, {})
    assert wire.plant.unplug() and not wire.plant.unplug()


def test_every_vehicle_file_reads():
    files = sorted((packaged_config() / "vehicles").glob("*.toml"))
    assert len(files) >= 15
    for file in files:
        assert set(vehicle(file.stem, packaged_config())) >= TOLD, f"{file.name} leaves out what a car is"
        curve = ev_from({"profile": file.stem}, packaged_config()).curve
        assert curve[-1][0] == 100.0 and curve[-1][1] < curve[0][1], "a car takes less when it is full"


def test_a_profile_is_overridden_by_what_is_said_beside_it():
    assert vehicle("hyundai_kona_2018", packaged_config())["s2_open_s"] is None
    ev = ev_from({"profile": "tesla_model_y", "phases": 1}, packaged_config())
    assert (ev.skips_b, ev.phases, ev.max_current_a) == (True, 1, 16.0)


def test_woken_by_an_offer_taken_away_long_enough(wire):
    wire.plant.plug_in(1, {"sleeps_after_s": 0.0, "wakes_by": "x1_break", "wake_s": 4.0, "delay_s": 0.5})
    wire.run(1.0)
    wire.offer(16)
    wire.run(5.0)
    assert wire.word() == "B2", "a long time without an offer is no break of one"
    for seconds, word in ((3.0, "B2"), (5.0, "C2")):
        wire.offer(0)
        wire.run(seconds)
        wire.offer(16)
        wire.run(1.0)
        assert wire.word() == word


def test_rises_slowly_and_falls_at_once(wire):
    wire.charge(8.0, follow_s=1.0, rises_s=60.0)
    wire.run(1.1)
    wire.offer(16)
    wire.run(50.0)
    assert wire.plant.power_path.current_a[0] == pytest.approx(8.0)
    wire.run(11.0)
    assert wire.plant.power_path.current_a[0] == pytest.approx(16.0)
    wire.offer(6)
    wire.run(1.1)
    assert wire.plant.power_path.current_a[0] == pytest.approx(6.0)
