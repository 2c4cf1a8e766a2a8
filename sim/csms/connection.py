"""One station's websocket: reads messages, answers calls (or misbehaves), and sends calls one at a time. Must not know what messages mean."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable
from typing import Any

from aiohttp import WSMsgType, web

from sim.csms import schemas, v16, v201
from sim.csms.answers import Handler, Payload
from sim.csms.book import Book, Station
from sim.csms.judge import ASKS_FOR_MESSAGES, Judge
from sim.csms.misbehaviour import Misbehaviour, Mischief

HANDLERS: dict[str, dict[str, Handler]] = {"ocpp1.6": v16.HANDLERS, "ocpp2.0.1": v201.HANDLERS}
CALL, RESULT, ERROR = 2, 3, 4
TEXT_FRAME, LENGTH_16 = 0x81, 126
UNREADABLE = "-1"


class Refused(Exception):
    """A CALLERROR: the station refused a call. args: code, description."""

    def __init__(self, code: str, description: str = "", details: Any = None) -> None:
        super().__init__(code, description)
        self.code, self.description, self.details = code, description, details


class Gone(Exception):
    """The connection went before the answer came."""


class NotConnected(Exception):
    """No station of that identity is connected."""


class NoTls(Exception):
    """This CSMS shows no certificate; the message says why."""


Overhear = Callable[[str, str], None]


class Connection:
    """A connected station. overhear: gets sender ("station" or "csms") and text of every message."""

    def __init__(
        self,
        socket: web.WebSocketResponse,
        request: web.Request,
        book: Book,
        station: Station,
        judge: Judge,
        mischief: Mischief,
        overhear: Overhear = lambda sender, text: None,
    ) -> None:
        self._socket, self._request, self._overhear = socket, request, overhear
        self._book, self._station, self._judge, self._mischief = book, station, judge, mischief
        self._asked = False
        self._turn = asyncio.Lock()
        self._waiting: tuple[str, str, asyncio.Future[Payload]] | None = None
        self._loose: set[str] = set()

    async def run(self) -> None:
        """Reads until the connection ends."""
        async for message in self._socket:
            if message.type is WSMsgType.TEXT:
                await self._received(message.data)
            elif message.type is WSMsgType.BINARY:
                self._violation("frame", "a binary frame")
        if self._waiting is not None and not self._waiting[2].done():
            self._waiting[2].set_exception(Gone())

    async def call(self, action: str, payload: Payload, timeout_s: float) -> Payload:
        """Calls the station; raises Refused, Gone or TimeoutError."""
        async with self._turn:
            id_ = str(uuid.uuid4())
            future: asyncio.Future[Payload] = asyncio.get_running_loop().create_future()
            self._waiting = (id_, action, future)
            self._asked = self._asked or action in ASKS_FOR_MESSAGES
            try:
                self._note("csms", "call", id=id_, action=action, payload=payload)
                await self._send(json.dumps([CALL, id_, action, payload]))
                return await asyncio.wait_for(future, timeout_s)
            finally:
                self._waiting = None

    async def send_text(self, text: str) -> None:
        """Sends any text, as a frame of its own."""
        self._note("csms", "text", text=text)
        self._loose.add(_answered_as(text))
        await self._send(text)

    async def close(self) -> None:
        await self._socket.close()

    async def _received(self, text: str) -> None:
        self._overhear("station", text)
        try:
            message = json.loads(text)
            kind, id_ = message[0], message[1]
        except (ValueError, LookupError, TypeError):
            self._note("station", "text", text=text)
            self._violation("frame", f"no OCPP message: {text[:200]}")
            return
        if kind == CALL and len(message) == 4:
            await self._called(id_, message[2], message[3])
        elif (kind == RESULT and len(message) == 3) or (kind == ERROR and len(message) == 5):
            self._answered(kind, id_, message[2:])
        else:
            self._violation("frame", f"no OCPP message: {text[:200]}")

    async def _called(self, id_: str, action: str, payload: Payload) -> None:
        self._note("station", "call", id=id_, action=action, payload=payload)
        self._judge.call(id_, action, payload)
        order = self._mischief.take(self._station.identity, action)
        if order is None:
            await self._reply(self._answer(id_, action, payload))
            return
        self._note("csms", "misbehaves", what=order.what)
        self._station.unnumbered |= action == "StartTransaction"
        if order.what == "call_error":  # refused is refused: the book does not learn of it
            await self._reply([ERROR, id_, order.code, order.description, {}])
        else:
            await self._misbehave(order, self._answer(id_, action, payload))

    def _answer(self, id_: str, action: str, payload: Payload) -> list[Any]:
        in_order = self._judge.in_order(action, asked=self._asked)
        if not in_order and self._station.protocol != "ocpp1.6":
            return [ERROR, id_, "SecurityError", "not accepted yet", {}]  # B01.FR.10
        handler = HANDLERS[self._station.protocol].get(action)
        if handler is None:
            code = "NotSupported" if schemas.known(self._station.protocol, action) else "NotImplemented"
            self._violation("action", f"{action}: {code}")
            return [ERROR, id_, code, action, {}]
        wrong = schemas.complaint(self._station.protocol, action, payload)
        if wrong is not None:
            self._violation("schema", f"{action}: {wrong}")
            return [ERROR, id_, "FormationViolation" if self._station.protocol == "ocpp1.6" else "FormatViolation", wrong, {}]
        return [RESULT, id_, handler(self._book, self._station, payload)]

    async def _misbehave(self, order: Misbehaviour, answer: list[Any]) -> None:
        match order.what:
            case "slow":
                asyncio.get_running_loop().call_later(order.seconds, lambda: asyncio.ensure_future(self._reply(answer)))
            case "wrong_id":
                await self._reply([answer[0], str(uuid.uuid4()), *answer[2:]])
            case "duplicate":
                await self._reply(answer)
                await self._reply(answer)
            case "bad_payload":
                await self._reply([RESULT, answer[1], order.payload])
            case "nonsense":
                await self.send_text(order.text)
            case "close":
                await self.close()
            case "close_mid_message":
                self._cut(json.dumps(answer))

    async def _reply(self, answer: list[Any]) -> None:
        if answer[0] == RESULT:
            self._note("csms", "result", id=answer[1], payload=answer[2])
        else:
            self._note("csms", "error", id=answer[1], code=answer[2], description=answer[3])
        await self._send(json.dumps(answer))

    async def _send(self, text: str) -> None:
        if not self._socket.closed:
            try:
                self._overhear("csms", text)
                await self._socket.send_str(text)
            except ConnectionError:
                self._note("csms", "lost", text=text)

    def _cut(self, text: str) -> None:
        """Half of a text frame (RFC 6455 5.2: no mask from a server), then the end of the connection without a close frame."""
        transport = self._request.transport
        if transport is None:
            return
        data = text.encode()
        frame = bytes([TEXT_FRAME, LENGTH_16]) + len(data).to_bytes(2, "big") + data
        transport.write(frame[: len(frame) // 2])
        transport.close()

    def _answered(self, kind: int, id_: str, rest: list[Any]) -> None:
        if id_ in self._loose:
            self._loose.discard(id_)
            self._note("station", "error" if kind == ERROR else "result", id=id_, answer=rest)
            return
        if self._waiting is None or self._waiting[0] != id_:
            self._violation("answer", f"an answer to {id_}, which nobody waits for")
            return
        _, action, future = self._waiting
        if kind == ERROR:
            self._note("station", "error", id=id_, action=action, code=rest[0], description=rest[1])
            failed: Exception = Refused(*rest[:3])
            if not future.done():
                future.set_exception(failed)
            return
        self._note("station", "result", id=id_, action=action, payload=rest[0])
        wrong = schemas.complaint(self._station.protocol, action, rest[0], answer=True)
        if wrong is not None:
            self._violation("schema", f"answer to {action}: {wrong}")
        self._judge.times(action, rest[0])
        if not future.done():
            future.set_result(rest[0])

    def _note(self, sender: str, kind: str, **what: Any) -> None:
        self._book.note(self._station.identity, sender, kind, **what)

    def _violation(self, rule: str, detail: str) -> None:
        self._book.violation(self._station.identity, rule, detail)


def _answered_as(text: str) -> str:
    """The id under which a station may answer mere text: a call's own; "-1" where none can be read (2.0.1 part 4, 4.2.3)."""
    try:
        message = json.loads(text)
    except ValueError:
        return UNREADABLE
    is_call = isinstance(message, list) and len(message) > 1 and message[0] == CALL and isinstance(message[1], str)
    return str(message[1]) if is_call else UNREADABLE
