"""The built-in CSMS answers both versions, and sees what is wrong."""

from __future__ import annotations

import asyncio
import base64
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import websockets

from sim.csms.server import NotConnected, Refused

AT = "2024-05-01T10:00:0{}.000Z"


def event(kind: str, seq: int, trigger: str, **more: Any) -> dict[str, Any]:
    base = {"eventType": kind, "seqNo": seq, "triggerReason": trigger, "timestamp": AT.format(seq), "transactionInfo": {"transactionId": "T1"}}
    return {**base, **more}


def energy(wh: float, at: str = AT.format(1)) -> list[dict[str, Any]]:
    return [{"timestamp": at, "sampledValue": [{"value": wh, "context": "Transaction.Begin"}]}]


@pytest.mark.parametrize("protocol", ["ocpp1.6", "ocpp2.0.1"])
async def test_boot_and_heartbeat(csms, protocol):
    async with csms.station(protocol, boot=False) as station:
        assert station.socket.subprotocol == protocol
        answer = await station.call(
            "BootNotification",
            {"ocpp1.6": {"chargePointVendor": "V", "chargePointModel": "M"}}.get(
                protocol, {"chargingStation": {"vendorName": "V", "model": "M"}, "reason": "PowerUp"}
            ),
        )
        assert answer[2]["status"] == "Accepted" and answer[2]["interval"] == 300
        assert (await station.call("Heartbeat", {}))[2]["currentTime"].endswith("Z")
    known = csms.book.station("CP001")
    assert (known.protocol, known.registration, known.heartbeats, len(known.boots)) == (protocol, "Accepted", 1, 1)
    assert not csms.book.violations


async def test_cards(csms):
    csms.book.set_card("BAD", "Blocked")
    async with csms.station("ocpp1.6") as station:
        statuses = [(await station.call("Authorize", {"idTag": tag}))[2]["idTagInfo"]["status"] for tag in ("04a1b2c3", "BAD", "FFFF")]
    async with csms.station("ocpp2.0.1") as station:
        answer = await station.call("Authorize", {"idToken": {"idToken": "04A1B2C3", "type": "ISO14443"}})
    assert statuses == ["Accepted", "Blocked", "Invalid"]
    assert answer[2] == {"idTokenInfo": {"status": "Accepted"}}


async def test_transaction_16(csms):
    async with csms.station("ocpp1.6") as station:
        start = {"connectorId": 1, "idTag": "04A1B2C3", "meterStart": 100, "timestamp": AT.format(0)}
        number = (await station.call("StartTransaction", start))[2]["transactionId"]
        assert (await station.call("StartTransaction", start))[2]["transactionId"] == number
        value = {"timestamp": AT.format(2), "sampledValue": [{"value": "150.5"}]}
        await station.call("MeterValues", {"connectorId": 1, "transactionId": number, "meterValue": [value]})
        stop = {"transactionId": number, "meterStop": 200, "timestamp": AT.format(3), "reason": "EVDisconnected"}
        assert (await station.call("StopTransaction", stop))[0] == 3
    [transaction] = csms.book.transactions
    assert (transaction.meter_start_wh, transaction.meter_stop_wh, transaction.reason, transaction.repeats) == (100, 200, "EVDisconnected", 1)
    assert [wh for _, wh in transaction.registers] == [100, 150.5, 200]
    assert not csms.book.violations


async def test_one_id_for_all_16(csms):
    csms.book.options.same_transaction_id = 7
    async with csms.station("ocpp1.6") as station:
        for meter in (0, 10):
            start = {"connectorId": 1, "idTag": "04A1B2C3", "meterStart": meter, "timestamp": AT.format(0)}
            assert (await station.call("StartTransaction", start))[2]["transactionId"] == 7
            await station.call("StopTransaction", {"transactionId": 7, "meterStop": meter + 5, "timestamp": AT.format(1)})
    assert [(t.meter_start_wh, t.meter_stop_wh) for t in csms.book.transactions] == [(0, 5), (10, 15)]


