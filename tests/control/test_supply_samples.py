"""Samples of the meter by themselves: which count, and what they say of silence, volts, welds and load, on both sides of each limit."""

from __future__ import annotations

import math

import pytest

from chargepoint.control.figures import Figures
from chargepoint.control.phase_proof import Proof
from chargepoint.control.supply import Supply
from chargepoint.control.watch import Watch
from chargepoint.link.messages import Sample
from tests.control.fakes import FIGURES

BEFORE, AFTER, NONE = (FIGURES._replace(meter=place) for place in ("before", "after", ""))
Triple = tuple[float | None, float | None, float | None]
V230: Triple = (230.0, 230.0, 230.0)
NO_A: Triple = (0.0, 0.0, 0.0)
LOAD: Triple = (16.0, 16.0, 16.0)


class Meter:
    """A supply whose coil was switched (on, where closed) at 0 s. Each sample has another energy, unless told otherwise."""

    def __init__(self, figures: Figures = BEFORE, *, closed: bool = False) -> None:
        self.watch = Watch(0.0, socket=True, d_allowed=False, thermometer=False)
        self.watch.coil = closed
        self.supply = Supply(figures, self.watch)
        self.energy_wh = 0.0

    def take(self, at: float, amps: Triple = NO_A, volts: Triple = V230, *, late_s: float = 0.0, good: bool = True, frozen: bool = False) -> Watch:
        self.energy_wh += not frozen
        self.supply.take(Sample(1, at, good, amps, volts, self.energy_wh), at + late_s)
        return self.watch


# which count ----------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "now", "good", "counts"),
    [
        (10.0, 10.0, True, True),
        (10.0, 13.0, True, True),
        (10.0, 13.1, True, False),
        (10.1, 10.0, True, False),
        (10.0, 10.0, False, False),
        (5.0, 5.0, True, False),
        (5.1, 5.1, True, True),
    ],
)
def test_a_sample_counts_that_is_good_fresh_new_and_not_of_the_future(at: float, now: float, good: bool, counts: bool) -> None:
    meter = Meter()
    meter.take(5.0)
    meter.supply.take(Sample(1, at, good, LOAD, V230, 99.0), now)
    assert meter.supply.loaded(at) is counts


@pytest.mark.parametrize(("amps", "loaded"), [((1.0, 0.0, 0.0), False), ((0.0, 0.0, 1.1), True), ((None, math.nan, math.inf), False)])
def test_load_is_more_than_an_ampere_in_a_sample_of_now(amps: Triple, loaded: bool) -> None:
    meter = Meter()
    assert not meter.supply.loaded(0.0)
    meter.take(5.0, amps)
    assert meter.supply.loaded(8.0) is loaded
    assert not meter.supply.loaded(8.1)


@pytest.mark.parametrize(
    ("amps", "closed", "until", "counts"),
    [
        ((6.0, 0.0, 0.0), True, 59.0, True),
        ((6.0, 0.0, 0.0), True, 60.0, False),
        ((2.0, -2.0, 2.0), True, 60.0, False),
        ((5.9, 0.0, None), True, 60.0, True),
        ((6.0, 0.0, 0.0), False, 60.0, True),
    ],
)
def test_registers_that_stand_still_under_load_for_a_minute_are_no_sample(amps: Triple, closed: bool, until: float, counts: bool) -> None:
    meter = Meter(closed=closed)
    meter.take(0.5, amps)
    for second in range(2, int(until), 2):
        meter.take(second + 0.5, amps, frozen=True)
    meter.take(until + 0.5, amps, frozen=True)
    assert (meter.supply._last_at == until + 0.5) is counts
    meter.take(until + 0.6, amps)
    assert meter.supply._last_at == until + 0.6, "a register has moved"


