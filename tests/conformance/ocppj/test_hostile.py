"""OCPP-J, both versions: thousands of generated calls and answers, valid, invalid and hostile, while a car charges.

None stops the station, each gets the answer that the tables of the version name, and the station's memory does not grow with them.
`--frames 10000` sends that many (make conformance); by default there are fewer.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from tests.conformance.driver import hostile, wire
from tests.conformance.driver.hostile import RESULT, Frame
from tests.conformance.driver.lab import Lab
from tests.conformance.driver.messages import Message

BATCH = 50
WARM_UP = 0.2
"""The part of the frames after which memory is first read: by then every schema in use is compiled."""
GROWTH_KIB = 6 * 1024
"""A leak of one frame in ten (of some 1 KiB here) would show at 10,000; buffers and the allocator's slack do not."""


def resident_kib(pid: int) -> int:
    """PSS of a process."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def word(lab: Lab, message: Message) -> str:
    return "result" if message.kind == "result" else wire.code_of(lab.version, message)


async def exchange(lab: Lab, batch: list[Frame]) -> None:
    """Sends all, waits for a harmless call's answer behind them, and holds what came against what may come."""
    lab.csms.messages.clear()
    for one in batch:
        await lab.csms.send_text(one.content)
    wanted = [one for one in batch if one.id_ is not None]
    await lab.csms.until(lambda: len(come(lab)) >= len(wanted), lambda: f"{len(come(lab))} answers to {missing(lab, wanted)}", 30.0)
    await wire.alive(lab.csms)
    named = {one.id_: one for one in wanted if one.id_ != wire.UNREADABLE_ID}
    unread = [one for one in wanted if one.id_ == wire.UNREADABLE_ID]
    for message in come(lab)[: len(wanted)]:
        one = named.get(message.id_) or unread.pop()
        assert word(lab, message) in one.allowed, (one.content[:500], one.allowed, message)
    assert not unread and len(come(lab)) == len(wanted) + 1, missing(lab, wanted)


def come(lab: Lab) -> list[Message]:
    return [it for it in lab.csms.messages if it.incoming and it.kind != "call"]


def missing(lab: Lab, wanted: list[Frame]) -> list[bytes]:
    ids = {it.id_ for it in come(lab)}
    return [one.content[:300] for one in wanted if one.id_ not in ids]


async def test_generated_frames(lab: Lab, request: pytest.FixtureRequest) -> None:
    count = int(request.config.getoption("--frames"))
    frames = await asyncio.to_thread(hostile.frames, lab.version, count)
    await lab.up(variables={"OCPPCommCtrlr.WebSocketPingInterval": 0})
    await lab.charger.plug_in()
    await lab.charger.swipe(lab.token.uid)
    await lab.charger.contactor("closed")
    await lab.charger.all_told()
    pid = (await lab.charger.state())["station"]["pids"]["station"]
    attempts, warm = len(lab.csms.attempts), 0
    for begin in range(0, len(frames), BATCH):
        await exchange(lab, frames[begin : begin + BATCH])
        if not warm and begin >= WARM_UP * len(frames):
            warm = resident_kib(pid)
    grown = resident_kib(pid) - warm
    kinds = Counter("no answer" if one.id_ is None else "an answer" if RESULT in one.allowed else "an error" for one in frames)
    figures = f"{lab.version}: {len(frames)} generated frames ({', '.join(f'{number} with {kind}' for kind, number in sorted(kinds.items()))})"
    request.node.user_properties.append(("figures", f"{figures}; memory of the station {warm} KiB after the first fifth, {grown:+} KiB at the end"))
    assert grown < GROWTH_KIB, f"{grown} KiB more than after the first fifth"
    state = await lab.charger.state()
    assert state["station"]["pids"]["station"] == pid and state["evses"][0]["contactor"] == "closed"
    assert len(lab.csms.attempts) == attempts, "the connection was lost"
