"""Contactor, relay supply, lock, monitor, heat and the energy register."""

from __future__ import annotations

import pytest

from sim.plant.heat import Heat
from sim.plant.state import meter, state
from sim.plant.timeline import Timeline

OPEN, CLOSED = (False, False, False), (True, True, True)


def test_contactor_takes_its_time(wire):
    wire.run(0.01)
    wire.set(wire.pin.coil)
    wire.run(0.0199)
    assert wire.plant.contactor.contacts == OPEN
    wire.run(0.0002)
    assert wire.plant.contactor.contacts == CLOSED
    wire.run(0.1)
    wire.set(wire.pin.coil, False)
    wire.run(0.0149)
    assert wire.plant.contactor.contacts == CLOSED
    wire.run(0.0002)
    assert wire.plant.contactor.contacts == OPEN
    assert wire.plant.contactor.cycles == 1


def test_a_pulse_shorter_than_the_pull_in_closes_nothing(wire):
    wire.run(0.01)
    wire.set(wire.pin.coil)
    wire.run(0.01)
    wire.set(wire.pin.coil, False)
    wire.run(0.1)
    assert ("contactor" not in {kind for kind, _ in wire.events}) and wire.plant.contactor.contacts == OPEN


def test_mirror_contact_follows_and_bounces(wire):
    """The input is active low: low while the mirror contact is closed."""
    wire.run(0.01)
    assert wire.board.read(wire.pin.mirror) is False
    wire.set(wire.pin.coil)
    wire.run(0.02)
    seen = []
    for _ in range(60):
        wire.run(0.0001)
        seen.append(wire.board.read(wire.pin.mirror))
    assert len({*seen[:50]}) == 2
    assert all(seen[51:])


def test_relay_supply_falls_after_the_last_edge(make_wire):
    wire = make_wire(fed_hold_ms=100.0)
    wire.run(0.05)
    wire.set(wire.pin.coil)
    wire.run(0.05)
    assert wire.plant.contactor.energised
    wire.feeding = False
    wire.run(0.09)
    assert wire.plant.contactor.energised
    wire.run(0.02)
    assert not wire.supply_up() and not wire.plant.contactor.energised


def test_a_level_that_stands_still_feeds_nothing(wire):
    wire.run(0.05)
    wire.feeding = False
    for _ in range(100):
        wire.board.write(1, wire.pin.feed, True)
        wire.run(0.005)
    assert not wire.supply_up()


def test_without_feed_the_supply_is_there(make_wire):
    wire = make_wire(relay_supply="none")
    wire.feeding = False
    wire.set(wire.pin.coil)
    wire.run(1.0)
    assert wire.plant.contactor.contacts == CLOSED


def test_power_cut_takes_coil_and_pilot_to_zero_whatever_the_pins_say(wire):
    wire.charge()
    assert wire.plant.live()
    wire.board.power(False)
    wire.feeding = False
    assert not wire.plant.contactor.energised
    assert (wire.word(), wire.plant.pilot.wire.high_v) == ("E", 0.0)
    wire.run(0.016)
    assert wire.plant.contactor.contacts == OPEN and wire.plant.power_path.outlet_v() == (0.0, 0.0, 0.0)
    wire.board.claim(7, wire.pin.coil, True)
    wire.run(1.0)
    assert not wire.plant.contactor.energised and wire.board.pwm_write("sim.pwm", "pwm0/enable", "1") == 2
    wire.board.power(True)
    wire.run(0.1)
    assert not wire.plant.coil_pin and wire.plant.car is not None
    assert wire.rules() == []


@pytest.mark.parametrize(("setting", "locked"), [("keep", True), ("open", False)])
def test_lock_on_power_loss(make_wire, setting, locked):
    wire = make_wire(lock_on_power_loss=setting)
    wire.charge()
    wire.board.power(False)
    wire.run(1.0)
    assert wire.plant.lock.locked() is locked
    assert wire.rules() == []


def test_bolt_moves_while_it_is_driven(wire):
    assert (wire.plant.lock.word(), wire.board.read(wire.pin.feedback)) == ("unlocked", False)
    wire.set(wire.pin.lock)
    wire.run(0.1)
    assert wire.plant.lock.word() == "moving" and wire.plant.lock.position() == pytest.approx(0.5)
    wire.set(wire.pin.lock, False)
    wire.run(1.0)
    assert wire.plant.lock.position() == pytest.approx(0.5)
    wire.turn_lock()
    assert wire.plant.lock.word() == "locked" and wire.board.read(wire.pin.feedback) is True
    wire.turn_lock(False)
    assert wire.plant.lock.word() == "unlocked" and wire.board.read(wire.pin.feedback) is False


def test_monitor_answers_its_test_and_forgets_it(wire):
    wire.set(wire.pin.test)
    wire.run(0.04)
    assert not wire.board.read(wire.pin.trip)
    wire.run(0.02)
    assert wire.board.read(wire.pin.trip)
    wire.set(wire.pin.test, False)
    wire.run(0.06)
    assert not wire.board.read(wire.pin.trip)


