"""The pilot's generator: X1 or the duty of an offer, written only when it changes, read back now and then. Must not know why."""

from __future__ import annotations

from chargepoint.control.electrics import X1, amps, duty
from chargepoint.control.offer import NO_OFFER, Offer
from chargepoint.control.watch import Watch
from hal.errors import DeviceLost
from hal.ports import PilotPwm

TOLERANCE = 0.0005
"""Duty; 0.03 A."""
RETRY_S = 0.25


class Generator:
    """offer: what is signalled now. Keeps the watch's pwm and duty_lost true."""

    __slots__ = ("_duty", "_pwm", "_retry_at", "_watch", "offer")

    def __init__(self, pwm: PilotPwm, watch: Watch) -> None:
        self._pwm = pwm
        self._watch = watch
        self._duty = X1
        self._retry_at = 0.0
        self.offer = NO_OFFER

    def signal(self, offer: Offer, now: float) -> bool:
        """Writes the offer's duty, X1 for none. Answers whether the signalled current changed."""
        fraction = duty(offer.amps)
        changed = round(amps(fraction), 2) != round(self.offer.amps, 2)
        self.offer = offer if offer.amps else NO_OFFER
        if fraction != self._duty:
            self._write(fraction, now)
        return changed

    def check(self, now: float) -> None:
        """Reads the duty back; a generator that was lost is written anew."""
        watch = self._watch
        if watch.duty_lost:
            if now >= self._retry_at:
                self._write(self._duty, now)
            return
        try:
            watch.duty_lost = not abs(self._pwm.duty() - self._duty) <= TOLERANCE
        except DeviceLost:
            watch.duty_lost = True

    def _write(self, fraction: float, now: float) -> None:
        watch = self._watch
        self._duty = fraction
        if (fraction != X1) is not watch.pwm:
            watch.pwm, watch.pwm_since = fraction != X1, now
        try:
            self._pwm.set_duty(fraction)
        except DeviceLost:
            watch.duty_lost, self._retry_at = True, now + RETRY_S
        else:
            watch.duty_lost = False
