"""Restarts the station, the board, or one EVSE on a CSMS's order (2.0.1 part 2, B11, B12; 1.6 5.14).

The answer is out, transactions are ended and their ends written, and told if the line allows it within the message timeout, before anything dies.
Control goes on through a restart of the station alone, with the permits withdrawn by the ended sessions. Must not know messages, nor how a process
ends.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import NamedTuple, Protocol

from chargepoint.clock import Clock
from chargepoint.link.messages import OrderAnswer, OrderKind
from chargepoint.model.facts import StopReason, Trigger
from chargepoint.model.orders import Answer, Reset, ResetKind
from chargepoint.model.questions import BootReason
from chargepoint.station.device_model import DeviceModel
from chargepoint.station.provisioning import BootReasons
from chargepoint.store.values import Values

log = logging.getLogger(__name__)

STATION_CODE = 78
"""Exit code of the station process that asks to be started again."""
BOARD_CODE = 77
"""Exit code that asks for a restart of the whole board."""
REASONS = {ResetKind.SOFT: StopReason.REBOOT}
"""1.6 tells a soft reset from a hard one (7.36); 2.x has one word for what a CSMS orders."""
TRIED = "reset.board"
"""A restart of the board that was asked for."""
DOWN_WITHIN_S = 60.0
"""Where control still runs so long after, the board is not restarted."""
LOOK_EVERY_S = 0.2
IDLE_LOOK_S = 1.0
AGAIN_S = 1.0


class Charging(Protocol):
    """What a reset ends."""

    def busy(self, evse: int | None) -> bool:
        """Whether a transaction runs (at one EVSE)."""

    async def end(self, trigger: Trigger, reason: StopReason, evse: int | None = None) -> None:
        """Ends them and returns when the ends are written."""


class Tried(NamedTuple):
    """boot: of the board, the one that is to end; control: the start of control that is to end with it; times: how often it was asked for."""

    boot: int
    control: int
    times: int


class Resets:
    """evses: ids. waiting: transaction facts that wait. online: whether they can be told now. order: gives an order to control. restart: ends the
    process with an exit code. control: number of control's present start, 0: not there. What a restart of the board has come to shows at the next
    start: beside the same control it was none, and is tried again, ResetRetries times (1.6 9.1.22)."""

    def __init__(
        self,
        clock: Clock,
        model: DeviceModel,
        evses: tuple[int, ...],
        charging: Charging,
        reasons: BootReasons,
        waiting: Callable[[], int],
        online: Callable[[], bool],
        order: Callable[[OrderKind, int], Awaitable[OrderAnswer]],
        restart: Callable[[int], None],
        values: Values,
        control: Callable[[], int],
    ) -> None:
        self._clock = clock
        self._model = model
        self._evses = evses
        self._charging = charging
        self._reasons = reasons
        self._waiting = waiting
        self._online = online
        self._order = order
        self._restart = restart
        self._values = values
        self._control = control
        self._pending: set[int | None] = set()
        self._answered: asyncio.Queue[tuple[Reset, bool]] = asyncio.Queue()

    async def run(self) -> None:
        """Carries out what was answered, whatever becomes of the line meanwhile, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            if (tried := self._unfinished()) is not None:
                tasks.create_task(self._again(tried))
            while True:
                order, when_idle = await self._answered.get()
                tasks.create_task(self._when_idle(order) if when_idle else self._carry_out(order, BootReason.REMOTE_RESET))

    def orders(self) -> dict[type, Callable[[Reset], Awaitable[Answer]]]:
        return {Reset: self.reset}

    def pending(self, evse: int) -> bool:
        """Whether a reset waits for this EVSE, or the station, to be idle: nothing new begins there (B12)."""
        return bool(self._pending & {None, evse})

    async def reset(self, order: Reset) -> Answer:
        """Accepted; Scheduled for an OnIdle while a transaction runs (B12.FR.01); Rejected for an unknown EVSE or one that cannot be reset alone."""
        if order.evse is not None and order.evse not in self._evses:
            return Answer("Rejected", "UnknownEvse", f"there is no EVSE {order.evse}")
        if order.evse is not None and not self._model.boolean(f"EVSE@{order.evse}.AllowReset"):
            return Answer("Rejected", "UnsupportedRequest", f"EVSE {order.evse} cannot be reset alone (B11.FR.09)")
        if order.kind is ResetKind.ON_IDLE and self._charging.busy(order.evse):
            self._pending.add(order.evse)
            return Answer("Scheduled", then=partial(self._answered.put, (order, True)))
        return Answer("Accepted", then=partial(self._answered.put, (order, False)))

    async def _when_idle(self, order: Reset) -> None:
        log.info("reset of %s waits until it is idle", _named(order.evse))
        while self._charging.busy(order.evse):
            await self._clock.sleep(IDLE_LOOK_S)
        await self._carry_out(order, BootReason.SCHEDULED_RESET)

    async def _carry_out(self, order: Reset, reason: BootReason) -> None:
        self._pending.add(order.evse)
        log.warning("%s reset of %s", order.kind.value, _named(order.evse))
        try:
            if order.evse is None:
                self._reasons.next(reason)
            await self._charging.end(Trigger.RESET_COMMAND, REASONS.get(order.kind, StopReason.IMMEDIATE_RESET), order.evse)
            if order.evse is None:
                await self._restart_station(order.kind)
            else:
                await self._reset_evse(order.evse)
        finally:
            self._pending.discard(order.evse)

    async def _restart_station(self, kind: ResetKind) -> None:
        await self._told()
        if kind is ResetKind.HARD:
            before = self._unfinished()
            self._values.set(TRIED, Tried(self._clock.boot, self._control(), 1 + (before.times if before else 0)))
        self._restart(BOARD_CODE if kind is ResetKind.HARD else STATION_CODE)

    def _unfinished(self) -> Tried | None:
        """The restart of the board that was asked for in this boot of it."""
        tried = self._values.get(TRIED, Tried)
        return tried if tried is not None and tried.boot == self._clock.boot else None

    async def _again(self, tried: Tried) -> None:
        """Nothing new begins until it shows whether the board was restarted."""
        self._pending.add(None)
        until = self._clock.boot_s() + DOWN_WITHIN_S
        while self._control() in (0, tried.control) and self._clock.boot_s() < until:
            await self._clock.sleep(LOOK_EVERY_S)
        failed = self._control() in (0, tried.control)
        if failed and tried.times <= self._model.integer("OCPPCommCtrlr.ResetRetries"):
            log.error("the board was not restarted, it is asked again")
            await self._carry_out(Reset(ResetKind.HARD), BootReason.REMOTE_RESET)
            return
        if failed:
            log.error("the board was not restarted, asked %d times: that is given up", tried.times)
        self._values.remove(TRIED)
        self._pending.discard(None)

    async def _told(self) -> None:
        """Waits until all is told, the line is gone, or the message timeout is over (B12.FR.05)."""
        until = self._clock.boot_s() + self._model.integer("OCPPCommCtrlr.MessageTimeout[Default]")
        while self._waiting() and self._online() and self._clock.boot_s() < until:
            await self._clock.sleep(LOOK_EVERY_S)

    async def _reset_evse(self, evse: int) -> None:
        """An EVSE that is not reset is tried again, ResetRetries times."""
        for _ in range(1 + self._model.integer("OCPPCommCtrlr.ResetRetries")):
            answer = await self._order(OrderKind.RESET_EVSE, evse)
            if answer.done:
                return
            log.error("EVSE %d was not reset: %s", evse, answer.text)
            await self._clock.sleep(AGAIN_S)


def _named(evse: int | None) -> str:
    return "the station" if evse is None else f"EVSE {evse}"
