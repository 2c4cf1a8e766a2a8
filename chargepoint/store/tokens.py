"""Tokens known here: the local authorization list and the cache. Must not know who may charge.

Tokens are compared by value, without regard to case, and type (2.0.1 part 2, C01.FR.25); 100,000 entries are looked up by key, never loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

import msgspec

from chargepoint.model.idtoken import IdToken, IdTokenInfo
from chargepoint.model.orders import ListEntry
from chargepoint.store.damaged import Damaged
from chargepoint.store.db import Db
from chargepoint.store.values import Values

VERSION = "local_list.version"
_decoder = msgspec.msgpack.Decoder(IdTokenInfo)


class Tokens:
    """The local list (2.0.1 part 2, D01) and the authorization cache (C10)."""

    def __init__(self, db: Db) -> None:
        self._db = db
        self._values = Values(db)
        self._damaged = Damaged(db)

    def list_version(self) -> int:
        """0: no list."""
        return self._values.get(VERSION, int) or 0

    def set_version(self, version: int) -> None:
        self._values.set(VERSION, version)

    def replace(self, entries: Iterable[ListEntry]) -> None:
        """A whole new list; entries without info are left out. Joins the open transaction."""
        with self._db.transaction():
            self._db.execute("DELETE FROM local_list")
            self._put(entries)

    def update(self, entries: Iterable[ListEntry]) -> None:
        """A differential update: entries with info are added or changed, those without removed. Joins the open transaction."""
        entries = list(entries)
        with self._db.transaction():
            self._db.execute_many("DELETE FROM local_list WHERE token = ?", [(entry.id_token.same_key(),) for entry in entries if entry.info is None])
            self._put(entries)

    def listed(self, token: IdToken) -> IdTokenInfo | None:
        row = self._db.execute("SELECT info FROM local_list WHERE token = ?", (token.same_key(),)).fetchone()
        return None if row is None else self._info("local_list", token.same_key(), row[0])

    def count(self) -> int:
        """Entries in the list."""
        return int(self._db.execute("SELECT COUNT(*) FROM local_list").fetchone()[0])

    def length_with(self, entries: Iterable[ListEntry]) -> int:
        """How long the list would be after a differential update."""
        total = self.count()
        for entry in entries:
            there = self.listed(entry.id_token) is not None
            total += (entry.info is not None and not there) - (entry.info is None and there)
        return total

    def cached(self, token: IdToken) -> tuple[IdTokenInfo, float] | None:
        """The cached info and the wall time it was stored at."""
        row = self._db.execute("SELECT info, stored_s FROM token_cache WHERE token = ?", (token.same_key(),)).fetchone()
        info = None if row is None else self._info("token_cache", token.same_key(), row[0])
        return None if info is None else (info, float(row[1]) if isinstance(row[1], (int, float)) else 0.0)

    def remember(self, token: IdToken, info: IdTokenInfo, wall_s: float) -> None:
        """Puts a token into the cache. Not durable by itself: a cache may lose its last entry to a power cut."""
        with self._db.transaction(durable=False):
            values = (token.same_key(), msgspec.msgpack.encode(info), wall_s)
            self._db.execute("INSERT OR REPLACE INTO token_cache (token, info, stored_s) VALUES (?, ?, ?)", values)

    def forget(self, token: IdToken) -> None:
        """Takes one token out of the cache."""
        with self._db.transaction(durable=False):
            self._db.execute("DELETE FROM token_cache WHERE token = ?", (token.same_key(),))

    def forget_cache(self) -> None:
        with self._db.transaction():
            self._db.execute("DELETE FROM token_cache")

    def cache_count(self) -> int:
        return int(self._db.execute("SELECT COUNT(*) FROM token_cache").fetchone()[0])

    def prune(self, most: int, new: IdToken, valid: Callable[[IdTokenInfo], bool]) -> None:
        """Leaves `most` entries of the cache: none goes while it is not full, then all that are not valid, then the oldest; the new one stays."""
        if self.cache_count() <= most:
            return
        rows = self._db.execute("SELECT token, info FROM token_cache WHERE token != ? ORDER BY stored_s", (new.same_key(),)).fetchall()
        found = [(token, self._info("token_cache", token, content)) for token, content in rows]
        oldest = [token for token, info in found if info is not None and valid(info)]
        left = oldest[max(0, len(oldest) + 1 - most) :]
        gone = {token for token, _ in rows}.difference(left)
        with self._db.transaction(durable=False):
            self._db.execute_many("DELETE FROM token_cache WHERE token = ?", [(token,) for token in gone])

    def _info(self, table: str, token: str, content: Any) -> IdTokenInfo | None:
        """A token whose entry cannot be read is not known."""
        return self._damaged.read(table, token, content, _decoder, f"DELETE FROM {table} WHERE token = ?")

    def _put(self, entries: Iterable[ListEntry]) -> None:
        rows = ((entry.id_token.same_key(), msgspec.msgpack.encode(entry.info)) for entry in entries if entry.info is not None)
        for chunk in _chunks(rows):
            self._db.execute_many("INSERT OR REPLACE INTO local_list (token, info) VALUES (?, ?)", chunk)


def _chunks(rows: Iterator[tuple[str, bytes]]) -> Iterator[list[tuple[str, bytes]]]:
    while chunk := list(islice(rows, 1000)):
        yield chunk
