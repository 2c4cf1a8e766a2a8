"""The way between the station and its CSMS, and how it fails: refused, reset, silent for long, or held up for a while. Must not know messages.

A connection is a real socket pair: the station's end is handed to its event loop, the other is read here and given to the CSMS.
"""

from __future__ import annotations

import asyncio
import errno
import random
import socket
from collections.abc import Callable
from enum import StrEnum
from typing import Protocol

LATENCY_S = 0.06
CSMS_NOTICES_S = 120.0
"""How long a CSMS keeps a connection of which it hears nothing."""


class Trouble(StrEnum):
    """RESET: what stands is cut off, and dials are refused. SILENT: what stands is dead without a word, and dials hang or find no way.
    HELD: bytes wait and arrive later, as when a mobile cell is lost for a moment. DOWN: the CSMS itself is not there."""

    RESET = "reset"
    SILENT = "half-open"
    HELD = "held up"
    DOWN = "CSMS down"


class Peer(Protocol):
    """The CSMS's end of a connection."""

    def received(self, data: bytes) -> None: ...

    def lost(self) -> None: ...


class Wire(asyncio.Protocol):
    """One connection. dead: nothing passes any more, though nobody was told."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._held: list[Callable[[], None]] = []
        self.peer: Peer | None = None
        self.dead = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._pass(lambda: self.peer.received(data) if self.peer is not None else None)

    def connection_lost(self, exc: Exception | None) -> None:
        """What is on its way still arrives, unless nothing does."""
        self._network.wires.discard(self)
        self._transport = None
        if self.peer is not None:
            self._loop.call_later(CSMS_NOTICES_S if self.dead else 2 * LATENCY_S, self.peer.lost)

    def send(self, data: bytes) -> None:
        """From the CSMS."""
        self._pass(lambda: self._transport.write(data) if self._transport is not None else None)

    def cut(self) -> None:
        """Both ends learn of it."""
        if self._transport is not None:
            self._transport.abort()

    def release(self) -> None:
        held, self._held = self._held, []
        for act in held:
            act()

    def _pass(self, act: Callable[[], None]) -> None:
        if self.dead:
            return
        if self._network.trouble is Trouble.HELD:
            self._held.append(act)
        else:
            self._loop.call_later(LATENCY_S, self._arrive, act)

    def _arrive(self, act: Callable[[], None]) -> None:
        if not self.dead:
            act()


class Network:
    """answer: makes the CSMS's end of a connection. trouble: what is wrong now."""

    def __init__(self, randomness: random.Random, answer: Callable[[Wire], Peer]) -> None:
        self.trouble: Trouble | None = None
        self.wires: set[Wire] = set()
        self.dials = 0
        self._random = randomness
        self._answer = answer

    async def dial(self) -> socket.socket:
        """The station's end of a new connection. Raises OSError as a system would."""
        self.dials += 1
        if self.trouble is not None:
            await self._refuse()
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        theirs.setblocking(False)
        wire = Wire(self)
        wire.peer = self._answer(wire)
        await asyncio.get_running_loop().connect_accepted_socket(lambda: wire, theirs)
        self.wires.add(wire)
        return ours

    def fail(self, trouble: Trouble) -> None:
        self.trouble = trouble
        for wire in list(self.wires):
            if trouble is Trouble.SILENT:
                wire.dead = True
            elif trouble is not Trouble.HELD:
                wire.cut()

    def recover(self) -> None:
        self.trouble = None
        for wire in list(self.wires):
            wire.release()

    async def _refuse(self) -> None:
        """Whatever a dial finds while there is no way."""
        if self.trouble in (Trouble.SILENT, Trouble.HELD) and self._random.random() < 0.5:
            await asyncio.sleep(3600)
        if self._random.random() < 0.3:
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        raise OSError(*self._random.choice(((errno.ECONNREFUSED, "Connection refused"), (errno.ENETUNREACH, "Network is unreachable"))))
