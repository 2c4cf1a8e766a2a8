"""Twenty charge points in one world while one car charges: what world, API and page cost, and whether the page stays smooth.

Must not know how figures are printed.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections import Counter, defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from bench.processes import cpu_s
from bench.table import Figure, at_most
from sim.csms.server import Csms
from tests.world import World

if TYPE_CHECKING:
    from playwright.async_api import Page

STATIONS, CHARGING = 20, 3
SETTLE_S, SMOOTH_S = 5.0, 5.0
CORE = 100.0
PATIENCE_MS = 240_000
LONG_TASKS = """() => {
    window.long = [];
    new PerformanceObserver(list => window.long.push(...list.getEntries().map(entry => entry.duration))).observe({type: 'longtask'});
}"""
FRAMES = """seconds => new Promise(done => {
    const gaps = []; let last = performance.now(); const end = last + 1000 * seconds;
    const frame = now => { gaps.push(now - last); last = now; if (now < end) requestAnimationFrame(frame); else done(gaps.slice(1)); };
    requestAnimationFrame(frame);
})"""
KINDS = {"sim.rig.server": "the wires", "run": "firmware", "control": "firmware", "station": "firmware", "up": "world, API and CSMS"}
PAGE = "page (all of Chromium)"
WORLD = ("world, API and CSMS", "the wires", PAGE)


async def stations(directory: Path, seconds: float) -> list[Figure]:
    """Shares of a core over so many seconds, with the page of all charge points open and with the one that charges. Needs Chromium for the page."""
    from playwright.async_api import async_playwright

    directory.mkdir()
    csms = Csms()
    world = World(directory, csms, await csms.start("127.0.0.1", 0))
    try:
        await world.up("ocpp2.0.1", options=("--csms", "--stations", str(STATIONS)), accepted=False)
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"])
            page = await browser.new_page(viewport={"width": 1400, "height": 1000})
            await page.goto(world.url)
            await page.get_by_text(f"{STATIONS} connected").wait_for(timeout=PATIENCE_MS)
            await world.post(f"stations/{CHARGING}/evse/1/plug-in")
            await world.post(f"stations/{CHARGING}/rfid/swipe", {"uid": "04A1B2C3"})
            await page.get_by_text("1 charging").wait_for(timeout=PATIENCE_MS)
            figures = await _shown(page, "all on one page", seconds)
            await page.goto(f"{world.url}/#{CHARGING}")
            await page.get_by_text("The car charges.").wait_for(timeout=PATIENCE_MS)
            figures += await _shown(page, "the one that charges", seconds)
            await browser.close()
        return figures
    finally:
        await world.down()
        await csms.stop()


async def _shown(page: Page, what: str, seconds: float) -> list[Figure]:
    await asyncio.sleep(SETTLE_S)
    await page.evaluate(LONG_TASKS)
    before = _by_kind()
    await asyncio.sleep(seconds)
    after = _by_kind()
    share = {kind: 100 * (after[kind] - before[kind]) / seconds for kind in after}
    long = await page.evaluate("() => window.long")
    gaps = sorted(await page.evaluate(FRAMES, SMOOTH_S))
    return [
        at_most(f"{what}: world, API and page", sum(share[kind] for kind in WORLD), CORE, "% of a core", 1),
        Figure(f"{what}: " + " / ".join(WORLD), " / ".join(f"{share[kind]:.1f}" for kind in WORLD) + " % of a core"),
        Figure(f"{what}: {3 * STATIONS} firmware processes", f"{share['firmware']:.1f} % of a core"),
        Figure(f"{what}: scripts of the page longer than 50 ms in {seconds:.0f} s, longest", f"{len(long)}, {max(long, default=0):.0f} ms"),
        Figure(f"{what}: between two frames, p50 / p99", f"{gaps[len(gaps) // 2]:.0f} / {gaps[int(0.99 * len(gaps))]:.0f} ms"),
    ]


def _by_kind() -> Counter[str]:
    """CPU seconds so far of this process's descendants, by what they are."""
    spent: Counter[str] = Counter()
    for pid in _descendants(os.getpid()):
        try:
            words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
            kind = PAGE if "chrom" in words[0] else next((KINDS[word] for word in words[:5] if word in KINDS), None)
            if kind:
                spent[kind] += cpu_s(pid)
        except (FileNotFoundError, ProcessLookupError):
            continue
    return spent


def _descendants(root: int) -> list[int]:
    children: defaultdict[int, list[int]] = defaultdict(list)
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
            children[parent].append(int(entry.name))
    found, open_ = [], [root]
    while open_:
        pid = open_.pop()
        found.append(pid)
        open_ += children[pid]
    return found
