"""The line to the CSMS: dials, keeps, loses and dials again. Must not know messages, nor which versions there are.

    line = Line(slots, view, backend, certificates, on_security)
    slots                      slot(): where to connect, asked before every dial (None: nowhere, the station works alone); connected(), failed()
    backend                    line_up(face), line_down(reason)
    on_security(type, info)    a security event (2.0.1 part 2, A00, appendix 1), once per kind of trouble until a connection stands; of messages
                               that are not valid one in so long, however often the CSMS connects
    line.face                  the face of the present connection, or None
    await line.run()           until cancelled;  line.redial(reason) closes the present connection and dials anew
websockets is known here only. https_proxy, http_proxy and no_proxy of the environment are honoured.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from base64 import b64encode
from collections.abc import Awaitable, Callable
from socket import SO_KEEPALIVE, SOL_SOCKET
from typing import Any, Protocol
from urllib.parse import quote, urlsplit, urlunsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.typing import Subprotocol

from chargepoint.csms.backoff import BackOff, BackOffFigures
from chargepoint.csms.face import Face, StationView
from chargepoint.csms.rpc import Rpc
from chargepoint.model.network import Slot
from chargepoint.station.certificates import CertificateProblem, Certificates

log = logging.getLogger("csms.line")

DIAL_TIMEOUT_S = 20.0
CLOSE_TIMEOUT_S = 2.0
MAX_FRAME = 1 << 20
STEADY_S = 10.0  # a connection that lasted so long was one, even if the CSMS had nothing to say
PING_STEP_S = 5.0  # how soon a changed WebSocketPingInterval is noticed
INVALID_EVERY_S = 3600.0  # a CSMS whose messages are not valid fills no log
PONG_WITHIN_S = (5.0, 20.0)  # the ping interval, but no less and no more than this
REFUSALS = {
    401: "the CSMS does not accept this station's credentials",
    403: "the CSMS does not let this station in",
    404: "the CSMS does not know this station's identity",
    503: "the CSMS is out of service",
}
BuildFace = Callable[[str, StationView, Rpc], Face]


class Slots(Protocol):
    """Where to connect. connected: the CSMS of the slot dialled last has spoken; failed: an attempt came to nothing."""

    def slot(self) -> Slot | None: ...

    def connected(self) -> None: ...

    def failed(self) -> None: ...


class BackendLine(Protocol):
    """What the line tells the backend."""

    def line_up(self, face: Face) -> None: ...

    def line_down(self, reason: str) -> None: ...


def connection_url(url: str, identity: str) -> str:
    """url + "/" + the percent-encoded identity (OCPP-J 1.6 and 2.0.1 part 4, 3.1.1); a slash at the end is not doubled, a query stays behind."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=parts.path.removesuffix("/") + "/" + quote(identity, safe="")))


def basic_auth(identity: str, password: str | bytes) -> str:
    """The Authorization header's value; a password that is text in UTF-8 (A00.FR.304)."""
    secret = password if isinstance(password, bytes) else password.encode()
    return "Basic " + b64encode(f"{identity}:".encode() + secret).decode()


def build_face(subprotocol: str, view: StationView, rpc: Rpc) -> Face:
    """Imports and builds the face of the negotiated version, and no other."""
    if subprotocol == "ocpp1.6":
        from chargepoint.csms.v16.face import build as build_v16

        return build_v16(view, rpc)
    from chargepoint.csms.v2.face import build as build_v2

    return build_v2(view, rpc)


class _Connection(ClientConnection):
    """websockets tells a connection through a proxy of its end even when TLS never came about, so that it was never made."""

    def connection_lost(self, exc: Exception | None) -> None:
        if hasattr(self, "transport"):
            super().connection_lost(exc)


