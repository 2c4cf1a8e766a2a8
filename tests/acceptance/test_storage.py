"""Storage that fails under the whole charge point: cars charge, bills are kept, and all of it is told and written in the end."""

from __future__ import annotations

import asyncio
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.world import World

MOUNT = ("mount", "-t", "tmpfs", "-o", "size=2m", "none")


def may_mount() -> bool:
    try:
        return subprocess.run(["unshare", "-m", *MOUNT, "/mnt"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


@contextmanager
def small_disk(at: Path) -> Iterator[Path]:
    """A file system of 2 MiB; gives the file that fills it."""
    at.mkdir(parents=True)
    subprocess.run([*MOUNT, str(at)], check=True)
    try:
        yield at / "filler"
    finally:
        subprocess.run(["umount", "-l", str(at)], check=True)


def fill(file: Path) -> None:
    with file.open("wb", buffering=0) as filler:
        try:
            while True:
                filler.write(bytes(4096))
        except OSError:
            pass


async def station(world: World) -> dict[str, Any]:
    found: dict[str, Any] = (await world.get("state"))["station"]
    return found


async def keep_much(world: World) -> None:
    """More than the room that the database has reserved."""
    for version in range(1, 41):
        cards = [
            {"idToken": {"idToken": f"CARD-{version}-{n}-{'X' * 20}", "type": "Central"}, "idTokenInfo": {"status": "Accepted"}} for n in range(50)
        ]
        body = {"versionNumber": version, "updateType": "Full" if version == 1 else "Differential", "localAuthorizationList": cards}
        await world.csms.send("CP001", "SendLocalList", body, 30)


async def charge_and_end(world: World) -> None:
    """A whole session, told to the CSMS as far as the line allows."""
    await world.charge()
    await asyncio.sleep(2)
    await world.swipe()
    await world.contactor("open")
    await world.unplug()
    await world.status("Available")


def ended(world: World, count: int) -> bool:
    done = world.csms.book.transactions
    return len(done) == count and all(transaction.ended for transaction in done)


@pytest.mark.skipif(not may_mount(), reason="needs the right to mount a file system")
async def test_a_full_disk_stops_nobody_and_loses_nothing(world: World) -> None:
    with small_disk(world.directory / "state" / "firmware") as filler:
        try:
            await world.up("ocpp2.0.1", more='[ocpp2.variables]\n"SampledDataCtrlr.TxUpdatedInterval" = 1\n')
            await world.charge()
            fill(filler)
            await keep_much(world)
            await world.until(lambda s: s["station"]["store"] is not None, 60)
            said = (await station(world))["connectors"][0]
            assert said["reason"] == "charging_unwritten" and "memory" in said["sentence"], said
            await world.swipe()
            await world.contactor("open")
            await world.unplug()
            await world.status("Available")
            await charge_and_end(world)
            await world.told(lambda csms: ended(world, 2))
            await world.until(lambda s: s["station"]["connectors"][0]["reason"] == "store_failed")
            filler.unlink()
            await world.until(lambda s: s["station"]["store"] is None, 60)
            await world.post("kill", {"process": "station", "signal": "KILL"})
            await world.registered("accepted")
            await charge_and_end(world)
            await world.told(lambda csms: ended(world, 3))
            await world.all_told()
        finally:
            await world.judged()
            await world.down()
            world.url = ""


async def test_input_output_errors_stop_nobody_and_lose_nothing(world: World) -> None:
    await world.up("ocpp1.6")
    await charge_and_end(world)
    pid = (await station(world))["pids"]["station"]
    former = resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    try:
        await charge_and_end(world)
        await world.told(lambda csms: ended(world, 2))
        await world.until(lambda s: s["station"]["store"] and s["station"]["connectors"][0]["reason"] == "store_failed")
        await world.post("network", {"state": "down"})
        await world.until(lambda s: not s["station"]["connected"])
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, former)
    await world.until(lambda s: s["station"]["store"] is None, 60)
    await world.post("power", {"state": "off", "how": "cut"})
    await world.post("network", {"state": "up"})
    await world.post("power", {"state": "on"})
    await world.registered("accepted")
    await world.all_told()
    assert ended(world, 2)
