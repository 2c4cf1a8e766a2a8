"""Back-off as in OCPP 2.0.1 part 4, 5.3."""

from __future__ import annotations

from chargepoint.csms.backoff import BackOff, BackOffFigures


def test_it_doubles_the_former_wait_and_adds_new_jitter_repeat_times_times() -> None:
    back_off = BackOff(lambda: BackOffFigures(10, 4, 3), jitter=lambda: 0.5)
    assert [back_off.next_s() for _ in range(6)] == [12, 26, 54, 110, 110, 110]


def test_after_a_connection_it_starts_from_the_minimum() -> None:
    back_off = BackOff(lambda: BackOffFigures(10, 0, 3))
    back_off.next_s()
    back_off.next_s()
    back_off.reset()
    assert back_off.next_s() == 10


def test_no_doubling_when_repeat_times_is_zero() -> None:
    back_off = BackOff(lambda: BackOffFigures(2, 0, 0))
    assert [back_off.next_s() for _ in range(3)] == [2, 2, 2]


def test_the_jitter_lies_within_the_range() -> None:
    waits = []
    for _ in range(200):
        waits.append(BackOff(lambda: BackOffFigures(10, 5, 1)).next_s())
    assert 10 <= min(waits) < 11 and 14 < max(waits) <= 15
