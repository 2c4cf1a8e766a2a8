"""A whole charge point on the built-in CSMS over TLS: a bad certificate is refused with its reason, and told once the line is back."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from sim.world import World

CONFIG = """
[station]
vendor = "Maker"
model = "M1"
serial_number = "1"
[board]
name = "sim"
[[evse]]
id = 1
[csms]
identity = "CP1"
ocpp = ["{version}"]
[csms.reconnect]
wait_minimum_s = 0.3
random_range_s = 0.1
repeat_times = 2
"""
EVENTS = {"ocpp2.0.1": "InvalidCsmsCertificate", "ocpp1.6": "InvalidCentralSystemCertificate"}


@pytest.mark.parametrize(
    ("version", "kind", "reason"), [("ocpp2.0.1", "expired", "certificate has expired"), ("ocpp1.6", "unknown_ca", "certificate")]
)
async def test_a_bad_certificate_is_refused_and_told(tmp_path: Path, version: str, kind: str, reason: str) -> None:
    (tmp_path / "settings.toml").write_text(CONFIG.format(version=version))
    world = World(tmp_path / "settings.toml", tmp_path / "state", tls=True)
    await world.start()
    try:
        csms, site = world.csms, world.sites[0]
        assert csms is not None
        station = csms.book.station("CP1")
        await csms.until(lambda book: station.registration == "Accepted", 60)
        assert any(event["action"] == "BootNotification" for event in site.conversation.since(0) if event["what"] == "result")
        await csms.show_certificate(kind)
        refused = await logged(site, "no secure connection can be made: CERTIFICATE_VERIFY_FAILED")
        assert reason in refused
        assert not station.connected
        await csms.show_certificate("good")
        await csms.until(lambda book: any(event["type"] == EVENTS[version] for event in station.security_events), 60)
        assert station.connected
    finally:
        await world.stop()


async def logged(site: Any, text: str) -> str:
    async with asyncio.timeout(60):
        while not (found := [line for line in site.log_lines(500) if text in line]):
            await asyncio.sleep(0.1)
    return str(found[0])
