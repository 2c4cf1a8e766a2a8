"""Every fault of the contract: what it does, and that it undoes itself."""

from __future__ import annotations

from math import inf

import pytest

from sim.plant.faults import OUTSIDE, ROWS, Details

CONTRACT = """
diode cp_short cp_open pilot_noise pilot_spike pilot_offset pwm_stuck pwm_lost
i2c_stuck adc_lost adc_frozen adc_reset
contactor_weld contactor_stuck_open coil_stuck_on relay_supply_lost mirror_stuck_open mirror_stuck_closed contactor_l23_weld contactor_l23_stuck_open
over_current under_voltage over_voltage phase_loss pe_loss
rcd_trip rcd_stuck rcd_stuck_tripped rcd_noise
over_temperature temperature_sensor_lost temperature_jump
meter_offline meter_garbage meter_frozen meter_nan meter_swapped
lock_jam lock_stuck_locked lock_feedback_lost pp_open pp_short pp_change
emergency_stop reader_offline
"""
NAMES = CONTRACT.split()


@pytest.fixture
def charging(wire):
    wire.charge(16.0)
    return wire


def lay(wire, name, phase=None, value=None, poles=(), **when):
    wire.plant.faults.lay(name, Details(phase, value, poles), **when)


def test_the_faults_are_those_of_the_contract():
    assert set(ROWS) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_fault_comes_and_goes(charging, name):
    """After it has gone the wire is as before, once the contactor has been let go and closed again."""
    before = charging.plant.pilot.wire
    lay(charging, name)
    assert charging.plant.faults.names() == [name] or name == "adc_reset"
    charging.run(0.4)
    charging.plant.faults.lift(name)
    charging.run(1.5)
    assert charging.plant.faults.names() == []
    assert charging.plant.pilot.wire == before or name in ("cp_open", "cp_short", "pe_loss", "pwm_lost", "pilot_spike")
    assert charging.plant.power_path.mains_v() == (230.0, 230.0, 230.0)
    assert charging.plant.pp_ohm() == 220.0 and not charging.board.stop_pressed() and not charging.plant.rcd.tripped


def test_a_fault_may_come_later_and_go_by_itself(wire):
    lay(wire, "cp_short", after_ms=50, for_ms=5)
    wire.run(0.049)
    assert wire.word() == "A"
    wire.run(0.002)
    assert wire.word() == "E"
    wire.run(0.005)
    assert wire.word() == "A" and wire.plant.faults.names() == []


def test_a_fault_to_come_can_be_taken_back(wire):
    lay(wire, "cp_short", after_ms=50)
    assert wire.plant.faults.lift("cp_short")
    wire.run(0.1)
    assert wire.word() == "A"
    assert not wire.plant.faults.lift("cp_short")


def test_a_fault_laid_again_replaces_the_former(wire):
    lay(wire, "cp_short", for_ms=10)
    lay(wire, "cp_short", for_ms=100)
    wire.run(0.05)
    assert wire.word() == "E"


def test_an_unknown_fault_is_refused(wire):
    with pytest.raises(KeyError, match="no fault 'gremlins'"):
        lay(wire, "gremlins")


def test_diode(charging):
    lay(charging, "diode")
    assert charging.word() == "C2" and charging.plant.pilot.wire.low_v > -6.0


def test_cp_short_by_a_resistor(charging):
    lay(charging, "cp_short", value=300.0)
    assert 1.5 < charging.plant.pilot.wire.high_v < 3.5


def test_pilot_noise_reaches_the_adc_only(charging):
    lay(charging, "pilot_noise", value=0.6)
    readings = [charging.peaks_v()[0] for _ in range(30)]
    assert max(readings) - min(readings) > 0.8 and charging.word() == "C2"


def test_pilot_spike_goes_by_itself(charging):
    lay(charging, "pilot_spike")
    assert charging.word() == "A"
    charging.run(0.006)
    assert charging.word() == "C2"


def test_pilot_offset(charging):
    lay(charging, "pilot_offset", value=-1.0)
    assert charging.plant.pilot.wire.high_v == pytest.approx(4.99, abs=0.01) and charging.plant.pilot.wire.low_v == -13.0


