"""Storage that fails: nothing is lost while the process lives, nobody's transaction fails, and all of it is written once it can be."""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from chargepoint.store.db import Db, StoreError
from chargepoint.store.file import PAGE_SIZE
from chargepoint.store.values import Values

ROOT = Path(__file__).parents[2]
BOOT = "boot"


def opened(directory: Path) -> Db:
    (directory / "run").mkdir(parents=True, exist_ok=True)
    return Db(directory / "state" / "station.db", alone=True, runtime=directory / "run", boot=BOOT)


def fill(db: Db, count: int) -> None:
    """Facts of transactions, each with its number in it."""
    with db.transaction():
        for number in range(1, count + 1):
            row = (number, f"tx{number // 50}", 0, msgspec.msgpack.encode({"n": number, "more": "x" * 200}))
            db.execute("INSERT INTO transaction_facts (id, txn, light, fact) VALUES (?, ?, ?, ?)", row)


def numbers(db: Db) -> set[int]:
    return {row[0] for row in db.execute("SELECT id FROM transaction_facts")}


@pytest.fixture
def no_writes() -> Iterator[None]:
    """Every write to a file fails (EFBIG): an input/output error to SQLite."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_with_input_output_errors_all_goes_on_in_memory_and_is_written_when_they_are_over(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    db = opened(tmp_path)
    values = Values(db)
    values.set("before", 1)
    values.set("early", 2, durable=False)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        for number in range(100):
            with db.transaction(durable=number % 2 == 0):
                values.set(f"n{number}", number)
            db.mark()
        assert db.in_memory and db.trouble and not db.heal()
        assert [values.get(name, int) for name in ("before", "early", "n0", "n99")] == [1, 2, 0, 99]
        with pytest.raises(RuntimeError), db.transaction():
            values.set("n0", 7)
            raise RuntimeError
        assert values.get("n0", int) == 0
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert db.heal() and not db.in_memory and db.trouble is None
    assert len([record for record in caplog.records if "sessions go on in memory" in record.message]) == 1
    values.set("after", 3)
    db.close()
    again = Values(opened(tmp_path))
    assert [again.get(name, int) for name in ("before", "early", "n0", "n99", "after")] == [1, 2, 0, 99, 3]


def test_a_transaction_is_whole_though_the_storage_fails_in_its_middle(tmp_path: Path, no_writes: None) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    db = opened(tmp_path)
    with db.transaction():
        Values(db).set("one", 1)
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
        fill(db, 20_000)  # more than the cache holds: it spills into the log
    assert db.in_memory and Values(db).get("one", int) == 1 and len(numbers(db)) == 20_000


def test_what_was_kept_outlives_a_transaction_that_fails_while_the_storage_fails(tmp_path: Path, no_writes: None) -> None:
    """Rolling back says the round again, which is more than the cache holds: it goes on in memory, whole."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    db = opened(tmp_path)
    for start in range(0, 1500, 30):
        with db.transaction(durable=False):
            for number in range(start, start + 30):
                row = (number, "tx", 0, msgspec.msgpack.encode("x" * 1500))
                db.execute("INSERT INTO transaction_facts (id, txn, light, fact) VALUES (?, ?, ?, ?)", row)
    assert len(numbers(db)) == 1500 and not db.in_memory
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    with pytest.raises(RuntimeError), db.transaction():
        raise RuntimeError
    assert db.in_memory and len(numbers(db)) == 1500
    Values(db).set("later", 1)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    assert db.heal()
    db.close()
    again = opened(tmp_path)
    assert len(numbers(again)) == 1500 and Values(again).get("later", int) == 1


