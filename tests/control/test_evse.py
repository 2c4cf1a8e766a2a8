"""One EVSE besides the sequences: plug-ins, permits and peers, the least of all limits, the lock, the end of the process."""

from __future__ import annotations

import math

import pytest

from chargepoint.link.messages import LockWish
from tests.control.fakes import FIGURES, Bench


def test_a_tethered_cable_has_no_lock_and_no_proximity() -> None:
    bench = Bench(FIGURES._replace(socket=False))
    bench.settle()
    bench.plug(ohms=math.inf)
    bench.renewing = True
    bench.until(lambda: bench.evse.watch.pwm)
    bench.wire.car_v = 6.0
    bench.until(lambda: bench.evse.watch.closed)
    state = bench.evse.state(bench.clock.now)
    assert (state.locked, state.cable, state.cable_a) == (None, False, None)


def test_each_plug_in_has_a_number_of_its_own() -> None:
    bench = Bench()
    bench.settle()
    numbers = []
    for _ in range(3):
        bench.plug()
        numbers.append(bench.evse.state(bench.clock.now).plug_in)
        bench.plug(12.0, math.inf)
        assert bench.evse.state(bench.clock.now).plug_in == 0
    assert numbers == [numbers[0], numbers[0] + 1, numbers[0] + 2]
    assert Bench().evse.voice.number != Bench().evse.voice.number


def test_another_car_within_the_lease_is_not_closed_by_the_permit_of_the_one_before() -> None:
    bench = Bench()
    bench.charge()
    bench.renewing = False
    old = bench.evse.voice.number
    bench.plug(12.0, math.inf)
    bench.plug(car_v=6.0)
    assert bench.permit(plug_in=old, until=bench.clock.now + 20.0) == "another plug-in"
    bench.wire.writes.clear()
    bench.seconds(16.0)
    assert "coil on" not in bench.wire.writes


def test_a_permit_of_the_peer_before_keeps_but_does_not_close() -> None:
    bench = Bench()
    bench.settle()
    bench.plug()
    bench.permit()
    bench.until(lambda: bench.evse.watch.pwm)
    bench.evse.lease.hold(bench.clock.now)
    bench.wire.car_v = 6.0
    bench.seconds(4.0)
    assert "coil on" not in bench.wire.writes
    bench.permit(until=bench.clock.now + 16.0)
    bench.until(lambda: bench.wire.coil, 1.0)


def test_a_new_peer_interrupts_nothing_that_it_renews() -> None:
    bench = Bench()
    bench.charge()
    bench.renewing = False
    bench.evse.lease.hold(bench.clock.now)
    bench.seconds(4.0)
    bench.permit(until=bench.clock.now + 20.0)
    bench.seconds(10.0)
    assert bench.evse.watch.closed
    assert bench.ear.kinds() == []


def test_the_offer_follows_the_permit_down_at_once_and_up_after_five_seconds() -> None:
    bench = Bench()
    bench.charge()
    bench.limit_a = 10.0
    bench.turns(2)
    assert bench.evse.generator.offer.amps == 10.0
    bench.limit_a = 20.0
    bench.seconds(4.9)
    assert bench.evse.generator.offer.amps == 10.0
    bench.seconds(0.2)
    assert bench.evse.generator.offer.amps == 20.0


@pytest.mark.parametrize(
    ("ohms", "limit_a", "rating_a", "offered_a", "by"),
    [
        (220.0, 80.0, 63.0, 32.0, "cable"),
        (100.0, 80.0, 20.0, 20.0, "rating"),
        (100.0, 80.0, 80.0, 63.0, "cable"),
        (680.0, 16.0, 32.0, 16.0, "permit"),
    ],
)
def test_control_takes_the_least(ohms: float, limit_a: float, rating_a: float, offered_a: float, by: str) -> None:
    bench = Bench(FIGURES._replace(rating_a=rating_a))
    bench.limit_a = limit_a
    bench.settle()
    bench.plug(ohms=ohms)
    bench.renewing = True
    bench.until(lambda: bench.evse.watch.pwm)
    assert bench.evse.generator.offer == (offered_a, by)


def test_the_lock_follows_the_wish_and_holds_a_plug_only() -> None:
    bench = Bench()
    bench.settle()
    bench.evse.wish_lock(LockWish(1, True))
    bench.seconds(1.0)
    assert not bench.wire.locked, "no plug, nothing to hold"
    bench.plug()
    assert bench.wire.locked
    bench.evse.wish_lock(LockWish(1, False))
    bench.seconds(0.5)
    assert not bench.wire.locked


def test_the_lock_does_not_move_while_the_contactor_is_closed() -> None:
    bench = Bench()
    bench.charge()
    bench.renewing = False
    bench.permit(0.0)
    bench.seconds(5.0)
    assert bench.wire.coil and bench.wire.locked
    bench.until(lambda: not bench.wire.locked)
    assert not bench.wire.coil
    assert bench.evse.path.proven_open()


def test_at_a_without_a_wish_it_unlocks() -> None:
    bench = Bench()
    bench.charge()
    bench.renewing = False
    bench.plug(12.0, 220.0)
    bench.seconds(1.0)
    assert not bench.wire.locked


def test_the_ended_process_opens_in_order() -> None:
    bench = Bench()
    bench.charge()
    bench.renewing = False
    bench.evse.ending = True
    bench.evse.end_permit("control ends")
    bench.turns(2)
    assert bench.wire.coil and bench.wire.duty_now == 1.0
    bench.wire.car_v = 9.0
    bench.until(lambda: bench.evse.at_rest, 1.0)
    assert not bench.wire.locked
    assert bench.permit() == "control ends"


def test_blindness_makes_every_plug_in_new() -> None:
    bench = Bench()
    bench.charge()
    bench.renewing = False
    old = bench.evse.voice.number
    bench.evse.blind()
    bench.turns(1)
    assert not bench.wire.coil
    bench.seconds(0.5)
    assert bench.evse.voice.number == old + 1
    bench.wire.writes.clear()
    bench.seconds(20.0)
    assert "coil on" not in bench.wire.writes


def test_the_next_car_does_not_wait_for_the_one_before() -> None:
    bench = Bench()
    bench.charge()
    bench.renewing = False
    bench.plug(12.0, math.inf)
    bench.plug()
    bench.renewing = True
    bench.until(lambda: bench.evse.watch.pwm, 1.0)
    bench.wire.car_v = 6.0
    bench.until(lambda: bench.evse.watch.closed, 1.0)


def test_a_calm_evse_is_seen_as_one() -> None:
    bench = Bench()
    bench.settle()
    assert bench.evse.calm
    bench.plug()
    bench.seconds(0.2)
    assert bench.evse.calm
    bench.permit()
    assert not bench.evse.calm
    bench.seconds(1.0)
    assert bench.evse.watch.pwm and not bench.evse.calm
