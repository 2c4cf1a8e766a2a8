"""A running built-in CSMS and a bare OCPP client to talk to it."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import websockets
from websockets.asyncio.client import ClientConnection

from sim.csms.server import Csms


class Client:
    """The station's side, by hand."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def call(self, action: str, payload: dict[str, Any], id_: str | None = None) -> list[Any]:
        await self.send([2, id_ or str(uuid.uuid4()), action, payload])
        return await self.next()

    async def send(self, message: Any) -> None:
        await self.socket.send(json.dumps(message))

    async def next(self) -> list[Any]:
        message = json.loads(await self.socket.recv())
        assert isinstance(message, list)
        return message


class Running(Csms):
    """With the port it listens on."""

    port = 0

    @asynccontextmanager
    async def station(self, protocol: str | None = "ocpp2.0.1", identity: str = "CP001", boot: bool = True, **how: Any) -> AsyncIterator[Client]:
        url = f"ws://127.0.0.1:{self.port}/ocpp/{identity}"
        protocols = [protocol] if protocol else None
        async with websockets.connect(url, subprotocols=protocols, close_timeout=0.2, proxy=None, **how) as socket:
            client = Client(socket)
            if boot:
                await client.call("BootNotification", BOOT[protocol or "ocpp1.6"])
            yield client


BOOT = {
    "ocpp1.6": {"chargePointVendor": "V", "chargePointModel": "M"},
    "ocpp2.0.1": {"chargingStation": {"vendorName": "V", "model": "M"}, "reason": "PowerUp"},
}


@pytest.fixture
async def csms() -> AsyncIterator[Running]:
    running = Running()
    running.port = await running.start()
    yield running
    await running.stop()