@pytest.mark.parametrize("cuts", [True, False])
def test_a_trip_cuts_the_coil_in_hardware_where_it_is_wired_so(make_wire, cuts):
    wire = make_wire(rcd_cuts_coil=cuts)
    wire.charge()
    wire.plant.faults.lay("rcd_trip")
    wire.run(0.02)
    assert wire.board.read(wire.pin.trip)
    assert wire.plant.live() is not cuts


def test_register_counts_what_went_through(wire):
    wire.charge(16.0, phases=3)
    before = wire.plant.power_path.energy_wh()
    wire.run(36.0)
    assert wire.plant.power_path.energy_wh() - before == pytest.approx(3 * 230 * 16 * 36 / 3600, rel=1e-6)


def test_register_is_exact_whenever_it_is_looked_at(make_wire):
    coarse, fine = make_wire(), make_wire()
    for wire in (coarse, fine):
        wire.charge(16.0)
    fine.run(10.0)
    coarse.timeline.advance(coarse.timeline.now + 0.05)
    for _ in range(100):
        coarse.board.write(1, wire.pin.feed, True), coarse.board.write(1, wire.pin.feed, False)
        coarse.timeline.advance(coarse.timeline.now + 0.0995)
    assert coarse.plant.power_path.energy_wh() == pytest.approx(fine.plant.power_path.energy_wh(), rel=1e-6)


def test_one_phase_evse_has_one_phase(make_wire):
    wire = make_wire(evse={"phases": 1})
    wire.charge(16.0, phases=3)
    assert wire.plant.power_path.outlet_v() == (230.0, 0.0, 0.0)
    assert wire.plant.power_path.current_a == (16.0, 0.0, 0.0)


def test_register_can_be_set_and_goes_on(wire):
    wire.plant.power_path.set_register(1234.5)
    wire.charge()
    wire.run(1.0)
    assert 1234.5 < wire.plant.power_path.energy_wh() < 1250.0


def test_heat_follows_the_current():
    timeline = Timeline()
    heat = Heat(timeline)
    cold = heat.inside_c()
    heat.load(32.0)
    timeline.advance(600.0)
    assert heat.inside_c() == pytest.approx(cold + 9.03 * 0.632, abs=0.05)
    timeline.advance(6000.0)
    assert heat.inside_c() == pytest.approx(cold + 9.03, abs=0.05)


def test_lm75_reads_half_degrees(wire):
    wire.plant.heat.forced_c = 31.3
    assert wire.board.i2c(1, [(72, 0, b"\0"), (72, 2, b"")])[2] == bytes([31, 0x80])
    wire.plant.heat.forced_c = -5.0
    assert wire.board.i2c(1, [(72, 0, b"\0"), (72, 2, b"")])[2] == bytes([0xFB, 0x00])


def test_nobody_at_an_address_is_not_acknowledged(wire):
    assert wire.board.i2c(1, [(0x20, 0, b"\0")])[0] == 121
    assert wire.board.i2c(99, [(0x48, 2, b"")])[0] == 121


def test_state_has_what_the_contract_names(wire):
    wire.charge(16.0)
    shown = state(wire.plant)
    assert shown["pilot"] == {"state": "C2", "high_v": 5.99, "low_v": -12.0, "duty_percent": 26.67}
    assert (shown["contactor"], shown["coil"], shown["relay_supply"]) == ("closed", True, True)
    assert (shown["contacts"], shown["mirror"]) == ([True] * 3, "open")
    assert (shown["lock"], shown["lock_feedback"], shown["outlet_v"], shown["phases_connected"]) == ("locked", "locked", [230.0] * 3, 3)
    assert shown["rcd"] == {"leak_ma": 0.0, "tripped": False, "testing": False}
    assert (shown["pp_ohm"], shown["current_a"], shown["power_w"], shown["faults"]) == (220.0, [16.0] * 3, pytest.approx(11040, abs=1), [])
    assert shown["cycles"] == {"coil": 1, "under_load": 0} and shown["plugged"] is True and shown["ev"]["s2"] is True
    assert {"id", "energy_wh", "temperatures_c"} <= set(shown)
    assert meter(wire.plant)["answering"] is True and meter(wire.plant)["power_w"] == [pytest.approx(3680, abs=1)] * 3


def test_meter_after_the_contactor_is_dark_while_it_is_open(make_wire):
    wire = make_wire(evse={"meter_position": "after"})
    assert meter(wire.plant)["answering"] is False and meter(wire.plant)["voltage_v"] == [0.0, 0.0, 0.0]
    wire.charge()
    assert meter(wire.plant)["answering"] is True and meter(wire.plant)["voltage_v"] == [230.0, 230.0, 230.0]
