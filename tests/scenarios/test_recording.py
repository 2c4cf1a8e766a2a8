"""What is done to a world over its API is recorded as a scenario, and the scenario holds when it is played."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from sim.script import read

ROOT = Path(__file__).parents[2]
SIM = (sys.executable, "-m", "sim")
PATIENCE_S = 90.0
CAR = {"delay_s": 0.3, "follow_s": 0.3}
CONFIG = """
[station]
vendor = "Maker"
model = "M1"

[[evse]]
id = 1
max_current_a = 20

[csms]
identity = "CP001"
ocpp = ["{ocpp}"]

[csms.reconnect]
wait_minimum_s = 0.5
random_range_s = 0.1
repeat_times = 2
"""


class Hand:
    """Somebody at the page of a world that records."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self._http = http

    async def do(self, path: str, body: dict[str, Any] | None = None, method: str = "POST") -> Any:
        async with self._http.request(method, path, json=body or {}) as answer:
            assert answer.status < 300, await answer.text()
            return await answer.json()

    async def sees(self, place: str, value: Any) -> None:
        """Waits until a value stands in the state, and looks at it for a while."""
        async with asyncio.timeout(PATIENCE_S):
            while (state := await self.do("/api/state", method="GET"))["station"] is None or _at(state, place) != value:
                await asyncio.sleep(0.05)
        await asyncio.sleep(1.2)


def _at(state: dict[str, Any], place: str) -> Any:
    connector = (state["station"]["connectors"] or [{}])[0]
    return {
        "contactor": state["evses"][0]["contactor"],
        "connected": state["station"]["connected"],
        "registration": state["station"]["registration"],
    }.get(place, connector.get(place))


@pytest.fixture
def ocpp(request: pytest.FixtureRequest) -> str:
    return str(getattr(request, "param", "ocpp2.0.1"))


@pytest.fixture
async def hand(tmp_path: Path, ocpp: str) -> AsyncIterator[Hand]:
    """The recording is whole when the world has ended, which is when the test is over: `recorded` has to come after."""
    config = tmp_path / "chargepoint.toml"
    config.write_text(CONFIG.format(ocpp=ocpp))
    options = ("--config", str(config), "--state-dir", str(tmp_path / "state"), "--port", "0", "--csms", "--record", str(tmp_path / "day.scenario"))
    process = await asyncio.create_subprocess_exec(*SIM, "up", *options, stdout=asyncio.subprocess.PIPE, cwd=ROOT)
    assert process.stdout is not None
    url = (await asyncio.wait_for(process.stdout.readline(), PATIENCE_S)).decode().split()[-1]
    async with aiohttp.ClientSession(url) as http:
        made = Hand(http)
        await made.sees("registration", "accepted")
        yield made
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), PATIENCE_S) == 0
    out = await _played(tmp_path / "day.scenario")
    assert "1 of 1 scenarios held" in out, (tmp_path / "day.scenario").read_text() + out


async def _played(file: Path) -> str:
    process = await asyncio.create_subprocess_exec(*SIM, "run", str(file), cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT)
    out, _ = await process.communicate()
    return out.decode()


@pytest.mark.parametrize("ocpp", ["ocpp1.6", "ocpp2.0.1"], indirect=True)
async def test_a_day_is_recorded_and_played_again(hand: Hand, tmp_path: Path, ocpp: str) -> None:
    await hand.do("/api/evse/1/plug-in", {"ev": CAR})
    await hand.sees("status", "Preparing")
    await hand.do("/api/rfid/swipe", {"uid": "DEADBEEF"})
    await asyncio.sleep(4.0)
    await hand.do("/api/rfid/swipe", {"uid": "04A1B2C3"})
    await hand.sees("status", "Charging")
    await hand.do("/api/network", {"state": "down"})
    await hand.sees("connected", False)
    await hand.do("/api/evse/1/fault", {"fault": "emergency_stop"})
    await hand.sees("contactor", "open")
    await hand.do("/api/evse/1/fault/emergency_stop", method="DELETE")
    await hand.do("/api/evse/1/unplug")
    await asyncio.sleep(2.0)
    await hand.do("/api/network", {"state": "up"})
    await hand.sees("connected", True)
    await asyncio.sleep(2.0)
    text = (tmp_path / "day.scenario").read_text()
    assert "setting evse[1].max_current_a = 20" in text and f"ocpp {ocpp}" in text
    assert "expect evse 1 contactor = open for 2 s" in text, "a card that is not known closes nothing"
    assert "fault 1 emergency_stop\nexpect evse 1 contactor = open within" in text
    assert "expect station connected = false" in text
    assert read(tmp_path / "day.scenario").steps


