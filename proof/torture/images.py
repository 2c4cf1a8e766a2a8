"""Cut power, image by image: rebuilds what a cut at any moment of a recorded workload could leave, and lets the real recovery open each.

An image is known by version, seed and number. Must not know worlds.
"""

from __future__ import annotations

import asyncio
import random
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from chargepoint.model.facts import Delivery, EventKind, TransactionFact
from chargepoint.model.idtoken import IdToken
from chargepoint.store.book import Book
from chargepoint.store.damaged import Damaged
from chargepoint.store.db import StoreError
from chargepoint.store.schema import MIGRATIONS
from chargepoint.store.tokens import Tokens
from proof.torture import promise
from proof.torture.disk import Cut, Disk, Image
from proof.torture.paper import WH_PER_S, PaperStation, settings_of
from proof.torture.promise import Promise
from proof.torture.recording import SAID, Recording, directory, record
from proof.torture.workload import WALL_S
from tests.offline.scene import PaperCsms
from tests.simclock import SimulatedClock
from tests.station.station_rig import CARD

VERSIONS = ("ocpp2.0.1", "ocpp1.6")
STATE = "state/"
OF_ONE = 250
"""So many images are made of one recording; the next ones of another."""
START_SHARE = 0.25
"""So many cuts fall into the opening of the store: creation, the log of a former run, migration."""
MIGRATION_SHARE = 0.1
"""So many of a recording with an older layout fall into the opening that brings it to the newest."""
TELLING_SHARE, SILENT_SHARE, LEDGER_SHARE = 0.1, 0.1, 0.3
"""So many stations also tell everything to a CSMS; find their meters silent after the cut; have their ledger verified."""
BOUND_WH = WH_PER_S * 70.0
"""What may be missing when the meter never answers again: a minute, and the store's patience."""
ANY = 100_000
A_YEAR_S = 365 * 86_400.0


class When(StrEnum):
    """What the station was about."""

    RUNNING = ""
    OPENING = "while the store opens"
    MIGRATION = "while an older layout is brought to the newest"


@dataclass
class Judged:
    """One image and what came of it. doubled: answered messages that are told again."""

    version: str
    number: int
    cut: Cut
    position: int
    when: When
    lost: int = 0
    doubled: int = 0
    energy_error_wh: float = 0.0
    missing_wh: float = 0.0
    wrong: list[str] = field(default_factory=list)


def placed(recording: Recording, seed: int, number: int) -> tuple[int, When, random.Random]:
    """Where the cut of an image falls, and the chance that decides all else about it."""
    chance = random.Random(f"{seed}/{recording.version}/{number}")
    share = chance.random()
    if recording.migration is not None and share < MIGRATION_SHARE:
        return chance.randint(*recording.migration), When.MIGRATION, chance
    opening = share < START_SHARE
    first, last = chance.choice(recording.openings) if opening else (0, len(recording.operations) - 1)
    position = chance.randint(first, last)
    return recording.aside.stop if position in recording.aside else position, When.OPENING if opening else When.RUNNING, chance


async def judged(recording: Recording, seed: int, numbers: Sequence[int]) -> list[Judged]:
    """The images of these numbers, by the moments of their cuts."""
    places = sorted(((*placed(recording, seed, number), number) for number in numbers), key=lambda one: one[0])
    disk, heard, done = Disk(), Promise(), 0
    results = []
    with directory() as path:
        for position, when, chance, number in places:
            for operation in recording.operations[done : position + 1]:
                disk.apply(operation)
                if operation.path == SAID and operation.what == "W":
                    heard.hear(operation.data)
            done = position + 1
            results.append(Judged(recording.version, number, chance.choice(tuple(Cut)), position, when))
            image = {name.removeprefix(STATE): data for name, data in disk.image(results[-1].cut, chance).items() if name.startswith(STATE)}
            await _judge(results[-1], image, heard, chance, path / str(number))
    return results


async def _judge(result: Judged, image: Image, heard: Promise, chance: random.Random, path: Path) -> None:
    (path / "state").mkdir(parents=True)
    for name, content in image.items():
        (path / "state" / name).write_bytes(content)
    clock = SimulatedClock(start_s=5.0, wall_s=WALL_S + A_YEAR_S, boot_id="after the cut")
    csms = PaperCsms(result.version, {CARD: "Accepted"})
    try:
        station = PaperStation(path / "state", path / "run", clock, settings_of(result.version, 900), heard.wh, csms=csms)
    except StoreError as error:
        result.wrong.append(f"does not open: {error}")
        return
    try:
        await _recover(result, station, heard, chance)
    finally:
        await station.end()
        station.db.close()
        shutil.rmtree(path)