@pytest.mark.parametrize("bears", [True, False])
def test_a_file_of_which_nothing_can_be_read_is_never_written_over(tmp_path: Path, bears: bool) -> None:
    """Another thing lies in its place at the start: what was kept since goes on beside it, with what the mark holds; a command says so and ends."""
    first = opened(tmp_path)
    Values(first).set("before", 1)
    state = tmp_path / "state"
    shutil.copytree(state, tmp_path / "killed")
    first.close()
    shutil.rmtree(state)
    shutil.copytree(tmp_path / "killed", state)
    (state / "station.db").rename(state / "kept")
    (state / "station.db").mkdir()
    (state / "station.db" / "something").write_text("not ours")
    if not bears:
        with pytest.raises(StoreError):
            Db(state / "station.db", alone=True, bears=False, runtime=tmp_path / "run", boot=BOOT)
        assert (state / "station.db" / "something").exists() and not list(state.glob("*.corrupt-*"))
        return
    db = opened(tmp_path)
    assert db.in_memory and Values(db).get("before", int) == 1
    Values(db).set("later", 2)
    assert db.heal() and db.was_corrupt
    assert (state / "station.db.corrupt-1" / "something").exists()
    db.close()
    again = Values(opened(tmp_path))
    assert [again.get(name, int) for name in ("before", "later")] == [1, 2]


@pytest.mark.parametrize("how", ["runs on", "killed"])
def test_a_full_log_and_a_sound_mark_outlive_a_kill_too(tmp_path: Path, how: str) -> None:
    """The mark has its room from the start: while only the database has none, it takes what is kept."""
    db = opened(tmp_path)
    values = Values(db)
    values.set("before", 1)
    db.execute(f"PRAGMA max_page_count={db.execute('PRAGMA page_count').fetchone()[0]}")
    fill(db, 100)
    assert db.in_memory and db.trouble is not None and "full" in db.trouble
    values.set("later", 2)
    if how == "killed":
        shutil.copytree(tmp_path, tmp_path / "copy")
        db = opened(tmp_path / "copy")
    else:
        assert db.heal()
    assert not db.in_memory and Values(db).get("later", int) == 2 and len(numbers(db)) == 100


