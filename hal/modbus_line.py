"""One Modbus line, TCP or serial: requests one at a time, opened anew by its name after a loss. The only place that knows pymodbus.

Must not know what registers mean. pymodbus tells errors both by exception and by answer: here both become one.
"""

from __future__ import annotations

import asyncio
import logging
import termios
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from pymodbus import FramerType, ModbusException
from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient
from pymodbus.exceptions import ConnectionException

from hal import spec
from hal.errors import DeviceLost
from hal.meter_map import Block
from hal.ports import Now

Place = spec.Serial | spec.Tcp
Client = AsyncModbusTcpClient | AsyncModbusSerialClient
T = TypeVar("T")
C = TypeVar("C", AsyncModbusTcpClient, AsyncModbusSerialClient)

BACK_OFF_S = (0.0, 1.0, 2.0, 5.0)
"""Wait before each further attempt to open the line; the last one goes on."""
QUIET_S = 0.1
"""Silence after a request that was not answered: a late answer must not be taken for the next one's."""
SILENCES = 3
"""After so many requests without answer the line is opened anew: its name may lead to another device by now."""

logging.getLogger("pymodbus").setLevel(logging.CRITICAL)  # it prints the last frames at each error; the driver says what happened


class BadAnswer(DeviceLost):
    """The line is open, the device refused the request or did not answer. refused: it answered, with an exception code."""

    def __init__(self, device: str, what: str, refused: bool) -> None:
        super().__init__(device, what)
        self.refused = refused


class ModbusLine:
    """A line and its client. Devices that hang on one line share it."""

    def __init__(self, place: Place, timeout_s: float, resolve: Callable[[str], str], now: Now) -> None:
        self._place = place
        self._timeout_s = timeout_s
        self._resolve = resolve
        self._now = now
        self._client: Client | None = None
        self._lock = asyncio.Lock()
        self._attempts = 0
        self._next_attempt = 0.0
        self._silences = 0
        self._free_at = 0.0

    async def read(self, device: str, unit: int, function: int, block: Block, pause_s: float) -> tuple[list[int], float]:
        """Registers of one block (function 3 or 4), and when they came. pause_s: silence before the request. Raises DeviceLost, BadAnswer."""
        async with self._lock:
            client = await self._opened(device)
            await asyncio.sleep(max(0.0, self._free_at + pause_s - self._now()))
            answer = await self._asked(client, device, unit, function, block)
            at = self._free_at = self._now()
        if answer.isError():
            raise BadAnswer(device, f"refuses registers {block.start:#06x} to {block.start + block.count - 1:#06x}: {answer}", refused=True)
        if len(answer.registers) != block.count:
            raise BadAnswer(device, f"answers {len(answer.registers)} registers instead of {block.count}", refused=False)
        return list(answer.registers), at

    async def close(self) -> None:
        """Closes the line; a later read opens it again."""
        self._drop()

    async def _asked(self, client: Client, device: str, unit: int, function: int, block: Block) -> Any:
        read = client.read_input_registers if function == 4 else client.read_holding_registers
        self._free_at = self._now() + self._timeout_s + QUIET_S  # stands when the caller gives up meanwhile
        try:
            answer = await _cancellable(read(block.start, count=block.count, device_id=unit))
        except ConnectionException as error:
            self._drop()
            raise DeviceLost(device, f"{self.name()} was closed") from error
        except ModbusException as error:
            self._free_at = self._now() + QUIET_S
            self._silent()
            raise BadAnswer(device, f"no valid answer to registers {block.start:#06x} on {self.name()}", refused=False) from error
        self._silences = 0
        return answer

    def _silent(self) -> None:
        self._silences += 1
        if self._silences >= SILENCES or self._client is None or not self._client.connected:
            self._drop()

    def _drop(self) -> None:
        client, self._client = self._client, None
        self._silences = 0
        if client is not None:
            client.close()

    async def _opened(self, device: str) -> Client:
        if self._client is not None and self._client.connected:
            return self._client
        self._drop()
        if self._now() < self._next_attempt:
            raise DeviceLost(device, f"{self.name()} is not open")
        self._next_attempt = self._now() + BACK_OFF_S[min(self._attempts, len(BACK_OFF_S) - 1)]
        self._attempts += 1
        client = self._made(device)
        await self._connect(client, device)
        self._client = client
        self._attempts = 0
        self._next_attempt = 0.0
        return client

    async def _connect(self, client: Client, device: str) -> None:
        try:
            connected = await _cancellable(client.connect())
        except (OSError, termios.error, ValueError, ModbusException) as error:
            client.close()
            raise DeviceLost(device, f"{self.name()} cannot be opened: {error}") from error
        except asyncio.CancelledError:
            client.close()
            raise
        if not connected:
            client.close()
            raise DeviceLost(device, f"{self.name()} cannot be opened")

    def _made(self, device: str) -> Client:
        """A client for where the name leads now."""
        place = self._place
        try:
            target = self._resolve(self.name())
        except OSError as error:
            raise DeviceLost(device, f"{self.name()} is not there: {error}") from error
        common: dict[str, Any] = {"timeout": self._timeout_s, "retries": 0, "reconnect_delay": 0}
        if isinstance(place, spec.Serial):
            return _forgiving(AsyncModbusSerialClient(target, baudrate=place.baud, parity=place.parity, stopbits=place.stop_bits, **common))
        host, port = place.host, place.port
        if target != host:
            host, _, number = target.rpartition(":")
            port = int(number)
        framer = FramerType.RTU if place.framer == "rtu" else FramerType.SOCKET
        return _forgiving(AsyncModbusTcpClient(host, port=port, framer=framer, **common))

    def name(self) -> str:
        """The line as the board file writes it."""
        return self._place.port if isinstance(self._place, spec.Serial) else self._place.host


def place_of(meter: spec.Meter) -> Place:
    """The line a meter hangs on. Raises ValueError when the board file gives none or two."""
    places: list[Place] = [place for place in (meter.serial, meter.tcp) if place is not None]
    (place,) = places
    return place


def _forgiving(client: C) -> C:
    """pymodbus raises over an answer it cannot decode where the event loop calls it, where nobody can catch that: here such bytes are passed over,
    and the request goes unanswered."""
    framer: Any = client.ctx.framer
    handle = framer.handleFrame

    def handled(data: bytes, *expected: int) -> tuple[int, Any]:
        try:
            found: tuple[int, Any] = handle(data, *expected)
        except ModbusException:
            return len(data), None
        return found

    framer.handleFrame = handled
    return client


async def _cancellable(asked: Awaitable[T]) -> T:
    """pymodbus waits with asyncio.wait_for, which before Python 3.12 forgets a cancellation that comes with the answer. It is made good here: a
    reading task that cannot be ended keeps its process from ending."""
    task = asyncio.current_task()
    assert task is not None
    before = task.cancelling()
    try:
        return await asked
    finally:
        if task.cancelling() > before:
            raise asyncio.CancelledError
