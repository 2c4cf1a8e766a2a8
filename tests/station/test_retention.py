"""What goes, when, and who is told: by age, by size, and never an untold start or end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from chargepoint.model.facts import Delivery, EventKind, SecurityFact, TransactionFact, Trigger
from chargepoint.model.session import SessionRow
from chargepoint.settings import Ledger
from chargepoint.station.retention import DAY_S, Retention
from chargepoint.station.security import Security
from chargepoint.store.boots import Boots
from chargepoint.store.chain_walk import Verdict
from chargepoint.store.damaged import Damaged
from chargepoint.store.db import Db
from chargepoint.store.given_up import GivenUp
from chargepoint.store.outbox import Outbox
from chargepoint.store.sessions import Sessions
from tests.simclock import SimulatedClock

TX = Delivery.TRANSACTION


class Keeping:
    """A store with its retention, and days that pass."""

    def __init__(self, path: Path, **settings: Any) -> None:
        self.clock = SimulatedClock()
        self.db = Db(path)
        self.boots = Boots(self.db)
        self.clock.boot = self.boots.begin("a")
        self.outbox = Outbox(self.db)
        self.outbox.wall_s = self.clock.wall_s
        self.sessions = Sessions(self.db, SessionRow, lambda row: row.last)
        self.retention = Retention(
            self.clock, self.db, self.boots, self.outbox, Security(self.clock, self.db, self.outbox.append), Ledger(**settings)
        )
        self.count = 0

    async def charge(self, samples: int = 3, *, tell: bool = True) -> None:
        self.count += 1
        at = self.clock.stamp()
        row = SessionRow(id=f"s{self.count}", evse=1, connector=1, began=at, alive=at, start=(), stop=(), last=f"t{self.count}")
        for seq, kind in enumerate((EventKind.STARTED, *[EventKind.UPDATED] * samples, EventKind.ENDED)):
            with self.db.transaction():
                self.outbox.append(TransactionFact(row.last, seq, kind, Trigger.METER_VALUE_PERIODIC, self.clock.stamp(), 1, 1))
                row.open = kind is not EventKind.ENDED
                self.sessions.save(row)
        if tell:
            self.tell()
        await self.clock.advance(DAY_S)

    def tell(self) -> None:
        while (waiting := self.outbox.next(TX)) is not None:
            self.outbox.told(waiting.id)

    async def seconds(self, count: int = 200) -> None:
        for _ in range(count):
            self.retention.tick()
            await self.clock.advance(1.0)

    def kept(self) -> list[str]:
        return [row.last for row in self.sessions.last(1000)][::-1]

    def told_security(self) -> list[SecurityFact]:
        return [waiting.fact for waiting in self.outbox.some(Delivery.GUARANTEED, 1000) if isinstance(waiting.fact, SecurityFact)]

    def verdicts(self) -> list[Verdict]:
        book = self.retention.book
        return [verdict for session in book.chains.all() for _, verdict in book.judge(session).chains]

    def holds(self) -> bool:
        return not any(verdict.wrong for verdict in self.verdicts()) and not list(self.retention.book.whole())


async def test_told_facts_go_by_age(tmp_path: Path) -> None:
    keeping = Keeping(tmp_path / "station.db", keep_days=5)
    for _ in range(30):
        await keeping.charge()
    await keeping.seconds()
    assert keeping.kept() == [f"t{number}" for number in range(27, 31)] and keeping.holds(), "t26 ended five days ago"
    assert keeping.told_security() == [], "what was told may go in silence"


async def test_an_unknown_time_makes_nothing_old(tmp_path: Path) -> None:
    keeping = Keeping(tmp_path / "station.db", keep_days=1)
    for _ in range(5):
        await keeping.charge()
    keeping.clock._known = False
    await keeping.seconds()
    assert len(keeping.kept()) == 5


AHEAD_S = 3 * 365 * DAY_S


def _set_clock(keeping: Keeping, by_s: float, *, noticed: bool = True) -> None:
    keeping.clock.learn_wall(keeping.clock.wall_s() + by_s)
    if noticed:
        keeping.boots.learn(keeping.clock.boot, keeping.clock.wall_s() - keeping.clock.boot_s())


async def test_a_clock_that_was_years_ahead_and_put_right_keeps_nothing_for_years(tmp_path: Path) -> None:
    keeping = Keeping(tmp_path / "station.db", keep_days=5)
    await keeping.charge()
    _set_clock(keeping, AHEAD_S)
    await keeping.charge()
    _set_clock(keeping, -AHEAD_S)
    for _ in range(10):
        await keeping.charge()
    await keeping.seconds()
    assert keeping.kept() == [f"t{number}" for number in range(9, 13)], "t2 went with those of its days"


async def test_a_boot_whose_clock_was_never_put_right_holds_up_nobody_else(tmp_path: Path) -> None:
    keeping = Keeping(tmp_path / "station.db", keep_days=5)
    await keeping.charge()
    _set_clock(keeping, AHEAD_S)
    await keeping.charge()
    keeping.clock.boot = keeping.boots.begin("b")
    _set_clock(keeping, -AHEAD_S)
    for _ in range(10):
        await keeping.charge()
    await keeping.seconds()
    assert keeping.kept() == ["t2", *(f"t{number}" for number in range(9, 13))], "nobody knows when t2 was, but t1 is dated right"


async def test_a_clock_that_jumps_ahead_makes_nothing_old_until_it_has_held_for_a_day(tmp_path: Path) -> None:
    keeping = Keeping(tmp_path / "station.db", keep_days=400)
    for _ in range(10):
        await keeping.charge()
    keeping.clock.boot = keeping.boots.begin("b")
    await keeping.seconds(2)
    _set_clock(keeping, AHEAD_S)
    for _ in range(23):
        await keeping.clock.advance(3600.0)
        await keeping.seconds(2)
    assert len(keeping.kept()) == 10
    await keeping.clock.advance(2 * 3600.0)
    await keeping.seconds()
    assert keeping.kept() == [], "the clock means it"


async def test_untold_facts_do_not_go_by_age(tmp_path: Path) -> None:
    keeping = Keeping(tmp_path / "station.db", keep_days=2)
    for _ in range(10):
        await keeping.charge(tell=False)
    await keeping.seconds()
    assert len(keeping.kept()) == 10 and keeping.outbox.waiting() == 50


async def test_a_full_store_gives_the_oldest_told_then_thins_and_keeps_every_start_and_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chargepoint.station.retention.MB", 100_000)
    keeping = Keeping(tmp_path / "station.db", max_mb=1)
    for number in range(60):
        await keeping.charge(samples=20, tell=number < 30)
    await keeping.seconds(600)
    kept = keeping.kept()
    assert kept == [f"t{number}" for number in range(31, 61)], "what was told went, what waits stays"
    assert keeping.retention.book.used_bytes() <= 100_000 or not keeping.outbox.thin()
    waiting = [waiting.fact for waiting in keeping.outbox.some(TX, 10_000)]
    facts = [(fact.transaction, fact.seq) for fact in waiting if isinstance(fact, TransactionFact)]
    assert {(name, seq) for name in kept for seq in (0, 21)} <= set(facts) and len(facts) < 30 * 22
    assert keeping.holds() and sum(verdict.thinned for verdict in keeping.verdicts()) > 100
    events = keeping.told_security()
    assert events and all(event.type == "MemoryExhaustion" and "intermediate values" in (event.info or "") for event in events)


async def held_for_a_former_csms(keeping: Keeping, count: int) -> None:
    """Each is begun with one CSMS, and told whole to the next."""
    keeping.outbox.change_csms("one")
    for _ in range(count):
        await keeping.charge(samples=20, tell=False)
    begun: set[str] = set()
    for waiting in keeping.outbox.some(TX, 100_000):
        if isinstance(waiting.fact, TransactionFact) and waiting.fact.seq == 0:
            begun.add(waiting.fact.transaction)
            keeping.outbox.told(waiting.id)
    assert len(begun) == count
    keeping.outbox.change_csms("two")
    keeping.tell()


async def test_what_waits_for_a_former_csms_goes_when_the_store_is_full_the_oldest_first_and_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chargepoint.station.retention.MB", 100_000)
    keeping = Keeping(tmp_path / "station.db", max_mb=1, keep_days=1000)
    await held_for_a_former_csms(keeping, 70)
    for _ in range(5):
        await keeping.charge(samples=1)
    assert keeping.retention.book.used_bytes() > 100_000
    await keeping.seconds(300)
    assert keeping.retention.book.used_bytes() <= 100_000
    kept = keeping.kept()
    assert kept == [f"t{number}" for number in range(71 - len(kept), 71)], "first what nobody waits for, then the oldest"
    held = [row[0] for row in keeping.db.execute("SELECT DISTINCT txn FROM transaction_facts").fetchall()]
    said = [event.info or "" for event in keeping.told_security() if "will not be told to one" in (event.info or "")]
    gone = {f"t{number}" for number in range(1, 71)} - set(held)
    assert len(said) == len(gone) > 8 and all(any(f" {name} " in info for info in said) for name in gone)
    assert keeping.holds()
    keeping.outbox.change_csms("one")
    waiting = [one.fact.transaction for one in keeping.outbox.some(TX, 100_000) if isinstance(one.fact, TransactionFact)]
    assert list(dict.fromkeys(waiting)) == held, "who still waits is told the rest"


async def test_what_no_csms_was_told_whole_stays_in_a_full_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chargepoint.station.retention.MB", 1000)
    keeping = Keeping(tmp_path / "station.db", max_mb=1, keep_days=1000)
    keeping.outbox.change_csms("one")
    for _ in range(3):
        await keeping.charge(tell=False)
    waiting = keeping.outbox.some(TX, 100)
    keeping.outbox.told(waiting[0].id)
    keeping.outbox.change_csms("two")
    await keeping.seconds(100)
    facts = [one.fact for one in keeping.outbox.some(TX, 100) if isinstance(one.fact, TransactionFact)]
    assert {(fact.transaction, fact.kind) for fact in facts} >= {
        (f"t{number}", kind) for number in range(1, 4) for kind in (EventKind.STARTED, EventKind.ENDED)
    }


async def test_giving_up_is_a_security_event_and_forgetting_it_another(tmp_path: Path) -> None:
    keeping = Keeping(tmp_path / "station.db", keep_days=3)
    await keeping.charge(tell=False)
    waiting = keeping.outbox.next(TX)
    assert waiting is not None
    keeping.outbox.give_up(waiting.id, "InternalError: no room")
    keeping.tell()
    assert [(event.type, event.info) for event in keeping.told_security()] == [
        ("TransactionFactGivenUp", "Started seq 0 of t1: InternalError: no room")
    ]
    await keeping.clock.advance(5 * DAY_S)
    await keeping.seconds()
    assert keeping.outbox.given_up() == 0 and keeping.told_security()[-1].type == "MemoryExhaustion"


async def refused_charges(keeping: Keeping, count: int, samples: int) -> None:
    """The CSMS refuses every one of their facts."""
    for _ in range(count):
        await keeping.charge(samples=samples, tell=False)
        while (waiting := keeping.outbox.next(TX)) is not None:
            keeping.outbox.give_up(waiting.id, "InternalError: no")
        while (event := keeping.outbox.next(Delivery.GUARANTEED)) is not None:
            keeping.outbox.told(event.id)


async def test_what_was_given_up_gives_way_in_a_full_store_the_oldest_first_but_no_begin_and_no_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chargepoint.station.retention.MB", 180_000)
    keeping = Keeping(tmp_path / "station.db", max_mb=1, keep_days=1000)
    await refused_charges(keeping, 40, 20)
    assert keeping.outbox.given_up() == 40 * 22 and keeping.retention.book.used_bytes() > 180_000
    await keeping.seconds(300)
    assert keeping.retention.book.used_bytes() <= 180_000 and keeping.outbox.given_up() > 80
    left = [(item.transaction, item.seq) for item in GivenUp(keeping.db).list()]
    assert {(f"t{number}", seq) for number in range(1, 41) for seq in (0, 21)} <= set(left)
    between = [item for item in left if item[1] not in (0, 21)]
    assert between == [(f"t{number}", seq) for number in range(1, 41) for seq in range(1, 21)][-len(between) :]
    said = [event.info or "" for event in keeping.told_security()]
    counted = sum(int(info.split()[0]) for info in said if "given-up" in info)
    assert counted == 40 * 22 - keeping.outbox.given_up() and all(event.type == "MemoryExhaustion" for event in keeping.told_security())
    assert keeping.holds()


async def test_a_store_full_of_begins_and_ends_is_not_written_again_and_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each word of what went is a fact itself: it must not be what goes next."""
    monkeypatch.setattr("chargepoint.station.retention.MB", 1)
    keeping = Keeping(tmp_path / "station.db", max_mb=1, keep_days=1000)
    await refused_charges(keeping, 10, 0)
    for _ in range(5):
        await keeping.charge(samples=1, tell=False)
    await keeping.seconds(200)
    for _ in range(3):
        while (event := keeping.outbox.next(Delivery.GUARANTEED)) is not None:
            keeping.outbox.give_up(event.id, "NotImplemented")
        before = keeping.db.execute("SELECT total_changes()").fetchone()
        await keeping.seconds(200)
        assert keeping.db.execute("SELECT total_changes()").fetchone() == before
    facts = [one.fact for one in keeping.outbox.some(TX, 100) if isinstance(one.fact, TransactionFact)]
    assert [fact.seq for fact in facts if fact.kind is not EventKind.UPDATED] == [0, 2] * 5


