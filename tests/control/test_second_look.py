"""The second line of defence, alone and on the wire."""

from __future__ import annotations

import pytest

from chargepoint.control.second_look import HIGHEST_V, LOWEST_V, OFF_LEVEL_S, X1_CLOSED_S, SecondLook
from chargepoint.control.watch import Watch
from tests.control.fakes import FIGURES, TURN_S, Bench, FakeSecond, StillClock, Wire

NOW = 1000.0


class Look:
    """A second look at a closed contactor whose table and filter see nothing."""

    def __init__(self) -> None:
        self.now = NOW
        self.watch = Watch(NOW, socket=False, d_allowed=True, thermometer=False)
        self.wire = Wire(StillClock(NOW))
        self.wire.coil = True
        self.second = FakeSecond(self.wire)
        self.look = SecondLook(self.wire, self.second, self.watch)
        self.watch.coil = self.watch.pwm = True
        self.watch.high_v = 6.0

    def until_contradicted(self, within_s: float) -> float | None:
        begun = self.now
        while self.now - begun < within_s:
            self.look.step(self.now)
            if self.watch.contradicted:
                return self.now - begun
            self.now += TURN_S
        return None


@pytest.mark.parametrize("volts", [6.0, 3.0, LOWEST_V, HIGHEST_V])
def test_a_car_that_draws_contradicts_nothing(volts: float) -> None:
    it = Look()
    it.watch.high_v = volts
    assert it.until_contradicted(10.0) is None


@pytest.mark.parametrize("volts", [12.0, 9.0, HIGHEST_V + 0.01, LOWEST_V - 0.01, 0.0, -12.0])
def test_a_closed_contactor_with_the_pilot_elsewhere(volts: float) -> None:
    it = Look()
    it.watch.high_v = volts
    took_s = it.until_contradicted(1.0)
    assert took_s == pytest.approx(OFF_LEVEL_S, abs=TURN_S)


def test_a_pilot_that_comes_back_in_time_is_a_spike() -> None:
    it = Look()
    for _ in range(20):
        it.watch.high_v = 12.0
        assert it.until_contradicted(OFF_LEVEL_S - 2 * TURN_S) is None
        it.watch.high_v = 6.0
        assert it.until_contradicted(2 * TURN_S) is None


def test_a_contactor_closed_at_x1_for_longer_than_the_cars_time() -> None:
    it = Look()
    it.watch.pwm = False
    it.watch.pwm_since = NOW
    assert it.until_contradicted(10.0) == pytest.approx(X1_CLOSED_S, abs=TURN_S)


@pytest.mark.parametrize("commanded", [True, False])
def test_a_coil_that_reads_back_as_something_else(commanded: bool) -> None:
    it = Look()
    it.watch.coil = commanded
    it.wire.read_back = not commanded
    took_s = it.until_contradicted(1.0)
    assert took_s is not None and took_s <= 8 * TURN_S
    assert it.look.stuck_on is not commanded
    assert ("coil off" in it.wire.writes) is not commanded, "off is written again"


@pytest.mark.parametrize("commanded", [True, False])
def test_a_second_coil_that_reads_back_as_something_else(commanded: bool) -> None:
    it = Look()
    it.watch.coil_l23 = commanded
    it.second.read_back = not commanded
    took_s = it.until_contradicted(1.0)
    assert took_s is not None and took_s <= 8 * TURN_S
    assert (False in it.second.writes) is not commanded, "off is written again"
    assert not it.look.stuck_on, "the first contactor opens by itself: its supply stays"


def test_on_the_wire_a_second_coil_that_falls_opens_the_first() -> None:
    bench = Bench(FIGURES._replace(phase_switching=True), second=True)
    bench.charge()
    assert bench.second.coil
    bench.second.read_back = False
    bench.until(lambda: not bench.wire.coil, 0.1)
    assert "outputs_contradicted" in bench.evse.faults.names()


def test_on_the_wire_a_second_coil_that_comes_by_itself_is_seen_without_a_car() -> None:
    bench = Bench(FIGURES._replace(phase_switching=True), second=True)
    bench.settle()
    bench.second.read_back = True
    bench.until(lambda: "outputs_contradicted" in bench.evse.faults.names(), 0.1)
    assert bench.evse.fed and not bench.evse.second_look.stuck_on


def test_on_the_wire_it_opens_and_stays_until_unplugged() -> None:
    bench = Bench()
    bench.charge()
    bench.wire.read_back = False
    bench.until(lambda: not bench.wire.coil, 0.1)
    assert "outputs_contradicted" in bench.evse.faults.names()
    bench.wire.read_back = None
    bench.wire.writes.clear()
    bench.seconds(60.0)
    assert "coil on" not in bench.wire.writes
    bench.renewing = False
    bench.plug(12.0)
    bench.seconds(2.0)
    assert bench.evse.faults.names() == ()


def test_a_whole_charge_contradicts_nothing() -> None:
    bench = Bench()
    bench.charge()
    for volts in (9.0, 6.0, 0.0, 6.0):
        bench.wire.car_v = volts
        bench.seconds(8.0)
    assert not [kind for kind in bench.ear.kinds() if "contradicted" in kind]