def test_a_frozen_minute_begins_no_earlier_than_the_closing() -> None:
    meter = Meter()
    for second in range(1, 62):
        meter.take(float(second), LOAD, frozen=second > 1)
    meter.watch.coil, meter.watch.coil_since = True, 61.0
    for second in range(62, 122):
        meter.take(float(second), LOAD, frozen=True)
    assert meter.supply._last_at == 120.0


# silence --------------------------------------------------------------------------------------------------------------------------------------


def silence(meter: Meter, now: float) -> tuple[bool, bool]:
    meter.supply.step(now)
    return meter.watch.meter_silent, meter.watch.meter_long_silent


def permitted_until(meter: Meter, until: float) -> None:
    for second in range(int(until) + 1):
        meter.supply.permitted(float(second))


@pytest.mark.parametrize(("now", "silent", "long"), [(9.9, False, False), (10.0, True, False), (59.9, True, False), (60.0, True, True)])
def test_a_meter_is_silent_after_ten_seconds_and_long_silent_after_a_minute(now: float, silent: bool, long: bool) -> None:
    meter = Meter()
    permitted_until(meter, now)
    assert silence(meter, now) == (silent, long)
    meter.take(now)
    assert (meter.watch.meter_silent, meter.watch.meter_long_silent) == (False, False)


@pytest.mark.parametrize(
    ("figures", "found"),
    [
        (BEFORE._replace(meter_limit_s=0.0), (False, True)),
        (BEFORE._replace(meter_withdraw_s=0.0), (True, False)),
        (BEFORE._replace(meter_limit_s=0.5, meter_withdraw_s=0.5), (True, True)),
        (NONE, (False, False)),
        (AFTER, (False, False)),
    ],
)
def test_the_settings_say_what_a_silence_does(figures: Figures, found: tuple[bool, bool]) -> None:
    meter = Meter(figures)
    permitted_until(meter, 70.0)
    assert silence(meter, 70.0) == found
    assert silence(meter, 75.0) == (found if figures.meter != "after" else (False, False))


def test_a_meter_behind_the_contactor_is_heard_from_the_closing_on() -> None:
    meter = Meter(AFTER)
    permitted_until(meter, 100.0)
    silence(meter, 50.0)
    meter.watch.coil = True
    assert silence(meter, 59.9) == (False, False)
    assert silence(meter, 60.0) == (True, False)
    meter.watch.coil = False
    assert silence(meter, 61.0) == (True, False), "it stands until the meter is heard again, or the car has gone"
    meter.supply.unplugged()
    assert (meter.watch.meter_silent, meter.watch.meter_long_silent) == (False, False)


def test_before_the_contactor_a_silence_outlives_the_car() -> None:
    meter = Meter()
    permitted_until(meter, 20.0)
    silence(meter, 15.0)
    meter.supply.unplugged()
    assert meter.watch.meter_silent


def test_a_time_without_permits_is_no_silence() -> None:
    meter = Meter()
    assert silence(meter, 100.0) == (False, False), "nobody has ever permitted"
    meter.supply.permitted(100.0)
    assert silence(meter, 103.0) == (False, False)
    meter.supply.permitted(103.0)
    permitted = [104.0, 107.0, 109.9]
    for now in permitted:
        meter.supply.permitted(now)
    assert silence(meter, 109.9) == (False, False)
    assert silence(meter, 110.0) == (True, False)
    assert silence(meter, 200.0) == (True, False), "no more than three seconds after the last permit count"
    meter.supply.permitted(200.0)
    assert silence(meter, 200.0) == (True, False)
    assert silence(meter, 203.0) == (True, False)


# volts ----------------------------------------------------------------------------------------------------------------------------------------


def volts_for(meter: Meter, volts: Triple, seconds: int, began: float = 10.0) -> tuple[bool, bool, bool]:
    """Under-voltage, over-voltage, phase loss after so many seconds, and a tenth."""
    for second in range(seconds):
        meter.take(began + second, volts=volts)
    watch = meter.take(began + seconds - 0.9 if seconds else began, volts=volts)
    return watch.under_voltage, watch.over_voltage, watch.phase_loss


