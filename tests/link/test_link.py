"""Both ends of the link over real sockets: greeting, replay, orders once, garbage, newest peer, a peer that does not read."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from chargepoint.clock import Clock
from chargepoint.link.address import LONGEST, reachable
from chargepoint.link.client import LinkClient
from chargepoint.link.messages import (
    MAX_BYTES,
    VERSION,
    Acknowledge,
    Edge,
    EdgeKind,
    EvseState,
    Hello,
    LoopFigures,
    Order,
    OrderAnswer,
    OrderKind,
    Permit,
    ToControl,
    ToStation,
)
from chargepoint.link.server import EDGES_KEPT, LinkServer

FIGURES = LoopFigures(1, 0, 0, 0, 0, 0, False, 1)


def state_of(evse: int, offered_a: float = 0.0) -> EvseState:
    return EvseState(evse, 1.0, 0, "A", False, False, offered_a, "", False, False, None, None, (), False, None, 0.0)


class Control:
    """Control's side, polled by a task."""

    def __init__(self, directory: Path, start: int = 77) -> None:
        self.heard_messages: list[ToControl] = []
        self.peers = 0
        self.lines: list[str] = []
        self.server = LinkServer(directory, start, self, self.lines.append)
        self.stalled = False

    def peer_came(self) -> None:
        self.peers += 1

    def heard(self, message: ToControl) -> None:
        self.heard_messages.append(message)

    def status(self) -> Iterable[ToStation]:
        return [state_of(1), FIGURES]

    async def run(self) -> None:
        while True:
            if not self.stalled:
                self.server.poll()
            await asyncio.sleep(0.002)


class Station:
    """The station's side."""

    def __init__(self, directory: Path, acknowledged: Callable[[], tuple[int, int]] = lambda: (0, 0)) -> None:
        self.hellos: list[Hello] = []
        self.lost: list[str] = []
        self.states: list[EvseState] = []
        self.edges: list[Edge] = []
        self.answers: list[OrderAnswer] = []
        self.figures: list[LoopFigures] = []
        self.client = LinkClient(directory, Clock(), self, acknowledged)

    def on_connected(self, hello: Hello) -> None:
        self.hellos.append(hello)

    def on_lost(self, reason: str) -> None:
        self.lost.append(reason)

    def on_state(self, state: EvseState) -> None:
        self.states.append(state)

    def on_edge(self, edge: Edge) -> None:
        self.edges.append(edge)

    def on_answer(self, answer: OrderAnswer) -> None:
        self.answers.append(answer)

    def on_figures(self, figures: LoopFigures) -> None:
        self.figures.append(figures)

    def numbers(self) -> list[int]:
        return [edge.number for edge in self.edges]


def everything(reader: socket.socket) -> list[bytes]:
    """All packets until the other end closes."""
    return list(iter(lambda: reader.recv(MAX_BYTES), b""))


async def until(holds: Callable[[], object], within_s: float = 3.0) -> None:
    async with asyncio.timeout(within_s):
        while not holds():
            await asyncio.sleep(0.005)


@asynccontextmanager
async def running(*ends: Control | LinkClient) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(end.run()) for end in ends]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for end in ends:
            if isinstance(end, Control):
                end.server.close()


def edge(control: Control, value: str = "") -> None:
    control.server.edge(1.0, 1, EdgeKind.OFFERED, 5, value)


async def test_hello_states_edges_and_answers(tmp_path: Path) -> None:
    control, station = Control(tmp_path), Station(tmp_path)
    edge(control, "before")
    async with running(control, station.client):
        await until(lambda: station.hellos and station.edges and station.figures)
        assert station.hellos == [Hello(VERSION, 77)]
        assert station.states == [state_of(1)]
        control.server.tell(state_of(1, 16.0))
        edge(control, "after")
        control.server.answer(OrderAnswer(9, True))
        await until(lambda: station.answers and len(station.states) == 2)
        assert [one.value for one in station.edges] == ["before", "after"]
        assert station.client.send(Permit(1, 5, 16.0, 30.0))
        await until(lambda: control.heard_messages)
        assert control.heard_messages == [Permit(1, 5, 16.0, 30.0)]
        assert station.client.connected and control.server.connected


