"""Lock, residual-current monitor, generator, rests, lamp, lateness and what has to last: each by itself, on both sides of each limit."""

from __future__ import annotations

import math

import pytest

from chargepoint.control.electrics import DARK, X1
from chargepoint.control.faults import Faults, bit
from chargepoint.control.generator import Generator
from chargepoint.control.lamp import Lamp
from chargepoint.control.lasting import Lasting
from chargepoint.control.lateness import Lateness
from chargepoint.control.lock import SocketLock
from chargepoint.control.machine import Cause
from chargepoint.control.offer import NO_OFFER, Offer
from chargepoint.control.over_current import OverCurrent
from chargepoint.control.power_path import PowerPath
from chargepoint.control.reclose import Rest
from chargepoint.control.selftest import Residual
from chargepoint.control.voice import Voice
from chargepoint.control.watch import Watch
from hal.ports import LampPattern
from tests.control.fakes import FIGURES, Ear, FakeLamp, FakeLock, StillClock, Wire

NOW = 0.0


def watch_of(now: float = NOW) -> Watch:
    return Watch(now, socket=True, d_allowed=False, thermometer=False)


# the lock -------------------------------------------------------------------------------------------------------------------------------------

MOVE_S, PAUSE_S = 0.5, 1.0


class Bolt:
    """A lock that takes 0.5 s for its way and 1 s of pause."""

    def __init__(self) -> None:
        self.wire = Wire(StillClock(0.0))
        self.port = FakeLock(self.wire)
        self.watch = watch_of()
        self.lock = SocketLock(self.port, FIGURES._replace(lock_move_s=MOVE_S, lock_pause_s=PAUSE_S), self.watch)

    def turn(self, now: float, target: bool, may_move: bool = True) -> int:
        """Reads and moves. Answers how often the bolt was driven until now."""
        self.lock.read()
        self.lock.move(now, target, may_move)
        return len(self.port.drives)


def test_a_bolt_is_driven_where_it_is_wanted_and_only_when_it_may_move() -> None:
    bolt = Bolt()
    assert bolt.turn(0.0, True, may_move=False) == 0
    assert bolt.turn(0.1, True) == 1 and bolt.port.drives == [True]
    assert [bolt.turn(at, True) for at in (0.2, 0.3)] == [1, 1]
    assert bolt.lock.feedback is True
    assert bolt.turn(5.0, True) == 1, "it is there"


def test_feedback_counts_in_its_second_turn() -> None:
    bolt = Bolt()
    assert bolt.lock.feedback is None
    bolt.lock.read()
    assert bolt.lock.feedback is None
    bolt.lock.read()
    assert bolt.lock.feedback is False
    bolt.wire.locked = True
    bolt.lock.read()
    assert bolt.lock.feedback is False
    bolt.lock.read()
    assert bolt.lock.feedback is True


@pytest.mark.parametrize("target", [True, False])
def test_a_jammed_bolt_is_tried_three_times_with_a_pause_and_then_told(target: bool) -> None:
    bolt = Bolt()
    bolt.wire.locked, bolt.wire.lock_jams = not target, True
    at = [bolt.turn(now / 4, target) for now in range(14)]
    assert at == [1] * 6 + [2] * 6 + [3] * 2
    assert not bolt.watch.lock_failed and not bolt.watch.unlock_failed
    bolt.turn(4.25, target)
    assert not bolt.watch.lock_failed and not bolt.watch.unlock_failed, "the third try goes on"
    assert bolt.turn(4.5, target) == 3
    assert (bolt.watch.lock_failed, bolt.watch.unlock_failed) == (target, not target)
    assert bolt.lock.at_rest
    bolt.lock.again()
    assert not bolt.lock.at_rest
    assert bolt.turn(6.0, target) == 4
    assert (bolt.watch.lock_failed, bolt.watch.unlock_failed) == (False, False)
    bolt.wire.locked = target
    bolt.lock.read()
    bolt.turn(6.1, target)
    assert bolt.lock.at_rest


def test_another_wish_has_tries_of_its_own_and_waits_for_nothing() -> None:
    bolt = Bolt()
    bolt.wire.lock_jams = True
    for now in (0.0, 1.5, 3.0, 4.5):
        bolt.turn(now, True)
    assert bolt.watch.lock_failed and bolt.lock.tries == 3
    bolt.wire.locked, bolt.wire.lock_jams = True, False
    bolt.lock.read()
    assert bolt.turn(4.6, False) == 4
    assert bolt.lock.tries == 1


