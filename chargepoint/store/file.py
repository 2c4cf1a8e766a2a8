"""The database file: how it is opened, checked, brought to the newest layout, and moved aside. Must not know transactions nor what is kept in it."""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from chargepoint.store.schema import MIGRATIONS, QUICKLY_CHECKED

log = logging.getLogger(__name__)

PAGE_SIZE = 512
"""A session row and its fact dirty fewer bytes in small pages."""
PRAGMAS = (
    f"page_size={PAGE_SIZE}",
    "journal_mode=WAL",
    "synchronous=FULL",
    "wal_autocheckpoint=500",
    "cache_size=-1024",
    "temp_store=MEMORY",
    "secure_delete=ON",
)
"""What is deleted is overwritten: an erased card is nowhere in the file. It writes no more, as those pages are written anyway, and else each build of
SQLite does as it likes."""
ALONE = "locking_mode=EXCLUSIVE"
"""No index of the log in shared memory: six pages of the disk for each commit of a charging minute."""
LOG_BYTES, CHUNK = 272 * 1024, 4096
"""500 pages and their headers. A log that does not grow needs no commit of the file system's own for each of ours. Written in small chunks, so that
the kernel does not take (and count) more than a page for each that changes."""
SIDE_FILES = ("", "-wal", "-shm")
CORRUPT_WORDS = ("malformed", "not a database", "encrypted", "corrupt")
STORAGE = frozenset(
    {
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_NOTADB,
    }
)
"""Primary result codes that say that the storage fails, and not the caller."""


def connect(path: Path, pragmas: Sequence[str] = PRAGMAS, patience_s: float = 5.0) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, timeout=patience_s)
    connection.text_factory = text
    try:
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def text(content: bytes) -> str:
    """A text of the file. Damaged bytes in it make it another, and no end of who reads it."""
    return content.decode("utf-8", "replace")


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


def migrate(connection: sqlite3.Connection, migrations: Sequence[Sequence[str]] = MIGRATIONS) -> None:
    """Brings the file to the newest layout, one step after the other, each whole or not at all."""
    done = connection.execute("PRAGMA user_version").fetchone()[0]
    for number, statements in enumerate(migrations[done:], done + 1):
        connection.execute("BEGIN IMMEDIATE")
        for statement in statements:
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version={number}")
        connection.execute("COMMIT")


def aside(path: Path) -> Path:
    """Moves a file and what belongs to it to the next free name, which is given. Raises OSError."""
    number = 1
    while path.with_name(f"{path.name}.corrupt-{number}").exists():
        number += 1
    new = path.with_name(f"{path.name}.corrupt-{number}")
    for side in reversed(SIDE_FILES):
        old = path.with_name(path.name + side)
        if old.exists():
            old.rename(new.with_name(new.name + side))
    return new


def unread(path: Path) -> bool:
    """Whether there is a file of which nothing can be had now: what stands in it is not known, and must not be written over."""
    try:
        with path.open("rb") as file:
            file.read(1)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return False


def is_corruption(error: sqlite3.Error) -> bool:
    return any(word in str(error).lower() for word in CORRUPT_WORDS)


def is_storage(error: sqlite3.Error) -> bool:
    """Whether the storage fails."""
    return (getattr(error, "sqlite_errorcode", 0) & 0xFF) in STORAGE or is_corruption(error)
