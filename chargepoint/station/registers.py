"""The import registers as they are told: never less than the last value told for the same meter, and kept over restarts (2.0.1 part 2, J02.FR.16).

One that overflows goes on above its end. One of another meter, or that was reset, goes on from the last value told while a transaction runs, and
counts as it is afterwards. With them goes the time the station was last known alive: while a transaction runs a power cut takes no more than `mark_s`
of either. Must not know how a meter is read.
"""

from __future__ import annotations

import logging
from typing import NamedTuple

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
SPANS_WH = (*(10.0**digits for digits in range(7, 13)), *(2.0**32 * step for step in (0.1, 1.0, 10.0, 100.0)), 2.0**31)
"""Where registers overflow: decimal ones of four to nine digits of kWh, and binary counters of the usual steps."""


class Register(msgspec.Struct, array_like=True):
    """The last value of a meter, as it is told. meter_id: "" when the meter does not say; offset_wh: told minus read; bridged: the offset holds for
    the running transaction only."""

    meter_id: str
    wh: float
    at: Stamp
    offset_wh: float = 0.0
    bridged: bool = False


class Stranger(NamedTuple):
    """A register that does not go on where the last one was. first_wh: when it was first read; times: how often it was read, plausibly."""

    meter_id: str
    first_wh: float
    wh: float
    at: Stamp
    times: int


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
        self._strangers: dict[int, Stranger] = {}
        db.before_commit.append(self._along)

    def wh(self, evse: int) -> float | None:
        """The value to tell; the stored one when nothing was heard yet."""
        register = self._registers.get(evse)
        return None if register is None else register.wh

    def offset_wh(self, evse: int) -> float:
        """What is told minus what is read: where it has overflowed, or goes on from another."""
        register = self._registers.get(evse)
        return 0.0 if register is None else register.offset_wh

    def last(self, evse: int) -> Register | None:
        return self._registers.get(evse)

    def hear(self, evse: int, meter_id: str, wh: float, at: Stamp, most_w: float, *, held: bool) -> bool:
        """A meter's register. held: a transaction runs, so that the register of another meter, or of one that was reset, counts only for what it
        gains. most_w: more power than can flow; what does not fit to the last value is misread until it was read five times. False: not to be told as
        a reading."""
        register = self._registers.get(evse) or Register(meter_id, wh, at)
        if register.bridged and not held:
            return self._adopt(evse, meter_id, wh, at, register)
        span = _overflowed(register, meter_id, wh, at, most_w)
        told = wh + register.offset_wh + span
        if _same(register, meter_id, told) and not self._jumped(evse, register, told, at, most_w):
            self._take(evse, Register(meter_id or register.meter_id, max(told, register.wh), at, register.offset_wh + span, register.bridged))
            return not register.bridged
        if held:
            self._bridge(evse, register, self._met(evse, meter_id, wh, at, most_w), at)
            return False
        return not 0 < self._odd.get(evse, 0) < REPEATED and self._adopt(evse, meter_id, wh, at, register)

    def _take(self, evse: int, register: Register) -> None:
        former = self._registers.get(evse)
        if former is not None and register.offset_wh != former.offset_wh:
            log.warning("EVSE %d: the meter's register began anew after %.1f Wh; it is told as going on", evse, former.wh)
        self._registers[evse] = register
        self._odd[evse] = 0
        self._strangers.pop(evse, None)

    def _adopt(self, evse: int, meter_id: str, wh: float, at: Stamp, former: Register) -> bool:
        """Another register counts from now on, as it is."""
        log.warning("EVSE %d: another meter, or a reset one: %s %.1f Wh after %s %.1f Wh", evse, meter_id, wh, former.meter_id, former.wh)
        self._registers.pop(evse, None)
        self._take(evse, Register(meter_id, wh, at))
        return True

    def _met(self, evse: int, meter_id: str, wh: float, at: Stamp, most_w: float) -> Stranger:
        """What is known of a register that does not fit."""
        known = self._strangers.get(evse)
        if known is None or known.meter_id != meter_id or not known.wh <= wh <= known.wh + _flow_wh(known.at, at, most_w):
            known = Stranger(meter_id, wh, wh, at, 0)
        self._strangers[evse] = known = known._replace(wh=wh, at=at, times=known.times + 1)
        return known

    def _bridge(self, evse: int, register: Register, stranger: Stranger, at: Stamp) -> None:
        """One that stays goes on from the last value told: what it gained since it was first read counts."""
        if stranger.times >= REPEATED:
            told = register.wh + stranger.wh - stranger.first_wh
            self._take(evse, Register(stranger.meter_id, told, at, told - stranger.wh, True))

    def told(self, evse: int, meter_id: str, wh: float, at: Stamp) -> None:
        """What a transaction told before this process began: a meter that says nothing must not make it run backwards."""
        register = self._registers.get(evse)
        if register is None:
            self._registers[evse] = Register(meter_id, wh, at)
        elif _same(register, meter_id, wh) and wh > register.wh:
            self._registers[evse] = msgspec.structs.replace(register, wh=wh, at=at)

    def tick(self, *, held: bool) -> None:
        """Each second. held: a transaction runs somewhere."""
        if held and self._age_s() >= self._mark_s:
            self.keep()
        elif not self._db.unsynced:
            self._marked_s = self._clock.boot_s()
        elif self._clock.boot_s() - self._marked_s >= self._mark_s:
            self._db.mark()
            self._marked_s = self._clock.boot_s()

    def keep(self) -> None:
        """Everything written so far outlives a power cut, with the registers of now and the time last known alive; joins the open transaction."""
        with self._db.transaction():
            self._write()

    def _age_s(self) -> float:
        """Seconds since the registers and the time last known alive were written."""
        return self._clock.boot_s() - self._written_s

    def _along(self) -> None:
        """Within each durable transaction, which takes all before it over a power cut."""
        self._marked_s = self._clock.boot_s()
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
        if at.boot != register.at.boot or wh <= register.wh + _flow_wh(register.at, at, most_w):
            return False
        self._odd[evse] = self._odd.get(evse, 0) + 1
        if self._odd[evse] == 1:
            log.warning("EVSE %d: the meter's register jumped from %.1f to %.1f Wh", evse, register.wh, wh)
        return True


def _same(register: Register, meter_id: str, wh: float) -> bool:
    other = bool(meter_id and register.meter_id and meter_id != register.meter_id)
    return not other and wh >= register.wh - STEP_WH


def _flow_wh(since: Stamp, at: Stamp, most_w: float) -> float:
    """More than can have flowed in that time of one boot."""
    return SPARE_WH + most_w * max(0.0, at.boot_s - since.boot_s) / 3600


def _overflowed(register: Register, meter_id: str, wh: float, at: Stamp, most_w: float) -> float:
    """The span at which the register began anew, 0 when it did not: just below before, just above 0 now."""
    before = register.wh - register.offset_wh
    if wh >= before - STEP_WH or (meter_id and register.meter_id and meter_id != register.meter_id) or at.boot != register.at.boot:
        return 0.0
    most = _flow_wh(register.at, at, most_w)
    return next((span for span in SPANS_WH if 0.0 <= span - before + wh <= most), 0.0)