async def test_security_events_that_nobody_takes_are_bounded_in_a_full_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chargepoint.station.retention.MB", 100_000)
    keeping = Keeping(tmp_path / "station.db", max_mb=1, keep_days=1000)
    for number in range(3000):
        keeping.outbox.append(SecurityFact("StartupOfTheDevice", keeping.clock.stamp(), f"{number}"))
    assert keeping.retention.book.used_bytes() > 100_000
    await keeping.seconds(300)
    kept = [one.fact.info or "" for one in keeping.outbox.some(Delivery.GUARANTEED, 5000) if isinstance(one.fact, SecurityFact)]
    numbers = [int(info) for info in kept if info.isdecimal()]
    said = [info for info in kept if "events that were not told" in info]
    assert numbers == list(range(3000 - len(numbers), 3000)) and 500 < len(numbers) < 3000, "the oldest went"
    assert sum(int(info.split()[0]) for info in said) == 3000 - len(numbers) and keeping.outbox.waiting() == len(kept)


async def test_rows_that_could_not_be_read_go_when_the_store_is_full_once_they_were_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chargepoint.station.retention.MB", 100_000)
    keeping = Keeping(tmp_path / "station.db", max_mb=1, keep_days=1000)
    await keeping.charge()
    damaged = Damaged(keeping.db)
    for number in range(200):
        damaged.put("values", f"{number}", bytes([number]) * 1000, "no MessagePack")
    damaged.said([found for found in damaged.unsaid() if int(found.key) < 150], keeping.clock.wall_s())
    await keeping.seconds(200)
    left = [int(found.key) for found in damaged.all()]
    assert left == list(range(200 - len(left), 200)) and 50 <= len(left) < 150, "the oldest of those that were said"
    assert keeping.kept() == ["t1"] and keeping.holds(), "the ledger stays where they are enough"


