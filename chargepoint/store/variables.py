"""What the CSMS set in the device model, and over which factory value. Must not know components or limits."""

from __future__ import annotations

from chargepoint.store.damaged import Damaged
from chargepoint.store.db import Db


class Variables:
    """key text -> value text. `factory` remembers the factory value a key had when the CSMS changed it, so that a later edit of the file shows."""

    def __init__(self, db: Db) -> None:
        self._db = db
        self._damaged = Damaged(db)

    def load(self) -> dict[str, str]:
        """Every value a CSMS has set."""
        rows = self._db.execute("SELECT key, value FROM variables WHERE value IS NOT NULL").fetchall()
        return {key: value for key, value in rows if self._is_text(key, value)}

    def save(self, key: str, value: str) -> None:
        """Keeps a value; joins the open transaction."""
        sql = "INSERT INTO variables (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
        with self._db.transaction():
            self._db.execute(sql, (key, value))

    def remove(self, key: str) -> None:
        """The factory value holds again."""
        with self._db.transaction():
            self._db.execute("DELETE FROM variables WHERE key = ?", (key,))

    def factory(self, key: str) -> str | None:
        """The factory value at the time the CSMS changed this key, or None."""
        row = self._db.execute("SELECT factory FROM variables WHERE key = ?", (key,)).fetchone()
        return None if row is None or not isinstance(row[0], str) else row[0]

    def set_factory(self, key: str, value: str) -> None:
        sql = "INSERT INTO variables (key, factory) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET factory = excluded.factory"
        with self._db.transaction():
            self._db.execute(sql, (key, value))

    def _is_text(self, key: object, value: object) -> bool:
        """What is none is set aside: the factory value holds."""
        if isinstance(key, str) and isinstance(value, str):
            return True
        self._damaged.put("variables", key, value, "it is no text")
        return False
