"""Whatever happens on the wire and the link, the coil is switched on only with C (D where it is allowed), a permit for this plug-in, a lock verified
where there is a socket, and no fault."""

from __future__ import annotations

import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chargepoint.control import faults
from chargepoint.control.decision import CAR_TIME_S
from chargepoint.control.electrics import DIODE_V, STILL_V, state_of
from chargepoint.control.guard import LOW_TURNS
from chargepoint.control.pilot_filter import ENTER_TURNS, LOST_TURNS, UNCONFIRMED_TURNS
from chargepoint.control.wake import sight_of
from chargepoint.link.messages import PhaseWish, Sample, WakeKind
from chargepoint.model.pilot import PilotState
from hal.ports import Channel
from tests.control.fakes import FIGURES, Bench

OUTLETS = {
    "socket": FIGURES,
    "tethered": FIGURES._replace(socket=False),
    "ventilated socket": FIGURES._replace(d_allowed=True),
    "ventilated, tethered": FIGURES._replace(socket=False, d_allowed=True),
    "two contactors": FIGURES._replace(phase_switching=True),
}
LEVELS = st.sampled_from([12.0, 9.0, 6.0, 6.0, 3.0, 0.0, 8.1, 14.0, -1.0])
ACTS = st.one_of(
    st.tuples(st.just("car"), LEVELS),
    st.tuples(st.just("diode"), st.sampled_from([-12.0, -12.0, -5.6, 0.0])),
    st.tuples(st.just("ohms"), st.sampled_from([220.0, 220.0, 680.0, math.inf, 0.0, math.nan])),
    st.tuples(st.just("permit"), st.sampled_from([16.0, 16.0, 6.0, 0.0, math.nan, math.inf])),
    st.tuples(st.just("old permit"), st.integers(min_value=1, max_value=3)),
    st.tuples(st.just("renew"), st.booleans()),
    st.tuples(st.just("trip"), st.booleans()),
    st.tuples(st.just("jam"), st.booleans()),
    st.tuples(st.just("emergency"), st.booleans()),
    st.tuples(st.just("adc"), st.booleans()),
    st.tuples(st.just("nonsense"), st.booleans()),
    st.tuples(st.just("unread"), st.sampled_from([Channel.LOW, Channel.HIGH, Channel.PROXIMITY, None])),
    st.tuples(st.just("wish"), st.sampled_from([None, 10.0, 0.0, math.nan])),
    st.tuples(st.just("read back"), st.sampled_from([None, None, True, False])),
    st.tuples(st.just("sample"), st.sampled_from([0.0, 16.0, 60.0, math.nan, math.inf, -math.inf])),
    st.tuples(st.just("lock"), st.booleans()),
    st.tuples(st.just("dark"), st.booleans()),
    st.tuples(st.just("mirror"), st.sampled_from([None, None, True, False])),
    st.tuples(st.just("peer"), st.none()),
    st.tuples(st.just("wake"), st.sampled_from([(WakeKind.X1_BREAK, 3.0), (WakeKind.STATE_F, 3.0), (WakeKind.STATE_F, math.inf)])),
    st.tuples(st.just("late"), st.sampled_from([0.02, 0.2, 1.0])),
    st.tuples(st.just("phases"), st.tuples(st.sampled_from([1, 3, 1, 3, 2]), st.booleans())),
    st.tuples(st.just("second"), st.sampled_from(["welded", "stuck_open", "whole"])),
)


def act(bench: Bench, kind: str, value: object) -> None:
    wire, evse = bench.wire, bench.evse
    if kind == "car":
        wire.car_v = float(value)  # type: ignore[arg-type]  # a level
    elif kind == "diode":
        wire.diode_v = float(value)  # type: ignore[arg-type]  # a level
    elif kind == "ohms":
        wire.ohms = float(value)  # type: ignore[arg-type]  # a resistance
    elif kind == "permit":
        bench.permit(float(value))  # type: ignore[arg-type]  # amperes
    elif kind == "old permit":
        bench.permit(16.0, plug_in=evse.voice.number - int(value))  # type: ignore[call-overload]  # a number
    elif kind == "renew":
        bench.renewing = bool(value)
    elif kind == "trip":
        wire.trip = bool(value)
    elif kind == "jam":
        wire.lock_jams = bool(value)
    elif kind == "emergency":
        bench.emergency = bool(value)
    elif kind == "adc":
        wire.adc_lost = bool(value)
    elif kind == "nonsense":
        wire.adc_nonsense = bool(value)
    elif kind == "unread":
        wire.unread = value  # type: ignore[assignment]  # a channel
    elif kind == "wish":
        bench.wish_a = value  # type: ignore[assignment]  # amperes
    elif kind == "read back":
        wire.read_back = value  # type: ignore[assignment]  # a level
    elif kind == "sample":
        amps = float(value)  # type: ignore[arg-type]  # amperes
        evse.sample(Sample(1, bench.clock.now, True, (amps, amps, amps), (230.0, math.nan, None)), bench.clock.now)
    elif kind == "lock":
        wire.locked = bool(value)
    elif kind == "dark":
        wire.dark = bool(value)
    elif kind == "mirror":
        wire.mirror = value  # type: ignore[assignment]  # a contact
    elif kind == "wake":
        evse.wake.begin(*value, bench.clock.now, sight_of(evse))  # type: ignore[misc]  # a step and its seconds
    elif kind == "phases":
        phases, within = value  # type: ignore[misc]  # a number and a word
        evse.phases.wish(PhaseWish(1, phases, within=within, rest_s=0.0))
    elif kind == "second":
        bench.second.welded, bench.second.stuck_open = value == "welded", value == "stuck_open"
    elif kind == "peer":
        evse.lease.hold(bench.clock.now)
    else:
        bench.clock.now += float(value)  # type: ignore[arg-type]  # seconds


