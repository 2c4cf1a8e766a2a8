"""What can still be read of a damaged database, taken into a sound one. Must not know what the rows mean.

The sound one has the newest layout; a table or column it does not know stays behind. Rows are read upward from the first and downward from the last,
and between two damaged places by their numbers, so that one bad page costs its own rows and no others.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

import msgspec

log = logging.getLogger(__name__)

MOST_PROBED = 200_000
"""Row numbers tried one by one between two damaged places."""
PACKED = frozenset({"fact", "reading", "row", "info", "value"})
"""Columns of MessagePack: a row whose blob is none is damage."""
Row = Sequence[Any]


def salvage(source: sqlite3.Connection, target: sqlite3.Connection) -> int:
    """Copies what is readable of each table, in one transaction, and gives the number of rows. Raises sqlite3.Error for the target alone."""
    target.execute("BEGIN IMMEDIATE")
    kept = 0
    for table in _tables(target):
        with suppress(sqlite3.DatabaseError):
            kept += _table(source, target, table)
    target.execute("COMMIT")
    return kept


def _tables(connection: sqlite3.Connection) -> list[str]:
    found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").fetchall()
    return [str(row[0]) for row in found]


def _table(source: sqlite3.Connection, target: sqlite3.Connection, table: str) -> int:
    theirs = {row[1] for row in source.execute(f'PRAGMA table_info("{table}")')}
    ours = target.execute(f'PRAGMA table_info("{table}")').fetchall()
    columns = [str(row[1]) for row in ours if row[1] in theirs]
    if not columns:
        return 0
    listed = ", ".join(f'"{column}"' for column in columns)
    marks = ", ".join("?" * len(columns))
    before = target.total_changes
    for row in _rows(source, table, listed, _key(ours)):
        with suppress(sqlite3.IntegrityError, msgspec.DecodeError):
            _proven(columns, row)
            target.execute(f'INSERT OR IGNORE INTO "{table}" ({listed}) VALUES ({marks})', row)
    return target.total_changes - before


def _proven(columns: Sequence[str], row: Row) -> None:
    """Raises DecodeError when a blob is not what its column holds."""
    for column, value in zip(columns, row, strict=True):
        if column in PACKED and isinstance(value, bytes):
            msgspec.msgpack.decode(value)


def _key(columns: list[Any]) -> str:
    """What a table is ordered by: its primary key."""
    return next((f'"{row[1]}"' for row in columns if row[5]), "rowid")


def _rows(source: sqlite3.Connection, table: str, columns: str, key: str) -> Iterator[Row]:
    """The key of each row goes first in the query, and is left out of what is given."""
    last: Any = None
    damaged = False
    upward = _until_damage(source, f'SELECT {key}, {columns} FROM "{table}" ORDER BY {key}')
    for at, row in upward:
        if at is None:
            damaged = True
        else:
            last = at
            yield row
    if not damaged:
        return
    first: Any = None
    for at, row in _until_damage(source, f'SELECT {key}, {columns} FROM "{table}" ORDER BY {key} DESC'):
        if at is not None:
            first = at
            yield row
    yield from _between(source, table, columns, key, last, first)


def _until_damage(source: sqlite3.Connection, sql: str) -> Iterator[tuple[Any, Row]]:
    """(key, row) of each that can be read; (None, ()) at the end when it was none."""
    try:
        for found in source.execute(sql):
            yield found[0], found[1:]
    except sqlite3.DatabaseError as error:
        log.warning("damaged: %s", error)
        yield None, ()


def _between(source: sqlite3.Connection, table: str, columns: str, key: str, last: Any, first: Any) -> Iterator[Row]:
    """By number, where there are numbers and both ends are known."""
    if not isinstance(last, int) or not isinstance(first, int):
        return
    for number in range(last + 1, min(first, last + MOST_PROBED)):
        with suppress(sqlite3.DatabaseError):
            row = source.execute(f'SELECT {columns} FROM "{table}" WHERE {key} = ?', (number,)).fetchone()
            if row is not None:
                yield row
