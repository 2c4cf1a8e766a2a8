"""The judge finds each violation when it is provoked, and nothing where the firmware did what it could."""

from __future__ import annotations

import pytest

from sim.plant.faults import Details


def unplug_and_open_after(wire, seconds: float) -> None:
    wire.plant.unplug()
    wire.run(seconds)
    wire.set(wire.pin.coil, False)
    wire.run(0.05)


def rest(wire, seconds: float = 6.0) -> None:
    """Offer withdrawn, coil off when the car has stopped, for so long."""
    wire.offer(0)
    wire.run(0.55)
    wire.set(wire.pin.coil, False)
    wire.run(seconds)


# live with nobody there ---------------------------------------------------------------------------------------------------------------------


def test_an_ordinary_session_violates_nothing(wire):
    wire.charge(16.0)
    rest(wire, 0.1)
    wire.turn_lock(False)
    wire.plant.unplug()
    wire.run(1.0)
    assert wire.rules() == []


@pytest.mark.parametrize(("reaction_s", "found"), [(0.03, []), (0.08, []), (0.09, ["live_without_cable", "live_without_car"])])
def test_unplugged_under_load(wire, reaction_s, found):
    wire.charge(16.0)
    unplug_and_open_after(wire, reaction_s)
    assert sorted(wire.rules()) == found


def test_a_violation_has_time_evse_and_the_last_200_ms_of_the_wire(wire):
    wire.charge(16.0)
    at = wire.timeline.now
    unplug_and_open_after(wire, 0.2)
    violation = next(each for each in wire.plant.judge.violations if each["rule"] == "live_without_car")
    assert violation["evse"] == 1 and violation["at_s"] == pytest.approx(at + 0.1, abs=1e-6)
    assert violation["text"] == "outlet live for 100 ms with pilot in A"
    window = violation["wire"]
    assert window[0]["state"] == "C2" and window[-1]["state"] == "A" and window[-1]["contacts"] == (True, True, True)
    assert window[0]["ms"] <= -200 or len(window) > 1
    assert any(each["state"] == "A" and each["ms"] == pytest.approx(-100, abs=1) for each in window)


@pytest.mark.parametrize(("act", "letter"), [("ready", "B"), ("short", "E"), ("f", "F")])
def test_live_in_b_e_and_f(wire, act, letter):
    wire.charge(16.0)
    if act == "ready":
        wire.plant.change_ev({"ready": False})
    elif act == "short":
        wire.plant.faults.lay("cp_short")
    else:
        wire.duty(0.0)
    wire.run(0.2)
    assert wire.rules() == ["live_without_car"]
    assert wire.plant.judge.violations[0]["text"].endswith(f"pilot in {letter}")


def test_a_state_that_comes_back_in_time_is_none(wire):
    wire.charge(16.0)
    for _ in range(5):
        wire.plant.faults.lay("pilot_spike", for_ms=90)
        wire.run(0.2)
    assert wire.rules() == []


def test_each_time_counts_once(wire):
    wire.charge(16.0)
    for _ in range(2):
        wire.plant.change_ev({"ready": False})
        wire.run(0.5)
        wire.plant.change_ev({"ready": True})
        wire.run(0.5)
    assert wire.rules() == ["live_without_car", "live_without_car"]


def test_closing_in_b_is_found(wire):
    wire.plant.plug_in(1, {"ready": False})
    wire.turn_lock()
    wire.offer(16)
    wire.set(wire.pin.coil)
    wire.run(0.2)
    assert wire.rules() == ["live_without_car"]


def test_a_weld_is_not_held_against_the_firmware_but_its_own_coil_is(wire):
    wire.charge(16.0)
    wire.plant.faults.lay("contactor_weld", Details(poles=(1, 2, 3)))
    unplug_and_open_after(wire, 0.03)
    wire.run(1.0)
    assert wire.plant.live() and wire.rules() == []
    wire.set(wire.pin.coil)
    wire.run(0.2)
    assert "live_without_car" in wire.rules() and "coil_with_weld" in wire.rules()


