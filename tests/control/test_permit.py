"""The lease: what makes a permit void, and how one ends."""

from __future__ import annotations

import math

import pytest

from chargepoint.control.permit import HELD_S, Lease
from chargepoint.link.messages import Permit

NOW = 1000.0


def permit(until: float = NOW + 15.0, limit_a: float = 16.0, plug_in: int = 7) -> Permit:
    return Permit(1, plug_in, limit_a, until)


def test_a_good_one_is_in_force_until_its_end() -> None:
    lease = Lease()
    assert lease.take(permit(), NOW, 7) == ""
    assert lease.may_close(NOW + 14.9)
    assert not lease.in_force(NOW + 15.0)


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (permit(until=NOW), "late"),
        (permit(until=NOW - 1.0), "late"),
        (permit(until=NOW + 30.1), "too far ahead"),
        (permit(until=math.inf), "not a number"),
        (permit(until=math.nan), "not a number"),
        (permit(until=-math.inf), "not a number"),
        (permit(limit_a=math.inf), "not a number"),
        (permit(limit_a=math.nan), "not a number"),
        (permit(plug_in=6), "another plug-in"),
        (permit(plug_in=0), "another plug-in"),
    ],
)
def test_void(message: Permit, why: str) -> None:
    lease = Lease()
    assert lease.take(message, NOW, 7) == why
    assert not lease.in_force(NOW)


def test_none_fits_while_nothing_is_plugged_in() -> None:
    assert Lease().take(permit(plug_in=0), NOW, 0) == "another plug-in"


def test_a_replayed_one_is_void_also_after_it_was_taken_back() -> None:
    lease = Lease()
    lease.take(permit(), NOW, 7)
    assert lease.void()
    assert lease.take(permit(), NOW + 1.0, 7) == "replayed"
    assert lease.take(permit(until=NOW + 14.0), NOW + 1.0, 7) == "replayed"
    assert lease.take(permit(until=NOW + 16.0), NOW + 1.0, 7) == ""


def test_one_that_was_barred_is_used_up() -> None:
    lease = Lease()
    assert lease.take(permit(), NOW, 7, "diode") == "diode"
    assert lease.take(permit(), NOW + 1.0, 7) == "replayed"
    assert not lease.in_force(NOW + 1.0)


def test_a_void_one_leaves_a_running_one_alone() -> None:
    lease = Lease()
    lease.take(permit(), NOW, 7)
    lease.take(permit(until=math.nan), NOW, 7)
    lease.take(permit(until=NOW + 20.0, plug_in=6), NOW, 7)
    assert lease.may_close(NOW)


@pytest.mark.parametrize("limit_a", [0.0, 5.9, -16.0])
def test_less_than_six_amperes_takes_the_offer_back(limit_a: float) -> None:
    lease = Lease()
    lease.take(permit(), NOW, 7)
    assert lease.take(permit(until=NOW + 16.0, limit_a=limit_a), NOW, 7) == ""
    assert not lease.in_force(NOW)


def test_a_newer_peer_closes_nothing_by_the_permit_of_the_one_before() -> None:
    lease = Lease()
    lease.take(permit(), NOW, 7)
    lease.hold(NOW)
    assert lease.in_force(NOW + HELD_S - 0.1)
    assert not lease.may_close(NOW)
    assert not lease.in_force(NOW + HELD_S)
    lease.take(permit(until=NOW + 16.0), NOW + 1.0, 7)
    assert lease.may_close(NOW + 10.0)


def test_void_says_whether_there_was_one() -> None:
    lease = Lease()
    assert not lease.void()
    lease.take(permit(), NOW, 7)
    assert lease.void()
    assert not lease.in_force(NOW)
