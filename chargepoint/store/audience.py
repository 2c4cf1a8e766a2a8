"""Which CSMS was told what of the transactions that stay: nobody is told a fact twice, and nobody who heard a beginning misses the end.

A former CSMS is remembered when another takes its place, with the transactions it has heard of and not to the end. Their facts stay for it. Written
only at a change of CSMS, and with the end of a transaction somebody else waits for. Must not know messages.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from chargepoint.store.db import Db
from chargepoint.store.ledger import Ledger
from chargepoint.store.values import Values

AUDIENCE = "outbox.audience"
KEPT_CSMS = 6
"""Three configuration slots, two versions."""


class Heard(msgspec.Struct, frozen=True):
    """How far a CSMS has heard of a transaction. up_to: id of the last fact it was told; note: the face's."""

    up_to: int
    note: str | None = None


class Former(msgspec.Struct, frozen=True):
    """A CSMS and version, and the transactions whose end it has not been told."""

    key: str
    heard: dict[str, Heard] = {}


class Kept(msgspec.Struct, frozen=True):
    """formers: the last left first, the present one never among them; done: transactions whose end somebody was told, and that stay for others;
    mine: those of them the present CSMS waits for too."""

    formers: tuple[Former, ...] = ()
    done: frozenset[str] = frozenset()
    mine: frozenset[str] = frozenset()


class Audience:
    """All but the present CSMS, whose state is in the outbox's own tables. Every call joins the open database transaction."""

    def __init__(self, db: Db, ledger: Ledger) -> None:
        self._db = db
        self._ledger = ledger
        self._values = Values(db)
        self._kept = self._values.get(AUDIENCE, Kept) or Kept()

    def ended(self, transaction: str) -> bool:
        """The present CSMS has been told the end: whether the facts stay for another."""
        owed = any(transaction in former.heard for former in self._kept.formers)
        if owed or transaction in self._kept.done:
            done = (self._kept.done | {transaction}) if owed else self._kept.done - {transaction}
            self._keep(msgspec.structs.replace(self._kept, done=done, mine=self._kept.mine - {transaction}))
        return owed

    def change(self, leaving: str | None, coming: str) -> list[tuple[str, str]]:
        """Another CSMS takes the place: what waits is what that has not been told. (transaction, former CSMS that will not be told its end) of those
        that so many have followed."""
        formers = [former for former in self._kept.formers if former.key != coming]
        back = next((former for former in self._kept.formers if former.key == coming), Former(coming))
        if leaving is not None:
            formers.insert(0, Former(leaving, self._heard()))
        missed = [(transaction, former.key) for former in formers[KEPT_CSMS:] for transaction in former.heard]
        del formers[KEPT_CSMS:]
        wanted = {transaction for former in (back, *formers) for transaction in former.heard}
        self._forget(self._kept.done - wanted)
        done = self._kept.done & wanted
        self._take_up(back, done)
        self._keep(Kept(tuple(formers), done, done & back.heard.keys()))
        return missed

    def release(self, most: int) -> list[tuple[str, str]]:
        """Keeps the oldest transactions that the present CSMS, or another, was told whole for nobody else any more: (transaction, former CSMS that
        will not be told its end), of so many transactions."""
        told = self._kept.done - self._kept.mine
        rows = self._db.execute("SELECT txn FROM transaction_facts GROUP BY txn ORDER BY MIN(id)").fetchall() if told else []
        oldest = [row[0] for row in rows if row[0] in told][:most]
        if not oldest:
            return []
        missed = [(transaction, former.key) for transaction in oldest for former in self._kept.formers if transaction in former.heard]
        self._forget(oldest)
        formers = tuple(Former(former.key, {id: heard for id, heard in former.heard.items() if id not in oldest}) for former in self._kept.formers)
        self._keep(Kept(formers, self._kept.done.difference(oldest), self._kept.mine))
        return missed

    def _heard(self) -> dict[str, Heard]:
        """What the present CSMS has heard of, and not to the end."""
        notes = {transaction: str(note) for transaction, note in self._db.execute("SELECT txn, note FROM notes").fetchall()}
        told = self._db.execute("SELECT txn, MAX(id) FROM transaction_facts WHERE told IN (1, 2) GROUP BY txn").fetchall()
        others = self._kept.done - self._kept.mine
        return {transaction: Heard(up_to, notes.get(transaction)) for transaction, up_to in told if transaction not in others}

    def _take_up(self, back: Former, done: frozenset[str]) -> None:
        self._db.execute("DELETE FROM transaction_facts WHERE light = 2")  # told again by somebody's wish, to the CSMS of that time
        self._db.execute("UPDATE transaction_facts SET told = 0, attempts = 0 WHERE light < 2 AND told != 4")
        self._db.execute("DELETE FROM notes")
        nothing_of = [(transaction,) for transaction in done - back.heard.keys()]
        self._db.execute_many("UPDATE transaction_facts SET told = 1 WHERE txn = ? AND light < 2 AND told != 4", nothing_of)
        told = [(transaction, heard.up_to) for transaction, heard in back.heard.items()]
        self._db.execute_many("UPDATE transaction_facts SET told = 1 WHERE txn = ? AND id <= ? AND light < 2 AND told != 4", told)
        noted = [(transaction, heard.note) for transaction, heard in back.heard.items() if heard.note is not None]
        self._db.execute_many("INSERT INTO notes (txn, note) VALUES (?, ?)", noted)

    def _forget(self, transactions: Iterable[str]) -> None:
        for transaction in transactions:
            last = self._db.execute("SELECT MAX(id) FROM transaction_facts WHERE txn = ?", (transaction,)).fetchone()[0]
            if last is not None:
                self._ledger.close(transaction, last)

    def _keep(self, kept: Kept) -> None:
        self._values.set(AUDIENCE, kept)

        def now() -> None:
            self._kept = kept

        self._db.after_commit(now)
