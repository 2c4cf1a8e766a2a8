"""Whatever limits the current of one EVSE, and the offer that is left. Must not know what else forbids an offer.

The least wins; of equals the first named.
"""

from __future__ import annotations

from collections.abc import Iterator

from chargepoint.control import faults
from chargepoint.control.arrival import Arrival
from chargepoint.control.electrics import MINIMUM_A
from chargepoint.control.faults import Faults
from chargepoint.control.figures import Figures
from chargepoint.control.offer import SIMPLIFIED_A, Least, Offer, heat_cap
from chargepoint.control.permit import Lease
from chargepoint.control.retention import Retention
from chargepoint.control.watch import Watch


class Caps:
    """The caps, and the pace of the offer under them."""

    __slots__ = ("_active", "_arrival", "_caps_simplified", "_fixed", "_lease", "_least", "_retention", "_single", "_watch")

    def __init__(self, figures: Figures, watch: Watch, active: Faults, lease: Lease, retention: Retention, arrival: Arrival) -> None:
        self._fixed = (Offer(figures.board_a, "board"), Offer(figures.rating_a, "rating"))
        self._single = Offer(figures.single_a, "single phase")
        self._caps_simplified = figures.caps_simplified
        self._least = Least(figures.manner)
        self._watch = watch
        self._active = active
        self._lease = lease
        self._retention = retention
        self._arrival = arrival

    def offer(self, now: float) -> Offer:
        """What may be offered in this turn, where anything may."""
        closed_s = now - self._watch.coil_since if self._watch.coil else None
        return self._least.of(now, list(self._all()), self._lease.wish, closed_s)

    def none(self) -> Offer:
        """Nothing is offered; the next offer starts at once."""
        return self._least.none()

    def _all(self) -> Iterator[Offer]:
        yield Offer(self._lease.limit_a, "permit")
        cable_a = self._retention.cable_a()
        if cable_a is not None:
            yield Offer(cable_a, "cable")
        yield from self._fixed
        if self._lease.single:
            yield self._single
        if self._caps_simplified and self._arrival.simplified:
            yield Offer(SIMPLIFIED_A, "no state B")
        heat = heat_cap(self._watch.temperature_c, bool(self._active.active & faults.SENSOR_LOST), min(self._fixed).amps)
        if heat is not None:
            yield heat
        if self._active.active & faults.METER_SILENT:
            yield Offer(MINIMUM_A, "meter")
