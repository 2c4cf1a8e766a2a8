"""Shorts, breaks, lost rails and single spikes over the modelled front end, at duties over the whole scale: no fall closes, no single spike opens."""

from __future__ import annotations

from itertools import cycle
from random import Random

import pytest

from chargepoint.control import faults
from chargepoint.control.electrics import amps
from chargepoint.control.machine import Phase
from chargepoint.model.pilot import PilotState
from tests.control.fakes import FIGURES, Bench, StillClock
from tests.control.pilot_wire import PilotWire

TETHERED = FIGURES._replace(socket=False, d_allowed=True, board_a=80.0, rating_a=80.0)
DUTIES = (*range(10, 97, 4), 85, 89, 96, 97)
WIDTHS_MS = (0.2, 0.5, 1.0, 2.0, 3.0, 5.0)
SPIKES: dict[str, dict[str, object]] = {
    "up 6 V": {"spike_v": 6.0},
    "up 3 V": {"spike_v": 3.0},
    "down 3 V": {"spike_v": -3.0},
    "down 6 V": {"spike_v": -6.0},
    "down 12 V": {"spike_v": -12.0},
    "short": {"short_ohm": 0.0},
    "cut": {"cut": True},
}
CAUSES: dict[str, dict[str, object]] = {
    "short": {"short_ohm": 0.0},
    "open": {"cut": True},
    "+12 V lost": {"rails_v": (0.0, -12.0)},
    "-12 V lost": {"rails_v": (12.0, 0.0)},
    "both lost": {"rails_v": (0.0, 0.0)},
}
RECOVERED_S = 0.25
LONGER_S = (0.006, 0.008, 0.01)
"""The longest that a board may have is 10 ms."""
OPEN_S = 0.08
"""Coil off; the contacts have 20 ms of the standard's 100 ms for themselves."""


class Course:
    """One EVSE on the simulator's pilot, brought into a state at a duty."""

    def __init__(self, percent: float, volts: float, *, permitted: bool = True, turn_s: float = TETHERED.turn_s) -> None:
        self.wire = PilotWire(StillClock())
        self.bench = bench = Bench(TETHERED._replace(turn_s=turn_s), wire=self.wire)
        bench.limit_a = amps(percent / 100.0)
        self.random = Random(round(percent))
        bench.settle()
        bench.plug(min(volts, 9.0) if volts >= 9.0 else 9.0)
        if volts == 12.0:
            bench.plug(12.0)
        bench.renewing = permitted and volts < 12.0
        if bench.renewing:
            bench.until(lambda: bench.evse.watch.pwm)
        self.wire.car_v = volts
        bench.seconds(1.0)
        self.closed = bench.wire.coil
        bench.wire.writes.clear()
        bench.ear.edges.clear()

    def put(self, values: dict[str, object]) -> None:
        for name, value in values.items():
            setattr(self.wire.pilot, name, value)
        self.wire.settle()

    def opens_in(self) -> float:
        """Seconds until the coil is off."""
        return self.bench.until(lambda: not self.bench.wire.coil)

    def spike(self, kind: str, width_ms: float) -> None:
        """One spike, at any moment of a turn, and the time until it is over."""
        self.wire.for_a_while(self.random.uniform(0.0, self.bench.turn_s), width_ms / 1000.0, **SPIKES[kind])
        self.bench.seconds(RECOVERED_S)


@pytest.mark.parametrize("percent", DUTIES)
@pytest.mark.parametrize("volts", [6.0, 3.0])
def test_one_spike_never_opens(volts: float, percent: float) -> None:
    course = Course(percent, volts)
    assert course.closed
    for kind in SPIKES:
        for width_ms in WIDTHS_MS:
            course.spike(kind, width_ms)
            assert course.bench.wire.coil and course.bench.evse.watch.closed, (kind, width_ms, course.bench.ear.kinds())
    assert not course.bench.evse.faults.active & (faults.OPENS | faults.WITHDRAWS)


@pytest.mark.parametrize("percent", DUTIES)
def test_one_spike_never_closes_on_a_car_that_does_not_ask(percent: float) -> None:
    course = Course(percent, 9.0)
    for kind in SPIKES:
        for width_ms in WIDTHS_MS:
            course.spike(kind, width_ms)
            assert "coil on" not in course.bench.wire.writes, (kind, width_ms)


@pytest.mark.parametrize("volts", [12.0, 9.0, 6.0, 3.0])
def test_one_spike_never_closes_without_a_permit(volts: float) -> None:
    course = Course(53.3, volts, permitted=False)
    for kind in SPIKES:
        for width_ms in WIDTHS_MS:
            course.spike(kind, width_ms)
            assert "coil on" not in course.bench.wire.writes and not course.bench.evse.watch.pwm, (kind, width_ms)


