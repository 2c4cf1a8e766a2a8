"""The last moments of one EVSE, kept to be shown with a violation. Must not know what a violation is."""

from __future__ import annotations

from collections import deque
from typing import Any, NamedTuple

KEPT_S = 0.2


class Moment(NamedTuple):
    """What stood on the wire and in the power path from `at` on (world seconds)."""

    at: float
    state: str
    high_v: float
    low_v: float
    duty_percent: float
    coil: bool
    relay_supply: bool
    contacts: tuple[bool, bool, bool]
    lock: str
    cable: bool


class Trace:
    """Changes only; the one before the window is kept too, so that the window's beginning is known."""

    def __init__(self) -> None:
        self._moments: deque[Moment] = deque()

    def note(self, moment: Moment) -> None:
        moments = self._moments
        if moments and moments[-1][1:] == moment[1:]:
            return
        moments.append(moment)
        while len(moments) > 1 and moments[1].at < moment.at - KEPT_S:
            moments.popleft()

    def last(self, now: float) -> list[dict[str, Any]]:
        """The window, oldest first; `ms` counts back from now."""
        from_s = now - KEPT_S
        later = [index for index, moment in enumerate(self._moments) if moment.at > from_s]
        first = max(0, (later[0] if later else len(self._moments)) - 1)
        return [self._shown(moment, now) for moment in list(self._moments)[first:]]

    @staticmethod
    def _shown(moment: Moment, now: float) -> dict[str, Any]:
        shown = moment._asdict()
        shown["ms"] = round((shown.pop("at") - now) * 1000.0, 2)
        return {key: round(value, 2) if isinstance(value, float) else value for key, value in shown.items()}
