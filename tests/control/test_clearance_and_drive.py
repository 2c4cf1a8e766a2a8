"""What must hold before current is offered and before the contactor closes, and what follows an opening or a closing: one thing at a time."""

from __future__ import annotations

import pytest

from chargepoint.control import faults
from chargepoint.control.caps import Caps
from chargepoint.control.faults import bit
from chargepoint.control.machine import Phase
from chargepoint.control.offer import Manner
from chargepoint.control.phases import Phases
from chargepoint.control.watch import Watch
from chargepoint.link.messages import PhaseWish, Sample, WakeKind
from chargepoint.model.pilot import PilotState
from tests.control.fakes import FIGURES, Bench, FakeSecond, StillClock, Wire

A, B, C, D, E, F, LOST = PilotState


def waiting() -> Bench:
    """Offered, in B; all that closing needs but C."""
    bench = Bench()
    bench.settle()
    bench.plug()
    bench.renewing = True
    bench.until(lambda: bench.evse.watch.pwm)
    bench.seconds(0.2)
    return bench


def offers(bench: Bench, *, halted: bool = False, fed: bool = True) -> bool:
    return bench.evse._decision._clearance.offers(bench.evse.watch.now, halted=halted, fed=fed)


def closes(bench: Bench) -> bool:
    return bench.evse._decision._clearance.closes(bench.evse.watch.now)


@pytest.mark.parametrize(
    ("what", "open_", "closed"),
    [
        ("nothing", True, True),
        ("no permit", False, False),
        ("halted", False, False),
        ("not fed", False, True),
        ("wake", False, False),
        ("opening fault", False, False),
        ("withdrawing fault", False, False),
        ("barring fault", False, True),
        ("ventilation", True, True),
        ("lock", False, True),
        ("test due", False, True),
        ("x1", False, True),
        ("rest", False, True),
    ],
)
def test_what_forbids_an_offer_while_open_and_while_closed(what: str, open_: bool, closed: bool) -> None:
    for coil, allowed in ((False, open_), (True, closed)):
        bench = waiting()
        evse, now = bench.evse, bench.evse.watch.now
        evse.watch.coil = coil
        effects = {
            "opening fault": "diode",
            "withdrawing fault": "over_current",
            "barring fault": "contactor_stuck_open",
            "ventilation": "ventilation",
        }
        if what in effects:
            evse.faults.active = bit(effects[what])
        elif what == "no permit":
            evse.allowance.permitted = False
        elif what == "wake":
            evse.wake.kind = WakeKind.X1_BREAK
        elif what == "lock" and evse.lock is not None:
            evse.lock.feedback = False
        elif what == "test due":
            evse.residual.due_at = now
        elif what == "x1":
            evse.arrival.x1_until = now + 1.0
        elif what == "rest":
            evse.path.reclose_at, evse.rest.at_x1 = now + 1.0, True
        assert offers(bench, halted=what == "halted", fed=what != "not fed") is allowed


@pytest.mark.parametrize(
    ("pilot", "at_x1", "suspect", "waits"),
    [(B, False, 0.0, False), (B, True, 0.0, True), (C, False, 0.0, True), (D, False, 0.0, True), (C, True, 5.0, False)],
)
def test_a_contactor_that_rests_shows_x1_to_a_car_that_asks(pilot: PilotState, at_x1: bool, suspect: float, waits: bool) -> None:
    bench = waiting()
    evse = bench.evse
    evse.path.reclose_at, evse.rest.at_x1 = evse.watch.now + 1.0, at_x1
    evse.watch.pilot, evse.watch.suspect_since = pilot, suspect
    assert offers(bench) is not waits
    assert evse.arrival.x1_until == (evse.path.reclose_at if waits else 0.0)


