"""What an EVSE tells of itself: the whole state in each situation, when it is told, and the edges of a session with their times."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from chargepoint.control.evse import Evse
from chargepoint.control.memory import Kept, LastTest
from chargepoint.control.telling import Telling
from chargepoint.control.voice import Voice
from chargepoint.control.wake import sight_of
from chargepoint.link.messages import Edge, EdgeKind, EvseState, PhaseWish, Sample, WakeKind
from chargepoint.model.pilot import PilotState
from hal.ports import EvseBoard
from tests.control.fakes import FIGURES, TURN_S, Bench, Ear, FakeSwitch, StillClock, Wire, board_of

AT = 1000.0


def told(bench: Bench) -> EvseState:
    return bench.evse.state(bench.clock.now)


def test_an_evse_that_has_just_started_tells_that_nothing_is_known() -> None:
    bench = Bench(kept=Kept(("diode",), LastTest(False, 77.0), 12, 3))
    assert told(bench) == EvseState(
        evse=1,
        at=AT,
        plug_in=0,
        pilot=PilotState.IMPLAUSIBLE.value,
        pwm=False,
        closed=False,
        offered_a=0.0,
        offer_limit_by="",
        permit=False,
        cable=False,
        cable_a=None,
        locked=None,
        faults=("diode",),
        testing=False,
        temperature_c=None,
        since_plug_in=0.0,
        waking=False,
        closings=12,
        openings_under_load=3,
        tested_at=77.0,
        test_passed=False,
        phases=3,
        switching=False,
        switches=0,
        bay=None,
    )


def test_an_evse_that_charges_tells_all_of_it() -> None:
    bench = Bench()
    bench.evse.temperature = (AT, 41.0)
    bench.charge()
    bench.limit_a = 13.337
    bench.seconds(6.0)
    state = told(bench)
    since = state.since_plug_in
    assert AT < since < bench.clock.now
    assert state == EvseState(
        evse=1,
        at=bench.clock.now,
        plug_in=bench.evse.voice.number,
        pilot="C",
        pwm=True,
        closed=True,
        offered_a=13.34,
        offer_limit_by="permit",
        permit=True,
        cable=True,
        cable_a=32.0,
        locked=True,
        faults=(),
        testing=False,
        temperature_c=41.0,
        since_plug_in=since,
        closings=1,
        tested_at=state.tested_at,
        test_passed=True,
    )


def test_a_tethered_cable_is_no_cable_in_a_socket() -> None:
    bench = Bench(FIGURES._replace(socket=False))
    bench.settle()
    bench.plug()
    state = told(bench)
    assert (state.cable, state.cable_a, state.locked, state.plug_in) == (False, None, None, bench.evse.voice.number)


def test_a_step_and_a_test_are_told() -> None:
    bench = Bench()
    bench.turns(60)
    assert told(bench).testing or told(bench).test_passed
    bench.seconds(1.0)
    bench.plug()
    bench.renewing = True
    bench.seconds(1.0)
    assert not told(bench).waking
    assert bench.evse.wake.begin(WakeKind.X1_BREAK, 5.0, bench.clock.now, sight_of(bench.evse)) == ""
    assert told(bench).waking


def test_phases_are_those_of_the_next_closing_and_then_those_that_are_connected() -> None:
    bench = Bench(FIGURES._replace(phase_switching=True), second=True)
    bench.settle()
    bench.evse.phases.wish(PhaseWish(1, 1, within=True, rest_s=0.0))
    assert (told(bench).phases, told(bench).switching) == (1, False)
    bench.charge()
    assert (told(bench).phases, told(bench).switches) == (1, 0)
    for _ in range(4):
        bench.seconds(1.0)
        bench.evse.sample(Sample(1, bench.clock.now, True, (9.0, 0.0, 0.0), (230.0, 230.0, 230.0)), bench.clock.now)
    bench.evse.phases.wish(PhaseWish(1, 3, within=True, rest_s=0.0))
    assert (told(bench).phases, told(bench).switching) == (1, True), "until it is open"
    bench.wire.car_v = 9.0
    bench.seconds(3.0)
    assert (told(bench).phases, told(bench).switching, told(bench).switches) == (3, True, 1)


# when ------------------------------------------------------------------------------------------------------------------------------------------


def changes_of(evse: Evse) -> dict[str, object]:
    """One change for each thing whose change is told at once."""
    watch = evse.watch
    return {
        "pilot": lambda: setattr(watch, "pilot", PilotState.E),
        "closed": lambda: setattr(watch, "closed", True),
        "permit": lambda: setattr(evse.allowance, "permitted", True),
        "cable": lambda: setattr(evse.cable, "present", True),
        "rating": lambda: setattr(evse.cable, "rating_a", 13.0),
        "lock": lambda: setattr(evse.lock, "feedback", True),
        "faults": lambda: setattr(evse.faults, "active", 1),
        "testing": lambda: setattr(watch, "testing", True),
        "waking": lambda: setattr(evse.wake, "kind", WakeKind.X1_BREAK),
        "temperature": lambda: setattr(watch, "temperature_c", 12.0),
        "plug-in": lambda: setattr(evse.voice, "since", 3.0),
        "bay": lambda: setattr(evse.bay, "occupied", True),
    }


@pytest.mark.parametrize("what", list(changes_of(Bench().evse)))
def test_a_change_is_told_at_once_and_once(what: str) -> None:
    bench = Bench()
    ear = Ear()
    telling = Telling(ear)
    telling.step(bench.evse, AT)
    assert len(ear.states) == 1
    changes_of(bench.evse)[what]()  # type: ignore[operator]  # an act
    telling.step(bench.evse, AT + 0.1)
    telling.step(bench.evse, AT + 0.2)
    assert [state.at for state in ear.states] == [AT, AT + 0.1]


def test_what_has_not_changed_is_told_once_a_second() -> None:
    bench = Bench()
    ear = Ear()
    telling = Telling(ear)
    for tenth in range(35):
        telling.step(bench.evse, tenth / 10)
    assert [state.at for state in ear.states] == [0.0, 1.0, 2.0, 3.0]


def test_the_wish_for_phases_is_told_at_once() -> None:
    bench = Bench(second=True)
    ear = Ear()
    telling = Telling(ear)
    telling.step(bench.evse, AT)
    bench.evse.phases.wish(PhaseWish(1, 1))
    telling.step(bench.evse, AT + 0.1)
    assert [state.phases for state in ear.states] == [3, 1]


# edges ----------------------------------------------------------------------------------------------------------------------------------------


def test_the_edges_of_a_session_have_their_number_and_their_time() -> None:
    bench = Bench()
    bench.settle()
    bench.ear.edges.clear()
    number = bench.evse.voice.number
    begun = bench.clock.now
    bench.plug()
    bench.renewing = True
    bench.until(lambda: bench.evse.watch.pwm)
    bench.wire.car_v = 6.0
    bench.until(lambda: bench.evse.watch.closed)
    bench.renewing = False
    bench.permit(0.0)
    bench.seconds(0.1)
    bench.wire.car_v = 9.0
    bench.seconds(0.5)
    bench.wire.car_v = 12.0
    bench.seconds(0.5)
    assert bench.ear.kinds() == [
        "plugged",
        "pilot_changed B",
        "offered 16",
        "pilot_changed C",
        "closed",
        "permit_ended withdrawn",
        "offered 0",
        "pilot_changed B",
        "opened withdrawn",
        "unplugged",
        "pilot_changed A",
    ]
    assert {edge.plug_in for edge in bench.ear.edges} == {number + 1} and {edge.evse for edge in bench.ear.edges} == {1}
    times = [edge.at for edge in bench.ear.edges]
    assert times == sorted(times) and begun < times[0] and times[-1] < bench.clock.now


GOES_WITH: dict[EdgeKind, Callable[[Edge, EvseState], bool]] = {
    EdgeKind.PLUGGED: lambda edge, state: state.plug_in == edge.plug_in,
    EdgeKind.UNPLUGGED: lambda edge, state: state.plug_in == 0,
    EdgeKind.PILOT_CHANGED: lambda edge, state: state.pilot == edge.value,
    EdgeKind.OFFERED: lambda edge, state: state.offered_a == float(edge.value),
    EdgeKind.PERMIT_ENDED: lambda edge, state: not state.permit,
    EdgeKind.CLOSED: lambda edge, state: state.closed,
    EdgeKind.OPENED: lambda edge, state: not state.closed,
}


def test_the_state_that_goes_with_an_edge_is_told_in_the_same_turn() -> None:
    bench = Bench()
    bench.settle()
    seen = set()

    def turns(seconds: float) -> None:
        for _ in range(round(seconds / TURN_S)):
            edges, states = len(bench.ear.edges), len(bench.ear.states)
            bench.turns(1)
            for edge in bench.ear.edges[edges:]:
                seen.add(edge.kind)
                assert len(bench.ear.states) == states + 1 and GOES_WITH[edge.kind](edge, bench.ear.states[-1]), edge

    bench.wire.car_v, bench.wire.ohms = 9.0, 220.0
    turns(0.3)
    bench.renewing = True
    turns(2.0)
    bench.wire.car_v = 6.0
    turns(2.0)
    bench.renewing = False
    bench.permit(0.0)
    turns(0.1)
    bench.wire.car_v = 9.0
    turns(0.5)
    bench.wire.car_v = 12.0
    turns(0.5)
    assert seen == set(GOES_WITH)


def test_a_number_is_of_one_start_and_one_plug_in() -> None:
    ear = Ear()
    voices = [Voice(4, ear) for _ in range(20)]
    assert len({voice.number for voice in voices}) == 20 and all(0 <= voice.number < 2**30 for voice in voices)
    voice = voices[0]
    first = voice.number
    assert (voice.plugged, voice.since) == (False, 0.0)
    voice.unplug(1.0)
    assert ear.edges == [], "nobody was told of a car"
    voice.plug_in(2.0)
    assert (voice.plugged, voice.since, voice.number) == (True, 2.0, first + 1)
    voice.forget()
    assert (voice.plugged, voice.since, voice.number) == (False, 0.0, first + 1)
    voice.unplug(3.0)
    voice.unplug(4.0)
    assert ear.edges == [Edge(1, 2.0, 4, EdgeKind.PLUGGED, first + 1), Edge(2, 3.0, 4, EdgeKind.UNPLUGGED, first + 1)]


@pytest.mark.parametrize(("limit_a", "offered"), [(16.0, "16"), (13.5, "13.5"), (10.25, "10.25"), (20.0, "20"), (6.126, "6.13")])
def test_an_offer_is_told_in_hundredths_without_idle_digits(limit_a: float, offered: str) -> None:
    bench = Bench()
    bench.limit_a = limit_a
    bench.settle()
    bench.plug()
    bench.renewing = True
    bench.until(lambda: bench.evse.watch.pwm)
    assert bench.ear.kinds()[-1] == f"offered {offered}"


# the start of an EVSE -------------------------------------------------------------------------------------------------------------------------


class Gone(FakeSwitch):
    pressed = True


def test_a_board_with_everything_is_read_whole() -> None:
    clock = StillClock()
    wire = Wire(clock)
    board: EvseBoard = board_of(wire)._replace(button=FakeSwitch(), bay=Gone(), thermometer=wire)
    ear = Ear()
    evse = Evse(board, FIGURES, clock, ear)
    for turn in range(600):
        clock.now += TURN_S / 2
        evse.first_half(clock.now, False)
        clock.now += TURN_S / 2
        evse.second_half(clock.now)
        if turn == 300:
            evse.temperature = (clock.now, 33.0)
            board.button.pressed = True  # type: ignore[union-attr]  # the fake's
    assert (evse.bay.occupied, evse.watch.temperature_c, evse.watch.thermometer) == (True, 33.0, True)
    assert [edge.kind for edge in ear.edges if edge.kind is EdgeKind.BUTTON_PRESSED] == [EdgeKind.BUTTON_PRESSED]
    assert evse.faults.names() == ()


def test_what_an_evse_keeps_is_told_under_its_number() -> None:
    clock = StillClock()
    wire, kept = Wire(clock), []
    evse = Evse(board_of(wire, 4), FIGURES._replace(evse=4), clock, Ear(), keep=lambda number, what: kept.append((number, what.test)))
    for _ in range(200):
        clock.now += TURN_S / 2
        evse.first_half(clock.now, False)
        clock.now += TURN_S / 2
        evse.second_half(clock.now)
    (number, test), *_ = kept
    assert number == 4 and test is not None and test.passed and test.at == pytest.approx(clock.wall_s(), abs=60.0)


def test_control_that_did_not_look_takes_nothing_for_granted() -> None:
    bench = Bench()
    bench.charge()
    bench.renewing = False
    number = bench.evse.voice.number
    bench.evse.blind()
    assert bench.evse.lease.until == 0.0
    bench.turns(1)
    assert not bench.wire.coil
    bench.seconds(1.0)
    assert bench.evse.voice.number == number + 1
    assert "permit_ended control did not look" in bench.ear.kinds()


def test_nothing_is_calm_that_ends_or_is_reset() -> None:
    bench = Bench()
    bench.seconds(3.0)
    assert bench.evse.calm
    for name in ("ending", "resetting"):
        setattr(bench.evse, name, True)
        assert not bench.evse.calm
        setattr(bench.evse, name, False)
    assert bench.evse.calm
    assert bench.evse.at_rest


@pytest.mark.parametrize(
    ("what", "value", "why"),
    [("ending", True, "control ends"), ("resetting", True, "reset"), ("pilot", PilotState.E, "pilot in E"), ("pilot", PilotState.F, "pilot in F")],
)
def test_why_no_permit_can_be_in_force(what: str, value: object, why: str) -> None:
    bench = Bench()
    bench.settle()
    bench.plug()
    setattr(bench.evse.watch if what == "pilot" else bench.evse, what, value)
    assert bench.permit() == why
    assert not math.isinf(bench.evse.lease.until)
