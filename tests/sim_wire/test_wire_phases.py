"""A second contactor in series with poles 2 and 3: its own coil and mirror contact, what reaches the car, and what the world does not forgive."""

from __future__ import annotations

import pytest

from sim.plant.state import state

ONE, THREE = (True, False, False), (True, True, True)


@pytest.fixture
def two(make_wire):
    """A board with a second contactor."""
    return make_wire(phase_switching=True)


def connect(wire, on: bool = True) -> None:
    wire.run(1.1)
    wire.set(wire.pin.coil_l23, on)
    wire.run(0.1)


def mirrors(wire) -> tuple[bool, bool]:
    """Whether each mirror contact says that its contactor is open (both inputs are active low)."""
    return not wire.board.read(wire.pin.mirror), not wire.board.read(wire.pin.mirror_l23)


def test_without_the_option_the_first_contactor_has_all_poles(wire):
    assert wire.pin.coil_l23 not in wire.board.wiring.outputs and state(wire.plant)["contactor_l23"] is None
    wire.charge()
    assert state(wire.plant)["phases_connected"] == 3


@pytest.mark.parametrize(("second", "contacts", "phases"), [(False, ONE, 1), (True, THREE, 3)])
def test_the_car_charges_on_the_phases_it_gets(two, second, contacts, phases):
    connect(two, second)
    two.charge(10.0)
    shown = state(two.plant)
    assert two.plant.contactor.contacts == contacts
    assert (shown["phases_connected"], shown["current_a"]) == (phases, [10.0] * phases + [0.0] * (3 - phases))
    assert shown["power_w"] == pytest.approx(2300.0 * phases)
    assert two.rules() == []


def test_a_car_of_one_phase_draws_on_one_of_three(two):
    connect(two)
    two.charge(10.0, phases=1)
    shown = state(two.plant)
    assert (shown["phases_connected"], shown["current_a"]) == (3, [10.0, 0.0, 0.0])


def test_the_second_contactor_alone_makes_nothing_live(two):
    connect(two)
    shown = state(two.plant)
    assert shown["outlet_v"] == [0.0] * 3 and shown["contactor"] == "open"
    assert shown["contactor_l23"] == {"coil": True, "contacts": [True, True], "mirror": "open", "cycles": 1}


def test_each_mirror_contact_tells_of_its_own_contactor(two):
    assert mirrors(two) == (True, True)
    connect(two)
    assert mirrors(two) == (True, False)
    two.charge()
    assert mirrors(two) == (False, False)
    connect(two, on=False)
    assert mirrors(two) == (False, True)


def test_a_welded_second_contactor_lets_the_first_open(two):
    connect(two)
    two.plant.faults.lay("contactor_l23_weld")
    connect(two, on=False)
    assert mirrors(two) == (True, False) and not two.plant.live()
    two.charge()
    assert state(two.plant)["phases_connected"] == 3
    two.plant.faults.lift("contactor_l23_weld")
    assert state(two.plant)["phases_connected"] == 1


def test_a_second_contactor_that_does_not_close_says_so(two):
    two.plant.faults.lay("contactor_l23_stuck_open")
    connect(two)
    assert mirrors(two) == (True, True)
    two.charge()
    assert state(two.plant)["phases_connected"] == 1


def test_what_takes_the_first_coil_off_takes_the_second(two):
    connect(two)
    two.charge()
    two.feeding = False
    two.run(0.2)
    assert not two.plant.contactor.energised and not state(two.plant)["contactor_l23"]["coil"]


def test_phases_switched_under_a_closed_contactor_are_a_violation(two):
    two.charge()
    connect(two)
    assert two.rules() == ["phases_switched_closed"]


def test_phases_switched_at_once_after_the_opening_are_a_violation(two):
    two.charge(s2_open_s=None)
    two.offer(0.0)
    two.run(6.1)
    two.set(two.pin.coil, False)
    two.run(0.3)
    two.set(two.pin.coil_l23)
    assert two.rules() == ["phases_switched_early"]


def test_phases_switched_while_current_is_offered_are_a_violation(two):
    two.plant.plug_in(1, {"ready": False})
    two.offer(16.0)
    connect(two)
    assert two.rules() == ["phases_switched_offered"]
