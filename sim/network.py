"""The link to the CSMS: an HTTP proxy (CONNECT for ws and wss, absolute requests for transfers) with a switch. Must not know OCPP.

up: bytes pass. down: connections are reset and refused. stall: connections stay open and are accepted, but no byte passes.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable
from functools import partial
from urllib.parse import urlsplit

from sim.wiretap import Conversation

CHUNK = 65536
LONGEST_HEAD = 65536
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER with no time left: close sends a reset."""

End = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Passed = Callable[[str, bytes], None]


class Network:
    """One proxy on 127.0.0.1. `on_change` is told of every change of state and of every connection, `on_message` of every message on a WebSocket."""

    def __init__(
        self, on_change: Callable[..., None] = lambda what, **details: None, on_message: Callable[..., None] = lambda kind, **details: None
    ) -> None:
        self.state = "up"
        self.port = 0
        self._on_change = on_change
        self._on_message = on_message
        self._passing = asyncio.Event()
        self._passing.set()
        self._holder: socket.socket | None = None
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """For http_proxy and https_proxy."""
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Takes a free port and keeps it while the link is down: a bound socket that does not listen refuses."""
        self._holder = _bound(0)
        self.port = self._holder.getsockname()[1]
        await self._listen()

    async def stop(self) -> None:
        """Ends every connection."""
        await self._deafen()
        if self._holder:
            self._holder.close()

    async def switch(self, state: str) -> None:
        """`up`, `down` or `stall`; the present state again changes nothing."""
        if state == self.state:
            return
        before, self.state = self.state, state
        if state == "up":
            self._passing.set()
        else:
            self._passing.clear()
        if state == "down":
            await self._deafen()
        elif before == "down":
            await self._listen()
        self._on_change("network", state=state)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._accepted, sock=_bound(self.port), limit=LONGEST_HEAD)

    async def _deafen(self) -> None:
        if self._server:
            self._server.close()
            self._server = None
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:
            return
        self._tasks.add(task)
        try:
            await self._serve(reader, writer)
        except (asyncio.CancelledError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
            _reset(writer)
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        await self._passing.wait()
        method, target, _ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
        host, port, first = _connect(target) if method == "CONNECT" else _absolute(head, method, target)
        try:
            far_reader, far_writer = await asyncio.open_connection(host, port)
        except OSError as error:
            text = f"{host}:{port}: {error}".encode()
            writer.write(b"HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(text), text))
            await writer.drain()
            return
        self._on_change("connection", to=f"{host}:{port}", open=True)
        try:
            passed = _nobody
            if method == "CONNECT":
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                passed = Conversation(self._on_message).passed
            far_writer.write(first)
            await self._both_ways((reader, writer), (far_reader, far_writer), passed)
        except BaseException:
            _reset(far_writer)
            raise
        finally:
            far_writer.close()
            self._on_change("connection", to=f"{host}:{port}", open=False)

    async def _both_ways(self, near: End, far: End, passed: Passed) -> None:
        """Until either end breaks, or both have ended."""
        there = self._one_way(near[0], far[1], partial(passed, "station"))
        back = self._one_way(far[0], near[1], partial(passed, "csms"))
        ways = [asyncio.ensure_future(there), asyncio.ensure_future(back)]
        try:
            await asyncio.gather(*ways)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    async def _one_way(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, passed: Callable[[bytes], None]) -> None:
        while data := await reader.read(CHUNK):
            await self._passing.wait()
            passed(data)
            writer.write(data)
            await writer.drain()
        await self._passing.wait()
        with contextlib.suppress(OSError):
            writer.write_eof()


def _nobody(sender: str, data: bytes) -> None:
    """Nobody listens to what is no WebSocket."""


def _bound(port: int) -> socket.socket:
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind(("127.0.0.1", port))
    bound.setblocking(False)
    return bound


def _reset(writer: asyncio.StreamWriter) -> None:
    raw = writer.get_extra_info("socket")
    if raw is not None:
        with contextlib.suppress(OSError):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    writer.transport.abort()


def _address(host: str) -> str:
    """Names under localhost are this machine, whatever the resolver knows (RFC 6761, 6.3)."""
    return "127.0.0.1" if host.lower().endswith(".localhost") else host


def _connect(target: str) -> tuple[str, int, bytes]:
    host, _, port = target.rpartition(":")
    return _address(host.strip("[]")), int(port), b""


def _absolute(head: bytes, method: str, target: str) -> tuple[str, int, bytes]:
    """A request for a whole URL, as transfers send it: made relative, one request per connection."""
    url = urlsplit(target)
    if url.scheme != "http" or not url.hostname:
        raise ValueError(f"not a proxy request: {target}")
    path = (url.path or "/") + (f"?{url.query}" if url.query else "")
    lines = head.decode("latin-1").split("\r\n")[1:-2]
    kept = [line for line in lines if line.split(":", 1)[0].lower() not in ("proxy-connection", "connection", "proxy-authorization")]
    first = "\r\n".join([f"{method} {path} HTTP/1.1", *kept, "Connection: close", "", ""])
    return _address(url.hostname), url.port or 80, first.encode("latin-1")
