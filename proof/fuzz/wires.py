"""The parsers of what comes over lines and sockets of the board: card readers, meters, the link between the two processes, and the simulator's API.

Must not know how they are driven.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import strategies as st
from pymodbus.framer import FramerRTU

from chargepoint.clock import Clock
from chargepoint.control.permit import Lease
from chargepoint.link.client import LinkClient
from chargepoint.link.messages import (
    VERSION,
    Acknowledge,
    Edge,
    EdgeKind,
    EvseState,
    Hello,
    LampWish,
    LockWish,
    LoopFigures,
    Order,
    OrderAnswer,
    OrderKind,
    Permit,
    PhaseWish,
    Sample,
    ToControl,
    ToStation,
    WakeKind,
)
from chargepoint.link.server import LinkServer
from chargepoint.model.stamp import from_rfc3339
from chargepoint.model.variable import Key
from chargepoint.station.hardware import Hardware
from hal import meter_map, spec
from hal.errors import DeviceLost
from hal.files import packaged_config
from hal.modbus_line import ModbusLine
from hal.modbus_meter import ModbusMeter
from hal.pn532 import Frames, framed, uid_of
from hal.token_text import Lines, token_of
from proof.fuzz.inputs import GARBAGE, TEXTS, as_json, as_msgpack, maimed, other_values
from proof.fuzz.target import Target
from proof.soak.simulated import SimulatedLoop
from sim import api_bodies

CARD = bytes.fromhex("4B010100040804A1B2C3")
ANSWER = b"\x00\x00\xff" + bytes((len(CARD) + 1, -(len(CARD) + 1) & 0xFF)) + b"\xd5" + CARD + bytes((-(0xD5 + sum(CARD)) & 0xFF, 0))
LINE = spec.Serial(port="none")
READERS = (
    spec.Reader(kind="text", serial=LINE),
    spec.Reader(kind="text", serial=LINE, decimal=True),
    spec.Reader(kind="text", serial=LINE, reverse=True, prefixes=("UID:", "NO CARD")),
    spec.Reader(kind="text", serial=LINE, token_type="ISO15693"),
)
READ_LINES = (b"04A1B2C3\r\n", b"\x0204A1B2C3FF\x03", b":04A1B2C39A\r", b"04:A1:B2:C3\n", b"UID:04A1B2C3\n", b"1234567890\n", b"E004010203040506\n")
MOST_TOKEN = 255
"""Longer than any identifier a text reader may tell."""


def _frames(data: bytes) -> object:
    """However the bytes are cut, the same frames come out."""
    whole, cut = Frames(), Frames()
    found = whole.feed(data)
    assert found == [frame for i in range(len(data)) for frame in cut.feed(data[i : i + 1])], "the cut of the stream matters"
    return [uid_of(frame[1:]) for frame in found if frame[0] == 0x4B]


def _lines(data: bytes) -> object:
    """Every line by itself may be garbage; a token is text that can be printed."""
    for wiring in READERS:
        for line in Lines().feed(data):
            with contextlib.suppress(ValueError):
                token = token_of(line, wiring)
                assert token is None or (0 < len(token) <= MOST_TOKEN and token.isprintable() and token == token.strip()), f"a token {token!r}"
    return None


# meters


class _Deaf(asyncio.Protocol):
    """A meter that answers each request with the next piece of some bytes. framer: how right answers of its line are framed."""

    def __init__(self, data: bytes, framer: str) -> None:
        self._framer = framer
        self._pieces = itertools.cycle(data[i : i + 60] for i in range(0, max(1, len(data)), 60))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """The first byte says whether the answer is framed as a right one is, from the right unit; the second whether the function is."""
        assert isinstance(self._transport, asyncio.Transport)
        piece = next(self._pieces)
        if len(piece) < 2 or piece[0] % 4 == 0:
            self._transport.write(piece)
            return
        unit, function = (data[6:7], data[7:8]) if self._framer == "socket" else (data[:1], data[1:2])
        body = unit + (function if piece[1] % 4 else piece[1:2]) + piece[2:]
        if self._framer == "socket":
            self._transport.write(data[:4] + len(body).to_bytes(2, "big") + body)
        else:
            self._transport.write(body + FramerRTU.compute_CRC(body).to_bytes(2, "big"))


MAP = meter_map.load(packaged_config() / "meters" / "sdm72dm_v2.toml")


def _meter(data: bytes) -> object:
    """In simulated time, so that its silences cost none."""
    for framer in ("socket", "rtu"):
        with _loop() as loop:
            loop.run_until_complete(asyncio.wait_for(_readings(loop, data, framer), 60))
            loop.run_until_complete(asyncio.sleep(2))
    return None


@contextlib.contextmanager
def _loop() -> Iterator[SimulatedLoop]:
    """What nobody catches in a callback is a defect: it would end the station."""
    loop = SimulatedLoop()
    asyncio.set_event_loop(loop)
    problems: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda loop, context: problems.append(context))
    try:
        yield loop
    finally:
        asyncio.set_event_loop(None)
        loop.close()
    for context in problems:
        raise context.get("exception") or RuntimeError(context["message"])


async def _readings(loop: SimulatedLoop, data: bytes, framer: Any) -> None:
    async def dial() -> socket.socket:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        theirs.setblocking(False)
        await loop.connect_accepted_socket(lambda: _Deaf(data, framer), theirs)
        return ours

    loop.dial = dial
    wiring = spec.Meter(map=MAP.name, tcp=spec.Tcp(host="127.0.0.1", framer=framer))
    assert wiring.tcp is not None
    meter = ModbusMeter(ModbusLine(wiring.tcp, wiring.timeout_s, str, loop.time), MAP, wiring, "meter", loop.time)
    for _ in range(2):
        with contextlib.suppress(DeviceLost):
            await meter.read()
    await meter.close()


# the link


class _Control:
    """Control's side of the link as far as it judges what it hears."""

    def __init__(self) -> None:
        self.lease = Lease()

    def peer_came(self) -> None:
        self.lease.hold(100.0)

    def heard(self, message: ToControl) -> None:
        if isinstance(message, Permit):
            self.lease.take(message, 100.0, message.plug_in)
            assert not self.lease.in_force(131.0), "a permit reaches further than 30 s"

    def status(self) -> Iterable[ToStation]:
        return ()


