"""The CSMS's HTTP JSON interface under /csms/. Must not know connections or versions: it asks the CSMS.

GET /csms/state: all that is known. GET /csms/log?since=N&identity=ID: the messages after number N.
GET /csms/summary: stations, cards, latest transactions, options and waiting misbehaviours, without histories.
GET /csms/actions?protocol=: what a CSMS and what a station may call. GET /csms/schema?protocol=&action=: the schema of a call.
POST /csms/send {identity, action, payload, timeout_s}: the station's answer, {"payload": ...} or {"error": {code, description}}.
POST /csms/text {identity, text}: sends any text. POST /csms/disconnect {identity}. POST /csms/cards {uid: status word, card or null}.
POST /csms/options {name: value}. POST /csms/misbehave {what, action, identity, count, ...} orders one, DELETE takes all back.
POST /csms/tls {certificate: good, expired, wrong_host or unknown_ca}: what is shown from now on; every station is sent away.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import msgspec
from aiohttp import web

from sim.csms import schemas
from sim.csms.answers import Payload
from sim.csms.book import TIME_STYLES, Book, Card, Options
from sim.csms.connection import HANDLERS, Gone, NotConnected, NoTls, Refused
from sim.csms.misbehaviour import Misbehaviour, Mischief
from sim.csms.orders import ORDERS

Handler = Callable[[web.Request], Awaitable[web.Response]]


class Commands(Protocol):
    """What the interface asks of a CSMS."""

    book: Book
    mischief: Mischief

    async def send(self, identity: str, action: str, payload: Payload, timeout_s: float) -> Payload: ...

    async def send_text(self, identity: str, text: str) -> None: ...

    async def disconnect(self, identity: str) -> None: ...

    async def show_certificate(self, kind: str) -> None: ...

    @property
    def certificate(self) -> str | None: ...


def add_routes(app: web.Application, csms: Commands) -> None:
    """Hangs the interface into an aiohttp application; a world may hang it into its own."""
    handlers = Api(csms)
    for method, path, handler in (
        ("GET", "state", handlers.state),
        ("GET", "summary", handlers.summary),
        ("GET", "log", handlers.log),
        ("GET", "actions", handlers.actions),
        ("GET", "schema", handlers.schema),
        ("POST", "send", handlers.send),
        ("POST", "text", handlers.text),
        ("POST", "disconnect", handlers.disconnect),
        ("POST", "cards", handlers.cards),
        ("POST", "options", handlers.options),
        ("POST", "misbehave", handlers.misbehave),
        ("DELETE", "misbehave", handlers.behave),
        ("POST", "tls", handlers.tls),
    ):
        app.router.add_route(method, f"/csms/{path}", _guarded(handler))


class Api:
    """The handlers, one per path."""

    def __init__(self, csms: Commands) -> None:
        self._csms = csms

    async def state(self, request: web.Request) -> web.Response:
        return web.json_response(self._csms.book.state())

    async def summary(self, request: web.Request) -> web.Response:
        waiting = msgspec.to_builtins(self._csms.mischief.orders)
        return web.json_response({**self._csms.book.summary(), "misbehaviours": waiting, "certificate": self._csms.certificate})

    async def log(self, request: web.Request) -> web.Response:
        since, identity = int(request.query.get("since", 0)), request.query.get("identity")
        return web.json_response([e for e in self._csms.book.log if e["n"] > since and identity in (None, e["identity"])])

    async def actions(self, request: web.Request) -> web.Response:
        protocol = request.query["protocol"]
        return web.json_response({"orders": ORDERS[protocol], "calls": sorted(HANDLERS[protocol])})

    async def schema(self, request: web.Request) -> web.Response:
        found = schemas.schema(request.query["protocol"], request.query["action"])
        return _wrong(404, "there is no such message") if found is None else web.json_response(found)

    async def send(self, request: web.Request) -> web.Response:
        body = await _body(request)
        try:
            answer = await self._csms.send(body["identity"], body["action"], body.get("payload", {}), float(body.get("timeout_s", 30)))
        except Refused as refused:
            return web.json_response({"error": {"code": refused.code, "description": refused.description}})
        except (TimeoutError, Gone):
            return _wrong(504, "the station did not answer")
        return web.json_response({"payload": answer})

    async def text(self, request: web.Request) -> web.Response:
        body = await _body(request)
        await self._csms.send_text(body["identity"], body["text"])
        return web.json_response({})

    async def disconnect(self, request: web.Request) -> web.Response:
        await self._csms.disconnect((await _body(request))["identity"])
        return web.json_response({})

    async def cards(self, request: web.Request) -> web.Response:
        for uid, card in (await _body(request)).items():
            self._csms.book.set_card(uid, Card(**card) if isinstance(card, dict) else card)
        return web.json_response(self._csms.book.state()["cards"])

    async def options(self, request: web.Request) -> web.Response:
        changed = msgspec.convert({**msgspec.to_builtins(self._csms.book.options), **await _body(request)}, Options)
        if changed.times not in TIME_STYLES:
            return _wrong(400, f"times must be one of {', '.join(TIME_STYLES)}")
        self._csms.book.options = changed
        return web.json_response(msgspec.to_builtins(changed))

    async def misbehave(self, request: web.Request) -> web.Response:
        self._csms.mischief.add(Misbehaviour(**await _body(request)))
        return web.json_response(msgspec.to_builtins(self._csms.mischief.orders))

    async def behave(self, request: web.Request) -> web.Response:
        self._csms.mischief.clear()
        return web.json_response([])

    async def tls(self, request: web.Request) -> web.Response:
        await self._csms.show_certificate((await _body(request))["certificate"])
        return web.json_response({"certificate": self._csms.certificate})


def _guarded(handler: Handler) -> Handler:
    """Wrong input is a 400, a station that is not there a 409."""

    async def guarded(request: web.Request) -> web.Response:
        try:
            return await handler(request)
        except NotConnected as missing:
            return _wrong(409, f"{missing} is not connected")
        except NoTls as missing:
            return _wrong(409, str(missing))
        except (KeyError, TypeError, ValueError, msgspec.ValidationError) as wrong:
            return _wrong(400, f"{type(wrong).__name__}: {wrong}")

    return guarded


async def _body(request: web.Request) -> dict[str, Any]:
    body = await request.json()
    if not isinstance(body, dict):
        raise TypeError("an object is expected")
    return body


def _wrong(status: int, text: str) -> web.Response:
    return web.json_response({"error": text}, status=status)