def test_at_rest_means_nothing_is_to_be_moved() -> None:
    bolt = Bolt()
    assert bolt.lock.at_rest, "nobody has wished anything"
    bolt.turn(0.0, True, may_move=False)
    bolt.turn(0.1, True, may_move=False)
    assert not bolt.lock.at_rest


def test_locked_and_open_are_believed_when_the_bolt_s_way_is_over() -> None:
    bolt = Bolt()
    for now in (0.0, 0.1, 0.2):
        bolt.turn(now, True)
    assert not bolt.lock.verified(0.49) and bolt.lock.verified(0.5)
    assert not bolt.lock.opened(0.5)
    bolt.wire.locked = False
    bolt.lock.read()
    assert bolt.lock.feedback is True
    assert not bolt.lock.verified(0.6) and not bolt.lock.opened(0.6), "one turn says neither"
    bolt.lock.read()
    assert bolt.lock.opened(0.6)
    bolt.wire.locked = True
    bolt.lock.read()
    assert not bolt.lock.verified(0.6), "feedback is not steady yet"


def test_a_lost_feedback_is_counted_while_the_coil_is_on() -> None:
    bolt = Bolt()
    for coil, locked, turns in (
        (False, False, 0),
        (True, True, 0),
        (True, False, 1),
        (True, False, 2),
        (True, True, 0),
        (True, False, 1),
        (False, False, 0),
    ):
        bolt.watch.coil, bolt.wire.locked = coil, locked
        bolt.lock.read()
        assert bolt.watch.lock_lost_turns == turns


# the residual-current monitor's test ----------------------------------------------------------------------------------------------------------


class Monitor:
    def __init__(self) -> None:
        self.clock = StillClock(0.0)
        self.wire = Wire(self.clock)
        self.wire.trip_answers = False
        self.watch = watch_of()
        self.residual = Residual(self.wire, FIGURES._replace(test_pulse_s=0.25, test_trip_s=1.0, test_clear_s=3.0), self.watch, self.clock)

    def step(self, now: float, *, tripped: bool) -> tuple[bool, bool, bool]:
        """Whether it tests, whether the test has failed, whether the pulse is on."""
        self.wire.trip = tripped
        self.residual.read()
        self.residual.step(now)
        return self.watch.testing, self.watch.test_failed, self.wire.testing


GOES, PULSE_OVER, PASSED, FAILED = (True, False, True), (True, False, False), (False, False, False), (False, True, False)


@pytest.mark.parametrize(
    "course",
    [
        [(0.1, True, GOES), (0.24, True, GOES), (0.25, True, PULSE_OVER), (0.3, False, PASSED)],
        [(0.1, True, GOES), (0.2, False, GOES), (0.25, False, PASSED)],
        [(0.25, False, PULSE_OVER), (0.9, True, PULSE_OVER), (0.95, False, PASSED)],
        [(0.25, False, PULSE_OVER), (0.99, False, PULSE_OVER), (1.0, False, FAILED)],
        [(0.25, True, PULSE_OVER), (3.24, True, PULSE_OVER), (3.25, True, FAILED)],
        [(0.25, True, PULSE_OVER), (3.24, True, PULSE_OVER), (3.25, False, PASSED)],
    ],
)
def test_a_test_must_trip_and_let_go_in_time(course: list[tuple[float, bool, tuple[bool, bool, bool]]]) -> None:
    monitor = Monitor()
    assert monitor.residual.begin(0.0, True)
    for now, tripped, state in course:
        assert monitor.step(now, tripped=tripped) == state, now


def test_the_next_test_is_due_a_day_after_one_began_and_it_begins_afresh() -> None:
    monitor = Monitor()
    assert monitor.residual.due(0.0)
    monitor.residual.begin(0.0, True)
    assert monitor.residual.due(0.0) and monitor.wire.writes == ["test on"]
    monitor.step(0.25, tripped=False)
    monitor.step(1.0, tripped=False)
    assert monitor.watch.test_failed
    assert not monitor.residual.due(24 * 3600.0 - 1.0) and monitor.residual.due(24 * 3600.0)
    assert monitor.residual.begin(10.0, True)
    assert not monitor.watch.test_failed
    assert monitor.step(10.1, tripped=False) == GOES, "neither the trip nor the pulse of the one before counts"
    assert monitor.residual.due_at == 10.0 + 24 * 3600.0


