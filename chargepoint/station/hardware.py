"""The hardware as the station sees it: what control says, and what it is told. Keeps no permit alive by itself: `permit` is called from the turn that
has just looked at the session's row, and by nothing else.

Must not know sessions, nor how the link works. Edges are handed on in order and acknowledged once they are written down.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from itertools import count
from typing import Protocol

from msgspec.structs import replace

from chargepoint.clock import Clock
from chargepoint.link.messages import (
    Acknowledge,
    Edge,
    EdgeKind,
    EvseState,
    Hello,
    LampWish,
    LockWish,
    LoopFigures,
    Order,
    OrderAnswer,
    OrderKind,
    Permit,
    PhaseWish,
    Sample,
    ToControl,
    WakeKind,
)

ORDER_WITHIN_S = 12.0
STEADY_S = 2.0


class Door(Protocol):
    """The station's end of the link."""

    def send(self, message: ToControl) -> bool: ...


class Hardware:
    """What the link client calls, and what the station asks. hear_edge, hear_state: the sessions; on_control: called when control has come or gone;
    start: control's number of its own start (0: not there). Ids of orders differ between starts of the station, so that control never takes a new
    order for one it has carried out."""

    def __init__(self, clock: Clock, lease_s: float) -> None:
        self.hear_edge: Callable[[Edge], None] | None = None
        self.hear_state: Callable[[EvseState, bool], None] | None = None
        self.on_control: list[Callable[[], None]] = []
        self.figures: LoopFigures | None = None
        self.start = 0
        self._clock = clock
        self._lease_s = lease_s
        self._door: Door | None = None
        self._states: dict[int, EvseState] = {}
        self._offered_since: dict[int, float] = {}
        self._wishes: dict[tuple[type, int], PhaseWish | LockWish | LampWish] = {}
        self._orders: dict[int, asyncio.Future[OrderAnswer]] = {}
        self._ids = count(int(clock.boot_s() * 1000) << 16)

    @property
    def present(self) -> bool:
        """Whether control is there."""
        return self.start != 0

    def use(self, door: Door) -> None:
        """The link's end, made after us because it calls us."""
        self._door = door

    def state(self, evse: int) -> EvseState | None:
        """What control last said of an EVSE; None while control is not there or has not said anything."""
        return self._states.get(evse)

    def offers_steadily(self, evse: int) -> bool:
        """Whether amperes are signalled, and have been for a while or were taken: an offer that comes and goes is none
        to tell of."""
        return self._clock.boot_s() >= self._offered_since.get(evse, math.inf)

    def permit(
        self, evse: int, plug_in: int, limit_a: float, wish_a: float | None = None, limit_1p_a: float | None = None, wish_1p_a: float | None = None
    ) -> None:
        """This plug-in may draw limit_a (A per phase) for one lease from now. Below 6 A: no offer. wish_a: what comfort would rather have.
        limit_1p_a, wish_1p_a: the same while one phase is connected; None: no difference."""
        self._send(Permit(evse, plug_in, limit_a, self._clock.boot_s() + self._lease_s, wish_a, limit_1p_a, wish_1p_a))

    def withdraw(self, evse: int, plug_in: int) -> None:
        """The permit ends now: control takes the offer back and opens when the car had its time. Nothing to say of a car that has gone."""
        state = self._states.get(evse)
        if state is None or state.plug_in == plug_in:
            self.permit(evse, plug_in, 0.0)

    def phases(self, wish: PhaseWish) -> None:
        """How many phases are to be connected."""
        self._wish(wish)

    def lock(self, evse: int, locked: bool) -> None:
        """Whether the plug is to be held."""
        self._wish(LockWish(evse, locked))

    def lamp(self, evse: int, pattern: str) -> None:
        """What the lamp shows; a word of `hal.ports.LampPattern`."""
        self._wish(LampWish(evse, pattern))

    def sample(self, sample: Sample) -> None:
        """The meter's last reading, for control's guards."""
        self._send(sample)

    async def order(
        self, kind: OrderKind, evse: int, fault: str = "", wake: WakeKind | None = None, seconds: float = 0.0, *, in_person: bool = False
    ) -> OrderAnswer:
        """Gives an order and waits for its answer, 12 s at most (and its own seconds); no answer is one with done False. in_person: somebody on
        site gives it."""
        order = Order(next(self._ids), kind, evse, fault, wake, seconds, in_person)
        if not self.present:
            return OrderAnswer(order.id, False, "control is not connected")
        answer: asyncio.Future[OrderAnswer] = asyncio.get_running_loop().create_future()
        self._orders[order.id] = answer
        self._send(order)
        try:
            return await self._clock.wait_for(answer, ORDER_WITHIN_S + seconds)
        except TimeoutError:
            return OrderAnswer(order.id, False, "control did not answer in time")
        finally:
            del self._orders[order.id]

    def on_connected(self, hello: Hello) -> None:
        """Control is there and knows nothing of us yet, so every wish is repeated."""
        self.start = hello.start
        for wish in self._wishes.values():
            self._send(wish)
        self._tell_observers()

    def on_lost(self, reason: str) -> None:
        """Control is gone: what it said no longer holds, what it was asked is not answered. reason stands in the link's own log line."""
        self.start = 0
        self._states.clear()
        self._offered_since.clear()
        for id in self._orders:
            self.on_answer(OrderAnswer(id, False, "the link to control was lost"))
        self._tell_observers()

    def on_state(self, state: EvseState) -> None:
        former = self._states.get(state.evse)
        self._take(state)
        if self.hear_state is not None:
            self.hear_state(state, former is None or _differs(former, state))

    def on_edge(self, edge: Edge) -> None:
        """Handed on, then acknowledged: by then it is written down, or the process is gone. What it says of plug and power path is newer than the
        last state."""
        state = self._states.get(edge.evse)
        if state is not None:
            self._take(_amended(state, edge))
        if self.hear_edge is not None:
            self.hear_edge(edge)
        self._send(Acknowledge(edge.number))

    def on_answer(self, answer: OrderAnswer) -> None:
        waiting = self._orders.get(answer.id)
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)

    def on_figures(self, figures: LoopFigures) -> None:
        self.figures = figures

    def _take(self, state: EvseState) -> None:
        former = self._states.get(state.evse)
        self._states[state.evse] = state
        if state.offered_a <= 0:
            self._offered_since.pop(state.evse, None)
        elif state.closed:
            self._offered_since[state.evse] = 0.0
        elif former is None or former.offered_a <= 0:
            self._offered_since[state.evse] = self._clock.boot_s() + (STEADY_S if former is not None else 0.0)

    def _wish(self, wish: PhaseWish | LockWish | LampWish) -> None:
        key = (type(wish), wish.evse)
        if self._wishes.get(key) != wish:
            self._wishes[key] = wish
            self._send(wish)

    def _send(self, message: ToControl) -> None:
        if self.present and self._door is not None:
            self._door.send(message)

    def _tell_observers(self) -> None:
        for callback in self.on_control:
            callback()


def _differs(former: EvseState, state: EvseState) -> bool:
    """Whether a state says more than that control is still there, and how warm it is."""
    return replace(state, at=former.at, temperature_c=former.temperature_c) != former


def _amended(state: EvseState, edge: Edge) -> EvseState:
    match edge.kind:
        case EdgeKind.CLOSED:
            return replace(state, closed=True)
        case EdgeKind.OPENED:
            return replace(state, closed=False)
        case EdgeKind.PLUGGED:
            return replace(state, plug_in=edge.plug_in)
        case EdgeKind.UNPLUGGED:
            return replace(state, plug_in=0)
        case EdgeKind.OFFERED:
            return replace(state, offered_a=_amps(edge.value))
        case _:
            return state


def _amps(value: str) -> float:
    """What an edge says is offered; what is no number is no offer."""
    try:
        amps = float(value)
    except ValueError:
        return 0.0
    return amps if math.isfinite(amps) else 0.0
