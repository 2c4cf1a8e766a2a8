"""The layout of the station's file, one step per change of it. Must not know what the values mean.

A step that has been released is never edited; a change is a further step. Few indexes, because each is one more page per commit.
"""

from __future__ import annotations

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        # Boots of the board; offset_s: wall clock minus boot clock, once known; last_s: boot clock when last known alive.
        "CREATE TABLE boots (number INTEGER PRIMARY KEY, boot_id TEXT NOT NULL, offset_s REAL, last_s REAL NOT NULL DEFAULT 0)",
        # Its ids are given out by the outbox: a table that counts by itself is one more page per commit.
        # told: 0 waits, 1 told, 2 given up. light: a periodic value that may be thinned out (2.0.1 part 2, E04.FR.08).
        "CREATE TABLE transaction_facts (id INTEGER PRIMARY KEY, txn TEXT NOT NULL, light INTEGER NOT NULL, "
        "told INTEGER NOT NULL DEFAULT 0, attempts INTEGER NOT NULL DEFAULT 0, fact BLOB NOT NULL)",
        "CREATE TABLE guaranteed_facts (id INTEGER PRIMARY KEY AUTOINCREMENT, attempts INTEGER NOT NULL DEFAULT 0, fact BLOB NOT NULL)",
        # Readings kept for the message that ends a transaction.
        "CREATE TABLE collected (id INTEGER PRIMARY KEY, txn TEXT NOT NULL, reading BLOB NOT NULL)",
        "CREATE TABLE security_log (id INTEGER PRIMARY KEY, fact BLOB NOT NULL)",
        "CREATE TABLE notes (txn TEXT PRIMARY KEY, note TEXT NOT NULL) WITHOUT ROWID",
        "CREATE TABLE given_up (id INTEGER PRIMARY KEY AUTOINCREMENT, fact BLOB NOT NULL, answer TEXT NOT NULL)",
        "CREATE TABLE sessions (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, evse INTEGER NOT NULL, "
        '"open" INTEGER NOT NULL, "row" BLOB NOT NULL)',
        "CREATE TABLE local_list (token TEXT PRIMARY KEY, info BLOB NOT NULL) WITHOUT ROWID",
        "CREATE TABLE token_cache (token TEXT PRIMARY KEY, info BLOB NOT NULL, stored_s REAL NOT NULL) WITHOUT ROWID",
        "CREATE TABLE variables (key TEXT PRIMARY KEY, value TEXT, factory TEXT) WITHOUT ROWID",
        'CREATE TABLE "values" (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID',
    ),
    (
        # Each transaction's facts form a chain. n: number in it (NULL: older than the chain; of a copy told again: its id in given_up); link: of
        # this entry; beside: the tokens the fact has digests of. light is 2 for a copy told again, 3 for what is no fact but a link of the chain,
        # which is told to nobody (told = 3).
        "ALTER TABLE transaction_facts ADD COLUMN n INTEGER",
        "ALTER TABLE transaction_facts ADD COLUMN link BLOB",
        "ALTER TABLE transaction_facts ADD COLUMN beside BLOB",
        # The heads of a session's chains: the chains end as its row says.
        "ALTER TABLE sessions ADD COLUMN chains BLOB",
        # Transactions whose end was told.
        "CREATE TABLE ledger (number INTEGER PRIMARY KEY, txn TEXT NOT NULL, part INTEGER NOT NULL, facts BLOB NOT NULL, beside BLOB, "
        "UNIQUE (txn, part))",
        # txn, beside, note: of a transaction's fact; at: when it was given up, seconds since 1970.
        "ALTER TABLE given_up ADD COLUMN txn TEXT",
        "ALTER TABLE given_up ADD COLUMN beside BLOB",
        "ALTER TABLE given_up ADD COLUMN note TEXT",
        "ALTER TABLE given_up ADD COLUMN at REAL",
    ),
    (
        # What could not be read any more, byte for byte. place, key: where it lay; at: when it was said, seconds since 1970, NULL before.
        # In transaction_facts such a fact keeps its place, with told = 4.
        "CREATE TABLE damaged (id INTEGER PRIMARY KEY, place TEXT NOT NULL, key TEXT NOT NULL, content BLOB, why TEXT NOT NULL, at REAL)",
    ),
)

QUICKLY_CHECKED = frozenset({"boots", "guaranteed_facts", "notes", "sessions", "variables", "values", "transaction_facts"})
"""Tables looked through at each opening; the token tables are large and only looked through after an error."""
