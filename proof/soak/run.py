"""Runs the year: puts charge point, network, CSMS, people and weather together, measures each month, and settles the account at the end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from proof.soak import figures
from proof.soak.account import Account, compare
from proof.soak.charger import EVSES, Charger
from proof.soak.csms import IDENTITY, Csms
from proof.soak.figures import LogCounter, Month
from proof.soak.network import Network
from proof.soak.people import CARDS, Visitors
from proof.soak.simulated import Pace, SimulatedLoop
from proof.soak.weather import DAY_S, Weather
from sim.csms.book import Card

EPOCH_S = 1_704_067_200.0
"""2024-01-01T00:00:00Z, a leap year."""
MONTH_DAYS = 365 / 12
GAP_S = 3.5 * 3600
WATCH_S = 60.0
SETTLE_S = 6 * 3600.0
"""After the last visit, for what is still to be told."""
Say = Callable[[Month], None]


@dataclass
class Outcome:
    """memory: MiB of the whole process after so many sessions."""

    version: str
    seed: int
    days: float
    months: list[Month] = field(default_factory=list)
    account: Account = field(default_factory=Account)
    troubles: Counter[str] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    orders: Counter[str] = field(default_factory=Counter)
    excused: Counter[str] = field(default_factory=Counter)
    memory: list[tuple[int, float]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    waiting: int = 0
    given_up: int = 0
    took_s: float = 0.0


class Year:
    """One run. days: how long it lasts; directory: on the disk that is meant."""

    def __init__(self, loop: SimulatedLoop, directory: Path, days: float, version: str, seed: int) -> None:
        self.outcome = Outcome(version, seed, days)
        self._loop, self._days = loop, days
        self._pace, self._log = Pace(), LogCounter()
        self._truth, self._witness = directory / "truth.jsonl", directory / "witness.jsonl"
        self._charger = Charger(directory, loop, self._pace, EPOCH_S, version)
        self._csms = Csms(lambda: EPOCH_S + loop.time(), random.Random(seed + 1), version, self._witness)
        self._network = Network(random.Random(seed + 2), self._csms.connect)
        self._weather = Weather(self._charger, self._network, self._csms, loop, self._pace, random.Random(seed + 3))
        self._visitors = [
            Visitors(evse, self._charger, loop, self._pace, random.Random(seed + 10 + evse), self._truth, self._remote) for evse in EVSES
        ]
        self._waiting_most = 0
        loop.dial = self._network.dial
        for uid in CARDS:
            self._csms.book.set_card(uid, Card())

    async def run(self, say: Say) -> Outcome:
        began = time.monotonic()
        logging.getLogger().addHandler(self._log)
        self._charger.power_on()
        await asyncio.sleep(60)
        people = [self._loop.create_task(visitors.run(GAP_S)) for visitors in self._visitors]
        work = [self._loop.create_task(self._weather.run(self._days * DAY_S)), self._loop.create_task(self._watch())]
        try:
            await self._months(say, [*people, *work])
            await self._settle(people, work)
        finally:
            logging.getLogger().removeHandler(self._log)
        self._conclude()
        self.outcome.took_s = time.monotonic() - began
        return self.outcome

    async def _months(self, say: Say, tasks: list[asyncio.Task[None]]) -> None:
        count = max(1, round(self._days / MONTH_DAYS))
        days = self._days / count
        cpu_s, log, sessions, messages, troubles = time.process_time(), 0, 0, 0, 0
        for number in range(1, count + 1):
            done, _ = await asyncio.wait(tasks, timeout=days * DAY_S, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
            now = (sum(visitors.number for visitors in self._visitors), self._csms.messages, self._weather.seen.total())
            look_us, commit_us = figures.latencies(self._charger)
            month = Month(
                number,
                days,
                now[0] - sessions,
                now[1] - messages,
                now[2] - troubles,
                self._waiting_most,
                figures.rss_mib(),
                len(figures.gc.get_objects()),
                self._charger.size() / 1024,
                look_us,
                commit_us,
                (self._log.size - log) / 1024 / days,
                (time.process_time() - cpu_s) / days,
            )
            cpu_s, log, self._waiting_most = time.process_time(), self._log.size, 0
            sessions, messages, troubles = now
            self.outcome.months.append(month)
            say(month)

    async def _watch(self) -> None:
        """Looks at what waits, lets the CSMS forget, and takes the memory after each hundred sessions."""
        counted = 0
        while True:
            await asyncio.sleep(WATCH_S)
            self._csms.shrink()
            station = self._charger.station
            if station is not None and hasattr(station, "_core"):
                self._waiting_most = max(self._waiting_most, station._core.outbox.waiting())
            sessions = sum(visitors.number for visitors in self._visitors) // 100
            if sessions > counted:
                counted = sessions
                self.outcome.memory.append((sessions * 100, figures.rss_mib()))

    async def _settle(self, people: list[asyncio.Task[None]], work: list[asyncio.Task[None]]) -> None:
        """Everybody goes home, the network comes back, and what waits is told."""
        for task in people:
            task.cancel()
        await asyncio.gather(*people, return_exceptions=True)
        work[0].cancel()
        await asyncio.gather(work[0], return_exceptions=True)
        self._network.recover()
        self._csms.moods.out_of_service = False
        if not self._charger.powered:
            self._charger.power_on()
        self._charger.clock.synchronised, self._charger.clock.error_s = True, 0.0
        for meter in self._charger.meters.values():
            meter.silent = meter.long_silent = False
        await asyncio.sleep(10)
        for visitors, evse in zip(self._visitors, EVSES, strict=True):
            if self._charger.control is not None and self._charger.control.states[evse].plug_in:
                self._charger.control.unplug(evse)
            visitors.finish()
        await asyncio.sleep(SETTLE_S)
        work[1].cancel()
        self._csms.shrink()
        self._csms.finish()
        station = self._charger.station
        if station is not None:
            self.outcome.waiting = station._core.outbox.waiting()
            self.outcome.given_up = station._core.outbox.given_up()
        await self._charger.power_cut("the end")

    def _conclude(self) -> None:
        outcome = self.outcome
        outcome.account = compare(self._truth, self._witness)
        outcome.troubles, outcome.ends = self._weather.seen, self._charger.ends
        outcome.calls, outcome.orders, outcome.excused = self._csms.calls, self._csms.answers, self._csms.book.excused
        outcome.problems = [
            *outcome.account.problems,
            *(f"the station failed: {failure}" for failure in self._charger.failures),
            *(f"{seen['time']} {seen['rule']}: {seen['detail']}" for seen in self._csms.book.violations),
            *([f"{outcome.waiting} facts were not told in the end"] if outcome.waiting else []),
            *([f"{outcome.given_up} facts were given up"] if outcome.given_up else []),
        ]

    def _remote(self, what: str, evse: int, card: str) -> bool:
        if self._csms.live is None:
            return False
        running = next((t for t in reversed(self._csms.book.transactions) if not t.ended and evse in (t.evse, t.connector)), None)
        old = self._csms.protocol == "ocpp1.6"
        if what == "start":
            id_tag = {"connectorId": evse, "idTag": card}
            token = {"evseId": evse, "remoteStartId": math.floor(self._loop.time()), "idToken": {"idToken": card, "type": "ISO14443"}}
            self._csms.order("RemoteStartTransaction" if old else "RequestStartTransaction", id_tag if old else token)
        elif running is not None:
            id_ = {"transactionId": int(running.id)} if old else {"transactionId": running.id}
            self._csms.order("RemoteStopTransaction" if old else "RequestStopTransaction", id_)
        return True


def run(days: float, version: str, seed: int, say: Say, directory: Path | None = None) -> Outcome:
    """directory: where the store lies, unless said a temporary one in /var/tmp, which is on a disk where /tmp may be none."""
    random.seed(seed)
    loop = SimulatedLoop()
    asyncio.set_event_loop(loop)
    with contextlib.ExitStack() as stack:
        place = directory or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="soak-", dir="/var/tmp")))
        stack.callback(asyncio.set_event_loop, None)
        stack.callback(loop.close)
        return loop.run_until_complete(Year(loop, place, days, version, seed).run(say))


__all__ = ["IDENTITY", "Outcome", "Year", "run"]
