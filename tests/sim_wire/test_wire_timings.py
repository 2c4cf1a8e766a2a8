"""Reactions: which cause counts, from when to when, and the table of them."""

from __future__ import annotations

import pytest

from sim.plant.faults import Details
from sim.plant.timings import CAUSES, Reaction, at_share, table


def open_after(wire, seconds: float = 0.03) -> None:
    wire.run(seconds)
    wire.set(wire.pin.coil, False)
    wire.run(0.1)


def lay(name: str, **details):
    return lambda wire: wire.plant.faults.lay(name, Details(**details))


def lost(word: str):
    def act(wire):
        wire.plant.control_lost(word)

    return act


BROUGHT_BY = {
    "unplug": lambda wire: wire.plant.unplug(),
    "s2_open": lambda wire: wire.plant.change_ev({"ready": False}),
    "cp_short": lay("cp_short"),
    "diode": lay("diode"),
    "rcd_trip": lay("rcd_trip"),
    "emergency_stop": lay("emergency_stop"),
    "lock_lost": lay("lock_feedback_lost"),
    "over_current": lay("over_current"),
    "control_killed": lost("killed"),
    "control_stopped": lost("stopped"),
    "loop_hung": lost("hung"),
    "i2c_stuck": lay("i2c_stuck"),
    "offer_withdrawn": lambda wire: wire.offer(0),
}


@pytest.mark.parametrize("cause", BROUGHT_BY)
def test_each_cause_is_timed_from_the_wire_to_the_coil_and_the_contacts(make_wire, cause):
    wire = make_wire(rcd_cuts_coil=False)
    wire.charge(16.0, s2_open_s=None)
    BROUGHT_BY[cause](wire)
    open_after(wire, 0.03)
    (reaction,) = wire.plant.timings.reactions
    assert reaction.cause == cause
    assert reaction.coil_ms == pytest.approx(30.0, abs=0.1) and reaction.contacts_ms == pytest.approx(45.0, abs=0.1)


def test_every_cause_of_the_contract_is_known():
    assert {*BROUGHT_BY, "permit_lapsed"} == set(CAUSES)


def test_an_offer_that_ends_while_the_station_is_gone_is_a_lapsed_permit(wire):
    wire.charge(16.0, s2_open_s=0.5)
    wire.plant.timings.station_gone = True
    wire.offer(0)
    wire.run(0.52)
    wire.set(wire.pin.coil, False)
    assert wire.causes() == {"permit_lapsed": pytest.approx(520, abs=0.1), "s2_open": pytest.approx(20, abs=0.1)}


def test_a_cause_without_coil_counts_not(wire):
    wire.plant.plug_in(1, {"delay_s": 0.1})
    wire.offer(16)
    wire.run(0.3)
    wire.plant.unplug()
    wire.run(1.0)
    wire.set(wire.pin.coil), wire.run(0.1), wire.set(wire.pin.coil, False)
    assert wire.causes() == {}


@pytest.mark.parametrize("fault", ["cp_short", "diode", "i2c_stuck", "emergency_stop", "lock_feedback_lost", "cp_open"])
def test_a_cause_that_goes_before_the_coil_does_is_dropped(wire, fault):
    wire.charge(16.0)
    wire.plant.faults.lay(fault, for_ms=5)
    open_after(wire, 0.05)
    assert wire.causes() == {}


def test_s2_closed_again_is_dropped(wire):
    wire.charge(16.0)
    wire.plant.change_ev({"ready": False}), wire.run(0.01), wire.plant.change_ev({"ready": True}), wire.run(0.2)
    open_after(wire)
    assert wire.causes() == {}


def test_a_hardware_trip_takes_no_time(wire):
    wire.charge(16.0)
    wire.plant.faults.lay("rcd_trip")
    wire.run(0.1)
    assert wire.causes() == {"rcd_trip": 0.0}


def test_a_test_of_the_monitor_is_no_trip(wire):
    wire.set(wire.pin.test), wire.run(0.3), wire.set(wire.pin.test, False), wire.run(0.3)
    assert wire.causes() == {}


def test_death_of_a_process_that_held_the_coil_is_seen_without_being_told(wire):
    wire.charge(16.0)
    wire.feeding = False
    wire.board.release(1)
    wire.run(0.3)
    assert 90.0 < wire.causes()["control_killed"] <= 100.0


def test_pins_that_fall_back_open_at_once(make_wire):
    wire = make_wire(on_release="input")
    wire.charge(16.0)
    wire.board.release(1)
    assert wire.causes() == {"control_killed": 0.0}


def test_a_contact_that_stays_closed_has_no_time(wire):
    wire.charge(16.0)
    wire.plant.faults.lay("contactor_weld")
    wire.plant.unplug()
    open_after(wire)
    (reaction,) = wire.plant.timings.reactions
    assert reaction.contacts_ms is None


def test_table_and_reset(wire):
    reactions = [Reaction("unplug", 0.0, float(ms)) for ms in range(1, 1001)]
    for reaction in reactions:
        reaction.contacts_ms = reaction.coil_ms + 15.0
    assert table(reactions) == [
        {"cause": "unplug", "count": 1000, "p50_ms": 500.0, "p99_ms": 990.0, "p999_ms": 999.0, "max_ms": 1000.0, "contacts_p999_ms": 1014.0}
    ]
    assert table([]) == [] and at_share([], 0.5) is None
    wire.charge(16.0)
    wire.plant.unplug()
    open_after(wire)
    assert table(wire.plant.timings.reactions)[0]["count"] == 1
    wire.plant.timings.reset()
    assert wire.plant.timings.reactions == []


def test_the_station_is_back_when_it_opens_its_ports(wire):
    wire.plant.timings.station_gone = True
    wire.board.station_back()
    wire.charge(16.0)
    wire.offer(0)
    open_after(wire)
    assert set(wire.causes()) == {"offer_withdrawn"}