def test_pwm_stuck_obeys_nobody(charging):
    lay(charging, "pwm_stuck")
    charging.offer(6)
    assert charging.plant.pilot.wire.duty == pytest.approx(16 / 60, abs=1e-6)
    charging.plant.faults.lift("pwm_stuck")
    assert charging.plant.pilot.wire.duty == pytest.approx(0.1)


def test_pwm_lost_is_steady_plus_12(charging):
    lay(charging, "pwm_lost")
    assert charging.word() == "C1"


def test_i2c_stuck_blocks_until_its_timeout(wire):
    lay(wire, "i2c_stuck")
    error, seconds, _ = wire.board.i2c(10, [(0x48, 0, b"\0")])
    assert (error, seconds) == (110, 0.02)
    assert wire.board.i2c(1, [(72, 0, b"\0")])[0] == 0


def test_adc_lost_does_not_acknowledge(wire):
    lay(wire, "adc_lost")
    assert wire.board.i2c(10, [(0x48, 0, b"\0")])[0] == 121
    wire.plant.faults.lift("adc_lost")
    assert wire.board.i2c(10, [(0x48, 0, b"\0")])[0] == 0


def test_adc_frozen_keeps_its_last_value(wire):
    wire.run(0.1)
    high = wire.read_v(0)
    lay(wire, "adc_frozen")
    wire.plant.faults.lay("cp_short")
    wire.run(0.5)
    assert wire.read_v(0) == high


def test_adc_reset_loses_the_configuration(wire):
    wire.board.i2c(10, [(0x48, 0, b"\x01\xc3\xe3")])
    lay(wire, "adc_reset")
    wire.run(0.002)
    config = wire.board.i2c(10, [(0x48, 0, b"\1"), (0x48, 2, b"")])[2]
    assert config == b"\x85\x83"


@pytest.mark.parametrize(("poles", "held"), [((), [True, False, False]), ((2, 3), [False, True, True]), ((1, 2, 3), [True, True, True])])
def test_welded_poles_stay_closed_and_the_mirror_contact_tells(charging, poles, held):
    lay(charging, "contactor_weld", poles=poles)
    charging.set(charging.pin.coil, False)
    charging.run(0.1)
    assert list(charging.plant.contactor.contacts) == held and charging.board.read(charging.pin.mirror) is True
    charging.plant.faults.lift("contactor_weld")
    charging.run(0.1)
    assert charging.board.read(charging.pin.mirror) is False


def test_l23_faults_hold_the_second_contactor(wire):
    lay(wire, "contactor_l23_weld")
    assert wire.plant.contactor.contacts == (False, True, True)
    wire.plant.faults.lift("contactor_l23_weld")
    lay(wire, "contactor_l23_stuck_open")
    wire.charge()
    assert wire.plant.contactor.contacts == (True, False, False)


def test_stuck_open_closes_nothing_and_the_mirror_contact_stays_closed(wire):
    lay(wire, "contactor_stuck_open")
    wire.charge()
    assert wire.plant.contactor.contacts == (False, False, False) and wire.board.read(wire.pin.mirror) is False


def test_coil_stuck_on_holds_while_the_relay_supply_is_fed(charging):
    lay(charging, "coil_stuck_on")
    charging.set(charging.pin.coil, False)
    charging.run(0.2)
    assert charging.plant.contactor.energised
    charging.feeding = False
    charging.run(0.2)
    assert not charging.plant.contactor.energised


def test_relay_supply_lost_opens(charging):
    lay(charging, "relay_supply_lost")
    charging.run(0.02)
    assert not charging.plant.live()


def test_mirror_contact_lies(charging):
    lay(charging, "mirror_stuck_closed")
    assert charging.board.read(charging.pin.mirror) is False
    charging.plant.faults.lift("mirror_stuck_closed")
    lay(charging, "mirror_stuck_open")
    charging.set(charging.pin.coil, False)
    charging.run(0.1)
    assert charging.board.read(charging.pin.mirror) is True


def test_over_current(charging):
    lay(charging, "over_current")
    assert charging.plant.power_path.current_a[0] == pytest.approx(20.8)
    charging.plant.faults.lift("over_current")
    assert charging.plant.power_path.current_a[0] == pytest.approx(16.0)
    lay(charging, "over_current", value=40.0)
    assert charging.plant.power_path.current_a[0] == 40.0