async def test_transaction_201(csms):
    async with csms.station() as station:
        token = {"idToken": "04A1B2C3", "type": "ISO14443"}
        first = event("Started", 0, "CablePluggedIn", evse={"id": 1, "connectorId": 1}, meterValue=energy(5, AT.format(0)))
        assert (await station.call("TransactionEvent", first))[2] == {}
        answer = await station.call("TransactionEvent", event("Updated", 1, "Authorized", idToken=token, offline=True))
        assert answer[2] == {"idTokenInfo": {"status": "Accepted"}}
        info = {"transactionId": "T1", "stoppedReason": "Remote"}
        await station.call("TransactionEvent", event("Ended", 3, "RemoteStop", transactionInfo=info, meterValue=energy(9, AT.format(3))))
        await station.call("TransactionEvent", event("Ended", 3, "RemoteStop", transactionInfo=info))
    [transaction] = csms.book.transactions
    assert (transaction.seqs, transaction.offline, transaction.repeats) == ([0, 1, 3], [False, True, False], 1)
    assert (transaction.token, transaction.evse, transaction.reason) == ("04A1B2C3", 1, "Remote")
    assert (transaction.meter_start_wh, transaction.meter_stop_wh) == (5, 9)
    assert not csms.book.violations


async def test_what_is_wrong_is_seen(csms):
    async with csms.station(boot=False) as station:
        await station.call("Heartbeat", {}, "one")
        assert (await station.call("BootNotification", {"reason": "PowerUp"}))[0] == 4
        await station.call("BootNotification", {"chargingStation": {"vendorName": "V", "model": "M"}, "reason": "PowerUp"})
        assert (await station.call("Nonsense", {}))[2] == "NotImplemented"
        assert (await station.call("Reset", {"type": "OnIdle"}))[2] == "NotSupported"
        await station.call("Heartbeat", {}, "one")
        await station.call("TransactionEvent", event("Updated", 5, "Trigger", meterValue=energy(5)))
        await station.call(
            "TransactionEvent", event("Updated", 4, "Trigger", meterValue=energy(4, AT.format(9)), timestamp="2024-05-01T10:00:00+00:00")
        )
        await station.send([3, "nobody asked", {}])
        await station.socket.send("nonsense")
        await station.call("Heartbeat", {})
    rules = [violation["rule"] for violation in csms.book.violations]
    assert set(rules) == {"order", "schema", "action", "message id", "transaction", "energy", "time", "answer", "frame"}


async def test_reports_and_statuses(csms):
    async with csms.station() as station:
        for seq in (0, 1):
            report = {"requestId": 4, "generatedAt": AT.format(0), "seqNo": seq, "tbc": seq == 0}
            await station.call("NotifyReport", report)
        await station.call("StatusNotification", {"timestamp": AT.format(0), "connectorStatus": "Available", "evseId": 1, "connectorId": 1})
    known = csms.book.station("CP001")
    assert len(known.reports["4"]) == 2 and known.statuses == {"1/1": "Available"}
    assert not csms.book.violations


async def test_sends_calls(csms):
    async with csms.station() as station:
        asked = asyncio.create_task(csms.send("CP001", "Reset", {"type": "OnIdle"}))
        call = await station.next()
        assert call[0] == 2 and call[2:] == ["Reset", {"type": "OnIdle"}]
        await station.send([3, call[1], {"status": "Accepted"}])
        assert await asked == {"status": "Accepted"}
        asked = asyncio.create_task(csms.send("CP001", "Reset", {"type": "OnIdle"}))
        await station.send([4, (await station.next())[1], "NotSupported", "no", {}])
        with pytest.raises(Refused) as refused:
            await asked
        assert refused.value.code == "NotSupported"
    with pytest.raises(NotConnected):
        await csms.send("CP002", "Reset", {})


async def test_basic_auth_and_identity(csms):
    header = {"Authorization": "Basic " + base64.b64encode(b"CP 1:secret").decode()}
    async with csms.station(identity="CP%201%2Fa", additional_headers=header):
        known = csms.book.station("CP 1/a")
        assert known.connected and known.password == "secret"
    await csms.until(lambda book: not book.station("CP 1/a").connected)