@pytest.mark.parametrize(
    ("what", "allowed"),
    [
        ("nothing", True),
        ("not still", False),
        ("another peer", False),
        ("rest", False),
        ("rest over", True),
        ("not proven open", False),
        ("tripped", False),
        ("barring fault", False),
        ("telling fault", True),
    ],
)
def test_what_forbids_a_closing(what: str, allowed: bool) -> None:
    bench = waiting()
    evse, now = bench.evse, bench.evse.watch.now
    evse.filter.closable_turns = 20
    if what == "not still":
        evse.filter.closable_turns = 19
    elif what == "another peer":
        evse.lease.hold(now)
    elif what.startswith("rest"):
        evse.path.reclose_at = now + (0.1 if what == "rest" else 0.0)
    elif what == "not proven open":
        evse.watch.mirror_since = now
    elif what == "tripped":
        evse.watch.tripped = True
    elif what == "barring fault":
        evse.faults.active = bit("contactor_stuck_open")
    elif what == "telling fault":
        evse.faults.active = bit("meter_silent")
    assert closes(bench) is allowed


# an opening, a closing ------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("amps", "pilot_v", "counted"), [(10.0, 6.0, 1), (0.5, 6.0, 0)])
def test_an_opening_of_a_current_is_counted(amps: float, pilot_v: float, counted: int) -> None:
    bench = Bench()
    bench.charge()
    bench.evse.sample(Sample(1, bench.clock.now, True, (amps, 0.0, 0.0), (230.0, 230.0, 230.0)), bench.clock.now)
    bench.emergency = True
    bench.until(lambda: not bench.wire.coil)
    kept = bench.evse.record.kept
    assert (kept.closings, kept.openings_under_load) == (1, counted)


def test_a_car_that_stopped_opens_no_current() -> None:
    bench = Bench()
    bench.charge()
    bench.evse.sample(Sample(1, bench.clock.now, True, (10.0, 0.0, 0.0), (230.0, 230.0, 230.0)), bench.clock.now)
    bench.wire.car_v = 9.0
    bench.until(lambda: not bench.wire.coil)
    assert bench.evse.record.kept.openings_under_load == 0


@pytest.mark.parametrize(
    ("act", "why"),
    [
        (lambda bench: setattr(bench, "emergency", True), "emergency_stop"),
        (lambda bench: setattr(bench.wire, "car_v", 9.0), "car"),
        (lambda bench: setattr(bench.wire, "car_v", 12.0), "unplugged"),
        (lambda bench: setattr(bench.evse, "fed", False), "relay supply not fed"),
        (lambda bench: setattr(bench.wire, "mirror", True), "contactor dropped out"),
    ],
)
def test_why_it_opened_is_told(act: object, why: str) -> None:
    bench = Bench()
    bench.charge()
    act(bench)  # type: ignore[operator]  # an act
    bench.until(lambda: not bench.wire.coil)
    bench.wire.mirror = None
    bench.seconds(0.2)
    assert [edge.value for edge in bench.ear.edges if edge.kind.value == "opened"] == [why]


@pytest.mark.parametrize(
    ("stops", "ended", "why", "after_s"), [(True, "lapsed", "lapsed", 0.02), (False, "the wish of somebody", "car did not stop", 6.0)]
)
def test_after_the_offer_the_car_has_six_seconds(stops: bool, ended: str, why: str, after_s: float) -> None:
    bench = Bench()
    bench.charge()
    bench.renewing = False
    if ended == "lapsed":
        bench.until(lambda: not bench.evse.watch.pwm, 16.0)
    else:
        bench.evse.end_permit(ended)
        bench.turns(1)
    begun = bench.clock.now
    assert bench.evse.phase is Phase.WITHDRAW and bench.wire.coil
    if stops:
        bench.wire.car_v = 9.0
    bench.until(lambda: not bench.wire.coil)
    assert bench.clock.now - begun == pytest.approx(after_s, abs=0.02)
    assert bench.evse.rest.at_x1
    assert bench.evse.phases._loaded is not stops, "phases rest longer after an opening under load"
    bench.seconds(0.1)
    assert bench.ear.kinds()[-1] == f"opened {why}"


