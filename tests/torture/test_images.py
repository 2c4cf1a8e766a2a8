"""Cut power: of 2,000 disk images none loses a fact, and what would lose one is found."""

from __future__ import annotations

import asyncio
import random
import shutil
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from chargepoint.store.file import connect, migrate
from chargepoint.store.schema import MIGRATIONS
from proof.torture import images, preload
from proof.torture.disk import SECTOR, Cut, Disk
from proof.torture.older import LAYOUTS, take_back
from proof.torture.preload import NoCompiler
from proof.torture.recording import record
from proof.torture.trace import Operation, Unseen, read

SEED = 1
GROUPS = 4


@pytest.mark.parametrize("version", images.VERSIONS)
@pytest.mark.parametrize("group", range(GROUPS))
def test_every_image_of_a_cut_recovers(version: str, group: int) -> None:
    numbers = range(group * images.OF_ONE, (group + 1) * images.OF_ONE)
    judged = images.run(version, SEED, numbers)
    assert len(judged) == images.OF_ONE
    assert [(one.number, one.cut, one.wrong) for one in judged if one.wrong] == []


def test_an_image_is_the_same_again() -> None:
    alone, among = (images.run("ocpp1.6", SEED, numbers) for numbers in ([7], [3, 7, 9]))
    assert alone == [one for one in among if one.number == 7]


def test_a_store_that_does_not_sync_is_found_out() -> None:
    honest = record("ocpp2.0.1", f"{SEED}.0")
    operations = (one._replace(path="nowhere") if one.what == "S" and one.path.endswith(("wal", "mark")) else one for one in honest.operations)
    lazy = replace(honest, operations=tuple(operations))
    judged = asyncio.run(images.judged(lazy, SEED, range(60)))
    assert sum(one.lost for one in judged) > 0
    assert any(one.wrong for one in judged)


def write(path: str, offset: int, data: bytes) -> Operation:
    return Operation("W", path, "", offset, data, 1)


def named(what: str, path: str, other: str = "", offset: int = 0) -> Operation:
    return Operation(what, path, other, offset, b"", 1)


def left(disk: Disk, cut: Cut, tries: int = 200) -> set[tuple[tuple[str, bytes], ...]]:
    return {tuple(sorted(disk.image(cut, random.Random(number)).items())) for number in range(tries)}


def test_what_was_synced_stays_and_what_was_not_may_go() -> None:
    disk = Disk({"a": b"old"})
    disk.apply(write("a", 0, b"new"))
    assert left(disk, Cut.PREFIX) == {(("a", b"old"),), (("a", b"new"),)}
    disk.apply(named("S", "a"))
    assert all(left(disk, cut) == {(("a", b"new"),)} for cut in Cut)


def test_sectors_keep_versions_of_their_own() -> None:
    disk = Disk({"a": b"0" * (2 * SECTOR)})
    disk.apply(write("a", 0, b"1" * (2 * SECTOR)))
    found = {image[0][1][:1] + image[0][1][-1:] for image in left(disk, Cut.SECTORS)}
    assert found == {b"00", b"01", b"10", b"11"}
    assert {image[0][1][:1] + image[0][1][-1:] for image in left(disk, Cut.PAGES)} == {b"00", b"11"}


def test_a_new_name_and_a_rename_wait_for_the_directory() -> None:
    disk = Disk({"a": b"old"})
    for operation in (named("C", "a.new"), write("a.new", 0, b"new"), named("S", "a.new"), named("R", "a.new", "a")):
        disk.apply(operation)
    assert left(disk, Cut.PREFIX) == {(("a", b"old"),), (("a", b"old"), ("a.new", b"new")), (("a", b"new"),)}
    disk.apply(named("S", ""))
    assert left(disk, Cut.SYNCED) == {(("a", b"new"),)}


def test_a_size_is_kept_apart_from_what_is_in_it() -> None:
    disk = Disk({"a": b""})
    disk.apply(write("a", 0, b"1" * SECTOR))
    assert {image[0][1] for image in left(disk, Cut.SECTORS)} == {b"", b"\0" * SECTOR, b"1" * SECTOR}


SCRIPT = """
import mmap, os, sys
from pathlib import Path
root = Path(sys.argv[1])
(root / "below").mkdir()
file = os.open(root / "below" / "a", os.O_RDWR | os.O_CREAT)
os.write(file, b"one")
os.pwrite(file, b"two", 10)
os.writev(file, [b"thr", b"ee"])
os.ftruncate(file, 12)
os.fdatasync(file)
(root / "b").write_bytes(b"elsewhere")
os.replace(root / "b", root / "c")
os.unlink(root / "c")
directory = os.open(root, os.O_RDONLY)
os.fsync(directory)
(root.parent / "outside").write_bytes(b"not seen")
if len(sys.argv) > 2:
    mmap.mmap(file, 12)
"""


def recorded(tmp_path: Path, *more: str) -> list[Operation]:
    (tmp_path / "root").mkdir()
    environment = preload.environment(tmp_path / "root", trace=tmp_path / "trace")
    subprocess.run([sys.executable, "-c", SCRIPT, str(tmp_path / "root"), *more], env=environment, check=True)
    return read(tmp_path / "trace")


def test_the_recorder_sees_every_write_and_sync_of_its_directory(tmp_path: Path) -> None:
    found = [(one.what, one.path, one.other, one.offset, one.data) for one in recorded(tmp_path)]
    assert found == [
        ("M", "below", "", 0, b""),
        ("C", "below/a", "", 0, b""),
        ("W", "below/a", "", 0, b"one"),
        ("W", "below/a", "", 10, b"two"),
        ("W", "below/a", "", 3, b"three"),
        ("T", "below/a", "", 12, b""),
        ("S", "below/a", "", 0, b""),
        ("C", "b", "", 0, b""),
        ("W", "b", "", 0, b"elsewhere"),
        ("R", "b", "c", 0, b""),
        ("U", "c", "", 0, b""),
        ("S", "", "", 0, b""),
    ]


def test_a_shared_mapping_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Unseen):
        recorded(tmp_path, "mapped")


def test_without_a_compiler_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(NoCompiler, match="apt-get install"):
        preload.library.__wrapped__()


@pytest.mark.parametrize("version", images.VERSIONS)
@pytest.mark.parametrize("group", [number for number in range(GROUPS) if LAYOUTS[number % len(LAYOUTS)]])
def test_cuts_fall_into_the_migration_of_every_older_layout(version: str, group: int) -> None:
    recording = record(version, f"{SEED}.{group}")
    numbers = range(group * images.OF_ONE, (group + 1) * images.OF_ONE)
    placed = [images.placed(recording, SEED, number) for number in numbers]
    assert sum(when is images.When.MIGRATION for _, when, _ in placed) > 10
    assert recording.aside and not any(position in recording.aside for position, _, _ in placed)


@pytest.mark.parametrize("layout", [layout for layout in LAYOUTS if layout])
def test_an_older_layout_is_what_its_firmware_had(layout: int, tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    old = connect(tmp_path / "old" / "station.db")
    migrate(old, MIGRATIONS[:layout])
    new = connect(tmp_path / "station.db")
    migrate(new)
    new.close()
    take_back(tmp_path / "station.db", layout)
    taken = connect(tmp_path / "station.db")
    assert {layout_of_table(old, table) for table in tables(old)} == {layout_of_table(taken, table) for table in tables(taken)}


def tables(connection: sqlite3.Connection) -> list[str]:
    return [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")]


def layout_of_table(connection: sqlite3.Connection, table: str) -> tuple[object, ...]:
    return (table, *connection.execute(f'PRAGMA table_info("{table}")').fetchall())