@pytest.mark.parametrize(
    ("values", "begins"),
    [
        ({}, True),
        ({"pwm": True}, False),
        ({"tripped": True}, False),
        ({"dark_until": 5.1}, False),
        ({"dark_until": 5.0}, True),
        ({"coil": True}, True),
    ],
)
def test_a_test_begins_only_at_x1_and_with_nothing_tripped(values: dict[str, object], begins: bool) -> None:
    monitor = Monitor()
    for name, value in values.items():
        setattr(monitor.watch, name, value)
    assert not monitor.residual.begin(5.0, False)
    assert monitor.residual.begin(5.0, True) is begins
    assert monitor.watch.testing is begins
    assert monitor.residual.begin(6.0, False) is begins, "one that runs goes on"


def test_an_unplugging_is_followed_by_a_test_when_something_was_supplied() -> None:
    monitor = Monitor()
    monitor.residual.begin(0.0, True)
    due_at = monitor.residual.due_at
    monitor.residual.unplugged(7.0)
    assert monitor.residual.due_at == due_at
    monitor.residual.supplied = True
    monitor.residual.unplugged(8.0)
    monitor.residual.unplugged(9.0)
    assert monitor.residual.due_at == 8.0


def test_a_trip_is_read_twice_a_millisecond_apart_and_its_end_once() -> None:
    monitor = Monitor()
    slept: list[float] = []
    monitor.clock.on_sleep = slept.append
    monitor.wire.trip = True
    monitor.residual.read()
    assert monitor.watch.tripped and slept == [0.001]
    monitor.residual.read()
    assert slept == [0.001], "what is tripped already is not doubted"
    monitor.wire.trip = False
    monitor.residual.read()
    assert not monitor.watch.tripped and slept == [0.001]


# the generator --------------------------------------------------------------------------------------------------------------------------------


class Pwm:
    def __init__(self) -> None:
        self.wire = Wire(StillClock(0.0))
        self.watch = watch_of()
        self.generator = Generator(self.wire, self.watch)

    @property
    def duties(self) -> list[str]:
        return self.wire.writes


def test_a_duty_is_written_when_it_changes_and_a_change_of_the_current_is_told() -> None:
    pwm = Pwm()
    offer = Offer(16.0, "permit")
    assert not pwm.generator.signal(NO_OFFER, 0.0)
    assert pwm.duties == [], "X1 stands since the start"
    assert pwm.generator.signal(offer, 1.0)
    assert (pwm.watch.pwm, pwm.watch.pwm_since, pwm.generator.offer) == (True, 1.0, offer)
    assert not pwm.generator.signal(Offer(16.0, "cable"), 2.0)
    assert not pwm.generator.signal(Offer(16.004, "cable"), 2.0)
    assert not pwm.generator.signal(Offer(16.004, "cable"), 2.5), "what cannot be told apart is told once"
    assert pwm.generator.signal(Offer(16.01, "cable"), 3.0)
    assert pwm.watch.pwm_since == 1.0
    assert pwm.generator.signal(NO_OFFER, 4.0)
    assert (pwm.watch.pwm, pwm.watch.pwm_since, pwm.generator.offer) == (False, 4.0, NO_OFFER)
    assert pwm.duties == ["duty 0.2667", "duty 0.2667", "duty 0.2668", "duty 1.0000"]


def test_state_f_is_no_offer_and_the_pilot_is_not_believed_until_it_has_settled() -> None:
    pwm = Pwm()
    assert pwm.watch.dark_until == 0.0
    assert not pwm.generator.signal(Offer(16.0, "permit"), 1.0, dark=True)
    assert (pwm.duties, pwm.generator.offer, pwm.watch.dark_until, pwm.watch.pwm) == (["duty 0.0000"], NO_OFFER, math.inf, False)
    pwm.generator.signal(NO_OFFER, 5.0)
    assert (pwm.watch.dark_until, pwm.watch.pwm_since) == (5.5, NOW)
    pwm.generator.signal(Offer(16.0, "permit"), 9.0)
    assert pwm.watch.dark_until == 5.5


@pytest.mark.parametrize(
    ("read_back", "lost"),
    [(0.5, False), (0.5004, False), (0.4996, False), (0.5006, True), (0.4994, True), (X1, True), (DARK, True), (math.nan, True)],
)
def test_a_duty_that_is_not_read_back_is_lost(read_back: float, lost: bool) -> None:
    pwm = Pwm()
    pwm.generator.signal(Offer(30.0, "permit"), 0.0)
    pwm.wire.duty_error = read_back
    pwm.generator.check(1.0)
    assert pwm.watch.duty_lost is lost