class Line:
    """One station's connection to its CSMS."""

    def __init__(
        self,
        slots: Slots,
        view: StationView,
        backend: BackendLine,
        certificates: Certificates,
        on_security: Callable[[str, str], None],
        build: BuildFace = build_face,
    ) -> None:
        self._slots, self._view, self._backend = slots, view, backend
        self._certificates, self._on_security, self._build = certificates, on_security, build
        self.face: Face | None = None
        self._clock = view.clock
        self._back_off = BackOff(self._figures)
        self._connection: ClientConnection | None = None
        self._rpc: Rpc | None = None
        self._closing = ""
        self._heard = 0
        self._troubles: set[str] = set()
        self._invalid_s: float | None = None
        self._following: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Keeps the line until cancelled; returns at once when there is nowhere to connect."""
        while (slot := self._slots.slot()) is not None:
            reason = await self._connected(slot)
            if not self._heard:
                self._slots.failed()
            wait_s = self._back_off.next_s()
            log.warning("%s; next attempt in %.1f s", reason, wait_s)
            await self._clock.sleep(wait_s)
        log.info("no CSMS is set: the station works alone")

    def redial(self, reason: str) -> None:
        """Closes the present connection once the CSMS has its answers; it is then dialled anew with what the slot says by then."""
        if self._connection is not None:
            self._closing = reason
            self._follow(self._close_after(self._connection, self._rpc))

    async def _connected(self, slot: Slot) -> str:
        """One connection from the dial to its end; returns why it ended or never was."""
        self._heard = 0
        try:
            connection = await self._dial(slot)
        except InvalidStatus as refusal:
            return self._refused(refusal.response.status_code)
        except ssl.SSLError as problem:
            return self._insecure(problem)
        except CertificateProblem as problem:
            return f"no secure connection can be made: {problem}"
        except (OSError, WebSocketException, EOFError, ValueError) as problem:
            return f"no connection to {slot.url}: {str(problem) or type(problem).__name__}"
        try:
            return await self._keep(connection, slot)
        finally:
            await self._close(connection)

    async def _dial(self, slot: Slot) -> ClientConnection:
        url = connection_url(slot.url, slot.identity)
        more: dict[str, Any] = {}
        if slot.security_profile >= 2 and not url.startswith("wss:"):
            raise CertificateProblem(f"security profile {slot.security_profile} needs a wss url, not {slot.url}")
        if url.startswith("wss:"):
            wildcards = self._view.variables.boolean("SecurityCtrlr.AllowCSMSTLSWildcards")
            more["ssl"] = self._certificates.context(client_certificate=slot.security_profile == 3, wildcards=wildcards)
        headers = {"Authorization": basic_auth(slot.identity, slot.password)} if slot.security_profile in (1, 2) else {}
        log.info("dialling %s (%s)", url, ", ".join(slot.subprotocols))
        return await connect(
            url,
            subprotocols=[Subprotocol(name) for name in slot.subprotocols],
            additional_headers=headers,
            compression=None,
            user_agent_header="chargepoint",
            open_timeout=DIAL_TIMEOUT_S,
            close_timeout=CLOSE_TIMEOUT_S,
            ping_interval=None,
            max_size=MAX_FRAME,
            create_connection=_Connection,
            **more,
        )

    async def _keep(self, connection: ClientConnection, slot: Slot) -> str:
        subprotocol = connection.subprotocol or self._assumed(slot)
        self._connection, self._closing = connection, ""
        rpc = Rpc(subprotocol, _sender(connection), self._clock, self._timeout_s, self._follow)
        face = self._build(subprotocol, self._view, rpc)
        rpc.hear = face.hear
        rpc.on_invalid = self._invalid
        self._rpc = rpc
        log.info("connected, %s", subprotocol)
        _keep_alive(connection)
        since = self._clock.boot_s()
        tasks = [asyncio.create_task(work) for work in (rpc.run(), self._ping(connection))]
        tasks[0].add_done_callback(lambda _: connection.transport.abort())
        self.face = face
        self._backend.line_up(face)
        reason = "connection lost"
        try:
            reason = await self._receive(connection, rpc)
            return reason
        finally:
            self._connection = None
            if self._clock.boot_s() - since > STEADY_S:
                self._back_off.reset()
            self.face = None
            rpc.gone(reason)
            self._backend.line_down(reason)
            await _ended(tasks)

    def _assumed(self, slot: Slot) -> str:
        """OCPP-J 3.2: a CSMS that agrees to no offer closes at once; one that stays means the most wanted."""
        log.warning("the CSMS chose no subprotocol: %s is assumed", slot.subprotocols[0])
        return slot.subprotocols[0]

    async def _receive(self, connection: ClientConnection, rpc: Rpc) -> str:
        """Takes frames until the connection ends; returns why it did."""
        dates_open = connection.transport.get_extra_info("ssl_object") is not None and not self._clock.wall_known()
        try:
            while True:
                rpc.receive(await connection.recv(decode=False))
                self._stands()
                if dates_open and self._clock.wall_known():
                    dates_open = False
                    self._judge_dates(connection)
        except ConnectionClosed as end:
            return self._closing or self._why(end)

    def _stands(self) -> None:
        self._heard += 1
        if self._heard == 1:
            self._troubles.clear()
            self._back_off.reset()
            self._slots.connected()

    def _why(self, end: ConnectionClosed) -> str:
        if not self._heard:
            return f"the CSMS closed the connection at once: it may not speak what was offered ({end})"
        return f"connection lost ({end})"

    def _judge_dates(self, connection: ClientConnection) -> None:
        """The time has just become known: certificate dates left open at the dial are judged now."""
        peer = connection.transport.get_extra_info("ssl_object").getpeercert() or {}
        if (problem := self._certificates.out_of_date(peer)) is not None:
            self._untrusted(problem)
            self.redial(f"the CSMS's certificate is {problem}")

    async def _ping(self, connection: ClientConnection) -> None:
        """Pings at WebSocketPingInterval (0: not); a pong, or any frame, must come in time (OCPP-J 5.2, 1.6 errata 3.11)."""
        since = self._clock.boot_s()
        while True:
            interval_s = self._view.variables.integer("OCPPCommCtrlr.WebSocketPingInterval")
            left_s = since + interval_s - self._clock.boot_s()
            if interval_s <= 0 or left_s > 0:
                await self._clock.sleep(min(left_s, PING_STEP_S) if interval_s > 0 else PING_STEP_S)
                continue
            since = self._clock.boot_s()
            if not await self._alive(connection, min(max(interval_s, PONG_WITHIN_S[0]), PONG_WITHIN_S[1])):
                self._closing = "the line is dead: no answer to a ping"
                connection.transport.abort()
                return

    async def _alive(self, connection: ClientConnection, within_s: float) -> bool:
        heard = self._heard
        try:
            pong = await connection.ping()
            await self._clock.wait_for(pong, within_s)
        except ConnectionClosed:
            return True
        except TimeoutError:
            return self._heard > heard
        self._back_off.reset()
        return True

    def _refused(self, status: int) -> str:
        if status in (401, 403):
            self._security("FailedToAuthenticateAtCsms", f"HTTP {status}")
        return f"{REFUSALS.get(status, 'the CSMS refuses the connection')} (HTTP {status})"

    def _insecure(self, problem: ssl.SSLError) -> str:
        """A00.FR.310, 316, 323: which security event a failed handshake is."""
        text = f"{getattr(problem, 'reason', None) or ''} {getattr(problem, 'verify_message', '')}".strip() or str(problem)
        if isinstance(problem, ssl.SSLCertVerificationError):
            self._untrusted(text)
        elif "VERSION" in text or "UNSUPPORTED_PROTOCOL" in text:
            self._security("InvalidTLSVersion", text)
        elif "CIPHER" in text or "HANDSHAKE_FAILURE" in text:
            self._security("InvalidTLSCipherSuite", text)
        return f"no secure connection can be made: {text}"

    def _security(self, kind: str, info: str) -> None:
        if kind not in self._troubles:
            self._troubles.add(kind)
            self._on_security(kind, info[:255])

    def _untrusted(self, problem: str) -> None:
        """The certificate that a CSMS shows for itself is refused: appendix 1 has a word for the certificate and one for its owner."""
        self._security("InvalidCsmsCertificate", problem)
        self._security("CsmsFailedToAuthenticate", problem)

    def _invalid(self, problem: str) -> None:
        now = self._clock.boot_s()
        if self._invalid_s is None or now - self._invalid_s >= INVALID_EVERY_S:
            self._invalid_s = now
            self._on_security("InvalidMessages", problem[:255])

    def _figures(self) -> BackOffFigures:
        variables = self._view.variables
        return BackOffFigures(
            float(variables.text("OCPPCommCtrlr.RetryBackOffWaitMinimum")),
            float(variables.text("OCPPCommCtrlr.RetryBackOffRandomRange")),
            variables.integer("OCPPCommCtrlr.RetryBackOffRepeatTimes"),
        )

    def _timeout_s(self) -> float:
        return float(self._view.variables.text("OCPPCommCtrlr.MessageTimeout[Default]"))

    def _follow(self, work: Awaitable[None]) -> None:
        """What goes on by itself: it outlives the connection, and what goes wrong in it is logged."""
        task = asyncio.ensure_future(_logged(work))
        self._following.add(task)
        task.add_done_callback(self._following.discard)

    async def _close_after(self, connection: ClientConnection, rpc: Rpc | None) -> None:
        if rpc is not None:
            await rpc.answered()
        await self._close(connection)

    async def _close(self, connection: ClientConnection) -> None:
        await connection.close()


def _sender(connection: ClientConnection) -> Callable[[bytes], Awaitable[None]]:
    async def send(frame: bytes) -> None:
        try:
            await connection.send(frame, text=True)
        except ConnectionClosed as end:
            raise ConnectionError(str(end)) from None

    return send


def _keep_alive(connection: ClientConnection) -> None:
    """TCP finds a dead peer too, where pings are switched off."""
    socket = connection.transport.get_extra_info("socket")
    if socket is not None:
        socket.setsockopt(SOL_SOCKET, SO_KEEPALIVE, 1)


async def _logged(work: Awaitable[None]) -> None:
    try:
        await work
    except Exception:  # nobody awaits it: without this line its failure would be silent
        log.exception("what was to follow an answer failed")


async def _ended(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    for outcome in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(outcome, Exception):
            log.error("a task of the line failed", exc_info=outcome)
