"""Facts not yet told, each kind by its delivery. Must not know messages nor lines.

Transaction and guaranteed facts are on disk. States and perishables live in memory: after a restart every state is computed and told anew, and
a perishable one has perished. The facts of a transaction stay until its end is told, so that another CSMS can be told it whole (2.0.1 B10.FR.05),
and until every CSMS that has heard its beginning was told the end (`audience`); then they go into the ledger's archive.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec

from chargepoint.model.facts import Delivery, EventKind, Fact, StatusFact, TransactionFact, delivery_of, is_intermediate
from chargepoint.store.ahead import Ahead, Known
from chargepoint.store.audience import KEPT_CSMS, Audience
from chargepoint.store.db import Db
from chargepoint.store.fleeting import Fleeting
from chargepoint.store.given_up import GivenUp
from chargepoint.store.ledger import COPY, GIVEN_UP, TOLD, Ledger
from chargepoint.store.readable import GUARANTEED, TRANSACTIONS, Lost, Readable
from chargepoint.store.soundness import Soundness
from chargepoint.store.values import Values

CSMS = "outbox.csms"
RELEASED_AT_ONCE, DROPPED_AT_ONCE = 8, 200
THIN_ABOVE = 200_000
"""Facts that wait before intermediate values are thinned: a year offline, some 80 MB."""
TABLE = {Delivery.TRANSACTION: TRANSACTIONS, Delivery.GUARANTEED: GUARANTEED}
CODE = {Delivery.TRANSACTION: 0, Delivery.GUARANTEED: 1, Delivery.STATE: 2, Delivery.PERISHABLE: 3}
DELIVERY_OF = {code: delivery for delivery, code in CODE.items()}


class Waiting(NamedTuple):
    """A fact that waits. id: for `told`, `attempted` and `give_up`, unique over all deliveries; attempts: how often a CSMS has refused it."""

    id: int
    fact: Fact
    attempts: int


class Outbox:
    """on_append: called after each commit that added a fact. on_given_up: called with a transaction's fact and the CSMS's answer, on_thinned with how
    many intermediate values went, on_released with a transaction, a former CSMS that will not hear its end, and why, each inside the transaction that
    does it. wall_s: the wall clock, seconds since 1970."""

    def __init__(self, db: Db) -> None:
        self.on_append: list[Callable[[], None]] = []
        self.on_given_up: list[Callable[[TransactionFact, str], None]] = []
        self.on_thinned: list[Callable[[int], None]] = []
        self.on_released: list[Callable[[str, str, str], None]] = []
        self.wall_s: Callable[[], float] = lambda: 0.0
        self._db = db
        self._values = Values(db)
        self._ledger = Ledger(db)
        self._given_up = GivenUp(db)
        self._audience = Audience(db, self._ledger)
        self._fleeting = Fleeting()
        self._readable = Readable(db)
        self._encoder = msgspec.msgpack.Encoder()
        self._waiting = {Delivery.TRANSACTION: 0, Delivery.GUARANTEED: 0}
        self._last = 0
        self._told_up_to = 0
        self._ahead = Ahead()
        Soundness(db).set_right()
        self._count()

    def append(self, fact: Fact) -> int:
        """Adds a fact and gives its id; joins the open transaction. A state replaces the former of its connector. Raises StoreError."""
        delivery = delivery_of(fact)
        if isinstance(fact, TransactionFact):
            number = self._append_transaction(fact)
        elif delivery is Delivery.GUARANTEED:
            number = self._append_guaranteed(fact)
        else:
            number = self._append_fleeting(fact, delivery)
        self._db.after_commit(self._appended)
        return number * 4 + CODE[delivery]

    def next(self, delivery: Delivery) -> Waiting | None:
        """The oldest fact of that delivery that still waits."""
        found = self.some(delivery, 1)
        return found[0] if found else None

    def some(self, delivery: Delivery, n: int) -> list[Waiting]:
        """The n oldest facts of that delivery that still wait, in order; those that cannot be read are set aside."""
        code = CODE[delivery]
        if delivery not in TABLE:
            return [Waiting(number * 4 + code, fact, attempts) for number, fact, attempts in self._fleeting.some(delivery, n)]
        if not self._waiting[delivery]:
            return []
        known = self._ahead.some(n) if delivery is Delivery.TRANSACTION else None
        found = known or self._read(delivery, n)
        return [Waiting(one.id * 4 + code, one.fact, one.attempts) for one in found]

    def waits(self, delivery: Delivery) -> bool:
        """Whether a fact of that delivery waits; without a query."""
        return self._waiting[delivery] > 0 if delivery in TABLE else self._fleeting.holds(delivery)

    def told(self, id: int, note: str | None = None) -> None:
        """The CSMS has it. note: kept for the fact's transaction in the same commit, durably; without one a power cut may make it told
        twice, with as many as the database leaves unsynced at most, a killed process not."""
        number, delivery = _split(id)
        if delivery not in TABLE:
            self._fleeting.remove(number)
            return
        with self._db.transaction(durable=note is not None):
            if delivery is Delivery.GUARANTEED:
                self._leaves_guaranteed(number)
            elif self._is_copy(number, delivery):
                self._leaves_copy(number, None, note)
            else:
                self._leaves_transaction(number, TOLD, note)

    def attempted(self, id: int) -> int:
        """Counts a refused attempt and gives their number."""
        number, delivery = _split(id)
        if delivery not in TABLE:
            return self._fleeting.attempted(number)
        table = TABLE[delivery]
        self._ahead.forget()
        with self._db.transaction(durable=False):
            self._db.execute(f"UPDATE {table} SET attempts = attempts + 1 WHERE id = ?", (number,))
        row = self._db.execute(f"SELECT attempts FROM {table} WHERE id = ?", (number,)).fetchone()
        return 0 if row is None else int(row[0])

    def give_up(self, id: int, answer: str) -> None:
        """Tells a fact no more, until it is to be told again. answer: what the CSMS said to it, kept with it."""
        number, delivery = _split(id)
        if delivery not in TABLE:
            self._fleeting.remove(number)
            return
        with self._db.transaction():
            if self._is_copy(number, delivery):
                self._leaves_copy(number, answer)
                return
            self._given_up.add(TABLE[delivery], number, answer, self.wall_s())
            if delivery is Delivery.GUARANTEED:
                self._leaves_guaranteed(number)
            else:
                self._leaves_transaction(number, GIVEN_UP, None, answer)

    def retell(self, transaction: str | None = None) -> int:
        """Has given-up facts told again, after all that waits: those of one transaction, or all. How many."""
        with self._db.transaction():
            again = self._given_up.untold(transaction)
            for id in again:
                self._given_up.tell_again(id, self._next_id)
            self._db.after_commit(self._count)
            self._db.after_commit(self._appended)
        return len(again)

    def note(self, transaction: str) -> str | None:
        """What the face noted for a transaction whose end is not told yet (1.6: its transactionId)."""
        row = self._db.execute("SELECT note FROM notes WHERE txn = ?", (transaction,)).fetchone()
        return None if row is None else str(row[0])

    def noted(self, note: str) -> list[str]:
        """The transactions that carry a note; a CSMS may give the same id to several."""
        return [str(row[0]) for row in self._db.execute("SELECT txn FROM notes WHERE note = ?", (note,))]

    def waiting(self) -> int:
        """Facts to be told that may not be lost: all but states and perishables."""
        return sum(self._waiting.values())

    def waiting_for(self, transaction: str | None) -> bool:
        """Whether facts of a transaction (None: of any) wait (2.0.1 E14)."""
        if transaction is None:
            return self.waits(Delivery.TRANSACTION)
        found = self._db.execute("SELECT 1 FROM transaction_facts WHERE txn = ? AND told = 0 AND id > ? LIMIT 1", (transaction, self._told_up_to))
        return found.fetchone() is not None

    def given_up(self) -> int:
        """Facts given up, and not told since."""
        return self._given_up.count()

    def thin(self, least: int = 1) -> int:
        """Drops every second of the oldest intermediate values that wait, some hundreds at once: first and last stay, seq keeps its gaps (2.0.1 part
        2, E04.FR.07 and E04.FR.08), and a link of each chain says so. How many. least: where fewer would go, none does."""
        with self._db.transaction():
            gone = self._ledger.thin(self._next_id, self.wall_s(), least)
            if gone:
                for callback in self.on_thinned:
                    callback(gone)
                self._db.after_commit(self._count)
        return gone

    def release(self) -> int:
        """Keeps some transactions that were told whole for no former CSMS any more, the oldest first. How many such promises went."""
        with self._db.transaction():
            missed = self._audience.release(RELEASED_AT_ONCE)
            self._released(missed, "the store is full")
        return len(missed)

    def drop_guaranteed(self, keep: int, least: int) -> int:
        """Forgets the oldest guaranteed facts that wait, a few at once, but never the newest; how many. keep: so many stay; least: where fewer would
        go, none does."""
        gone = min(self._waiting[Delivery.GUARANTEED] - keep, DROPPED_AT_ONCE)
        if gone < least:
            return 0
        with self._db.transaction():
            self._db.execute("DELETE FROM guaranteed_facts WHERE id IN (SELECT id FROM guaranteed_facts ORDER BY id LIMIT ?)", (gone,))
            self._on_commit(Delivery.GUARANTEED, -gone)
        return gone

    def change_csms(self, key: str) -> bool:
        """Says to which CSMS and version facts are told from now on. At a change a newcomer is told every transaction whose end nobody was told, from
        its beginning; one that was here before goes on where it was left, with the face's notes of that time. Returns whether there was another
        before."""
        former = self._values.get(CSMS, str)
        if former == key:
            return False
        with self._db.transaction():
            self._released(self._audience.change(former, key), f"{KEPT_CSMS} others have come since")
            self._db.execute("UPDATE guaranteed_facts SET attempts = 0")
            self._values.set(CSMS, key)
        self._count()
        return former is not None

    def _released(self, missed: Sequence[tuple[str, str]], why: str) -> None:
        for transaction, csms in missed:
            for callback in self.on_released:
                callback(transaction, csms, why)

    def _read(self, delivery: Delivery, n: int) -> list[Known]:
        where = "told = 0 AND id > ?" if delivery is Delivery.TRANSACTION else "id > ?"
        after = self._told_up_to if delivery is Delivery.TRANSACTION else 0
        columns = "light, txn, fact, beside" if delivery is Delivery.TRANSACTION else "0, NULL, fact, NULL"
        rows = self._db.execute(f"SELECT attempts, id, {columns} FROM {TABLE[delivery]} WHERE {where} ORDER BY id LIMIT ?", (after, n)).fetchall()
        if not rows:
            self._count()  # a damaged row may say that it waits no more
        found: list[Known] = []
        lost: list[Lost] = []
        for attempts, id, light, *rest in rows:
            fact = self._readable.fact(id, *rest)
            if isinstance(fact, Lost):
                lost.append(fact)
            else:
                found.append(Known(id, fact, attempts, light == COPY))
        if lost:
            self._set_aside(delivery, lost)
            return self._read(delivery, n)
        if delivery is Delivery.TRANSACTION:
            self._ahead.read(found, all=len(rows) < n)
        return found

    def _count(self) -> None:
        first = self._db.execute("SELECT MIN(id) FROM transaction_facts WHERE told = 0").fetchone()[0]
        last = self._db.execute("SELECT MAX(id) FROM transaction_facts").fetchone()[0]
        self._last = max(self._last, last or 0)
        self._told_up_to = (first - 1) if first is not None else self._last
        self._waiting[Delivery.TRANSACTION] = self._db.execute("SELECT COUNT(*) FROM transaction_facts WHERE told = 0").fetchone()[0]
        self._waiting[Delivery.GUARANTEED] = self._db.execute("SELECT COUNT(*) FROM guaranteed_facts").fetchone()[0]
        self._ahead.forget(none_waits=not self._waiting[Delivery.TRANSACTION])

    def _append_transaction(self, fact: TransactionFact) -> int:
        light = is_intermediate(fact)
        number = self._next_id()
        with self._db.transaction():
            self._ledger.append(number, fact, light=light)
            self._on_commit(Delivery.TRANSACTION, 1)
            self._db.after_commit(lambda: self._ahead.add(number, fact))
            if self.waiting() >= THIN_ABOVE and light:
                self.thin()
        return number

    def _next_id(self) -> int:
        self._last += 1
        return self._last

    def _append_guaranteed(self, fact: Fact) -> int:
        with self._db.transaction():
            cursor = self._db.execute("INSERT INTO guaranteed_facts (fact) VALUES (?)", (self._encoder.encode(fact),))
            self._on_commit(Delivery.GUARANTEED, 1)
        return cursor.lastrowid or 0

    def _append_fleeting(self, fact: Fact, delivery: Delivery) -> int:
        number = self._fleeting.reserve()
        slot = (fact.evse, fact.connector) if isinstance(fact, StatusFact) else None
        self._db.after_commit(lambda: self._fleeting.add(number, delivery, slot, fact))
        return number

    def _leaves_guaranteed(self, number: int) -> None:
        if self._db.execute("DELETE FROM guaranteed_facts WHERE id = ?", (number,)).rowcount:
            self._on_commit(Delivery.GUARANTEED, -1)

    def _leaves_transaction(self, number: int, mark: int, note: str | None, answer: str = "") -> None:
        known = self._ahead.first(number)
        fact = self._fact(number) if known is None else known.fact
        if fact is None:
            return
        if mark == GIVEN_UP and isinstance(fact, TransactionFact):
            for callback in self.on_given_up:
                callback(fact, answer)
        self._on_commit(Delivery.TRANSACTION, -1)
        self._db.after_commit(lambda: self._passed(number))
        transaction = fact.transaction if isinstance(fact, TransactionFact) else ""
        if isinstance(fact, TransactionFact) and fact.kind is EventKind.ENDED:
            self._ended(transaction, number)
            return
        self._db.execute("UPDATE transaction_facts SET told = ? WHERE id = ?", (mark, number))
        if note is not None:
            self._db.execute("INSERT OR REPLACE INTO notes (txn, note) VALUES (?, ?)", (transaction, note))

    def _fact(self, number: int) -> Fact | Lost | None:
        """A transaction's fact that waits, as it lies there."""
        row = self._db.execute("SELECT id, txn, fact, beside FROM transaction_facts WHERE id = ? AND told = 0", (number,)).fetchone()
        return None if row is None else self._readable.fact(*row)

    def _ended(self, transaction: str, number: int) -> None:
        self._db.execute("DELETE FROM notes WHERE txn = ?", (transaction,))
        if self._audience.ended(transaction):
            self._db.execute("UPDATE transaction_facts SET told = 1 WHERE id = ?", (number,))
        else:
            self._ledger.close(transaction, number)

    def _is_copy(self, number: int, delivery: Delivery) -> bool:
        """Whether it is a fact told again."""
        if delivery is not Delivery.TRANSACTION:
            return False
        known = self._ahead.first(number)
        if known is not None:
            return known.copy
        row = self._db.execute("SELECT light FROM transaction_facts WHERE id = ?", (number,)).fetchone()
        return row is not None and row[0] == COPY

    def _leaves_copy(self, number: int, answer: str | None, note: str | None = None) -> None:
        """A fact told again: told now, or (answer) given up once more."""
        if note is not None:
            self._db.execute("INSERT OR REPLACE INTO notes (txn, note) SELECT txn, ? FROM transaction_facts WHERE id = ?", (note, number))
        self._given_up.copy_leaves(number, answer, self.wall_s())
        self._on_commit(Delivery.TRANSACTION, -1)
        self._db.after_commit(lambda: self._passed(number))

    def _set_aside(self, delivery: Delivery, lost: Sequence[Lost]) -> None:
        with self._db.transaction():
            self._readable.set_aside(TABLE[delivery], lost)
            self._db.after_commit(self._count)

    def _passed(self, number: int) -> None:
        """Facts leave in order: everything up to this one is told, and need not be looked through again."""
        if self._ahead.passed(number):
            self._told_up_to = number

    def _on_commit(self, delivery: Delivery, change: int) -> None:
        def counted() -> None:
            self._waiting[delivery] += change

        self._db.after_commit(counted)

    def _appended(self) -> None:
        for callback in self.on_append:
            callback()


def _split(id: int) -> tuple[int, Delivery]:
    return id // 4, DELIVERY_OF[id % 4]
