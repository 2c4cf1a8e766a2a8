"""The command itself: its first line, its end, and what is left of it."""

from __future__ import annotations

import asyncio
import signal
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import Iterator
from pathlib import Path

import pytest

from sim import processes
from sim.__main__ import main

ROOT = Path(__file__).parents[2]


async def up(directory: Path, *more: str, config: str = '[board]\nname = "sim"\n', place: Path | None = None, **environ: str) -> Process:
    file = directory / "chargepoint.toml"
    file.write_text(config)
    arguments = ["up", "--config", str(file), "--state-dir", str(directory / "state"), "--port", "0", *more]
    environment = {"PATH": "/usr/bin:/bin", "TMPDIR": str(directory if place is None else place), **environ}
    return await asyncio.create_subprocess_exec(sys.executable, "-m", "sim", *arguments, cwd=ROOT, env=environment, stdout=PIPE, stderr=PIPE)


async def listening(process: Process) -> str:
    assert process.stdout is not None
    return (await asyncio.wait_for(process.stdout.readline(), 20)).decode()


@pytest.fixture
def place() -> Iterator[Path]:
    """A short directory for this test's run directories alone: other worlds run beside it."""
    with tempfile.TemporaryDirectory(dir="/tmp") as directory:
        yield Path(directory)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_ends_with_0_and_leaves_no_process(tmp_path: Path, place: Path, number: signal.Signals) -> None:
    process = await up(tmp_path, "--power", "off", place=place)
    assert (await listening(process)).startswith("listening on http://127.0.0.1:")
    (run,) = place.glob("cpsim-*")
    assert processes.marked(f"CHARGEPOINT_WORLD={run}/")
    process.send_signal(number)
    assert await asyncio.wait_for(process.wait(), 10) == 0
    assert processes.marked(f"CHARGEPOINT_WORLD={run}/") == []
    assert not run.exists()


async def test_the_page_is_opened_where_there_is_a_screen(tmp_path: Path) -> None:
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" >> {tmp_path}/opened\n')
    browser.chmod(0o755)
    for screen in ("", ":0"):
        process = await up(tmp_path, "--power", "off", "--open", BROWSER=str(browser), DISPLAY=screen)
        url = (await listening(process)).split()[-1]
        async with asyncio.timeout(20):
            while screen and not (tmp_path / "opened").exists():
                await asyncio.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        await process.wait()
    assert (tmp_path / "opened").read_text().split() == [url]


async def test_a_killed_world_leaves_no_process(tmp_path: Path, place: Path) -> None:
    process = await up(tmp_path, "--power", "off", place=place)
    await listening(process)
    (run,) = place.glob("cpsim-*")
    process.kill()
    await process.wait()
    async with asyncio.timeout(5):
        while processes.marked(f"CHARGEPOINT_WORLD={run}/") or run.exists():
            await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("config", "says"),
    [("[bord]\n", "bord"), ("[board", "TOML"), ('[board]\nname = "no_such_board"\n', "no_such_board")],
)
async def test_wrong_settings_are_told(tmp_path: Path, config: str, says: str) -> None:
    process = await up(tmp_path, config=config)
    assert process.stderr is not None
    text = (await asyncio.wait_for(process.stderr.read(), 20)).decode()
    assert await process.wait() == 1
    assert says in text
    assert "Traceback" not in text


@pytest.mark.parametrize("arguments", [["up"], ["up", "--config", "x", "--state-dir", "y", "--port", "99999"], ["dance"], []])
def test_wrong_arguments(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: chargepoint-sim" in capsys.readouterr().err


def test_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "chargepoint-sim up --config" in capsys.readouterr().out
