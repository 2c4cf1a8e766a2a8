"""`chargepoint-sim run`: plays scenario files one after the other. Must not know what a step is."""

from __future__ import annotations

import asyncio
import logging
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from sim.script import Script, ScriptError, read
from sim.script_play import Play
from sim.world import WorldError


def main(files: Sequence[Path]) -> int:
    """Plays each file against a world of its own. 0: every expectation of every file held; 1: not so; 2: a file cannot be read."""
    logging.basicConfig(level=logging.ERROR, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("pymodbus").setLevel(logging.CRITICAL)
    try:
        scripts = [read(file) for file in files]
    except ScriptError as error:
        print(error, file=sys.stderr)
        return 2
    failed = [script.file.name for script in scripts if not asyncio.run(_play(script))]
    print(f"{len(scripts) - len(failed)} of {len(scripts)} scenarios held" + (f"; failed: {', '.join(failed)}" if failed else ""), flush=True)
    return 1 if failed else 0


async def _play(script: Script) -> bool:
    with tempfile.TemporaryDirectory(prefix="cpsim-run-") as directory:
        try:
            return await Play(script, Path(directory), _say).run()
        except WorldError as error:
            _say(f"the world cannot be built: {error}")
            return False


def _say(line: str) -> None:
    print(line, flush=True)
