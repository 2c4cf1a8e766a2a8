"""A sound database made from what can be read of a damaged one, on the disk or in memory. Must not know transactions.

On the disk it is built beside the damaged file and takes its place only when it is whole, so that a power cut at any moment leaves one of the two.
"""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
import struct
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from chargepoint.store.file import PAGE_SIZE, PRAGMAS, SIDE_FILES, aside, connect, is_corruption, migrate, text
from chargepoint.store.salvage import salvage
from chargepoint.store.schema import MIGRATIONS

log = logging.getLogger(__name__)

PLACES = struct.Struct(">I")
CHANGES, SIZE_IN_PAGES, VALID_FOR = 24, 28, 92
"""Where the header says so (SQLite's file format, 1.3)."""


def memory() -> sqlite3.Connection:
    """An empty one without layout, that can be copied into the file later."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.text_factory = text
    connection.execute(f"PRAGMA page_size={PAGE_SIZE}")
    return connection


def settle(path: Path) -> None:
    """Finishes a replacement that a power cut interrupted."""
    if not path.exists() and _beside(path).exists():
        _beside(path).rename(path)


def replace(path: Path, source: sqlite3.Connection | None = None) -> Path:
    """Puts a sound database in the place of a damaged one, whose new name is given: a copy of source, or what can be read of the damaged one. Raises
    OSError and sqlite3.Error; then the damaged one is still there."""
    new = _beside(path)
    for side in SIDE_FILES:
        new.with_name(new.name + side).unlink(missing_ok=True)
    with closing(connect(new, PRAGMAS)) as target:
        if source is not None:
            source.backup(target)
        else:
            migrate(target, MIGRATIONS)
            with readable(path) as damaged:
                rows = salvage(damaged, target) if damaged is not None else 0
            log.error("%d rows were read from the damaged %s", rows, path.name)
    moved = aside(path)
    new.rename(path)
    _sync(path.parent)
    return moved


def into_memory(source: sqlite3.Connection | None, path: Path, trouble: sqlite3.Error | None) -> sqlite3.Connection:
    """All that can be read, in memory. source: the open database, if it is; path: its file, for where it is not or is damaged."""
    whole = memory()
    if source is not None and not (trouble is not None and is_corruption(trouble)):
        try:
            source.backup(whole)
            return whole
        except sqlite3.Error as error:
            log.error("the database cannot be copied as a whole: %s", error)
            whole.close()
            whole = memory()
    migrate(whole, MIGRATIONS)
    with readable(path) as copy:
        if copy is not None:
            log.error("%d rows were read from %s", salvage(copy, whole), path.name)
    return whole


@contextmanager
def readable(path: Path) -> Iterator[sqlite3.Connection | None]:
    """A copy of a file, with its log, that can be read from; None when nothing can. The file itself is left as it is."""
    with tempfile.TemporaryDirectory(prefix="chargepoint-") as directory:
        copy = Path(directory) / path.name
        try:
            for side in SIDE_FILES[:2]:
                if path.with_name(path.name + side).exists():
                    shutil.copyfile(path.with_name(path.name + side), copy.with_name(copy.name + side))
            connection = _opened(copy)
        except (OSError, sqlite3.Error) as error:
            log.error("nothing can be read of %s: %s", path, error)
            yield None
            return
        with closing(connection):
            yield connection


def _opened(copy: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(copy, isolation_level=None)
    connection.text_factory = text
    try:
        connection.execute("SELECT name FROM sqlite_master").fetchall()
    except sqlite3.DatabaseError:
        connection.close()
        _lend_first_page(copy)
        connection = sqlite3.connect(copy, isolation_level=None)
        connection.text_factory = text
        connection.execute("SELECT name FROM sqlite_master").fetchall()
    return connection


def _lend_first_page(copy: Path) -> None:
    """The first page, which says where the tables are, from a new database: they lie at the same places in every file that began with this layout."""
    with tempfile.TemporaryDirectory(prefix="chargepoint-") as directory:
        fresh = Path(directory) / "fresh.db"
        with closing(connect(fresh, PRAGMAS)) as connection:
            migrate(connection, MIGRATIONS)
        page = bytearray(fresh.read_bytes()[:PAGE_SIZE])
    PLACES.pack_into(page, SIZE_IN_PAGES, copy.stat().st_size // PAGE_SIZE)
    page[VALID_FOR : VALID_FOR + PLACES.size] = page[CHANGES : CHANGES + PLACES.size]
    with suppress(FileNotFoundError):
        copy.with_name(copy.name + "-wal").unlink()
    with copy.open("r+b") as file:
        file.write(page)


def _beside(path: Path) -> Path:
    return path.with_name(path.name + ".new")


def _sync(directory: Path) -> None:
    file = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
