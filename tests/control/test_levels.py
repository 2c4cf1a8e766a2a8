"""What the ADC shows, kept where it belongs: each channel in whole and in calm turns, new states told, and when a diode may be judged."""

from __future__ import annotations

import math

import pytest

from chargepoint.control.cable import Cable
from chargepoint.control.levels import Levels
from chargepoint.control.pilot_filter import PilotFilter
from chargepoint.control.watch import Watch
from chargepoint.model.pilot import PilotState
from hal.ports import Channel
from tests.control.fakes import FIGURES, TURN_S, Bench, StillClock


class Adc:
    """Answers what each channel shows; None: it is lost in nonsense."""

    def __init__(self) -> None:
        self.shows = {Channel.HIGH: 9.0, Channel.LOW: -12.0, Channel.PROXIMITY: 220.0}
        self._channel = Channel.HIGH

    def start(self, channel: Channel) -> None:
        self._channel = channel

    def finish(self) -> float:
        return self.shows[self._channel]


class Read:
    def __init__(self) -> None:
        self.clock = StillClock(0.0)
        self.adc = Adc()
        self.watch = Watch(0.0, socket=True, d_allowed=False, thermometer=False)
        self.cable = Cable()
        self.filter = PilotFilter()
        self.told: list[tuple[PilotState, float]] = []
        self.levels = Levels(self.adc, FIGURES, self.clock, self.watch, self.cable, self.filter, lambda pilot, at: self.told.append((pilot, at)))

    def turns(self, count: int) -> None:
        for _ in range(count):
            self.clock.now += TURN_S / 2
            self.levels.read_high(self.clock.now)
            self.levels.start_other(self.clock.now)
            self.clock.now += TURN_S / 2
            self.levels.read_other(self.clock.now)
            self.levels.start_high(self.clock.now)

    def calm_turns(self, count: int) -> None:
        for _ in range(count):
            self.clock.now += 0.06
            self.levels.read_calm(self.clock.now)
            self.levels.start_calm(self.clock.now)


def test_each_channel_is_kept_with_its_time() -> None:
    read = Read()
    read.turns(16)
    assert (read.watch.high_v, read.watch.low_v) == (9.0, -12.0)
    assert (read.cable.present, read.cable.rating_a) == (True, 32.0)
    assert read.clock.now - read.watch.high_at == pytest.approx(TURN_S / 2)
    assert read.watch.low_at == pytest.approx(read.clock.now - TURN_S), "the last half turn was the cable's"
    assert read.watch.low_unread_turns == 1


def test_a_low_peak_in_doubt_is_read_in_every_turn_and_the_cable_waits() -> None:
    read = Read()
    read.turns(32)
    read.watch.suspect_since = read.clock.now
    read.adc.shows[Channel.PROXIMITY] = math.inf
    for _ in range(8):
        read.turns(1)
        assert read.watch.low_unread_turns == 0 and read.cable.present
    read.watch.suspect_since = 0.0
    read.turns(32)
    assert not read.cable.present


def test_calm_turns_read_every_channel_too() -> None:
    read = Read()
    read.calm_turns(26)
    assert (read.watch.high_v, read.watch.low_v) == (9.0, -12.0)
    assert (read.cable.present, read.cable.rating_a) == (True, 32.0)
    assert read.watch.low_at == pytest.approx(25 * 0.06) and read.watch.high_at == pytest.approx(26 * 0.06)
    read.adc.shows = {Channel.HIGH: math.nan, Channel.LOW: math.nan, Channel.PROXIMITY: math.nan}
    read.calm_turns(16)
    assert (read.watch.high_v, read.watch.low_v, read.cable.rating_a) == (9.0, -12.0, 32.0), "what was not read says nothing"


def test_a_new_state_is_told_once_and_kept_with_its_time() -> None:
    read = Read()
    read.turns(40)
    assert [pilot for pilot, _ in read.told] == [PilotState.B]
    assert (read.watch.pilot, read.watch.pilot_since) == (PilotState.B, read.told[0][1])
    read.adc.shows[Channel.HIGH] = 12.0
    read.turns(20)
    assert [pilot for pilot, _ in read.told] == [PilotState.B, PilotState.A]


def test_a_peak_that_is_not_read_takes_the_time_it_took() -> None:
    read = Read()
    read.turns(4)
    read.adc.shows[Channel.HIGH] = math.nan
    read.clock.now += 0.004
    assert read.levels.read_high(read.clock.now - 0.004) == read.watch.now == read.clock.now
    assert read.watch.high_v == 9.0


@pytest.mark.parametrize(("pwm_s", "judged"), [(0.019, False), (0.021, True)])
def test_a_diode_is_judged_when_pwm_has_been_on_for_twenty_milliseconds(pwm_s: float, judged: bool) -> None:
    read = Read()
    read.adc.shows[Channel.HIGH] = 6.0
    read.turns(40)
    assert read.filter.closable_turns == 0
    read.clock.now += TURN_S / 2
    read.watch.pwm, read.watch.pwm_since = True, read.clock.now - pwm_s
    read.levels.read_high(read.clock.now)
    assert (read.filter.closable_turns > 0) is judged


def test_a_calm_evse_stays_calm_turn_by_turn() -> None:
    bench = Bench()
    bench.seconds(3.0)
    calm = []
    for _ in range(40):
        bench.clock.now += 0.06
        calm.append(bench.evse.calm_turn(bench.clock.now, False))
    assert calm == [True] * 40
    bench.wire.car_v = 9.0
    bench.clock.now += 0.06
    assert not all(bench.evse.calm_turn(bench.clock.now + turn * 0.06, False) for turn in range(4))


@pytest.mark.parametrize("before", range(4))
def test_a_stop_that_is_pressed_in_a_calm_turn_counts_in_it(before: int) -> None:
    bench = Bench()
    bench.seconds(3.0)
    for _ in range(before + 1):
        assert bench.evse.faults.names() == ()
        bench.clock.now += 0.06
        bench.evse.calm_turn(bench.clock.now, False)
    bench.clock.now += 0.06
    bench.evse.calm_turn(bench.clock.now, True)
    assert bench.evse.faults.names() == ("emergency_stop",)


def test_an_adc_that_is_lost_while_all_is_calm_is_a_lost_pilot() -> None:
    bench = Bench()
    bench.seconds(3.0)
    for lost in (False, True):
        bench.wire.adc_lost = lost
        for _ in range(24):
            bench.clock.now += 0.06
            bench.evse.calm_turn(bench.clock.now, False)
    assert bench.evse.faults.names() == ("pilot_lost",)
