"""The measurements. Each is a coroutine over a running world and returns figures. Must not know how they are printed."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from typing import Any

from bench.empty_loop import EmptyLoop
from bench.processes import cpu_s, cpu_share, pss_mib, started_s
from bench.table import Figure, at_least, at_most, percentile
from sim.csms import book
from tests.world import World

SESSION_S, CHARGING_S = 13.0, 7.5
SAMPLES_S = 60
STRESS = "import json\nwhile True: json.loads(json.dumps([{'a': [i, str(i), 1.5 * i]} for i in range(5000)]))"


async def reactions(world: World, rounds: int, *, station: str) -> list[Figure]:
    """From the change on the wire to the coil off, for unplug and S2. station: "running", "stopped" or "under load"."""
    await world.delete("timings")
    stress = [subprocess.Popen([sys.executable, "-c", STRESS]) for _ in range(os.cpu_count() or 1)] if station == "under load" else []
    try:
        for number in range(rounds):
            await world.charge(delay_s=0.1)
            await world.until(lambda s: s["evses"][0]["current_a"][0] > 1)
            if station == "stopped":
                await world.post("kill", {"process": "station", "signal": "STOP"})
            await _end(world, number)
            await world.contactor("open")
            if station == "stopped":
                await world.post("kill", {"process": "station", "signal": "CONT"})
            await world.unplug()
            await world.status("Available")
    finally:
        for process in stress:
            process.kill()
            process.wait()
    each = [row for row in await world.get("timings") if row["cause"] in ("unplug", "s2_open")]
    rows = {row["cause"]: row for row in each}
    return [figure for cause in sorted(rows) for figure in _reaction(cause, rows[cause], station)]


async def _end(world: World, number: int) -> None:
    if number % 2:
        await world.unplug()
    else:
        await world.post("evse/1/ev", {"ready": False})


def _reaction(cause: str, row: dict[str, Any], station: str) -> list[Figure]:
    name = f"{cause}, station {station}, n={row['count']}"
    return [
        Figure(f"{name}: p50", f"{row['p50_ms']:.1f} ms"),
        at_most(f"{name}: p99", row["p99_ms"], 30, "ms", 1),
        at_most(f"{name}: p99.9", row["p999_ms"], 40, "ms", 1),
        Figure(f"{name}: max", f"{row['max_ms']:.1f} ms"),
    ]


async def lateness(world: World, seconds: float) -> list[Figure]:
    """Lateness of a new control loop while a car charges and the station works as hard as it can, one inventory after the other, beside an empty
    loop of the same priority."""
    await world.charge(delay_s=0.1)
    await world.post("kill", {"process": "control", "signal": "KILL"})
    await world.contactor("open")
    await world.contactor("closed")
    pids = (await world.get("state"))["station"]["pids"]
    before = cpu_s(pids["station"])
    empty = await EmptyLoop.start()
    until, number = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        number += 1
        await world.csms.send("CP001", "GetBaseReport", {"requestId": number, "reportBase": "FullInventory"}, 30)
    beside = await empty.end()
    busy = 100 * (cpu_s(pids["station"]) - before) / seconds
    await asyncio.sleep(6)
    loop = (await world.get("state"))["station"]["loop"]
    await world.unplug()
    await world.status("Available")
    share = 100 * loop["missed"] / max(1, loop["periods"])
    limit = 0.5 if loop["realtime"] else 5.0
    rights = "with" if loop["realtime"] else "without"
    return [
        Figure("the station meanwhile", f"{busy:.0f} % of a core, {number} inventories"),
        at_most(f"control loop {rights} real-time rights, late: p99", loop["late_p99_us"] / 1000, limit, "ms"),
        Figure("control loop, late: p50 / p99.9 / max", f"{loop['late_p50_us']} / {loop['late_p999_us']} / {loop['late_max_us']} us"),
        at_most(f"periods missed of {loop['periods']}", share, 0.1, "%", 3),
        Figure(
            "empty loop of the same priority, late: p50 / p99 / p99.9, missed",
            f"{beside.p50_us:.0f} / {beside.p99_us:.0f} / {beside.p999_us:.0f} us, {beside.missed}",
        ),
    ]


async def resources(world: World, seconds: float) -> list[Figure]:
    """Memory and idle CPU of both processes."""
    pids = (await world.get("state"))["station"]["pids"]
    before = {name: cpu_s(pid) for name, pid in pids.items()}
    await asyncio.sleep(seconds)
    idle = {name: 100 * (cpu_s(pid) - before[name]) / seconds for name, pid in pids.items()}
    memory = {name: pss_mib(pid) for name, pid in pids.items()}
    return [
        at_most("PSS of control", memory["control"], 20, "MiB", 1),
        Figure("PSS of the station", f"{memory['station']:.1f} MiB"),
        at_most("PSS of both", sum(memory.values()), 54, "MiB", 1),
        Figure("CPU idle: control / station", f"{idle['control']:.2f} / {idle['station']:.2f} % of a core"),
        at_most("CPU idle of both, one EVSE, 1 Hz metering", sum(idle.values()), 1.5, "% of a core"),
    ]


async def sessions(world: World, rounds: int) -> list[Figure]:
    """CPU of the station per charging session beyond idling for as long just before: a shared machine's speed changes. Nothing asks for its state
    meanwhile. Ten durable requests are what a session with a sample each second makes; its statuses and its Authorize come on top."""
    pid = (await world.get("state"))["station"]["pids"]["station"]
    await _sample_each(world, 1)
    each, first = [], 0.0
    counted = told_durably(world)
    for number in range(rounds + 1):
        idle_share = await cpu_share(pid, SESSION_S) if number else 0.0
        began, before = time.monotonic(), cpu_s(pid)
        await _session(world)
        spent = 1000 * (cpu_s(pid) - before - idle_share * (time.monotonic() - began))
        if number:
            each.append(spent)
        else:
            first, counted = spent, told_durably(world)
    requests = (told_durably(world) - counted) / rounds
    await _sample_each(world, SAMPLES_S)
    name = f"CPU of the station per session beyond idling, n={rounds}, of {requests:.1f} durable requests"
    return [
        at_most(f"{name}, for ten of them: median", 10 / requests * percentile(each, 0.5), 12, "ms", 1),
        Figure("the same, least and most", f"{min(each):.1f} / {max(each):.1f} ms"),
        Figure("the first session of a process, with its idling: schemas are compiled when first needed", f"{first:.1f} ms"),
    ]


async def _session(world: World) -> None:
    """SESSION_S seconds from the plug to the free connector."""
    until = time.monotonic() + SESSION_S
    await world.plug_in(1, delay_s=0.1)
    await asyncio.sleep(0.5)
    await world.swipe()
    await asyncio.sleep(CHARGING_S)
    await world.swipe()
    await asyncio.sleep(2.5)
    await world.unplug()
    await asyncio.sleep(until - time.monotonic())


async def _sample_each(world: World, seconds: int) -> None:
    data = {"component": {"name": "SampledDataCtrlr"}, "variable": {"name": "TxUpdatedInterval"}, "attributeValue": str(seconds)}
    await world.csms.send("CP001", "SetVariables", {"setVariableData": [data]}, 10)


def told_durably(world: World) -> int:
    """Requests that outlive a power cut, as told so far."""
    return len(world.csms.book.calls("CP001", "TransactionEvent"))


async def starts(world: World, rounds: int) -> list[Figure]:
    """From the power coming on to BootNotification at the CSMS; and from the start of the control process to its first completed turn, which is the
    first edge of the relay supply's feed."""
    boots, turns = [], []
    for _ in range(rounds):
        await world.post("power", {"state": "off", "how": "cut"})
        await asyncio.sleep(0.5)
        known = len(world.csms.book.station("CP001").boots)
        fed = asyncio.create_task(world.event(lambda e: e["what"] == "relay_supply" and e["relay_supply"]))
        await asyncio.sleep(0.2)
        began = time.monotonic()
        await world.post("power", {"state": "on"})
        while len(world.csms.book.station("CP001").boots) == known:
            await asyncio.sleep(0.005)
        boots.append(time.monotonic() - began)
        state = await world.until(lambda s: bool(s["station"]["pids"]["control"]))
        turns.append((await fed)["at_s"] - started_s(state["station"]["pids"]["control"]))
    return [
        at_most(f"power on to BootNotification, supervisor and both processes at once (n={rounds}): median", percentile(boots, 0.5), 0.6, "s"),
        at_most("control's start to its first completed turn, the station starting beside it: median", percentile(turns, 0.5), 0.15, "s"),
    ]


