"""Another CSMS by order of the present one (2.0.1 B09, B10), the way back when it does not answer, and a new password (A01)."""

from __future__ import annotations

from typing import Any

from sim.csms.server import Csms
from tests.world import World

PASSWORD, NEXT_PASSWORD = "correct-horse-battery", "a-longer-horse-battery"


def variable(component: str, name: str, value: str) -> dict[str, Any]:
    return {"setVariableData": [{"component": {"name": component}, "variable": {"name": name}, "attributeValue": value}]}


async def test_there_and_back_again(world: World) -> None:
    other = Csms()
    port = await other.start("127.0.0.1", 0)
    try:
        await world.up("ocpp2.0.1")
        await migrate(world, port)
        await other.until(lambda book: bool(book.station("CP001").boots), 30)
        assert other.book.station("CP001").boot is not None
        await world.registered("accepted")
        await world.charge()
        await other.until(lambda book: len(book.transactions) == 1, 30)
        assert world.csms.book.transactions == []
        boots = len(world.csms.book.station("CP001").boots)
    finally:
        await other.stop()
    await world.told(lambda csms: len(csms.book.station("CP001").boots) > boots, 60)
    await world.registered("accepted")
    await world.unplug()
    await world.told(lambda csms: [transaction.ended for transaction in csms.book.transactions] == [True])
    begun = [event for event in world.csms.book.calls("CP001", "TransactionEvent") if event["eventType"] == "Started"]
    assert len(begun) == 1, "told to the newcomer whole"
    await world.all_told()
    assert other.book.violations == []


async def migrate(world: World, port: int) -> None:
    profile = {
        "ocppVersion": "OCPP20",
        "ocppTransport": "JSON",
        "ocppCsmsUrl": f"ws://127.0.0.1:{port}/ocpp",
        "messageTimeout": 30,
        "securityProfile": 0,
        "ocppInterface": "Wired0",
    }
    answer = await world.csms.send("CP001", "SetNetworkProfile", {"configurationSlot": 2, "connectionData": profile})
    assert answer["status"] == "Accepted"
    for name, value, status in (("NetworkProfileConnectionAttempts", "1", "Accepted"), ("NetworkConfigurationPriority", "2,1", "RebootRequired")):
        answer = await world.csms.send("CP001", "SetVariables", variable("OCPPCommCtrlr", name, value))
        assert answer["setVariableResult"][0]["attributeStatus"] == status
    assert (await world.csms.send("CP001", "Reset", {"type": "OnIdle"}))["status"] == "Accepted"


async def test_a_new_password_is_used_at_once(world: World) -> None:
    await world.up("ocpp2.0.1", csms=f'security_profile = 1\nbasic_auth_password = "{PASSWORD}"')
    station = world.csms.book.station("CP001")
    assert station.password == PASSWORD
    answer = await world.csms.send("CP001", "SetVariables", variable("SecurityCtrlr", "BasicAuthPassword", NEXT_PASSWORD))
    assert answer["setVariableResult"][0]["attributeStatus"] == "Accepted"
    await world.told(lambda csms: csms.book.station("CP001").password == NEXT_PASSWORD)
    assert len(station.boots) == 1, "the same start at the same CSMS"


async def configure(world: World, key: str, value: str) -> str:
    return str((await world.csms.send("CP001", "ChangeConfiguration", {"key": key, "value": value}))["status"])


async def test_16_a_key_and_a_higher_security_profile_are_used_at_once(world: World) -> None:
    """1.6 security whitepaper A01, A05."""
    await world.up("ocpp1.6")
    station = world.csms.book.station("CP001")
    assert station.password is None and await configure(world, "SecurityProfile", "1") == "Rejected", "no key yet"
    assert await configure(world, "AuthorizationKey", PASSWORD) == "Accepted"
    await world.told(lambda csms: csms.book.station("CP001").connections == 2)
    await world.registered("accepted")
    assert await configure(world, "SecurityProfile", "1") == "Accepted"
    await world.told(lambda csms: csms.book.station("CP001").password == PASSWORD)
    await world.registered("accepted")
    assert await configure(world, "AuthorizationKey", NEXT_PASSWORD.encode().hex()[:40]) == "Accepted"
    await world.told(lambda csms: csms.book.station("CP001").password == NEXT_PASSWORD[:20])
    await world.registered("accepted")
    assert await configure(world, "SecurityProfile", "0") == "Rejected"
    await world.told(lambda csms: bool(csms.book.station("CP001").security_events))
    assert len(station.boots) == 1, "the same start at the same CSMS"
    assert [event["type"] for event in station.security_events] == ["StartupOfTheDevice"]
