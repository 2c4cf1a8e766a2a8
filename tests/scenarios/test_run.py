"""`chargepoint-sim run` on stories that do not hold: it says which step, and what was seen instead."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

TOO_SLOW = """
The contacts alone take longer to fall, whatever takes the coil off
plug-in 1 {"delay_s": 0.3, "follow_s": 0.3}
swipe 04A1B2C3
wait until contactor closed
kill control
expect contactor open within 5 ms
"""
UNTRUE = """
Nobody is told of what does not happen
ocpp ocpp1.6
swipe DEADBEEF
expect csms Authorize with idTag = CARD1 within 2 s
"""


async def run(*files: Path) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sim", "run", *map(str, files)), cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    out, _ = await process.communicate()
    return process.returncode, out.decode()


async def test_what_does_not_hold_is_told_with_what_was_seen(tmp_path: Path) -> None:
    (tmp_path / "slow.scenario").write_text(TOO_SLOW)
    (tmp_path / "untrue.scenario").write_text(UNTRUE)
    code, out = await run(tmp_path / "slow.scenario", tmp_path / "untrue.scenario")
    assert code == 1
    assert "FAILED line 7: expect contactor open within 5 ms: it took" in out
    assert "FAILED line 5: expect csms Authorize with idTag = CARD1 within 2 s: not heard in 2 s; heard of it: [{" in out and "DEADBEEF" in out
    assert "0 of 2 scenarios held; failed: slow.scenario, untrue.scenario" in out


async def test_no_story_begins_before_every_file_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "untrue.scenario").write_text(UNTRUE)
    (tmp_path / "wrong.scenario").write_text("Title\nfaul 1 diode\n")
    code, out = await run(tmp_path / "untrue.scenario", tmp_path / "wrong.scenario")
    assert code == 2 and out == f"{tmp_path / 'wrong.scenario'}:2: there is no step 'faul'; did you mean fault?\n"