class Unconfirmed:
    """Turns in a row whose reading neither stood still nor fell from above as a peak detector empties, and those of any kind."""

    def __init__(self) -> None:
        self.last_v: float | None = None
        self.at = 0.0
        self.turns = 0
        self.unread = 0
        self.low_at = 0.0
        self.low_unread = 0

    def step(self, bench: Bench) -> None:
        watch = bench.evse.watch
        read = watch.high_at != self.at
        still = read and self.last_v is not None and abs(watch.high_v - self.last_v) <= STILL_V
        self.unread = 0 if read else self.unread + 1
        self.turns = 0 if still and state_of(watch.high_v, watch.low_v, watch.pilot) is watch.pilot else self.turns + 1
        self.last_v, self.at = watch.high_v if read else None, watch.high_at
        self.low_unread = 0 if watch.low_at != self.low_at else self.low_unread + 1
        self.low_at = watch.low_at


def bench_of(outlet: str) -> Bench:
    return Bench(OUTLETS[outlet], second=OUTLETS[outlet].phase_switching)


def check(bench: Bench, was_on: bool, moves: int, unconfirmed: Unconfirmed) -> None:
    evse, now = bench.evse, bench.clock.now
    unconfirmed.step(bench)
    assert len(bench.second.moves) == moves or not (was_on or bench.wire.coil or evse.watch.pwm), "phases change with nothing closed or offered"
    if not bench.wire.coil:
        return
    assert evse.watch.pilot is PilotState.C or (evse.watch.pilot is PilotState.D and evse.watch.d_allowed)
    assert not evse.faults.active & faults.OPENS
    assert unconfirmed.unread < LOST_TURNS and unconfirmed.turns < UNCONFIRMED_TURNS
    assert unconfirmed.low_unread <= LOW_TURNS, "what was read of the diode before is nothing of now"
    if not evse.lease.in_force(now):
        assert bench.wire.duty_now == 1.0 and now - evse.watch.pwm_since <= CAR_TIME_S, "X1 at once, and the car's time at most"
    if was_on:
        return
    assert evse.filter.closable_turns >= ENTER_TURNS
    assert evse.lease.may_close(now)
    assert (evse.lock is not None and evse.lock.verified(now)) if evse.watch.socket else evse.lock is None
    assert not evse.watch.testing
    assert not evse.faults.active & (faults.OPENS | faults.WITHDRAWS | faults.BARS)
    assert bench.wire.trip is False
    assert evse.voice.plugged and evse.path.reclose_at <= now
    assert evse.watch.low_v <= DIODE_V
    assert 0.0 < bench.wire.duty_now < 1.0
    assert evse.wake.kind is None
    assert not evse.watch.second or bench.second.mirror_closed() is not bench.second.coil, "the second contactor is where it is to be"


@pytest.mark.parametrize("outlet", OUTLETS)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(asks_v=st.sampled_from([6.0, 6.0, 3.0]), story=st.lists(st.tuples(ACTS, st.sampled_from([1, 3, 30, 60, 200])), max_size=14))
def test_never_closed_without_all_of_it(outlet: str, asks_v: float, story: list[tuple[tuple[str, object], int]]) -> None:
    bench = bench_of(outlet)
    bench.settle()
    bench.plug()
    bench.renewing = True
    bench.wire.car_v = asks_v
    unconfirmed = Unconfirmed()
    for (kind, value), turns in story:
        act(bench, kind, value)
        for _ in range(turns):
            was_on, moves = bench.wire.coil, len(bench.second.moves)
            bench.turns(1)
            check(bench, was_on, moves, unconfirmed)


@pytest.mark.parametrize("outlet", OUTLETS)
@pytest.mark.parametrize("asks_v", [6.0, 3.0])
def test_the_stories_begin_at_a_car_that_is_served_where_it_may_be(outlet: str, asks_v: float) -> None:
    bench = bench_of(outlet)
    bench.settle()
    bench.plug()
    bench.renewing = True
    bench.wire.car_v = asks_v
    bench.seconds(3.0)
    assert bench.wire.coil is (asks_v == 6.0 or OUTLETS[outlet].d_allowed)
