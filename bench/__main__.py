"""`python -m bench [--quick] [--only WORD] [--write]`: measures a charge point in the simulator and prints tables.

--write keeps them in docs/figures.md.
"""

from __future__ import annotations

import argparse
import asyncio
import compileall
import os
import platform
import re
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

from bench import parts, writes
from bench.asleep import asleep
from bench.at_once import at_once
from bench.kills import kills
from bench.lists import local_list
from bench.memory import memory
from bench.openings import openings
from bench.slow_csms import slow_csms
from bench.stations import stations
from bench.table import Figure, markdown
from bench.unplugs import unplugs
from sim.csms.server import Csms
from tests.world import ROOT, World

VERSION = "ocpp2.0.1"
IN_MEMORY = Path("/dev/shm")
FIGURES = ROOT / "docs" / "figures.md"
Part = tuple[str, Callable[[World], Awaitable[list[Figure]]]]


def _parts(share: float) -> Iterator[Part]:
    rounds = max(4, int(100 * share))
    yield "Memory and idle CPU", lambda world: parts.resources(world, max(10, 60 * share))
    yield "Reaction, idle machine", lambda world: parts.reactions(world, rounds, station="running")
    yield "Reaction, both cores under load", lambda world: parts.reactions(world, rounds, station="under load")
    yield "Reaction, station stopped", lambda world: parts.reactions(world, rounds, station="stopped")
    yield "Unplugging, station stalled for a third", lambda world: unplugs(world, max(6, int(1000 * share)))
    yield "Openings by the thousand", lambda world: openings(world.directory / "openings", max(9, int(2000 * share)))
    yield "Control killed, stopped and hung", lambda world: kills(world.directory / "kills", max(12, int(1000 * share)))
    yield "Control loop", lambda world: parts.lateness(world, max(10, 30 * share))
    yield "Session", lambda world: parts.sessions(world, max(5, int(21 * share)))
    yield "Session, ten at once", lambda world: at_once(world.directory / "at_once", max(7, int(21 * share)))
    yield "Session, the turn of a second", lambda world: asleep(world.directory / "asleep", max(20, int(60 * share)))
    yield "Start", lambda world: parts.starts(world, max(3, int(9 * share)))
    yield "Replay", lambda world: parts.replay(world, max(60, int(600 * share)))
    yield "Local list of 100,000 tokens", local_list
    yield "Slow CSMS", lambda world: slow_csms(world.directory / "slow", max(40, 300 * share))
    yield "Twenty stations, one car charging", lambda world: stations(world.directory / "stations", max(10, 60 * share))
    yield "Writes, charging", lambda world: writes.charging(world, max(300, 3600 * share))
    yield "Writes, idle", lambda world: writes.idle(world, max(300, 3600 * share))
    yield "A thousand sessions", lambda world: memory(world.directory / "memory", max(40, int(1000 * share)))


async def _measure(share: float, only: str, keep: Callable[[str, str], None]) -> None:
    """keep: gets the title and the table of each part as soon as it is measured."""
    with tempfile.TemporaryDirectory() as directory:
        if IN_MEMORY.is_dir():
            os.environ["TMPDIR"] = str(IN_MEMORY)  # the run directory of the world, as /run is on a board
        csms = Csms()
        world = World(Path(directory), csms, await csms.start("127.0.0.1", 0))
        try:
            await world.up(VERSION, more='[ocpp2.variables]\n"SampledDataCtrlr.TxUpdatedInterval" = 60\n')
            for title, part in _parts(share):
                if only.lower() in title.lower():
                    print(f"... {title}", flush=True)
                    table = markdown(title, await part(world))
                    print(table, flush=True)
                    keep(title, table)
            await world.judged()
        finally:
            await world.down()
            await csms.stop()


def _keep(title: str, table: str) -> None:
    """Puts one part's table into docs/figures.md, in the order of the parts; the others stay as they were measured."""
    text = FIGURES.read_text(encoding="utf-8") if FIGURES.exists() else ""
    kept = {found[1]: found[0].strip() + "\n" for found in re.finditer(r"^### (.+)\n(?:(?!### ).*\n?)*", text, re.MULTILINE)}
    kept[title] = table
    machine = f"Python {platform.python_version()} on {platform.machine()}, two shared virtual cores, {VERSION}"
    head = f"# Figures\n\nMeasured part by part by `python -m bench --only PART --write` with {machine}. A whole run, `make bench`, takes hours.\n"
    FIGURES.write_text("\n".join([head, *(kept[name] for name, _ in _parts(1.0) if name in kept)]), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measures a charge point in the simulator, through the real commands.")
    parser.add_argument("--quick", action="store_true", help="a tenth of the rounds")
    parser.add_argument("--only", default="", metavar="WORD", help="only the parts with this word in their title, e.g. reaction")
    parser.add_argument("--write", action="store_true", help="keep the tables in docs/figures.md")
    options = parser.parse_args()
    for package in ("chargepoint", "hal", "sim"):
        compileall.compile_dir(ROOT / package, quiet=1)  # as in an installed package: compiling costs a start its time, and memory
    asyncio.run(_measure(0.1 if options.quick else 1.0, options.only, _keep if options.write else lambda title, table: None))


if __name__ == "__main__":
    main()
