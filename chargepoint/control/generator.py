"""The pilot's generator: X1, state F or the duty of an offer, written only when it changes, read back now and then. Must not know why."""

from __future__ import annotations

import math

from chargepoint.control.electrics import DARK, X1, amps, duty
from chargepoint.control.offer import NO_OFFER, Offer
from chargepoint.control.watch import Watch
from hal.errors import DeviceLost
from hal.ports import PilotPwm

TOLERANCE = 0.0005
"""Duty; 0.03 A."""
RETRY_S = 0.25
DARK_SETTLES_S = 0.5
"""After a state F the detectors and the filter need so long to see the pilot as it is."""


class Generator:
    """offer: what is signalled now. Keeps the watch's pwm, dark_until and duty_lost true."""

    __slots__ = ("_duty", "_pwm", "_retry_at", "_watch", "offer")

    def __init__(self, pwm: PilotPwm, watch: Watch) -> None:
        self._pwm = pwm
        self._watch = watch
        self._duty = X1
        self._retry_at = 0.0
        self.offer = NO_OFFER

    def signal(self, offer: Offer, now: float, *, dark: bool = False) -> bool:
        """Writes the offer's duty, X1 for none, state F for dark. Answers whether the signalled current changed."""
        fraction = DARK if dark else duty(offer.amps)
        changed = round(amps(fraction), 2) != round(self.offer.amps, 2)
        self.offer = offer if offer.amps and not dark else NO_OFFER
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
        if fraction == DARK:
            watch.dark_until = math.inf
        elif self._duty == DARK:
            watch.dark_until = now + DARK_SETTLES_S
        self._duty = fraction
        pwm = DARK < fraction < X1
        if pwm is not watch.pwm:
            watch.pwm, watch.pwm_since = pwm, now
        try:
            self._pwm.set_duty(fraction)
        except DeviceLost:
            watch.duty_lost, self._retry_at = True, now + RETRY_S
        else:
            watch.duty_lost = False
