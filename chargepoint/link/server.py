"""Control's end of the link: never blocks, called once per turn. One peer with orders (the newest), any number of status readers.

Must not know what a message means: it carries out nothing, keeps edges until they are acknowledged, and drops a peer that sends garbage.
"""

from __future__ import annotations

import os
import select
import socket
import struct
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import msgspec

from chargepoint.link.address import ORDERS, STATUS, reachable
from chargepoint.link.messages import (
    MAX_BYTES,
    NO_MESSAGE,
    VERSION,
    Acknowledge,
    Edge,
    EdgeKind,
    EvseState,
    Hello,
    Order,
    OrderAnswer,
    ToControl,
    ToStation,
)

EDGES_KEPT = 256
ANSWERS_KEPT = 64
MESSAGES_PER_TURN = 32
CREDENTIALS = struct.Struct("3i")


class Hearer(Protocol):
    """What control does with what comes in."""

    def peer_came(self) -> None:
        """A new peer is the station from now on; permits of the one before are void."""

    def heard(self, message: ToControl) -> None:
        """A permit, wish, sample or order of the present peer. An order comes once per id."""

    def status(self) -> Iterable[ToStation]:
        """All that a status reader is told."""


class LinkServer:
    """Both sockets. say takes a line for the log. Raises OSError from the constructor when the sockets cannot be made."""

    def __init__(self, directory: Path, start: int, hearer: Hearer, say: Callable[[str], None]) -> None:
        self.start = start
        self._hearer = hearer
        self._say = say
        self._encode = msgspec.msgpack.Encoder().encode
        self._decode = msgspec.msgpack.Decoder(ToControl).decode
        self._epoll = select.epoll()
        self._orders = self._listen(directory / ORDERS)
        self._status = self._listen(directory / STATUS)
        self._peer: socket.socket | None = None
        self._greeted = False
        self._edges: deque[Edge] = deque(maxlen=EDGES_KEPT)
        self._last_edge = 0
        self._sent_edge = 0
        self._states: dict[object, ToStation] = {}
        self._answers: deque[OrderAnswer] = deque()
        self._answered: dict[int, OrderAnswer | None] = {}
        self._waiting = False

    @property
    def connected(self) -> bool:
        """Whether a station is there and has said hello."""
        return self._peer is not None and self._greeted

    def poll(self) -> None:
        """Takes what has come and sends what waits."""
        for descriptor, _ in self._epoll.poll(0):
            if descriptor == self._orders.fileno():
                self._accept_station()
            elif descriptor == self._status.fileno():
                self._answer_status()
            elif self._peer is not None and descriptor == self._peer.fileno():
                self._receive(self._peer)
        if self._waiting and self._greeted:
            self._flush()

    def edge(self, at: float, evse: int, kind: EdgeKind, plug_in: int, value: str = "") -> Edge:
        """Numbers an edge, keeps it and sends it with the next poll."""
        self._last_edge += 1
        edge = Edge(self._last_edge, at, evse, kind, plug_in, value)
        self._edges.append(edge)
        self._waiting = True
        return edge

    def tell(self, state: ToStation) -> None:
        """A state: only the latest of its kind and EVSE waits to be sent."""
        self._states[state.evse if isinstance(state, EvseState) else type(state)] = state
        self._waiting = True

    def answer(self, answer: OrderAnswer) -> None:
        """The answer to an order; kept, so that the same order is answered again without being done again."""
        self._answered[answer.id] = answer
        self._answers.append(answer)
        self._waiting = True

    def close(self) -> None:
        """Closes all sockets; the paths stay, a new start replaces them."""
        self._drop("control ends")
        for listener in (self._orders, self._status):
            listener.close()
        self._epoll.close()

    def _listen(self, path: Path) -> socket.socket:
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        path.unlink(missing_ok=True)
        with reachable(path) as name:
            mask = os.umask(0o117)
            try:
                listener.bind(name)
            finally:
                os.umask(mask)
        listener.listen(4)
        self._group = path.stat().st_gid
        self._epoll.register(listener, select.EPOLLIN)
        return listener

    def _accept_station(self) -> None:
        with suppress(BlockingIOError):
            peer, _ = self._orders.accept()
            peer.setblocking(False)
            if not self._trusted(peer):
                peer.close()
                return
            if self._peer is not None:
                self._drop("a newer station connected")
            self._peer, self._greeted = peer, False
            self._epoll.register(peer, select.EPOLLIN)
            self._hearer.peer_came()
            self._send(Hello(VERSION, self.start))

    def _trusted(self, peer: socket.socket) -> bool:
        pid, uid, gid = CREDENTIALS.unpack(peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size))
        if uid in (0, os.geteuid()) or gid == self._group:
            return True
        self._say(f"link: process {pid} of user {uid} refused: neither our user, root nor the socket's group")
        return False

    def _answer_status(self) -> None:
        with suppress(OSError):  # a reader that has gone, or does not read: its loss
            reader, _ = self._status.accept()
            with reader:
                reader.setblocking(False)
                for message in self._hearer.status():
                    reader.send(self._encode(message))

    def _receive(self, peer: socket.socket) -> None:
        for _ in range(MESSAGES_PER_TURN):
            try:
                data = peer.recv(MAX_BYTES + 1)
            except BlockingIOError:
                return
            except OSError as error:
                self._drop(f"receiving failed: {error}")
                return
            if not data:
                self._drop("the station closed it")
                return
            if not self._take(data) or peer is not self._peer:
                return

    def _take(self, data: bytes) -> bool:
        if len(data) > MAX_BYTES:
            self._drop(f"garbage: more than {MAX_BYTES} bytes")
            return False
        try:
            message = self._decode(data)
        except NO_MESSAGE as error:
            self._drop(f"garbage: {error}")
            return False
        if isinstance(message, Hello):
            return self._greet(message)
        if not self._greeted:
            self._drop("garbage: no hello")
            return False
        if isinstance(message, Acknowledge):
            self._acknowledge(message.number)
        elif not isinstance(message, Order) or self._is_new(message):
            self._hearer.heard(message)
        return True

    def _greet(self, hello: Hello) -> bool:
        if hello.version != VERSION:
            self._drop(f"the station speaks version {hello.version}, control {VERSION}")
            return False
        self._greeted = True
        known = hello.acknowledged if hello.start == self.start else 0
        self._sent_edge = max(0, min(known, self._last_edge))
        self._acknowledge(self._sent_edge)
        for message in self._hearer.status():
            self.tell(message)
        return True

    def _acknowledge(self, number: int) -> None:
        while self._edges and self._edges[0].number <= number:
            self._edges.popleft()

    def _is_new(self, order: Order) -> bool:
        if order.id not in self._answered:
            self._answered[order.id] = None
            if len(self._answered) > ANSWERS_KEPT:
                del self._answered[next(iter(self._answered))]
            return True
        answer = self._answered[order.id]
        if answer is not None:
            self._answers.append(answer)
            self._waiting = True
        return False

    def _flush(self) -> None:
        """Edges first and in order, then answers, then states; what does not fit now waits for the next turn."""
        for edge in self._edges:
            if edge.number > self._sent_edge:
                if not self._send(edge):
                    return
                self._sent_edge = edge.number
        while self._answers:
            if not self._send(self._answers[0]):
                return
            self._answers.popleft()
        for key in list(self._states):
            if not self._send(self._states[key]):
                return
            del self._states[key]
        self._waiting = False

    def _send(self, message: ToStation) -> bool:
        if self._peer is None:
            return False
        try:
            self._peer.send(self._encode(message))
        except BlockingIOError:
            return False
        except OSError as error:
            self._drop(f"sending failed: {error}")
            return False
        return True

    def _drop(self, why: str) -> None:
        if self._peer is None:
            return
        self._say(f"link: station disconnected: {why}")
        self._epoll.unregister(self._peer)
        self._peer.close()
        self._peer, self._greeted = None, False
        self._waiting = True
