"""Power, kills and hangs with real processes: a stand-in firmware with a supervisor, two parts and a side thread in each."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sim import guard, processes
from sim.firmware import Firmware, NoProcess

STAND_IN = """
import os, signal, subprocess, sys, threading, time
part = sys.argv[1]
def beat(name):
    while True:
        open(os.path.join(os.environ["BEATS"], f"{part}.{name}"), "a").write(".")
        time.sleep(0.01)
if part == "run":
    def start(name): return subprocess.Popen([sys.executable, __file__, name, "--config", "x"], start_new_session=True)
    parts = {name: start(name) for name in ("control", "station")}
    def end(*_):
        for process in parts.values(): process.terminate()
        sys.exit(0)
    signal.signal(signal.SIGTERM, end)
    while True:
        for name, process in parts.items():
            if process.poll() is not None:
                if process.returncode == 77: sys.exit(77)
                parts[name] = start(name)
        time.sleep(0.01)
threading.Thread(target=beat, args=("side",), daemon=True).start()
signal.signal(signal.SIGUSR1, lambda *_: os._exit(77))
beat("main")
"""


class Bench:
    """A firmware of stand-ins and what it told."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.codes: list[int] = []
        self.told: list[str] = []
        script = directory / "chargepoint_stand_in.py"
        script.write_text(STAND_IN)
        self.firmware = Firmware(
            Path("x"),
            {"BEATS": str(directory), "CHARGEPOINT_WORLD": f"{directory}/rig.sock"},
            directory / "firmware.log",
            on_end=self.codes.append,
            on_change=lambda what, **details: self.told.append(what),
            command=(sys.executable, str(script), "run"),
        )

    async def part(self, name: str, *, other_than: int | None = None) -> int:
        for _ in range(300):
            pid = self.firmware.pid_of(name)
            if pid is not None and pid != other_than:
                return pid
            await asyncio.sleep(0.01)
        raise AssertionError(f"{name} never came")

    def beats(self, name: str) -> int:
        path = self.directory / name
        return path.stat().st_size if path.exists() else 0

    async def grows(self, name: str) -> bool:
        await asyncio.sleep(0.1)
        before = self.beats(name)
        await asyncio.sleep(0.3)
        return self.beats(name) > before + 2


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    processes.adopt_orphans()
    bench = Bench(tmp_path)
    await bench.firmware.start()
    yield bench
    await bench.firmware.cut()


async def test_cut_leaves_nothing(bench: Bench) -> None:
    pids = [await bench.part("control"), await bench.part("station")]
    await bench.firmware.cut()
    assert not bench.firmware.running
    assert not any(os.path.exists(f"/proc/{pid}") for pid in pids)
    assert bench.codes == []
    with pytest.raises(NoProcess):
        bench.firmware.hurt("control", "KILL")


async def test_a_strike_waits_for_nobody_and_a_cut_leaves_nothing(bench: Bench) -> None:
    pids = [await bench.part("control"), await bench.part("station")]
    bench.firmware.strike()
    assert bench.firmware.running, "it is not waited for"
    await bench.firmware.cut()
    assert not bench.firmware.running and not any(os.path.exists(f"/proc/{pid}") for pid in pids)
    assert bench.codes == [], "nobody is told that the firmware ended by itself"
    bench.firmware.strike()


async def test_each_power_on_is_another_boot(bench: Bench) -> None:
    def boot(pid: int) -> bytes:
        items = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        return next(item for item in items if item.startswith(b"CHARGEPOINT_BOOT_ID="))

    first = boot(await bench.part("control"))
    await bench.firmware.cut()
    await bench.firmware.start()
    assert boot(await bench.part("control")) != first


async def test_shutdown_ends_with_sigterm(bench: Bench) -> None:
    await bench.part("station")
    await bench.firmware.shut_down(5.0)
    assert not bench.firmware.running
    assert bench.told == ["firmware_started", "firmware_ended"]


async def test_kill_of_a_part(bench: Bench) -> None:
    before = await bench.part("station")
    assert bench.firmware.hurt("station", "KILL") == before
    assert await bench.part("station", other_than=before) != before


async def test_stop_and_continue(bench: Bench) -> None:
    await bench.part("control")
    assert await bench.grows("control.main")
    bench.firmware.hurt("control", "STOP")
    assert not await bench.grows("control.main")
    assert not await bench.grows("control.side")
    bench.firmware.hurt("control", "CONT")
    assert await bench.grows("control.main")


async def test_hang_holds_the_main_thread_alone(bench: Bench) -> None:
    await bench.part("control")
    assert await bench.grows("control.main")
    bench.firmware.hurt("control", "HANG")
    assert not await bench.grows("control.main")
    assert await bench.grows("control.side")
    bench.firmware.hurt("control", "CONT")
    assert await bench.grows("control.main")


async def test_a_hung_part_can_be_killed_and_comes_back(bench: Bench) -> None:
    before = await bench.part("control")
    bench.firmware.hurt("control", "HANG")
    await asyncio.sleep(0.05)
    bench.firmware.hurt("control", "KILL")
    await bench.part("control", other_than=before)
    assert await bench.grows("control.main")


async def test_a_hung_firmware_can_be_cut(bench: Bench) -> None:
    await bench.part("control")
    bench.firmware.hurt("control", "HANG")
    await bench.firmware.cut()
    assert processes.marked(f"CHARGEPOINT_WORLD={bench.directory}/") == []


async def test_an_end_by_itself_is_told_with_its_code(bench: Bench) -> None:
    pid = await bench.part("station")
    while not bench.beats("station.main"):
        await asyncio.sleep(0.01)
    os.kill(pid, signal.SIGUSR1)
    for _ in range(300):
        if bench.codes:
            break
        await asyncio.sleep(0.01)
    assert bench.codes == [77]
    assert processes.marked(f"CHARGEPOINT_WORLD={bench.directory}/") == []


async def test_the_guard_ends_what_a_killed_world_left(bench: Bench) -> None:
    pid = await bench.part("control")
    run = bench.directory / "run"
    run.mkdir()
    own = {**os.environ, "CHARGEPOINT_WORLD": f"{run}/rig.sock"}
    left = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], env=own, start_new_session=True)
    watcher = subprocess.Popen([sys.executable, "-I", "-S", guard.__file__, str(run)], stdin=subprocess.PIPE)
    await asyncio.sleep(0.2)
    assert left.poll() is None
    assert watcher.stdin is not None
    watcher.stdin.close()
    assert left.wait(5) == -signal.SIGKILL
    assert watcher.wait(5) == 0
    assert not run.exists()
    assert os.path.exists(f"/proc/{pid}"), "processes of another run directory are not touched"
