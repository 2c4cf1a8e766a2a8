"""Empties the outbox: each kind of delivery in a loop of its own, so that none waits for another. Must not know messages or connections.

    Teller(outbox, backend, face, variables, clock, answered, states)
    face()                  the face of the present line, or None (line.face)
    answered(fact, info)    what the CSMS said of the token to a transaction fact, for sessions (StopTxOnInvalidId); info None: nothing
    states()                the present StatusFact of every connector, told anew after a registration or a long absence
    await teller.run()      until cancelled
Transaction facts go strictly in order. A refusal or a timeout uses one of MessageAttempts[TransactionEvent]; the wait before the next try is
MessageAttemptInterval[TransactionEvent] times the tries before (2.0.1 E13, 1.6 3.7.1). A lost connection uses none.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Protocol

from chargepoint.clock import Clock
from chargepoint.csms.face import Face, Lost, NoWords, Refused, Spoken, Told, Variables
from chargepoint.model.facts import Delivery, Fact, MeterFact, StatusFact, TransactionFact
from chargepoint.model.idtoken import IdTokenInfo
from chargepoint.model.questions import Registration
from chargepoint.store.outbox import Waiting

log = logging.getLogger("csms.teller")

BATCH = 32
ALL_STATES = 1000
STATE_RETRY_S = 10
MOST_TIMES = 10  # a guaranteed fact is tried for ever, but its waits stop growing
Words = tuple[str, str, str | None, str | None, bool]


class TellerBackend(Protocol):
    """The CSMS as the teller needs it. on_change: called at every change of registration or line."""

    on_change: list[Callable[[], None]]

    @property
    def accepted(self) -> bool: ...

    @property
    def registration(self) -> Registration | None: ...

    @property
    def connection(self) -> int: ...


class TellerOutbox(Protocol):
    """The outbox as the teller needs it."""

    on_append: list[Callable[[], None]]

    def append(self, fact: Fact) -> int: ...

    def waits(self, delivery: Delivery) -> bool: ...

    def some(self, delivery: Delivery, n: int) -> list[Waiting]: ...

    def told(self, id: int, note: str | None = None) -> None: ...

    def attempted(self, id: int) -> int: ...

    def give_up(self, id: int, answer: str) -> None: ...


class Teller:
    """Tells what waits while the CSMS accepts this station."""

    def __init__(
        self,
        outbox: TellerOutbox,
        backend: TellerBackend,
        face: Callable[[], Face | None],
        variables: Variables,
        clock: Clock,
        answered: Callable[[TransactionFact, IdTokenInfo | None], None],
        states: Callable[[], Iterable[StatusFact]],
    ) -> None:
        self._outbox, self._backend, self._face = outbox, backend, face
        self._variables, self._clock = variables, clock
        self._answered, self._states = answered, states
        self._wakes = {delivery: asyncio.Event() for delivery in Delivery}
        self._pauses: dict[asyncio.Event, int] = {}
        self._told_states: dict[tuple[int, int], Words] = {}
        self._accepted = False
        self._retell = True
        self._left_at = 0.0
        outbox.on_append.append(self._appended)
        backend.on_change.append(self._changed)
        self._changed()

    async def run(self) -> None:
        """Tells until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for delivery in Delivery:
                tasks.create_task(self._deliver(delivery))

    async def _deliver(self, delivery: Delivery) -> None:
        wake = self._wakes[delivery]
        while True:
            wake.clear()
            if not await self._tell_some(delivery):
                await wake.wait()

    async def _tell_some(self, delivery: Delivery) -> bool:
        """Tells a batch in order; whether there may be more to tell at once."""
        batch = self._batch(delivery)
        for waiting in batch:
            connection = self._backend.connection
            spoken = await self._speak(waiting.fact)
            if isinstance(spoken, Lost):
                return False
            if not isinstance(spoken, Refused):
                self._told(waiting, spoken)
                continue
            pause_s = self._refused(waiting, delivery, spoken)
            if pause_s is not None:
                await self._pause(pause_s, connection if spoken.timed_out else None)
                return True
        return bool(batch)

    def _batch(self, delivery: Delivery) -> list[Waiting]:
        if self._backend.accepted:
            if delivery is Delivery.STATE and self._retell:
                self._renew_states()
            return self._outbox.some(delivery, 1 if delivery is Delivery.STATE else BATCH)  # a state may be overtaken while another is told
        waiting = self._outbox.some(delivery, ALL_STATES) if delivery in (Delivery.STATE, Delivery.PERISHABLE) else []
        ordered = [item for item in waiting if self._allowed(item.fact)]
        if delivery is Delivery.PERISHABLE and not self._variables.boolean("OCPPCommCtrlr.QueueAllMessages"):
            for item in waiting:
                if item not in ordered and not self._may_come(item.fact):
                    self._outbox.told(item.id)
        return ordered

    def _allowed(self, fact: Fact) -> bool:
        """Whether the CSMS takes it now: while pending only what it ordered (B02.FR.02; 1.6 4.2)."""
        pending = self._backend.registration is Registration.PENDING
        return self._backend.accepted or (pending and isinstance(fact, (StatusFact, MeterFact)) and fact.ordered)

    def _may_come(self, fact: Fact) -> bool:
        """Whether it was ordered before the CSMS has answered the BootNotification: it is told if the answer allows it."""
        return self._face() is not None and self._backend.registration is None and isinstance(fact, MeterFact) and fact.ordered

    async def _speak(self, fact: Fact) -> Spoken:
        face = self._face()
        if face is None or not self._allowed(fact):
            return Lost()
        offline = isinstance(fact, TransactionFact) and fact.connection != self._backend.connection
        try:
            return await face.speak(fact, offline)
        except (ValueError, TypeError, LookupError, ArithmeticError) as problem:  # a fact that cannot be worded must not dam up all behind it
            log.exception("a fact cannot be worded: %r", fact)
            return Refused(f"not worded: {problem}")

    def _told(self, waiting: Waiting, spoken: Told | NoWords) -> None:
        fact = waiting.fact
        if isinstance(fact, StatusFact):
            self._told_states[fact.evse, fact.connector] = _words(fact)
        self._outbox.told(waiting.id, spoken.note if isinstance(spoken, Told) else None)
        if isinstance(spoken, Told) and isinstance(fact, TransactionFact):
            self._answered(fact, spoken.info)

    def _refused(self, waiting: Waiting, delivery: Delivery, refused: Refused) -> float | None:
        """Counts the attempt; seconds until the next one, None when there is none."""
        tries = self._outbox.attempted(waiting.id)
        if delivery is Delivery.GUARANTEED:
            last = refused.unknown
        else:
            last = delivery is Delivery.PERISHABLE or tries >= self._variables.integer("OCPPCommCtrlr.MessageAttempts[TransactionEvent]")
        if last:
            log.error("given up after %d attempts: %s: %r", tries, refused.reason, waiting.fact)
            self._outbox.give_up(waiting.id, refused.reason)
            return None
        interval_s = self._variables.integer("OCPPCommCtrlr.MessageAttemptInterval[TransactionEvent]")
        pause_s = float(min(interval_s, STATE_RETRY_S) if delivery is Delivery.STATE else interval_s * min(tries, MOST_TIMES))
        log.warning("not told (%s), attempt %d; next in %g s", refused.reason, tries, pause_s)
        return pause_s

    async def _pause(self, seconds: float, connection: int | None) -> None:
        """Waits; after a silence (connection given) a new connection ends the wait: the silence was the line's."""
        over = asyncio.Event()
        timer = self._clock.call_later(seconds, over.set)
        if connection is not None:
            self._pauses[over] = connection
        try:
            await over.wait()
        finally:
            timer.cancel()
            self._pauses.pop(over, None)

    def _appended(self) -> None:
        """Wakes only who has something to tell: four loops woken for each fact cost more than its message."""
        for delivery, event in self._wakes.items():
            if self._outbox.waits(delivery):
                event.set()

    def _wake(self) -> None:
        for event in self._wakes.values():
            event.set()

    def _changed(self) -> None:
        """Registration or line changed."""
        accepted = self._backend.accepted
        if not accepted and self._face() is not None:
            self._retell = True  # a line that begins with a BootNotification
        if accepted and not self._accepted:
            self._returned()
        elif self._accepted and not accepted:
            self._left_at = self._clock.boot_s()
        self._accepted = accepted
        self._wake()

    def _returned(self) -> None:
        for over, connection in self._pauses.items():
            if connection != self._backend.connection:
                over.set()
        if self._clock.boot_s() - self._left_at > self._variables.integer("OCPPCommCtrlr.OfflineThreshold"):
            self._retell = True
        if self._retell:
            return
        for waiting in self._outbox.some(Delivery.STATE, ALL_STATES):  # changed and changed back: nothing to tell
            if isinstance(waiting.fact, StatusFact) and self._told_states.get((waiting.fact.evse, waiting.fact.connector)) == _words(waiting.fact):
                self._outbox.told(waiting.id)

    def _renew_states(self) -> None:
        self._retell = False
        self._told_states.clear()
        for fact in self._states():
            self._outbox.append(fact)


def _words(fact: StatusFact) -> Words:
    return fact.status, fact.error_code, fact.vendor_error_code, fact.info, fact.vacant
