"""What is not committed outlives a kill by the tail and a power cut by the mark, whatever page was torn."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from chargepoint.store import db as db_module
from chargepoint.store.db import Db
from chargepoint.store.mark import PAGE, PAGES, Mark
from chargepoint.store.tail import Tail
from chargepoint.store.values import Values

OWNER = b"ownerown"
BOOT = "6f8b4c1e-0000-4000-8000-000000000001"


def opened(directory: Path, boot: str = BOOT) -> Db:
    (directory / "run").mkdir(parents=True, exist_ok=True)
    return Db(directory / "state" / "station.db", alone=True, runtime=directory / "run", boot=boot)


def killed(directory: Path, to: Path) -> Path:
    """The files as a killed process leaves them: what it wrote is in the kernel's hands."""
    shutil.copytree(directory, to)
    return to


def cut(directory: Path, to: Path) -> Path:
    """The files as a power cut leaves them at the worst: what is in memory has gone."""
    shutil.copytree(directory / "state", to / "state")
    return to


def say(db: Db, name: str, value: object) -> None:
    with db.transaction(durable=False):
        Values(db).set(name, value)


def said(db: Db, *names: str) -> list[int | None]:
    found = [Values(db).get(name, int) for name in names]
    db.close()
    return found


# the file by itself


def test_records_of_a_round_are_read_in_order(tmp_path: Path) -> None:
    mark = Mark(tmp_path / "a.mark")
    records = [b"one", os.urandom(2 * PAGE), b""]
    for number, record in enumerate(records):
        mark.write(OWNER, 7, number, record)
    mark.reserve()
    assert list(Mark(mark.path).read(OWNER, 7)) == records
    assert list(mark.read(OWNER, 8)) == list(mark.read(b"stranger", 7)) == []
    assert mark.path.stat().st_size == PAGES * PAGE


def test_a_new_round_starts_at_the_first_page_and_hides_the_former(tmp_path: Path) -> None:
    mark = Mark(tmp_path / "a.mark")
    for number in range(3):
        mark.write(OWNER, 1, number, b"old%d" % number)
    mark.begin()
    mark.write(OWNER, 2, 0, b"new")
    assert list(mark.read(OWNER, 2)) == [b"new"] and list(mark.read(OWNER, 1)) == []


def test_a_full_round_says_so(tmp_path: Path) -> None:
    mark = Mark(tmp_path / "a.mark")
    for number in range(PAGES):
        assert mark.fits(100)
        mark.write(OWNER, 1, number, b"x" * 100)
    assert not mark.fits(1)
    mark.begin()
    assert mark.fits(PAGE * (PAGES - 1))


@pytest.mark.parametrize("torn", [0, 1, 20, 31, 32, 40, 512, 4095])
def test_a_torn_page_takes_its_own_record_and_no_other(tmp_path: Path, torn: int) -> None:
    """torn: bytes of the last page that reached the disk; the others are what stood there, or noise."""
    mark = Mark(tmp_path / "a.mark")
    payloads = [os.urandom(4000) for _ in range(3)]
    for number, payload in enumerate(payloads):
        mark.write(OWNER, 1, number, payload)
    content = bytearray(mark.path.read_bytes())
    for rest in (bytes(PAGE), os.urandom(PAGE)):
        content[2 * PAGE + torn : 3 * PAGE] = rest[torn:]
        mark.path.write_bytes(content)
        read = list(mark.read(OWNER, 1))
        assert read == (payloads if torn == 4095 else payloads[:2])


def test_any_content_is_read_as_nothing(tmp_path: Path) -> None:
    chance = random.Random(5)
    mark = Mark(tmp_path / "a.mark")
    assert list(mark.read(OWNER, 1)) == []
    for length in (0, 10, 31, 32, 33, PAGE, 10 * PAGE):
        mark.path.write_bytes(chance.randbytes(length))
        assert list(mark.read(OWNER, 1)) == []


