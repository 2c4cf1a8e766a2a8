"""The control API of a world whose firmware is a stand-in: real wire, real sockets, real processes."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from sim import processes
from sim.world import World, WorldError

STAND_IN = Path(__file__).with_name("standin.py")
CONFIG = '[board]\nname = "sim"\n[csms]\nurl = "ws://127.0.0.1:9/ocpp"\nidentity = "CP9"\n[[evse]]\nid = 1\n[[evse]]\nid = 2\n'
COMMAND = (os.path.realpath("/proc/self/exe"), str(STAND_IN), "run")


class Outside:
    """What a program outside sees of a world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.http = aiohttp.ClientSession(f"http://127.0.0.1:{world.port}")

    async def get(self, path: str) -> Any:
        async with self.http.get(f"/api/{path}") as answer:
            assert answer.status == 200
            return await answer.json()

    async def status(self, method: str, path: str, body: Any = None) -> int:
        """The status of an answer; an error must have a sentence."""
        async with self.http.request(method, f"/api/{path}", data=body if isinstance(body, bytes) else json.dumps(body or {})) as answer:
            data = await answer.json()
            assert answer.status < 400 or data["error"]
            return answer.status

    async def until(self, met: Callable[[dict[str, Any]], bool], seconds: float = 10.0) -> dict[str, Any]:
        async with asyncio.timeout(seconds):
            while not met(state := await self.get("state")):
                await asyncio.sleep(0.03)
        return dict(state)


async def outside(tmp_path: Path, **options: Any) -> Outside:
    config = tmp_path / "chargepoint.toml"
    config.write_text(CONFIG)
    world = World(config, tmp_path / "state", command=COMMAND, **options)
    await world.start(power="off")
    return Outside(world)


@pytest.fixture
async def it(tmp_path: Path) -> AsyncIterator[Outside]:
    made = await outside(tmp_path)
    yield made
    await made.http.close()
    await made.world.stop()


async def test_state_of_a_world_without_power(it: Outside) -> None:
    state = await it.get("state")
    assert (state["power"], state["network"], state["station"]) == ("off", "up", None)
    assert [evse["id"] for evse in state["evses"]] == [1, 2]
    assert state["evses"][0]["contactor"] == "open"
    assert state["evses"][0]["energy_wh"] == 0


async def test_power_on_cut_and_shutdown(it: Outside) -> None:
    assert await it.status("POST", "power", {"state": "on"}) == 200
    first = (await it.until(lambda s: s["station"] is not None))["station"]["pids"]["station"]
    assert await it.status("POST", "power", {"state": "on"}) == 200
    assert (await it.get("state"))["station"]["pids"]["station"] == first
    assert await it.status("POST", "power", {"state": "off"}) == 200
    state = await it.get("state")
    assert (state["power"], state["station"]) == ("off", None)
    assert not os.path.exists(f"/proc/{first}")
    await it.status("POST", "power", {"state": "on"})
    await it.until(lambda s: s["station"] is not None)
    assert await it.status("POST", "power", {"state": "off", "how": "shutdown"}) in (200, 202)
    await it.until(lambda s: s["power"] == "off")
    assert "the stand-in is on" in (await it.get("log"))["lines"]


async def test_the_firmware_gets_its_world(it: Outside) -> None:
    await it.status("POST", "power", {"state": "on"})
    await it.until(lambda s: s["station"] is not None)
    site = it.world.sites[0]
    environment = json.loads((site.directory / "firmware" / "environment.json").read_text())
    assert environment["https_proxy"] == environment["http_proxy"] == site.network.url
    assert environment["STATE_DIRECTORY"] == str(site.directory / "firmware")
    assert environment["CHARGEPOINT_WORLD"] == str(site.rig_socket)
    assert not [name for name in environment if name.lower() in ("no_proxy", "all_proxy", "ws_proxy", "wss_proxy")]


async def test_kill_and_hang(it: Outside) -> None:
    assert await it.status("POST", "kill", {"process": "station"}) == 409
    await it.status("POST", "power", {"state": "on"})
    first = (await it.until(lambda s: s["station"] is not None))["station"]["pids"]["station"]
    assert await it.status("POST", "kill", {"process": "station", "signal": "KILL"}) == 200
    await it.until(lambda s: s["station"] is not None and s["station"]["pids"]["station"] != first)
    for signal in ("STOP", "HANG"):
        assert await it.status("POST", "kill", {"process": "station", "signal": signal}) == 200
        await asyncio.sleep(0.05)
        assert ((await it.get("state"))["station"] is None) is (signal == "STOP"), "a hang leaves the other threads alone"
        assert await it.status("POST", "kill", {"process": "station", "signal": "CONT"}) == 200
        await it.until(lambda s: s["station"] is not None)


