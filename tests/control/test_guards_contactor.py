"""Worries of the contactor: welds, tries, drop-outs, a relay supply that is not fed."""

from __future__ import annotations

import math

from tests.control.fakes import TURN_S, Bench
from tests.control.seen import active, never_on, opens_within


def test_a_weld_is_found_150_ms_after_opening_and_keeps_the_lock() -> None:
    bench = Bench()
    bench.charge()
    bench.wire.mirror = False
    bench.wire.car_v = 9.0
    opens_within(bench, 0.03)
    bench.seconds(0.14)
    assert active(bench) == ()
    bench.seconds(0.03)
    assert active(bench) == ("contactor_welded",)
    assert bench.kept == [("contactor_welded",)]
    assert bench.evse.watch.closed, "never proven open"
    bench.plug(12.0, math.inf)
    bench.seconds(5.0)
    assert bench.wire.locked
    assert active(bench) == ("contactor_welded",)


def test_a_mirror_contact_that_opens_by_itself_is_a_weld_too() -> None:
    bench = Bench()
    bench.settle()
    bench.wire.mirror = False
    bench.seconds(0.2)
    assert active(bench) == ("contactor_welded",)


def test_a_contactor_that_does_not_close_has_three_tries() -> None:
    bench = Bench()
    bench.settle()
    bench.plug()
    bench.renewing = True
    bench.until(lambda: bench.evse.watch.pwm)
    bench.wire.mirror = True
    bench.wire.car_v = 6.0
    bench.until(lambda: bench.wire.coil)
    closed_at = bench.clock.now
    bench.until(lambda: not bench.wire.coil)
    assert 0.145 <= bench.clock.now - closed_at <= 0.16
    bench.seconds(30.0)
    assert bench.wire.writes.count("coil on") == 3
    assert active(bench) == ("contactor_stuck_open",)
    bench.plug(12.0, math.inf)
    assert active(bench) == ()


def test_a_contactor_that_drops_out_is_switched_off() -> None:
    bench = Bench()
    bench.charge()
    bench.wire.mirror = True
    opens_within(bench, 0.04)
    bench.seconds(0.1)
    assert "opened contactor dropped out" in bench.ear.kinds()


def test_a_relay_supply_that_is_not_fed_opens() -> None:
    bench = Bench()
    bench.charge()
    bench.evse.fed = False
    opens_within(bench, TURN_S)
    never_on(bench)