def test_the_tail_is_of_one_boot_and_one_place(tmp_path: Path) -> None:
    tail = Tail(tmp_path / "a.tail", BOOT)
    tail.add(OWNER, 3, 2, b"one")
    tail.add(OWNER, 3, 2, b"two")
    assert list(Tail(tail.path, BOOT).read(OWNER, 3, 2)) == [b"one", b"two"]
    assert list(Tail(tail.path, "another").read(OWNER, 3, 2)) == []
    assert list(tail.read(OWNER, 3, 1)) == list(tail.read(OWNER, 2, 2)) == list(tail.read(b"stranger", 3, 2)) == []
    whole = tail.path.read_bytes()
    tail.path.write_bytes(whole[:-1])
    assert list(tail.read(OWNER, 3, 2)) == [b"one"]
    tail.path.write_bytes(whole)
    tail.begin()
    tail.add(OWNER, 3, 3, b"x")
    assert list(tail.read(OWNER, 3, 3)) == [b"x"]
    tail.begin()
    tail.add(OWNER, 3, 4, b"new")  # as long as the one there was, with another behind it
    assert list(tail.read(OWNER, 3, 4)) == [b"new"]


def test_records_that_were_left_stay_when_more_are_written(tmp_path: Path) -> None:
    mark = Mark(tmp_path / "a.mark")
    mark.write(OWNER, 1, 0, b"left")
    again = Mark(mark.path)
    assert list(again.read(OWNER, 1)) == [b"left"]
    again.write(OWNER, 1, 1, b"more")
    assert list(Mark(mark.path).read(OWNER, 1)) == [b"left", b"more"] and again.last() == (OWNER, 1)


# with the database


def pages(file: Path) -> list[bytes]:
    content = file.read_bytes()
    return [content[at : at + PAGE] for at in range(0, len(content), PAGE)]


def test_what_is_durable_costs_one_page_and_one_sync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    db = opened(tmp_path / "a")
    state = tmp_path / "a" / "state"
    syncs: list[int] = []
    sync = os.fdatasync
    monkeypatch.setattr(os, "fdatasync", lambda file: (syncs.append(file), sync(file)))
    for number in range(20):
        say(db, "before", number)
        mark, log = pages(state / "station.mark"), (state / "station.db-wal").read_bytes()
        syncs.clear()
        with db.transaction():
            for name in range(5):
                Values(db).set(f"n{name}", "x" * 300)
        assert sum(one != other for one, other in zip(mark, pages(state / "station.mark"), strict=True)) == 1
        assert len(syncs) == 1 and (state / "station.db-wal").read_bytes() == log
    assert said(opened(cut(tmp_path / "a", tmp_path / "b")), "before") == [19]


@pytest.mark.parametrize("length", [0, 3900, 3950, 4000, 4050, 4100, 60_000])
def test_a_record_of_any_length_comes_back(tmp_path: Path, length: int) -> None:
    db = opened(tmp_path / "a")
    text = os.urandom(length).hex()[:length]
    Values(db).set("text", text)
    again = opened(cut(tmp_path / "a", tmp_path / "b"))
    assert Values(again).get("text", str) == text
    again.close()


def test_what_is_large_is_committed_at_once(tmp_path: Path) -> None:
    db = opened(tmp_path / "a")
    mark = (tmp_path / "a" / "state" / "station.mark").read_bytes()
    with db.transaction():
        for number in range(1000):
            Values(db).set(f"n{number}", number)
    assert (tmp_path / "a" / "state" / "station.mark").read_bytes() == mark
    assert said(opened(cut(tmp_path / "a", tmp_path / "b")), "n0", "n999") == [0, 999]


def test_a_commit_leaves_the_mark_nothing_to_say(tmp_path: Path) -> None:
    db = opened(tmp_path / "a")
    Values(db).set("durable", 1)
    say(db, "later", 2)
    db.commit()
    assert not db.unsynced
    place = cut(tmp_path / "a", tmp_path / "b")
    (place / "state" / "station.mark").unlink()
    assert said(opened(place), "durable", "later") == [1, 2]


