"""A customer's token, erased wherever it lies. The chains hold: they were made over a salted digest, whose salt goes too. Must not know who asks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec

from chargepoint.model.idtoken import TYPE_FOLLOWS
from chargepoint.model.session import SessionRow
from chargepoint.store.chain import tokens
from chargepoint.store.chains import Chains, Session
from chargepoint.store.damaged import Damaged
from chargepoint.store.db import Db
from chargepoint.store.ledger import Ledger
from chargepoint.store.packed import NO_VALUE, Unreadable

AT_ONCE = 50


class Step(NamedTuple):
    """erased: transactions whose tokens went; waiting: those that still need theirs, because they run or are not told; next: where to go on, None at
    the end."""

    erased: list[str]
    waiting: list[str]
    next: int | None


class Erasing:
    """In steps of some sessions each, so that nothing else waits long."""

    def __init__(self, db: Db) -> None:
        self._db = db
        self._ledger = Ledger(db)
        self._chains = Chains(db)
        self._damaged = Damaged(db)

    def step(self, card: str, after: int = 0) -> Step:
        """Erases a token (compared without regard to case) from the sessions above a number, and from the cache. What lies in the file under it is
        overwritten. The local list is the CSMS's, and stays."""
        key = card.casefold()
        erased: list[str] = []
        waiting: list[str] = []
        sessions = list(self._chains.page(after=after, limit=AT_ONCE))
        with self._db.transaction():
            for session in sessions:
                self._session(session, key, erased, waiting)
            if len(sessions) < AT_ONCE:
                self._beyond_sessions(key, waiting)
            typed = key + TYPE_FOLLOWS
            self._db.execute("DELETE FROM token_cache WHERE token = ? OR substr(token, 1, ?) = ?", (key, len(typed), typed))
        self._db.commit()
        return Step(erased, waiting, sessions[-1].number if len(sessions) == AT_ONCE else None)

    def _session(self, session: Session, key: str, erased: list[str], waiting: list[str]) -> None:
        mine = [chain for chain in session.chains or () if self._is_of(chain.transaction, key)]
        if session.open or any(self._ledger.waits(chain) or self._told_now(chain.transaction, key) for chain in mine):
            waiting += [chain.transaction for chain in mine]
            return
        for chain in mine:
            self._ledger.archive.erase(chain.transaction)
            erased.append(chain.transaction)
        if mine:
            self._row(session.number)

    def _told_now(self, transaction: str, key: str) -> bool:
        """Whether a fact with this token is still to be told, for the first time or again."""
        return _hold(self._ledger.tokens(transaction), key)

    def _is_of(self, transaction: str, key: str) -> bool:
        """Whether a transaction holds this token, in the archive or among what is not told."""
        try:
            found = self._ledger.archive.tokens(transaction)
        except Unreadable:
            return False
        return _hold(found or self._ledger.tokens(transaction), key)

    def _row(self, number: int) -> None:
        """The session's own row, which nobody goes on from any more."""
        (blob,) = self._db.execute('SELECT "row" FROM sessions WHERE number = ?', (number,)).fetchone()
        row = _row(blob)
        if row is None:
            return
        bare = msgspec.structs.replace(row, token=None, group=None)
        self._db.execute('UPDATE sessions SET "row" = ? WHERE number = ?', (msgspec.msgpack.encode(bare), number))

    def _sessions_without_transaction(self, key: str) -> None:
        """A card was shown, and nothing came of it."""
        for number, blob in self._db.execute('SELECT number, "row" FROM sessions WHERE chains IS NULL AND "open" = 0').fetchall():
            row = _row(blob)
            if row is not None and any(token is not None and token.key() == key for token in (row.token, row.group)):
                self._row(number)

    def _beyond_sessions(self, key: str, waiting: list[str]) -> None:
        """What was given up outlives its session; what could not be read belongs to none."""
        self._sessions_without_transaction(key)
        self._damaged.erase(key)
        rows: list[Any] = self._db.execute("SELECT id, txn, beside FROM given_up WHERE beside IS NOT NULL").fetchall()
        for id, transaction, beside in rows:
            if not _hold([beside], key):
                continue
            if not self._told_now(transaction, key):
                self._db.execute("UPDATE given_up SET beside = NULL WHERE id = ?", (id,))
            elif transaction not in waiting:
                waiting.append(transaction)


def _hold(besides: Iterable[bytes], key: str) -> bool:
    return any(token.key() == key for beside in besides for token in tokens(beside))


def _row(blob: bytes) -> SessionRow | None:
    """None: of another shape, left by another version."""
    try:
        return msgspec.msgpack.decode(blob, type=SessionRow)
    except NO_VALUE:
        return None
