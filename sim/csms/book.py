"""What the CSMS knows: stations, cards, transactions, and the log of every message. Must not know sockets, nor how a version words things."""

from __future__ import annotations

import bisect
import itertools
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

LOG_LENGTH = 100_000
REPEATED_WITHIN = 50
LISTED = 200
STATION_LISTED = ("identity", "protocol", "connected", "connections", "registration", "heartbeats", "statuses")
TRANSACTION_LISTED = ("key", "id", "identity", "evse", "connector", "token", "started_at", "ended_at", "ended", "reason", "repeats")
TIME_STYLES = ("plain", "six_decimals", "offset", "no_zone")


@dataclass
class Options:
    """How this CSMS behaves when nothing else is said. registration: Accepted, Pending or Rejected at boot; same_transaction_id: the one id that
    every 1.6 transaction gets; protocols: subprotocols accepted, in this CSMS's order of liking (empty: none is picked); clock_wrong_by_s: what its
    clock tells beside the true time; price_per_kwh, price_per_session: in `currency`."""

    registration: str = "Accepted"
    heartbeat_interval_s: int = 300
    retry_interval_s: int = 2
    times: str = "plain"
    same_transaction_id: int | None = None
    protocols: list[str] = field(default_factory=lambda: ["ocpp2.0.1", "ocpp1.6"])
    connection_status: int = 101
    clock_wrong_by_s: float = 0.0
    price_per_kwh: float = 0.40
    price_per_session: float = 0.0
    currency: str = "EUR"


@dataclass
class Card:
    """What is answered to a card's number: a status word, and perhaps a group (1.6: parent) and an expiry date-time."""

    status: str = "Accepted"
    group: str | None = None
    expiry: str | None = None


@dataclass
class Station:
    """One charging station as this CSMS has met it. certificate: the common name in the one it showed; statuses: by "evse/connector" (1.6:
    "connectorId"); unnumbered: a StartTransaction was answered amiss, so that -1 may stand for its transaction (1.6 errata 3.18)."""

    identity: str
    protocol: str = ""
    connected: bool = False
    connections: int = 0
    authorization: str | None = None
    password: str | None = None
    certificate: str | None = None
    registration: str | None = None
    boot: dict[str, Any] | None = None
    boots: list[dict[str, Any]] = field(default_factory=list)
    heartbeats: int = 0
    statuses: dict[str, str] = field(default_factory=dict)
    status_history: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    security_events: list[dict[str, Any]] = field(default_factory=list)
    reports: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    transfers: list[dict[str, Any]] = field(default_factory=list)
    unnumbered: bool = False


@dataclass
class Transaction:
    """One transaction as told. key is this CSMS's own number for it, since `id` may be the same for several; seqs in order of arrival;
    repeats: messages told again after their answer was lost; registers: (seconds since 1970, import register in Wh), by time."""

    key: int
    id: str
    identity: str
    evse: int | None = None
    connector: int | None = None
    token: str | None = None
    started_at: str | None = None
    ended_at: str | None = None
    meter_start_wh: float | None = None
    meter_stop_wh: float | None = None
    reason: str | None = None
    seqs: list[int] = field(default_factory=list)
    triggers: list[str] = field(default_factory=list)
    charging_states: list[str] = field(default_factory=list)
    offline: list[bool] = field(default_factory=list)
    times: list[str] = field(default_factory=list)
    registers: list[tuple[float, float]] = field(default_factory=list)
    values: list[dict[str, Any]] = field(default_factory=list)
    ended: bool = False
    repeats: int = 0

    def energy_wh(self) -> float:
        """What has flowed so far, as told."""
        last = self.meter_stop_wh if self.meter_stop_wh is not None else self.registers[-1][1] if self.registers else None
        first = self.meter_start_wh if self.meter_start_wh is not None else self.registers[0][1] if self.registers else None
        return 0.0 if last is None or first is None else last - first

    def measured(self, at: str, wh: float, tolerance_wh: float = 0.0) -> bool:
        """Takes a register value; False when the register would have run backwards (a value told later may have been measured earlier)."""
        new = (seconds(at), wh)
        place = bisect.bisect(self.registers, new)
        before, after = self.registers[:place][-1:], self.registers[place : place + 1]
        self.registers.insert(place, new)
        return all(wh >= earlier - tolerance_wh for _, earlier in before) and all(wh <= later + tolerance_wh for _, later in after)


def seconds(text: str) -> float:
    """A date-time as seconds since 1970; no zone means UTC."""
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


