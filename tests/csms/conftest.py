"""A small CSMS on a real WebSocket that does what a test says, and the station's side as far as csms/ needs it."""

from __future__ import annotations

import asyncio
import http
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from chargepoint.csms.face import Face, Heard, NoWords, Payload, Spoken, StationView
from chargepoint.csms.line import PING_STEP_S, Line
from chargepoint.csms.rpc import Rpc
from chargepoint.model.network import Slot
from chargepoint.model.questions import Question, QuestionAnswer, Registration, Unreachable
from chargepoint.settings import Settings, Tls
from chargepoint.station.certificates import Certificates
from tests.simclock import SimulatedClock

DEFAULTS = {
    "OCPPCommCtrlr.MessageTimeout[Default]": "30",
    "OCPPCommCtrlr.WebSocketPingInterval": "0",
    "OCPPCommCtrlr.RetryBackOffWaitMinimum": "10",
    "SecurityCtrlr.AllowCSMSTLSWildcards": "false",
    "OCPPCommCtrlr.RetryBackOffRandomRange": "5",
    "OCPPCommCtrlr.RetryBackOffRepeatTimes": "2",
    "OCPPCommCtrlr.MessageAttempts[TransactionEvent]": "3",
    "OCPPCommCtrlr.MessageAttemptInterval[TransactionEvent]": "60",
    "OCPPCommCtrlr.OfflineThreshold": "60",
    "OCPPCommCtrlr.QueueAllMessages": "false",
}


class Variables:
    """A device model of plain texts."""

    def __init__(self) -> None:
        self.values = dict(DEFAULTS)

    def text(self, key: str) -> str:
        return self.values[key]

    def integer(self, key: str) -> int:
        return int(self.values[key])

    def boolean(self, key: str) -> bool:
        return self.values[key] == "true"

    def get(self, key: str, attribute: str = "Actual") -> tuple[str, str | None]:
        return ("Accepted", self.values[key]) if key in self.values else ("UnknownVariable", None)

    def set(self, key: str, value: str, attribute: str = "Actual") -> str:
        self.values[key] = value
        return "Accepted"


class WaitingClock(SimulatedClock):
    """Notes every sleep asked for but those between pings."""

    def __init__(self) -> None:
        super().__init__()
        self.sleeps: list[float] = []

    async def sleep(self, seconds: float) -> None:
        if seconds != PING_STEP_S:
            self.sleeps.append(seconds)
        await super().sleep(seconds)


@dataclass
class Backend:
    """Notes what the line says."""

    registration: Registration | None = Registration.ACCEPTED
    connection: int = 1
    ups: list[Face] = field(default_factory=list)
    downs: list[str] = field(default_factory=list)

    @property
    def accepted(self) -> bool:
        return self.registration is Registration.ACCEPTED

    def line_up(self, face: Face) -> None:
        self.ups.append(face)

    def line_down(self, reason: str) -> None:
        self.downs.append(reason)


class Notes:
    def note(self, transaction: str) -> str | None:
        return None


class EchoFace:
    """A face that answers every CALL with an accepting payload."""

    def __init__(self, subprotocol: str, view: StationView, rpc: Rpc) -> None:
        self.subprotocol, self.view, self.rpc = subprotocol, view, rpc
        self.heard: list[str] = []

    async def ask(self, question: Question) -> QuestionAnswer:
        return Unreachable("not asked")

    async def speak(self, fact: Any, offline: bool) -> Spoken:
        return NoWords()

    async def hear(self, action: str, payload: Payload) -> Heard:
        self.heard.append(action)
        return Heard({"status": "Accepted"})

    async def report(self, request_id: int, parts: Any) -> None:
        return None


Handler = Callable[["Csms", ServerConnection], Awaitable[None]]


class Csms:
    """status: refuses the handshake with that HTTP status; choose: what it picks of the offered subprotocols; on_connect: what it does with a
    connection (default: reads until it ends)."""

    def __init__(self) -> None:
        self.status: int | None = None
        self.choose: Callable[[list[str]], str | None] = lambda offered: offered[0]
        self.on_connect: Handler | None = None
        self.requests: list[Request] = []
        self.connections: list[ServerConnection] = []
        self.frames: list[Any] = []
        self._server: Server | None = None
        self.port = 0

    async def start(self, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self._server = await serve(
            self._serve, "127.0.0.1", port, ssl=tls, process_request=self._admit, select_subprotocol=self._select, ping_interval=None
        )
        self.port = next(iter(self._server.sockets)).getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close(close_connections=True)
            await self._server.wait_closed()

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ocpp"

    async def send(self, frame: Any) -> None:
        text = frame if isinstance(frame, str | bytes) else msgspec.json.encode(frame).decode()
        await self.connections[-1].send(text)

    async def _serve(self, connection: ServerConnection) -> None:
        self.connections.append(connection)
        if self.on_connect is not None:
            await self.on_connect(self, connection)
            return
        try:
            async for frame in connection:
                self.frames.append(msgspec.json.decode(frame))
        except ConnectionClosed:
            return

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        self.requests.append(request)
        return None if self.status is None else connection.respond(http.HTTPStatus(self.status), "no\n")

    def _select(self, connection: ServerConnection, offered: list[Any]) -> Any:
        return self.choose(offered)


class Bench:
    """A line to the small CSMS, and its slots: `slot` alone. attempts: what the line has said of them."""

    def __init__(self, csms: Csms, directory: Path) -> None:
        self.csms, self.directory = csms, directory
        self.clock, self.backend, self.variables = WaitingClock(), Backend(), Variables()
        self.security: list[tuple[str, str]] = []
        self.tls = Tls()
        self.attempts: list[str] = []
        self.now = Slot(csms.url, "CP001", ("ocpp2.0.1", "ocpp1.6"))
        self.task: asyncio.Task[None] | None = None

    def dial(self, **changes: Any) -> Line:
        self.now = self.now._replace(**changes)
        view = StationView({}, self.variables, Settings(), self.clock, lambda at: at.wall_s, Notes(), self.backend)
        certificates = Certificates(self.directory, self.tls, self.clock)
        line = Line(self, view, self.backend, certificates, lambda kind, info: self.security.append((kind, info)), EchoFace)
        self.task = asyncio.create_task(line.run())
        return line

    def slot(self) -> Slot:
        return self.now

    def connected(self) -> None:
        self.attempts.append("connected")

    def failed(self) -> None:
        self.attempts.append("failed")

    async def waits(self, count: int) -> list[float]:
        """Lets so many back-off waits pass, one by one; gives them."""
        for number in range(1, count + 1):
            await until(lambda number=number: len(self.clock.sleeps) >= number)
            if number < count:
                await self.clock.advance(self.clock.sleeps[number - 1])
        return self.clock.sleeps[:count]

    async def stop(self) -> None:
        if self.task is not None:
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)


async def until(true: Callable[[], Any]) -> None:
    """Waits for something the real sockets do."""
    async with asyncio.timeout(10):
        while not true():
            await asyncio.sleep(0.002)


@pytest.fixture
async def csms() -> AsyncIterator[Csms]:
    served = Csms()
    await served.start()
    yield served
    await served.stop()


@pytest.fixture
async def bench(csms: Csms, tmp_path: Path) -> AsyncIterator[Bench]:
    made = Bench(csms, tmp_path / "certificates")
    yield made
    await made.stop()
