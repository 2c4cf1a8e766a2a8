"""The card readers of one simulated charge point: swipes are shown one after the other. Must not know OCPP or sessions.

A person holds the card until the reader has seen it: a card stays in the field for HOLD_S at least and until it was read, PATIENCE_S at most.
The same card again comes only after it was away long enough for any reader to count it twice.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from hal import spec
from sim.line import Line
from sim.pn532 import Pn532

HOLD_S = 0.3
PATIENCE_S = 5.0
BETWEEN_S = 0.15
SAME_AGAIN_S = 2.0
SEEN_TO_HEARD_S = 0.1
UNREAD_S = 0.7
AFTER_PLUG_S = 0.3
"""No hand is faster from the plug to the reader; the firmware has seen the plug by then."""
LINE_SETTLES_S = 0.1
CARD = re.compile(r"(?:[0-9A-Fa-f]{8}|[0-9A-Fa-f]{14}|[0-9A-Fa-f]{20})")
PREFIX = "sim:"


def is_card(uid: str) -> bool:
    """Whether a swipe shows a card (4, 7 or 10 bytes in hex) rather than a reader's text."""
    return CARD.fullmatch(uid) is not None


class NoReader(Exception):
    """The board has no reader for this swipe."""


class Swipe(NamedTuple):
    uid: str
    reader: Device
    done: asyncio.Future[bool]


class Device:
    """One reader on its line. `evse`: the EVSE it belongs to, or None for all."""

    def __init__(self, row: spec.Reader, evse: int | None, directory: Path, listening: Callable[[str], bool]) -> None:
        self.kind, self.evse = row.kind, evse
        self.name = row.serial.port.removeprefix(PREFIX)
        self.offline = False
        self._listening = listening
        self._seen = asyncio.Event()
        self._chip = Pn532(self._write, lambda uid: self._seen.set())
        self.line = Line(directory / self.name, self._chip.received if self.kind == "pn532" else lambda data: None)

    def _write(self, data: bytes) -> None:
        self.line.write(data)

    def power_on(self) -> None:
        self._chip.reset()

    def unplug(self, gone: bool) -> None:
        """The adapter is pulled out, or back in."""
        self.offline = gone
        if gone:
            self.line.close()
        else:
            self._chip.reset()
            self.line.open()

    async def show(self, uid: str, powered: Callable[[], bool]) -> bool:
        """Presents until read. True: the reader saw it."""
        return await (self._show_card(bytes.fromhex(uid), powered) if self.kind == "pn532" else self._send_text(uid, powered))

    async def _show_card(self, uid: bytes, powered: Callable[[], bool]) -> bool:
        self._seen.clear()
        self._chip.present(uid)
        started = time.monotonic()
        try:
            while not self._seen.is_set() and time.monotonic() - started < (PATIENCE_S if powered() else HOLD_S):
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._seen.wait(), 0.1)
            return self._seen.is_set()
        finally:
            asyncio.get_running_loop().call_later(max(0.0, HOLD_S - (time.monotonic() - started)), self._chip.present, None)

    async def _send_text(self, text: str, powered: Callable[[], bool]) -> bool:
        """A text reader sends at once; somebody holds the card before it until the line is open."""
        started = time.monotonic()
        while not (heard := self.line.plugged and self._listening(self.line.name)) and time.monotonic() - started < PATIENCE_S and powered():
            await asyncio.sleep(LINE_SETTLES_S)
        if heard and time.monotonic() - started >= LINE_SETTLES_S:
            await asyncio.sleep(LINE_SETTLES_S)
        self.line.write(text.encode() + b"\r\n")
        return heard


class Readers:
    """All readers, and the queue of swipes. `powered`: whether the board is on; `listening`: whether the firmware has a line open;
    `on_change` is told of every swipe."""

    def __init__(
        self,
        rows: Sequence[spec.Reader],
        evse_ids: Sequence[int],
        directory: Path,
        *,
        powered: Callable[[], bool],
        listening: Callable[[str], bool],
        on_change: Callable[..., None],
    ) -> None:
        wired = [row for row in rows if row.serial.port.startswith(PREFIX) and (row.evse is None or row.evse <= len(evse_ids))]
        self.devices = [Device(row, None if row.evse is None else evse_ids[row.evse - 1], directory, listening) for row in wired]
        self._powered = powered
        self._on_change = on_change
        self._queue: asyncio.Queue[Swipe] = asyncio.Queue()
        self._newest: asyncio.Future[bool] | None = None
        self._showing_since: float | None = None
        self._without: set[int] = set()
        self._not_before = 0.0
        self._worker: asyncio.Task[None] | None = None

    async def start(self) -> None:
        for device in self.devices:
            device.line.open()
        self._worker = asyncio.create_task(self._work())

    async def stop(self) -> None:
        if self._worker:
            self._worker.cancel()
            await asyncio.gather(self._worker, return_exceptions=True)
        for device in self.devices:
            device.line.close()

    def power_on(self) -> None:
        """The chips start anew."""
        for device in self.devices:
            device.power_on()

    def swipe(self, uid: str, evse: int | None) -> None:
        """Queues a swipe. Raises NoReader."""
        done = asyncio.get_running_loop().create_future()
        self._queue.put_nowait(Swipe(uid, self._reader_for(uid, evse), done))
        self._newest = done

    def _reader_for(self, uid: str, evse: int | None) -> Device:
        """The EVSE's own reader, else the one for all; a card goes to a card reader when there is one, text to a text reader."""
        kinds = ("pn532", "text") if is_card(uid) else ("text",)
        for owner in (evse, None):
            for kind in kinds:
                for device in self.devices:
                    if device.evse == owner and device.kind == kind:
                        return device
        raise NoReader(f"this board has no reader that could send {uid!r}" + (f" for EVSE {evse}" if evse else ""))

    def plug_moved(self) -> None:
        """A plug was just moved: what is swiped from now on comes after it."""
        self._not_before = time.monotonic() + AFTER_PLUG_S

    async def settled(self) -> None:
        """Waits until every swipe queued so far was seen, so that what follows stays behind it; not for a reader that nobody reads."""
        newest = self._newest
        while newest is not None and not newest.done():
            if self._showing_since is not None and time.monotonic() - self._showing_since > UNREAD_S:
                return
            await asyncio.sleep(0.02)

    def set_offline(self, evse: int, gone: bool) -> None:
        """The readers that serve an EVSE lose their line, or get it back: its own, and the ones for all."""
        (self._without.add if gone else self._without.discard)(evse)
        for device in self.devices:
            lost = bool(self._without) if device.evse is None else device.evse in self._without
            if device.offline != lost:
                device.unplug(lost)

    async def _work(self) -> None:
        last, seen_at = "", 0.0
        while True:
            swipe = await self._queue.get()
            if swipe.uid.upper() == last:
                await asyncio.sleep(max(0.0, seen_at + SAME_AGAIN_S - time.monotonic()))
            await asyncio.sleep(max(0.0, self._not_before - time.monotonic()))
            self._on_change("swipe", uid=swipe.uid, reader=swipe.reader.name, evse=swipe.reader.evse)
            self._showing_since = time.monotonic()
            seen = await swipe.reader.show(swipe.uid, self._powered)
            last, seen_at = swipe.uid.upper(), time.monotonic()
            self._showing_since = None
            if not seen:
                self._on_change("swipe_unseen", uid=swipe.uid, reader=swipe.reader.name)
            await asyncio.sleep(SEEN_TO_HEARD_S)
            if not swipe.done.done():
                swipe.done.set_result(seen)
            await asyncio.sleep(max(HOLD_S, BETWEEN_S))
