"""What the loop carries between the link and its EVSEs: each message to its own, each edge, state, figure and answer out again."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from chargepoint.control import loop as loop_module
from chargepoint.control.loop import FIGURES_EVERY_S, SHARES
from chargepoint.link.messages import (
    EdgeKind,
    EvseState,
    Hello,
    LampWish,
    LockWish,
    LoopFigures,
    Order,
    OrderAnswer,
    OrderKind,
    Permit,
    PhaseWish,
    Sample,
    ToStation,
)
from hal.ports import LampPattern
from tests.control.fakes import TURN_S
from tests.control.test_loop import Rig


class FakeLink:
    """Keeps what it is given."""

    def __init__(self, directory: Path, start: int, hearer: object, say: object) -> None:
        self.directory, self.start, self.hearer, self.say = directory, start, hearer, say
        self.edges: list[tuple[float, int, EdgeKind, int, str]] = []
        self.states: list[ToStation] = []
        self.answers: list[OrderAnswer] = []
        self.polls = 0
        self.closed_at_poll = -1

    def edge(self, at: float, evse: int, kind: EdgeKind, plug_in: int, value: str = "") -> None:
        self.edges.append((at, evse, kind, plug_in, value))

    def tell(self, state: ToStation) -> None:
        self.states.append(state)

    def answer(self, answer: OrderAnswer) -> None:
        self.answers.append(answer)

    def poll(self) -> None:
        self.polls += 1

    def close(self) -> None:
        self.closed_at_poll = self.polls


@pytest.fixture
def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rig:
    monkeypatch.setattr(loop_module, "LinkServer", FakeLink)
    return Rig(tmp_path)


def link_of(rig: Rig) -> FakeLink:
    assert isinstance(rig.loop._link, FakeLink)
    return rig.loop._link


def test_the_link_is_polled_in_each_turn_and_once_more_before_it_is_closed(rig: Rig, tmp_path: Path) -> None:
    rig.run(1.0)
    link = link_of(rig)
    assert (link.directory, link.hearer, link.say) == (tmp_path, rig.loop, rig.loop._say)
    assert link.polls == link.closed_at_poll == rig.feed.edges + 1


def test_each_start_is_another_number_and_never_none(rig: Rig, tmp_path: Path) -> None:
    starts = set()
    for _ in range(20):
        rig.loop.serve(tmp_path)
        starts.add(link_of(rig).start)
    assert len(starts) == 20
    assert all(0 < start < 2**31 for start in starts)


def test_what_an_evse_tells_goes_out_and_what_a_person_must_know_is_said(rig: Rig) -> None:
    for kind in EdgeKind:
        rig.loop.edge(5.0, 2, kind, 7, "why")
    link = link_of(rig)
    assert link.edges == [(5.0, 2, kind, 7, "why") for kind in EdgeKind]
    assert rig.lines == ["control: EVSE 2: opened: why", "control: EVSE 2: fault raised: why", "control: EVSE 2: fault cleared: why"]
    rig.loop.edge(5.0, 2, EdgeKind.PLUGGED, 7)
    assert link.edges[-1] == (5.0, 2, EdgeKind.PLUGGED, 7, "")


def test_without_a_link_an_evse_tells_nobody(tmp_path: Path, rig: Rig) -> None:
    rig.loop._link = None
    rig.loop.edge(5.0, 2, EdgeKind.PLUGGED, 7)
    rig.loop.tell(rig.evses[0].state(5.0))
    rig.loop.heard(Order(id=3, kind=OrderKind.UNLOCK, evse=9))
    rig.run(0.2)
    assert rig.feed.edges > 0


def test_each_wish_reaches_the_evse_it_names_and_no_other(rig: Rig) -> None:
    first, second = rig.evses
    rig.loop.heard(LockWish(2, True))
    rig.loop.heard(LampWish(2, "charging"))
    rig.loop.heard(PhaseWish(2, 1))
    assert (first.retention.wished, second.retention.wished) == (None, True)
    assert (first.phases._wish.phases, second.phases._wish.phases) == (3, 1)
    rig.run(0.2)
    assert [wire.lamp for wire in rig.wires] == [LampPattern.READY, LampPattern.CHARGING]
    assert rig.lines == []


@pytest.mark.parametrize("message", [Hello(1, 1), LockWish(3, True), LampWish(0, "charging")])
def test_a_message_that_names_no_evse_of_the_board_is_said_and_reaches_none(rig: Rig, message: Hello | LockWish | LampWish) -> None:
    rig.loop.heard(message)
    assert rig.lines == [f"link: {type(message).__name__} for an EVSE that is not there"]
    assert [evse.retention.wished for evse in rig.evses] == [None, None]


def test_a_sample_is_judged_with_the_time_of_its_coming(rig: Rig) -> None:
    second = rig.evses[1]
    for ago in (2.0, 1.0):
        rig.loop.heard(Sample(2, rig.clock.now - ago, True, (5.0, 0.0, 0.0), (230.0, 230.0, 230.0)))
    assert second._supply.loaded(rig.clock.now)
    assert not rig.evses[0]._supply.loaded(rig.clock.now)
    assert second.retention.held_by(rig.clock.now) != ""


def test_a_void_permit_is_said_once_until_another_reason_or_a_good_one(rig: Rig) -> None:
    evse = rig.evses[1]
    rig.wires[1].car_v, rig.wires[1].ohms = 9.0, 220.0
    void = Permit(2, -1, 16.0, 0.0)

    def hear() -> None:
        for permit in (void, void, Permit(2, evse.voice.number, 16.0, 1.0), void):
            rig.loop.heard(permit)
        rig.loop.heard(Permit(2, evse.voice.number, 16.0, rig.clock.now + 5.0))
        rig.loop.heard(void)

    rig.at(2.0, hear)
    rig.run(2.5)
    another, late = "control: EVSE 2: permit void: another plug-in", "control: EVSE 2: permit void: late"
    assert [line for line in rig.lines if "void" in line] == [another, late, another, another]


def test_a_newer_peer_lets_the_permit_of_the_one_before_close_nothing_and_end_soon(rig: Rig) -> None:
    evse = rig.evses[0]
    rig.wires[0].car_v, rig.wires[0].ohms = 9.0, 220.0
    left: list[tuple[float, bool]] = []

    def hear() -> None:
        rig.loop.heard(Permit(1, evse.voice.number, 16.0, rig.clock.now + 15.0))
        rig.loop.peer_came()
        left.append((evse.lease.until - rig.clock.now, evse.lease.may_close(rig.clock.now)))

    rig.at(2.0, hear)
    rig.run(2.5)
    assert left == [(pytest.approx(5.0), False)]


def test_the_status_is_every_evse_s_state_and_the_loop_s_figures(rig: Rig) -> None:
    rig.run(1.0)
    *states, figures = rig.loop.status()
    assert [(state.evse, state.at) for state in states if isinstance(state, EvseState)] == [(1, rig.clock.now), (2, rig.clock.now)]
    assert figures == LoopFigures(rig.feed.edges, 0, 0, 0, 0, 0, False, os.getpid())


def test_figures_are_told_every_five_seconds_with_their_percentiles_in_order(rig: Rig) -> None:
    for late_s, turns in ((0.001, 190), (0.004, 30)):
        for _ in range(turns):
            rig.loop._lateness.add(late_s)
    for _ in range(9_800):
        rig.loop._lateness.add(0.0)
    rig.run(12.0)
    told = [state for state in link_of(rig).states if isinstance(state, LoopFigures)]
    assert len(told) == 3 and FIGURES_EVERY_S == 5.0 and SHARES == (0.5, 0.99, 0.999)
    last = told[-1]
    assert (last.late_p50_us, last.late_p99_us, last.late_p999_us, last.late_max_us) == (10, 1010, 4000, 4000)
    assert (last.missed, last.realtime, last.pid) == (0, False, os.getpid())


def test_an_order_is_answered_over_the_link(rig: Rig) -> None:
    rig.loop.heard(Order(id=3, kind=OrderKind.UNLOCK, evse=9))
    rig.loop.heard(Order(id=4, kind=OrderKind.SELF_TEST, evse=2))
    rig.run(2.0)
    assert link_of(rig).answers == [OrderAnswer(3, False, "there is no EVSE 9"), OrderAnswer(4, True, "")]


def test_an_emergency_stop_counts_from_its_second_turn(rig: Rig) -> None:
    switch = rig.board.emergency_stop
    rig.at(1.0, lambda: setattr(switch, "pressed", True))
    rig.at(1.0 + 0.9 * TURN_S, lambda: setattr(switch, "pressed", False))
    rig.run(2.0)
    assert not any(kind is EdgeKind.FAULT_RAISED for _, _, kind, _, _ in link_of(rig).edges)
