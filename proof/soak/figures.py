"""What is measured: memory, file, latency and work, each month, and what of it may grow. Must not know what goes on."""

from __future__ import annotations

import gc
import logging
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from chargepoint.model.facts import Delivery
from chargepoint.model.idtoken import IdToken
from chargepoint.store.tokens import Tokens
from chargepoint.store.values import Values
from proof.soak.charger import Charger, SoakStation

MIB = 1 << 20
LOOKS, COMMITS = 300, 60
PROBE = "soak.probe"


class Month(NamedTuple):
    """At its end; sessions and messages are those of the month. rss_mib: of the whole process, this proof's own parts included."""

    number: int
    days: float
    sessions: int
    messages: int
    troubles: int
    waiting_most: int
    rss_mib: float
    objects: int
    file_kib: float
    look_up_us: float
    commit_us: float
    log_kib_per_day: float
    cpu_s_per_day: float


class LogCounter(logging.Handler):
    """Counts what the station would write to its log."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.size = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.size += len(record.name) + len(record.getMessage()) + 10


def rss_mib() -> float:
    """Resident memory of this process, after what is garbage has gone."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / MIB


def typical_us(act: Callable[[], object], times: int) -> float:
    """The median of so many, in microseconds."""
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        act()
        taken.append((time.perf_counter() - began) * 1e6)
    return statistics.median(taken)


def latencies(charger: Charger) -> tuple[float, float]:
    """(a look for facts that wait, a card and its session; a durable write), as the running station would need them. 0 while it does not run."""
    station = charger.station
    if not isinstance(station, SoakStation) or not hasattr(station, "_core"):
        return 0.0, 0.0
    core = station._core
    tokens, values = Tokens(core.db), Values(core.db)

    def look() -> None:
        core.outbox.waiting_for(None)
        core.outbox.some(Delivery.GUARANTEED, 32)
        core.outbox.some(Delivery.TRANSACTION, 32)
        tokens.cached(IdToken("04A00001"))
        tokens.listed(IdToken("04A00001"))

    def write() -> None:
        values.set(PROBE, time.perf_counter())

    return typical_us(look, LOOKS), typical_us(write, COMMITS)
