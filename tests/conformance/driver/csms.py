"""A CSMS to test with, on a real WebSocket, for both versions: it keeps every frame, answers as told, calls, and waits for what a case expects.

Must not know the station behind the socket. Rules that hold for every frame: judge. Default answers: answers.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import http
import inspect
import json
import ssl
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response

from tests.conformance.driver import schemas
from tests.conformance.driver.answers import Answers
from tests.conformance.driver.judge import Judge
from tests.conformance.driver.matching import Payload, Where, matches
from tests.conformance.driver.messages import Attempt, CallError, Delayed, Message, Reply, Silence

PATIENCE_S = 15.0
CALL, RESULT, ERROR = 2, 3, 4


class _Connection(ServerConnection):
    """Counts what the WebSocket answers by itself. on_ping: called at each ping of the other side."""

    on_ping: Callable[[], None] = staticmethod(lambda: None)

    def process_event(self, event: Any) -> None:
        if isinstance(event, Frame) and event.opcode is Opcode.PING:
            self.on_ping()
        super().process_event(event)


@dataclass
class _Override:
    action: str
    reply: Reply
    where: Where
    left: int | None


@dataclass
class _Open:
    action: str
    at: float


@dataclass
class Csms:
    """versions: subprotocols this CSMS speaks; of those a station offers, the station's order decides. None chooses none at all.
    forced: chosen whatever is offered. assumed: what is spoken where none was chosen (OCPP-J 1.6, 3.1.2). credentials: identity and password, asked
    for by HTTP Basic when set. tls: its side of wss. host: what the station knows it by. slams: so many connections are closed right after the
    handshake. pings: when a WebSocket ping came, monotonic seconds."""

    versions: tuple[str, ...] | None = ("ocpp2.0.1", "ocpp1.6")
    answers: Answers = field(default_factory=Answers)
    judge: Judge = field(default_factory=Judge)
    forced: str | None = None
    assumed: str = "ocpp1.6"
    credentials: tuple[str, str] | None = None
    slams: int = 0
    tls: ssl.SSLContext | None = None
    host: str = "127.0.0.1"
    port: int = 0
    messages: list[Message] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    pings: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._overrides: list[_Override] = []
        self._server: Server | None = None
        self._socket: ServerConnection | None = None
        self._refusal: int | None = None
        self._asked: dict[str, tuple[str, asyncio.Future[Payload]]] = {}
        self._open: dict[str, _Open] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._news = asyncio.Condition()
        self._answering = asyncio.Lock()

    # --- the listening side

    async def start(self) -> None:
        """Listens on a free port, or on the one it had."""
        self._server = await serve(
            self._serve,
            "127.0.0.1",
            self.port,
            ssl=self.tls,
            process_request=self._request,
            select_subprotocol=self._select,
            max_size=None,
            ping_interval=None,
            close_timeout=1,
            compression=None,
            create_connection=_Connection,
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
        for task in self._tasks:
            task.cancel()

    async def restart(self, tls: ssl.SSLContext | None) -> None:
        """Ends every connection and listens again on its port, with TLS or without."""
        await self.stop()
        self.tls = tls
        await self.start()

    @property
    def url(self) -> str:
        return f"{'wss' if self.tls else 'ws'}://{self.host}:{self.port}/ocpp"

    @property
    def connected(self) -> bool:
        return self._socket is not None

    @property
    def tls_version(self) -> str | None:
        """Of the present connection ("TLSv1.3"); None: without TLS."""
        secure = self._secure()
        return None if secure is None else str(secure.version())

    @property
    def peer_name(self) -> str | None:
        """The commonName of the certificate the station has shown."""
        secure = self._secure()
        shown: Any = (secure.getpeercert() or {}) if secure is not None else {}
        return next((value for part in shown.get("subject", ()) for key, value in part if key == "commonName"), None)

    def _secure(self) -> ssl.SSLObject | None:
        assert self._socket is not None, "the station is not connected"
        found: ssl.SSLObject | None = self._socket.transport.get_extra_info("ssl_object")
        return found

    @property
    def version(self) -> str:
        """Of the present connection."""
        assert self._socket is not None, "the station is not connected"
        return self._socket.subprotocol or self.assumed

    async def disconnect(self) -> None:
        """Closes the connection; the station may dial again at once."""
        if self._socket is not None:
            await self._socket.close()
            await self.until(lambda: not self.connected, "the connection never closed")

    def refuse(self, status: int = 503) -> None:
        """Every new connection is refused with this HTTP status, until `accept`."""
        self._refusal = status

    def accept(self) -> None:
        self._refusal = None

    @contextlib.asynccontextmanager
    async def offline(self, status: int = 503) -> AsyncIterator[None]:
        """Closes the connection and accepts no other inside; outside the station is connected again."""
        self.refuse(status)
        try:
            await self.disconnect()
            yield
        finally:
            self.accept()
        await self.reconnected()

    async def reconnected(self, within: float = 30.0) -> None:
        await self.until(lambda: self.connected, f"no connection within {within} s", within)

    def _request(self, _: ServerConnection, request: Request) -> Response | None:
        refused = self._refusal or (None if self._may_enter(request) else 401)
        self.attempts.append(Attempt(self.now(), request.path, dict(request.headers.raw_items()), refused))
        self._tell()
        if refused is None:
            return None
        phrase = http.HTTPStatus(refused).phrase
        return Response(refused, phrase, Headers({"Content-Length": "0", "Connection": "close"}), b"")

    def _may_enter(self, request: Request) -> bool:
        if self.credentials is None:
            return True
        wanted = base64.b64encode(":".join(self.credentials).encode()).decode()
        return bool(request.headers.get("Authorization") == f"Basic {wanted}")

    def _select(self, _: ServerConnection, offered: Any) -> Any:
        return self.forced or (next((word for word in offered if word in self.versions), None) if self.versions else None)

    # --- what comes in

    def _pinged(self) -> None:
        self.pings.append(self.now())
        self._tell()

    async def _serve(self, socket: ServerConnection) -> None:
        if self.slams:
            self.slams -= 1
            return await socket.close()
        if isinstance(socket, _Connection):
            socket.on_ping = self._pinged
        self._socket = socket
        self._open.clear()
        self._tell()
        try:
            async for frame in socket:
                self._take(socket, frame)
        except ConnectionClosed:
            pass
        finally:
            if self._socket is socket:
                self._socket = None
                for _, waiting in self._asked.values():
                    if not waiting.done():
                        waiting.set_exception(ConnectionError("the station closed the connection"))
                self._asked.clear()
            self._tell()

    def _take(self, socket: ServerConnection, frame: str | bytes) -> None:
        try:
            told = json.loads(frame) if isinstance(frame, str) else None
        except ValueError:
            told = None
        if not isinstance(told, list) or len(told) < 3 or told[0] not in (CALL, RESULT, ERROR):
            self.judge.breach(f"no OCPP frame: {frame[:200]!r}")
        elif told[0] == CALL:
            self._take_call(socket, told)
        else:
            self._take_answer(socket, told)
        self._tell()

    def _take_call(self, socket: ServerConnection, told: list[Any]) -> None:
        if len(told) != 4 or not isinstance(told[3], dict):
            return self.judge.breach(f"CALL of {len(told)} elements: {told!r}")
        _, id_, action, payload = told
        version = socket.subprotocol or self.assumed
        for other in self._open.values():
            self.judge.overlapped(action, other.action, self.now() - other.at)
        message = Message(self.now(), "call", True, action, payload, id_, len(self.attempts), settled=False)
        self.messages.append(message)
        self.judge.called(version, id_, action, payload)
        self._open[id_] = _Open(action, self.now())
        task = asyncio.get_running_loop().create_task(self._reply(socket, version, message))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return None

    def _take_answer(self, socket: ServerConnection, told: list[Any]) -> None:
        version = socket.subprotocol or self.assumed
        action, waiting = self._asked.pop(told[1], ("?", None))
        kind = "result" if told[0] == RESULT else "error"
        payload = told[2] if kind == "result" else {"error": told[2:]}
        self.messages.append(Message(self.now(), kind, True, action, payload, str(told[1]), len(self.attempts)))
        if waiting is None:
            return None
        if kind == "result":
            self.judge.answered(version, action, payload)
            outcome = waiting.set_result
        else:
            self.judge.refused(version, action, told[2:])
            return None if waiting.done() else waiting.set_exception(CallError(*told[2:5]))
        return None if waiting.done() else outcome(payload)

    # --- answers to the station

    def answer(self, action: str, reply: Reply, *, where: Where = None, times: int | None = None) -> None:
        """How to answer an action from now on (times: so often, then as before). The newest wins. reply: a dict laid over the default answer,
        a function of the payload that gives a reply (may be async), `CallError(code)`, `SILENCE` (no answer), or `Delayed(seconds, reply)`."""
        self._overrides.insert(0, _Override(action, reply, where, times))

    def answer_as_usual(self, action: str | None = None) -> None:
        """Forgets what `answer` was told, for one action or for all."""
        self._overrides = [entry for entry in self._overrides if action not in (None, entry.action)]

    def _override(self, action: str, payload: Payload) -> Reply:
        for entry in self._overrides:
            if entry.action == action and entry.left != 0 and matches(entry.where, payload):
                entry.left = None if entry.left is None else entry.left - 1
                return entry.reply
        return {}

    async def _reply(self, socket: ServerConnection, version: str, message: Message) -> None:
        try:
            reply = await self._made(message)
            if not isinstance(reply, Silence):
                self._open.pop(message.id_, None)
                await self._send(socket, self._frame(version, message, reply), message.action)
        finally:
            self._settle(message)

    async def _made(self, message: Message) -> Payload | CallError | Silence:
        """The reply, as soon as it is due."""
        reply = self._override(message.action, message.payload)
        while callable(reply) or isinstance(reply, Delayed):
            if isinstance(reply, Delayed):
                self._settle(message)
                await asyncio.sleep(reply.seconds)
                reply = reply.reply
                continue
            reply = reply(message.payload)
            if inspect.isawaitable(reply):
                self._settle(message)
                reply = await reply
        return reply

    def _frame(self, version: str, message: Message, reply: Payload | CallError) -> list[Any]:
        if isinstance(reply, CallError):
            return [ERROR, message.id_, reply.code, reply.description, reply.details]
        return [RESULT, message.id_, {**self.answers.to(version, message.action, message.payload), **reply}]

    def _settle(self, message: Message) -> None:
        message.settled = True
        self._tell()

    def closed(self, id_: str) -> None:
        """A case has answered this call itself, so that it no longer counts as open."""
        self._open.pop(id_, None)

    async def _send(self, socket: ServerConnection, frame: list[Any], action: str) -> None:
        kinds = {CALL: "call", RESULT: "result", ERROR: "error"}
        payload = {"error": frame[2:]} if frame[0] == ERROR else frame[-1]
        self.messages.append(Message(self.now(), kinds[frame[0]], False, action, payload, frame[1], len(self.attempts)))
        self._tell()
        with contextlib.suppress(ConnectionClosed):
            await socket.send(json.dumps(frame))

    async def send_text(self, text: str | bytes, *, binary: bool = False) -> None:
        """Any text at all, for the cases of the transport; bytes need not be UTF-8. binary: as a binary frame."""
        assert self._socket is not None, "the station is not connected"
        content = text.encode() if isinstance(text, str) else text
        await self._socket.send(content, text=not binary)

    async def ping(self) -> None:
        """Pings the station and waits for the pong."""
        assert self._socket is not None, "the station is not connected"
        await asyncio.wait_for(await self._socket.ping(), PATIENCE_S)

    # --- calls to the station

    async def call(self, action: str, payload: Payload | None = None, *, within: float = 30.0, id_: str | None = None, valid: bool = True) -> Payload:
        """Calls and returns the answer, which is held to the schema. Raises CallError when the station refuses.
        valid: the payload must be valid too, so that a case does not test by mistake what it does not mean."""
        assert self._socket is not None, "the station is not connected"
        payload = payload or {}
        wrong = schemas.complaints(self.version, action, payload) if valid else []
        assert not wrong, f"the case calls {action} wrongly: {wrong}"
        id_ = id_ or str(uuid.uuid4())
        waiting: asyncio.Future[Payload] = asyncio.get_running_loop().create_future()
        self._asked[id_] = (action, waiting)
        await self._send(self._socket, [CALL, id_, action, payload], action)
        try:
            return await asyncio.wait_for(waiting, within)
        except TimeoutError:
            raise AssertionError(f"no answer to {action} within {within} s") from None

    async def refused(self, action: str, payload: Payload | None = None, *codes: str, within: float = 30.0) -> CallError:
        """Calls (the payload may be invalid) and returns the CALLERROR; fails when there is none, or none of these codes."""
        try:
            answer = await self.call(action, payload, within=within, valid=False)
        except CallError as error:
            assert not codes or error.code in codes, f"{action} was refused with {error.code}, not {codes}"
            return error
        raise AssertionError(f"{action} was answered: {answer}")

    # --- what a case waits for

    async def expect(self, action: str, where: Where = None, *, within: float = PATIENCE_S) -> Payload:
        """The oldest call of the station with this action that fits and no other `expect` has taken; waits for it. Others stay for others."""
        return (await self.expect_message(action, where, within=within)).payload

    async def expect_message(self, action: str, where: Where = None, *, within: float = PATIENCE_S) -> Message:
        """As `expect`; with time, message id and connection."""
        found: list[Message] = []

        def there() -> bool:
            found[:] = [it for it in self.pending(action, where) if it.settled][:1]
            return bool(found)

        await self.until(there, lambda: f"no {action} like {where} within {within} s; not taken: {self._untaken()}", within)
        found[0].taken = True
        return found[0]

    async def no_more(self, action: str, where: Where = None, *, for_s: float = 1.0) -> None:
        """Fails when a call like this is there untaken, or comes within for_s."""
        await asyncio.sleep(for_s)
        seen = self.pending(action, where)
        assert not seen, f"{action} was sent: {seen[0].payload}"

    def pending(self, action: str | None = None, where: Where = None) -> list[Message]:
        """The station's calls that fit and no `expect` has taken yet."""
        return [it for it in self.calls(action, where) if not it.taken]

    def calls(self, action: str | None = None, where: Where = None) -> list[Message]:
        """All the station's calls that fit, oldest first, taken or not."""
        return [it for it in self.messages if it.incoming and it.kind == "call" and action in (None, it.action) and matches(where, it.payload)]

    def forget(self) -> None:
        """Whatever has come so far is of no interest: takes it all."""
        for message in self.messages:
            message.taken = True

    async def until(self, met: Callable[[], bool], otherwise: str | Callable[[], str], within: float = PATIENCE_S) -> None:
        """Waits until something is true that a frame or a connection can change."""
        try:
            async with asyncio.timeout(within), self._news:
                await self._news.wait_for(met)
        except TimeoutError:
            raise AssertionError(otherwise() if callable(otherwise) else otherwise) from None

    def log(self) -> str:
        """Every frame, one a line, for a case that failed."""
        start = self.messages[0].at if self.messages else 0.0
        return "\n".join(it.line(start) for it in self.messages)

    def _untaken(self) -> list[str]:
        return [f"{it.action} {json.dumps(it.payload)[:300]}" for it in self.pending()]

    def now(self) -> float:
        """Monotonic seconds, as of messages and attempts."""
        return asyncio.get_running_loop().time()

    def _tell(self) -> None:
        async def tell() -> None:
            async with self._news:
                self._news.notify_all()

        task = asyncio.get_running_loop().create_task(tell())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
