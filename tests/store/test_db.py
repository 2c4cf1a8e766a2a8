"""The file itself: transactions, a killed writer, corruption."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

from chargepoint.store import db as module
from chargepoint.store import file as file_module
from chargepoint.store.db import Db, StoreError
from chargepoint.store.values import Values

WRITER = """
import sys
from pathlib import Path
import msgspec
from chargepoint.model.facts import EventKind, TransactionFact, Trigger
from chargepoint.model.stamp import Stamp
from chargepoint.store.db import Db
from chargepoint.store.outbox import Outbox
from chargepoint.store.sessions import Sessions

class Row(msgspec.Struct):
    id: str
    evse: int
    open: bool
    seq: int

db = Db(Path(sys.argv[1]), alone=sys.argv[2] == "alone")
outbox, sessions = Outbox(db), Sessions(db, Row)
row = sessions.get("s") or Row("s", 1, True, 0)
print("ready", flush=True)
while True:
    with db.transaction():
        sessions.save(row)
        at = Stamp(1, row.seq, 0.0, True)
        outbox.append(TransactionFact("s", row.seq, EventKind.UPDATED, Trigger.METER_VALUE_PERIODIC, at, 1, 1))
    print(row.seq, flush=True)
    row.seq += 1
"""


def count(db: Db) -> int:
    return int(db.execute('SELECT COUNT(*) FROM "values"').fetchone()[0])


def test_an_inner_transaction_joins_the_outer(tmp_path: Path) -> None:
    db = Db(tmp_path / "station.db")
    values = Values(db)
    with pytest.raises(RuntimeError), db.transaction():
        values.set("a", 1)
        raise RuntimeError
    assert values.get("a", int) is None
    with db.transaction():
        values.set("a", 1)
        values.set("b", 2)
    assert (values.get("a", int), values.get("b", int)) == (1, 2)


def test_a_failed_inner_transaction_takes_the_outer_with_it(tmp_path: Path) -> None:
    db = Db(tmp_path / "station.db")
    values = Values(db)
    with pytest.raises(StoreError), db.transaction():
        values.set("a", 1)
        with pytest.raises(ValueError), db.transaction():
            values.set("b", 1)
            raise ValueError
    assert count(db) == 0
    values.set("c", 3)
    assert values.get("c", int) == 3


def test_every_transaction_is_synchronous_unless_said(tmp_path: Path) -> None:
    db = Db(tmp_path / "station.db")
    levels = []
    for durable in (True, False, True):
        with db.transaction(durable=durable):
            levels.append(db.execute("PRAGMA synchronous").fetchone()[0])
    assert levels == [2, 1, 2]
    assert db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"


@pytest.mark.parametrize("how", ["alone", "shared"])
def test_a_writer_killed_at_any_moment_leaves_row_and_fact_together(tmp_path: Path, how: str) -> None:
    path = tmp_path / "station.db"
    chance = random.Random(7)
    for _ in range(4):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path), how], stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
        time.sleep(chance.uniform(0.01, 0.15))
        os.kill(writer.pid, signal.SIGKILL)
        said = [int(line) for line in writer.communicate()[0].split("\n")[:-1]]
        assert_together(Db(path, alone=how == "alone"), said[-1] if said else None)


def assert_together(db: Db, said: int | None) -> None:
    """What the writer said it had written is there, and the row stands where its last fact stands."""
    assert not db.was_corrupt
    facts = [row[0] for row in db.execute("SELECT fact FROM transaction_facts ORDER BY id")]
    row = db.execute('SELECT "row" FROM sessions').fetchone()
    db.close()
    if not facts:
        assert row is None and said is None
        return
    seqs = [msgspec.msgpack.decode(fact)["seq"] for fact in facts]
    assert seqs == sorted(seqs)
    assert msgspec.msgpack.decode(row[0])["seq"] == seqs[-1]
    assert said is None or seqs[-1] >= said


def test_alone_nobody_else_gets_in_and_the_log_does_not_grow(tmp_path: Path) -> None:
    path, log = tmp_path / "station.db", tmp_path / "station.db-wal"
    db = Db(path, alone=True)
    size = log.stat().st_size
    assert size >= file_module.LOG_BYTES
    for number in range(1000):
        Values(db).set(f"name{number % 7}", number)
    assert log.stat().st_size == size
    assert not (tmp_path / "station.db-shm").exists()
    with pytest.raises(StoreError, match="locked"):
        Db(path, patience_s=0.0)
    db.close()
    assert Values(Db(path)).get("name5", int) == 999 - (999 - 5) % 7


@pytest.mark.parametrize("damage", ["header", "middle", "cut"])
def test_a_corrupt_file_is_moved_aside(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "station.db"
    db = Db(path)
    for number in range(50):
        Values(db).set(f"name{number}", "x" * 900)
    db.close()
    content = bytearray(path.read_bytes())
    if damage == "header":
        content[:64] = b"\xff" * 64
    elif damage == "middle":
        content[2048:] = bytes(len(content) - 2048)
    else:
        del content[5000:]
    path.write_bytes(content)
    fresh = Db(path)
    assert fresh.was_corrupt
    assert (tmp_path / "station.db.corrupt-1").exists()
    Values(fresh).set("a", 1)
    fresh.close()
    assert not Db(path).was_corrupt


def test_each_corrupt_file_is_kept_under_a_number_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "station.db"
    for number in (1, 2):
        path.write_bytes(b"no database" * 100)
        Db(path).close()
        assert (tmp_path / f"station.db.corrupt-{number}").exists()


def test_corruption_met_while_running_is_found_at_the_next_start(tmp_path: Path) -> None:
    path = tmp_path / "station.db"
    db = Db(path)
    db.execute_many("INSERT INTO local_list VALUES (?, ?)", [(f"token{n:05}", b"x" * 200) for n in range(500)])
    page = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'local_list'").fetchone()[0]
    size = db.execute("PRAGMA page_size").fetchone()[0]
    db.close()
    content = bytearray(path.read_bytes())
    content[(page - 1) * size : page * size] = b"\x5a" * size
    path.write_bytes(content)
    damaged = Db(path)
    assert not damaged.was_corrupt
    with pytest.raises(StoreError):
        damaged.execute("SELECT info FROM local_list WHERE token = 'token00001'").fetchone()
    damaged.close()
    assert Db(path).was_corrupt


def test_a_newer_layout_keeps_what_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "station.db"
    Values(Db(path)).set("a", 1)
    monkeypatch.setattr(module, "MIGRATIONS", (*module.MIGRATIONS, ("CREATE TABLE further (x INTEGER)",)))
    newer = Db(path)
    assert Values(newer).get("a", int) == 1
    assert newer.execute("PRAGMA user_version").fetchone()[0] == len(module.MIGRATIONS)


def test_a_path_that_cannot_be_opened_is_an_error_with_the_path(tmp_path: Path) -> None:
    (tmp_path / "station.db").mkdir()
    with pytest.raises(StoreError, match=r"station\.db"):
        Db(tmp_path / "station.db")


def test_a_full_disk_is_an_error_and_nothing_is_kept(tmp_path: Path) -> None:
    db = Db(tmp_path / "station.db")
    values = Values(db)
    values.set("a", 1)
    pages = db.execute("PRAGMA page_count").fetchone()[0]
    db.execute(f"PRAGMA max_page_count={pages}")
    with pytest.raises(StoreError, match="full"), db.transaction():
        values.set("a", 2)
        values.set("b", "x" * 100_000)
    assert db.trouble is not None
    assert values.get("a", int) == 1
    db.execute("PRAGMA max_page_count=100000")
    values.set("a", 3)
    assert db.trouble is None