def test_a_directory_that_cannot_be_made_is_borne(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file, where the directory should be")
    db = opened(tmp_path)
    assert db.in_memory and db.trouble
    Values(db).set("one", 1)
    assert not db.heal()
    (tmp_path / "state").unlink()
    assert db.heal()
    db.close()
    assert Values(opened(tmp_path)).get("one", int) == 1


def test_corruption_met_while_running_goes_on_in_memory_and_then_in_a_new_file(tmp_path: Path) -> None:
    db = opened(tmp_path)
    fill(db, 5000)
    db.close()
    path = tmp_path / "state" / "station.db"
    content = bytearray(path.read_bytes())
    at = len(content) // PAGE_SIZE // 2 * PAGE_SIZE
    content[at : at + PAGE_SIZE] = b"\x5a" * PAGE_SIZE
    path.write_bytes(content)
    damaged = _unchecked(path, tmp_path)
    seen = damaged.execute("SELECT COUNT(*), SUM(LENGTH(fact)) FROM transaction_facts").fetchone()[0]
    assert damaged.in_memory and 4900 < seen < 5000
    Values(damaged).set("one", 1)
    assert damaged.heal() and damaged.was_corrupt and not damaged.in_memory
    damaged.close()
    again = opened(tmp_path)
    assert len(numbers(again)) == seen and Values(again).get("one", int) == 1
    assert (tmp_path / "state" / "station.db.corrupt-1").exists()


def _unchecked(path: Path, directory: Path) -> Db:
    """Opened as if the damage had come later."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("chargepoint.store.db.check", lambda connection, *, whole: None)
        return Db(path, alone=True, runtime=directory / "run", boot=BOOT)


@pytest.mark.parametrize("damage", ["header", "first page", "one page", "cut", "noise"])
def test_what_can_be_read_of_a_damaged_file_is_in_the_new_one(tmp_path: Path, damage: str) -> None:
    db = opened(tmp_path)
    fill(db, 4000)
    Values(db).set("early", 1)
    db.close()
    path = tmp_path / "state" / "station.db"
    path.write_bytes(_damaged(path.read_bytes(), damage))
    (path.with_name("station.db.suspect")).touch()
    again = opened(tmp_path)
    kept = numbers(again)
    assert again.was_corrupt and not again.in_memory
    assert len(kept) >= {"cut": 1500, "noise": 3000}.get(damage, 3990), len(kept)
    for number in (min(kept), max(kept)):
        blob = again.execute("SELECT fact FROM transaction_facts WHERE id = ?", (number,)).fetchone()[0]
        assert msgspec.msgpack.decode(blob)["n"] == number
    assert (tmp_path / "state" / "station.db.corrupt-1").exists()
    again.close()
    assert not opened(tmp_path).was_corrupt


def _damaged(content: bytes, damage: str) -> bytes:
    made, pages = bytearray(content), len(content) // PAGE_SIZE
    match damage:
        case "header":
            made[:64] = b"\xff" * 64
        case "first page":
            made[:PAGE_SIZE] = bytes(PAGE_SIZE)
        case "one page":
            made[pages // 2 * PAGE_SIZE : (pages // 2 + 1) * PAGE_SIZE] = b"\x5a" * PAGE_SIZE
        case "cut":
            del made[len(made) // 2 :]
        case "noise":
            for page in range(pages // 2, pages, 400):
                made[page * PAGE_SIZE : (page + 1) * PAGE_SIZE] = bytes(range(256)) * 2
    return bytes(made)


def test_a_replacement_that_was_interrupted_is_finished(tmp_path: Path) -> None:
    db = opened(tmp_path)
    Values(db).set("one", 1)
    db.close()
    path = tmp_path / "state" / "station.db"
    path.rename(path.with_name("station.db.new"))
    assert Values(opened(tmp_path)).get("one", int) == 1


# the real thing, in a file system of its own

MOUNTED = """
import subprocess, sys
from pathlib import Path
from chargepoint.store.db import Db
from chargepoint.store.values import Values
where, run, how = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
db = Db(where / "station.db", alone=True, runtime=run, boot="boot")
values = Values(db)
values.set("before", 1)
filler = where / "filler"
if how == "full":
    with filler.open("wb", buffering=0) as file:
        try:
            while True: file.write(bytes(4096))
        except OSError: pass
else:
    db.close()
    subprocess.run(["mount", "-o", "remount,ro", str(where)], check=True)
    db = Db(where / "station.db", alone=True, runtime=run, boot="boot")
    values = Values(db)
    assert db.in_memory and values.get("before", int) == 1
number = 0
while number < 10 or (not db.in_memory and number < 5000):
    number += 1
    values.set(f"n{number}", "x" * 400)
assert db.in_memory, "the storage never failed"
print("failed after", number, db.trouble)
values.set("meanwhile", 2)
assert not db.heal()
if how == "full": filler.unlink()
else: subprocess.run(["mount", "-o", "remount,rw", str(where)], check=True)
assert db.heal(), db.trouble
db.close()
again = Values(Db(where / "station.db", alone=True, runtime=run, boot="boot"))
assert again.get("before", int) == 1 and again.get("meanwhile", int) == 2
assert all(again.get(f"n{n}", str) for n in range(1, number + 1))
print("all is there")
"""


def may_mount() -> bool:
    try:
        return subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


@pytest.mark.skipif(not may_mount(), reason="needs the right to mount a file system")
@pytest.mark.parametrize("how", ["full", "read-only"])
def test_a_file_system_that_is_full_or_read_only(tmp_path: Path, how: str) -> None:
    where, run = tmp_path / "state", tmp_path / "run"
    where.mkdir()
    run.mkdir()
    script = f'mount -t tmpfs -o size=2m none "{where}" && exec "$@"'
    command = ["unshare", "-m", "sh", "-c", script, "sh", sys.executable, "-c", MOUNTED, str(where), str(run), how]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, timeout=120)
    assert done.returncode == 0 and "all is there" in done.stdout, done.stdout + done.stderr


def test_errors_of_the_caller_are_no_trouble_of_the_storage(tmp_path: Path) -> None:
    db = opened(tmp_path)
    with pytest.raises(StoreError, match="syntax"):
        db.execute("INSERT INTO nothing at all")
    assert not db.in_memory
