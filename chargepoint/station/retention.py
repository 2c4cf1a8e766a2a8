"""How long facts stay: what is told and old goes, and what is most in a store that is full. In small steps, so that nothing waits long.

Told facts go by age, and before their time when the store is larger than it may be; then those that a CSMS was told and a former one waits for; then
intermediate values that it refused, and those that nobody was told, the oldest first. A start or an end never goes untold for want of room. Must not
know how facts are kept.
"""

from __future__ import annotations

import logging
import math

from chargepoint.clock import Clock
from chargepoint.model.facts import TransactionFact
from chargepoint.settings import Ledger as Settings
from chargepoint.station.provisioning import EARLIEST_S
from chargepoint.station.security import Security, SecurityEvent
from chargepoint.store.book import Book
from chargepoint.store.boots import Boots
from chargepoint.store.damaged import Damaged
from chargepoint.store.db import Db
from chargepoint.store.given_up import GivenUp
from chargepoint.store.outbox import Outbox

log = logging.getLogger(__name__)

LOOK_EVERY_S = 60.0
DAY_S = 86_400.0
MB = 1_000_000
GIVEN_UP_AT_ONCE = 50
AHEAD_S = 3600.0
"""A clock set forward by more may have been set wrong."""
LEAST = 20
"""So many facts go at once, at least, for one that says so."""
KEPT_GUARANTEED = 1000
"""As many security events as their log holds."""


class Retention:
    """Has a step of work each second while there is any, and looks for some each minute."""

    def __init__(self, clock: Clock, db: Db, boots: Boots, outbox: Outbox, security: Security, settings: Settings) -> None:
        self._clock = clock
        self._db = db
        self._boots = boots
        self._outbox = outbox
        self._security = security
        self._settings = settings
        self.book = Book(db)
        self._given_up = GivenUp(db)
        self._damaged = Damaged(db)
        self._next_s = self._believed_s = 0.0
        self._offset_s = math.inf
        outbox.on_given_up.append(self._gave_up)
        outbox.on_thinned.append(self._thinned)
        outbox.on_released.append(self._released)

    def tick(self) -> None:
        """Each second."""
        now = self._clock.boot_s()
        if now >= self._next_s:
            self._next_s = now if self._step() else now + LOOK_EVERY_S

    def _step(self) -> bool:
        """One piece of work; whether there was any."""
        return self._by_age() or (self.book.used_bytes() > self._settings.max_mb * MB and self._by_size())

    def _by_age(self) -> bool:
        if not self._clock.wall_known() or not self._believed():
            return False
        self._date()
        now_s = self._clock.wall_s()
        before_s = now_s - self._settings.keep_days * DAY_S
        gone = self.book.prune(self._boots, before_s, now_s)
        if gone:
            log.info("%d sessions older than %d days are pruned", gone, self._settings.keep_days)
        if rows := self._damaged.prune(before_s):
            log.info("%d rows that could not be read are older than %d days and gone", rows, self._settings.keep_days)
        return gone > 0 or rows > 0 or self._forget_given_up(before_s)

    def _believed(self) -> bool:
        """Whether the clock was not set forward within the last day: by one that is wrong, all would be old at once."""
        now = self._clock.boot_s()
        offset_s = self._clock.wall_s() - now
        if offset_s > self._offset_s + AHEAD_S:
            self._believed_s = now + DAY_S
        self._offset_s = offset_s
        return now >= self._believed_s

    def _date(self) -> None:
        """What is dated before there was this firmware lay there before the time was known."""
        now_s = self._clock.wall_s()
        self._given_up.date(EARLIEST_S, now_s)
        self._damaged.date(EARLIEST_S, now_s)

    def _by_size(self) -> bool:
        """What nobody can read goes first, then what was told; what was told to nobody last. What went makes one fact more, so it must be several."""
        return (
            self._logged("rows that could not be read are gone", self._damaged.prune(math.inf))
            or self._logged("oldest told sessions are pruned", self.book.prune(self._boots, math.inf))
            or self._outbox.release() > 0
            or self._spare_given_up()
            or self._outbox.thin(LEAST) > 0
            or self._drop_guaranteed()
        )

    def _logged(self, what: str, gone: int) -> bool:
        if gone:
            log.warning("the store holds more than %d MB: %d %s", self._settings.max_mb, gone, what)
        return gone > 0

    def _spare_given_up(self) -> bool:
        with self._db.transaction():
            gone = self._given_up.give_way(LEAST)
            if gone:
                self._full(f"{gone} given-up intermediate values and events are gone")
        return gone is not None

    def _drop_guaranteed(self) -> bool:
        with self._db.transaction():
            gone = self._outbox.drop_guaranteed(KEPT_GUARANTEED, LEAST)
            if gone:
                self._full(f"{gone} events that were not told are gone")
        return gone > 0

    def _full(self, what: str) -> None:
        self._security.happened(SecurityEvent.MEMORY_EXHAUSTION, f"{what}: the store is full")

    def _forget_given_up(self, before_s: float) -> bool:
        if not self._given_up.old(before_s):
            return False
        with self._db.transaction():
            gone = self._given_up.prune(before_s, GIVEN_UP_AT_ONCE)
            self._security.happened(SecurityEvent.MEMORY_EXHAUSTION, f"{gone} given-up facts are older than {self._settings.keep_days} days and gone")
        return True

    def _gave_up(self, fact: TransactionFact, answer: str) -> None:
        info = f"{fact.kind.value} seq {fact.seq} of {fact.transaction}: {answer}"
        self._security.happened(SecurityEvent.FACT_GIVEN_UP, info[:255])

    def _released(self, transaction: str, csms: str, why: str) -> None:
        self._security.happened(SecurityEvent.MEMORY_EXHAUSTION, f"{why}: the end of {transaction} will not be told to {csms}"[:255])

    def _thinned(self, count: int) -> None:
        self._security.happened(SecurityEvent.MEMORY_EXHAUSTION, f"{count} intermediate values that were not told are thinned out")
