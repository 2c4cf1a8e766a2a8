"""The built-in CSMS misbehaves on order, each way."""

from __future__ import annotations

import asyncio
import re
import time
from datetime import UTC, datetime, timedelta
from importlib.resources import files

import pytest
import websockets

from sim.csms.connection import HANDLERS
from sim.csms.orders import ORDERS

VERSIONS = pytest.mark.parametrize("protocol", ["ocpp1.6", "ocpp2.0.1"])


@VERSIONS
async def test_slow(csms, protocol):
    async with csms.station(protocol) as station:
        csms.misbehave("slow", action="Heartbeat", seconds=0.2)
        begun = time.monotonic()
        await station.send([2, "slow one", "Heartbeat", {}])
        await station.send([2, "quick one", "Heartbeat", {}])
        assert (await station.next())[1] == "quick one"
        assert (await station.next())[1] == "slow one"
        assert time.monotonic() - begun >= 0.2


@VERSIONS
async def test_no_answer(csms, protocol):
    async with csms.station(protocol) as station:
        csms.misbehave("no_answer")
        await station.send([2, "a", "Heartbeat", {}])
        await station.send([2, "b", "Heartbeat", {}])
        assert (await station.next())[1] == "b"


@VERSIONS
async def test_wrong_id(csms, protocol):
    async with csms.station(protocol) as station:
        csms.misbehave("wrong_id")
        assert (await station.call("Heartbeat", {}, "mine"))[1] != "mine"
        assert (await station.call("Heartbeat", {}, "next"))[1] == "next"


@VERSIONS
async def test_duplicate(csms, protocol):
    async with csms.station(protocol) as station:
        csms.misbehave("duplicate")
        assert (await station.call("Heartbeat", {}, "mine")) == await station.next()


@VERSIONS
async def test_call_error(csms, protocol):
    async with csms.station(protocol) as station:
        csms.misbehave("call_error", code="GenericError", count=None)
        for _ in range(2):
            assert (await station.call("Heartbeat", {}, None))[2] == "GenericError"


@VERSIONS
async def test_bad_payload_and_nonsense(csms, protocol):
    async with csms.station(protocol) as station:
        csms.misbehave("bad_payload", payload={"currentTime": 5})
        assert (await station.call("Heartbeat", {}))[2] == {"currentTime": 5}
        csms.misbehave("nonsense")
        await station.send([2, "x", "Heartbeat", {}])
        assert await station.socket.recv() == "this is no OCPP message"


@VERSIONS
@pytest.mark.parametrize("what", ["close", "close_mid_message"])
async def test_closes(csms, protocol, what):
    async with csms.station(protocol) as station:
        csms.misbehave(what)
        with pytest.raises(websockets.ConnectionClosed) as closed:
            await station.call("Heartbeat", {})
        assert (closed.value.rcvd is None) == (what == "close_mid_message")
    await csms.until(lambda book: not book.station("CP001").connected)


@VERSIONS
async def test_calls_before_the_boot_is_answered(csms, protocol):
    async with csms.station(protocol, boot=False) as station:
        csms.misbehave("slow", action="BootNotification", seconds=0.1)
        boot = {"ocpp1.6": {"chargePointVendor": "V", "chargePointModel": "M"}}
        await station.send(
            [2, "boot", "BootNotification", boot.get(protocol, {"chargingStation": {"vendorName": "V", "model": "M"}, "reason": "PowerUp"})]
        )
        asked = asyncio.create_task(csms.send("CP001", "ClearCache", {}))
        call = await station.next()
        assert call[2] == "ClearCache"
        await station.send([3, call[1], {"status": "Rejected"}])
        assert (await station.next())[1] == "boot"
        assert await asked == {"status": "Rejected"}