@pytest.mark.parametrize("fault", ["coil_stuck_on", "contactor_l23_weld"])
def test_nor_is_a_coil_or_a_second_contactor_that_a_fault_holds(wire, fault):
    wire.charge(16.0)
    wire.plant.faults.lay(fault)
    unplug_and_open_after(wire, 0.03)
    wire.run(1.0)
    assert wire.plant.live() and wire.rules() == []


@pytest.mark.parametrize(
    ("word", "hold_ms", "found"),
    [("killed", 100.0, []), ("hung", 100.0, []), ("stopped", 300.0, ["live_without_cable", "live_without_car"])],
)
def test_control_gone_leaves_the_relay_supply_its_time(make_wire, word, hold_ms, found):
    wire = make_wire(fed_hold_ms=hold_ms)
    wire.charge(16.0)
    wire.feeding = False
    wire.plant.control_lost(word)
    wire.plant.unplug()
    wire.run(0.6)
    assert sorted(wire.rules()) == found
    for violation in wire.plant.judge.violations:
        assert violation["text"].endswith(f"; control was {word}")


def test_control_long_gone_has_no_time_left(make_wire):
    wire = make_wire(relay_supply="none")
    wire.charge(16.0)
    wire.plant.control_lost("killed")
    wire.run(1.0)
    wire.plant.unplug()
    wire.run(0.11)
    assert "live_without_car" in wire.rules()


# bolt and cable -----------------------------------------------------------------------------------------------------------------------------


def test_closing_with_the_bolt_open_is_found_at_once(wire):
    wire.plant.plug_in(1, {"delay_s": 0.1})
    wire.offer(16)
    wire.run(0.2)
    wire.set(wire.pin.coil)
    wire.run(0.025)
    assert wire.rules() == ["live_unlocked"]


def test_closing_without_a_cable_is_found_at_once(wire):
    wire.turn_lock()
    wire.set(wire.pin.coil)
    wire.run(0.025)
    assert wire.rules() == ["live_without_cable"]


def closing_in_flight(wire, before_s: float) -> None:
    """The coil is commanded so long before the whole cable is pulled."""
    wire.plant.plug_in(1, {"delay_s": 0.1, "follow_s": 0.1})
    wire.turn_lock()
    wire.offer(16)
    wire.run(0.3)
    wire.set(wire.pin.coil)
    wire.run(before_s)
    wire.plant.unplug()
    assert not wire.plant.live()


@pytest.mark.parametrize(("reaction_s", "found"), [(0.03, []), (0.085, []), (0.095, ["live_without_cable", "live_without_car"])])
def test_a_contact_already_pulling_in_when_the_cable_goes_has_the_time_to_open(wire, reaction_s, found):
    closing_in_flight(wire, 0.015)
    wire.run(0.006)
    assert wire.plant.live(), "nobody can stop it"
    wire.run(reaction_s - 0.006)
    wire.set(wire.pin.coil, False)
    wire.run(0.2)
    assert sorted(wire.rules()) == found


@pytest.mark.parametrize("again", [False, True])
def test_a_closing_commanded_after_the_cable_left_is_found_at_once(wire, again):
    if again:
        closing_in_flight(wire, 0.015)
        wire.set(wire.pin.coil, False)
    else:
        wire.charge(16.0)
        unplug_and_open_after(wire, 0.03)
        wire.plant.unplug()
    wire.run(0.001)
    wire.set(wire.pin.coil)
    wire.run(0.021)
    assert "live_without_cable" in wire.rules()


def test_a_command_long_before_the_cable_left_is_no_closing_in_flight(make_wire):
    wire = make_wire()
    wire.plant.plug_in(1, {"delay_s": 0.1, "follow_s": 0.1})
    wire.turn_lock()
    wire.feeding = False
    wire.run(0.3)
    wire.set(wire.pin.coil)
    wire.plant.unplug()
    wire.run(0.2)
    wire.feeding = True
    wire.run(0.03)
    assert wire.rules() == ["live_without_cable"]