def test_a_lost_generator_is_written_anew_now_and_then() -> None:
    pwm = Pwm()
    pwm.wire.pwm_lost = True
    pwm.generator.signal(Offer(30.0, "permit"), 0.0)
    assert pwm.watch.duty_lost
    pwm.generator.check(0.25)
    pwm.wire.pwm_lost = False
    pwm.generator.check(0.49)
    assert pwm.watch.duty_lost and pwm.duties == [], "tried at 0.25 s, and not again before 0.5 s"
    pwm.generator.check(0.5)
    assert not pwm.watch.duty_lost and pwm.duties == ["duty 0.5000"]
    pwm.wire.pwm_lost = True
    pwm.generator.check(1.0)
    assert pwm.watch.duty_lost
    pwm.wire.pwm_lost = False
    pwm.generator.check(1.1)
    assert not pwm.watch.duty_lost, "one that is lost in a look is written in the next"


# how long the contactor rests -----------------------------------------------------------------------------------------------------------------


class Resting:
    """The coil has just gone off."""

    def __init__(self) -> None:
        clock = StillClock(0.0)
        self.watch = watch_of()
        self.path = PowerPath(Wire(clock), self.watch, Voice(1, Ear()))
        self.rest = Rest(self.path, self.watch)


@pytest.mark.parametrize(
    ("cause", "rest_s", "at_x1", "blamed"),
    [
        (Cause.FAULT, 10.0, True, 1),
        (Cause.PILOT, 10.0, True, 1),
        (Cause.SUSPECT, 10.0, True, 1),
        (Cause.CAR_TIME_OVER, 10.0, True, 0),
        (Cause.CAR, 5.0, False, 0),
        (Cause.VENTILATION, 5.0, True, 0),
        (Cause.WITHDRAWN, 5.0, True, 0),
        (Cause.UNPLUGGED, 5.0, True, 0),
    ],
)
def test_the_contactor_rests_by_what_opened_it(cause: Cause, rest_s: float, at_x1: bool, blamed: int) -> None:
    resting = Resting()
    resting.rest.begin(cause, False, False, 100.0)
    assert (resting.path.reclose_at, resting.rest.at_x1, resting.watch.fault_openings) == (100.0 + rest_s, at_x1, blamed)
    resting.rest.begin(cause, False, True, 200.0)
    assert (resting.path.reclose_at, resting.rest.at_x1, resting.watch.fault_openings) == (205.0, True, blamed), "contacts that did not follow"
    resting.rest.over()
    assert (resting.path.reclose_at, resting.rest.at_x1) == (0.0, False)


def test_a_car_that_stops_after_the_offer_ended_stays_at_x1() -> None:
    resting = Resting()
    resting.rest.begin(Cause.CAR, True, False, 100.0)
    assert resting.rest.at_x1


def test_a_fault_found_while_the_contactor_rests_is_blamed_once_for_the_opening() -> None:
    resting = Resting()
    resting.rest.begin(Cause.CAR, False, False, 100.0)
    resting.rest.blame(101.0)
    resting.rest.blame(102.0)
    assert (resting.path.reclose_at, resting.rest.at_x1, resting.watch.fault_openings) == (111.0, True, 1)
    resting.rest.begin(Cause.CAR, False, False, 200.0)
    resting.rest.blame(205.0)
    assert (resting.path.reclose_at, resting.watch.fault_openings) == (205.0, 1), "it has rested"
    resting.rest.begin(Cause.CAR, False, False, 300.0)
    resting.watch.coil = True
    resting.rest.blame(301.0)
    assert resting.watch.fault_openings == 1, "it is closed"
    resting.watch.coil = False
    resting.rest.blame(302.0)
    assert resting.watch.fault_openings == 2


# the lamp -------------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pattern", list(LampPattern))
def test_the_lamp_shows_what_the_station_wishes_and_leaves_out_what_it_does_not_know(pattern: LampPattern) -> None:
    wire = Wire(StillClock())
    lamp = Lamp(FakeLamp(wire), Faults())
    lamp.wish(pattern.value)
    lamp.wish("a pattern of the future")
    lamp.show()
    assert wire.lamp is pattern


