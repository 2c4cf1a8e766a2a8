"""What a test sees of a bench: whether the coil goes off in time, stays off, and what is wrong."""

from __future__ import annotations

from tests.control.fakes import Bench


def opens_within(bench: Bench, seconds: float) -> None:
    begun = bench.clock.now
    bench.until(lambda: not bench.wire.coil, seconds)
    assert bench.clock.now - begun <= seconds + 1e-6


def active(bench: Bench) -> tuple[str, ...]:
    return bench.evse.faults.names()


def never_on(bench: Bench, seconds: float = 8.0) -> None:
    bench.wire.writes.clear()
    bench.seconds(seconds)
    assert "coil on" not in bench.wire.writes
