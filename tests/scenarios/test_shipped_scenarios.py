"""The shipped scenarios hold, played by the command itself."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from sim.script import read
from sim.script_steps import Act

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


def test_every_story_is_another() -> None:
    scripts = [read(file) for file in SHIPPED]
    assert len(scripts) >= 40
    assert len({script.title for script in scripts}) == len(scripts)
    told = [(script.ocpp, tuple(step.text for step in script.steps)) for script in scripts]
    assert len(set(told)) == len(told)


def test_the_stories_use_every_act_and_half_of_the_faults() -> None:
    acts = [step for file in SHIPPED for step in read(file).steps if isinstance(step, Act)]
    laid = {step.request.body["fault"] for step in acts if step.name == "fault"}
    assert {"plug-in", "unplug", "ev", "ev-unplug", "swipe", "fault", "unfault", "clear", "network", "power", "kill", "send", "misbehave"} <= {
        step.name for step in acts
    }
    assert len(laid) >= 18
