"""Ways a CSMS takes a connection, or does not, and ways it answers: the station charges and tells all the same."""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sim.csms.server import Csms
from tests.acceptance.certificates import authority, issued
from tests.world import World

PASSWORD = "correct-horse-battery"
SECURE = f'security_profile = 2\nbasic_auth_password = "{PASSWORD}"\n[csms.tls]\nca_file = "ca.pem"'


CERTIFIED = '''security_profile = 3
[csms.tls]
ca_file = "ca.pem"
client_cert = "station.pem"
client_key = "station.pem"
client_key_password = "key-secret"'''


@pytest.fixture
async def secure(tmp_path: Path) -> AsyncIterator[World]:
    """A world whose CSMS speaks TLS and reads a client's certificate if there is one; ca.pem is its root, other.pem another's."""
    root, key = authority(tmp_path / "ca.pem", "Root")
    authority(tmp_path / "other.pem", "Stranger")
    issued(tmp_path / "server.pem", root, key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem")
    issued(tmp_path / "station.pem", root, key, b"key-secret")
    context.load_verify_locations(tmp_path / "ca.pem")
    context.verify_mode = ssl.CERT_OPTIONAL
    csms = Csms()
    world = World(tmp_path, csms, await csms.start("127.0.0.1", 0, context))
    try:
        yield world
        await world.judged()
    finally:
        await world.down()
        await csms.stop()


async def test_tls_with_basic_authentication(secure: World) -> None:
    await secure.up("ocpp2.0.1", csms=SECURE, scheme="wss")
    station = secure.csms.book.station("CP001")
    assert station.authorization == "Basic " + base64.b64encode(f"CP001:{PASSWORD}".encode()).decode()
    await secure.charge()
    await secure.told(lambda csms: len(csms.book.transactions) == 1)


async def test_tls_with_the_certificate_of_the_station(secure: World) -> None:
    await secure.up("ocpp1.6", csms=CERTIFIED, scheme="wss")
    station = secure.csms.book.station("CP001")
    assert station.certificate == "127.0.0.1"
    assert station.authorization is None
    await secure.charge()
    await secure.told(lambda csms: len(csms.book.transactions) == 1)


async def test_a_certificate_of_a_stranger_is_refused(secure: World) -> None:
    await secure.up("ocpp2.0.1", csms=SECURE.replace("ca.pem", "other.pem"), scheme="wss", accepted=False)
    await secure.logged("no secure connection can be made: CERTIFICATE_VERIFY_FAILED")
    assert secure.csms.book.station("CP001").connections == 0


async def test_refused_at_the_door(world: World) -> None:
    options = world.csms.book.options
    await world.up("ocpp2.0.1", csms=f'security_profile = 1\nbasic_auth_password = "{PASSWORD}"')
    assert world.csms.book.station("CP001").password == PASSWORD
    for status in (401, 404, 503):
        options.connection_status = status
        await world.csms.disconnect("CP001")
        await world.until(lambda s: not s["station"]["connected"])
        await world.logged(f"HTTP {status}")
        options.connection_status = 101
        await world.until(lambda s: s["station"]["connected"])
    assert len(world.csms.book.station("CP001").boots) == 1


async def test_closed_right_after_the_handshake(world: World) -> None:
    world.csms.misbehave("close", action="BootNotification", count=3)
    await world.up("ocpp1.6", accepted=False)
    await world.registered("accepted")
    assert world.csms.book.station("CP001").connections == 4
    await world.charge()


@pytest.mark.parametrize(("picked", "spoken"), [([], "ocpp1.6"), (["ocpp2.0.1"], "ocpp2.0.1"), (["ocpp1.6", "ocpp2.0.1"], "ocpp1.6")])
async def test_any_subprotocol_or_none(world: World, picked: list[str], spoken: str) -> None:
    world.csms.book.options.protocols = picked
    await world.up("ocpp1.6", "ocpp2.0.1")
    assert (await world.get("state"))["station"]["ocpp"] == spoken
    await world.charge()
    await world.told(lambda csms: len(csms.book.transactions) == 1)


@pytest.mark.parametrize(("version", "times"), [("ocpp1.6", "six_decimals"), ("ocpp1.6", "offset"), ("ocpp2.0.1", "no_zone")])
async def test_times_of_any_style_and_one_transaction_id(world: World, version: str, times: str) -> None:
    world.csms.book.options.times = times
    world.csms.book.options.same_transaction_id = 1
    await world.up(version)
    for number in (1, 2):
        await world.charge()
        await world.told(lambda csms, n=number: len(csms.book.transactions) == n)
        await world.unplug()
        await world.told(lambda csms, n=number: sum(t.ended for t in csms.book.transactions) == n)
        await world.status("Available")
    assert [t.repeats for t in world.csms.book.transactions] == [0, 0]


MESSAGES = {
    "ocpp1.6": ["StartTransaction", "MeterValues", "StopTransaction", "StatusNotification"],
    "ocpp2.0.1": ["TransactionEvent", "StatusNotification"],
}
FAST = """[ocpp2.variables]
"OCPPCommCtrlr.MessageTimeout[Default]" = 3
"OCPPCommCtrlr.MessageAttemptInterval[TransactionEvent]" = 1
"OCPPCommCtrlr.MessageAttempts[TransactionEvent]" = 5
"SampledDataCtrlr.TxUpdatedInterval" = 2"""
KINDS = {
    "ocpp1.6": ["duplicate", "call_error", "wrong_id"],
    "ocpp2.0.1": ["bad_payload", "nonsense", "close_mid_message"],
}


@pytest.mark.parametrize("version", ["ocpp1.6", "ocpp2.0.1"])
async def test_answers_that_are_none(world: World, version: str) -> None:
    await world.up(version, more=FAST)
    for number, kind in enumerate(KINDS[version], 1):
        for action in MESSAGES[version]:
            world.csms.misbehave(kind, action=action)
        await world.charge()
        await asyncio.sleep(2.2)
        await world.unplug()
        await world.told(lambda csms, n=number: sum(t.ended for t in csms.book.transactions) == n, 60)
        await world.all_told()
        await world.status("Available")
        world.csms.mischief.clear()
