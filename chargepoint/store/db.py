"""The one SQLite file of the station: opening, migrations, transactions. Must not know what is kept in it.

WAL with synchronous=FULL: what a durable transaction wrote is on the disk when its `with` ends, and a process killed at any moment leaves
either all of it or nothing. A corrupt file is moved aside, never repaired in place and never deleted.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from chargepoint.store.schema import MIGRATIONS, QUICKLY_CHECKED

log = logging.getLogger(__name__)

PRAGMAS = ("page_size=512", "journal_mode=WAL", "synchronous=FULL", "wal_autocheckpoint=500", "cache_size=-1024", "temp_store=MEMORY")
"""A session row and its fact dirty fewer bytes in small pages."""
ALONE = "locking_mode=EXCLUSIVE"
"""No index of the log in shared memory: six pages of the disk for each commit of a charging minute."""
LOG_BYTES, CHUNK = 272 * 1024, 4096
"""500 pages and their headers. A log that does not grow needs no commit of the file system's own for each of ours. Written in small chunks, so that
the kernel does not take (and count) more than a page for each that changes."""
SIDE_FILES = ("", "-wal", "-shm")
CORRUPT_WORDS = ("malformed", "not a database", "encrypted", "corrupt")


class StoreError(Exception):
    """The store could not do what was asked: disk full, input/output error, corruption. Nothing of the transaction is kept."""


class Db:
    """The open file, for one thread. alone: no other process gets in, which halves what is written. patience_s: how long another
    process's lock is waited for. was_corrupt: the former file was moved aside at this opening; trouble: why the last write failed, or None.
    before_commit: called inside each durable transaction before it is kept, to write along what would otherwise need one of its own."""

    def __init__(self, path: Path, *, alone: bool = False, patience_s: float = 5.0) -> None:
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
        self._after: dict[Callable[[], None], None] = {}
        self._suspect = path.with_name(path.name + ".suspect")
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = self._open_or_replace()
        if alone:
            reserve(path.with_name(path.name + "-wal"))

    @contextmanager
    def transaction(self, *, durable: bool = True) -> Iterator[None]:
        """Everything inside is kept together or not at all. Inner ones join the outer, which alone decides about durability: with durable False a
        killed process loses nothing, but a power cut may take the last few seconds. Raises StoreError; then nothing of it was kept."""
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
        try:
            return self._connection.execute(sql, args)
        except sqlite3.Error as error:
            raise self._failed(error) from error

    def execute_many(self, sql: str, rows: Iterator[Sequence[Any]] | Sequence[Sequence[Any]]) -> None:
        """Runs one statement for each row, all in the open transaction. Raises StoreError."""
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

    def close(self) -> None:
        """Closes the file; what is in the log goes into the file."""
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
        self._sync(full=durable)
        self.execute("BEGIN IMMEDIATE")
        self._depth, self._durable = 1, durable

    def _commit(self) -> None:
        if self._doomed:
            self._roll_back()
            raise StoreError("an inner transaction failed, so the whole was rolled back")
        try:
            for callback in self.before_commit if self._durable else ():
                callback()
            self.execute("COMMIT")
        except StoreError:
            self._roll_back()
            raise
        callbacks = self._end()
        self.trouble = None
        for callback in callbacks:
            callback()

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            self.execute("ROLLBACK")
        self._end()

    def _end(self) -> list[Callable[[], None]]:
        callbacks, self._after = list(self._after), {}
        self._depth, self._doomed = 0, False
        self._sync(full=True)
        return callbacks

    def _sync(self, *, full: bool) -> None:
        if full != self._full:
            self.execute(f"PRAGMA synchronous={'FULL' if full else 'NORMAL'}")
            self._full = full

    def _failed(self, error: sqlite3.Error) -> StoreError:
        """Corruption met while running: the next opening checks the whole file."""
        self.trouble = str(error)
        if is_corruption(error):
            self._suspect.touch()
        return StoreError(str(error))

    def _open_or_replace(self) -> sqlite3.Connection:
        try:
            connection = self._open()
        except sqlite3.DatabaseError as error:
            if not is_corruption(error):
                raise StoreError(f"{self.path}: {error}") from error
            self._move_aside(error)
            connection = self._open()
        self._suspect.unlink(missing_ok=True)
        return connection

    def _open(self) -> sqlite3.Connection:
        connection = connect(self.path, self._pragmas, self._patience_s)
        try:
            check(connection, whole=self._suspect.exists())
            migrate(connection)
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _move_aside(self, error: sqlite3.DatabaseError) -> None:
        number = 1
        while self.path.with_name(f"{self.path.name}.corrupt-{number}").exists():
            number += 1
        for side in SIDE_FILES:
            old = self.path.with_name(self.path.name + side)
            if old.exists():
                old.rename(self.path.with_name(f"{self.path.name}.corrupt-{number}{side}"))
        self.was_corrupt = True
        log.error("%s is corrupt (%s): moved aside as %s.corrupt-%d, started with an empty one", self.path, error, self.path.name, number)


def connect(path: Path, pragmas: Sequence[str] = PRAGMAS, patience_s: float = 5.0) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, timeout=patience_s)
    try:
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def reserve(log_file: Path) -> None:
    """Lengthens the log with zeros, which are no valid page of it; a disk without room for them is met at the next write."""
    try:
        with log_file.open("ab", buffering=0) as file:
            for _ in range(file.tell(), LOG_BYTES, CHUNK):
                file.write(bytes(CHUNK))
            os.fsync(file.fileno())
    except OSError as error:
        log.warning("%s: no room reserved: %s", log_file, error)


def check(connection: sqlite3.Connection, *, whole: bool) -> None:
    """Raises DatabaseError when the file is corrupt. The large tables are only looked through after they have shown an error."""
    tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    pragmas = ["quick_check(1)"] if whole else [f"quick_check('{name}')" for name in tables if name in QUICKLY_CHECKED]
    for pragma in pragmas:
        answer = connection.execute(f"PRAGMA {pragma}").fetchone()[0]
        if answer != "ok":
            raise sqlite3.DatabaseError(f"malformed: {answer}")


def migrate(connection: sqlite3.Connection) -> None:
    """Brings the file to the newest layout, one step of MIGRATIONS after the other, each whole or not at all."""
    done = connection.execute("PRAGMA user_version").fetchone()[0]
    for number, statements in enumerate(MIGRATIONS[done:], done + 1):
        connection.execute("BEGIN IMMEDIATE")
        for statement in statements:
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version={number}")
        connection.execute("COMMIT")


def is_corruption(error: sqlite3.Error) -> bool:
    return any(word in str(error).lower() for word in CORRUPT_WORDS)
