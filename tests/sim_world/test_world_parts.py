"""Bodies, derived settings, events and scenario files: the parts that need no process."""

from __future__ import annotations

import asyncio
import tomllib
from pathlib import Path

import pytest

from sim import api_bodies as bodies
from sim.derive import CannotDerive, derived
from sim.events import Events
from sim.station_link import StationLink


@pytest.mark.parametrize(
    ("text", "shape", "says"),
    [
        (b"[]", bodies.Power, "object"),
        (b"{", bodies.Power, "fields of this call"),
        (b"{}", bodies.Power, "state"),
        (b'{"state": "maybe"}', bodies.Power, "maybe"),
        (b'{"state": "off", "how": "softly"}', bodies.Power, "how"),
        (b'{"process": "init"}', bodies.Kill, "process"),
        (b'{"process": "station", "signal": "HUP"}', bodies.Kill, "signal"),
        (b'{"uid": ""}', bodies.Swipe, "uid"),
        (b'{"uid": 7}', bodies.Swipe, "uid"),
        (b'{"ev": {"colour": "red"}}', bodies.PlugIn, "colour"),
        (b'{"ev": {"max_current_a": -1}}', bodies.PlugIn, "ev.max_current_a"),
        (b'{"ev": {"phases": 4}}', bodies.PlugIn, "phases"),
        (b'{"fault": "diode", "after_ms": -5}', bodies.Fault, "after_ms"),
        (b"{}", bodies.Bay, "occupied"),
    ],
)
def test_a_wrong_body_is_named(text: bytes, shape: type[bodies.Body], says: str) -> None:
    with pytest.raises(bodies.WrongBody, match=says):
        bodies.read(text, shape)


def test_bodies_may_be_missing_and_null_is_a_value() -> None:
    assert bodies.ev_changes(bodies.read(b"", bodies.PlugIn).ev) == {}
    assert bodies.ev_changes(bodies.read(b'{"s2_open_s": null, "ready": false}', bodies.Ev)) == {"s2_open_s": None, "ready": False}


def test_faults_by_both_names() -> None:
    assert bodies.names_to_clear("rcd_trip")[0] == "residual_current"
    assert bodies.names_to_clear("residual_current") == ("residual_current",)
    with pytest.raises(bodies.WrongBody, match="diode"):
        bodies.known_fault("nonsense")


CONFIG = '# mine\n[csms]\nurl = "ws://a" # old\n\n[csms.tls]\nca_file = "ca.pem"\n[[evse]]\nid = 1\n'


def test_derived_settings_keep_the_rest(tmp_path: Path) -> None:
    text = derived(CONFIG, {("csms", "url"): "ws://b", ("csms", "identity"): "CP-1"}, tmp_path)
    assert text.startswith("# mine\n")
    assert tomllib.loads(text) == {
        "csms": {"url": "ws://b", "identity": "CP-1", "tls": {"ca_file": str(tmp_path / "ca.pem")}},
        "evse": [{"id": 1}],
    }
    assert tomllib.loads(derived("", {("csms", "url"): "ws://b"}, tmp_path)) == {"csms": {"url": "ws://b"}}


def test_settings_that_cannot_be_edited(tmp_path: Path) -> None:
    with pytest.raises((CannotDerive, tomllib.TOMLDecodeError)):
        derived('csms = { url = "ws://a" }\n', {("csms", "url"): "ws://b"}, tmp_path)


async def test_events_are_numbered_and_kept() -> None:
    events = Events()
    events.tell("world", "power", state="on")
    heard = []

    async def listen() -> None:
        async for event in events.listen(0):
            heard.append((event["id"], event["what"]))

    listener = asyncio.create_task(listen())
    await asyncio.sleep(0)
    events.tell("firmware", "connector", status="Charging")
    events.close()
    await asyncio.wait_for(listener, 1)
    assert heard == [(1, "power"), (2, "connector")]


async def test_many_may_ask_the_firmware_at_once(tmp_path: Path) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readline():
            await asyncio.sleep(0.05)
            writer.write(b'{"connected": true}\n')

    server = await asyncio.start_unix_server(answer, tmp_path / "station.sock")
    link = StationLink(tmp_path / "station.sock")

    async def ask(after_s: float) -> object:
        await asyncio.sleep(after_s)
        return await link.status()

    assert await asyncio.gather(*(ask(number * 0.013) for number in range(20))) == [{"connected": True}] * 20
    link.close()
    server.close()