async def test_an_order_is_done_once_and_answered_each_time(tmp_path: Path) -> None:
    control, station = Control(tmp_path), Station(tmp_path)
    order = Order(3, OrderKind.UNLOCK, 1)
    async with running(control, station.client):
        await until(lambda: station.hellos)
        station.client.send(order)
        station.client.send(order)
        await until(lambda: control.heard_messages)
        control.server.answer(OrderAnswer(3, True))
        await until(lambda: station.answers)
        station.client.send(order)
        await until(lambda: len(station.answers) == 2)
        assert control.heard_messages == [order]


async def test_what_was_not_acknowledged_is_replayed(tmp_path: Path) -> None:
    control, first = Control(tmp_path), Station(tmp_path)
    async with running(control):
        for _ in range(5):
            edge(control)
        async with running(first.client):
            await until(lambda: len(first.edges) == 5)
            first.client.send(Acknowledge(2))
            await asyncio.sleep(0.05)
        second = Station(tmp_path)
        async with running(second.client):
            await until(lambda: len(second.edges) == 3)
            assert second.numbers() == [3, 4, 5]
        third = Station(tmp_path, lambda: (77, 4))
        async with running(third.client):
            await until(lambda: third.edges)
            assert third.numbers() == [5]
        stranger = Station(tmp_path, lambda: (76, 5))
        edge(control)
        async with running(stranger.client):
            await until(lambda: stranger.edges)
            await asyncio.sleep(0.05)
            assert stranger.numbers() == [5, 6], "what an earlier start of control numbered is not taken for this one's"


async def test_control_keeps_the_last_edges_only(tmp_path: Path) -> None:
    control, station = Control(tmp_path), Station(tmp_path)
    for _ in range(EDGES_KEPT + 10):
        edge(control)
    async with running(control, station.client):
        await until(lambda: len(station.edges) == EDGES_KEPT)
        assert station.numbers()[0] == 11


async def test_of_states_only_the_latest_waits(tmp_path: Path) -> None:
    control, station = Control(tmp_path), Station(tmp_path)
    for amps in range(100):
        control.server.tell(state_of(2, float(amps)))
    async with running(control, station.client):
        await until(lambda: any(state.evse == 2 for state in station.states))
        await asyncio.sleep(0.05)
        assert [state.offered_a for state in station.states if state.evse == 2] == [99.0]


