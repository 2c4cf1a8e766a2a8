"""How often the disk is written, counted: what must outlive a power cut is one sync, what need not is none, however often it comes and goes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from chargepoint.link.messages import EdgeKind
from chargepoint.model.facts import TransactionFact
from chargepoint.model.questions import Registration
from chargepoint.station.backend import CONNECTION, Backend
from chargepoint.station.monitoring import Monitoring
from chargepoint.station.registers import Registers
from chargepoint.store.boots import Boots
from chargepoint.store.db import UNSYNCED, Db
from chargepoint.store.mark import PAGE, Mark
from chargepoint.store.outbox import Outbox
from chargepoint.store.values import Values
from tests.simclock import SimulatedClock
from tests.station.station_rig import CARD, FakeCsms, Rig

TIMES = 200


@pytest.fixture
def syncs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Bytes of each record of the mark, in its order: a page and a sync each."""
    written: list[int] = []
    write = Mark.write

    def counted(mark: Mark, owner: bytes, round: int, number: int, payload: bytes) -> None:
        written.append(len(payload))
        write(mark, owner, round, number, payload)

    monkeypatch.setattr(Mark, "write", counted)
    return written


@pytest.fixture
def db(tmp_path: Path) -> Db:
    (tmp_path / "run").mkdir()
    return Db(tmp_path / "state" / "station.db", alone=True, runtime=tmp_path / "run", boot="boot-1")


def after_cut(tmp_path: Path) -> Db:
    """The store as a power cut leaves it at the worst."""
    shutil.copytree(tmp_path / "state", tmp_path / "cut")
    return Db(tmp_path / "cut" / "station.db", alone=True, runtime=tmp_path / "cut", boot="boot-2")


async def test_a_session_is_written_in_twelve_syncs_at_most(tmp_path: Path, syncs: list[int]) -> None:
    rig = Rig(SimulatedClock(), tmp_path / "station.db", alone=True)
    rig.online()
    rig.accept(CARD)
    syncs.clear()
    rig.control.plug()
    await rig.seconds(2)
    await rig.swipe()
    rig.control.offer()
    rig.control.close()
    await rig.seconds(30)
    await rig.swipe()
    rig.control.open(why="permit")
    await rig.seconds(5)
    rig.control.unplug(cable=True)
    await rig.seconds(5)
    assert [fact.kind.value for fact in rig.facts if isinstance(fact, TransactionFact)][-1] == "Ended"
    assert 0 < len(syncs) <= 12 and max(syncs) < PAGE


def test_faults_that_are_not_severe_are_no_write_each_time(db: Db, syncs: list[int]) -> None:
    monitoring = Monitoring(SimulatedClock(), db, Outbox(db).append)
    for _ in range(TIMES):
        monitoring.faults(1, ("meter_lost",))
        monitoring.faults(1, ())
    assert len(syncs) == 2 * TIMES // UNSYNCED


def test_a_severe_fault_outlives_a_power_cut_with_what_was_told_before(tmp_path: Path, db: Db, syncs: list[int]) -> None:
    monitoring = Monitoring(SimulatedClock(), db, Outbox(db).append)
    monitoring.faults(1, ("meter_lost",))
    assert syncs == []
    monitoring.faults(1, ("diode", "meter_lost"))
    assert len(syncs) == 1
    cut = after_cut(tmp_path)
    outbox = Outbox(cut)
    assert outbox.waiting() == 1
    Monitoring(SimulatedClock(), cut, outbox.append).faults(1, ("diode", "meter_lost"))
    assert outbox.waiting() == 1, "neither is told again"


def test_a_line_that_comes_and_goes_is_no_write_each_time(tmp_path: Path, db: Db, syncs: list[int]) -> None:
    backend: Backend[FakeCsms] = Backend(Values(db), "ws://csms CP001", ("ocpp2.0.1",), lambda key: None)
    backend.line_up(FakeCsms("ocpp2.0.1"))
    backend.registered(Registration.ACCEPTED)
    syncs.clear()
    for _ in range(TIMES):
        backend.line_down("a test says so")
        backend.line_up(FakeCsms("ocpp2.0.1"))
    assert backend.connection == TIMES + 1 and len(syncs) <= TIMES // UNSYNCED + 1
    with db.transaction():
        db.execute('INSERT OR REPLACE INTO "values" (name, value) VALUES (?, ?)', ("fact", b"x"))
    assert Values(after_cut(tmp_path)).get(CONNECTION, int) == TIMES + 1, "what is written under a connection takes its number along"


async def test_an_offer_that_comes_and_goes_is_no_write_each_time(tmp_path: Path, syncs: list[int]) -> None:
    rig = Rig(SimulatedClock(), tmp_path / "station.db", alone=True)
    rig.online()
    rig.accept(CARD)
    rig.control.plug()
    await rig.swipe()
    await rig.seconds(5)
    syncs.clear()
    for _ in range(UNSYNCED - 2):
        rig.control.edge(1, EdgeKind.OFFERED, "0")
    assert rig.sessions.rows[1].interruptions == UNSYNCED - 2 and syncs == []
    assert rig.control.acknowledged


async def test_what_waits_for_the_mark_waits_a_minute_from_the_last_write_on(db: Db, syncs: list[int]) -> None:
    """Not from the last second in which nothing waited: an answer comes at once after each write."""
    clock = SimulatedClock()
    registers = Registers(clock, db, Boots(db))

    async def seconds(count: int) -> None:
        for _ in range(count):
            await clock.advance(1.0)
            registers.tick(held=False)

    Values(db).set("answered", 1, durable=False)
    await seconds(30)
    Values(db).set("fact", 2)
    Values(db).set("answered", 2, durable=False)
    await seconds(59)
    assert len(syncs) == 1
    await seconds(2)
    assert len(syncs) == 2 and not db.unsynced
