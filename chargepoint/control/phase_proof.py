"""Does current flow on the phases that are switched on, and on no other? Judged by the meter's samples. Must not know contactors or wishes."""

from __future__ import annotations

import math

from chargepoint.control.lasting import STALE_S
from chargepoint.control.watch import Watch
from chargepoint.link.messages import Sample

FLOWS_A = 1.0
SETTLED_S = 1.0
"""A sample counts when it was measured so long after the closing."""
PROVEN_WITHIN_S = 30.0
"""From the first current of a closing on."""
SAMPLES = 2


class Proof:
    """right: what the last closing gave has been seen. Keeps the watch's l23_flows and phases_missing true."""

    __slots__ = ("_closed_at", "_drawing_since", "_last_at", "_phases", "_strange", "_three_seen", "_watch", "right")

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._last_at = 0.0
        self.start_over()

    def start_over(self) -> None:
        """Another car."""
        self.right = False
        self._three_seen = False
        self._watch.phases_missing = False
        self.opened()

    def closed(self, phases: int, now: float) -> None:
        """Current may flow on so many phases from now on."""
        self._phases, self._closed_at = phases, now
        self._drawing_since: float | None = None
        self._strange = 0
        self.right = False

    def opened(self) -> None:
        self._phases, self._closed_at, self._drawing_since, self._strange = 0, math.inf, None, 0
        self._watch.l23_flows = False

    def take(self, sample: Sample, now: float) -> None:
        """A sample of the station. One that is not good, stale, repeated, from the future or too early says nothing."""
        known = sample.good and now - STALE_S <= sample.at <= now and sample.at > self._last_at
        if not known or sample.at < self._closed_at + SETTLED_S:
            return
        self._last_at = sample.at
        first, others = _flows(sample.current_a[0]), [_flows(amps) for amps in sample.current_a[1:]]
        if self._phases == 1:
            self._judge_one(first, any(others))
        elif None not in others:
            self._judge_three(first, any(others), sample.at)

    def _judge_one(self, first: bool | None, others: bool) -> None:
        self._strange = self._strange + 1 if others else 0
        if self._strange >= SAMPLES:
            self._watch.l23_flows, self.right = True, False
        elif first and not others:
            self.right = True

    def _judge_three(self, first: bool | None, others: bool, at: float) -> None:
        """A car that never drew on more than one phase may be built so."""
        if others:
            self.right = self._three_seen = True
            return
        if not first:
            self._drawing_since = None
            return
        self._drawing_since = at if self._drawing_since is None else self._drawing_since
        if at - self._drawing_since >= PROVEN_WITHIN_S:
            self.right = not self._three_seen
            self._watch.phases_missing = self._three_seen


def _flows(amps: float | None) -> bool | None:
    return None if amps is None or not math.isfinite(amps) else amps > FLOWS_A