@pytest.mark.parametrize(
    ("volts", "found"),
    [
        ((207.0, 230.0, 230.0), (False, False, False)),
        ((206.9, 230.0, 230.0), (True, False, False)),
        ((230.0, 230.0, 253.0), (False, False, False)),
        ((230.0, 230.0, 253.1), (False, True, False)),
        ((230.0, 115.0, 230.0), (True, False, False)),
        ((230.0, 114.9, 230.0), (False, False, True)),
        ((None, math.nan, math.inf), (False, False, False)),
        ((200.0, 260.0, 0.0), (True, True, True)),
    ],
)
def test_volts_outside_their_window_for_more_than_three_seconds(volts: Triple, found: tuple[bool, bool, bool]) -> None:
    assert volts_for(Meter(), volts, 3) == (False, False, False)
    assert volts_for(Meter(), volts, 4) == found


@pytest.mark.parametrize(
    ("volts", "back"),
    [
        ((208.9, 230.0, 230.0), (True, False)),
        ((209.0, 230.0, 230.0), (False, False)),
        ((230.0, 251.1, 230.0), (False, True)),
        ((230.0, 251.0, 230.0), (False, False)),
    ],
)
def test_volts_are_back_when_they_are_two_volts_inside(volts: Triple, back: tuple[bool, bool]) -> None:
    meter = Meter()
    volts_for(meter, (200.0, 260.0, 230.0), 4)
    low, high = (volts[0] or 0.0, volts[1] or 0.0)
    watch = meter.take(14.0, volts=(low, high, 230.0))
    assert (watch.under_voltage, watch.over_voltage) == back


def test_only_connected_phases_have_volts() -> None:
    assert volts_for(Meter(BEFORE._replace(phases=1)), (230.0, 0.0, 0.0), 4) == (False, False, False)
    assert volts_for(Meter(BEFORE._replace(phases=1)), (0.0, 0.0, 0.0), 4) == (False, False, True)


@pytest.mark.parametrize(("second", "mirror", "found"), [(True, True, False), (True, False, True), (False, True, True)])
def test_behind_an_open_second_contactor_a_meter_sees_one_phase(second: bool, mirror: bool, found: bool) -> None:
    meter = Meter(AFTER, closed=True)
    meter.watch.second, meter.watch.mirror_l23_closed = second, mirror
    assert volts_for(meter, (230.0, 0.0, 0.0), 4)[2] is found


def test_behind_the_contactor_volts_are_judged_a_second_after_the_closing() -> None:
    meter = Meter(AFTER)
    assert volts_for(meter, (200.0, 230.0, 230.0), 4) == (False, False, False), "open"
    meter.watch.coil, meter.watch.coil_since = True, 20.0
    for at in (20.9, 21.0, 23.0, 24.0):
        meter.take(at, volts=(200.0, 230.0, 230.0))
    assert not meter.watch.under_voltage
    assert meter.take(24.1, volts=(200.0, 230.0, 230.0)).under_voltage
    meter.supply.unplugged()
    assert not meter.watch.under_voltage, "the next car is another one"


def test_before_the_contactor_volts_outlive_the_car() -> None:
    meter = Meter()
    volts_for(meter, (200.0, 230.0, 230.0), 4)
    meter.supply.unplugged()
    assert meter.watch.under_voltage


# current nobody commands ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("figures", "amps", "volts", "found"),
    [
        (BEFORE, (0.0, 1.1, 0.0), V230, True),
        (BEFORE, (0.0, 1.0, 0.0), V230, False),
        (BEFORE, (math.inf, math.nan, None), V230, False),
        (AFTER, NO_A, (50.1, 0.0, 0.0), True),
        (AFTER, NO_A, (50.0, 0.0, 0.0), False),
        (BEFORE, NO_A, V230, False),
    ],
)
def test_current_or_volts_behind_an_open_contactor_in_two_samples_is_a_weld(figures: Figures, amps: Triple, volts: Triple, found: bool) -> None:
    meter = Meter(figures)
    assert not meter.take(2.0, amps, volts).current_uncommanded
    assert meter.take(3.0, amps, volts).current_uncommanded is found
    assert not meter.take(4.0, NO_A, (0.0, 0.0, 0.0)).current_uncommanded


