"""The boots of the board and what each boot's clock was. Must not know who asks for times.

Facts written before the time is known keep boot time only; the boot's offset, learnt later, says when that was.
"""

from __future__ import annotations

from chargepoint.model.stamp import Stamp
from chargepoint.store.db import Db
from chargepoint.store.packed import MOST
from chargepoint.store.values import Values

ALIVE = "boots.alive"
KEPT = 500
SAME_S = 1.0


class Boots:
    """number of the boot -> wall clock minus boot clock, once learnt. fresh: whether `begin` found a new boot."""

    def __init__(self, db: Db) -> None:
        self.fresh = False
        self._db = db
        self._values = Values(db)
        self._offsets = {number: _seconds(offset) for number, offset in db.execute("SELECT number, offset_s FROM boots").fetchall()}

    def begin(self, boot_id: str) -> int:
        """The number of this boot: the same for the same boot id, however often the process starts in it."""
        row = self._db.execute("SELECT number, boot_id FROM boots ORDER BY number DESC LIMIT 1").fetchone()
        if row is not None and row[1] == boot_id:
            return int(row[0])
        number = 1 if row is None else int(row[0]) + 1
        self.fresh = True
        alive = self._values.get(ALIVE, tuple[int, float])
        with self._db.transaction():
            if alive is not None:
                self._db.execute("UPDATE boots SET last_s = ? WHERE number = ?", (alive[1], alive[0]))
            self._db.execute("INSERT INTO boots (number, boot_id) VALUES (?, ?)", (number, boot_id))
            self._db.execute("DELETE FROM boots WHERE number <= ?", (number - KEPT,))
        self._offsets[number] = None
        return number

    def learn(self, boot: int, offset_s: float) -> None:
        """Keeps wall clock minus boot clock of a boot, in seconds; differences below a second are not written."""
        known = self._offsets.get(boot)
        if boot not in self._offsets or (known is not None and abs(known - offset_s) < SAME_S):
            return
        with self._db.transaction():
            self._db.execute("UPDATE boots SET offset_s = ? WHERE number = ?", (offset_s, boot))
        self._offsets[boot] = offset_s

    def alive(self, boot: int, boot_s: float) -> None:
        """Keeps the boot clock's time at which the station was last known alive; joins the open transaction."""
        self._values.set(ALIVE, (boot, boot_s))

    def last_alive(self, boot: int) -> float:
        """The boot clock's time when that boot was last known alive, 0 when never said."""
        alive = self._values.get(ALIVE, tuple[int, float])
        if alive is not None and alive[0] == boot:
            return alive[1]
        row = self._db.execute("SELECT last_s FROM boots WHERE number = ?", (boot,)).fetchone()
        return 0.0 if row is None else _seconds(row[0]) or 0.0

    def later(self, stamp: Stamp) -> Stamp:
        """The moment at which the station was last known alive in the boot of a stamp, never before it."""
        more_s = max(0.0, self.last_alive(stamp.boot) - stamp.boot_s)
        return Stamp(stamp.boot, stamp.boot_s + more_s, stamp.wall_s + more_s, stamp.known)

    def learnt(self, stamp: Stamp) -> bool:
        """Whether the wall time of a moment is known, at once or by what its boot learnt later."""
        return stamp.known or self._offsets.get(stamp.boot) is not None

    def wall_of(self, stamp: Stamp) -> float:
        """Seconds since 1970: the stamp's own time when it was known, else by its boot's offset, else its guess held between the boots before and
        after it that learnt their time."""
        if stamp.known:
            return stamp.wall_s
        offset = self._offsets.get(stamp.boot)
        if offset is not None:
            return offset + stamp.boot_s
        return self._bounded(stamp)

    def walls_of(self, stamp: Stamp) -> tuple[float, ...]:
        """When a moment can have been: as it was told then, and by its boot's clock as it was at last, if that was set meanwhile."""
        offset = self._offsets.get(stamp.boot)
        return (self.wall_of(stamp),) if offset is None else (self.wall_of(stamp), offset + stamp.boot_s)

    def _bounded(self, stamp: Stamp) -> float:
        before = max((n for n, offset in self._offsets.items() if offset is not None and n < stamp.boot), default=None)
        after = min((n for n, offset in self._offsets.items() if offset is not None and n > stamp.boot), default=None)
        wall_s = stamp.wall_s
        if before is not None:
            wall_s = max(wall_s, (self._offsets[before] or 0.0) + self.last_alive(before))
        if after is not None:
            wall_s = min(wall_s, self._offsets[after] or 0.0)
        return wall_s


def _seconds(value: object) -> float | None:
    """What a damaged row says instead of a time is none."""
    return value if isinstance(value, float) and -MOST < value < MOST else None