async def test_the_pids_are_known_before_the_processes_know_each_other(it: Outside) -> None:
    await it.status("POST", "power", {"state": "on"})
    pids = (await it.until(lambda s: s["station"] is not None and s["station"]["pids"]["control"] is not None))["station"]["pids"]
    assert pids["control"] != pids["station"]
    assert await it.status("POST", "kill", {"process": "control", "signal": "KILL"}) == 200
    await it.until(lambda s: s["station"]["pids"]["control"] not in (None, pids["control"]))


@pytest.mark.parametrize("signal", ["KILL", "STOP"])
async def test_the_loss_of_control_is_told_to_the_wire_when_it_takes_effect(it: Outside, monkeypatch: pytest.MonkeyPatch, signal: str) -> None:
    """The wire forgets a loss that was told to it while control still read the pilot."""
    await it.status("POST", "power", {"state": "on"})
    await it.until(lambda s: s["station"] is not None)
    site, order = it.world.sites[0], []
    call, hurt = site.rig.call, site.firmware.hurt

    async def told(name: str, /, **values: Any) -> Any:
        order.append((name, values.get("state")))
        return await call(name, **values)

    def sent(part: str, how: str) -> int:
        order.append(("sent", how))
        return hurt(part, how)

    monkeypatch.setattr(site.rig, "call", told)
    monkeypatch.setattr(site.firmware, "hurt", sent)
    await it.status("POST", "kill", {"process": "control", "signal": signal})
    after = order[order.index(("sent", signal)) :]
    assert ("process", {"KILL": "killed", "STOP": "stopped"}[signal]) in after


async def test_a_hard_reset_is_a_power_cycle(it: Outside) -> None:
    def boot() -> str:
        path = it.world.sites[0].directory / "firmware" / "environment.json"
        return str(json.loads(path.read_text())["CHARGEPOINT_BOOT_ID"])

    await it.status("POST", "evse/1/plug-in")
    await it.status("POST", "power", {"state": "on"})
    await it.until(lambda s: s["station"] is not None)
    first = boot()
    await it.status("POST", "evse/1/clear", {"fault": "diode"})
    await it.until(lambda s: s["power"] == "off")
    state = await it.until(lambda s: s["station"] is not None)
    assert boot() != first
    assert state["evses"][0]["plugged"]


async def test_cars_come_and_go(it: Outside) -> None:
    assert await it.status("POST", "evse/1/plug-in", {"ev": {"ready": False, "max_current_a": 16}}) == 200
    evse = (await it.get("state"))["evses"][0]
    assert evse["plugged"] and evse["ev"]["max_current_a"] == 16
    assert await it.status("POST", "evse/1/plug-in") == 409
    assert await it.status("POST", "evse/1/ev", {"ready": True}) == 200
    assert await it.status("POST", "evse/1/ev-unplug") == 200
    assert (await it.get("state"))["evses"][0]["ev"] is None
    assert await it.status("POST", "evse/1/ev-plug") == 200
    assert await it.status("POST", "evse/1/unplug") == 200
    assert await it.status("POST", "evse/1/unplug") in (200, 409)
    assert not (await it.get("state"))["evses"][0]["plugged"]


async def test_faults_come_and_go(it: Outside) -> None:
    assert await it.status("POST", "evse/2/fault", {"fault": "reader_offline"}) == 200
    assert await it.status("POST", "evse/2/fault", {"fault": "diode", "after_ms": 5}) == 200
    await it.until(lambda s: s["evses"][1]["faults"] == ["diode", "reader_offline"])
    assert not any(device.line.plugged for device in it.world.sites[0].readers.devices if device.evse != 1)
    for fault in ("diode", "reader_offline", "diode"):
        assert await it.status("DELETE", f"evse/2/fault/{fault}") in (200, 409)
    await it.until(lambda s: s["evses"][1]["faults"] == [])
    assert all(device.line.plugged for device in it.world.sites[0].readers.devices)


