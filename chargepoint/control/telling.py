"""What an EVSE tells of itself: its whole state, on change and once a second. Must not change anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chargepoint.control.voice import Teller
from chargepoint.link.messages import EvseState

if TYPE_CHECKING:
    from chargepoint.control.evse import Evse

TELL_S = 1.0


class Telling:
    """Remembers what was told last."""

    __slots__ = ("_teller", "_told", "_told_at")

    def __init__(self, teller: Teller) -> None:
        self._teller = teller
        self._told: tuple[object, ...] = ()
        self._told_at = 0.0

    def step(self, evse: Evse, now: float) -> None:
        """Tells the state if it is new or a second old."""
        key = _key(evse)
        if key != self._told or now - self._told_at >= TELL_S:
            self._told, self._told_at = key, now
            self._teller.tell(state_of(evse, now))


def state_of(evse: Evse, now: float) -> EvseState:
    """Everything, as it is now."""
    watch, offer, voice, kept = evse.watch, evse.generator.offer, evse.voice, evse.record.kept
    return EvseState(
        evse=evse.id,
        at=now,
        plug_in=voice.number if voice.plugged else 0,
        pilot=watch.pilot.value,
        pwm=watch.pwm,
        closed=watch.closed,
        offered_a=round(offer.amps, 2),
        offer_limit_by=offer.by,
        permit=evse.lease.in_force(now),
        cable=watch.socket and evse.cable.present,
        cable_a=evse.cable.rating_a if watch.socket else None,
        locked=evse.lock.feedback if evse.lock else None,
        faults=evse.faults.names(),
        testing=watch.testing,
        temperature_c=watch.temperature_c,
        since_plug_in=voice.since,
        closings=kept.closings,
        openings_under_load=kept.openings_under_load,
        tested_at=kept.test.at if kept.test else None,
        test_passed=kept.test.passed if kept.test else None,
        phases=evse.phases.connected if watch.coil else evse.phases.goal,
        switching=evse.phases.switching(now),
        switches=evse.phases.switches,
        bay=evse.bay.occupied,
        waking=evse.wake.kind is not None,
    )


def _key(evse: Evse) -> tuple[object, ...]:
    watch = evse.watch
    return (
        watch.pilot,
        watch.closed,
        evse.generator.offer,
        evse.allowance.permitted,
        evse.cable.present,
        evse.cable.rating_a,
        evse.lock and evse.lock.feedback,
        evse.faults.active,
        watch.testing,
        evse.wake.kind,
        watch.temperature_c,
        evse.voice.since,
        evse.phases.goal,
        evse.phases.switching(watch.now),
        evse.bay.occupied,
    )
