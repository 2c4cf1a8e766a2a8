"""Which channel of the ADC is converted when, what a reading is worth, and when a lost one is tried again."""

from __future__ import annotations

import math

import pytest

from chargepoint.control.front_end import FrontEnd
from hal.errors import DeviceLost
from hal.ports import Channel
from tests.control.fakes import StillClock

HIGH, LOW, PROXIMITY = Channel.HIGH, Channel.LOW, Channel.PROXIMITY
SHORT = {HIGH: "H", LOW: "L", PROXIMITY: "P"}


class Adc:
    """Answers `value`, or is lost; `blocks_s`: a transfer takes so long. Keeps what was started."""

    def __init__(self, clock: StillClock) -> None:
        self.clock = clock
        self.value = 6.0
        self.lost = False
        self.blocks_s = 0.0
        self.started: list[Channel] = []

    def start(self, channel: Channel) -> None:
        self.started.append(channel)
        self._transfer()

    def finish(self) -> float:
        self._transfer()
        return self.value

    def _transfer(self) -> None:
        self.clock.now += self.blocks_s
        if self.lost:
            raise DeviceLost("adc", "gone")

    @property
    def order(self) -> str:
        return "".join(SHORT[channel] for channel in self.started)


class Ends:
    def __init__(self, proximity: bool = True) -> None:
        self.clock = StillClock(0.0)
        self.adc = Adc(self.clock)
        self.end = FrontEnd(self.adc, proximity, self.clock, 0.0014)


@pytest.mark.parametrize(
    ("proximity", "closed", "low_first", "order"),
    [
        (True, False, False, "LLLPLLLPLLLPLLLPLLLP"),
        (True, True, False, "LLLLLLLLLLLLLLLPLLLL"),
        (True, False, True, "LLLLLLLLLLLLLLLLLLLL"),
        (False, False, False, "LLLLLLLLLLLLLLLLLLLL"),
    ],
)
def test_the_low_peak_has_most_turns_and_the_cable_some(proximity: bool, closed: bool, low_first: bool, order: str) -> None:
    ends = Ends(proximity)
    for _ in range(20):
        ends.end.start_other(0.0, closed, low_first)
    assert ends.adc.order == order


@pytest.mark.parametrize(("proximity", "order"), [(True, "HHHPHHHLHHHPHHHL"), (False, "HHHHHHHLHHHHHHHL")])
def test_a_calm_turn_has_mostly_the_high_peak(proximity: bool, order: str) -> None:
    ends = Ends(proximity)
    for _ in range(16):
        ends.end.start_calm(0.0)
    assert ends.adc.order == order


def test_a_conversion_is_ready_after_its_time() -> None:
    ends = Ends()
    assert ends.end.ready_at == 0.0
    ends.clock.now = 5.0
    ends.end.start_high(5.0)
    assert ends.end.ready_at == 5.0014


def test_each_reading_is_of_the_channel_that_was_started_and_is_read_once() -> None:
    ends = Ends()
    assert ends.end.finish_high(0.0) is None
    assert ends.end.finish_any(0.0) == (None, 0.0)
    ends.end.start_high(0.0)
    assert ends.end.finish_other(0.0) == (None, None)
    assert ends.end.finish_high(0.0) == 6.0
    assert ends.end.finish_high(0.0) is None
    ends.end.start_other(0.0, False, False)
    assert ends.end.finish_high(0.0) is None
    assert ends.end.finish_other(0.0) == (6.0, None)
    assert ends.end.finish_other(0.0) == (None, None)
    for _ in range(3):
        ends.end.start_other(0.0, False, False)
    assert ends.end.finish_other(0.0) == (None, 6.0)


@pytest.mark.parametrize(
    ("value", "channel", "read"),
    [
        (math.nan, HIGH, False),
        (math.inf, HIGH, False),
        (-math.inf, LOW, False),
        (math.inf, PROXIMITY, True),
        (math.nan, PROXIMITY, False),
        (-12.0, LOW, True),
    ],
)
def test_what_is_no_number_was_not_read_but_an_open_contact_is_infinite(value: float, channel: Channel, read: bool) -> None:
    ends = Ends()
    ends.adc.value = value
    while ends.adc.started[-1:] != [channel]:
        ends.end.start_calm(0.0)
    assert ends.end.finish_any(0.0) == ((channel, value) if read else (None, 0.0))


def tried(ends: Ends, at: float) -> bool:
    """Whether a transfer is tried at that time."""
    ends.clock.now, before = at, len(ends.adc.started)
    ends.end.start_high(at)
    return len(ends.adc.started) > before


def test_an_adc_that_is_lost_at_once_is_tried_in_every_half_turn_and_after_100_ms_seldom() -> None:
    ends = Ends()
    ends.adc.lost = True
    assert all(tried(ends, at) for at in (0.0, 0.0025, 0.005, 0.0975, 0.0999))
    assert tried(ends, 0.1)
    assert not any(tried(ends, at) for at in (0.1025, 0.2, 0.3499))
    assert tried(ends, 0.35)
    ends.adc.lost = False
    assert tried(ends, 0.6)
    assert ends.end.finish_high(0.6) == 6.0
    ends.adc.lost = True
    assert tried(ends, 0.6) and tried(ends, 0.65)


def test_a_bus_that_is_held_is_tried_again_only_when_the_pilot_has_opened_everything() -> None:
    ends = Ends()
    ends.adc.lost, ends.adc.blocks_s = True, 0.004
    assert tried(ends, 0.0)
    assert not any(tried(ends, at) for at in (0.005, 0.0389))
    assert tried(ends, 0.0391)


def test_a_transfer_that_is_lost_quickly_is_tried_again_at_once() -> None:
    ends = Ends()
    ends.adc.lost, ends.adc.blocks_s = True, 0.0039
    assert tried(ends, 0.0) and tried(ends, 0.005)


def test_a_reading_that_is_lost_is_none_and_nonsense_does_not_count_as_good() -> None:
    ends = Ends()
    ends.end.start_high(0.0)
    ends.adc.lost = True
    assert ends.end.finish_any(0.0) == (None, 0.0)
    ends.adc.lost, ends.adc.value = False, math.nan
    ends.clock.now = 0.09
    ends.end.start_high(0.09)
    assert ends.end.finish_high(0.09) is None
    ends.adc.lost = True
    assert tried(ends, 0.1), "100 ms after the last good one"
    assert not tried(ends, 0.11)
