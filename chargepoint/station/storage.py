"""What is done about storage that fails or is damaged: it is told once, and tried again until it can be written. Must not know what is stored."""

from __future__ import annotations

from collections.abc import Callable

from chargepoint.clock import Clock
from chargepoint.station.security import Security, SecurityEvent
from chargepoint.store.damaged import Damaged
from chargepoint.store.db import Db

AGAIN_AFTER_S = 10.0
SAID_EACH = 20
"""Of more rows only the number is told; the log has each."""


class Storage:
    """Sessions go on meanwhile, in memory (`store.db`). mend: called after rows were set aside that could not be read."""

    def __init__(self, clock: Clock, db: Db, security: Security) -> None:
        self.mend: Callable[[], None] = lambda: None
        self.damaged = Damaged(db)
        self._clock = clock
        self._db = db
        self._security = security
        self._told = False
        self._damage_told = False
        self._tried_s = 0.0
        self._set_aside = -1

    def tick(self) -> None:
        """Each second."""
        if self._db.in_memory and not self._told:
            self._told, self._tried_s = True, self._clock.boot_s()
            self._security.happened(SecurityEvent.MEMORY_EXHAUSTION, f"nothing can be written to the storage: {self._db.trouble}")
        elif self._db.in_memory and self._clock.boot_s() >= self._tried_s + AGAIN_AFTER_S:
            self._tried_s = self._clock.boot_s()
            self._told = not self._db.heal()
        if self._db.was_corrupt and not self._damage_told:
            self._damage_told = True
            self._security.happened(SecurityEvent.STORE_DAMAGED, "the store was damaged: a new one holds what could be read of it")
        if self._db.set_aside != self._set_aside:
            self._set_aside = self._db.set_aside
            self._say_damaged()

    def _say_damaged(self) -> None:
        """Rows that were set aside, each once, some in one event."""
        found = self.damaged.unsaid()
        if not found:
            return
        with self._db.transaction():
            for one in found[:SAID_EACH]:
                self._security.happened(SecurityEvent.STORE_DAMAGED, f"cannot be read: {one}"[:255])
            if len(found) > SAID_EACH:
                self._security.happened(SecurityEvent.STORE_DAMAGED, f"and {len(found) - SAID_EACH} rows more cannot be read")
            self.damaged.said(found, self._clock.wall_s())
        self.mend()