@pytest.mark.parametrize(
    ("fault", "shown"),
    [("diode", True), ("residual_current", True), ("residual_test_failed", True), ("over_current", False), ("meter_silent", False)],
)
def test_the_lamp_shows_faults_that_open_or_bar_a_closing(fault: str, shown: bool) -> None:
    wire, faults = Wire(StillClock()), Faults()
    faults.step(bit(fault), 1.0, False)
    Lamp(FakeLamp(wire), faults).show()
    assert wire.lamp is (LampPattern.FAULT if shown else LampPattern.READY)
    Lamp(None, faults).show()


# what has to last, and how late turns are -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("samples", "holds"),
    [
        ([(0, True), (3, True), (6, True), (7, True)], False),
        ([(0, True), (3, True), (6, True), (7.1, True)], True),
        ([(0, True), (3, True), (4, False), (6, True), (8, True), (11, True)], False),
        ([(0, True), (3, None), (3.1, True), (6, True), (8, True)], False),
        ([(0, True), (3, True), (6, None), (6, True), (8, True)], True),
        ([(0, True), (3, True), (6, True), (8, True), (8, None)], True),
        ([(0, True), (3, True), (6, True), (8, True), (9, False)], False),
        ([(0, True), (3, True), (6, True), (8, True), (20, True)], True),
    ],
)
def test_what_has_to_last_longer_than_seven_seconds(samples: list[tuple[float, bool | None]], holds: bool) -> None:
    lasting = Lasting(7.0)
    assert not lasting.holds
    for at, there in samples:
        lasting.take(at, there)
    assert lasting.holds is holds
    lasting.reset()
    lasting.take(21.0, True)
    assert not lasting.holds


@pytest.mark.parametrize(
    ("offers", "at", "limit_a"),
    [
        ([], 50.0, 0.0),
        ([(10.0, 16.0)], 9.9, 0.0),
        ([(10.0, 16.0)], 10.0, 16.0),
        ([(10.0, 16.0), (20.0, 6.0)], 26.0, 6.0),
        ([(10.0, 16.0), (20.0, 6.0)], 25.9, 16.0),
        ([(10.0, 6.0), (20.0, 16.0), (22.0, 0.0)], 25.0, 16.0),
        ([(10.0, 6.0), (20.0, 16.0), (22.0, 0.0)], 28.1, 0.0),
        ([(10.0, 32.0), (20.0, 16.0), (29.0, 6.0)], 23.0, 32.0),
    ],
)
def test_what_a_car_may_draw_is_the_highest_offer_of_the_six_seconds_before(offers: list[tuple[float, float]], at: float, limit_a: float) -> None:
    over = OverCurrent()
    for since, amps in offers:
        over.offered(since, amps)
    assert over._highest(at) == limit_a


def test_offers_that_count_no_more_are_forgotten() -> None:
    over = OverCurrent()
    for since in range(100):
        over.offered(float(since), 6.0 + since)
    assert len(over._offers) == 11
    assert over._highest(96.0) == 102.0 and over._highest(90.0) == 96.0


@pytest.mark.parametrize(("amps", "found"), [(11.55, False), (11.56, True)])
def test_over_current_is_more_than_the_offer_and_half_an_ampere_and_a_tenth(amps: float, found: bool) -> None:
    over = OverCurrent()
    over.offered(0.0, 10.0)
    for second in range(10, 19):
        over.take(float(second), (0.0, 0.0, amps))
    assert over.found is found


@pytest.mark.parametrize(
    ("late_us", "told_us"),
    [(0, 10), (9, 10), (10, 20), (4989, 4990), (4995, 5000), (5000, 6000), (5999, 6000), (6000, 7000), (504_000, 505_000), (900_000, 505_000)],
)
def test_lateness_is_told_as_the_upper_end_of_its_step(late_us: int, told_us: int) -> None:
    lateness = Lateness()
    lateness.add((late_us + 0.5) / 1e6)
    lateness.add(2.0)
    assert lateness.percentiles_us(0.5, 1.0) == [told_us, 505_000 if told_us < 505_000 else told_us]
    assert (lateness.periods, lateness.missed, lateness.max_us) == (2, 0, 2_000_000)


def test_lateness_is_never_told_above_the_worst() -> None:
    lateness = Lateness()
    for late_us in (3.5, 7.5):
        lateness.add(late_us / 1e6)
    assert (lateness.max_us, lateness.percentiles_us(0.5)) == (7, [7])
