"""The CSMS of the year: answers as the built-in one does, judges every message, and forgets what is over once it is written down.

Must not know the station's code, nor what went on at the connectors. Transactions that have ended go to a file, so that a year fits into memory.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import uuid
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from websockets.frames import Opcode
from websockets.http11 import Request
from websockets.protocol import OPEN
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from proof.soak.network import Wire
from sim.csms import schemas, v16, v201
from sim.csms.book import Book, Transaction, seconds
from sim.csms.judge import ASKS_FOR_MESSAGES

CALL, RESULT, ERROR = 2, 3, 4
HANDLERS = {"ocpp1.6": v16.HANDLERS, "ocpp2.0.1": v201.HANDLERS}
IDENTITY = "SOAK"
HEARTBEAT_S = 900
KEPT_OPEN = 30
"""Ended transactions kept in mind, in which repeated messages are recognised."""
Payload = dict[str, Any]


class LeanBook(Book):
    """The book of the built-in CSMS in simulated time, without what grows for ever. disturbed: whether the station's wall clock was wrong of late, so
    that its times may run backwards."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        super().__init__()
        self.log = deque(maxlen=0)
        self.disturbed = False
        self.excused: Counter[str] = Counter()
        self._now_s = now_s
        self._transaction_numbers = itertools.count(1)

    def now(self, style: str | None = None) -> str:
        return datetime.fromtimestamp(self._now_s(), UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def violation(self, identity: str, rule: str, detail: str) -> None:
        if self.disturbed and (rule == "energy" or " after 2" in detail or " after 1" in detail):
            self.excused[rule] += 1
            return
        super().violation(identity, rule, detail)

    def number(self) -> None:
        """The next new 1.6 transaction gets a number of its own, though the former ones may be forgotten."""
        self.options.same_transaction_id = next(self._transaction_numbers)

    def shrink(self, ended: Callable[[Transaction], None]) -> None:
        """Forgets single values at once and all but the last ended transactions, which are given away, oldest first."""
        for transaction in self.transactions:
            transaction.values.clear()
            _thin(transaction.registers)
            if len(transaction.times) > 4:
                transaction.times[2:-2] = []
        for station in self.stations.values():
            for grown in (station.boots, station.status_history, station.events, station.security_events, station.transfers):
                del grown[:-1]
            for request in [request for request, parts in station.reports.items() if not parts[-1].get("tbc", False)]:
                del station.reports[request]
        while len(self.transactions) > KEPT_OPEN and self.transactions[0].ended:
            oldest = self.transactions.pop(0)
            self._by_id[oldest.identity, oldest.id].remove(oldest)
            if not self._by_id[oldest.identity, oldest.id]:
                del self._by_id[oldest.identity, oldest.id]
            ended(oldest)


def _thin(registers: list[tuple[float, float]]) -> None:
    """The first and the last of them in time, and, where a clock was wrong meanwhile, in energy."""
    by_energy = sorted(registers, key=lambda register: register[1])
    kept = {*registers[:2], *registers[-2:], *by_energy[:1], *by_energy[-1:]}
    registers[:] = [register for register in registers if register in kept]


@dataclass
class Moods:
    """What a CSMS does at times. slow_s: the least and most time until an answer comes; error: how likely it answers a call with an error of its own,
    silent: with nothing at all (the same call twice never, so that no attempts run out); out_of_service: what it answers a handshake with."""

    slow_s: tuple[float, float] = (0.0, 0.05)
    error: float = 0.0
    silent: float = 0.0
    out_of_service: bool = False


@dataclass
class Csms:
    """book: what it knows. calls: messages of the station by action. orders_refused: CALLERRORs of the station."""

    now_s: Callable[[], float]
    randomness: random.Random
    protocol: str
    witness: Path
    moods: Moods = field(default_factory=Moods)
    calls: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    live: Conversation | None = None

    def __post_init__(self) -> None:
        self.book = LeanBook(self.now_s)
        self.book.cards.clear()
        self.book.options.heartbeat_interval_s = HEARTBEAT_S
        self._written = self.witness.open("a", encoding="utf-8")
        self._spared = False

    @property
    def messages(self) -> int:
        return sum(self.calls.values())

    def connect(self, wire: Wire) -> Conversation:
        """The network's answer to a dial."""
        return Conversation(self, wire)

    def order(self, action: str, payload: Payload) -> None:
        """Calls the station, if it is connected; the answer is judged when it comes."""
        if self.live is not None:
            self.live.order(action, payload)

    def unlucky(self, likelihood: float) -> bool:
        """Whether something goes wrong now; never twice in a row."""
        self._spared = not self._spared and self.randomness.random() < likelihood
        return self._spared

    def shrink(self) -> None:
        self.book.shrink(self._write)

    def finish(self) -> None:
        """Writes down all that is left."""
        for transaction in self.book.transactions:
            self._write(transaction)
        self._written.close()

    def _write(self, transaction: Transaction) -> None:
        kept = {
            name: value for name, value in asdict(transaction).items() if name not in ("values", "triggers", "charging_states", "offline", "times")
        }
        self._written.write(json.dumps(kept) + "\n")
        self._written.flush()


class Conversation:
    """One WebSocket connection, from the CSMS's side."""

    def __init__(self, csms: Csms, wire: Wire) -> None:
        self._csms, self._wire = csms, wire
        self._web = ServerProtocol(subprotocols=[Subprotocol(csms.protocol)], max_size=1 << 20)
        self._orders: dict[str, str] = {}
        self._asked = False
        self._pending: deque[tuple[str, Payload]] = deque()

    def received(self, data: bytes) -> None:
        """Bytes from the wire."""
        self._web.receive_data(data)
        for event in self._web.events_received():
            if isinstance(event, Request):
                self._greet(event)
            elif event.opcode is Opcode.TEXT:
                self._hear(event.data)
        self._flush()

    def lost(self) -> None:
        if self._csms.live is self:
            self._csms.live = None

    def order(self, action: str, payload: Payload) -> None:
        """One at a time, as a CSMS does (OCPP-J 4.1.1)."""
        self._pending.append((action, payload))
        self._next_order()

    def _next_order(self) -> None:
        if self._orders or not self._pending:
            return
        action, payload = self._pending.popleft()
        self._asked = self._asked or action in ASKS_FOR_MESSAGES
        id_ = str(uuid.UUID(int=self._csms.randomness.getrandbits(128)))
        self._orders[id_] = action
        self._send([CALL, id_, action, payload])

    def _greet(self, request: Request) -> None:
        if self._csms.moods.out_of_service:
            self._web.send_response(self._web.reject(503, "no\n"))
            return
        self._web.send_response(self._web.accept(request))
        if self._web.state is OPEN:
            self._csms.live = self
            station = self._csms.book.station(IDENTITY)
            station.protocol, station.connections = self._csms.protocol, station.connections + 1

    def _hear(self, text: bytes) -> None:
        kind, id_, *rest = json.loads(text)
        if kind == CALL:
            self._called(id_, *rest)
            return
        action = self._orders.pop(id_, "?")
        self._csms.answers[f"{action} {'refused ' + rest[0] if kind == ERROR else rest[0].get('status', 'done')}"] += 1
        wrong = schemas.complaint(self._csms.protocol, action, rest[0], answer=True) if kind == RESULT else None
        if wrong is not None:
            self._csms.book.violation(IDENTITY, "schema", f"answer to {action}: {wrong}")
        self._next_order()

    def _called(self, id_: str, action: str, payload: Payload) -> None:
        csms = self._csms
        csms.calls[action] += 1
        moods = csms.moods
        answer = self._answer(id_, action, payload)
        if csms.unlucky(moods.silent):
            return
        asyncio.get_running_loop().call_later(csms.randomness.uniform(*moods.slow_s), self._send, answer)

    def _answer(self, id_: str, action: str, payload: Payload) -> list[Any]:
        csms = self._csms
        station = csms.book.station(IDENTITY)
        wrong = schemas.complaint(csms.protocol, action, payload)
        if wrong is not None:
            csms.book.violation(IDENTITY, "schema", f"{action}: {wrong}")
        if action != "BootNotification" and station.registration != "Accepted" and not (station.registration == "Pending" and self._asked):
            csms.book.violation(IDENTITY, "order", f"{action} while {station.registration or 'not yet booted'}")
        if action == "StartTransaction":
            csms.book.number()
        if csms.unlucky(csms.moods.error):
            if action == "NotifyReport":  # a part that was refused is not told again, and the next one follows it
                HANDLERS[csms.protocol][action](csms.book, station, payload)
            return [ERROR, id_, "InternalError", "the database is away", {}]
        return [RESULT, id_, HANDLERS[csms.protocol][action](csms.book, station, payload)]

    def _send(self, frame: list[Any]) -> None:
        if self._web.state is OPEN:
            self._web.send_text(json.dumps(frame).encode())
            self._flush()

    def _flush(self) -> None:
        for data in self._web.data_to_send():
            if data:
                self._wire.send(data)
            else:
                asyncio.get_running_loop().call_soon(self._wire.cut)


__all__ = ["IDENTITY", "Conversation", "Csms", "Moods", "seconds"]