async def _recover(result: Judged, station: PaperStation, heard: Promise, chance: random.Random) -> None:
    if station.db.was_corrupt:
        result.wrong.append("taken for corrupt and moved aside")
    if station.db.execute("PRAGMA user_version").fetchone()[0] != len(MIGRATIONS):
        result.wrong.append("not of the newest layout")
    if Damaged(station.db).count():
        result.wrong.append("rows cannot be read")
    if result.when is When.MIGRATION and Tokens(station.db).listed(IdToken(CARD)) is None:
        result.wrong.append("the local list is lost")
    before = promise.keys(waiting(station))
    result.lost, result.doubled = len(promise.lost(heard, before)), len(promise.again(heard, before))
    result.wrong += promise.broken(heard, before, station.core.sessions.store.open_rows())
    silent = chance.random() < SILENT_SHARE
    for meter in station.meters.values():
        meter.silent = silent
    station.begin()
    await station.second(35 if silent else 3)
    facts = waiting(station)
    if promise.keys(facts)[: len(before)] != before:
        result.wrong.append("the recovery changed what waited")
    result.wrong += promise.unfinished(heard, facts)
    _energy(result, facts[len(before) :], heard.wh, silent=silent)
    if chance.random() < LEDGER_SHARE:
        result.wrong += _ledger(Book(station.db))
    if chance.random() < TELLING_SHARE:
        await _tell(result, station, facts)


def _energy(result: Judged, ends: Sequence[TransactionFact], wh: dict[int, float], *, silent: bool) -> None:
    """What the recovery ended is told with the register there is, or, from a silent meter, with the last that is known."""
    for fact in ends:
        if fact.kind is not EventKind.ENDED or fact.register_wh is None:
            continue
        missing = wh.get(fact.evse, 0.0) - fact.register_wh
        if silent:
            result.missing_wh = max(result.missing_wh, missing)
            if not 0 <= missing <= BOUND_WH:
                result.wrong.append(f"EVSE {fact.evse}: {missing:g} Wh are missing while the meter is silent")
        else:
            result.energy_error_wh = max(result.energy_error_wh, abs(missing))
            if missing:
                result.wrong.append(f"EVSE {fact.evse}: told {fact.register_wh:g} Wh where the meter shows {wh.get(fact.evse):g}")


def _ledger(book: Book) -> Iterator[str]:
    """What `chargepoint sessions verify` would find wrong."""
    yield from book.whole()
    for session in book.chains.all():
        judged = book.judge(session)
        wrong = [judged.wrong, *(verdict.wrong for _, verdict in judged.chains)]
        yield from (f"ledger: {one}" for one in wrong if one)


async def _tell(result: Judged, station: PaperStation, facts: Sequence[TransactionFact]) -> None:
    """A CSMS hears every fact once, in order."""
    station.online()
    if not await station.all_told():
        result.wrong.append("not everything could be told")
    told = [(action, payload) for action, payload in station.csms.heard]
    if result.version == "ocpp1.6":
        words = {"StartTransaction": EventKind.STARTED, "StopTransaction": EventKind.ENDED}
        heard = [words[action] for action, _ in told if action in words]
        wanted = [fact.kind for fact in facts if fact.kind in words.values()]
        if heard != wanted:
            result.wrong.append(f"the CSMS heard {heard} where {wanted} waited")
        return
    events = [(payload["transactionInfo"]["transactionId"], payload["seqNo"]) for action, payload in told if action == "TransactionEvent"]
    if events != promise.keys(facts):
        result.wrong.append("the CSMS heard other events than those that waited, or in another order")


def waiting(station: PaperStation) -> list[TransactionFact]:
    """The transaction facts to be told, in order."""
    return [one.fact for one in station.outbox.some(Delivery.TRANSACTION, ANY) if isinstance(one.fact, TransactionFact)]


def run(version: str, seed: int, numbers: Sequence[int]) -> list[Judged]:
    """Judges images; those of one recording belong together. Raises NoCompiler, Unseen."""
    results: list[Judged] = []
    for group in sorted({number // OF_ONE for number in numbers}):
        recording = record(version, f"{seed}.{group}")
        results += asyncio.run(judged(recording, seed, [number for number in numbers if number // OF_ONE == group]))
    return results
