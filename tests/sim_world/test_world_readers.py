"""Readers on real pseudo-terminals: the host's side speaks pyserial."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import serial

from hal import spec
from sim.line import Line
from sim.pn532 import ACK, Pn532, frame, take
from sim.readers import NoReader, Readers

SAM = bytes.fromhex("0000FF05FBD4140100011600")
RETRIES = bytes.fromhex("0000FF06FAD43205FF0101F400")
SEARCH = bytes.fromhex("0000FF04FCD44A0100E100")
WAKE = b"\x55\x55" + bytes(14)
NO_TARGET = bytes.fromhex("0000FF03FDD54B00E000")

ROWS = (
    spec.Reader(kind="pn532", serial=spec.Serial(port="sim:pn532", baud=115200)),
    spec.Reader(kind="text", serial=spec.Serial(port="sim:text")),
    spec.Reader(kind="text", serial=spec.Serial(port="sim:text2"), evse=2),
)


class Host:
    """The firmware's end of the lines."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.told: list[str] = []
        self.open: set[str] = set()
        self.readers = Readers(
            ROWS,
            [1, 2],
            directory,
            powered=lambda: True,
            listening=lambda name: name in self.open,
            on_change=lambda what, **details: self.told.append(what),
        )

    def line(self, name: str) -> serial.Serial:
        port = serial.Serial(str(self.directory / name), 115200, timeout=0)
        self.open.add(os.readlink(self.directory / name))
        return port

    async def read(self, port: serial.Serial, size: int, within_s: float = 2.0) -> bytes:
        data = b""
        async with asyncio.timeout(within_s):
            while len(data) < size:
                data += port.read(size - len(data))
                await asyncio.sleep(0.002)
        return data

    async def search(self, port: serial.Serial) -> bytes:
        """The answer to one search, without its ACK."""
        port.write(SEARCH)
        assert await self.read(port, len(ACK)) == ACK
        head = await self.read(port, 5)
        return head + await self.read(port, head[3] + 2)

    async def set_up(self, port: serial.Serial) -> None:
        port.write(WAKE + SAM)
        await self.read(port, len(ACK) + 9)
        port.write(RETRIES)
        await self.read(port, len(ACK) + 9)


@pytest.fixture
async def host(tmp_path: Path) -> AsyncIterator[Host]:
    host = Host(tmp_path)
    await host.readers.start()
    yield host
    await host.readers.stop()


def test_frames_of_the_manual() -> None:
    assert frame(bytes.fromhex("4B0101004400 07041A2B3C4D5E80".replace(" ", ""))).hex().upper() == "0000FF0FF1D54B010100440007041A2B3C4D5E80E300"
    assert take(bytearray(SAM)) == bytes.fromhex("14010001")
    assert take(bytearray(b"\x00\x80" + SAM)) == bytes.fromhex("14010001")
    assert take(bytearray(SAM[:-3])) is None


async def test_silent_before_sam_configuration(host: Host) -> None:
    port = host.line("pn532")
    port.write(SEARCH)
    await asyncio.sleep(0.1)
    assert port.read(100) == b""
    await host.set_up(port)
    assert await host.search(port) == NO_TARGET
    port.close()


@pytest.mark.parametrize("uid", ["04A1B2C3", "04A1B2C5D6E7F8", "0102030405060708090A"])
async def test_a_card_is_shown_until_read_and_taken_away(host: Host, uid: str) -> None:
    port = host.line("pn532")
    await host.set_up(port)
    host.readers.swipe(uid, None)
    await asyncio.sleep(0.05)
    assert bytes.fromhex(uid) in await host.search(port)
    await asyncio.sleep(0.5)
    assert await host.search(port) == NO_TARGET
    port.close()


async def test_two_swipes_in_a_row_are_two_presentations(host: Host) -> None:
    port = host.line("pn532")
    await host.set_up(port)
    host.readers.swipe("04A1B2C3", None)
    host.readers.swipe("04A1B2C3", None)
    seen = []
    for _ in range(45):
        seen.append(b"\x04\xa1\xb2\xc3" in await host.search(port))
        await asyncio.sleep(0.05)
    appearances = sum(now and not before for before, now in zip([False, *seen], seen, strict=False))
    assert appearances == 2
    port.close()


async def test_endless_search_waits_for_the_card(host: Host) -> None:
    port = host.line("pn532")
    port.write(WAKE + SAM)
    await host.read(port, len(ACK) + 9)
    port.write(SEARCH)
    await host.read(port, len(ACK))
    await asyncio.sleep(0.1)
    assert port.read(100) == b""
    host.readers.swipe("04A1B2C3", None)
    assert b"\x04\xa1\xb2\xc3" in await host.read(port, 19)
    port.close()


async def test_an_endless_search_goes_on_after_a_card_that_was_gone_too_soon() -> None:
    said, seen = bytearray(), []
    chip = Pn532(said.extend, seen.append)
    chip.received(WAKE + SAM + SEARCH)
    chip.present(b"\x01\x02\x03\x04"), chip.present(None)
    await asyncio.sleep(0.05)
    assert (said, seen) == (ACK + ACK, [])
    chip.present(b"\x05\x06\x07\x08")
    await asyncio.sleep(0.05)
    assert seen == [b"\x05\x06\x07\x08"] and said.endswith(frame(bytes.fromhex("4B01010004080405060708")))


async def test_text_goes_to_the_text_line_unchanged(host: Host) -> None:
    port = host.line("text")
    host.readers.swipe("member-17", None)
    assert await host.read(port, 11) == b"member-17\r\n"
    port.close()


async def test_the_evses_own_reader_is_used(host: Host) -> None:
    port = host.line("text2")
    host.readers.swipe("04A1B2C3", 2)
    assert await host.read(port, 10) == b"04A1B2C3\r\n"
    port.close()


async def test_text_waits_until_somebody_has_the_line_open(host: Host) -> None:
    host.readers.swipe("member-17", None)
    await asyncio.sleep(0.3)
    port = host.line("text")
    assert await host.read(port, 11) == b"member-17\r\n"
    port.close()


async def test_a_board_without_text_reader(tmp_path: Path) -> None:
    readers = Readers(ROWS[:1], [1], tmp_path, powered=lambda: True, listening=lambda name: False, on_change=lambda what, **details: None)
    with pytest.raises(NoReader):
        readers.swipe("member-17", None)


async def test_a_reader_unplugged_comes_back_under_another_name(host: Host) -> None:
    port = host.line("pn532")
    before = os.readlink(host.directory / "pn532")
    host.readers.set_offline(1, True)
    with pytest.raises(serial.SerialException):
        port.read(1)
    assert not (host.directory / "pn532").exists()
    port.close()
    host.readers.set_offline(1, False)
    assert os.readlink(host.directory / "pn532") != before
    port = host.line("pn532")
    await host.set_up(port)
    port.close()


async def test_settled_does_not_wait_for_a_reader_nobody_reads(host: Host) -> None:
    host.readers.swipe("04A1B2C3", None)
    await asyncio.wait_for(host.readers.settled(), 2)


async def test_a_line_survives_its_reader(tmp_path: Path) -> None:
    heard: list[bytes] = []
    line = Line(tmp_path / "line", heard.append)
    line.open()
    for word in (b"one", b"two"):
        with serial.Serial(str(line.link), 9600, timeout=1) as port:
            port.write(word)
            await asyncio.sleep(0.05)
    assert b"".join(heard) == b"onetwo"
    line.close()
