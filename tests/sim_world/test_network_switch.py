"""The proxy with a switch: real sockets on both sides."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import NamedTuple

import pytest

from sim.network import Network


class Far(NamedTuple):
    """A server that echoes, and what it has met."""

    port: int
    opened: list[asyncio.StreamWriter]
    ended: list[str]


@pytest.fixture
async def far() -> AsyncIterator[Far]:
    opened: list[asyncio.StreamWriter] = []
    ended: list[str] = []

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        opened.append(writer)
        try:
            while data := await reader.read(1000):
                writer.write(data)
            ended.append("end of file")
        except ConnectionError:
            ended.append("reset")
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    yield Far(server.sockets[0].getsockname()[1], opened, ended)
    server.close()


@pytest.fixture
async def network() -> AsyncIterator[Network]:
    network = Network()
    await network.start()
    yield network
    await network.stop()


async def tunnel(network: Network, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", network.port)
    writer.write(f"CONNECT 127.0.0.1:{port} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert b" 200 " in await reader.readuntil(b"\r\n\r\n")
    return reader, writer


async def test_bytes_pass_while_up(network: Network, far: Far) -> None:
    reader, writer = await tunnel(network, far.port)
    writer.write(b"hello")
    assert await reader.readexactly(5) == b"hello"
    writer.close()
    await asyncio.sleep(0.1)
    assert far.ended == ["end of file"]


async def test_down_resets_both_ends_and_refuses(network: Network, far: Far) -> None:
    reader, writer = await tunnel(network, far.port)
    writer.write(b"hello")
    await reader.readexactly(5)
    await network.switch("down")
    with pytest.raises(ConnectionError):
        await reader.read(1)
    await asyncio.sleep(0.1)
    assert far.ended == ["reset"]
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", network.port)
    await network.switch("up")
    reader, writer = await tunnel(network, far.port)
    writer.close()


async def test_stall_keeps_connections_and_bytes(network: Network, far: Far) -> None:
    reader, writer = await tunnel(network, far.port)
    await network.switch("stall")
    writer.write(b"held")
    _, late = await asyncio.open_connection("127.0.0.1", network.port)
    late.write(f"CONNECT 127.0.0.1:{far.port} HTTP/1.1\r\n\r\n".encode())
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(reader.read(1), 0.3)
    assert len(far.opened) == 1
    await network.switch("up")
    assert await asyncio.wait_for(reader.readexactly(4), 2) == b"held"
    await asyncio.sleep(0.1)
    assert len(far.opened) == 2
    writer.close()
    late.close()


async def test_stall_then_down_resets(network: Network, far: Far) -> None:
    reader, _ = await tunnel(network, far.port)
    await network.switch("stall")
    await network.switch("down")
    with pytest.raises(ConnectionError):
        await reader.read(1)


async def test_the_same_state_again_changes_nothing(network: Network, far: Far) -> None:
    reader, writer = await tunnel(network, far.port)
    await network.switch("up")
    writer.write(b"on")
    assert await reader.readexactly(2) == b"on"
    writer.close()


async def test_a_server_that_is_not_there(network: Network) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", network.port)
    writer.write(b"CONNECT 127.0.0.1:1 HTTP/1.1\r\n\r\n")
    assert b" 502 " in await reader.read()
    writer.close()


async def test_a_transfer_by_absolute_url(network: Network) -> None:
    heads: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection("127.0.0.1", network.port)
    writer.write(f"GET http://127.0.0.1:{port}/logs/a?b=1 HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nProxy-Connection: keep-alive\r\n\r\n".encode())
    assert (await reader.read()).endswith(b"ok")
    assert heads[0].startswith(b"GET /logs/a?b=1 HTTP/1.1\r\n")
    assert b"Proxy-Connection" not in heads[0]
    writer.close()
    server.close()