@pytest.mark.parametrize("whole", [1, 0])
def test_what_the_mark_holds_outlives_a_damaged_database(tmp_path: Path, whole: int) -> None:
    """whole: so much of the database's bytes can be read behind its header."""
    db = opened(tmp_path / "a")
    Values(db).set("early", 1)
    db.close()
    db = opened(tmp_path / "a")
    db.execute("INSERT INTO notes (txn, note) VALUES ('a', '1')")
    Values(db).set("durable", 2)
    place = cut(tmp_path / "a", tmp_path / "b")
    file = place / "state" / "station.db"
    content = file.read_bytes()
    file.write_bytes(b"\xff" * 64 + (content[64:] if whole else bytes(len(content))))
    again = opened(place)
    assert again.was_corrupt and Values(again).get("durable", int) == 2
    assert again.execute("SELECT txn, note FROM notes").fetchall() == [("a", "1")]
    again.close()
    assert said(opened(place), "durable") == [2]


def test_what_was_remembered_of_rows_goes_with_a_transaction_that_fails(tmp_path: Path) -> None:
    db = opened(tmp_path / "a")
    known = db.remembered("rows")
    with db.transaction():
        known["a"] = 1
    assert db.remembered("rows") == {"a": 1} and db.remembered("others") == {}
    with pytest.raises(RuntimeError), db.transaction():
        known["b"] = 2
        raise RuntimeError
    assert db.remembered("rows") == {}


def test_a_kill_takes_nothing_and_a_power_cut_what_came_after_the_mark(tmp_path: Path) -> None:
    db = opened(tmp_path / "a")
    say(db, "marked", 1)
    db.mark()
    say(db, "after", 2)
    assert db.unsynced
    assert said(opened(killed(tmp_path / "a", tmp_path / "b")), "marked", "after") == [1, 2]
    assert said(opened(cut(tmp_path / "a", tmp_path / "c")), "marked", "after") == [1, None]


def test_the_next_durable_transaction_takes_along_what_was_not(tmp_path: Path) -> None:
    db = opened(tmp_path / "a")
    say(db, "one", 1)
    Values(db).set("two", 2)
    assert not db.unsynced
    assert said(opened(cut(tmp_path / "a", tmp_path / "b")), "one", "two") == [1, 2]


def test_what_was_marked_is_not_said_again_once_it_is_committed(tmp_path: Path) -> None:
    db = opened(tmp_path / "a")
    db.execute("CREATE TABLE counted (n INTEGER)")
    with db.transaction(durable=False):
        db.execute("INSERT INTO counted VALUES (1)")
    db.mark()
    db.execute("INSERT INTO counted VALUES (2)")
    for place in (killed(tmp_path / "a", tmp_path / "b"), cut(tmp_path / "a", tmp_path / "c")):
        for _ in range(2):
            again = opened(place)
            assert again.execute("SELECT n FROM counted ORDER BY n").fetchall() == [(1,), (2,)]
            again.close()


def test_the_start_after_a_power_cut_can_be_cut_too(tmp_path: Path) -> None:
    db = opened(tmp_path / "a")
    say(db, "one", 1)
    db.mark()
    first = cut(tmp_path / "a", tmp_path / "b")
    opened(first)  # killed before it did anything
    again = opened(cut(first, tmp_path / "c"))
    say(again, "two", 2)
    again.mark()
    assert said(opened(cut(tmp_path / "c", tmp_path / "d")), "one", "two") == [1, 2]


def test_a_transaction_that_fails_takes_nothing_of_the_round_with_it(tmp_path: Path) -> None:
    db = opened(tmp_path / "a")
    say(db, "one", 1)
    for durable in (False, True):
        with pytest.raises(RuntimeError), db.transaction(durable=durable):
            Values(db).set("one", 7)
            raise RuntimeError
    assert Values(db).get("one", int) == 1
    assert said(opened(killed(tmp_path / "a", tmp_path / "b")), "one") == [1]


