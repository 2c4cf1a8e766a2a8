"""The one database of the station: transactions, and how durable each is. Must not know what is kept in it.

What a durable transaction wrote is on the disk when its `with` ends, and a process killed or a power cut at any moment leaves either all of it or
nothing. Alone, it is a record of the mark, one page and one sync, with all before it that was not durable and stood in the tail till then, which a
killed process leaves behind. A round of such transactions is committed together (WAL with synchronous=FULL), and what is large at once.

A damaged file is moved aside, never repaired in place and never deleted; what can be read of it goes on in a new one. Storage that fails under the
station's own database fails nobody's transaction: all goes on in memory, with the mark as long as that can be written, until `heal` puts it back.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any

import msgspec

from chargepoint.store.file import ALONE, PRAGMAS, check, connect, is_corruption, is_storage, migrate, reserve, unread
from chargepoint.store.mark import Mark
from chargepoint.store.rebuild import into_memory, replace, settle
from chargepoint.store.redo import ROUND, Redo, Statement, next_round, round_of
from chargepoint.store.schema import MIGRATIONS
from chargepoint.store.tail import Tail
from chargepoint.store.turn import Inner, Turn

log = logging.getLogger(__name__)

READS = ("SELECT", "PRAGMA", "EXPLAI")
MISFIT = "%d of %d statements that were kept do not fit the database: %s"
UNSYNCED = 20
"""Transactions that are not durable, and that a power cut may take: as many answered messages are told again."""
MUCH = 32
"""Statements of one transaction above which a commit costs less than the mark."""
KEEP_ROUND = 'INSERT OR REPLACE INTO "values" (name, value) VALUES (?, ?)'


class StoreError(Exception):
    """The store could not do what was asked: another process holds it, or, where the file is shared, the storage fails. Nothing of the transaction is
    kept."""


class Db:
    """The open file, for one thread. alone: no other process gets in, which halves what is written, and rounds are kept; bears: failing storage is
    borne, else it raises StoreError; runtime: directory of the tail, best in memory; boot: names the boot of the board. patience_s: how long another
    process's lock is waited for. was_corrupt: a damaged file was moved aside; set_aside: rows that could not be read, since it was opened
    (`store.damaged`); trouble: why nothing can be written to the storage, or None. before_commit: called inside each durable transaction before it
    is kept, to write along what would otherwise need one of its own."""

    def __init__(
        self, path: Path, *, alone: bool = False, bears: bool = True, runtime: Path | None = None, boot: str = "", patience_s: float = 5.0
    ) -> None:
        self.path = path
        self.was_corrupt = False
        self.set_aside = 0
        self.trouble: str | None = None
        self.before_commit: list[Callable[[], None]] = []
        self._alone = alone
        self._bears = alone and bears
        self._pragmas = (ALONE, *PRAGMAS) if alone else PRAGMAS
        self._patience_s = patience_s
        self._durable = True
        self._full = True
        self._depth = 0
        self._doomed = False
        self._unspoken = False
        self._spoken: list[Statement] = []
        self._after: dict[Callable[[], None], None] = {}
        self._remembered: dict[str, dict[Any, Any]] = {}
        self._inner = Inner(self._join, self._doom)
        self._suspect = path.with_name(path.name + ".suspect")
        self._redo: Redo | None = None
        self._refuge = False
        self._damaged = False
        self._connection = self._opened()
        if alone:
            self._take_up(Tail((runtime or path.parent) / f"{path.stem}.tail", boot))

    def transaction(self, *, durable: bool = True) -> AbstractContextManager[None]:
        """Everything inside is kept together or not at all. Inner ones join the outer, which alone decides about durability: with durable False a
        killed process loses nothing, but a power cut may take what came after the last `mark`. Raises StoreError; then nothing of it was kept."""
        return self._inner if self._depth else Turn(self._begin, self._commit, self._roll_back, durable)

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
                self.trouble = str(error)
                raise StoreError(str(error)) from error

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Calls back once the open transaction is kept (at once when none is open); never when it is rolled back. The same callback asked for
        again is called once, at its later place."""
        if not self._depth:
            callback()
            return
        self._after.pop(callback, None)
        self._after[callback] = None

    def remembered(self, name: str) -> dict[Any, Any]:
        """What those who ask for this name know of rows without reading them; empty again after each transaction that was rolled back."""
        return self._remembered.setdefault(name, {})

    def commit(self) -> None:
        """What is kept so far is in the database, and what it wrote over is not. Not inside a transaction. Raises StoreError."""
        self._commit_round()

    def mark(self) -> None:
        """What is kept so far outlives a power cut from now on: 4 kB and one sync, or a commit when the mark is full or cannot be written. Not
        inside a transaction. Raises StoreError."""
        if self._redo is not None and not self._redo.mark():
            self._commit_round()

    @property
    def unsynced(self) -> bool:
        """Whether anything kept would not outlive a power cut now."""
        return self._redo is not None and self._redo.unsynced > 0

    @property
    def in_memory(self) -> bool:
        """Whether the storage fails, and what is kept is kept in memory."""
        return self._refuge

    def heal(self) -> bool:
        """Puts what was kept in memory back on the storage, if that can be done now; whether all is well. Not inside a transaction."""
        if not self._refuge:
            return True
        try:
            self._connection = self._restored(self._connection)
        except (sqlite3.Error, OSError) as error:
            self._damaged = self._damaged or (isinstance(error, sqlite3.Error) and is_corruption(error))
            self.trouble = str(error)
            return False
        self._refuge, self._damaged, self.trouble = False, False, None
        if self._redo is not None:
            self._redo.begin()
        log.warning("%s can be written again; all that was kept in memory is in it", self.path)
        return True

    def close(self) -> None:
        """Closes the file; what is in the log goes into the file."""
        if self._redo is not None:
            self._commit_round()
            self.heal()
            self._redo.close()
        self._connection.close()

    def _join(self, by: int) -> None:
        self._depth += by

    def _doom(self) -> None:
        self._doomed = True

    def _begin(self, durable: bool) -> None:
        if self._redo is None:
            self._sync(full=durable)
        if not self._connection.in_transaction:
            self._run("BEGIN IMMEDIATE")
        self._depth, self._durable = 1, durable

    def _commit(self) -> None:
        if self._doomed:
            self._roll_back()
            raise StoreError("an inner transaction failed, so the whole was rolled back")
        try:
            for callback in self.before_commit if self._durable else ():
                callback()
            self._keep()
        except BaseException:
            self._roll_back()
            raise
        callbacks = self._end()
        if not self._refuge:
            self.trouble = None
        for callback in callbacks:
            callback()

    def _keep(self) -> None:
        """Commits, or leaves to the next commit what is said again otherwise."""
        if self._redo is None:
            self._run("COMMIT")
            return
        if not (self._spoken or self._unspoken or self._refuge or (self._durable and self._redo.unsynced)):
            return
        deferred = not (self._unspoken or self._redo.full or self._refuge or len(self._spoken) > MUCH)
        sync = self._durable or self._redo.unsynced + 1 >= UNSYNCED
        if not (deferred and self._redo.keep(self._spoken, sync=sync)):
            self._commit_round()

    def _commit_round(self) -> None:
        """In memory nothing is deferred; the mark takes what it can."""
        if self._redo is None or not self._connection.in_transaction:
            return
        if not self._redo.empty:
            self._run(KEEP_ROUND, (ROUND, msgspec.msgpack.encode(self._redo.value)))
        if self._connection.in_transaction:
            self._run("COMMIT")
        if self._refuge:
            self._redo.note(self._spoken, sync=self._durable)
        elif not self._redo.empty:
            self._redo.begin()

    def _roll_back(self) -> None:
        """Takes back the whole round, and says again what was kept of it: rare, where a savepoint would be paid for each time."""
        for known in self._remembered.values():
            known.clear()
        self._spoken.clear()
        if self._connection.in_transaction:
            self._run("ROLLBACK")
        self._depth = 0
        if self._redo is not None and not self._redo.empty:
            self._run("BEGIN IMMEDIATE")
            trouble = _again(self._connection.execute, self._redo.statements())
            if trouble is not None and self._bears and not self._refuge:
                self._take_refuge(trouble)
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
            if not self._bears or self._refuge or not is_storage(error):
                raise self._failed(error) from error
            self._take_refuge(error)
            if sql == "COMMIT" and not self._connection.in_transaction:
                return self._connection.execute("SELECT 1")
            return self._run(sql, args)

    def _failed(self, error: sqlite3.Error) -> StoreError:
        """Corruption met while running: the next opening checks the whole file."""
        self.trouble = str(error)
        if is_corruption(error):
            with suppress(OSError):
                self._suspect.touch()
        return StoreError(str(error))

    # storage that fails

    def _take_refuge(self, error: sqlite3.Error) -> None:
        """All that can be read goes on in memory, with what is not committed yet, up to the statement that failed."""
        self._failed(error)
        self._damaged = is_corruption(error)
        log.error("%s fails (%s): sessions go on in memory until it can be written again", self.path, error)
        file = self._connection
        with suppress(sqlite3.Error):
            file.rollback()
        self._connection = into_memory(file, self.path, error)
        self._refuge = True
        with suppress(sqlite3.Error):
            file.close()
        if self._redo is not None:
            self._connection.execute("BEGIN")
            _again(self._connection.execute, self._redo.statements())
            self._connection.execute(KEEP_ROUND, (ROUND, msgspec.msgpack.encode(self._redo.value)))
            self._connection.execute("COMMIT")
            self._redo.forget()
        if self._depth:
            self._connection.execute("BEGIN")
            _again(self._connection.execute, self._spoken)

    def _restored(self, refuge: sqlite3.Connection) -> sqlite3.Connection:
        """The file with all that the refuge holds. Raises sqlite3.Error and OSError; then nothing has changed."""
        if self._damaged:
            new = replace(self.path, refuge)
            self.was_corrupt = True
            log.error("the damaged %s is kept as %s", self.path.name, new.name)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        connection = connect(self.path, self._pragmas, self._patience_s)
        try:
            refuge.backup(connection)
            check(connection, whole=True)
        except sqlite3.Error:
            connection.close()
            raise
        self._suspect.unlink(missing_ok=True)
        refuge.close()
        reserve(self.path.with_name(self.path.name + "-wal"))
        return connection

    # the beginning

    def _opened(self) -> sqlite3.Connection:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            settle(self.path)
            connection = self._sound()
            with suppress(OSError):
                self._suspect.unlink(missing_ok=True)
            if self._alone:
                reserve(self.path.with_name(self.path.name + "-wal"))
            return connection
        except (sqlite3.Error, OSError) as error:
            if not self._bears or (isinstance(error, sqlite3.Error) and not is_storage(error)):
                raise StoreError(f"{self.path}: {error}") from error
            log.error("%s cannot be used (%s): sessions go on in memory until it can", self.path, error)
            self.trouble = str(error)
            self._refuge = True
            self._damaged = unread(self.path)
            return into_memory(None, self.path, None)

    def _sound(self) -> sqlite3.Connection:
        """The file, or what can be read of it in another."""
        try:
            return self._checked()
        except sqlite3.DatabaseError as error:
            if not is_corruption(error):
                raise
            log.error("%s is damaged: %s", self.path, error)
            self._damaged = True
            new = replace(self.path)
            self.was_corrupt = True
            self._damaged = False
            log.error("the damaged %s is kept as %s; a new one holds what could be read of it", self.path.name, new.name)
            return self._checked()

    def _checked(self) -> sqlite3.Connection:
        connection = connect(self.path, self._pragmas, self._patience_s)
        try:
            check(connection, whole=self._suspect.exists())
            if not self._alone or not _has_values(connection):
                migrate(connection, MIGRATIONS)
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _take_up(self, tail: Tail) -> None:
        """Says again what a run before this one kept and did not commit, in the layout it was said in."""
        row = self._run('SELECT value FROM "values" WHERE name = ?', (ROUND,)).fetchone()
        known = None if row is None else round_of(row[0])
        mark = Mark(self.path.with_name(f"{self.path.stem}.mark"))
        doubtful = self.was_corrupt or self._damaged or (row is not None and known is None)
        self._redo = redo = Redo(mark, tail, *next_round(known, mark.last() if doubtful else None))
        statements = list(redo.left())
        redo.reserve()
        if statements or known is None:
            with self.transaction():
                self._unspoken = True
                _again(self.execute, statements)
                self.execute(KEEP_ROUND, (ROUND, msgspec.msgpack.encode(redo.value)))
            if not self._refuge:
                redo.begin()
        if statements:
            log.info("%d statements of the run before were not committed, and are in the database now", len(statements))
        self._newest()
        if row is not None and known is None:
            self.execute("INSERT INTO damaged (place, key, content, why) VALUES ('values', ?, ?, 'it names no round')", (ROUND, row[0]))

    def _newest(self) -> None:
        try:
            migrate(self._connection, MIGRATIONS)
        except sqlite3.Error as error:
            if not self._bears or self._refuge or not is_storage(error):
                raise StoreError(f"{self.path}: {error}") from error
            self._take_refuge(error)
            migrate(self._connection, MIGRATIONS)


def _again(say: Callable[[str, Sequence[Any]], object], statements: Sequence[Statement]) -> sqlite3.Error | None:
    """Says again what was kept, as far as it fits. Answers why the storage did not take it, if it did not."""
    misfits: list[Exception] = []
    for sql, args in statements:
        try:
            say(sql, args)
        except (StoreError, sqlite3.Error) as error:
            misfits.append(error)
    if misfits:
        log.error(MISFIT, len(misfits), len(statements), misfits[0])
    return next((error for error in misfits if isinstance(error, sqlite3.Error) and is_storage(error)), None)


def _has_values(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'values'").fetchone() is not None
