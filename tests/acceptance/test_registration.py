"""A CSMS that does not accept at once: what waits, what goes on, and who may be asked what."""

from __future__ import annotations

import asyncio

import pytest

from sim.csms.server import Refused
from tests.world import World

VERSIONS = ["ocpp1.6", "ocpp2.0.1"]


def ask(version: str) -> tuple[str, dict[str, object]]:
    if version == "ocpp1.6":
        return "GetConfiguration", {"key": ["HeartbeatInterval"]}
    return "GetVariables", {"getVariableData": [{"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "HeartbeatInterval"}}]}


@pytest.mark.parametrize("version", VERSIONS)
async def test_pending_then_accepted(world: World, version: str) -> None:
    world.csms.book.options.registration = "Pending"
    world.csms.book.options.retry_interval_s = 2
    await world.up(version, accepted=False)
    await world.registered("pending")
    await world.csms.send("CP001", *ask(version))
    assert (await world.csms.send("CP001", "TriggerMessage", {"requestedMessage": "Heartbeat"}))["status"] == "Accepted", "B02.FR.02, 1.6 4.2"
    await world.told(lambda csms: csms.book.station("CP001").heartbeats == 1)
    boots = len(world.csms.book.station("CP001").boots)
    assert (await world.csms.send("CP001", "TriggerMessage", {"requestedMessage": "BootNotification"}))["status"] == "Accepted"
    await world.told(lambda csms: len(csms.book.station("CP001").boots) > boots)
    await world.plug_in()
    await world.swipe()
    await asyncio.sleep(1)
    assert (await world.evse())["cycles"]["coil"] == 0
    await world.post("kill", {"process": "station", "signal": "KILL"})
    await world.told(lambda csms: len(csms.book.station("CP001").boots) >= 2)
    world.csms.book.options.registration = "Accepted"
    await world.registered("accepted")
    assert len(world.csms.book.station("CP001").boots) >= 3
    await world.swipe()
    await world.contactor("closed")
    await world.told(lambda csms: len(csms.book.transactions) == 1)


@pytest.mark.parametrize("version", VERSIONS)
async def test_rejected_waits_for_its_interval(world: World, version: str) -> None:
    book = world.csms.book
    book.options.registration, book.options.retry_interval_s = "Rejected", 2
    await world.up(version, accepted=False)
    await world.registered("rejected")
    if version == "ocpp1.6":
        with pytest.raises(TimeoutError):
            await world.csms.send("CP001", *ask(version), timeout_s=1)
    else:
        with pytest.raises(Refused) as refused:
            await world.csms.send("CP001", *ask(version))
        assert refused.value.code == "SecurityError"
    await world.told(lambda csms: len(csms.book.station("CP001").boots) >= 3)
    times = [boot["time"] for boot in book.station("CP001").boots]
    assert len(set(times)) == len(times)
    book.options.registration = "Accepted"
    await world.registered("accepted")
    await world.charge()
    await world.told(lambda csms: len(csms.book.transactions) == 1)


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_running_transaction_goes_on_and_its_facts_wait(world: World, version: str) -> None:
    await world.up(version)
    await world.charge()
    await world.told(lambda csms: len(csms.book.transactions) == 1)
    book = world.csms.book
    await world.all_told()
    book.options.registration, book.options.retry_interval_s = "Rejected", 1
    cycles = (await world.evse())["cycles"]
    await world.post("kill", {"process": "station", "signal": "KILL"})
    book.station("CP001").registration = None
    await world.told(lambda csms: len(csms.book.station("CP001").boots) == 2)
    await world.registered("rejected")
    assert (await world.evse())["cycles"] == cycles
    await world.unplug()
    await world.until(lambda s: s["station"]["facts_waiting"] > 0)
    assert not book.transactions[0].ended
    book.options.registration = "Accepted"
    await world.told(lambda csms: csms.book.transactions[0].ended)
    await world.all_told()


@pytest.mark.parametrize("allowed", [True, False])
async def test_new_transactions_before_the_first_acceptance(world: World, allowed: bool) -> None:
    book = world.csms.book
    book.options.registration, book.options.retry_interval_s = "Pending", 2
    variables = f'"TxCtrlr.TxBeforeAcceptedEnabled" = {str(allowed).lower()}\n"AuthCtrlr.OfflineTxForUnknownIdEnabled" = true'
    await world.up("ocpp2.0.1", accepted=False, more=f"[ocpp2.variables]\n{variables}")
    await world.registered("pending")
    await world.plug_in()
    await world.swipe()
    if allowed:
        await world.contactor("closed")
    else:
        await asyncio.sleep(2)
        assert (await world.evse())["cycles"]["coil"] == 0
    assert book.transactions == []
    book.options.registration = "Accepted"
    await world.registered("accepted")
    if not allowed:
        await world.swipe()
        await world.contactor("closed")
    await world.told(lambda csms: len(csms.book.transactions) == 1)
    await world.all_told()


async def test_a_call_before_the_boot_answer(world: World) -> None:
    world.csms.misbehave("slow", action="BootNotification", seconds=3)
    await world.up("ocpp2.0.1", accepted=False)
    await world.told(lambda csms: bool(csms.book.station("CP001").boots))
    await world.csms.send("CP001", *ask("ocpp2.0.1"), timeout_s=2)
    await world.registered("accepted")
    await world.charge()