def test_a_tethered_cable_needs_no_bolt(make_wire):
    wire = make_wire(evse={"connectors": ["cType2"]})
    wire.plant.plug_in(1, {"delay_s": 0.1})
    wire.offer(16)
    wire.run(0.2)
    wire.set(wire.pin.coil)
    wire.run(0.5)
    assert wire.plant.live() and wire.rules() == []


def test_bolt_moved_while_live(wire):
    wire.charge(16.0)
    wire.turn_lock(False)
    assert wire.rules() == ["bolt_moved_live", "live_unlocked"]


def test_bolt_moved_with_a_welded_pole(wire):
    wire.charge(16.0)
    wire.plant.faults.lay("contactor_weld")
    rest(wire, 1.0)
    wire.turn_lock(False)
    assert "bolt_moved_live" in wire.rules()


def test_bolt_moved_while_the_mirror_contact_lied_is_not_the_firmwares(wire):
    wire.charge(16.0)
    wire.plant.faults.lay("contactor_weld"), wire.plant.faults.lay("mirror_stuck_closed")
    rest(wire, 1.0)
    wire.turn_lock(False)
    assert wire.rules() == []


# offer --------------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cable_a", "amps", "found"),
    [(13, 13.0, []), (13, 16.0, ["offer_too_high"]), (32, 32.0, []), (20, 32.0, ["offer_too_high"]), (63, 40.0, ["offer_too_high"])],
)
def test_offer_above_cable_or_board(wire, cable_a, amps, found):
    wire.plant.plug_in(1, {"cable_a": cable_a, "ready": False})
    wire.run(1.5)
    wire.offer(amps)
    wire.run(0.5)
    assert wire.rules() == found


def test_a_new_cable_under_an_old_offer_has_a_second(wire):
    wire.plant.plug_in(1, {"cable_a": 32, "ready": False})
    wire.run(1.5)
    wire.offer(32)
    wire.plant.unplug()
    wire.plant.plug_in(1, {"cable_a": 13, "ready": False})
    wire.run(0.9)
    assert wire.rules() == []
    wire.run(0.2)
    assert wire.rules() == ["offer_too_high"]


def test_an_offer_without_a_readable_coding(wire):
    wire.plant.faults.lay("pp_open")
    wire.plant.plug_in(1, {"ready": False})
    wire.run(1.5)
    wire.offer(6)
    wire.run(0.1)
    assert wire.rules() == ["offer_too_high"]


def test_a_stuck_pwm_offers_what_it_offers(wire):
    wire.plant.plug_in(1, {"ready": False})
    wire.offer(32)
    wire.plant.faults.lay("pwm_stuck")
    wire.plant.faults.lay("pp_change")
    wire.run(2.0)
    assert wire.rules() == []


# coil ---------------------------------------------------------------------------------------------------------------------------------------


def test_coil_on_during_a_residual_current_test(wire):
    wire.charge(16.0)
    rest(wire)
    wire.set(wire.pin.test)
    wire.run(0.01)
    wire.set(wire.pin.coil)
    wire.set(wire.pin.coil, False), wire.set(wire.pin.test, False)
    assert wire.rules() == ["coil_in_rcd_test"]


def test_test_begun_with_the_coil_on(wire):
    wire.charge(16.0)
    wire.set(wire.pin.test)
    assert wire.rules() == ["coil_in_rcd_test"]


def test_coil_on_with_a_known_weld(wire):
    wire.charge(16.0)
    wire.plant.faults.lay("contactor_weld")
    rest(wire)
    wire.offer(16)
    wire.run(0.5)
    wire.set(wire.pin.coil)
    assert wire.rules() == ["coil_with_weld"]


@pytest.mark.parametrize(("after_s", "found"), [(4.0, ["coil_within_reclose_guard"]), (5.0, [])])
def test_coil_on_within_the_reclose_guard(wire, after_s, found):
    wire.charge(16.0)
    rest(wire, 0.015)
    wire.offer(16)
    wire.run(after_s)
    wire.set(wire.pin.coil)
    assert wire.rules() == found


