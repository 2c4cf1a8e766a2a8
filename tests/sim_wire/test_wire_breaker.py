"""The breaker before the contactor, where the board has a shunt trip for it."""

from __future__ import annotations

import pytest

from sim.plant.state import meter, state
from tests.sim_wire.conftest import MakeWire, Wire


@pytest.fixture
def welded(make_wire: MakeWire) -> Wire:
    """A car on a contactor that does not open."""
    wire = make_wire(shunt_trip=True)
    wire.charge(16.0)
    wire.plant.faults.lay("contactor_weld")
    wire.set(wire.pin.coil, False)
    wire.run(0.1)
    return wire


def test_the_shunt_trip_takes_the_mains_from_a_welded_contactor(welded: Wire) -> None:
    assert state(welded.plant)["outlet_v"] == [230.0, 0.0, 0.0]
    welded.set(welded.pin.shunt_trip)
    welded.run(0.05)
    shown = state(welded.plant)
    assert (shown["breaker"], shown["outlet_v"], shown["current_a"]) == ("open", [0.0] * 3, [0.0] * 3)
    assert not meter(welded.plant)["answering"], "the meter before the contactor sits behind the breaker"
    assert ("breaker", {"breaker": "open"}) in welded.events and welded.rules() == []


def test_a_pulse_that_is_too_short_releases_nothing(welded: Wire) -> None:
    welded.set(welded.pin.shunt_trip)
    welded.run(0.01)
    welded.set(welded.pin.shunt_trip, False)
    welded.run(0.1)
    assert welded.plant.breaker_word() == "closed"


def test_it_stays_open_until_somebody_closes_it_and_opens_by_hand_too(welded: Wire) -> None:
    breaker = welded.plant.breaker
    assert breaker is not None
    welded.set(welded.pin.shunt_trip)
    welded.run(0.05)
    welded.board.power(False)
    welded.start()
    assert state(welded.plant)["outlet_v"] == [0.0] * 3, "power comes back behind an open breaker"
    assert breaker.turn(True) and not breaker.turn(True)
    assert state(welded.plant)["outlet_v"] == [230.0, 0.0, 0.0]
    assert breaker.turn(False)
    assert not welded.plant.live()


def test_without_one_the_pin_ends_nowhere(wire: Wire) -> None:
    assert state(wire.plant)["breaker"] is None
    assert wire.pin.shunt_trip not in wire.board.wiring.outputs
