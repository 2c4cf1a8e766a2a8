"""The turns: every 5 ms read, judge, decide, write, tell, in two halves so that an ADC converts while nothing waits. Must not know states or pins.

Absolute deadlines. One edge of the relay supply's feed per completed turn, after its checks, written here and by nothing else. A turn that does
not end normally takes every coil off and every pilot to X1, then the exception goes on.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path

from chargepoint.clock import Clock
from chargepoint.control import faults
from chargepoint.control.evse import Evse
from chargepoint.control.lateness import Lateness
from chargepoint.control.orders import Orders
from chargepoint.link.messages import EdgeKind, LampWish, LockWish, LoopFigures, Order, OrderAnswer, Permit, PhaseWish, Sample, ToControl, ToStation
from chargepoint.link.server import LinkServer
from hal.ports import ControlBoard

BLIND_S = 0.5
"""A turn so late is a new start: a car may have been changed meanwhile."""
CALM_S = 0.06
"""A calm turn, at most: nothing is closed or offered anywhere, so that nothing could open sooner."""
CALM_SHARE = 0.6
"""Of the time for which one edge of the feed keeps the relay supply up."""
EMERGENCY_TURNS = 2
FIGURES_EVERY_S = 5.0
END_WITHIN_S = 9.0
SHARES = (0.5, 0.99, 0.999)


def calm_turn_s(turn_s: float, hold_s: float | None) -> float:
    """How long a calm turn takes: whole periods. hold_s: how long the relay supply outlives an edge of its feed; None: it needs none."""
    longest = CALM_S if hold_s is None else min(CALM_S, CALM_SHARE * hold_s)
    return turn_s * max(1, round(longest / turn_s))


class Loop:
    """turn_s: the period, calm_s: that of a calm turn. alive: called in each turn whose checks passed. say: a line for the log."""

    def __init__(
        self,
        clock: Clock,
        board: ControlBoard,
        turn_s: float,
        calm_s: float,
        *,
        realtime: bool,
        say: Callable[[str], None],
        alive: Callable[[float], None],
    ) -> None:
        self._clock = clock
        self._board = board
        self._turn_s = turn_s
        self._calm_s = calm_s
        self._period_s = turn_s
        self._realtime = realtime
        self._say = say
        self._alive = alive
        self._evses: dict[int, Evse] = {}
        self._all: tuple[Evse, ...] = ()
        self._orders = Orders(self._evses, self._answer)
        self._link: LinkServer | None = None
        self._lateness = Lateness()
        self._figures_at = 0.0
        self._emergency_turns = 0
        self._end_at: float | None = None
        self._ending = False
        self._void: dict[int, str] = {}

    def add(self, evses: Sequence[Evse]) -> None:
        """The EVSEs to serve."""
        self._all = tuple(evses)
        self._evses.update({evse.id: evse for evse in evses})

    def serve(self, directory: Path) -> None:
        """Opens the link's sockets. Raises OSError."""
        self._link = LinkServer(directory, int.from_bytes(os.urandom(4), "big") >> 1 | 1, self, self._say)

    def end(self) -> None:
        """Ends the loop in order: X1, the car's time, open, unlock."""
        self._ending = True

    def run(self) -> None:
        """Turns until the end is asked for and reached. An exception in a turn leaves the outputs safe and goes on."""
        with ExitStack() as outputs:
            self._make_safe_at(outputs)
            due = self._clock.boot_s()
            while not self._ended():
                due = self._turn(due) + self._period_s
        if self._link is not None:
            self._link.poll()
            self._link.close()

    # the turn --------------------------------------------------------------------------------------------------------------------------

    def _turn(self, due: float) -> float:
        """One turn. Answers its deadline, later by the whole periods that were missed."""
        clock = self._clock
        clock.sleep_until(due)
        now = clock.boot_s()
        self._lateness.add(now - due)
        if now - due > self._period_s:
            due += self._late(now - due)
        if self._link is not None:
            self._link.poll()
        self._orders.step(now)
        emergency = self._emergency()
        whole = self._period_s == self._turn_s or emergency or not all(evse.calm for evse in self._all)
        calm = not whole
        for evse in self._all:
            clock.sleep_until(evse.converted_at)
            if whole:
                evse.first_half(clock.boot_s(), emergency)
            elif not evse.calm_turn(clock.boot_s(), emergency):
                calm = False
        self._feed()
        self._alive(now)
        if now >= self._figures_at:
            self._tell_figures(now)
        if whole:
            clock.sleep_until(due + self._turn_s / 2)
            for evse in self._all:
                clock.sleep_until(evse.converted_at)
                evse.second_half(clock.boot_s())
            calm = all(evse.calm for evse in self._all)
        self._pace(calm)
        return due

    def _pace(self, calm: bool) -> None:
        """Longer turns while every EVSE is calm; the first of them may still be a whole one."""
        calm = calm and not (self._ending or self._emergency_turns or self._orders.running)
        self._period_s = self._calm_s if calm else self._turn_s

    def _late(self, late_s: float) -> float:
        """Counts the periods that were not served; after a long silence nothing is taken for granted. Answers the time they took."""
        missed = int(late_s / self._period_s)
        self._lateness.missed += missed
        if late_s > BLIND_S:
            self._say(f"control: no turn for {late_s:.1f} s; every plug-in counts as new")
            for evse in self._all:
                evse.blind()
        return missed * self._period_s

    def _emergency(self) -> bool:
        switch = self._board.emergency_stop
        if switch is None:
            return False
        self._emergency_turns = self._emergency_turns + 1 if switch.active() else 0
        return self._emergency_turns >= EMERGENCY_TURNS

    def _feed(self) -> None:
        """One edge, unless a contactor did not open: then the relay supply is to fall."""
        if self._board.feed is None:
            return
        fed = not any(evse.faults.active & faults.WELDED or evse.second_look.stuck_on for evse in self._all)
        for evse in self._all:
            evse.fed = fed
        if fed:
            self._board.feed.edge()

    def _ended(self) -> bool:
        if not self._ending:
            return False
        now = self._clock.boot_s()
        if self._end_at is None:
            self._end_at = now + END_WITHIN_S
            for evse in self._all:
                evse.ending = True
                evse.end_permit("control ends")
        return now >= self._end_at or all(evse.at_rest for evse in self._all)

    def _make_safe_at(self, outputs: ExitStack) -> None:
        """Whatever ends the turns: coils off first, then tests, then pilots at X1; one that fails keeps no other from being written."""
        for evse in self._board.evses:
            outputs.callback(evse.pwm.set_duty, 1.0)
        for evse in self._board.evses:
            outputs.callback(evse.residual.test, False)
            outputs.callback(evse.contactor.trip_breaker, False)
        for evse in self._board.evses:
            if evse.contactor_l23 is not None:
                outputs.callback(evse.contactor_l23.switch, False)
        for evse in self._board.evses:
            outputs.callback(evse.contactor.switch, False)

    # the link --------------------------------------------------------------------------------------------------------------------------

    def edge(self, at: float, evse: int, kind: EdgeKind, plug_in: int, value: str = "") -> None:
        """An EVSE tells an edge."""
        if self._link is not None:
            self._link.edge(at, evse, kind, plug_in, value)
        if kind in (EdgeKind.FAULT_RAISED, EdgeKind.FAULT_CLEARED, EdgeKind.OPENED):
            self._say(f"control: EVSE {evse}: {kind.value.replace('_', ' ')}: {value}")

    def tell(self, state: ToStation) -> None:
        """An EVSE tells its state."""
        if self._link is not None:
            self._link.tell(state)

    def peer_came(self) -> None:
        """What the peer before allowed closes nothing any more."""
        now = self._clock.boot_s()
        for evse in self._all:
            evse.lease.hold(now)

    def heard(self, message: ToControl) -> None:
        """One message of the station."""
        now = self._clock.boot_s()
        if isinstance(message, Order):
            self._orders.take(message, now)
            return
        evse = self._evses.get(getattr(message, "evse", 0))
        if evse is None:
            self._say(f"link: {type(message).__name__} for an EVSE that is not there")
        elif isinstance(message, Permit):
            self._permit(evse, message, now)
        elif isinstance(message, Sample):
            evse.sample(message, now)
        elif isinstance(message, PhaseWish):
            evse.phases.wish(message)
        elif isinstance(message, LockWish):
            evse.wish_lock(message)
        elif isinstance(message, LampWish):
            evse.wish_lamp(message)

    def status(self) -> Iterable[ToStation]:
        """Everything, for a new peer or a status reader."""
        now = self._clock.boot_s()
        return [*(evse.state(now) for evse in self._all), self._figures()]

    def _permit(self, evse: Evse, permit: Permit, now: float) -> None:
        why = evse.permit(permit, now)
        if why and self._void.get(evse.id) != why:
            self._say(f"control: EVSE {evse.id}: permit void: {why}")
        self._void[evse.id] = why

    def _answer(self, answer: OrderAnswer) -> None:
        if self._link is not None:
            self._link.answer(answer)

    def _figures(self) -> LoopFigures:
        p50, p99, p999 = self._lateness.percentiles_us(*SHARES)
        late = self._lateness
        return LoopFigures(late.periods, late.missed, p50, p99, p999, late.max_us, self._realtime, os.getpid())

    def _tell_figures(self, now: float) -> None:
        self._figures_at = now + FIGURES_EVERY_S
        self.tell(self._figures())
