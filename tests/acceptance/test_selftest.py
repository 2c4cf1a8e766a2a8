"""`chargepoint control --selftest` as a technician runs it: a real board of the simulator, healthy, broken, and with a car in the socket."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from typing import Any

from tests.world import ROOT, World


async def begun(world: World, *more: str) -> asyncio.subprocess.Process:
    """The command as the world printed it, with this Python."""
    place = world.selftest.index("chargepoint")
    environment = dict(word.split("=", 1) for word in world.selftest[:place])
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", *world.selftest[place:], *more),
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def reported(world: World) -> tuple[int | None, dict[tuple[int | None, str], dict[str, Any]]]:
    """Exit code, and the measurements by EVSE and name."""
    process = await begun(world, "--json")
    out, err = await process.communicate()
    assert out, err.decode()
    return process.returncode, {(row["evse"], row["name"]): row for row in json.loads(out)["measurements"]}


def verdicts(rows: dict[tuple[int | None, str], dict[str, Any]], evse: int) -> dict[str, str]:
    return {name: row["verdict"] for (number, name), row in rows.items() if number == evse}


async def left_safe(world: World, evses: int = 1) -> None:
    await world.until(lambda s: not any(evse["relay_supply"] for evse in s["evses"]))
    for number in range(1, evses + 1):
        seen = await world.evse(number)
        assert (seen["coil"], seen["rcd"]["testing"]) == (False, False)
        assert seen["pilot"]["duty_percent"] == 100.0 or "pwm_stuck" in seen["faults"]


async def test_a_healthy_board_passes_everything(world: World) -> None:
    await world.up("ocpp1.6", service=True)
    process = await begun(world)
    out, err = await process.communicate()
    text = out.decode()
    assert process.returncode == 0, text + err.decode()
    assert "0 failed" in text
    for title in ("pilot at 96%", "pilot at F", "residual-current test", "feed of the relay supply", "lock"):
        assert any(line.strip().startswith(f"{title} ") and " passed " in line for line in text.splitlines()), text
    assert (await world.evse())["cycles"]["coil"] == 2
    await left_safe(world)


async def test_a_second_contactor_is_moved_alone(world: World) -> None:
    await world.up("ocpp1.6", board="[board.sim]\nphase_switching = true", service=True)
    await world.post("evse/1/fault", {"fault": "contactor_l23_stuck_open"})
    code, rows = await reported(world)
    assert code == 1
    assert {name for name, verdict in verdicts(rows, 1).items() if verdict == "failed"} == {"contactor_l23"}
    await left_safe(world)


async def test_what_is_broken_is_found_and_nothing_else_moves(world: World) -> None:
    await world.up("ocpp1.6", evses=4, service=True)
    for number, fault in enumerate(("rcd_stuck", "contactor_weld", "mirror_stuck_open", "lock_jam"), 1):
        await world.post(f"evse/{number}/fault", {"fault": fault})
    code, rows = await reported(world)
    assert code == 1
    failed = {(evse, name) for (evse, name), row in rows.items() if row["verdict"] == "failed"}
    assert failed == {(1, "residual_current"), (2, "contactor_at_rest"), (3, "contactor_at_rest"), (4, "lock")}
    for row in rows.values():
        assert row["verdict"] != "failed" or row["next_step"], row
        assert row["verdict"] == "passed" or row["reason"], row
    assert verdicts(rows, 1)["contactor"] == "skipped"
    for number in (2, 3):
        assert [verdicts(rows, number)[name] for name in ("residual_current", "contactor", "feed", "lock")] == ["skipped"] * 4
    assert [(await world.evse(number))["cycles"]["coil"] for number in (1, 2, 3, 4)] == [0, 0, 0, 2]
    await left_safe(world, 4)


async def test_broken_readings_and_a_car_keep_the_contactor_open(world: World) -> None:
    await world.up("ocpp1.6", evses=4, service=True)
    for number, fault in enumerate(("pwm_stuck", "adc_lost", "temperature_sensor_lost"), 1):
        await world.post(f"evse/{number}/fault", {"fault": fault})
    await world.plug_in(4)
    code, rows = await reported(world)
    assert code == 1
    stuck, lost = verdicts(rows, 1), verdicts(rows, 2)
    assert [stuck[name] for name in ("pilot_10", "pilot_50", "pilot_96", "pilot_f")] == ["failed"] * 4
    assert [lost[name] for name in ("pilot_x1", "pilot_10", "pilot_f", "proximity", "contactor", "feed")] == ["failed"] * 6
    assert "answer" in rows[2, "pilot_x1"]["reason"] or "I2C" in rows[2, "pilot_x1"]["reason"]
    assert {name for name, verdict in verdicts(rows, 3).items() if verdict == "failed"} == {"temperature"}
    plugged = verdicts(rows, 4)
    assert [plugged[name] for name in ("pilot_10", "pilot_96", "pilot_f", "contactor", "feed")] == ["skipped"] * 5
    assert "failed" not in plugged.values()
    assert {value["name"]: value["value"] for value in rows[4, "pilot_x1"]["values"]}["state"] == "B"
    assert {value["name"]: value["value"] for value in rows[4, "proximity"]["values"]}["cable"] == "32 A"
    cycles = [(await world.evse(number))["cycles"]["coil"] for number in (2, 4)]
    assert cycles == [0, 0]
    await left_safe(world, 4)


async def test_stopped_half_way_it_leaves_everything_safe(world: World) -> None:
    await world.up("ocpp1.6", service=True)
    process = await begun(world)
    assert process.stderr is not None
    while b"residual-current" not in await process.stderr.readline():
        assert process.returncode is None
    process.send_signal(signal.SIGTERM)
    out, err = await process.communicate()
    assert process.returncode == 2
    assert out == b""
    assert b"safe" in err
    await left_safe(world)


async def test_it_refuses_while_control_runs(world: World) -> None:
    await world.up("ocpp1.6", service=True)
    await world.post("power", {"state": "on"})
    await world.registered("accepted")
    await world.charge()
    process = await begun(world)
    _, err = await process.communicate()
    assert process.returncode == 2
    assert b"control is running" in err
    assert (await world.evse())["contactor"] == "closed"
