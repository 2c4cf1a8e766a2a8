"""The import registers as they are told: never less than the last value told for the same meter, and kept over restarts (2.0.1 part 2, J02.FR.16).

With them goes the time the station was last known alive: while a transaction runs a power cut takes no more than `mark_s` of either. Must not know
how a meter is read.
"""

from __future__ import annotations

import logging

import msgspec

from chargepoint.clock import Clock
from chargepoint.model.stamp import Stamp
from chargepoint.store.boots import Boots
from chargepoint.store.db import Db
from chargepoint.store.values import Values

log = logging.getLogger(__name__)

KEPT = "meter.registers"
MARK_S = 60.0
"""As the settings have it unless they say otherwise."""
STEP_WH = 1.0
"""How far a register may seem to run backwards by rounding."""
ALONG_S = 20.0
"""Age in the store above which a value is written along with the next write."""
SPARE_WH = 200.0
REPEATED = 5


class Register(msgspec.Struct, array_like=True):
    """The last value of a meter. meter_id: "" when the meter does not say."""

    meter_id: str
    wh: float
    at: Stamp


class Registers:
    """By EVSE id. mark_s: the age above which what is kept is written by itself while a transaction runs."""

    def __init__(self, clock: Clock, db: Db, boots: Boots, mark_s: float = MARK_S) -> None:
        self._clock = clock
        self._db = db
        self._boots = boots
        self._mark_s = mark_s
        self._marked_s = clock.boot_s()
        self._values = Values(db)
        self._registers: dict[int, Register] = self._values.get(KEPT, dict[int, Register]) or {}
        self._written = dict(self._registers)
        self._written_s = clock.boot_s()
        self._odd: dict[int, int] = {}
        db.before_commit.append(self._along)

    def wh(self, evse: int) -> float | None:
        """The value to tell; the stored one when nothing was heard yet."""
        register = self._registers.get(evse)
        return None if register is None else register.wh

    def last(self, evse: int) -> Register | None:
        return self._registers.get(evse)

    def hear(self, evse: int, meter_id: str, wh: float, at: Stamp, most_w: float, *, held: bool) -> bool:
        """A meter's register. held: a transaction runs, so that the register of another meter, or of one that was reset, is not taken before it ends.
        most_w: more power than can flow; a jump above it counts as misread until it was read five times. False: not to be used."""
        register = self._registers.get(evse)
        if register is None or (_same(register, meter_id, wh) and not self._jumped(evse, register, wh, at, most_w)):
            floor = wh if register is None else register.wh
            self._registers[evse] = Register(meter_id or (register.meter_id if register else ""), max(wh, floor), at)
            self._odd[evse] = 0
            return True
        if held or 0 < self._odd.get(evse, 0) < REPEATED:
            return False
        log.warning("EVSE %d: another meter, or a reset one: %s %.1f Wh after %s %.1f Wh", evse, meter_id, wh, register.meter_id, register.wh)
        self._registers[evse] = Register(meter_id, wh, at)
        self._odd[evse] = 0
        return True

    def tick(self, *, held: bool) -> None:
        """Each second. held: a transaction runs somewhere."""
        if held and self._age_s() >= self._mark_s:
            self.keep()
        elif not self._db.unsynced:
            self._marked_s = self._clock.boot_s()
        elif self._clock.boot_s() - self._marked_s >= self._mark_s:
            self._mark()

    def keep(self) -> None:
        """Everything written so far outlives a power cut, with the registers of now and the time last known alive. Not inside a transaction."""
        with self._db.transaction(durable=False):
            self._write()
        self._mark()

    def _mark(self) -> None:
        self._db.mark()
        self._marked_s = self._clock.boot_s()

    def _age_s(self) -> float:
        """Seconds since the registers and the time last known alive were written."""
        return self._clock.boot_s() - self._written_s

    def _along(self) -> None:
        if (self._age_s() >= ALONG_S and self._changed()) or self._unknown():
            self._write()

    def _changed(self) -> bool:
        return any(
            (written := self._written.get(evse)) is None or (written.meter_id, written.wh) != (register.meter_id, register.wh)
            for evse, register in self._registers.items()
        )

    def _unknown(self) -> bool:
        """Whether the store does not know which meter this is: after a power cut another one would be taken for it."""
        return any(
            (written := self._written.get(evse)) is None or written.meter_id != register.meter_id for evse, register in self._registers.items()
        )

    def _write(self) -> None:
        if self._changed():
            self._values.set(KEPT, self._registers)
        self._boots.alive(self._clock.boot, self._clock.boot_s())
        self._written = dict(self._registers)
        self._written_s = self._clock.boot_s()

    def _jumped(self, evse: int, register: Register, wh: float, at: Stamp, most_w: float) -> bool:
        """Whether a value is higher than energy can have flowed since the last: misread, unless it stays."""
        if at.boot != register.at.boot or wh <= register.wh + SPARE_WH + most_w * (at.boot_s - register.at.boot_s) / 3600:
            return False
        self._odd[evse] = self._odd.get(evse, 0) + 1
        if self._odd[evse] == 1:
            log.warning("EVSE %d: the meter's register jumped from %.1f to %.1f Wh", evse, register.wh, wh)
        return True


def _same(register: Register, meter_id: str, wh: float) -> bool:
    other = bool(meter_id and register.meter_id and meter_id != register.meter_id)
    return not other and wh >= register.wh - STEP_WH