@VERSIONS
@pytest.mark.parametrize("status", ["Pending", "Rejected"])
async def test_not_yet_accepted(csms, protocol, status):
    csms.book.options.registration = status
    async with csms.station(protocol) as station:
        assert csms.book.station("CP001").registration == status
        answer = await station.call("Heartbeat", {})
        assert csms.book.violations[-1]["rule"] == "order"
        assert answer[2] == "SecurityError" if protocol == "ocpp2.0.1" else answer[0] == 3
        if status == "Pending":
            asked = asyncio.create_task(csms.send("CP001", "TriggerMessage", {"requestedMessage": "Heartbeat"}))
            await station.send([3, (await station.next())[1], {"status": "Accepted"}])
            await asked
            await station.call("Heartbeat", {})
            assert len(csms.book.violations) == 1


@pytest.mark.parametrize(
    ("style", "pattern"),
    [("plain", r"\.\d{3}Z"), ("six_decimals", r"\.\d{6}Z"), ("offset", r"\.\d{6}\+00:00"), ("no_zone", r"\.\d{3}")],
)
async def test_times(csms, style, pattern):
    csms.book.options.times = style
    async with csms.station() as station:
        told = (await station.call("Heartbeat", {}))[2]["currentTime"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d" + pattern, told)


async def test_what_is_refused_is_not_known(csms):
    async with csms.station("ocpp1.6") as station:
        csms.misbehave("call_error", action="StartTransaction")
        start = {"connectorId": 1, "idTag": "04A1B2C3", "meterStart": 100, "timestamp": "2024-05-01T10:00:00Z"}
        assert (await station.call("StartTransaction", start))[0] == 4
        assert not csms.book.transactions
        assert (await station.call("StartTransaction", start))[0] == 3
        assert [transaction.repeats for transaction in csms.book.transactions] == [0]


@pytest.mark.parametrize("refused", [True, False])
async def test_minus_one_stands_for_what_got_no_number(csms, refused):
    """1.6 errata 3.18: answered as if it were valid; a violation only of a station that was always given its numbers."""
    async with csms.station("ocpp1.6") as station:
        if refused:
            csms.misbehave("call_error", action="StartTransaction")
        await station.call("StartTransaction", {"connectorId": 1, "idTag": "04A1B2C3", "meterStart": 100, "timestamp": "2024-05-01T10:00:00Z"})
        sampled = {"timestamp": "2024-05-01T10:01:00Z", "sampledValue": [{"value": "150"}]}
        values = await station.call("MeterValues", {"connectorId": 1, "transactionId": -1, "meterValue": [sampled]})
        stop = await station.call("StopTransaction", {"transactionId": -1, "meterStop": 200, "timestamp": "2024-05-01T10:02:00Z"})
    assert (values[0], stop[0]) == (3, 3)
    assert [violation["rule"] for violation in csms.book.violations] == ([] if refused else ["transaction", "transaction"])


@VERSIONS
async def test_a_wrong_clock(csms, protocol):
    csms.book.options.clock_wrong_by_s = -86_400.0
    async with csms.station(protocol) as station:
        told = datetime.fromisoformat((await station.call("Heartbeat", {}))[2]["currentTime"])
    assert timedelta(hours=23) < datetime.now(UTC) - told < timedelta(hours=25)
    assert abs((datetime.fromisoformat(csms.log[-1]["time"]) - datetime.now(UTC)).total_seconds()) < 3600


@pytest.mark.parametrize(("protocol", "package", "ending"), [("ocpp1.6", "ocpp.v16", ".json"), ("ocpp2.0.1", "ocpp.v201", "Request.json")])
def test_every_message_of_a_csms_can_be_sent(protocol, package, ending):
    names = {file.name for file in (files(package) / "schemas").iterdir()}
    requests = {name.removesuffix(ending) for name in names if name.endswith(ending) and not name.endswith("Response.json")}
    asked_by_vehicles = {"Get15118EVCertificate", "GetCertificateStatus"}
    only_of_a_station = set(HANDLERS[protocol]) - {"DataTransfer"}
    assert requests - only_of_a_station - asked_by_vehicles == set(ORDERS[protocol])
