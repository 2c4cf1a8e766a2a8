"""The loop's turns as a schedule: whole and calm ones, late ones, the order of the outputs at the end, and what an end waits for."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from chargepoint.control.button import Button
from chargepoint.control.evse import Evse
from chargepoint.control.loop import CALM_S, END_WITHIN_S, Loop
from chargepoint.control.voice import Voice
from chargepoint.link.messages import Edge, EdgeKind, Order, OrderKind, Permit
from tests.control.fakes import FIGURES, TURN_S, Ear, FakeFeed, FakeSecond, FakeSwitch, StillClock, Wire, board_of, control_board
from tests.control.test_loop import Rig


def deadlines(rig: Rig, after: float, until: float) -> list[float]:
    """When turns began between the two times."""
    return [at - rig.begun for at in rig.alive if after <= at - rig.begun < until]


def periods(times: list[float]) -> set[float]:
    return {round(later - earlier, 4) for earlier, later in pairwise(times)}


def test_turns_are_whole_at_the_start_and_long_once_everything_is_calm(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.run(4.0)
    assert periods(deadlines(rig, 0.0, 0.2)) == {TURN_S}
    assert periods(deadlines(rig, 2.0, 4.0)) == {CALM_S}


def test_one_evse_that_is_not_calm_keeps_all_turns_short(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.at(2.0, lambda: setattr(rig.wires[1], "car_v", 6.0))
    rig.run(4.0)
    assert CALM_S in periods(deadlines(rig, 1.0, 2.0))
    assert periods(deadlines(rig, 2.2, 4.0)) == {TURN_S}


def test_a_pressed_stop_keeps_turns_short(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    switch = rig.board.emergency_stop
    rig.at(2.0, lambda: setattr(switch, "pressed", True))
    rig.run(3.0)
    assert periods(deadlines(rig, 2.1, 3.0)) == {TURN_S}


def test_an_order_is_carried_out_in_whole_turns(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.wires[0].car_v, rig.wires[0].ohms = 9.0, 220.0
    rig.at(3.0, lambda: rig.loop.heard(Order(1, OrderKind.SELF_TEST, 1)))
    rig.run(3.1)
    assert TURN_S in periods(deadlines(rig, 3.0, 3.1))


def test_a_whole_turn_converts_twice_and_a_calm_one_once(tmp_path: Path) -> None:
    rig = Rig(tmp_path, 1)
    conversions: list[float] = []
    start = rig.wires[0].start
    rig.wires[0].start = lambda channel: (conversions.append(rig.clock.now - rig.begun), start(channel))[1]  # type: ignore[method-assign]  # noted
    rig.at(3.0, lambda: rig.loop.heard(Order(1, OrderKind.SELF_TEST, 1)))
    rig.run(4.0)
    for begin, end, each in ((0.0, 0.2, 2), (2.0, 2.9, 1), (3.07, 3.1, 2)):
        turns = deadlines(rig, begin, end)
        assert len([at for at in conversions if turns[0] <= at < turns[-1]]) == each * (len(turns) - 1)


@pytest.mark.parametrize(
    ("stall_s", "missed", "blind"), [(0.005, 0, False), (0.0125, 2, False), (0.1, 20, False), (0.5, 100, False), (0.6, 120, True)]
)
def test_late_turns_are_counted_by_whole_periods_and_half_a_second_is_blind(tmp_path: Path, stall_s: float, missed: int, blind: bool) -> None:
    rig = Rig(tmp_path, 1)
    rig.wires[0].car_v, rig.wires[0].ohms = 6.0, 220.0

    def stall() -> None:
        rig.clock.now = rig.alive[-1] + TURN_S + stall_s

    rig.at(1.0, stall)
    rig.at(1.0 + stall_s + 1.0, rig.loop.end)
    rig.loop.run()
    figures = rig.loop._figures()
    assert figures.missed == pytest.approx(missed, abs=1)
    assert any("no turn for" in line for line in rig.lines) is blind
    if blind:
        assert any(f"no turn for {stall_s:.1f} s; every plug-in counts as new" in line for line in rig.lines)
    after = deadlines(rig, 1.0 + stall_s + 0.1, 1.9)
    assert periods(after) <= {TURN_S}, "nothing is made up for"


def test_whatever_ends_the_turns_switches_coils_off_first_then_tests_and_pilots_last() -> None:
    clock = StillClock()
    wires = [Wire(clock) for _ in range(2)]
    seconds = [FakeSecond(wire) for wire in wires]
    boards = [board_of(wire, number, second) for number, (wire, second) in enumerate(zip(wires, seconds, strict=True), 1)]
    loop = Loop(clock, control_board(*boards), TURN_S, CALM_S, realtime=False, say=lambda line: None, alive=lambda now: None)
    loop.add([Evse(board, FIGURES._replace(evse=board.evse), clock, loop) for board in boards])
    order: list[str] = []
    for number, (wire, second) in enumerate(zip(wires, seconds, strict=True), 1):
        wire.coil = second.coil = wire.breaker_tripping = wire.testing = True
        second.switch = lambda on, number=number: order.append(f"{number} second {on}")  # type: ignore[method-assign,misc]  # noted
        wire.switch = lambda on, number=number: order.append(f"{number} coil {on}")  # type: ignore[method-assign,misc]  # noted
        wire.trip_breaker = lambda on, number=number: order.append(f"{number} breaker {on}")  # type: ignore[method-assign,misc]  # noted
        wire.test = lambda on, number=number: order.append(f"{number} test {on}")  # type: ignore[method-assign,misc]  # noted
        wire.set_duty = lambda duty, number=number: order.append(f"{number} duty {duty}")  # type: ignore[method-assign,misc]  # noted
    wires[0].tripped = lambda: 1 / 0  # type: ignore[method-assign,assignment,return-value]  # the mistake
    with pytest.raises(ZeroDivisionError):
        loop.run()
    assert order == [
        "2 coil False",
        "1 coil False",
        "2 second False",
        "1 second False",
        "2 breaker False",
        "2 test False",
        "1 breaker False",
        "1 test False",
        "2 duty 1.0",
        "1 duty 1.0",
    ]


def test_the_end_waits_for_every_evse_but_no_longer_than_nine_seconds(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.run(2.0)
    assert rig.clock.now - rig.begun == pytest.approx(2.0, abs=0.2)
    assert all(evse.ending for evse in rig.evses)
    (tmp_path / "again").mkdir()
    rig = Rig(tmp_path / "again", 1)
    rig.wires[0].mirror = False
    rig.run(2.0)
    assert rig.clock.now - rig.begun == pytest.approx(2.0 + END_WITHIN_S, abs=0.1)


def test_a_board_without_feed_or_stop_turns_all_the_same() -> None:
    clock = StillClock()
    wire = Wire(clock)
    board = control_board(board_of(wire))._replace(feed=None, emergency_stop=None)
    alive: list[float] = []
    loop = Loop(clock, board, TURN_S, CALM_S, realtime=True, say=lambda line: None, alive=alive.append)
    evse = Evse(board.evses[0], FIGURES, clock, loop)
    loop.add([evse])
    clock.on_sleep = lambda until: loop.end() if until > 1001.0 else None
    loop.run()
    assert len(alive) > 40 and evse.fed and loop._figures().realtime


def test_the_feed_ends_with_a_coil_that_is_stuck_on_and_comes_back_with_its_end(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.at(1.0, lambda: setattr(rig.wires[0], "read_back", True))
    counted: list[tuple[int, bool]] = []
    for at in (3.5, 4.0, 8.0):
        rig.at(at, lambda: counted.append((rig.feed.edges, rig.evses[1].fed)))
    rig.at(4.5, lambda: setattr(rig.wires[0], "read_back", None))
    rig.run(8.5)
    assert isinstance(rig.board.feed, FakeFeed)
    assert counted[0] == counted[1] and counted[0][1] is False
    assert counted[2][0] > counted[1][0] and counted[2][1] is True


# the button -----------------------------------------------------------------------------------------------------------------------------------


def test_a_press_is_told_with_its_time_after_thirty_milliseconds() -> None:
    ear, switch = Ear(), FakeSwitch()
    voice = Voice(3, ear)
    button = Button(switch, voice)
    down = (0.1, 0.2, 0.229, 0.231, 0.3, 0.5, 0.54)
    for now in (0.0, 0.031, 0.1, 0.11, 0.2, 0.229, 0.231, 0.3, 0.4, 0.431, 0.5, 0.54):
        switch.pressed = now in down
        button.read(now)
    assert ear.edges == [Edge(1, 0.231, 3, EdgeKind.BUTTON_PRESSED, voice.number), Edge(2, 0.54, 3, EdgeKind.BUTTON_PRESSED, voice.number)]


# a session in the loop ------------------------------------------------------------------------------------------------------------------------


class Session(Rig):
    """A car that comes at 1 s, is permitted, asks at 3 s."""

    def __init__(self, tmp_path: Path) -> None:
        super().__init__(tmp_path, 1)
        self.wire, self.evse = self.wires[0], self.evses[0]
        self.conversions: list[float] = []
        start = self.wire.start
        self.wire.start = lambda channel: (self.conversions.append(self.clock.now), start(channel))[1]  # type: ignore[method-assign]  # noted
        self.at(1.0, lambda: self.put(9.0))
        self.at(3.0, lambda: setattr(self.wire, "car_v", 6.0))
        for half in range(3, 30):
            self.at(half / 2, lambda: self.loop.heard(Permit(1, self.evse.voice.number, 16.0, self.clock.now + 5.0)))

    def put(self, volts: float) -> None:
        self.wire.car_v, self.wire.ohms = volts, 220.0


def test_a_car_is_served_and_both_halves_of_a_turn_look(tmp_path: Path) -> None:
    session = Session(tmp_path)
    closed: list[bool] = []
    session.at(3.5, lambda: closed.append(session.wire.coil))
    session.at(5.0, lambda: session.conversions.clear())
    seen: list[float] = []
    session.at(6.0, lambda: seen.extend(session.conversions))
    session.run(6.5)
    assert closed == [True]
    assert periods(seen) == {TURN_S / 2}
    assert not session.wire.coil and session.wire.duty_now == 1.0


def test_a_lost_diode_opens_in_the_half_turn_that_sees_it(tmp_path: Path) -> None:
    session = Session(tmp_path)
    session.at(5.0, lambda: setattr(session.wire, "diode_v", 0.0))
    opened: list[float] = []
    switch = session.wire.switch

    def noted(on: bool) -> None:
        opened.extend([] if on else [session.clock.now - session.begun])
        switch(on)

    session.wire.switch = noted  # type: ignore[method-assign]  # noted
    session.run(6.0)
    first = next(at for at in opened if at > 5.0)
    assert first - 5.0 <= 0.1
