"""The built-in CSMS: stations connect to ws://HOST:PORT/anything/IDENTITY, programs ask and order under http://HOST:PORT/csms/.

Must not know what messages mean (v16, v201) nor how one connection works (connection).
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import signal
import ssl
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from aiohttp import web

from sim.csms import api
from sim.csms.answers import Payload
from sim.csms.book import Book, Card, Station
from sim.csms.connection import Connection, Gone, NotConnected, NoTls, Refused
from sim.csms.judge import Judge
from sim.csms.misbehaviour import Misbehaviour, Mischief

if TYPE_CHECKING:
    from sim.csms.tls import Certificates

TIMEOUT_S = 30.0
POLL_S = 0.02
CLOSE_TIMEOUT_S = 1.0
SWITCHING_PROTOCOLS = 101


Overhear = Callable[[str, str, str], None]


class Csms:
    """A CSMS that can be started in any event loop. `book` holds all it knows; a test may read and change it directly.
    tls_directory: it speaks TLS, with a root kept there. overhear: gets identity, sender ("station" or "csms") and text of every message."""

    def __init__(self, tls_directory: Path | None = None, overhear: Overhear = lambda identity, sender, text: None) -> None:
        self.certificates = _certificates(tls_directory)
        self._overhear = overhear
        self.book = Book()
        self.mischief = Mischief()
        self._judges: dict[str, Judge] = {}
        self._connections: dict[str, Connection] = {}
        self._runner: web.AppRunner | None = None

    @property
    def cards(self) -> dict[str, Card]:
        """The cards known, by number."""
        return self.book.cards

    @property
    def log(self) -> Sequence[dict[str, Any]]:
        """Every message, oldest first."""
        return self.book.log

    async def start(self, host: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None) -> int:
        """Listens; port 0 picks a free one; tls: another's context than the one of `certificates`. Returns the port."""
        tls = tls or (self.certificates.context if self.certificates else None)
        app = web.Application()
        api.add_routes(app, self)
        app.router.add_get("/{path:.*}", self._station)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port, ssl_context=tls)
        await site.start()
        return int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Closes every connection and stops listening."""
        for connection in list(self._connections.values()):
            await connection.close()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def send(self, identity: str, action: str, payload: Payload, timeout_s: float = TIMEOUT_S) -> Payload:
        """Sends a call and returns the answer's payload; raises Refused (CALLERROR), NotConnected, Gone or TimeoutError."""
        return await self._connected(identity).call(action, payload, timeout_s)

    async def send_text(self, identity: str, text: str) -> None:
        """Sends any text to a station, unasked. Raises NotConnected."""
        await self._connected(identity).send_text(text)

    async def disconnect(self, identity: str) -> None:
        """Closes a station's connection. Raises NotConnected."""
        await self._connected(identity).close()

    @property
    def certificate(self) -> str | None:
        """Which certificate is shown; None: no TLS."""
        return self.certificates.shown if self.certificates else None

    async def show_certificate(self, kind: str) -> None:
        """Shows a good or a bad certificate from now on; every station is sent away, to dial anew. Raises NoTls, ValueError."""
        if self.certificates is None:
            raise NoTls("this CSMS speaks without TLS; start it with --tls")
        self.certificates.show(kind)
        for connection in list(self._connections.values()):
            await connection.close()

    def misbehave(self, what: str, **how: Any) -> None:
        """Orders a misbehaviour (see `Misbehaviour`). Raises ValueError when there is no such kind."""
        self.mischief.add(Misbehaviour(what, **how))

    async def until(self, met: Callable[[Book], bool], timeout_s: float = 10.0) -> None:
        """Waits until the book meets a condition; raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            while not met(self.book):
                await asyncio.sleep(POLL_S)

    def _connected(self, identity: str) -> Connection:
        if identity not in self._connections:
            raise NotConnected(identity)
        return self._connections[identity]

    async def _station(self, request: web.Request) -> web.StreamResponse:
        options = self.book.options
        if options.connection_status != SWITCHING_PROTOCOLS:
            return web.Response(status=options.connection_status)
        socket = web.WebSocketResponse(protocols=self._liking(request), timeout=CLOSE_TIMEOUT_S, max_msg_size=1 << 20)
        if not socket.can_prepare(request).ok:
            return web.Response(status=404, text="a websocket is expected here")
        await socket.prepare(request)
        station = self._arrived(request, socket.ws_protocol)
        judge = self._judges.setdefault(station.identity, Judge(self.book, station))
        connection = Connection(socket, request, self.book, station, judge, self.mischief, partial(self._overhear, station.identity))
        await self._serve(station, connection)
        return socket

    def _liking(self, request: web.Request) -> list[str]:
        """aiohttp takes the station's first that is listed here; this CSMS's own order of liking counts instead."""
        offered = [name.strip() for name in request.headers.get("Sec-WebSocket-Protocol", "").split(",")]
        return [name for name in self.book.options.protocols if name in offered][:1]

    def _arrived(self, request: web.Request, protocol: str | None) -> Station:
        station = self.book.station(unquote(request.rel_url.raw_path.rsplit("/", 1)[-1]))
        station.protocol = protocol or "ocpp1.6"
        station.connected, station.connections = True, station.connections + 1
        station.authorization = request.headers.get("Authorization")
        station.password = _password(station.authorization)
        station.certificate = _certified(request)
        self.book.note(
            station.identity, "station", "connected", protocol=protocol, path=request.path_qs, offered=request.headers.get("Sec-WebSocket-Protocol")
        )
        return station

    async def _serve(self, station: Station, connection: Connection) -> None:
        former = self._connections.get(station.identity)
        self._connections[station.identity] = connection
        if former is not None:
            await former.close()
        try:
            await connection.run()
        finally:
            if self._connections.get(station.identity) is connection:
                del self._connections[station.identity]
                station.connected = False
            self.book.note(station.identity, "station", "closed")


def _certificates(directory: Path | None) -> Certificates | None:
    """`cryptography` is loaded only where TLS is wanted."""
    if directory is None:
        return None
    from sim.csms import tls

    return tls.Certificates(directory)


def _certified(request: web.Request) -> str | None:
    """The common name in the certificate the station showed (security profile 3)."""
    shown = request.get_extra_info("peercert") or {}
    return next((value for part in shown.get("subject", ()) for name, value in part if name == "commonName"), None)


def _password(authorization: str | None) -> str | None:
    """The password of HTTP Basic authentication."""
    if authorization is None or not authorization.startswith("Basic "):
        return None
    with contextlib.suppress(binascii.Error, UnicodeDecodeError):
        return base64.b64decode(authorization[6:]).decode().partition(":")[2]
    return None


def main(port: int = 9000, host: str = "127.0.0.1", tls: Path | None = None) -> int:
    """Runs the CSMS alone until SIGTERM or SIGINT. tls: the directory of its root, for wss."""
    asyncio.run(_run(host, port, tls))
    return 0


async def _run(host: str, port: int, tls: Path | None) -> None:
    csms = Csms(tls)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    scheme = "wss" if tls else "ws"
    print(f"listening on {scheme}://{host}:{await csms.start(host, port)}/ocpp", flush=True)
    await stop.wait()
    await csms.stop()


__all__ = ["Csms", "Gone", "NotConnected", "Refused", "main"]
