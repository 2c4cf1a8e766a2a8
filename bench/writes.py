"""What the station writes: bytes and syncs of a session, of a charging hour and of an idle one. Must not know how figures are printed."""

from __future__ import annotations

import asyncio
import re
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from bench.processes import written_bytes
from bench.table import Figure, at_most
from tests.world import World

MARK_S = 60
SETTLED_S = 5.0
PAGE = 4096
CALLS = "trace=fsync,fdatasync,sync_file_range,pwrite64"
CALL = re.compile(r"(\w+)\(\d+<(/[^>]*)>(?:.*, (\d+), (\d+))?\) ")


class Written(NamedTuple):
    """bytes: as the kernel counts them; own: pages of the process's own writes to the disk's files, in bytes, and syncs, None where they cannot be
    counted. What the kernel counts beyond is the file system's: mostly the moment at which a file was changed."""

    bytes: int
    own: int | None
    syncs: int | None


async def charging(world: World, seconds: float) -> list[Figure]:
    """A session with 60 s samples, its begin and its end apart from the time between, which is extrapolated to an hour."""
    pid = (await world.get("state"))["station"]["pids"]["station"]
    async with _counted(pid) as begin:
        await world.charge()
        await asyncio.sleep(SETTLED_S)
    async with _counted(pid) as between:
        await asyncio.sleep(seconds)
    async with _counted(pid) as end:
        await world.swipe()
        await world.contactor("open")
        await world.unplug()
        await world.all_told()
        await asyncio.sleep(SETTLED_S)
    per_hour = 3600 / seconds
    edges = begin[0].bytes + end[0].bytes
    megabytes = (edges + between[0].bytes * per_hour) / 1e6
    name = f"written per charging hour at 60 s samples, a session of one hour, from {seconds:.0f} s"
    return [
        at_most(name, megabytes, 0.35, "MB"),
        *_own("of it in the station's own files, by pages", begin[0], end[0], between[0], per_hour),
        Figure("of it for the begin and the end of the session", f"{edges / 1000:.0f} kB"),
        _syncs("syncs per session of one hour besides the mark's", (begin[0], end[0]), between[0], seconds),
    ]


async def idle(world: World, seconds: float) -> list[Figure]:
    """Nobody comes; the CSMS is there."""
    await asyncio.sleep(2 * MARK_S)
    pid = (await world.get("state"))["station"]["pids"]["station"]
    async with _counted(pid) as found:
        await asyncio.sleep(seconds)
    written, per_hour = found[0], 3600 / seconds
    own = [] if written.own is None else [Figure("of it in the station's own files, by pages", f"{written.own * per_hour / 1024:.1f} KiB")]
    figures = [
        at_most(f"written per idle hour, from {seconds:.0f} s", written.bytes * per_hour / 1024, 64, "KiB", 1),
        *own,
        Figure("written per idle day", f"{24 * written.bytes * per_hour / 1024:.0f} KiB"),
    ]
    if written.syncs is None:
        return [*figures, Figure("syncs per idle hour", "not measured: strace is not installed", "<= 6")]
    return [*figures, at_most("syncs per idle hour", written.syncs * per_hour, 6, "", 1)]


def _own(name: str, begin: Written, end: Written, between: Written, per_hour: float) -> list[Figure]:
    if begin.own is None or end.own is None or between.own is None:
        return []
    return [Figure(name, f"{(begin.own + end.own + between.own * per_hour) / 1e6:.2f} MB")]


def _syncs(name: str, edges: tuple[Written, Written], between: Written, seconds: float) -> Figure:
    if between.syncs is None or any(edge.syncs is None for edge in edges):
        return Figure(name, "not measured: strace is not installed", "<= 12")
    marks = int(seconds / MARK_S)
    besides = sum(edge.syncs or 0 for edge in edges) + max(0, between.syncs - marks) * 3600 / seconds
    return at_most(name, besides, 12, "", 0)


@asynccontextmanager
async def _counted(pid: int) -> AsyncIterator[list[Written]]:
    """Gives a list that holds, after the block, what a process has written in it."""
    found: list[Written] = []
    out = Path(f"/tmp/bench-syncs-{pid}")
    tracer: subprocess.Popen[bytes] | None = None
    try:
        tracer = subprocess.Popen(["strace", "-f", "-qq", "-y", "-s", "0", "-e", CALLS, "-o", str(out), "-p", str(pid)])
        await asyncio.sleep(0.5)
    except FileNotFoundError:
        pass
    before = written_bytes(pid)
    yield found
    own = syncs = None
    if tracer is not None:
        tracer.send_signal(signal.SIGINT)
        tracer.wait()
        own, syncs = _calls(out.read_text())
        out.unlink()
    found.append(Written(written_bytes(pid) - before, own, syncs))


def _calls(trace: str) -> tuple[int, int]:
    """(bytes of the pages written, syncs), of files on a disk."""
    calls = [found.groups() for found in CALL.finditer(trace) if not found[2].startswith("/dev/")]
    places = [(int(length), int(offset)) for name, _, length, offset in calls if name == "pwrite64" and length]
    pages = sum((offset + length - 1) // PAGE - offset // PAGE + 1 for length, offset in places)
    return pages * PAGE, sum("sync" in name for name, *_ in calls)