def _to_control(data: bytes) -> object:
    """A peer that says hello and then the bytes: control drops it or takes them, and goes on to listen."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as directory:
        server = LinkServer(Path(directory), 7, _Control(), lambda text: None)
        try:
            for messages in ((data,), (msgspec.msgpack.encode(Hello(VERSION)), data)):
                with _peer(Path(directory) / "control.sock") as peer:
                    server.poll()
                    for message in messages:
                        peer.send(message or b"\xc1")
                    server.poll()
                    server.poll()
        finally:
            server.close()
    return None


@contextlib.contextmanager
def _peer(path: Path) -> Any:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as peer:
        peer.connect(str(path))
        yield peer


def _to_station(data: bytes) -> object:
    """A control that says hello and then the bytes: the station drops it or takes them."""
    with _loop() as loop:
        loop.run_until_complete(_listen(loop, data))
    return None


class _LoopClock(Clock):
    def __init__(self, loop: SimulatedLoop) -> None:
        super().__init__()
        self._loop = loop

    def boot_s(self) -> float:
        return self._loop.time()


async def _listen(loop: SimulatedLoop, data: bytes) -> None:
    with tempfile.TemporaryDirectory(prefix="fuzz-") as directory, socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(f"{directory}/control.sock")
        listener.listen()
        clock = _LoopClock(loop)
        hardware = Hardware(clock, 15.0)
        client = LinkClient(Path(directory), clock, hardware)
        hardware.use(client)
        task = loop.create_task(client.run())
        await asyncio.sleep(0.05)
        with listener.accept()[0] as peer:
            for message in (msgspec.msgpack.encode(Hello(VERSION, 7)), STATE, data or b"\xc1"):
                with contextlib.suppress(OSError):
                    peer.send(message)
            await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


STATE = msgspec.msgpack.encode(EvseState(1, 100.0, 5, "B", False, False, 0.0, "", False, True, 32.0, None, (), False, 30.0, 90.0))
TO_CONTROL: tuple[ToControl, ...] = (
    Hello(VERSION, 1, 2),
    Permit(1, 5, 16.0, 115.0, 10.0, 6.0, 6.0),
    PhaseWish(1, 3),
    LockWish(1, True),
    LampWish(1, "ready"),
    Sample(1, 99.0, True, (1.0, 2.0, None), (230.0, 230.0, 230.0), 1234.5, 700.0),
    Acknowledge(3),
    Order(1, OrderKind.WAKE, 1, "", WakeKind.X1_BREAK, 4.0),
)
TO_STATION: tuple[ToStation, ...] = (
    Hello(VERSION, 7),
    msgspec.msgpack.decode(STATE, type=EvseState),
    *(Edge(number, 100.0, 1, kind, 5, "0") for number, kind in enumerate(EdgeKind, 1)),
    OrderAnswer(1, True),
    LoopFigures(1, 0, 0, 0, 0, 0, True, 1),
)


def _messages(messages: Iterable[object]) -> Any:
    valid = [msgspec.to_builtins(message) for message in messages]
    return other_values(valid, as_msgpack) | maimed([as_msgpack(value) for value in valid])


# words and bodies

BODIES = (
    api_bodies.PlugIn, api_bodies.Unplug, api_bodies.Nothing, api_bodies.Breaker, api_bodies.Bay, api_bodies.Swipe, api_bodies.Power,
    api_bodies.Kill, api_bodies.Network, api_bodies.Fault, api_bodies.Clear, api_bodies.Ev,
)  # fmt: skip
VALID_BODIES = (
    {"ev": {"max_current_a": 16, "phases": 3, "ready": True, "profile": "dacia_spring", "capacity_wh": None}, "connector": 1},
    {"uid": "04A1B2C3", "evse": 1},
    {"state": "off", "how": "cut"},
    {"process": "station", "signal": "KILL"},
    {"fault": "diode", "phase": 2, "value": 0.5, "after_ms": 1, "for_ms": 5, "poles": [1, 2]},
    {"occupied": True},
    {},
)


def _bodies(data: bytes) -> object:
    for body in BODIES:
        with contextlib.suppress(api_bodies.WrongBody):
            api_bodies.read(data, body)
    return None


def _moment(data: bytes) -> object:
    return from_rfc3339(data.decode("utf-8", "replace"))


def _key(data: bytes) -> object:
    """What is taken can be written down and taken again."""
    key = Key.parse(data.decode("utf-8", "replace"))
    assert Key.parse(str(key)) == key, f"{key!r} is another when it is read again"
    return key


MOMENTS = (b"2024-05-01T10:00:00Z", b"2024-05-01T10:00:00.123456+02:00", b"9999-12-31T23:59:59Z", b"0001-01-01T00:00:00+23:59", b"2024-05-01")
KEYS = (b"AuthCtrlr.Enabled", b"OCPPCommCtrlr.MessageTimeout[Default]", b"EVSE@1.Power[x]", b"Connector[a]@1:2.Available")

TARGETS = (
    Target(
        "pn532", "frames of the card reader", _frames, (ValueError,), maimed((ANSWER, ANSWER[:9], framed(b"\x02"), bytes.fromhex("0000FF00FF00")))
    ),
    Target("token_text", "lines of text readers", _lines, (), maimed(READ_LINES) | TEXTS.map(lambda text: text.encode("utf-8", "replace") + b"\n")),
    Target(
        "modbus",
        "a meter's answers",
        _meter,
        (),
        st.lists(GARBAGE, min_size=1, max_size=4).map(b"".join) | maimed((b"\x01\x28" + bytes(40),)),
        plain=False,
    ),
    Target("to_control", "link, to control", _to_control, (), _messages(TO_CONTROL), plain=False),
    Target("to_station", "link, to the station", _to_station, (), _messages(TO_STATION), plain=False),
    Target("api_body", "the simulator's API", _bodies, (), other_values(VALID_BODIES, as_json) | maimed([as_json(body) for body in VALID_BODIES])),
    Target("date_time", "date-times of a CSMS", _moment, (ValueError,), maimed(MOMENTS)),
    Target("variable", "names of variables", _key, (ValueError,), maimed(KEYS)),
)
