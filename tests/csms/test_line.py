"""Dialling, negotiating, losing and dialling again, over real WebSockets."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import socket

import pytest
from websockets.asyncio.server import ServerConnection

from chargepoint.csms.line import connection_url
from chargepoint.csms.rpc import Gone, Result, Urgency
from tests.csms.conftest import Bench, Csms, EchoFace, until

TIME = {"currentTime": "2024-05-01T10:00:00Z"}


@pytest.mark.parametrize(
    ("url", "identity", "joined"),
    [
        ("ws://csms.example.com/ocpp", "CP001", "ws://csms.example.com/ocpp/CP001"),
        ("wss://csms.example.com/ocppj", "RDAM 123", "wss://csms.example.com/ocppj/RDAM%20123"),
        ("ws://csms.example.com/ocpp/", "CP001", "ws://csms.example.com/ocpp/CP001"),
        ("ws://csms.example.com", "CP001", "ws://csms.example.com/CP001"),
        ("ws://csms.example.com//a", "CP/1?#é", "ws://csms.example.com//a/CP%2F1%3F%23%C3%A9"),
        ("ws://csms.example.com/ocpp?key=1", "CP001", "ws://csms.example.com/ocpp/CP001?key=1"),
        ("ws://[::1]:9000/o%20c", "CP001", "ws://[::1]:9000/o%20c/CP001"),
    ],
)
def test_connection_url(url: str, identity: str, joined: str) -> None:
    assert connection_url(url, identity) == joined


async def test_the_identity_is_in_the_path_and_all_versions_are_offered(bench: Bench, csms: Csms) -> None:
    bench.dial(identity="RDAM 123")
    await until(lambda: bench.backend.ups)
    assert csms.requests[0].path == "/ocpp/RDAM%20123"
    assert csms.requests[0].headers["Sec-WebSocket-Protocol"] == "ocpp2.0.1, ocpp1.6"
    assert "Authorization" not in csms.requests[0].headers


@pytest.mark.parametrize("chosen", ["ocpp2.0.1", "ocpp1.6"])
async def test_the_csms_chooses_the_version(bench: Bench, csms: Csms, chosen: str) -> None:
    csms.choose = lambda offered: chosen
    bench.dial()
    await until(lambda: bench.backend.ups)
    assert bench.backend.ups[0].subprotocol == chosen


async def test_a_csms_that_chooses_none_means_the_most_wanted(bench: Bench, csms: Csms) -> None:
    csms.choose = lambda offered: None
    line = bench.dial(subprotocols=("ocpp1.6", "ocpp2.0.1"))
    await until(lambda: bench.backend.ups)
    assert line.face is not None and line.face.subprotocol == "ocpp1.6"


async def test_a_version_that_was_not_offered_is_no_connection(bench: Bench, csms: Csms) -> None:
    csms.choose = lambda offered: "ocpp1.5"
    bench.dial()
    await until(lambda: bench.clock.sleeps)
    assert not bench.backend.ups


@pytest.mark.parametrize(("password", "sent"), [("pässword", "pässword".encode()), (b"\x00\xff:\x80", b"\x00\xff:\x80")])
async def test_basic_auth_is_identity_and_password(bench: Bench, csms: Csms, password: str | bytes, sent: bytes) -> None:
    bench.dial(security_profile=1, password=password)
    await until(lambda: bench.backend.ups)
    kind, _, encoded = csms.requests[0].headers["Authorization"].partition(" ")
    assert kind == "Basic" and base64.b64decode(encoded) == b"CP001:" + sent


@pytest.mark.parametrize("status", [401, 403, 404, 503, 500])
async def test_a_refused_handshake_is_tried_again(bench: Bench, csms: Csms, status: int, caplog: pytest.LogCaptureFixture) -> None:
    csms.status = status
    bench.dial(security_profile=1, password="secret")
    await until(lambda: len(bench.clock.sleeps) == 1)
    assert 10 <= bench.clock.sleeps[0] <= 15 and f"HTTP {status}" in caplog.text and "secret" not in caplog.text
    assert bench.security == ([("FailedToAuthenticateAtCsms", f"HTTP {status}")] if status in (401, 403) else [])
    csms.status = None
    await bench.clock.advance(15)
    await until(lambda: bench.backend.ups)


async def test_the_same_trouble_is_one_security_event(bench: Bench, csms: Csms) -> None:
    csms.status = 401
    bench.dial()
    await bench.waits(3)
    assert len(bench.security) == 1


async def test_waits_double_while_nobody_listens(bench: Bench) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    bench.variables.values["OCPPCommCtrlr.RetryBackOffRandomRange"] = "0"
    bench.dial(url=f"ws://127.0.0.1:{port}")
    assert await bench.waits(5) == [10, 20, 40, 40, 40]
    assert not bench.backend.ups and not bench.backend.downs


async def test_a_connection_closed_right_after_101_does_not_reset_the_back_off(bench: Bench, csms: Csms, caplog: pytest.LogCaptureFixture) -> None:
    async def close(csms: Csms, connection: ServerConnection) -> None:
        await connection.close()

    csms.on_connect = close
    bench.variables.values["OCPPCommCtrlr.RetryBackOffRandomRange"] = "0"
    bench.dial()
    assert await bench.waits(3) == [10, 20, 40]
    assert "may not speak what was offered" in caplog.text
    assert len(bench.backend.downs) == len(bench.backend.ups)


async def test_a_lost_connection_is_dialled_again_and_starts_from_the_minimum(bench: Bench, csms: Csms) -> None:
    bench.variables.values["OCPPCommCtrlr.RetryBackOffRandomRange"] = "0"
    bench.dial()
    for count in range(1, 4):
        await until(lambda count=count: len(bench.backend.ups) == count)
        await until(lambda count=count: len(csms.connections) == count)
        await csms.send([2, str(count), "ClearCache", {}])
        await until(lambda count=count: len(csms.frames) == count)
        csms.connections[-1].transport.abort()
        await until(lambda count=count: len(bench.clock.sleeps) == count)
        await bench.clock.advance(10)
    assert bench.clock.sleeps[:3] == [10, 10, 10]


async def test_calls_both_ways_over_the_line(bench: Bench, csms: Csms) -> None:
    bench.dial()
    await until(lambda: bench.backend.ups and csms.connections)
    face = bench.backend.ups[0]
    assert isinstance(face, EchoFace)
    asked = asyncio.create_task(face.rpc.call("Heartbeat", {}, Urgency.HEARTBEAT))
    await until(lambda: csms.frames)
    await csms.send([2, "theirs", "ClearCache", {}])
    await until(lambda: len(csms.frames) == 2)
    await csms.send([3, csms.frames[0][1], TIME])
    assert await asked == Result(TIME)
    assert csms.frames[1] == [3, "theirs", {"status": "Accepted"}] and face.heard == ["ClearCache"]


async def test_a_lost_connection_ends_an_open_call(bench: Bench, csms: Csms) -> None:
    bench.dial()
    await until(lambda: bench.backend.ups and csms.connections)
    face = bench.backend.ups[0]
    assert isinstance(face, EchoFace)
    asked = asyncio.create_task(face.rpc.call("Heartbeat", {}, Urgency.HEARTBEAT))
    await until(lambda: csms.frames)
    csms.connections[0].transport.abort()
    assert isinstance(await asked, Gone)
    await until(lambda: bench.backend.downs)


async def test_nonsense_frames_leave_the_line_standing(bench: Bench, csms: Csms) -> None:
    bench.dial(subprotocols=("ocpp1.6",))
    await until(lambda: csms.connections)
    for frame in ["", "{", "[]", b"\x00\xff", "[2]", "[3,4,5]", '[4,"x"]', "[" * 3000, '[7,"a"]']:
        await csms.send(frame)
    await csms.send([2, "last", "ClearCache", {}])
    await until(lambda: csms.frames)
    assert csms.frames[-1][:2] == [3, "last"] and len(csms.connections) == 1
    assert bench.security == [("InvalidMessages", "no JSON: Input data was truncated")]


async def test_a_csms_that_talks_nonsense_is_one_security_event_in_an_hour(bench: Bench, csms: Csms) -> None:
    """However often it connects anew; what is in order between counts for nothing."""

    async def talk(csms: Csms, connection: ServerConnection) -> None:
        await connection.send('[4, "-1", "GenericError", "", {}]')
        await connection.send("nonsense")
        await connection.close()

    csms.on_connect = talk
    bench.variables.values["OCPPCommCtrlr.RetryBackOffRandomRange"] = "0"
    bench.dial()
    assert await bench.waits(4) == [10, 10, 10, 10]
    assert [kind for kind, _ in bench.security] == ["InvalidMessages"]
    await bench.clock.advance(3600)
    await bench.waits(6)
    await until(lambda: len(bench.security) == 2)


async def test_text_that_is_no_utf8_leaves_the_line_standing(bench: Bench, csms: Csms) -> None:
    bench.dial()
    await until(lambda: csms.connections)
    await csms.connections[0].send(b'[2,"\xff\xfe","ClearCache",{}]', text=True)
    await csms.send([2, "last", "ClearCache", {}])
    await until(lambda: any(frame[1] == "last" for frame in csms.frames))
    assert len(csms.connections) == 1


async def test_a_frame_too_large_costs_the_connection_and_no_more(bench: Bench, csms: Csms) -> None:
    bench.dial()
    await until(lambda: csms.connections)
    await csms.send("x" * ((1 << 20) + 1))
    await until(lambda: bench.clock.sleeps)
    await bench.clock.advance(15)
    await until(lambda: len(bench.backend.ups) == 2)


async def test_a_dead_line_is_found_by_its_ping(bench: Bench) -> None:
    """Half-open: the peer's TCP takes everything and says nothing."""
    seen: list[bytes] = []

    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        key = next(line.split(b": ")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key"))
        from websockets.utils import accept_key

        writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Protocol: ocpp1.6\r\nSec-WebSocket-Accept: " + accept_key(key.decode()).encode() + b"\r\n\r\n"
        )
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(100):
                seen.append(data)
        writer.close()

    server = await asyncio.start_server(mute, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    bench.variables.values["OCPPCommCtrlr.WebSocketPingInterval"] = "30"
    bench.dial(url=f"ws://127.0.0.1:{port}")
    await until(lambda: bench.backend.ups)
    await bench.clock.advance(31)
    await until(lambda: seen)
    await bench.clock.advance(18)
    await asyncio.sleep(0.02)
    assert not bench.backend.downs
    await bench.clock.advance(2)
    await until(lambda: bench.backend.downs)
    assert "no answer to a ping" in bench.backend.downs[0]
    server.close()


async def test_pings_that_are_answered_keep_the_line(bench: Bench, csms: Csms) -> None:
    bench.variables.values["OCPPCommCtrlr.WebSocketPingInterval"] = "10"
    bench.dial()
    await until(lambda: bench.backend.ups)
    for _ in range(5):
        await bench.clock.advance(11)
        await asyncio.sleep(0.05)
    assert not bench.backend.downs


async def test_redial_takes_what_the_slot_says_by_then(bench: Bench, csms: Csms) -> None:
    line = bench.dial()
    await until(lambda: bench.backend.ups)
    bench.now = bench.now._replace(identity="CP002")
    line.redial("another password")
    await until(lambda: bench.clock.sleeps)
    assert bench.backend.downs == ["another password"]
    await bench.clock.advance(15)
    await until(lambda: len(csms.requests) == 2)
    assert csms.requests[1].path == "/ocpp/CP002"


async def test_a_url_no_dialler_understands_is_a_log_line(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.dial(url="ws://host:port/x")
    await until(lambda: bench.clock.sleeps)
    assert "no connection to" in caplog.text


async def test_cancelling_ends_everything(bench: Bench, csms: Csms) -> None:
    bench.dial()
    await until(lambda: bench.backend.ups and csms.connections)
    await bench.stop()
    assert bench.backend.downs
    await until(lambda: csms.connections[0].close_code is not None)


async def test_an_attempt_is_one_that_nobody_answers(bench: Bench, csms: Csms) -> None:
    """Refused, and closed right after the handshake; and a CSMS that has spoken."""
    csms.status = 503
    bench.dial()
    await until(lambda: bench.attempts == ["failed"])

    async def close(csms: Csms, connection: ServerConnection) -> None:
        await connection.close()

    csms.status, csms.on_connect = None, close
    await bench.waits(2)
    await until(lambda: bench.attempts == ["failed", "failed"])

    async def greet(csms: Csms, connection: ServerConnection) -> None:
        await connection.send('[4, "-1", "GenericError", "", {}]')
        await connection.wait_closed()

    csms.on_connect = greet
    await bench.clock.advance(bench.clock.sleeps[1])
    await until(lambda: bench.attempts == ["failed", "failed", "connected"])