class Book:
    """All that one CSMS keeps, in memory."""

    def __init__(self) -> None:
        self.options = Options()
        self.stations: dict[str, Station] = {}
        self.cards: dict[str, Card] = {uid: Card() for uid in ("04A1B2C3", "04A1B2C4", "04A1B2C5D6E7F8", "CARD1")}
        self.transactions: list[Transaction] = []
        self.log: deque[dict[str, Any]] = deque(maxlen=LOG_LENGTH)
        self.violations: list[dict[str, Any]] = []
        self._numbers = itertools.count(1)
        self._keys = itertools.count(1)
        self._by_id: dict[tuple[str, str], list[Transaction]] = {}

    def station(self, identity: str) -> Station:
        """The station of that name, made when new."""
        return self.stations.setdefault(identity, Station(identity))

    def card(self, uid: str) -> Card:
        """What is known of a card, without regard to case; an unknown one is Invalid."""
        wanted = uid.casefold()
        return next((card for known, card in self.cards.items() if known.casefold() == wanted), Card("Invalid"))

    def set_card(self, uid: str, card: Card | str | None) -> None:
        """Makes a card known, by its status word or in full; None: unknown again."""
        if card is None:
            self.cards.pop(uid, None)
        else:
            self.cards[uid] = Card(card) if isinstance(card, str) else card

    def open(self, identity: str, id_: str) -> Transaction:
        """A new transaction."""
        transaction = Transaction(next(self._keys), id_, identity)
        self.transactions.append(transaction)
        self._by_id.setdefault((identity, id_), []).append(transaction)
        return transaction

    def find(self, identity: str, id_: str, *, ended: bool | None = None) -> Transaction | None:
        """The oldest transaction of that id, running or not as asked."""
        return next((t for t in self._by_id.get((identity, id_), ()) if ended is None or t.ended is ended), None)

    def latest(self, identity: str) -> Iterator[Transaction]:
        """The last transactions told by a station, newest first."""
        return (t for t in itertools.islice(reversed(self.transactions), REPEATED_WITHIN) if t.identity == identity)

    def note(self, identity: str, sender: str, kind: str, **what: Any) -> None:
        """One line of the log. sender: station or csms; kind: call, result, error, text, connected or closed."""
        self.log.append({"n": next(self._numbers), "time": self.now("plain"), "identity": identity, "from": sender, "kind": kind, **what})

    def violation(self, identity: str, rule: str, detail: str) -> None:
        """Something a station must not do."""
        self.violations.append({"time": self.now("plain"), "identity": identity, "rule": rule, "detail": detail})

    def calls(self, identity: str, action: str) -> list[dict[str, Any]]:
        """The payloads of all calls of a station with that action, oldest first."""
        return [e["payload"] for e in self.log if (e["identity"], e["from"], e["kind"], e.get("action")) == (identity, "station", "call", action)]

    def now(self, style: str | None = None) -> str:
        """The present time, written as the options say; without a style it is what a station is told, by this CSMS's clock."""
        wrong_by_s = self.options.clock_wrong_by_s if style is None else 0.0
        moment = datetime.fromtimestamp(time.time() + wrong_by_s, UTC)
        text = moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond:06d}"
        endings = {"plain": text[:-3] + "Z", "six_decimals": text + "Z", "offset": text + "+00:00", "no_zone": text[:-3]}
        return endings[style or self.options.times]

    def billed(self, transaction: Transaction) -> dict[str, float]:
        """Energy in Wh and cost in the options' currency, rounded to cents."""
        energy_wh = transaction.energy_wh()
        return {
            "energy_wh": round(energy_wh, 3),
            "cost": round(self.options.price_per_session + energy_wh / 1000 * self.options.price_per_kwh, 2),
        }

    def summary(self) -> dict[str, Any]:
        """What a page lists: stations and the latest transactions without their histories."""
        latest = itertools.islice(reversed(self.transactions), LISTED)
        return {
            "stations": [{name: getattr(station, name) for name in STATION_LISTED} for station in self.stations.values()],
            "cards": {uid: asdict(card) for uid, card in self.cards.items()},
            "transactions": [{**{name: getattr(row, name) for name in TRANSACTION_LISTED}, **self.billed(row)} for row in latest],
            "options": asdict(self.options),
        }

    def state(self) -> dict[str, Any]:
        """All but the log, as JSON."""
        return {
            "stations": {name: asdict(station) for name, station in self.stations.items()},
            "cards": {uid: asdict(card) for uid, card in self.cards.items()},
            "transactions": [{**asdict(transaction), **self.billed(transaction)} for transaction in self.transactions],
            "violations": list(self.violations),
            "options": asdict(self.options),
            "messages": self.log[-1]["n"] if self.log else 0,
        }
