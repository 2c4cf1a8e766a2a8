"""Thousands of offline transactions on one store whose writer is killed again and again, then told while a driver comes and goes.

`python -m proof.torture.many ROOT VERSION NUMBER` is the writer: it charges cars offline, one after the other, until it is killed. Must not know
images.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from chargepoint.model.facts import EventKind
from proof.torture.images import BOUND_WH
from proof.torture.paper import EVSES, PaperStation, Said, settings_of
from proof.torture.promise import Promise
from proof.torture.recording import directory
from proof.torture.report import Case
from proof.torture.verdict import WITHIN_WH
from proof.torture.workload import WALL_S, know_card, last_wh
from sim.csms.book import Transaction
from sim.csms.server import Csms
from tests.offline.scene import PaperCsms
from tests.simclock import SimulatedClock
from tests.station.station_rig import CARD
from tests.world import ROOT, World

VERSION = "ocpp2.0.1"
SAMPLES = 10
OPENING_S, RUNNING_S = 1.0, 20.0
"""Between two kills of the writer, at most: every fifth falls into its start."""
BETWEEN_S = 86_400.0
"""From the start of one writer to that of the next, on their clock: none writes for so long."""
KILLS_A_LINE = 10
"""Of progress."""
KILLS = 5
"""Of the station while it tells."""
STATUS_S = 2.0
"""Within which a live status is told meanwhile."""
Remark = Callable[[str], None]


async def write(root: Path, version: str, number: int) -> None:
    """Charges at both EVSEs, offline, sampled each second; never ends by itself."""
    wh = last_wh(root / "said")
    say = Said(root / "said")
    clock = SimulatedClock(start_s=1000.0 + number * BETWEEN_S, wall_s=WALL_S + number * BETWEEN_S, boot_id="one boot")
    csms = PaperCsms(version, {CARD: "Accepted"})
    station = PaperStation(root / "state", root / "run", clock, settings_of(version, 1), wh, csms=csms, say=say)
    say("open")
    station.begin()
    if not station.backend.ever_accepted:
        know_card(station)
        station.online()
        await station.second()
        station.offline()
    while True:
        for evse in EVSES:
            station.control.plug(evse.id)
        await station.second()
        for evse in EVSES:
            await station.swipe(evse.id)
        await station.second(SAMPLES + 1)
        for evse in EVSES:
            station.control.unplug(evse.id)
        await station.second(2)


async def offline(count: int, seed: int, remark: Remark, progress: Remark) -> Case:
    """Writes, kills, tells, compares. remark: what belongs into the report; progress: how far it is."""
    case = Case("writer killed, then the station while it tells", "down, then up", f"--offline {count}")
    with directory() as path:
        (path / "state").mkdir()
        (path / "said").touch()
        promise, delivered, kills = written(path, count, random.Random(f"{seed}/many"), progress)
        samples = sum(kind == EventKind.UPDATED for kind in promise.kinds.values())
        remark(f"{len(promise.ended())} offline transactions with {samples} events between start and end outlived {kills} kills -9 of their writer.")
        await _told(path, promise, delivered, case, remark, progress)
    return case


@dataclass
class Delivered:
    """What flowed at each EVSE in the course of each transaction, by the world's meters: from its begin to the next one's. last: the transaction
    begun last."""

    wh: dict[int, float] = field(default_factory=dict)
    begun: dict[str, tuple[int, float]] = field(default_factory=dict)
    of: dict[str, float] = field(default_factory=dict)
    last: dict[int, str] = field(default_factory=dict)

    def hear(self, line: bytes) -> None:
        """The next line said."""
        said = msgspec.json.decode(line)
        if said["what"] == "wh":
            self.wh = {int(evse): wh for evse, wh in said["wh"].items()}
            for evse, transaction in self.last.items():
                self.of[transaction] = self.wh[evse] - self.begun[transaction][1]
        elif said["what"] == "will" and said["kind"] == EventKind.STARTED:
            transaction, evse = said["fact"][0], said["evse"]
            self.begun[transaction] = evse, self.wh.get(evse, 0.0)
            self.last[evse], self.of[transaction] = transaction, 0.0


def written(path: Path, count: int, chance: random.Random, progress: Remark, *, running_s: float = RUNNING_S) -> tuple[Promise, Delivered, int]:
    """Starts and kills the writer until it has ended so many transactions; what it promised, what flowed, and the kills."""
    promise, delivered, kills, read = Promise(), Delivered(), 0, 0
    while len(promise.ended()) < count:
        writer = subprocess.Popen(
            [sys.executable, "-m", "proof.torture.many", str(path), VERSION, str(kills)], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}
        )
        with contextlib.suppress(subprocess.TimeoutExpired):
            writer.wait(chance.uniform(0.0, OPENING_S if chance.random() < 0.2 else running_s))
            raise RuntimeError(f"the writer ended by itself with {writer.returncode}")
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        kills += 1
        with (path / "said").open("rb") as file:
            file.seek(read)
            *lines, rest = file.read().split(b"\n")
            read = file.tell() - len(rest)
        for line in lines:
            promise.hear(line)
            delivered.hear(line)
        if kills % KILLS_A_LINE == 0:
            progress(f"{len(promise.ended())} of {count} offline transactions written, {kills} kills")
    return promise, delivered, kills


async def _told(path: Path, promise: Promise, delivered: Delivered, case: Case, remark: Remark, progress: Remark) -> None:
    """A real station takes the store over, and tells it to a CSMS."""
    csms = Csms()
    world = World(path / "world", csms, await csms.start("127.0.0.1", 0))
    firmware = path / "world" / "state" / "firmware"
    shutil.copytree(path / "state", firmware)
    try:
        await world.up(VERSION)
        began = time.monotonic()
        slowest_s = await _until_told(world, len(promise.wills), progress)
        took_s = time.monotonic() - began
        messages = sum(len(transaction.seqs) for transaction in csms.book.transactions)
        remark(f"{messages} messages were told in {took_s:.0f} s, {messages / took_s:.0f} a second, while the station was killed {KILLS} times.")
        remark(f"Meanwhile a connector's status was told within {slowest_s:.2f} s.")
        with contextlib.suppress(AssertionError):  # what was cut off ends once its meter had its time; judged below
            await world.told(lambda csms: all(transaction.ended for transaction in csms.book.transactions), 60)
        if slowest_s > STATUS_S:
            case.wrong.append(f"a status was told after {slowest_s:.1f} s")
        _compare(csms, promise, case)
        case.wrong += energy_wrong(csms.book.transactions, delivered, promise.ended(), case)
    finally:
        await world.down()
        await csms.stop()


async def _until_told(world: World, facts: int, progress: Remark) -> float:
    """Kills the station at even shares of the way; between, a car comes and goes. Returns the longest time until its status was told."""
    slowest_s, killed = 0.0, 0
    while True:
        waiting = (await world.until(lambda s: s["station"] is not None, 60))["station"]["facts_waiting"]
        if not waiting:
            return slowest_s
        if killed < KILLS and waiting < facts * (KILLS - killed) / (KILLS + 1):
            killed += 1
            progress(f"{waiting} of {facts} facts are still to be told; the station is killed")
            await world.post("kill", {"process": "station", "signal": "KILL"})
            await world.until(lambda s: s["station"] is not None and s["station"]["registration"] == "accepted", 60)
        for act, word in ((world.plug_in, "Occupied"), (world.unplug, "Available")):
            await act()
            began = time.monotonic()
            await world.told(lambda csms, word=word: csms.book.station("CP001").statuses.get("1/1") == word, 60)  # type: ignore[misc]  # a default
            slowest_s = max(slowest_s, time.monotonic() - began)
            await asyncio.sleep(1.0)


def _compare(csms: Csms, promise: Promise, case: Case) -> None:
    heard = {transaction.id: transaction for transaction in csms.book.transactions}
    wanted: dict[str, list[int]] = {}
    for transaction, seq in promise.wills:
        if (transaction, seq) in promise.kept:
            wanted.setdefault(transaction, []).append(seq)
    case.lost = sum(len(set(seqs) - set(heard[id].seqs if id in heard else ())) for id, seqs in wanted.items())
    case.doubled = sum(transaction.repeats for transaction in csms.book.transactions)
    if case.lost:
        case.wrong.append(f"{case.lost} facts never came")
    if case.doubled > KILLS:
        case.wrong.append(f"{case.doubled} messages came twice")
    gaps = [id for id, transaction in heard.items() if transaction.seqs != list(range(len(transaction.seqs))) or not transaction.ended]
    if gaps:
        case.wrong.append(f"{len(gaps)} transactions have gaps, another order or no end: {gaps[:3]}")
    order = [id for id in wanted if id in heard]
    if order != [transaction.id for transaction in csms.book.transactions if transaction.id in wanted]:
        case.wrong.append("transactions came in another order than they began")
    case.wrong += [f"the CSMS saw: {seen}" for seen in csms.book.violations[:5]]


def energy_wrong(told: Sequence[Transaction], delivered: Delivered, ended: Collection[str], case: Case) -> Iterator[str]:
    """What was told of each transaction against what flowed in it: 1 Wh, and of those that the last kill cut off, whose meter never answered again,
    a minute. Fills in the largest difference."""
    wrong = []
    for transaction in told:
        flowed = delivered.of.get(transaction.id)
        if flowed is None:
            yield f"a transaction nobody began: {transaction.id}"
            continue
        error_wh = abs(transaction.energy_wh() - flowed)
        case.energy_error_wh = max(case.energy_error_wh, error_wh)
        if error_wh > (WITHIN_WH if transaction.id in ended else BOUND_WH):
            wrong.append(f"{transaction.id}: {transaction.energy_wh():g} told of {flowed:g} Wh")
    if wrong:
        yield f"the energy of {len(wrong)} transactions is wrong: {wrong[:3]}"


def main() -> None:
    root, version, number = sys.argv[1:]
    logging.disable(logging.CRITICAL)
    asyncio.run(write(Path(root), version, int(number)))


if __name__ == "__main__":
    main()
