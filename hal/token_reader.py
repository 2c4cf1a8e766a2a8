"""Card readers on serial lines: opened by name, watched, opened anew after a loss. The only place that knows pyserial.

Must not know who a token belongs to.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import termios
from collections.abc import Callable

import serial

from hal import spec
from hal.errors import DeviceLost
from hal.pn532 import Mute, Pn532, Presence
from hal.ports import Now, TokenSeen
from hal.token_text import Lines, ordered, token_of

BACK_OFF_S = (0.25, 0.5, 1.0, 2.0)
"""Wait before each further attempt to open a line; the last one goes on."""
LIES_S = 0.25
"""A card that was found is looked for again after this; a search that ends sooner without one is begun anew at this pace."""
LOOK_EVERY_S = 1.0
"""How often a quiet line's name is looked at: a USB adapter that came back has another device behind the same name."""
LINE_SILENCE_S = 0.2
"""A line that began and does not go on is dropped."""
REPEATER_S = 0.3
"""The same line again within this time is a reader that repeats while the card is there."""

log = logging.getLogger(__name__)


class SerialPort:
    """An open line without blocking."""

    def __init__(self, wiring: spec.Serial, path: str) -> None:
        """Raises OSError, termios.error."""
        self._path = path
        self._serial = serial.Serial(path, wiring.baud, parity=wiring.parity, stopbits=wiring.stop_bits, timeout=0, write_timeout=0, exclusive=True)
        self._fd: int = self._serial.fileno()
        self._heard = b""
        self._gone: OSError | None = None
        self._waiting: asyncio.Future[None] | None = None
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._fd, self._readable)

    async def read(self, within_s: float) -> bytes:
        """The bytes that came, b"" when none did. Raises OSError when the line is gone."""
        if not self._heard and self._gone is None:
            self._waiting = self._loop.create_future()
            timer = self._loop.call_later(within_s, _settle, self._waiting)
            try:
                await self._waiting
            finally:
                timer.cancel()
        if not self._heard and self._gone is not None:
            raise self._gone
        heard, self._heard = self._heard, b""
        return heard

    def write(self, data: bytes) -> None:
        """Raises OSError."""
        if os.write(self._fd, data) != len(data):
            raise OSError(errno.EIO, "the line takes nothing")

    def moved(self) -> bool:
        """Whether the name leads to another device than the open one, or to none."""
        try:
            there, here = os.stat(self._path), os.fstat(self._fd)
        except FileNotFoundError:
            return True
        return (there.st_dev, there.st_ino) != (here.st_dev, here.st_ino)

    def close(self) -> None:
        self._loop.remove_reader(self._fd)
        self._serial.close()

    def _readable(self) -> None:
        try:
            data = os.read(self._fd, 4096)
        except BlockingIOError:
            return
        except OSError as error:
            self._hang_up(error)
        else:
            self._heard += data
            if not data:
                self._hang_up(OSError(errno.EIO, "the line was hung up"))
        if self._waiting is not None:
            _settle(self._waiting)

    def _hang_up(self, error: OSError) -> None:
        self._gone = error
        self._loop.remove_reader(self._fd)


def _settle(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)


class SerialReader:
    """A reader on a line. A task of its own watches it from the first `next` on."""

    def __init__(self, wiring: spec.Reader, resolve: Callable[[str], str], device: str, now: Now) -> None:
        self._wiring = wiring
        self._resolve = resolve
        self._device = device
        self._now = now
        self._queue: asyncio.Queue[TokenSeen | BaseException] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        self._healthy: bool | None = None
        self._attempts = 0
        self._presence = Presence()

    async def next(self) -> TokenSeen:
        """Waits for the next presentation. Raises DeviceLost once per loss; the following call waits for the recovery."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name=self._device)
            self._task.add_done_callback(self._ended)
        item = await self._queue.get()
        if isinstance(item, BaseException):
            raise item
        return item

    def healthy(self) -> bool:
        """Whether the line is open and, for a reader that is polled, answers."""
        return self._healthy is True

    async def close(self) -> None:
        """Ends the watching and closes the line."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        self._healthy = None

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._queue.put_nowait(error)

    async def _run(self) -> None:
        watch = self._watch_pn532 if self._wiring.kind == "pn532" else self._watch_text
        while True:
            try:
                port = SerialPort(self._wiring.serial, self._resolve(self._wiring.serial.port))
                try:
                    await watch(port)
                finally:
                    port.close()
            except (OSError, termios.error) as error:
                self._lost(error)
            await asyncio.sleep(BACK_OFF_S[min(self._attempts, len(BACK_OFF_S) - 1)])
            self._attempts += 1

    def _lost(self, error: Exception) -> None:
        if self._healthy is not False:
            loss = DeviceLost(self._device, f"{self._wiring.serial.port}: {error}")
            log.warning("%s", loss)
            self._queue.put_nowait(loss)
        self._healthy = False

    def _answers(self) -> None:
        """The reader works."""
        if not self._healthy:
            log.info("%s: answers on %s", self._device, self._wiring.serial.port)
        self._healthy = True

    async def _watch_pn532(self, port: SerialPort) -> None:
        chip = Pn532(port, self._device)
        await chip.set_up()
        looked_at = self._now()
        while True:
            began = self._now()
            found = await chip.search()
            self._answers()
            self._attempts = 0
            if self._presence.changed(found) and found.uid is not None:
                self._card(found.uid)
            await asyncio.sleep(LIES_S if found.uid is not None else began + LIES_S - self._now())
            if self._now() - looked_at >= LOOK_EVERY_S:
                looked_at = self._now()
                if port.moved():
                    raise Mute("the name leads to another device now")

    def _card(self, uid: bytes) -> None:
        if len(uid) == 4 and uid[0] == 0x08:
            log.warning("%s: the card ...%s has a random number, another one at each presentation", self._device, uid.hex().upper()[-4:])
        self._seen(ordered(uid.hex().upper(), self._wiring))

    async def _watch_text(self, port: SerialPort) -> None:
        lines = Lines()
        self._answers()
        last, heard_at = "", 0.0
        while True:
            data = await port.read(LINE_SILENCE_S if lines.pending() else LOOK_EVERY_S)
            if not data:
                self._quiet(lines, port)
            for line in lines.feed(data):
                self._attempts = 0
                token = self._token(line)
                if token is None:
                    continue
                if token != last or self._now() - heard_at >= REPEATER_S:
                    self._seen(token)
                last, heard_at = token, self._now()

    def _quiet(self, lines: Lines, port: SerialPort) -> None:
        if lines.pending():
            log.warning("%s: %d bytes without an end of line are dropped", self._device, len(lines.forget()))
        elif port.moved():
            raise OSError(errno.ENODEV, "the name leads to another device now")

    def _token(self, line: bytes) -> str | None:
        try:
            return token_of(line, self._wiring)
        except ValueError as error:
            log.warning("%s: a line of %d bytes is dropped: %s", self._device, len(line), error)
            return None

    def _seen(self, token: str) -> None:
        log.info("%s: card ...%s", self._device, token[-4:])
        self._queue.put_nowait(TokenSeen(token, self._wiring.token_type, self._now()))