def test_what_does_not_fit_is_said_and_the_rest_is_kept(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    db = opened(tmp_path / "first")
    with db.transaction(durable=False):
        db.execute("INSERT INTO notes (txn, note) VALUES ('a', '1')")
        db.execute("INSERT INTO notes (txn, note) VALUES ('b', '2')")
    left = killed(tmp_path / "first", tmp_path / "second")
    with contextlib.closing(sqlite3.connect(left / "state" / "station.db", isolation_level=None)) as other:
        other.execute("INSERT INTO notes (txn, note) VALUES ('a', 'another')")
    again = opened(left)
    assert again.execute("SELECT txn, note FROM notes ORDER BY txn").fetchall() == [("a", "another"), ("b", "2")]
    assert "1 of 2 statements that were kept do not fit" in caplog.text
    db.close()
    again.close()


def test_at_most_twenty_wait_for_a_mark(tmp_path: Path) -> None:
    db = opened(tmp_path / "a")
    for number in range(150):
        say(db, f"n{number}", number)
        lost = opened(cut(tmp_path / "a", tmp_path / f"b{number}"))
        assert all(Values(lost).get(f"n{n}", int) == n for n in range(number + 1 - db_module.UNSYNCED + 1))
        lost.close()


def test_a_full_mark_is_a_commit(tmp_path: Path) -> None:
    db = opened(tmp_path / "a")
    for number in range(PAGES + 5):
        say(db, f"n{number}", number)
        db.mark()
        assert not db.unsynced
    assert said(opened(cut(tmp_path / "a", tmp_path / "b")), "n0", f"n{PAGES + 4}") == [0, PAGES + 4]


def test_a_mark_that_cannot_be_written_is_a_commit(tmp_path: Path) -> None:
    (tmp_path / "a" / "state" / "station.mark").mkdir(parents=True)
    (tmp_path / "a" / "run" / "station.tail").mkdir(parents=True)
    db = opened(tmp_path / "a")
    say(db, "one", 1)
    assert not db.unsynced
    assert said(opened(cut(tmp_path / "a", tmp_path / "b")), "one") == [1]


def test_another_database_takes_nothing_from_a_mark_it_does_not_own(tmp_path: Path) -> None:
    db = opened(tmp_path / "a")
    say(db, "one", 1)
    db.mark()
    place = cut(tmp_path / "a", tmp_path / "b")
    for side in ("", "-wal"):
        (place / "state" / f"station.db{side}").unlink()
    assert said(opened(place), "one") == [None]


WRITER = """
import sys
from pathlib import Path
from chargepoint.store.db import Db
from chargepoint.store.values import Values
where = Path(sys.argv[1])
db = Db(where / "state" / "station.db", alone=True, runtime=where / "run", boot="b")
values, number = Values(db), (Values(db).get("n", int) or 0)
print("ready", flush=True)
while True:
    number += 1
    with db.transaction(durable=number % 7 == 0):
        values.set("n", number)
        values.set(f"of{number % 5}", number)
    if number % 11 == 0:
        db.mark()
    print(number, flush=True)
"""


def test_a_writer_killed_at_any_moment_loses_nothing_it_had_said(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    chance = random.Random(3)
    for _ in range(5):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
        heard = [writer.stdout.readline() for _ in range(chance.randrange(3, 400))]
        os.kill(writer.pid, signal.SIGKILL)
        heard += writer.communicate()[0].splitlines(keepends=True)
        last = int([line for line in heard if line.endswith("\n")][-1])
        db = opened(tmp_path, "b")
        number = Values(db).get("n", int) or 0
        assert last <= number <= last + 1 and Values(db).get(f"of{number % 5}", int) == number
        db.close()