def test_voltages(charging):
    lay(charging, "under_voltage")
    assert charging.plant.power_path.mains_v() == (190.0, 190.0, 190.0)
    charging.plant.faults.lift("under_voltage")
    lay(charging, "over_voltage", phase=2, value=270.0)
    assert charging.plant.power_path.mains_v() == (230.0, 270.0, 230.0)
    charging.plant.faults.lift("over_voltage")
    lay(charging, "phase_loss", phase=3)
    assert charging.plant.power_path.mains_v() == (230.0, 230.0, 0.0) and charging.plant.power_path.current_a[2] == 0.0


def test_residual_current(charging):
    lay(charging, "rcd_trip", value=100.0)
    assert charging.plant.rcd.leak_ma == 100.0 and charging.board.read(charging.pin.trip)
    charging.plant.faults.lift("rcd_trip")
    charging.run(0.11)
    assert not charging.board.read(charging.pin.trip)


def test_a_leak_below_the_threshold_trips_nothing(charging):
    lay(charging, "rcd_trip", value=3.0)
    assert not charging.board.read(charging.pin.trip)


def test_dead_monitor_does_not_answer_its_test(wire):
    lay(wire, "rcd_stuck")
    wire.set(wire.pin.test)
    wire.run(0.3)
    assert not wire.board.read(wire.pin.trip)


def test_stuck_tripped_never_clears(wire):
    lay(wire, "rcd_stuck_tripped")
    wire.set(wire.pin.test), wire.run(0.2), wire.set(wire.pin.test, False), wire.run(0.5)
    assert wire.board.read(wire.pin.trip)


def test_noise_on_the_trip_line_cuts_nothing(charging):
    lay(charging, "rcd_noise")
    seen = set()
    for _ in range(400):
        charging.run(0.0005)
        seen.add(charging.board.read(charging.pin.trip))
    assert seen == {True, False} and charging.plant.live()


def test_heat(wire):
    lay(wire, "over_temperature", value=90.0)
    assert wire.plant.heat.inside_c() == 90.0
    wire.plant.faults.lift("over_temperature")
    lay(wire, "temperature_jump", value=30.0)
    assert wire.plant.heat.inside_c() > 58.0
    wire.run(1.1)
    assert wire.plant.heat.inside_c() < 30.0
    lay(wire, "temperature_sensor_lost")
    assert wire.board.i2c(1, [(72, 0, b"\0"), (72, 2, b"")])[0] == 121


def test_lock_faults(wire):
    lay(wire, "lock_jam")
    wire.turn_lock()
    assert wire.plant.lock.word() == "unlocked"
    wire.plant.faults.lift("lock_jam")
    wire.turn_lock()
    lay(wire, "lock_stuck_locked")
    wire.turn_lock(False)
    assert wire.plant.lock.word() == "locked"
    wire.plant.faults.lift("lock_stuck_locked")
    lay(wire, "lock_feedback_lost")
    assert wire.plant.lock.word() == "locked" and wire.board.read(wire.pin.feedback) is False


def test_proximity_faults(charging):
    lay(charging, "pp_open")
    assert charging.plant.pp_ohm() == inf
    charging.plant.faults.lift("pp_open")
    lay(charging, "pp_short")
    assert charging.plant.pp_ohm() == 0.0
    charging.plant.faults.lift("pp_short")
    lay(charging, "pp_change", value=680.0)
    assert charging.plant.pp_ohm() == 680.0


def test_emergency_stop_is_the_boards(make_wire):
    wire = make_wire(count=2)
    assert wire.board.read(wire.pin.stop) is True
    wire.board.plants[2].faults.lay("emergency_stop")
    assert wire.board.read(wire.pin.stop) is False


@pytest.mark.parametrize("name", sorted(OUTSIDE))
def test_the_meters_and_the_readers_faults_are_told_to_them(wire, name):
    from sim.plant.state import meter

    lay(wire, name)
    assert name in meter(wire.plant)["faults"]
    assert meter(wire.plant)["answering"] is (name != "meter_offline")


def test_a_fault_on_the_car_holds_for_the_next_car(charging):
    lay(charging, "diode"), lay(charging, "over_current", value=40.0)
    charging.plant.unplug()
    charging.plant.plug_in(1, {"skips_b": True, "follow_s": 0.0})
    assert charging.plant.pilot.wire.low_v > -10.0 and charging.plant.car.forced_a == 40.0