def test_a_fault_that_withdraws_is_told_as_the_reason() -> None:
    bench = Bench()
    bench.charge()
    bench.wire.ohms = 680.0
    bench.until(lambda: bench.evse.phase is Phase.WITHDRAW)
    bench.wire.car_v = 9.0
    bench.until(lambda: not bench.wire.coil)
    bench.seconds(0.1)
    assert bench.ear.kinds()[-1] == "opened proximity_changed"
    assert bench.evse.faults.active & faults.WITHDRAWS


# caps, turn by turn ---------------------------------------------------------------------------------------------------------------------------


def test_a_soft_start_begins_with_the_closing() -> None:
    bench = Bench(FIGURES._replace(manner=Manner(soft_start_s=3.0)))
    bench.charge()
    caps: Caps = bench.evse._decision._caps
    begun = bench.evse.watch.coil_since
    assert bench.evse.generator.offer.by == "soft start"
    bench.until(lambda: bench.evse.generator.offer.by == "permit")
    assert bench.clock.now - begun == pytest.approx(5.0, abs=0.6), "no sooner than five seconds after the offer began"
    assert caps.none().amps == 0.0


@pytest.mark.parametrize(
    ("values", "amps", "by"),
    [
        ({}, 16.0, "permit"),
        ({"limit_a": 40.0, "ohms": 100.0}, 32.0, "rating"),
        ({"limit_a": 40.0, "ohms": 680.0}, 20.0, "cable"),
        ({"limit_a": 80.0, "socket": False, "rating_a": 80.0}, 63.0, "board"),
        ({"celsius": 72.5}, 16.0, "permit"),
        ({"celsius": 79.0}, 7.73, "heat"),
        ({"silent": True}, 6.0, "meter"),
    ],
)
def test_who_limits_what_is_offered(values: dict[str, object], amps: float, by: str) -> None:
    figures = {name: value for name, value in values.items() if name in FIGURES._fields}
    bench = Bench(FIGURES._replace(**figures))
    bench.limit_a = float(values.get("limit_a", 16.0))  # type: ignore[arg-type]  # a number
    bench.settle()
    if "celsius" in values:
        bench.evse.temperature = (bench.clock.now + 5.0, float(values["celsius"]))  # type: ignore[arg-type]  # a number
    if "silent" in values:
        bench.evse.faults.active |= faults.METER_SILENT
        bench.evse.faults._seen_at = [1e9] * len(bench.evse.faults._seen_at)
    bench.plug(9.0, float(values.get("ohms", 220.0)))  # type: ignore[arg-type]  # a resistance
    bench.renewing = True
    bench.until(lambda: bench.evse.watch.pwm)
    assert (round(bench.evse.generator.offer.amps, 2), bench.evse.generator.offer.by) == (amps, by)


# phases 2 and 3 -------------------------------------------------------------------------------------------------------------------------------


class TwoContactors:
    """The parts that move phases 2 and 3: open for long, in B, three phases wished."""

    def __init__(self, **figures: object) -> None:
        self.wire = Wire(StillClock(0.0))
        self.second = FakeSecond(self.wire)
        self.watch = Watch(0.0, socket=True, d_allowed=False, thermometer=False)
        self.phases = Phases(self.second, FIGURES._replace(phase_switching=True, **figures), self.watch)
        self.watch.pilot, self.watch.mirror_closed, self.watch.mirror_l23_closed = B, True, True

    def step(self, now: float, permitted: bool = True) -> bool:
        """Whether the second coil is on after a turn."""
        self.watch.now = self.wire.clock.now = now
        self.phases.read()
        self.phases.step(now, permitted)
        return self.second.coil


@pytest.mark.parametrize(
    ("values", "moves"),
    [
        ({}, True),
        ({"permitted": False}, False),
        ({"testing": True}, False),
        ({"pilot": A}, False),
        ({"pilot": E}, False),
        ({"pwm": True}, False),
        ({"coil": True}, False),
        ({"mirror_since": 9.01}, False),
        ({"mirror_since": 9.0}, True),
        ({"tries_l23": 3}, False),
        ({"tries_l23": 2}, True),
    ],
)
def test_what_the_second_contactor_moves_for(values: dict[str, object], moves: bool) -> None:
    two = TwoContactors()
    for name, value in values.items():
        if name != "permitted":
            setattr(two.watch, name, value)
    assert two.step(10.0, bool(values.get("permitted", True))) is moves


