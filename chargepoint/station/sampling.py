"""When measured values are taken: sampled from the start of a transaction, aligned with the clock, and collected for its end (2.0.1 part 2, J01, J02;
1.6 4.7). Must not know meters or messages.

A moment is due when a multiple of its interval lies between this second and the last one; so a changed interval needs no state of its own.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from chargepoint.clock import Clock
from chargepoint.model.facts import Fact, MeterFact, Trigger
from chargepoint.model.sample import Context, MeterSample, Purpose, Reading
from chargepoint.model.stamp import Stamp
from chargepoint.settings import Evse
from chargepoint.station.device_model import DeviceModel
from chargepoint.store.collected import Collected
from chargepoint.store.db import Db
from chargepoint.store.values import Values

log = logging.getLogger(__name__)

KEPT = "metering.running"
MOST_AT_END = 500
DAY_S = 86_400
STEPPED_S = 2.0
"""A wall clock that moved so much more or less than time was set."""


class Meters(Protocol):
    """What readings are asked of."""

    def latest(self, evse: int) -> MeterSample | None: ...

    def register_wh(self, evse: int) -> float | None: ...

    def lost(self, evse: int) -> bool: ...

    def keep(self) -> None: ...

    def readings(self, evse: int, purpose: Purpose, context: Context, at: Stamp | None = None) -> tuple[Reading, ...]: ...


class Sampled(msgspec.Struct, array_like=True):
    """A transaction that is sampled. evse: where it began."""

    evse: int
    began: Stamp


class Sampling:
    """most: how many readings the message that ends a transaction may hold, the one of its end among them (1.6 StopTransactionMaxMeterValues). tell:
    puts readings into the transaction that runs at an EVSE, False when none does. place: the EVSE a transaction is at now, None when it
    is at none. append: the outbox, for values outside any transaction."""

    def __init__(self, clock: Clock, db: Db, evses: Sequence[Evse], model: DeviceModel, meters: Meters, append: Callable[[Fact], int]) -> None:
        self.most: Callable[[], int] = lambda: MOST_AT_END
        self.tell: Callable[[int, Trigger, tuple[Reading, ...]], bool] = lambda evse, trigger, readings: False
        self.place: Callable[[str], int | None] = lambda transaction: self._running[transaction].evse if transaction in self._running else None
        self._clock = clock
        self._db = db
        self._evses = [evse.id for evse in evses]
        self._model = model
        self._meters = meters
        self._append = append
        self._values = Values(db)
        self._collected = Collected(db)
        self._running: dict[str, Sampled] = self._values.get(KEPT, dict[str, Sampled]) or {}
        self._last_s = clock.boot_s()
        self._last_wall_s = clock.wall_s()

    # what transactions ask

    def latest(self, evse: int) -> MeterSample | None:
        return self._meters.latest(evse)

    def register_wh(self, evse: int) -> float | None:
        return self._meters.register_wh(evse)

    def readings(self, evse: int, purpose: Purpose, context: Context) -> tuple[Reading, ...]:
        return self._meters.readings(evse, purpose, context)

    def begin(self, evse: int, transaction: str) -> None:
        """A transaction is sampled from now on; joins the open database transaction, which takes the registers along. Again for the same one:
        nothing."""
        if transaction in self._running:
            return
        self._running[transaction] = Sampled(evse, self._clock.stamp())
        self._values.set(KEPT, self._running)
        self._meters.keep()
        self.collect(evse, transaction, Context.TRANSACTION_BEGIN)

    def collect(self, evse: int, transaction: str, context: Context, at: Stamp | None = None) -> None:
        """A reading for the end of a transaction, by what has happened to it. at: the moment it counts for, when that is not now."""
        for reading in self._meters.readings(evse, Purpose.ENDED, context, at):
            self._collected.add(transaction, reading, self.most() - 1)

    def end(self, evse: int, transaction: str) -> tuple[Reading, ...]:
        """It is sampled no more: the readings collected for its end, oldest first. Joins the open database transaction, which takes the registers
        along: until now the session's row said how far they were told."""
        if self._running.pop(transaction, None) is not None:
            self._values.set(KEPT, self._running)
            self._meters.keep()
        return tuple(sorted(self._collected.take(transaction), key=lambda reading: (reading.at.boot, reading.at.boot_s)))

    def trigger(self, purpose: Purpose, evse: int | None, connector: int | None) -> bool:
        """Values asked for by the CSMS, outside any transaction's events: ALIGNED as 2.x wants them (F06.FR.06), UPDATED as 1.6 does (5.17). False
        for an unknown EVSE."""
        evses = self._evses if not evse else [evse]
        at = {self.place(transaction): transaction for transaction in self._running}
        for one in evses:
            for reading in self._meters.readings(one, purpose, Context.TRIGGER):
                self._append(MeterFact(one, connector or 1, reading, at.get(one, ""), ordered=True))
        return all(one in self._evses for one in evses)

    def can_trigger(self, purpose: Purpose, evse: int | None) -> bool:
        """Whether there are values to trigger, of each EVSE but those with a lost meter: what is accepted is sent (F06.FR.10, F06.FR.11)."""
        evses = [evse] if evse else self._evses
        known = {one for one in evses if self._meters.readings(one, purpose, Context.TRIGGER)}
        return bool(known) and all(one in known or self._meters.lost(one) for one in evses)

    # what time does

    def tick(self) -> None:
        """Each second: every moment that has come since the last. What is told outlives a power cut before it is told: its number must not come
        again (2.0.1 part 2, E01.FR.07). It takes the registers along, so that they need no write of their own in between."""
        now, wall = self._clock.boot_s(), self._clock.wall_s()
        stepped = abs((wall - self._last_wall_s) - (now - self._last_s)) > STEPPED_S
        aligned, aligned_end = (not stepped and self._aligned(name, wall) for name in ("Interval", "TxEndedInterval"))
        here = {transaction: evse for transaction in self._running if (evse := self.place(transaction)) is not None}
        busy = list(here.values())
        sampled = [item for item in self._running.items() if item[0] in here and self._due(item[1], "TxUpdatedInterval", now)]
        collected = [item for item in self._running.items() if item[0] in here and self._due(item[1], "TxEndedInterval", now)]
        if sampled or collected or (busy and (aligned or aligned_end)):
            with self._db.transaction(durable=bool(sampled or aligned)):
                self._take(sampled, collected, aligned_end)
                self._align(aligned, busy)
                if sampled or aligned:
                    self._meters.keep()
        else:
            self._align(aligned, busy)
        self._last_s, self._last_wall_s = now, wall

    def _take(self, sampled: list[tuple[str, Sampled]], collected: list[tuple[str, Sampled]], aligned_end: bool) -> None:
        for transaction, _ in collected:
            self._collect(transaction, Purpose.ENDED, Context.SAMPLE_PERIODIC, None)
        for transaction in self._running if aligned_end else ():
            self._collect(transaction, Purpose.ALIGNED_ENDED, Context.SAMPLE_CLOCK, self._moment("TxEndedInterval"))
        for transaction, _ in sampled:
            evse = self.place(transaction)
            readings = () if evse is None else self._meters.readings(evse, Purpose.UPDATED, Context.SAMPLE_PERIODIC)
            if evse is not None and readings:
                self.tell(evse, Trigger.METER_VALUE_PERIODIC, readings)

    def _align(self, aligned: bool, busy: list[int]) -> None:
        if not aligned or (busy and self._model.boolean("AlignedDataCtrlr.SendDuringIdle")):
            return
        for evse in self._evses:
            if evse in busy and self._model.boolean(f"AlignedDataCtrlr@{evse}.SendDuringIdle"):
                continue
            readings = self._meters.readings(evse, Purpose.ALIGNED, Context.SAMPLE_CLOCK, self._moment("Interval"))
            if readings and not (evse in busy and self.tell(evse, Trigger.METER_VALUE_CLOCK, readings)):
                self._append(MeterFact(evse, 1, readings[0]))

    def _collect(self, transaction: str, purpose: Purpose, context: Context, at: Stamp | None) -> None:
        evse = self.place(transaction)
        for reading in self._meters.readings(evse, purpose, context, at) if evse is not None else ():
            self._collected.add(transaction, reading, self.most() - 1)

    def _due(self, running: Sampled, variable: str, now: float) -> bool:
        interval = self._model.integer(f"SampledDataCtrlr.{variable}")
        began = running.began.boot_s if running.began.boot == self._clock.boot else 0.0
        return interval > 0 and (now - began) // interval > max(0.0, self._last_s - began) // interval

    def _aligned(self, variable: str, wall: float) -> bool:
        """Intervals are counted from midnight UTC (2.0.1 part 2, AlignedDataCtrlr.Interval); an unknown time has no midnight."""
        interval = self._model.integer(f"AlignedDataCtrlr.{variable}")
        if interval <= 0 or not self._clock.wall_known() or wall <= self._last_wall_s:
            return False
        return _slot(wall, interval) != _slot(self._last_wall_s, interval)

    def _moment(self, variable: str) -> Stamp:
        """The aligned moment that has just passed."""
        now, interval = self._clock.stamp(), self._model.integer(f"AlignedDataCtrlr.{variable}")
        past = now.wall_s % DAY_S % interval
        return Stamp(now.boot, now.boot_s - past, now.wall_s - past, now.known)


def _slot(wall: float, interval: int) -> tuple[int, int]:
    return int(wall // DAY_S), int(wall % DAY_S // interval)