@pytest.mark.parametrize("ocpp", ["ocpp1.6", "ocpp2.0.1"], indirect=True)
async def test_the_orders_of_the_csms_and_its_moods_are_recorded(hand: Hand, tmp_path: Path, ocpp: str) -> None:
    start, stop, token = {
        "ocpp1.6": ("RemoteStartTransaction", "RemoteStopTransaction", {"idTag": "04FF0011", "connectorId": 1}),
        "ocpp2.0.1": (
            "RequestStartTransaction",
            "RequestStopTransaction",
            {"idToken": {"idToken": "04FF0011", "type": "ISO14443"}, "evseId": 1, "remoteStartId": 1},
        ),
    }[ocpp]
    order = {"identity": "CP001"}
    await hand.do("/csms/cards", {"04FF0011": "Accepted"})
    await hand.do("/csms/misbehave", {"what": "slow", "seconds": 1.0, "identity": "CP001"})
    await hand.do("/api/evse/1/plug-in", {"ev": {"profile": "mg4", **CAR}})
    await hand.do("/csms/send", {**order, "action": start, "payload": token})
    await hand.sees("status", "Charging")
    await hand.do("/api/kill", {"process": "control"})
    await hand.sees("contactor", "open")
    await hand.sees("contactor", "closed")
    transaction = (await hand.do("/csms/state", method="GET"))["transactions"][0]["id"]
    await hand.do("/csms/send", {**order, "action": stop, "payload": {"transactionId": int(transaction) if ocpp == "ocpp1.6" else transaction}})
    await hand.sees("contactor", "open")
    await hand.do("/api/evse/1/unplug")
    await hand.sees("status", "Available")
    text = (tmp_path / "day.scenario").read_text()
    assert "card 04FF0011 Accepted" in text and 'misbehave slow {"seconds": 1.0}' in text
    assert f'send {stop} {{"transactionId": "$transactions[0].id"}}\nexpect answer status = Accepted' in text
    after_the_kill = text.split("kill control\n")[1]
    assert after_the_kill.startswith("expect evse 1 contactor = open within") and "expect evse 1 contactor = closed within" in after_the_kill


async def test_more_than_one_charge_point_cannot_be_recorded(tmp_path: Path) -> None:
    options = ("--config", "config/demo.toml", "--state-dir", str(tmp_path), "--stations", "2", "--record", str(tmp_path / "x"))
    process = await asyncio.create_subprocess_exec(*SIM, "up", *options, cwd=ROOT, stderr=asyncio.subprocess.PIPE)
    _, said = await process.communicate()
    assert process.returncode == 2 and b"--record tells the story of one charge point" in said


async def test_a_file_that_cannot_be_written_is_refused_at_once(tmp_path: Path) -> None:
    options = ("--config", "config/demo.toml", "--state-dir", str(tmp_path / "s"), "--record", str(tmp_path / "no" / "x"), "--port", "0")
    process = await asyncio.create_subprocess_exec(*SIM, "up", *options, cwd=ROOT, stderr=asyncio.subprocess.PIPE)
    _, said = await process.communicate()
    assert process.returncode == 1 and b"cannot be written: No such file or directory; give another file with --record" in said