async def replay(world: World, seconds: int) -> list[Figure]:
    """Messages a second after an outage with a sample each second, and the station's CPU for each, with and without the reconnection, which is
    measured by itself. Nothing asks for the station's state meanwhile."""
    pid = (await world.get("state"))["station"]["pids"]["station"]
    await world.charge(delay_s=0.1)
    await world.all_told()
    idle_share = await cpu_share(pid, 10)
    alone = [await _reconnected(world, pid, 0, idle_share) for _ in range(5)]
    await _sample_each(world, 1)
    known = told_durably(world)
    spent = await _reconnected(world, pid, seconds, idle_share)
    told = told_durably(world) - known
    times = [book.seconds(entry["time"]) for entry in world.csms.book.log if entry["kind"] == "call" and entry["payload"].get("offline")]
    await _sample_each(world, SAMPLES_S)
    await world.swipe()
    await world.contactor("open")
    await world.unplug()
    reconnection = percentile(alone, 0.5)
    return [
        at_least(f"replay of {len(times)} messages", (len(times) - 1) / max(1e-6, times[-1] - times[0]), 300, "messages/s"),
        at_most("CPU of the station for each", 1000 * (spent - reconnection) / told, 1.3, "ms"),
        Figure("CPU of the station for each, reconnection included", f"{1000 * spent / told:.2f} ms"),
        Figure("CPU of a reconnection with nothing to tell", f"{1000 * reconnection:.1f} ms"),
    ]


async def _reconnected(world: World, pid: int, offline_s: int, idle_share: float) -> float:
    """CPU seconds, beyond idling, from the network's return until everything that waited is told, and one second more."""
    await world.post("network", {"state": "down"})
    await world.until(lambda s: not s["station"]["connected"])
    await asyncio.sleep(max(1, offline_s))
    waiting = (await world.get("state"))["station"]["facts_waiting"]
    known, connections = told_durably(world), world.csms.book.station("CP001").connections
    began, before = time.monotonic(), cpu_s(pid)
    await world.post("network", {"state": "up"})
    while world.csms.book.station("CP001").connections == connections or told_durably(world) < known + waiting:
        await asyncio.sleep(0.05)
    await asyncio.sleep(1)
    return cpu_s(pid) - before - idle_share * (time.monotonic() - began)
