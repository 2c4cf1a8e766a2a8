"""Who limits an EVSE, and whose pause may be held at 6 A."""

from __future__ import annotations

import pytest

from chargepoint.settings import Evse
from chargepoint.station.smart_charging import Limit, Limits


@pytest.mark.parametrize(
    ("csms_a", "surplus_a", "limit", "parts"),
    [
        (None, None, Limit(32.0, "settings"), (32.0, None)),
        (16.0, None, Limit(16.0, "csms"), (16.0, None)),
        (16.0, 10.0, Limit(10.0, "surplus", 16.0), (16.0, 10.0)),
        (16.0, 0.0, Limit(0.0, "surplus", 16.0), (16.0, 0.0)),
        (0.0, 10.0, Limit(0.0, "csms"), (0.0, None)),
        (0.0, 0.0, Limit(0.0, "csms"), (0.0, None)),
        (None, 0.0, Limit(0.0, "surplus", 32.0), (32.0, 0.0)),
    ],
)
def test_only_comfort_is_told_as_a_wish(csms_a: float | None, surplus_a: float | None, limit: Limit, parts: tuple[float, float | None]) -> None:
    limits = Limits([Evse()])
    limits.add("csms", lambda evse: csms_a)
    limits.add("surplus", lambda evse: surplus_a, comfort=True)
    assert limits.limit(1) == limit
    assert limits.limit(1).parts == parts


def test_nobody_limits_an_evse_that_is_not_there_to_more_than_nothing() -> None:
    assert Limits([Evse()]).limit(7) == Limit(0.0, "settings")