async def test_what_was_kept_before_the_time_was_known_is_not_old_once_it_is(tmp_path: Path) -> None:
    keeping = Keeping(tmp_path / "station.db", keep_days=3)
    known_s = keeping.clock.wall_s()
    keeping.clock.learn_wall(100.0)
    keeping.clock._known = False
    await refused_charges(keeping, 1, 0)
    damaged = Damaged(keeping.db)
    damaged.put("values", "a", b"x", "no MessagePack")
    damaged.said(damaged.unsaid(), keeping.clock.wall_s())
    keeping.clock.learn_wall(known_s)
    await keeping.seconds(200)
    assert (keeping.outbox.given_up(), damaged.count()) == (2, 1)
    await keeping.clock.advance(4 * DAY_S)
    await keeping.seconds(200)
    assert (keeping.outbox.given_up(), damaged.count()) == (0, 0)


async def test_a_store_with_nothing_to_do_is_not_written(tmp_path: Path) -> None:
    keeping = Keeping(tmp_path / "station.db")
    for _ in range(3):
        await keeping.charge()
    before = keeping.db.execute("PRAGMA data_version").fetchone(), (tmp_path / "station.db-wal").stat().st_mtime_ns
    await keeping.seconds(300)
    assert (keeping.db.execute("PRAGMA data_version").fetchone(), (tmp_path / "station.db-wal").stat().st_mtime_ns) == before