async def test_picks_what_it_likes(csms):
    csms.book.options.protocols = ["ocpp1.6"]
    url = f"ws://127.0.0.1:{csms.port}/ocpp/CP001"
    async with websockets.connect(url, subprotocols=["ocpp2.0.1", "ocpp1.6"], proxy=None) as socket:
        assert socket.subprotocol == "ocpp1.6"
    csms.book.options.connection_status = 404
    with pytest.raises(websockets.InvalidStatus):
        await websockets.connect(url, proxy=None)


async def test_http_interface(csms):
    base = f"http://127.0.0.1:{csms.port}/csms"
    async with csms.station() as station, aiohttp.ClientSession() as http:

        async def post(path: str, body: Any) -> tuple[int, Any]:
            async with http.post(f"{base}/{path}", json=body) as answer:
                return answer.status, await answer.json()

        assert (await post("cards", {"AA": "Accepted", "04A1B2C3": None}))[1]["AA"]["status"] == "Accepted"
        assert (await post("options", {"heartbeat_interval_s": 60}))[1]["heartbeat_interval_s"] == 60
        assert (await post("options", {"times": "odd"}))[0] == 400
        assert (await post("misbehave", {"what": "odd"}))[0] == 400
        assert (await post("misbehave", {"what": "no_answer", "action": "Authorize"}))[0] == 200
        assert (await post("send", {"identity": "nobody", "action": "Reset"}))[0] == 409
        asked = asyncio.create_task(post("send", {"identity": "CP001", "action": "ClearCache", "payload": {}}))
        await station.send([3, (await station.next())[1], {"status": "Accepted"}])
        assert await asked == (200, {"payload": {"status": "Accepted"}})
        async with http.get(f"{base}/state") as answer:
            state = await answer.json()
        assert state["stations"]["CP001"]["connected"] and state["violations"] == []
        async with http.get(f"{base}/log", params={"since": state["messages"] - 1}) as answer:
            assert [entry["kind"] for entry in await answer.json()] == ["result"]
        async with http.delete(f"{base}/misbehave") as answer:
            assert answer.status == 200
    assert not csms.mischief.orders


async def test_runs_alone():
    port_line = asyncio.subprocess.PIPE
    command = [sys.executable, "-c", "from sim.csms.server import main; main(0)"]
    process = await asyncio.create_subprocess_exec(*command, stdout=port_line, cwd=Path(__file__).parents[2])
    line = await process.stdout.readline()
    assert line.startswith(b"listening on ws://127.0.0.1:")
    process.terminate()
    assert await process.wait() == 0


async def test_what_flowed_has_its_price(csms):
    csms.book.options.price_per_kwh, csms.book.options.price_per_session = 0.5, 1.0
    async with csms.station("ocpp1.6") as station:
        start = {"connectorId": 1, "idTag": "04A1B2C3", "meterStart": 1000, "timestamp": AT.format(0)}
        number = (await station.call("StartTransaction", start))[2]["transactionId"]
        value = {"timestamp": AT.format(1), "sampledValue": [{"value": "2000"}]}
        await station.call("MeterValues", {"connectorId": 1, "transactionId": number, "meterValue": [value]})
        [row] = csms.book.summary()["transactions"]
        assert (row["ended"], row["energy_wh"], row["cost"]) == (False, 1000, 1.5)
        await station.call("StopTransaction", {"transactionId": number, "meterStop": 5000, "timestamp": AT.format(3)})
    summary = csms.book.summary()
    assert [(row["energy_wh"], row["cost"], row["token"]) for row in summary["transactions"]] == [(4000, 3.0, "04A1B2C3")]
    assert [(row["identity"], row["protocol"], row["registration"]) for row in summary["stations"]] == [("CP001", "ocpp1.6", "Accepted")]
    assert summary["cards"]["04A1B2C3"]["status"] == "Accepted" and summary["options"]["currency"] == "EUR"
