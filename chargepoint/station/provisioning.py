"""Registers the station at its CSMS, keeps the heartbeat, and learns the time (2.0.1 part 2, B01 to B04, G02; 1.6 4.2, 4.6).

One BootNotification per start of the station and per change of CSMS, never on a mere reconnection. Must not know messages or lines; what is told
after a return (all statuses or the changed ones) is the teller's.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol

from chargepoint.clock import Clock
from chargepoint.model.questions import Boot, BootAnswer, BootReason, Heartbeat, HeartbeatAnswer, Question, QuestionAnswer, Registration
from chargepoint.model.stamp import to_rfc3339
from chargepoint.station.backend import State
from chargepoint.station.device_model import DeviceModel
from chargepoint.station.security import Security, SecurityEvent
from chargepoint.store.boots import Boots
from chargepoint.store.values import Values

log = logging.getLogger(__name__)

REASON = "boot.reason"
OWN_WAIT_S = 30.0
"""The wait of our own where a CSMS that has not accepted us says 0 (B02.FR.07, B03.FR.05), or does not answer at all."""
UNANSWERED_WAIT_S = 10.0
EARLIEST_S, LATEST_S = 1_577_836_800.0, 4_102_444_800.0
"""2020-01-01 and 2100-01-01: a CSMS whose time is not between them does not know the time."""
HEARTBEAT = "OCPPCommCtrlr.HeartbeatInterval"


class Csms(Protocol):
    """The CSMS as seen from here."""

    on_change: list[Callable[[], None]]

    @property
    def state(self) -> State: ...

    @property
    def subprotocol(self) -> str: ...

    def registered(self, answer: Registration) -> None: ...

    async def ask(self, question: Question) -> QuestionAnswer: ...


class BootReasons:
    """Why the station started: as stored before a wanted restart, else power-up in a new boot of the board, else that it died."""

    def __init__(self, values: Values, fresh_boot: bool) -> None:
        self._values = values
        stored = values.get(REASON, BootReason)
        self.reason = stored or (BootReason.POWER_UP if fresh_boot else BootReason.APPLICATION_RESET)
        if stored is None:
            values.set(REASON, self.reason)

    @property
    def ordered(self) -> bool:
        """Whether a CSMS ordered this start."""
        return self.reason in (BootReason.REMOTE_RESET, BootReason.SCHEDULED_RESET)

    def next(self, reason: BootReason) -> None:
        """Keeps the reason of a restart that is about to happen."""
        self._values.set(REASON, reason)

    def told(self) -> None:
        """The CSMS has accepted us with it. A restart that is wanted already keeps its own."""
        if self._values.get(REASON, BootReason) is self.reason:
            self._values.remove(REASON)


class Provisioning:
    """reasons: why the station started, and will start next."""

    def __init__(self, clock: Clock, model: DeviceModel, values: Values, boots: Boots, csms: Csms, security: Security) -> None:
        self.reasons = BootReasons(values, boots.fresh)
        self._clock = clock
        self._model = model
        self._boots = boots
        self._csms = csms
        self._security = security
        self._wake = asyncio.Event()
        self._not_before_s = 0.0
        self._spoken_to = ""
        self._triggered = self._beat_ordered = False
        self._beat_s = 0.0
        csms.on_change.append(self._wake.set)
        model.observe(HEARTBEAT, lambda key, old, new: self._wake.set())
        model.compute("ClockCtrlr.DateTime", lambda: to_rfc3339(clock.wall_s()))
        self._know_boot()

    async def run(self) -> None:
        """Boots and beats until cancelled."""
        while True:
            self._wake.clear()
            await self._pause(await self._step())

    def trigger_boot(self, evse: int | None = None, connector: int | None = None) -> bool:
        """A BootNotification now, on the CSMS's order (F06); the interval it gave does not count."""
        self._triggered = True
        self._wake.set()
        return True

    def trigger_heartbeat(self, evse: int | None = None, connector: int | None = None) -> bool:
        """A Heartbeat now, on the CSMS's order."""
        self._beat_ordered = True
        self._wake.set()
        return True

    async def _step(self) -> float | None:
        """Does what is due and gives the seconds until the next; None: until something changes."""
        state = self._csms.state
        if state is State.UNREACHABLE:
            self._triggered = self._beat_ordered = False
            return None
        if self._triggered:
            self._triggered = False
            return await self._boot(BootReason.TRIGGERED)
        if self._beat_ordered:
            self._beat_ordered = False
            await self._ask_the_time(Heartbeat(ordered=True))
        if state is State.ACCEPTED:
            return await self._beat()
        if self._spoken_to != self._csms.subprotocol:
            self._not_before_s = 0.0
        left = self._not_before_s - self._clock.boot_s()
        return left if left > 0 else await self._boot(self.reasons.reason)

    async def _pause(self, seconds: float | None) -> None:
        timer = None if seconds is None else self._clock.call_later(seconds, self._wake.set)
        try:
            await self._wake.wait()
        finally:
            if timer is not None:
                timer.cancel()

    async def _boot(self, reason: BootReason) -> float:
        """B01: one BootNotification. Gives the seconds until the next step."""
        self._spoken_to = self._csms.subprotocol
        answer = await self._csms.ask(Boot(reason))
        now = self._clock.boot_s()
        if not isinstance(answer, BootAnswer):
            log.warning("no answer to the BootNotification: %s", getattr(answer, "reason", answer))
            self._not_before_s = 0.0 if self._csms.state is State.UNREACHABLE else now + UNANSWERED_WAIT_S
            return UNANSWERED_WAIT_S
        log.info("BootNotification: %s, interval %d s", answer.status.value, answer.interval_s)
        self._learn(answer.wall_s)
        if answer.status is Registration.ACCEPTED:
            self._accepted(answer)
            self._csms.registered(answer.status)
            return 0.0
        wait_s = float(answer.interval_s) if answer.interval_s > 0 else OWN_WAIT_S
        self._not_before_s = now + wait_s
        self._csms.registered(answer.status)
        return wait_s

    def _accepted(self, answer: BootAnswer) -> None:
        """B01.FR.04: the interval is the heartbeat's; 0 leaves it as it is."""
        self._not_before_s = 0.0
        self._beat_s = self._clock.boot_s()
        if answer.interval_s > 0:
            self._model.push(HEARTBEAT, answer.interval_s)
        self.reasons.told()

    async def _beat(self) -> float:
        """G02: a heartbeat each interval, whatever else is sent."""
        interval_s = max(1, self._model.integer(HEARTBEAT))
        left = self._beat_s + interval_s - self._clock.boot_s()
        if left > 0:
            return left
        await self._ask_the_time(Heartbeat())
        return interval_s

    async def _ask_the_time(self, heartbeat: Heartbeat) -> None:
        self._beat_s = self._clock.boot_s()
        answer = await self._csms.ask(heartbeat)
        if isinstance(answer, HeartbeatAnswer):
            self._learn(answer.wall_s)

    def _learn(self, wall_s: float) -> None:
        """Takes the CSMS's time where it is a source, and remembers what this boot's clock was (B01.FR.06, G02.FR.06)."""
        if "Heartbeat" in self._model.listed("ClockCtrlr.TimeSource") and EARLIEST_S <= wall_s <= LATEST_S:
            before = self._clock.wall_s()
            self._clock.learn_wall(wall_s)
            change_s = self._clock.wall_s() - before
            if abs(change_s) > self._model.integer("ClockCtrlr.TimeAdjustmentReportingThreshold"):
                self._security.happened(SecurityEvent.SETTING_SYSTEM_TIME, f"by {change_s:+.0f} s")
        self._know_boot()

    def _know_boot(self) -> None:
        if self._clock.wall_known():
            self._boots.learn(self._clock.boot, self._clock.wall_s() - self._clock.boot_s())
