"""`python -m proof.torture.older ROOT LAYOUT`: takes a station's file back to an older layout, as a firmware of that time left it.

Layouts only ever add, so that what they added is taken away again: tokens go back from beside the facts into them, and what was no fact goes. To be
run while no station does; under the recorder, as the next start brings the file to the newest layout. Must not know images.
"""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import msgspec

from chargepoint.store.chain import fact_of, restored
from chargepoint.store.file import ALONE, PRAGMAS, connect

FIRST, CHAINED = 1, 2
LAYOUTS = (None, FIRST, CHAINED)
"""In turn, one for each recording; None: it stays as it is."""
TAKEN = {
    CHAINED: ("DROP TABLE damaged",),
    FIRST: (
        "DELETE FROM transaction_facts WHERE light = 3",
        *(f"ALTER TABLE transaction_facts DROP COLUMN {column}" for column in ("n", "link", "beside")),
        "ALTER TABLE sessions DROP COLUMN chains",
        "DROP TABLE ledger",
        *(f"ALTER TABLE given_up DROP COLUMN {column}" for column in ("txn", "beside", "note", "at")),
        "DELETE FROM \"values\" WHERE name IN ('ledger.last', 'ledger.pruned')",
    ),
}
"""What each layout above it had added, the newest first."""


def layout_of(seed: str) -> int | None:
    """The layout a recording of this seed (SEED.NUMBER) is taken back to on its way."""
    return LAYOUTS[int(seed.rpartition(".")[2]) % len(LAYOUTS)]


def take_back(file: Path, layout: int) -> None:
    """The file has that layout, and everything in it that this layout knows."""
    with closing(connect(file, (ALONE, *PRAGMAS))) as connection:
        connection.execute("BEGIN IMMEDIATE")
        if layout == FIRST:
            for table in ("transaction_facts", "given_up"):
                _tokens_back(connection, table)
        for step in sorted(TAKEN, reverse=True):
            for statement in TAKEN[step] if step >= layout else ():
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version={layout}")
        connection.execute("COMMIT")


def _tokens_back(connection: sqlite3.Connection, table: str) -> None:
    for id, content, beside in connection.execute(f"SELECT id, fact, beside FROM {table} WHERE beside IS NOT NULL").fetchall():
        fact = fact_of(content)
        if fact is not None:
            connection.execute(f"UPDATE {table} SET fact = ? WHERE id = ?", (msgspec.msgpack.encode(restored(fact, beside)), id))


def main() -> None:
    root, layout = sys.argv[1:]
    take_back(Path(root) / "state" / "station.db", int(layout))


if __name__ == "__main__":
    main()