async def test_the_technicians_key(it: Outside) -> None:
    assert await it.status("POST", "evse/1/clear", {"fault": "rcd_trip"}) == 409
    await it.status("POST", "power", {"state": "on"})
    await it.until(lambda s: s["station"] is not None)
    assert await it.status("POST", "evse/1/clear", {"fault": "rcd_trip"}) == 200
    assert await it.status("POST", "evse/1/clear", {"fault": "contactor_weld"}) == 409


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "power", b"nonsense", 400),
        ("POST", "power", {"state": "perhaps"}, 400),
        ("POST", "kill", {"process": "init"}, 400),
        ("POST", "network", {"state": "slow"}, 400),
        ("POST", "rfid/swipe", {}, 400),
        ("POST", "rfid/swipe", {"uid": "A", "evse": 9}, 400),
        ("POST", "evse/1/plug-in", {"ev": {"colour": 1}}, 400),
        ("POST", "evse/1/plug-in", {"connector": 2}, 400),
        ("POST", "evse/1/plug-in", {"ev": {"profile": "no_such_car"}}, 404),
        ("POST", "evse/1/fault", {"fault": "gremlin"}, 400),
        ("POST", "evse/9/unplug", {}, 404),
        ("POST", "evse/x/unplug", {}, 404),
        ("DELETE", "evse/1/fault/gremlin", {}, 400),
        ("GET", "stations/2/state", {}, 404),
        ("GET", "nowhere", {}, 404),
        ("DELETE", "state", {}, 405),
        ("POST", "evse/1/bay", {"occupied": True}, 409),
        ("POST", "evse/1/button", {}, 409),
    ],
)
async def test_wrong_calls_get_a_sentence(it: Outside, method: str, path: str, body: Any, status: int) -> None:
    assert await it.status(method, path, body) == status


async def test_calls_that_change_nothing(it: Outside) -> None:
    for path, body in (("network", {"state": "up"}), ("power", {"state": "off"}), ("evse/1/unplug", {}), ("evse/1/ev-unplug", {})):
        assert await it.status("POST", path, body) in (200, 409)


async def test_timings_and_violations_are_lists(it: Outside) -> None:
    assert await it.get("timings") == []
    assert await it.get("timings?each=1") == []
    assert await it.get("violations") == []
    assert await it.status("DELETE", "timings") == 200


async def test_events_are_told_with_time(it: Outside) -> None:
    async with it.http.get("/api/events") as stream:
        assert stream.headers["Content-Type"] == "text/event-stream"
        await it.status("POST", "evse/1/plug-in")
        await it.status("POST", "network", {"state": "down"})
        await it.status("POST", "power", {"state": "on"})
        seen: dict[str, dict[str, Any]] = {}
        async with asyncio.timeout(10):
            while "answers" not in seen:
                line = await stream.content.readline()
                if line.startswith(b"data: "):
                    event = json.loads(line[6:])
                    seen[event["what"]] = event
    assert seen["network"]["state"] == "down"
    assert seen["network"]["time"].endswith("Z")
    assert seen["answers"]["source"] == "firmware"
    assert any(event.get("evse") == 1 for event in seen.values())


async def test_the_page(it: Outside) -> None:
    async with it.http.get("/") as answer:
        assert answer.status == 200
        assert "/panel/main.js" in await answer.text()
    async with it.http.get("/panel/main.js") as answer:
        assert answer.status == 200
    assert set(await it.get("faults")) >= {"pilot", "meter", "cable"}


async def test_the_register_goes_on_and_cars_do_not(tmp_path: Path) -> None:
    first = await outside(tmp_path)
    await first.world.sites[0].rig.call("energy", evse=2, wh=1234.5)
    await first.status("POST", "evse/2/plug-in")
    await first.http.close()
    await first.world.stop()
    second = await outside(tmp_path)
    try:
        evse = (await second.get("state"))["evses"][1]
        assert evse["energy_wh"] == pytest.approx(1234.5)
        assert not evse["plugged"]
    finally:
        await second.http.close()
        await second.world.stop()


async def test_several_charge_points_and_a_csms(tmp_path: Path) -> None:
    it = await outside(tmp_path, stations=2, csms=True)
    try:
        assert await it.get("stations") == [{"station": 1, "identity": "CP9-1"}, {"station": 2, "identity": "CP9-2"}]
        assert await it.status("POST", "stations/2/evse/1/plug-in") == 200
        assert not (await it.get("state"))["evses"][0]["plugged"]
        assert (await it.get("stations/2/state"))["evses"][0]["plugged"]
        async with it.http.get("/csms/state") as answer:
            assert answer.status == 200
        assert it.world.sites[1].settings.csms.url.startswith("ws://127.0.0.1:")
    finally:
        await it.http.close()
        await it.world.stop()
    assert processes.marked(f"CHARGEPOINT_WORLD={it.world.sites[0].run_directory.parent}/") == []


async def test_one_world_per_directory(it: Outside) -> None:
    other = World(it.world.config, it.world.directory)
    with pytest.raises(WorldError, match="another world"):
        await other.start(power="off")
    await other.stop()
