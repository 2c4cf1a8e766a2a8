"""Offline: nothing is lost, nothing doubled, and of the status only what is true now is told."""

from __future__ import annotations

import asyncio
import time

import pytest

from sim.csms.book import seconds
from tests.world import KNOWN_CARD, World

VERSIONS = ["ocpp1.6", "ocpp2.0.1"]


async def give_local_list(world: World) -> None:
    if world.version == "ocpp1.6":
        payload = {"listVersion": 1, "updateType": "Full", "localAuthorizationList": [{"idTag": KNOWN_CARD, "idTagInfo": {"status": "Accepted"}}]}
    else:
        entry = {"idToken": {"idToken": KNOWN_CARD, "type": "ISO14443"}, "idTokenInfo": {"status": "Accepted"}}
        payload = {"versionNumber": 1, "updateType": "Full", "localAuthorizationList": [entry]}
    assert (await world.csms.send("CP001", "SendLocalList", payload))["status"] == "Accepted"


@pytest.mark.parametrize("version", VERSIONS)
async def test_three_sessions_and_a_power_cut(world: World, version: str) -> None:
    await world.up(version)
    await give_local_list(world)
    await world.post("network", {"state": "down"})
    await world.until(lambda s: not s["station"]["connected"])
    messages = len(world.csms.book.log)
    began = time.time()
    energies = []
    for _ in range(2):
        before = (await world.evse())["energy_wh"]
        await world.charge()
        await asyncio.sleep(2)
        await world.swipe()
        await world.contactor("open")
        energies.append((before, (await world.evse())["energy_wh"]))
        await world.unplug()
        await world.status("Available")
    third = (await world.evse())["energy_wh"]
    await world.charge()
    await asyncio.sleep(2)
    await world.post("power", {"state": "off", "how": "cut"})
    await asyncio.sleep(1)
    await world.post("power", {"state": "on"})
    await world.until(lambda s: s["station"] is not None and s["station"]["connectors"][0]["transaction"] is None)
    energies.append((third, (await world.evse())["energy_wh"]))
    ended = time.time()
    assert len(world.csms.book.transactions) == 0
    assert [e for e in list(world.csms.book.log)[messages:] if e["kind"] == "call"] == []
    await world.post("network", {"state": "up"})
    await world.until(lambda s: s["station"]["connected"])
    await world.told(lambda csms: sum(t.ended for t in csms.book.transactions) == 3)
    await world.all_told()
    transactions = world.csms.book.transactions
    assert len(transactions) == 3
    for transaction, (start_wh, stop_wh) in zip(transactions, energies, strict=True):
        assert transaction.repeats == 0
        assert transaction.registers[0][1] == pytest.approx(start_wh, abs=1.0)
        assert transaction.registers[-1][1] == pytest.approx(stop_wh, abs=1.0)
        assert transaction.started_at and transaction.ended_at
        assert began - 1 <= seconds(transaction.started_at) < seconds(transaction.ended_at) <= ended + 1
        if version == "ocpp2.0.1":
            assert transaction.seqs == sorted(set(transaction.seqs))
            assert transaction.seqs[0] == 0
            assert all(transaction.offline)
    assert [t.reason for t in transactions][-1] == "PowerLoss"
    starts = [seconds(t.started_at or "") for t in transactions]
    assert starts == sorted(starts)


@pytest.mark.parametrize("version", VERSIONS)
async def test_stalled_network_loses_nothing(world: World, version: str) -> None:
    await world.up(version)
    await world.charge()
    await world.told(lambda csms: len(csms.book.transactions) == 1)
    await world.post("network", {"state": "stall"})
    await world.swipe()
    await world.contactor("open")
    await world.unplug()
    await asyncio.sleep(2)
    await world.post("network", {"state": "down"})
    await world.post("network", {"state": "up"})
    await world.told(lambda csms: csms.book.transactions[0].ended)
    await world.all_told()
    assert len(world.csms.book.transactions) == 1


@pytest.mark.parametrize("version", VERSIONS)
async def test_one_boot_for_many_reconnections(world: World, version: str) -> None:
    await world.up(version)
    for _ in range(3):
        await world.post("network", {"state": "down"})
        await world.until(lambda s: not s["station"]["connected"])
        await world.post("network", {"state": "up"})
        await world.until(lambda s: s["station"]["connected"])
    assert len(world.csms.book.station("CP001").boots) == 1