def test_another_plug_in_has_no_guard(wire):
    wire.charge(16.0)
    unplug_and_open_after(wire, 0.03)
    wire.offer(0)
    wire.run(0.2)
    wire.turn_lock(False)
    wire.charge(16.0)
    assert wire.plant.live() and wire.rules() == []


# opening under load -------------------------------------------------------------------------------------------------------------------------


def test_opened_under_load_for_nothing(wire):
    wire.charge(16.0)
    wire.set(wire.pin.coil, False)
    wire.run(0.1)
    assert wire.rules() == ["opened_under_load"] and wire.plant.under_load == 1


@pytest.mark.parametrize(("after_s", "found"), [(5.5, ["opened_under_load"]), (6.0, [])])
def test_opened_under_load_after_the_offer_was_withdrawn(wire, after_s, found):
    wire.charge(16.0, s2_open_s=None)
    wire.offer(0)
    wire.run(after_s)
    wire.set(wire.pin.coil, False)
    wire.run(0.1)
    assert wire.rules() == found and wire.plant.under_load == 1


@pytest.mark.parametrize(("ventilation", "found"), [(False, []), (True, ["opened_under_load"])])
def test_a_car_that_asks_for_ventilation_where_there_is_none_may_be_opened(make_wire, ventilation, found):
    wire = make_wire({"ventilation": ventilation})
    wire.charge(16.0)
    wire.plant.change_ev({"ventilation": True})
    wire.run(0.02)
    wire.set(wire.pin.coil, False)
    wire.run(0.1)
    assert wire.rules() == found


def test_a_small_current_may_be_switched(wire):
    wire.charge(16.0, max_current_a=0.9)
    wire.set(wire.pin.coil, False)
    wire.run(0.1)
    assert wire.rules() == [] and wire.plant.under_load == 0


@pytest.mark.parametrize(
    "fault", ["rcd_trip", "emergency_stop", "diode", "i2c_stuck", "lock_feedback_lost", "mirror_stuck_closed", "over_temperature"]
)
def test_a_protective_cause_may_open_under_load(make_wire, fault):
    wire = make_wire(rcd_cuts_coil=False)
    wire.charge(16.0)
    wire.plant.faults.lay(fault)
    wire.run(0.02)
    wire.set(wire.pin.coil, False)
    wire.run(0.1)
    assert wire.rules() == []


@pytest.mark.parametrize("fault", ["meter_offline", "reader_offline"])
def test_the_meters_and_the_readers_faults_are_no_cause(wire, fault):
    wire.charge(16.0)
    wire.plant.faults.lay(fault)
    wire.set(wire.pin.coil, False)
    wire.run(0.1)
    assert wire.rules() == ["opened_under_load"]


def test_a_contactor_that_does_not_open_may_take_the_others_supply(make_wire):
    wire = make_wire(count=2)
    wire.charge(16.0)
    wire.board.plants[2].faults.lay("mirror_stuck_open")
    wire.set(wire.pin.coil, False)
    wire.run(0.1)
    assert wire.rules() == [] and wire.plant.under_load == 1


def test_the_death_of_control_may_open_under_load(wire):
    wire.charge(16.0)
    wire.feeding = False
    wire.board.release(1)
    wire.run(0.2)
    assert not wire.plant.live() and wire.rules() == [] and wire.plant.under_load == 1


def test_a_supply_that_is_not_fed_though_control_lives_is_named(wire):
    wire.charge(16.0)
    wire.feeding = False
    wire.run(0.2)
    assert "the relay supply fell" in wire.plant.judge.violations[0]["text"]


def test_control_that_reads_the_pilot_again_is_back(wire):
    wire.plant.control_lost("stopped")
    wire.run(0.01)
    wire.board.i2c(10, [(0x48, 0, b"\0")])
    assert wire.plant.judge.control_word == "stopped"
    wire.run(0.05)
    wire.board.i2c(10, [(0x48, 0, b"\0")])
    assert wire.plant.judge.control_word == "running"
