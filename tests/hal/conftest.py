"""What the tests of the drivers share."""

from __future__ import annotations

import pytest


class HandClock:
    """Monotonic seconds that move by hand."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at

    def pass_s(self, seconds: float) -> None:
        self.at += seconds


@pytest.fixture
def clock() -> HandClock:
    return HandClock()