@pytest.mark.parametrize(("first", "found"), [(0.9, False), (1.0, True)])
def test_a_sample_tells_of_the_contactor_a_second_after_it_opened(first: float, found: bool) -> None:
    meter = Meter()
    meter.take(first, LOAD)
    assert meter.take(first + 0.5, LOAD).current_uncommanded is found


@pytest.mark.parametrize(("first", "found"), [(100.5, False), (101.0, True)])
def test_volts_behind_a_contactor_that_has_just_opened_are_those_of_before(first: float, found: bool) -> None:
    meter = Meter(AFTER)
    meter.watch.coil_since = 100.0
    meter.take(first, LOAD)
    assert meter.take(first + 0.4, LOAD).current_uncommanded is found


def test_a_sample_without_values_neither_counts_nor_forgets() -> None:
    meter = Meter()
    meter.take(2.0, LOAD)
    assert not meter.take(3.0, (None, None, None)).current_uncommanded
    assert meter.take(4.0, LOAD).current_uncommanded
    meter.take(5.0, NO_A)
    assert not meter.take(6.0, LOAD).current_uncommanded, "it began anew"


def test_a_meter_that_froze_before_the_opening_tells_of_then() -> None:
    meter = Meter(closed=True)
    meter.take(10.0, LOAD)
    meter.watch.coil, meter.watch.coil_since = False, 11.0
    for second in range(12, 18):
        assert not meter.take(float(second), LOAD, frozen=True).current_uncommanded
    for at in (18.0, 19.0):
        meter.take(at, LOAD)
    assert meter.watch.current_uncommanded


def test_a_closed_contactor_carries_what_is_commanded() -> None:
    meter = Meter(closed=True)
    for second in range(5, 9):
        assert not meter.take(float(second), LOAD).current_uncommanded


def test_a_weld_that_no_sample_confirms_any_more_is_not_told_by_the_meter() -> None:
    meter = Meter()
    for at in (2.0, 3.0):
        meter.take(at, LOAD)
    meter.supply.step(6.0)
    assert meter.watch.current_uncommanded
    meter.supply.step(6.1)
    assert not meter.watch.current_uncommanded


@pytest.mark.parametrize("closed", [True, False])
def test_over_current_is_of_a_closed_contactor(closed: bool) -> None:
    meter = Meter(closed=closed)
    for second in range(1, 20):
        meter.take(float(second), LOAD)
    meter.supply.step(19.0)
    assert meter.watch.over_current is closed
    meter.supply.unplugged()
    meter.supply.step(19.0)
    assert not meter.watch.over_current


# phases that are switched on, and current on them ---------------------------------------------------------------------------------------------


class Proven:
    """A proof that was told of a closing at 0 s."""

    def __init__(self, phases: int) -> None:
        self.watch = Watch(0.0, socket=True, d_allowed=False, thermometer=False)
        self.proof = Proof(self.watch)
        self.proof.closed(phases, 0.0)

    def take(self, at: float, *amps: float | None, late_s: float = 0.0, good: bool = True) -> tuple[bool, bool, bool]:
        """Whether it is right, whether current flows on phases 2 and 3 that are off, whether phases are missing."""
        self.proof.take(Sample(1, at, good, (*amps, None, None, None)[:3], V230), at + late_s)
        return self.proof.right, self.watch.l23_flows, self.watch.phases_missing


RIGHT, NOTHING, STRANGE, MISSING = (True, False, False), (False, False, False), (False, True, False), (False, False, True)


