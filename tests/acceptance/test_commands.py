"""The commands against a running world, worlds side by side, and what the control API refuses."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import aiohttp

from sim.csms.server import Csms
from tests.world import ROOT, World


def runtime_directory(pid: int) -> str:
    words = (Path("/proc") / str(pid) / "environ").read_bytes().decode().split("\0")
    return next(word.partition("=")[2] for word in words if word.startswith("RUNTIME_DIRECTORY="))


async def chargepoint(world: World, *words: str) -> tuple[int | None, str]:
    pid = (await world.get("state"))["station"]["pids"]["station"]
    environment = {**os.environ, "RUNTIME_DIRECTORY": runtime_directory(pid)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "chargepoint", *words, cwd=ROOT, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    out, _ = await process.communicate()
    return process.returncode, out.decode()


async def test_status_and_clear_fault(world: World) -> None:
    await world.up("ocpp1.6")
    code, text = await chargepoint(world, "status")
    assert code == 0
    assert "Available" in text
    code, text = await chargepoint(world, "status", "--json")
    loop = json.loads(text)["loop"]
    assert set(loop) >= {"periods", "missed", "late_p50_us", "late_p99_us", "late_p999_us", "late_max_us", "realtime"}
    await world.charge()
    await world.post("evse/1/fault", {"fault": "rcd_trip"})
    await world.contactor("open", seconds=2)
    await world.status("Faulted")
    code, text = await chargepoint(world, "clear-fault", "1", "residual_current")
    assert code == 1
    assert "not cleared" in text
    await world.delete("evse/1/fault/rcd_trip")
    await asyncio.sleep(1)
    code, text = await chargepoint(world, "clear-fault", "1", "residual_current")
    assert code == 0, text
    code, text = await chargepoint(world, "clear-fault", "1", "no_such_fault")
    assert code == 1
    code, text = await chargepoint(world, "clear-fault", "7", "residual_current")
    assert code == 1


WRONG = [
    ("POST", "power", {"state": "maybe"}),
    ("POST", "power", {"state": "off", "how": "gently"}),
    ("POST", "kill", {"process": "world"}),
    ("POST", "kill", {"process": "control", "signal": "HUP"}),
    ("POST", "network", {"state": "sideways"}),
    ("POST", "network", {}),
    ("POST", "evse/7/plug-in", {}),
    ("POST", "evse/x/unplug", {}),
    ("POST", "evse/1/plug-in", {"ev": {"max_current_a": -1}}),
    ("POST", "evse/1/plug-in", {"ev": {"no_such": 1}}),
    ("POST", "evse/1/plug-in", {"ev": {"profile": "no such car"}}),
    ("POST", "evse/1/plug-in", {"connector": 2}),
    ("POST", "evse/1/ev", {"ready": True}),
    ("POST", "evse/1/ev-plug", {}),
    ("POST", "evse/1/bay", {"occupied": "perhaps"}),
    ("POST", "rfid/swipe", {}),
    ("POST", "rfid/swipe", {"uid": ""}),
    ("POST", "rfid/swipe", {"uid": "04A1B2C3", "evse": 9}),
    ("POST", "evse/1/fault", {"fault": "gremlins"}),
    ("POST", "evse/1/fault", {"fault": "over_current", "value": "much"}),
    ("POST", "evse/1/fault", {"fault": "diode", "phase": 4}),
    ("DELETE", "evse/1/fault/gremlins", None),
    ("POST", "evse/1/clear", {}),
    ("POST", "evse/1/clear", {"fault": "gremlins"}),
    ("GET", "no/such/path", None),
    ("GET", "stations/2/state", None),
    ("PUT", "power", {"state": "on"}),
]


async def test_wrong_calls_are_refused_with_a_sentence(world: World) -> None:
    await world.up("ocpp1.6")
    async with aiohttp.ClientSession(world.url) as http:
        for method, path, body in WRONG:
            async with http.request(method, f"/api/{path}", json=body) as answer:
                text = await answer.text()
                assert 400 <= answer.status < 500, (method, path, body, answer.status, text)
                assert json.loads(text)["error"], (method, path, body)
        async with http.post("/api/power", data=b"{not json") as answer:
            assert answer.status == 400
        for path, again in [("network", {"state": "up"}), ("evse/1/unplug", {}), ("power", {"state": "on"})]:
            async with http.post(f"/api/{path}", json=again) as answer:
                assert answer.status < 300 or answer.status == 409, path
    await world.charge()


async def test_two_worlds_and_two_stations(world: World, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    csms = Csms()
    other = World(tmp_path / "other", csms, await csms.start("127.0.0.1", 0))
    try:
        await asyncio.gather(world.up("ocpp1.6"), other.up("ocpp2.0.1", options=["--stations", "2"]))
        await other.told(lambda csms: {"CP001-1", "CP001-2"} == {name for name, it in csms.book.stations.items() if it.connected})
        await world.charge()
        for station in ("2", "1"):
            await other.post(f"stations/{station}/evse/1/plug-in", {"ev": {"delay_s": 0.2}})
            await other.post(f"stations/{station}/rfid/swipe", {"uid": "04A1B2C3"})
        for _ in range(100):
            states = [await other.get(f"stations/{station}/state") for station in ("1", "2")]
            if all(state["evses"][0]["contactor"] == "closed" for state in states):
                break
            await asyncio.sleep(0.1)
        assert [state["evses"][0]["contactor"] for state in states] == ["closed", "closed"]
        await other.told(lambda csms: {t.identity for t in csms.book.transactions} == {"CP001-1", "CP001-2"})
        await other.judged()
        assert await other.get("stations/2/violations") == []
    finally:
        await other.down()
        await csms.stop()