async def test_a_peer_that_does_not_read_holds_nothing_up_and_loses_no_edge(tmp_path: Path) -> None:
    control = Control(tmp_path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as sleeper:
        sleeper.connect(str(tmp_path / "control.sock"))
        sleeper.send(msgspec.msgpack.encode(Hello(VERSION)))
        async with running(control):
            await until(lambda: control.server.connected)
            for turn in range(2000):
                if turn % 8 == 0:
                    edge(control, str(turn))
                control.server.tell(state_of(1, float(turn)))
                control.server.poll()
            decode = msgspec.msgpack.Decoder(ToStation).decode
            sleeper.settimeout(2.0)
            heard: list[ToStation] = []
            while not (isinstance(heard[-1] if heard else None, EvseState) and heard[-1].offered_a == 1999.0):
                heard.append(await asyncio.to_thread(lambda: decode(sleeper.recv(MAX_BYTES))))
            numbers = [one.number for one in heard if isinstance(one, Edge)]
            assert numbers == list(range(1, 251))


@pytest.mark.parametrize("garbage", [b"\xc1", b"hello", b"\x80", b"x" * (MAX_BYTES + 1), msgspec.msgpack.encode({"type": "Permit", "evse": "one"})])
async def test_garbage_is_said_and_drops_the_peer(tmp_path: Path, garbage: bytes) -> None:
    control, station = Control(tmp_path), Station(tmp_path)
    async with running(control, station.client):
        await until(lambda: station.hellos)
        assert station.client._socket is not None
        station.client._socket.send(garbage)
        await until(lambda: station.lost and len(station.hellos) == 2)
        assert len(control.lines) == 1 and "garbage" in control.lines[0]
        assert control.heard_messages == []


async def test_nothing_is_heard_before_hello(tmp_path: Path) -> None:
    control = Control(tmp_path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as rude:
        rude.connect(str(tmp_path / "control.sock"))
        rude.send(msgspec.msgpack.encode(Permit(1, 5, 16.0, 30.0)))
        async with running(control):
            await until(lambda: control.lines)
            assert control.heard_messages == []


async def test_another_version_is_refused(tmp_path: Path) -> None:
    control = Control(tmp_path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as newer:
        newer.connect(str(tmp_path / "control.sock"))
        newer.send(msgspec.msgpack.encode(Hello(VERSION + 1)))
        async with running(control):
            await until(lambda: control.lines)
            assert "version" in control.lines[0]
            assert not control.server.connected


async def test_the_newest_peer_is_the_station(tmp_path: Path) -> None:
    control, first, second = Control(tmp_path), Station(tmp_path), Station(tmp_path)
    async with running(control, first.client):
        await until(lambda: first.hellos)
        old = first.client._socket
        assert old is not None
        first.client._path = tmp_path / "elsewhere"
        async with running(second.client):
            await until(lambda: second.hellos and first.lost)
            assert control.peers == 2
            assert not first.client.send(Permit(1, 1, 16.0, 30.0))
            second.client.send(Permit(1, 2, 16.0, 30.0))
            await until(lambda: control.heard_messages)
            assert control.heard_messages == [Permit(1, 2, 16.0, 30.0)]


async def test_control_that_restarts_is_found_again(tmp_path: Path) -> None:
    station = Station(tmp_path)
    async with running(station.client):
        async with running(Control(tmp_path, 1)):
            await until(lambda: station.hellos)
        await until(lambda: station.lost)
        async with running(Control(tmp_path, 2)):
            await until(lambda: len(station.hellos) == 2)
            assert [hello.start for hello in station.hellos] == [1, 2]


async def test_status_readers_have_a_socket_without_orders(tmp_path: Path) -> None:
    control = Control(tmp_path)
    async with running(control):
        for _ in range(3):
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as reader:
                reader.connect(str(tmp_path / "control-status.sock"))
                reader.settimeout(2.0)
                packets = await asyncio.to_thread(everything, reader)
                assert [msgspec.msgpack.decode(packet, type=ToStation) for packet in packets] == [state_of(1), FIGURES]
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as writer:
            writer.connect(str(tmp_path / "control-status.sock"))
            writer.send(msgspec.msgpack.encode(Hello(VERSION)))
            await asyncio.sleep(0.05)
        assert control.heard_messages == []
        assert control.peers == 0


async def test_the_sockets_are_closed_to_others(tmp_path: Path) -> None:
    control = Control(tmp_path)
    async with running(control):
        assert {(tmp_path / name).stat().st_mode & 0o777 for name in ("control.sock", "control-status.sock")} == {0o660}


async def test_a_path_longer_than_an_address(tmp_path: Path) -> None:
    directory = tmp_path / ("x" * LONGEST)
    directory.mkdir()
    with reachable(directory / "s") as name:
        assert len(name) <= LONGEST
    control, station = Control(directory), Station(directory)
    async with running(control, station.client):
        await until(lambda: station.hellos)


async def test_a_peer_in_another_process_that_is_killed(tmp_path: Path) -> None:
    control = Control(tmp_path)
    code = f"""
import socket, msgspec, time
from chargepoint.link.messages import Hello, Permit, VERSION
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET); s.connect({str(tmp_path / "control.sock")!r})
s.send(msgspec.msgpack.encode(Hello(VERSION))); s.send(msgspec.msgpack.encode(Permit(1, 5, 16.0, 30.0))); time.sleep(60)
"""
    async with running(control):
        peer = subprocess.Popen([sys.executable, "-c", code])
        try:
            await until(lambda: control.heard_messages, 10.0)
        finally:
            peer.kill()
            peer.wait()
        await until(lambda: not control.server.connected)
        assert "disconnected" in control.lines[-1]
