"""The turns: deadlines, feed, watchdog, and what an exception leaves behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from chargepoint.control.evse import Evse
from chargepoint.control.loop import BLIND_S, CALM_S, Loop, calm_turn_s
from chargepoint.link.messages import LockWish, LoopFigures, Permit
from hal.errors import DeviceLost
from tests.control.fakes import FIGURES, TURN_S, FakeFeed, StillClock, Wire, board_of, control_board


class Rig:
    """A loop over two EVSEs, driven by the clock's sleeps. `script` runs at given times."""

    def __init__(self, tmp_path: Path, evses: int = 2) -> None:
        self.clock = StillClock()
        self.wires = [Wire(self.clock) for _ in range(evses)]
        boards = [board_of(wire, number) for number, wire in enumerate(self.wires, 1)]
        self.board = control_board(*boards)
        self.lines: list[str] = []
        self.alive: list[float] = []
        self.loop = Loop(self.clock, self.board, TURN_S, CALM_S, realtime=False, say=self.lines.append, alive=self.alive.append)
        self.evses = [Evse(board, FIGURES._replace(evse=board.evse), self.clock, self.loop) for board in boards]
        self.loop.add(self.evses)
        self.loop.serve(tmp_path)
        self.plans: list[tuple[float, object]] = []
        self.clock.on_sleep = self._slept
        self.begun = self.clock.now

    @property
    def feed(self) -> FakeFeed:
        feed = self.board.feed
        assert isinstance(feed, FakeFeed)
        return feed

    def at(self, seconds: float, act: object) -> None:
        self.plans.append((self.begun + seconds, act))

    def _slept(self, until: float) -> None:
        for plan in [plan for plan in self.plans if plan[0] <= until]:
            self.plans.remove(plan)
            plan[1]()  # type: ignore[operator]  # a callable

    def run(self, seconds: float) -> None:
        self.at(seconds, self.loop.end)
        self.loop.run()


def test_one_edge_per_turn_and_longer_turns_while_calm(tmp_path: Path) -> None:
    rig = Rig(tmp_path, 1)
    rig.run(5.0)
    figures = next(message for message in rig.loop.status() if isinstance(message, LoopFigures))
    assert rig.feed.edges == figures.periods == len(rig.alive)
    assert 5.0 / CALM_S < figures.periods < 250
    assert (figures.missed, figures.late_max_us, figures.realtime) == (0, 0, False)


@pytest.mark.parametrize(
    ("turn_s", "hold_s", "calm_s"), [(0.005, 0.1, 0.06), (0.005, None, 0.06), (0.005, 0.04, 0.025), (0.005, 0.5, 0.06), (0.02, 0.08, 0.04)]
)
def test_a_calm_turn_is_whole_periods_within_the_hold_time(turn_s: float, hold_s: float | None, calm_s: float) -> None:
    assert calm_turn_s(turn_s, hold_s) == pytest.approx(calm_s)
    assert hold_s is None or calm_turn_s(turn_s, hold_s) < 0.7 * hold_s


def test_whole_turns_while_something_is_offered(tmp_path: Path) -> None:
    rig = Rig(tmp_path, 1)
    rig.wires[0].car_v, rig.wires[0].ohms = 9.0, 220.0
    evse = rig.evses[0]
    for second in range(8, 40):
        rig.at(second / 2, lambda: rig.loop.heard(Permit(1, evse.voice.number, 16.0, rig.clock.now + 15.0)))
    counted: list[int] = []
    rig.at(10.0, lambda: counted.append(rig.feed.edges))
    rig.at(12.0, lambda: counted.append(rig.feed.edges))
    rig.run(15.0)
    assert counted[1] - counted[0] == pytest.approx(2.0 / TURN_S, abs=2)


def test_late_turns_are_counted_and_left_out(tmp_path: Path) -> None:
    rig = Rig(tmp_path, 1)

    def stall() -> None:
        rig.clock.now += 20 * TURN_S

    rig.at(0.05, stall)
    rig.run(1.0)
    figures = rig.loop._figures()
    assert figures.missed >= 19
    assert figures.late_max_us >= 19 * TURN_S * 1e6


def test_after_a_long_silence_every_plug_in_is_new(tmp_path: Path) -> None:
    rig = Rig(tmp_path, 1)
    rig.wires[0].car_v = 9.0
    numbers: list[int] = []
    rig.at(1.0, lambda: numbers.append(rig.evses[0].voice.number))

    def stall() -> None:
        rig.clock.now += BLIND_S + 1.0

    rig.at(1.1, stall)
    rig.run(4.0)
    assert rig.evses[0].voice.number == numbers[0] + 1
    assert any("counts as new" in line for line in rig.lines)


@pytest.mark.parametrize("error", [RuntimeError("a mistake"), DeviceLost("mirror", "gone"), KeyboardInterrupt()])
def test_an_exception_in_a_turn_leaves_every_coil_off_and_every_pilot_at_x1(tmp_path: Path, error: BaseException) -> None:
    rig = Rig(tmp_path)
    for wire in rig.wires:
        wire.duty_now, wire.coil, wire.testing = 0.3, True, True

    def breaks() -> bool:
        raise error

    rig.wires[1].tripped = breaks  # type: ignore[method-assign]  # the mistake
    with pytest.raises(type(error)):
        rig.loop.run()
    for wire in rig.wires:
        assert (wire.coil, wire.duty_now, wire.testing) == (False, 1.0, False)
        assert wire.writes.index("coil off") < wire.writes.index("duty 1.0000")


def test_an_output_that_fails_then_keeps_no_other_from_being_written(tmp_path: Path) -> None:
    rig = Rig(tmp_path)

    def breaks(on: bool) -> None:
        raise DeviceLost("coil", "gone")

    rig.wires[0].switch = breaks  # type: ignore[method-assign]  # the mistake
    rig.wires[1].coil, rig.wires[1].duty_now = True, 0.3
    rig.wires[0].tripped = lambda: 1 / 0  # type: ignore[method-assign,assignment,return-value]  # the mistake
    with pytest.raises(DeviceLost):
        rig.loop.run()
    assert (rig.wires[1].coil, rig.wires[1].duty_now) == (False, 1.0)


def test_a_weld_ends_the_feed_for_all_and_opens_the_others(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    edges: list[int] = []

    def weld() -> None:
        rig.wires[0].mirror = False

    rig.at(1.0, weld)
    rig.at(1.5, lambda: edges.append(rig.feed.edges))
    rig.run(3.0)
    assert edges and rig.feed.edges == edges[0]
    assert not rig.evses[1].fed


def test_a_pressed_emergency_stop_opens_all(tmp_path: Path) -> None:
    rig = Rig(tmp_path)

    def press() -> None:
        rig.board.emergency_stop.pressed = True  # type: ignore[union-attr]  # the fake's

    rig.at(1.0, press)
    rig.run(2.0)
    assert all(evse.faults.names() == ("emergency_stop",) for evse in rig.evses)


def test_messages_for_an_evse_that_is_not_there_are_said_and_left(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.loop.heard(LockWish(9, True))
    rig.loop.heard(Permit(1, 1, 16.0, 0.0))
    rig.loop.heard(Permit(1, 1, 16.0, 0.0))
    assert rig.lines == ["link: LockWish for an EVSE that is not there", "control: EVSE 1: permit void: another plug-in"]