def test_a_second_contactor_that_does_not_close_is_tried_again_after_a_second() -> None:
    two = TwoContactors()
    two.second.stuck_open = True
    assert two.step(10.0) and two.step(10.14)
    assert not two.step(10.16) and two.watch.tries_l23 == 1
    assert not two.step(11.15) and two.step(11.17)
    assert not two.step(11.5) and two.watch.tries_l23 == 2


def test_what_is_due_before_an_offer() -> None:
    two = TwoContactors()
    assert two.phases.due(10.0), "it has not moved"
    two.step(10.0)
    assert two.phases.due(10.0), "nor followed"
    two.step(10.1)
    assert not two.phases.due(10.1) and two.phases.connected == 3 and not two.phases.rests
    two.watch.coil = True
    two.phases.closed()
    assert not two.phases.due(10.2) and two.phases.charged_on == 3
    two.phases.wish(PhaseWish(1, 1, within=True))
    assert not two.phases.due(10.2), "not proven by current yet"
    two.phases.proof.right = True
    assert two.phases.due(10.2) and two.phases.switching(10.2)


@pytest.mark.parametrize(("loaded", "wished_s", "rest_s"), [(False, 0.0, 10.0), (False, 30.0, 30.0), (True, 0.0, 60.0), (True, 90.0, 90.0)])
def test_a_change_of_phases_in_a_plug_in_is_followed_by_a_rest(loaded: bool, wished_s: float, rest_s: float) -> None:
    two = TwoContactors()
    for now in (10.0, 10.1):
        two.step(now)
    two.watch.coil = True
    two.phases.closed()
    two.phases.proof.right = True
    two.phases.wish(PhaseWish(1, 1, True, wished_s))
    two.watch.coil, two.watch.coil_since = False, 20.0
    two.phases.opened(under_load=loaded)
    two.watch.mirror_since = 20.0
    assert two.step(20.99) and two.phases.switches == 0
    assert not two.step(21.0) and two.phases.switches == 1
    two.step(21.1)
    assert two.phases.due(21.0 + rest_s - 0.01) and two.phases.switching(21.0 + rest_s - 0.01)
    assert not two.phases.due(21.0 + rest_s + 0.01) and two.phases.switching(21.0 + rest_s + 0.01), "until it is closed again"
    assert two.step(22.0) is False and two.phases.switches == 1
    two.phases.closed()
    assert two.phases.charged_on == 1 and not two.phases.switching(200.0)
    two.phases.start_over()
    assert (two.phases.charged_on, two.phases.switches, two.phases.switching(22.0), two.watch.tries_l23) == (0, 0, False, 0)


def test_phases_that_fall_off_a_closed_contactor_are_not_tried_again() -> None:
    two = TwoContactors()
    for now in (10.0, 10.1):
        two.step(now)
    two.watch.coil = True
    assert two.phases.failed() == ""
    two.second.stuck_open = True
    two.watch.now = 11.0
    two.phases.read()
    two.watch.now = 11.019
    assert two.phases.failed() == ""
    two.watch.now = 11.021
    assert two.phases.failed() == "phases 2 and 3 dropped out" and two.watch.tries_l23 == 3


@pytest.mark.parametrize(("phases", "wish", "goal"), [(3, 1, 1), (3, 3, 3), (3, 2, 3), (1, 3, 1)])
def test_only_one_and_three_phases_can_be_wished_and_no_more_than_are_wired(phases: int, wish: int, goal: int) -> None:
    two = TwoContactors(phases=phases)
    two.phases.wish(PhaseWish(1, wish))
    assert two.phases.goal == goal
    alone = Phases(None, FIGURES._replace(phases=phases), Watch(0.0, socket=True, d_allowed=False, thermometer=False))
    alone.wish(PhaseWish(1, wish))
    assert alone.goal == alone.connected == phases and alone.rests and not alone.due(5.0)
    alone.step(5.0, True)
    alone.read()
