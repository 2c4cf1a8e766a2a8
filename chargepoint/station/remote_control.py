"""What the CSMS asks of sessions and plugs: remote start and stop, unlock, triggered messages (2.0.1 part 2, F01 to F06; 1.6 5.11, 5.12, 5.17, 5.18).

Must not know messages. Before acceptance remote starts and stops are refused (B02.FR.05).
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

from chargepoint.clock import Clock
from chargepoint.link.messages import OrderKind
from chargepoint.model.facts import StopReason, Trigger
from chargepoint.model.idtoken import IdToken
from chargepoint.model.orders import Answer, GetTransactionStatus, RemoteStart, RemoteStop, Unlock
from chargepoint.model.orders import Trigger as TriggerOrder
from chargepoint.model.questions import Registration
from chargepoint.model.session import TRANSITIONS, Event, State
from chargepoint.settings import Evse
from chargepoint.station.connectors import Connectors
from chargepoint.station.driver import Driver, open_to
from chargepoint.station.hardware import Hardware
from chargepoint.station.sessions import Sessions, Variables
from chargepoint.station.transactions import Cause

log = logging.getLogger(__name__)

STARTABLE = {row.source for row in TRANSITIONS if row.event is Event.AUTHORIZED}
"""States in which somebody may still be authorized."""

OPENED_WITHIN_S = 8.0
LOOK_EVERY_S = 0.1


class Message(NamedTuple):
    """A message that can be triggered. send: for an EVSE and connector (None: all). placed: the EVSE matters to it, where not it is ignored
    (F06.FR.03). ready: whether there is something to tell of an EVSE (None or 0: of any); unready: why not."""

    send: Callable[[int | None, int | None], bool]
    placed: bool = True
    ready: Callable[[int | None], bool] = lambda evse: True
    unready: str = "there is nothing to tell by it now"


class RemoteControl:
    """messages: what can be triggered, by MessageTriggerEnumType word. usable: whether a session may begin at an EVSE; registration: what the CSMS
    has said to this station; waiting_for: whether facts of a transaction (None: of any) wait."""

    def __init__(
        self,
        clock: Clock,
        variables: Variables,
        sessions: Sessions,
        driver: Driver,
        connectors: Connectors,
        hardware: Hardware,
        evses: tuple[Evse, ...],
        usable: Callable[[int], bool],
        registration: Callable[[], Registration | None],
        messages: Mapping[str, Message],
        waiting_for: Callable[[str | None], bool],
    ) -> None:
        self._clock = clock
        self._variables = variables
        self._sessions = sessions
        self._driver = driver
        self._connectors = connectors
        self._hardware = hardware
        self._evses = {evse.id: evse for evse in evses}
        self._usable = usable
        self._registration = registration
        self._messages = messages
        self._waiting_for = waiting_for

    def orders(self) -> dict[type, Callable[[Any], Awaitable[Answer]]]:
        return {
            RemoteStart: self.start,
            RemoteStop: self.stop,
            Unlock: self.unlock,
            TriggerOrder: self.trigger,
            GetTransactionStatus: self.transaction_status,
        }

    async def start(self, order: RemoteStart) -> Answer:
        """F01, F02: the answer first, then the authorization, then the start. Without smart charging the profile is ignored, whatever it says
        (F01.FR.12, F02.FR.20; 1.6 5.11)."""
        if not self._accepted():
            return Answer("Rejected", reason="NotEnabled", info="the CSMS has not accepted this station")
        evse = order.evse if order.evse is not None else self._best(order.id_token)
        if evse is None or evse not in self._evses:
            return Answer("Rejected", reason="UnknownEvse" if evse is not None else "NoEvse", info="no EVSE to start at")
        refusal = self._refusal(order, evse)
        if refusal is not None:
            return refusal
        row = self._sessions.row(evse)
        running = row.running.id if row is not None and row.running is not None and row.ending is None else None
        if order.profile is not None:
            log.info("EVSE %d: the charging profile of the remote start is ignored: this station has no smart charging", evse)
        ask = self._variables.boolean("AuthCtrlr.AuthorizeRemoteStart")
        then = partial(self._driver.take_remote, order.id_token, evse, order.remote_start_id, order.group, ask=ask)
        return Answer("Accepted", then=then, extra={"transaction": running} if running else {})

    def _refusal(self, order: RemoteStart, evse: int) -> Answer | None:
        """Why nothing begins at an EVSE: a transaction that was authorized is nobody else's (F01.FR.24; as locally, C01.FR.23)."""
        row = self._sessions.row(evse)
        if not self._usable(evse):
            return Answer("Rejected", reason="InvalidState", info=f"EVSE {evse} is not usable: {self._connectors.status(evse).value}")
        if row is not None and (row.state not in STARTABLE or row.hold or not open_to(row, order.id_token)):
            return Answer("Rejected", reason="TxInProgress", info=f"EVSE {evse} has an authorized session")
        if self._driver.begins_nothing(order.id_token, order.group):
            return Answer("Rejected", reason="InvalidIdToken", info="a master pass begins nothing")
        return None

    async def stop(self, order: RemoteStop) -> Answer:
        """F03."""
        row = self._sessions.find(order.transaction)
        if row is None or not self._accepted():
            return Answer("Rejected", reason="TxNotFound", info="no such transaction is running")

        async def then() -> None:
            row = self._sessions.find(order.transaction)
            if row is not None and row.ending is None:
                self._sessions.stop(row, Cause(Trigger.REMOTE_STOP, self._clock.stamp(), StopReason.REMOTE))

        return Answer("Accepted", then=then)

    async def unlock(self, order: Unlock) -> Answer:
        """F05; 1.6 5.18 ends the transaction first. extra['lock'] False: the connector has no lock."""
        evse = self._evses.get(order.evse)
        if evse is None or not 1 <= order.connector <= len(evse.connectors):
            return Answer("UnknownConnector")
        if self._sessions.tethered(order.evse):
            return Answer("UnlockFailed", reason="FixedCable", info="a tethered cable has no lock", extra={"lock": False})
        row = self._sessions.row(order.evse)
        if row is not None and row.authorized and row.state is not State.AUTHORIZED:
            if not order.stop_transaction:
                return Answer("OngoingAuthorizedTransaction")
            self._sessions.stop(row, Cause(Trigger.UNLOCK_COMMAND, self._clock.stamp(), StopReason.REMOTE))
            await self._opened(order.evse)
        elif row is not None and row.hold:
            self._sessions.release(row)
        done = await self._hardware.order(OrderKind.UNLOCK, order.evse)
        if not done.done:
            log.warning("EVSE %d: not unlocked: %s", order.evse, done.text)
        return Answer("Unlocked") if done.done else Answer("UnlockFailed", info=done.text)

    async def trigger(self, order: TriggerOrder) -> Answer:
        """F06: the answer first, then the message."""
        message = self._messages.get(order.message)
        if message is None:
            return Answer("NotImplemented")
        refusal = (self._unknown_place(order) if message.placed else None) or self._not_now(order)
        if refusal is None and not message.ready(order.evse):
            refusal = Answer("Rejected", reason="InvalidState", info=f"{order.message}: {message.unready}")
        if refusal is not None:
            return refusal

        async def then() -> None:
            message.send(order.evse, order.connector)

        return Answer("Accepted", then=then)

    def _unknown_place(self, order: TriggerOrder) -> Answer | None:
        if not order.evse:
            return None
        if order.evse not in self._evses:
            return Answer("Rejected", reason="UnknownEvse", info=f"there is no EVSE {order.evse}")
        if order.connector and order.connector > len(self._evses[order.evse].connectors):
            return Answer("Rejected", reason="UnknownConnectorId", info=f"EVSE {order.evse} has no connector {order.connector}")
        return None

    def _not_now(self, order: TriggerOrder) -> Answer | None:
        """Before acceptance what needs no transaction is sent on order (B02.FR.02; 1.6 4.2), once the BootNotification is answered (B01.FR.08)."""
        if order.message == "BootNotification":
            return None
        if not self._accepted() and (self._registration() is Registration.REJECTED or order.message == "TransactionEvent"):
            return Answer("Rejected", reason="NotEnabled", info=f"{order.message} waits until this station is accepted")
        if order.message == "TransactionEvent" and not any(order.evse in (None, row.evse) for _, row in self._sessions.running()):
            return Answer("Rejected", reason="TxNotFound", info="no transaction is running")
        return None

    def _accepted(self) -> bool:
        return self._registration() is Registration.ACCEPTED

    async def transaction_status(self, order: GetTransactionStatus) -> Answer:
        """E14."""
        ongoing = None if order.transaction is None else self._sessions.find(order.transaction) is not None
        return Answer("Accepted", extra={"ongoing": ongoing, "messages_in_queue": self._waiting_for(order.transaction)})

    async def _opened(self, evse: int) -> None:
        """Waits for the contactor: the plug is not released before."""
        until = self._clock.boot_s() + OPENED_WITHIN_S
        while (power := self._sessions.power(evse)) is not None and power.closed and self._clock.boot_s() < until:
            await self._clock.sleep(LOOK_EVERY_S)

    def _best(self, token: IdToken) -> int | None:
        """The EVSE where a start without one belongs: a car that waits for it, else a free one, else a car that has finished."""
        rows = sorted(self._sessions.rows.values(), key=lambda row: -row.plugged_at)
        plugged = [row.evse for row in rows if row.state is State.PLUGGED]
        finished = [row.evse for row in rows if row.state is State.FINISHING and not row.hold and open_to(row, token)]
        others = [row.evse for row in rows if row.state is State.PARKED and not open_to(row, token)]
        candidates = [*plugged, *(evse for evse in self._driver.free() if evse not in others), *finished]
        return next((evse for evse in candidates if self._usable(evse)), None)