@pytest.mark.parametrize("volts", [6.0, 3.0])
@pytest.mark.parametrize("kind", SPIKES)
def test_one_spike_never_opens_while_the_car_has_its_time_after_the_offer(kind: str, volts: float) -> None:
    course = Course(53.3, volts)
    bench = course.bench
    bench.renewing = False
    bench.permit(0.0)
    bench.until(lambda: bench.evse.phase is Phase.WITHDRAW)
    bench.seconds(0.7)
    for width_ms in WIDTHS_MS:
        course.spike(kind, width_ms)
        assert bench.wire.coil and bench.evse.watch.closed, (width_ms, bench.ear.kinds())


@pytest.mark.parametrize(("pilot", "values"), [(PilotState.E, {"short_ohm": 0.0}), (PilotState.F, {"rails_v": (-12.0, -12.0)})])
def test_one_spike_in_e_or_f_never_closes(pilot: PilotState, values: dict[str, object]) -> None:
    course = Course(53.3, 6.0)
    bench = course.bench
    course.put(values)
    bench.until(lambda: bench.evse.watch.pilot is pilot)
    bench.wire.writes.clear()
    for kind in SPIKES:
        for width_ms in WIDTHS_MS:
            course.spike(kind, width_ms)
            assert "coil on" not in bench.wire.writes and not bench.evse.watch.pwm, (kind, width_ms)


@pytest.mark.parametrize("volts", [9.0, 6.0])
@pytest.mark.parametrize("delay_ms", range(0, 210, 10))
def test_a_spike_on_a_shorted_pilot_does_not_blame_the_generator(delay_ms: int, volts: float) -> None:
    course = Course(53.3, volts)
    bench = course.bench
    course.put(CAUSES["short"])
    bench.seconds(delay_ms / 1000.0)
    course.spike("up 6 V", 5.0)
    bench.seconds(1.2)
    assert bench.evse.faults.names() == ("pilot_short",)


@pytest.mark.parametrize("percent", DUTIES)
@pytest.mark.parametrize("cause", CAUSES)
def test_no_fall_from_b_closes(cause: str, percent: float) -> None:
    course = Course(percent, 9.0)
    for _, delay_s in zip(range(4), cycle((0.0, 0.0011, 0.0023, 0.0037)), strict=False):
        course.bench.clock.now += delay_s
        course.put(CAUSES[cause])
        course.bench.seconds(0.4)
        course.put({"short_ohm": None, "cut": False, "rails_v": (12.0, -12.0)})
        course.bench.seconds(0.4)
        assert "coil on" not in course.bench.wire.writes


@pytest.mark.parametrize("percent", DUTIES)
@pytest.mark.parametrize("volts", [6.0, 3.0])
@pytest.mark.parametrize("cause", CAUSES)
def test_every_loss_under_load_opens_in_time_and_its_fall_does_not_close_again(cause: str, volts: float, percent: float) -> None:
    course = Course(percent, volts)
    assert course.closed
    course.put(CAUSES[cause])
    bench = course.bench
    assert bench.until(lambda: not bench.wire.coil) <= OPEN_S
    bench.wire.writes.clear()
    bench.seconds(0.5)
    assert "coil on" not in bench.wire.writes


@pytest.mark.parametrize("cause", CAUSES)
def test_a_loss_that_stays_never_closes(cause: str) -> None:
    course = Course(53.3, 6.0)
    course.put(CAUSES[cause])
    course.bench.seconds(0.2)
    course.bench.wire.writes.clear()
    course.bench.seconds(40.0)
    assert "coil on" not in course.bench.wire.writes


@pytest.mark.parametrize("percent", DUTIES[::6])
@pytest.mark.parametrize("volts", [6.0, 3.0])
@pytest.mark.parametrize("turn_s", LONGER_S)
def test_one_spike_never_opens_in_a_longer_turn_either(turn_s: float, volts: float, percent: float) -> None:
    course = Course(percent, volts, turn_s=turn_s)
    assert course.closed
    for kind in SPIKES:
        for width_ms in WIDTHS_MS:
            course.spike(kind, width_ms)
            assert course.bench.wire.coil and course.bench.evse.watch.closed, (kind, width_ms, course.bench.ear.kinds())


@pytest.mark.parametrize("percent", DUTIES[::6])
@pytest.mark.parametrize("volts", [6.0, 3.0])
@pytest.mark.parametrize("cause", CAUSES)
@pytest.mark.parametrize("turn_s", LONGER_S)
def test_every_loss_opens_in_time_in_a_longer_turn_too(turn_s: float, cause: str, volts: float, percent: float) -> None:
    course = Course(percent, volts, turn_s=turn_s)
    assert course.closed
    course.put(CAUSES[cause])
    assert course.opens_in() <= OPEN_S
    course.bench.wire.writes.clear()
    course.bench.seconds(0.5)
    assert "coil on" not in course.bench.wire.writes


@pytest.mark.parametrize("to_v", [9.0, 12.0])
@pytest.mark.parametrize("turn_s", LONGER_S)
def test_a_car_that_goes_opens_in_time_in_a_longer_turn_too(turn_s: float, to_v: float) -> None:
    for phase in range(10):
        course = Course(53.3, 6.0, turn_s=turn_s)
        course.bench.clock.now += phase * turn_s / 10
        course.wire.car_v = to_v
        assert course.opens_in() <= OPEN_S, phase
