"""How much is offered, who limits it, and how an offer begins, grows and falls."""

from __future__ import annotations

import pytest

from chargepoint.control.offer import NO_OFFER, RAISE_S, Least, Manner, Offer, heat_cap, heat_limit_a
from chargepoint.control.permit import Lease
from chargepoint.link.messages import Permit
from tests.control.fakes import FIGURES, Bench

NOW = 100.0


def cap(amps: float, by: str = "permit") -> Offer:
    return Offer(amps, by)


@pytest.mark.parametrize(
    ("caps", "offer"),
    [
        ((cap(16.0), cap(20.0, "cable")), (16.0, "permit")),
        ((cap(80.0), cap(20.0, "cable"), cap(32.0, "rating")), (20.0, "cable")),
        ((cap(80.0), cap(63.0, "board"), cap(32.0, "rating")), (32.0, "rating")),
        ((cap(32.0), cap(32.0, "rating")), (32.0, "permit")),
        ((cap(80.0), cap(19.0, "heat")), (19.0, "heat")),
        ((cap(52.0),), (51.0, "permit")),
        ((cap(5.9),), NO_OFFER),
        ((cap(32.0), cap(0.0, "cable")), NO_OFFER),
    ],
)
def test_the_least_names_its_owner(caps: tuple[Offer, ...], offer: tuple[float, str]) -> None:
    assert Least().of(NOW, caps) == offer


def test_up_after_a_while_down_at_once() -> None:
    least = Least()
    assert least.of(100.0, [cap(10.0)]).amps == 10.0
    assert least.of(101.0, [cap(20.0)]).amps == 10.0
    assert least.of(102.0, [cap(8.0)]).amps == 8.0
    assert least.of(102.0 + RAISE_S - 0.1, [cap(20.0)]).amps == 8.0
    assert least.of(102.0 + RAISE_S, [cap(20.0)]).amps == 20.0


def test_comfort_is_in_no_hurry_downwards_but_never_above_a_cap() -> None:
    least = Least()
    least.of(100.0, [cap(16.0)])
    assert least.of(101.0, [cap(32.0)], cap(10.0)).amps == 16.0, "no change of the duty within 5 s"
    assert least.of(102.0, [cap(13.0, "cable")], cap(10.0)) == (13.0, "cable"), "what is safe is not waited for"
    assert least.of(104.0, [cap(32.0)], cap(10.0)).amps == 13.0
    assert least.of(102.0 + RAISE_S, [cap(32.0)], cap(10.0)).amps == 10.0


def test_a_withdrawal_and_the_first_offer_wait_for_nothing() -> None:
    least = Least()
    assert least.of(100.0, [cap(16.0)]).amps == 16.0
    assert least.of(100.1, [cap(0.0)]) == NO_OFFER
    assert least.of(100.2, [cap(16.0)]).amps == 16.0


def test_soft_start_is_6_a_from_the_closing_on() -> None:
    least = Least(Manner(soft_start_s=40.0))
    assert least.of(100.0, [cap(32.0)]) == (6.0, "soft start")
    assert least.of(150.0, [cap(32.0)], None, 0.0) == (6.0, "soft start")
    assert least.of(189.9, [cap(32.0)], None, 39.9) == (6.0, "soft start")
    assert least.of(190.0, [cap(32.0)], None, 40.0) == (32.0, "permit")
    assert least.of(191.0, [cap(6.0)], None, 41.0) == (6.0, "permit")


def test_a_ramp_grows_in_steps_of_five_seconds_and_falls_at_once() -> None:
    least = Least(Manner(ramp_a_per_s=1.0))
    assert least.of(100.0, [cap(20.0)]) == (6.0, "ramp")
    assert least.of(104.9, [cap(20.0)]) == (6.0, "ramp")
    assert least.of(105.0, [cap(20.0)]) == (11.0, "ramp")
    assert least.of(110.0, [cap(20.0)]) == (16.0, "ramp")
    assert least.of(115.0, [cap(20.0)]) == (20.0, "permit")
    assert least.of(115.1, [cap(7.0)]) == (7.0, "permit")


def test_a_slow_ramp_still_crosses_the_gap_no_duty_can_say() -> None:
    least = Least(Manner(ramp_a_per_s=0.1))
    amps = 0.0
    for second in range(100, 2000, 5):
        amps = least.of(float(second), [cap(63.0)]).amps
    assert amps == 63.0


@pytest.mark.parametrize(
    ("celsius", "lost", "limit_a"),
    [(None, False, 32.0), (65.0, False, 32.0), (72.5, False, 19.0), (80.0, False, 6.0), (99.0, False, 6.0), (20.0, True, 6.0)],
)
def test_heat(celsius: float | None, lost: bool, limit_a: float) -> None:
    assert heat_limit_a(celsius, lost, 32.0) == pytest.approx(limit_a)
    assert heat_cap(celsius, lost, 32.0) == (None if limit_a == 32.0 else (pytest.approx(limit_a), "heat"))


def permit(limit_a: float, wish_a: float | None) -> Permit:
    return Permit(1, 1, limit_a, NOW + 15.0, wish_a)


@pytest.mark.parametrize(
    ("keeps_floor", "limit_a", "wish_a", "in_force", "wish"),
    [
        (False, 16.0, None, True, None),
        (False, 16.0, 10.0, True, (10.0, "permit")),
        (False, 16.0, 0.0, False, (0.0, "permit")),
        (True, 16.0, 0.0, True, (6.0, "floor")),
        (True, 16.0, 5.9, True, (6.0, "floor")),
        (True, 16.0, 6.0, True, (6.0, "permit")),
        (True, 0.0, 0.0, False, (6.0, "floor")),
        (True, 5.9, None, False, None),
    ],
)
def test_only_a_wish_may_be_held_at_the_floor(
    keeps_floor: bool, limit_a: float, wish_a: float | None, in_force: bool, wish: tuple[float, str] | None
) -> None:
    lease = Lease(keeps_floor)
    assert lease.take(permit(limit_a, wish_a), NOW, 1) == ""
    assert (lease.in_force(NOW), lease.wish) == (in_force, wish)


@pytest.mark.parametrize("wish_a", [float("nan"), float("inf"), float("-inf")])
def test_a_wish_that_is_no_number_makes_the_permit_void(wish_a: float) -> None:
    assert Lease(True).take(permit(16.0, wish_a), NOW, 1) == "not a number"


def test_a_pause_for_comfort_is_6_a_where_the_floor_is_kept_and_nothing_else_is() -> None:
    bench = Bench(FIGURES._replace(keeps_floor=True))
    bench.charge()
    bench.wish_a = 0.0
    bench.seconds(6.0)
    state = bench.evse.state(bench.clock.now)
    assert (state.offered_a, state.offer_limit_by, state.closed) == (6.0, "floor", True)
    bench.limit_a = 0.0
    bench.turns(2)
    assert not bench.evse.watch.pwm, "a limit of the CSMS or the grid operator pauses"


def test_without_the_setting_comfort_pauses() -> None:
    bench = Bench()
    bench.charge()
    bench.wish_a = 0.0
    bench.turns(2)
    assert not bench.evse.watch.pwm


def test_soft_start_on_the_wire() -> None:
    bench = Bench(FIGURES._replace(manner=Manner(soft_start_s=10.0)))
    bench.charge()
    state = bench.evse.state(bench.clock.now)
    assert (state.offered_a, state.offer_limit_by) == (6.0, "soft start")
    bench.seconds(10.0)
    state = bench.evse.state(bench.clock.now)
    assert (state.offered_a, state.offer_limit_by) == (16.0, "permit")
