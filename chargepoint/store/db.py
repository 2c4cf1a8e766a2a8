"""The one database of the station: transactions, and how durable each is. Must not know what is kept in it.

WAL with synchronous=FULL: what a durable transaction wrote is on the disk when its `with` ends, and a process killed at any moment leaves
either all of it or nothing. One that is not durable is committed with the next that is (a round); until then what it said stands in the tail, which a
killed process leaves behind, and from the next mark on outlives a power cut too. A corrupt file is moved aside, never repaired in place and never
deleted.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from chargepoint.store.file import ALONE, PRAGMAS, aside, check, connect, is_corruption, migrate, reserve
from chargepoint.store.mark import OWNER_BYTES, Mark
from chargepoint.store.redo import ROUND, Redo, Statement
from chargepoint.store.schema import MIGRATIONS
from chargepoint.store.tail import Tail

log = logging.getLogger(__name__)

READS = ("SELECT", "PRAGMA", "EXPLAI")
UNSYNCED = 20
"""Transactions that are not durable, and that a power cut may take: as many answered messages are told again."""
KEEP_ROUND = 'INSERT OR REPLACE INTO "values" (name, value) VALUES (?, ?)'


class StoreError(Exception):
    """The store could not do what was asked: disk full, input/output error, corruption. Nothing of the transaction is kept."""


class Db:
    """The open file, for one thread. alone: no other process gets in, which halves what is written, and rounds are kept; runtime: directory of the
    tail, best in memory; boot: names the boot of the board. patience_s: how long another process's lock is waited for. was_corrupt: the former file
    was moved aside at this opening; trouble: why the last write failed, or None. before_commit: called inside each durable transaction before it is
    kept, to write along what would otherwise need one of its own."""

    def __init__(self, path: Path, *, alone: bool = False, runtime: Path | None = None, boot: str = "", patience_s: float = 5.0) -> None:
        self.path = path
        self._pragmas = (ALONE, *PRAGMAS) if alone else PRAGMAS
        self._patience_s = patience_s
        self.was_corrupt = False
        self.trouble: str | None = None
        self.before_commit: list[Callable[[], None]] = []
        self._durable = True
        self._full = True
        self._depth = 0
        self._doomed = False
        self._unspoken = False
        self._spoken: list[Statement] = []
        self._after: dict[Callable[[], None], None] = {}
        self._suspect = path.with_name(path.name + ".suspect")
        self._redo: Redo | None = None
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = self._open_or_replace()
        if alone:
            reserve(path.with_name(path.name + "-wal"))
            self._redo = self._take_up(Tail((runtime or path.parent) / f"{path.stem}.tail", boot))

    @contextmanager
    def transaction(self, *, durable: bool = True) -> Iterator[None]:
        """Everything inside is kept together or not at all. Inner ones join the outer, which alone decides about durability: with durable False a
        killed process loses nothing, but a power cut may take what came after the last `mark`. Raises StoreError; then nothing of it was kept."""
        if self._depth:
            with self._joined():
                yield
            return
        self._begin(durable)
        try:
            yield
        except BaseException:
            self._roll_back()
            raise
        self._commit()

    def execute(self, sql: str, args: Sequence[Any] = ()) -> sqlite3.Cursor:
        """Runs one statement, in the open transaction or durably by itself. Raises StoreError."""
        if sql[:6] in READS:
            return self._run(sql, args)
        if not self._depth:
            with self.transaction():
                return self.execute(sql, args)
        cursor = self._run(sql, args)
        self._spoken.append((sql, args))
        return cursor

    def execute_many(self, sql: str, rows: Iterator[Sequence[Any]] | Sequence[Sequence[Any]]) -> None:
        """Runs one statement for each row, all in the open transaction. Raises StoreError. Rows that come one by one may be too many to be held: they
        need a transaction that is durable."""
        if not self._depth:
            with self.transaction():
                self.execute_many(sql, rows)
        elif isinstance(rows, list):
            for row in rows:
                self.execute(sql, row)
        else:
            self._unspoken = True
            try:
                self._connection.executemany(sql, rows)
            except sqlite3.Error as error:
                raise self._failed(error) from error

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Calls back once the open transaction is kept (at once when none is open); never when it is rolled back. The same callback asked for
        again is called once, at its later place."""
        if not self._depth:
            callback()
            return
        self._after.pop(callback, None)
        self._after[callback] = None

    def mark(self) -> None:
        """What is kept so far outlives a power cut from now on: 4 kB and one sync, or a commit when the mark is full or cannot be written. Not
        inside a transaction. Raises StoreError."""
        if self._redo is not None and not self._redo.mark():
            self._commit_round()

    @property
    def unsynced(self) -> bool:
        """Whether anything kept would not outlive a power cut now."""
        return self._redo is not None and self._redo.unsynced > 0

    def close(self) -> None:
        """Closes the file; what is in the log goes into the file."""
        if self._redo is not None:
            self._commit_round()
            self._redo.close()
        self._connection.close()

    @contextmanager
    def _joined(self) -> Iterator[None]:
        self._depth += 1
        try:
            yield
        except BaseException:
            self._doomed = True
            raise
        finally:
            self._depth -= 1

    def _begin(self, durable: bool) -> None:
        if self._redo is None:
            self._sync(full=durable)
        if not self._connection.in_transaction:
            self._run("BEGIN IMMEDIATE")
        if self._redo is not None:
            self._run("SAVEPOINT turn")
        self._depth, self._durable = 1, durable

    def _commit(self) -> None:
        if self._doomed:
            self._roll_back()
            raise StoreError("an inner transaction failed, so the whole was rolled back")
        try:
            for callback in self.before_commit if self._durable else ():
                callback()
            self._keep()
        except StoreError:
            self._roll_back()
            raise
        callbacks = self._end()
        self.trouble = None
        for callback in callbacks:
            callback()

    def _keep(self) -> None:
        """Commits, or leaves to the next commit what is said again otherwise."""
        if self._redo is None:
            self._run("COMMIT")
            return
        self._run("RELEASE turn")
        kept = not self._durable and not self._unspoken and not self._redo.full and self._redo.keep(self._spoken)
        if not kept or (self._redo.unsynced >= UNSYNCED and not self._redo.mark()):
            self._commit_round()

    def _commit_round(self) -> None:
        if self._redo is None or not self._connection.in_transaction:
            return
        if self._redo.statements:
            name, value = ROUND, msgspec.msgpack.encode(self._redo.value)
            self._run(KEEP_ROUND, (name, value))
            self._run("COMMIT")
            self._redo.begin()
        else:
            self._run("COMMIT")

    def _roll_back(self) -> None:
        if self._connection.in_transaction and self._redo is not None and self._redo.statements:
            self._run("ROLLBACK TO turn")
            self._run("RELEASE turn")
        elif self._connection.in_transaction:
            self._run("ROLLBACK")
        self._end()

    def _end(self) -> list[Callable[[], None]]:
        callbacks, self._after = list(self._after), {}
        self._depth, self._doomed, self._unspoken = 0, False, False
        self._spoken.clear()
        if self._redo is None:
            self._sync(full=True)
        return callbacks

    def _sync(self, *, full: bool) -> None:
        if full != self._full:
            self._run(f"PRAGMA synchronous={'FULL' if full else 'NORMAL'}")
            self._full = full

    def _run(self, sql: str, args: Sequence[Any] = ()) -> sqlite3.Cursor:
        try:
            return self._connection.execute(sql, args)
        except sqlite3.Error as error:
            raise self._failed(error) from error

    def _failed(self, error: sqlite3.Error) -> StoreError:
        """Corruption met while running: the next opening checks the whole file."""
        self.trouble = str(error)
        if is_corruption(error):
            self._suspect.touch()
        return StoreError(str(error))

    def _take_up(self, tail: Tail) -> Redo:
        """Says again what a run before this one kept and did not commit."""
        row = self._run('SELECT value FROM "values" WHERE name = ?', (ROUND,)).fetchone()
        owner, last = msgspec.msgpack.decode(row[0]) if row is not None else (os.urandom(OWNER_BYTES), 0)
        redo = Redo(Mark(self.path.with_name(f"{self.path.stem}.mark")), tail, owner, last)
        statements = list(redo.left())
        if statements or row is None:
            self._run("BEGIN IMMEDIATE")
            for sql, args in statements:
                self._repeat(sql, args)
            self._run(KEEP_ROUND, (ROUND, msgspec.msgpack.encode(redo.value)))
            self._run("COMMIT")
            redo.begin()
        if statements:
            log.info("%d statements of the run before were kept, and are in the database now", len(statements))
        return redo

    def _repeat(self, sql: str, args: Sequence[Any]) -> None:
        try:
            self._connection.execute(sql, args)
        except (sqlite3.IntegrityError, sqlite3.ProgrammingError) as error:
            log.error("what the run before kept does not fit the database: %s", error)

    def _open_or_replace(self) -> sqlite3.Connection:
        try:
            connection = self._open()
        except sqlite3.DatabaseError as error:
            if not is_corruption(error):
                raise StoreError(f"{self.path}: {error}") from error
            new = aside(self.path)
            self.was_corrupt = True
            log.error("%s is corrupt (%s): moved aside as %s, started with an empty one", self.path, error, new.name)
            connection = self._open()
        self._suspect.unlink(missing_ok=True)
        return connection

    def _open(self) -> sqlite3.Connection:
        connection = connect(self.path, self._pragmas, self._patience_s)
        try:
            check(connection, whole=self._suspect.exists())
            migrate(connection, MIGRATIONS)
        except sqlite3.Error:
            connection.close()
            raise
        return connection