@pytest.mark.parametrize(
    ("at", "late_s", "good", "found"),
    [
        (1.0, 0.0, True, RIGHT),
        (0.99, 0.0, True, NOTHING),
        (2.0, 3.0, True, RIGHT),
        (2.0, 3.1, True, NOTHING),
        (2.0, -0.1, True, NOTHING),
        (2.0, 0.0, False, NOTHING),
    ],
)
def test_a_sample_proves_a_second_after_the_closing(at: float, late_s: float, good: bool, found: tuple[bool, bool, bool]) -> None:
    assert Proven(3).take(at, 6.0, 6.0, 6.0, late_s=late_s, good=good) == found
    assert Proven(1).take(at, 6.0, 0.0, 0.0, late_s=late_s, good=good) == found


def test_one_phase_is_right_while_nothing_flows_on_the_others_and_strange_in_two_samples() -> None:
    proven = Proven(1)
    assert proven.take(2.0, 1.0, 0.0, 0.0) == NOTHING
    assert proven.take(3.0, 1.1, 1.0, None) == RIGHT
    assert proven.take(4.0, 6.0, 0.0, 1.1) == RIGHT, "one sample"
    assert proven.take(4.0, 6.0, 0.0, 1.1) == RIGHT, "the same again"
    assert proven.take(5.0, 6.0, 0.0, 0.0) == RIGHT
    assert proven.take(6.0, 6.0, 1.1, 0.0) == RIGHT
    assert proven.take(7.0, 0.0, 0.0, 1.1) == STRANGE
    assert proven.take(8.0, 6.0, 0.0, 0.0) == (True, True, False), "what flowed is told until it is opened"
    proven.proof.opened()
    assert not proven.watch.l23_flows


def test_the_first_sample_of_a_closing_alone_is_not_strange() -> None:
    proven = Proven(1)
    assert proven.take(2.0, 6.0, 6.0, 0.0) == NOTHING
    assert proven.take(3.0, 6.0, 6.0, 0.0) == STRANGE


def test_a_car_that_has_drawn_on_three_phases_and_draws_on_one_misses_some_after_thirty_seconds() -> None:
    proven = Proven(3)
    assert proven.take(2.0, 6.0, 6.0, 6.0) == RIGHT
    assert proven.take(10.0, 6.0, 0.0, 0.0) == RIGHT
    assert proven.take(39.9, 6.0, 0.0, 0.0) == RIGHT
    assert proven.take(39.95, 6.0, None, 0.0) == RIGHT, "no value says nothing"
    assert proven.take(40.0, 6.0, 0.0, 0.0) == MISSING
    proven.proof.start_over()
    assert not proven.watch.phases_missing


def test_a_pause_begins_the_thirty_seconds_anew() -> None:
    proven = Proven(3)
    proven.take(2.0, 6.0, 6.0, 6.0)
    proven.take(10.0, 6.0, 0.0, 0.0)
    proven.take(30.0, 0.0, 0.0, 0.0)
    assert proven.take(40.0, 6.0, 0.0, 0.0) == RIGHT
    assert proven.take(69.9, 6.0, 0.0, 0.0) == RIGHT
    assert proven.take(70.0, 6.0, 0.0, 0.0) == MISSING


def test_a_car_that_never_drew_on_more_than_one_phase_may_be_built_so() -> None:
    proven = Proven(3)
    assert proven.take(2.0, 6.0, 0.0, 0.0) == NOTHING
    assert proven.take(31.9, 6.0, 0.0, 0.0) == NOTHING
    assert proven.take(32.0, 6.0, 0.0, 0.0) == RIGHT
    proven.proof.closed(3, 50.0)
    assert not proven.proof.right, "each closing is proven anew"
    assert proven.take(52.0, 6.0, 6.0, 0.0) == RIGHT


def test_while_open_nothing_is_proven() -> None:
    proven = Proven(3)
    proven.proof.opened()
    assert proven.take(100.0, 6.0, 6.0, 6.0) == NOTHING
