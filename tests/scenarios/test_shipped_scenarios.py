"""The shipped scenarios hold, played by the command itself."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHIPPED = sorted((ROOT / "sim" / "scenarios").glob("*.scenario"))


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
async def test_scenario(file: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sim", "run", str(file), cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    out, _ = await process.communicate()
    assert process.returncode == 0, out.decode()


def test_every_vehicle_has_a_story() -> None:
    vehicles = {file.stem for file in (ROOT / "config" / "vehicles").glob("*.toml")}
    told = {file.stem.removeprefix("vehicle_"): file.read_text() for file in SHIPPED if file.stem.startswith("vehicle_")}
    assert set(told) == vehicles
    assert all(f'"profile": "{name}"' in text for name, text in told.items())
