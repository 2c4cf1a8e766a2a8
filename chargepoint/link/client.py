"""The station's end of the link, on its event loop: connects, reconnects, hands over what comes, sends what it is given.

Must not know sessions: what is written down is told to it by `acknowledged`; it repeats nothing by itself but the connection.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import msgspec

from chargepoint.clock import Clock
from chargepoint.link.address import ORDERS, reachable
from chargepoint.link.messages import (
    MAX_BYTES,
    NO_MESSAGE,
    VERSION,
    Edge,
    EvseState,
    Hello,
    LoopFigures,
    OrderAnswer,
    ToControl,
    ToStation,
)

log = logging.getLogger(__name__)

RETRY_S = 0.1


class Listener(Protocol):
    """What the station does with what control says. All are called from the event loop."""

    def on_connected(self, hello: Hello) -> None:
        """Control is there and knows nothing of us yet; hello.start: the number of its own start."""

    def on_lost(self, reason: str) -> None:
        """The connection has gone."""

    def on_state(self, state: EvseState) -> None: ...

    def on_edge(self, edge: Edge) -> None:
        """An edge, in order; may come again after a reconnection until it is acknowledged."""

    def on_answer(self, answer: OrderAnswer) -> None: ...

    def on_figures(self, figures: LoopFigures) -> None: ...


class LinkClient:
    """directory: of the sockets. acknowledged: (control's start, number of its last edge written down), asked for at each connection;
    (0, 0): control replays whatever was never acknowledged."""

    def __init__(self, directory: Path, clock: Clock, listener: Listener, acknowledged: Callable[[], tuple[int, int]] = lambda: (0, 0)) -> None:
        self._path = directory / ORDERS
        self._clock = clock
        self._listener = listener
        self._acknowledged = acknowledged
        self._encode = msgspec.msgpack.Encoder().encode
        self._decode = msgspec.msgpack.Decoder(ToStation).decode
        self._socket: socket.socket | None = None
        self._gone = asyncio.Event()
        self._reason = ""
        self._connected = False

    @property
    def connected(self) -> bool:
        """Whether control has said hello on the present connection."""
        return self._connected

    async def run(self) -> None:
        """Keeps the connection until cancelled."""
        try:
            while True:
                if self._connect():
                    await self._gone.wait()
                await self._clock.sleep(RETRY_S)
        finally:
            self._lose("the station ends")

    def send(self, message: ToControl) -> bool:
        """Sends now; False when there is no connection or control does not read (states are repeated by their owner anyway)."""
        if self._socket is None:
            return False
        try:
            self._socket.send(self._encode(message))
        except BlockingIOError:
            return False
        except OSError as error:
            self._lose(f"sending failed: {error}")
            return False
        return True

    def _connect(self) -> bool:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        try:
            with reachable(self._path) as name:
                sock.connect(name)
        except OSError as error:
            sock.close()
            self._note(f"control cannot be reached: {error}")
            return False
        self._socket = sock
        self._gone.clear()
        self._reason = ""
        asyncio.get_running_loop().add_reader(sock, self._receive)
        start, number = self._acknowledged()
        self.send(Hello(VERSION, start, number))
        return True

    def _receive(self) -> None:
        while self._socket is not None:
            try:
                data = self._socket.recv(MAX_BYTES + 1)
            except BlockingIOError:
                return
            except OSError as error:
                self._lose(f"receiving failed: {error}")
                return
            if not data or len(data) > MAX_BYTES:
                self._lose("control closed it" if not data else "garbage: too long")
                return
            try:
                message = self._decode(data)
            except NO_MESSAGE as error:
                self._lose(f"garbage: {error}")
                return
            self._take(message)

    def _take(self, message: ToStation) -> None:
        if isinstance(message, EvseState):
            self._listener.on_state(message)
        elif isinstance(message, Edge):
            self._listener.on_edge(message)
        elif isinstance(message, LoopFigures):
            self._listener.on_figures(message)
        elif isinstance(message, OrderAnswer):
            self._listener.on_answer(message)
        elif message.version != VERSION:
            self._lose(f"control speaks version {message.version}, the station {VERSION}")
        else:
            self._connected = True
            self._listener.on_connected(message)

    def _lose(self, reason: str) -> None:
        if self._socket is None:
            return
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()
        self._socket = None
        self._gone.set()
        self._note(f"link to control lost: {reason}")
        if self._connected:
            self._connected = False
            self._listener.on_lost(reason)

    def _note(self, reason: str) -> None:
        if reason != self._reason:
            self._reason = reason
            log.warning(reason)
