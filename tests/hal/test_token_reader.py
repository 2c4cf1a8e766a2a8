"""Card readers on real pseudo-terminals: a PN532 that answers in pieces and garbage, vanishes and comes back; a text reader."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from hal import pn532, spec, token_reader
from hal.errors import DeviceLost
from hal.pn532 import Found, Frames, Presence, framed, uid_of
from hal.ports import TokenSeen
from hal.token_reader import SerialReader

Now = Callable[[], float]
ACK = bytes.fromhex("0000FF00FF00")


def answer(code: int, data: bytes = b"") -> bytes:
    body = bytes((0xD5, code)) + data
    return b"\x00\x00\xff" + bytes((len(body), -len(body) & 0xFF)) + body + bytes((-sum(body) & 0xFF, 0))


def target(uid: bytes, sak: int = 0) -> bytes:
    ats = bytes.fromhex("067577810280") if sak & 0x20 else b""
    return bytes((1, 1, 0, 0x44, sak, len(uid))) + uid + ats


class Chip:
    """A PN532 behind a line: mute until it is set up, searches until a card comes, can be cut in pieces and disturbed."""

    def __init__(self, line: Any) -> None:
        self._line = line
        self._frames = b""
        self.awake = False
        self.searching = False
        self.mute = False
        self.pieces = 0
        self.garbage = b""
        self._card = b""
        self.slow = b""
        self.sak = 0
        self.polls = 0
        self.commands: list[int] = []
        line.on_bytes = self.hear

    @property
    def card(self) -> bytes:
        """What lies in the field; a search that runs finds it."""
        return self._card

    @card.setter
    def card(self, uid: bytes) -> None:
        self._card = uid
        if uid and self.searching:
            self.searching = False
            self._line.say(answer(0x4B, target(uid, self.sak)))

    def hear(self, data: bytes) -> None:
        self._frames += data
        while (at := self._frames.find(b"\x00\xff")) >= 0 and len(self._frames) > at + 4:
            length, check = self._frames[at + 2], self._frames[at + 3]
            if (length + check) & 0xFF or not length:
                self.searching = False
                self._frames = self._frames[at + 4 :]
                continue
            body = self._frames[at + 4 : at + 4 + length]
            self._frames = self._frames[at + 5 + length :]
            self.obey(body[1], body[2:])

    def obey(self, code: int, data: bytes) -> None:
        self.commands.append(code)
        if self.mute or not (self.awake or code == 0x14):
            return
        if code == 0x14:
            self.awake = True
            self.say(answer(0x15))
        elif code == 0x32:
            assert data == b"\x05\xff\x01\xff"
            self.say((answer(0x4B, target(self.slow)) if self.slow else b"") + answer(0x33))
            self.slow = b""
        elif code == 0x4A and not self.slow:
            self.polls += 1
            self.searching = not self.card
            self.say(answer(0x4B, target(self.card, self.sak)) if self.card else b"")

    def say(self, data: bytes) -> None:
        data = self.garbage + ACK + self.garbage + data
        if not self.pieces:
            self._line.say(data)
            return
        for start in range(0, len(data), self.pieces):
            self._line.say(data[start : start + self.pieces])

    def brown_out(self) -> None:
        self.awake = self.searching = False


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token_reader, "LIES_S", 0.005)
    monkeypatch.setattr(token_reader, "BACK_OFF_S", (0.02,))
    monkeypatch.setattr(token_reader, "LOOK_EVERY_S", 0.05)
    monkeypatch.setattr(pn532, "SET_UP_WITHIN_S", 0.1)
    monkeypatch.setattr(pn532, "TAKEN_WITHIN_S", 0.1)
    monkeypatch.setattr(pn532, "SEARCH_S", 0.15)
    monkeypatch.setattr(pn532, "AWAY_S", 0.1)


def wiring(line: Any, kind: Any, **options: Any) -> spec.Reader:
    return spec.Reader(kind=kind, serial=spec.Serial(port=str(line.path), baud=115200), **options)


def reader_on(line: Any, kind: str, now: Now, **options: Any) -> SerialReader:
    return SerialReader(wiring(line, kind, **options), lambda port: port, "reader 1", now)


@pytest.fixture
async def chip(line: Any) -> Chip:
    return Chip(line)


@pytest.fixture
async def reader(line: Any, now: Now) -> AsyncIterator[SerialReader]:
    made = reader_on(line, "pn532", now)
    yield made
    await made.close()


async def until(true: Callable[[], Any]) -> None:
    async with asyncio.timeout(5.0):
        while not true():
            await asyncio.sleep(0.002)


async def presented(reader: SerialReader) -> TokenSeen:
    async with asyncio.timeout(5.0):
        return await reader.next()


async def take_away(chip: Chip, polls: int = 4) -> None:
    chip.card = b""
    seen = chip.polls
    await until(lambda: chip.polls >= seen + polls)


async def nothing_more(reader: SerialReader, chip: Chip, polls: int = 8) -> None:
    seen = chip.polls
    waiting = asyncio.create_task(reader.next())
    await until(lambda: chip.polls >= seen + polls)
    assert not waiting.done()
    waiting.cancel()


@pytest.mark.parametrize("uid", ["DEADBEEF", "041A2B3C4D5E80", "04112233445566778899"])
async def test_a_card_is_told_once_while_it_lies_there(reader: SerialReader, chip: Chip, now: Now, uid: str) -> None:
    chip.card = bytes.fromhex(uid)
    before = now()
    seen = await presented(reader)
    assert (seen.value, seen.type) == (uid, "ISO14443")
    assert before <= seen.at <= now()
    await nothing_more(reader, chip)


async def test_the_chip_is_set_up_in_order(reader: SerialReader, chip: Chip) -> None:
    chip.card = b"\x01\x02\x03\x04"
    await presented(reader)
    assert chip.commands[:3] == [0x14, 0x32, 0x4A]
    assert reader.healthy()


async def test_one_search_waits_for_the_card(reader: SerialReader, chip: Chip, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pn532, "SEARCH_S", 60.0)
    waiting = asyncio.create_task(reader.next())
    await until(lambda: chip.searching)
    await asyncio.sleep(0.1)
    assert chip.commands == [0x14, 0x32, 0x4A]
    chip.card = bytes.fromhex("041A2B3C4D5E80")
    assert (await waiting).value == "041A2B3C4D5E80"


async def test_a_search_is_begun_anew_and_a_mute_chip_found_out(reader: SerialReader, chip: Chip) -> None:
    waiting = asyncio.create_task(reader.next())
    await until(lambda: chip.polls >= 4)
    assert chip.commands == [0x14, 0x32, *[0x4A] * chip.polls]
    chip.mute = True
    with pytest.raises(DeviceLost, match="no answer to command 0x"):
        await waiting


async def test_a_card_that_comes_as_the_search_is_begun_anew_counts(
    reader: SerialReader, chip: Chip, line: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its answer is on the way when the next command goes out, and no other follows."""
    waiting = asyncio.create_task(reader.next())
    await until(lambda: chip.polls >= 1)
    monkeypatch.setattr(chip, "say", lambda data: line.say(answer(0x4B, target(bytes.fromhex("01020304"))) + ACK))
    assert (await waiting).value == "01020304"


async def test_two_swipes_of_one_card_count_twice(reader: SerialReader, chip: Chip) -> None:
    for _ in range(2):
        chip.card = bytes.fromhex("041A2B3C4D5E80")
        assert (await presented(reader)).value == "041A2B3C4D5E80"
        await take_away(chip)


async def test_a_card_found_a_little_later_had_not_been_taken_away(reader: SerialReader, chip: Chip, monkeypatch: pytest.MonkeyPatch) -> None:
    """The chip may miss it for some tries at the edge of the field."""
    monkeypatch.setattr(pn532, "SEARCH_S", 60.0)
    monkeypatch.setattr(pn532, "AWAY_S", 30.0)
    chip.card = bytes.fromhex("041A2B3C4D5E80")
    await presented(reader)
    chip.card = b""
    await until(lambda: chip.searching)
    chip.card = bytes.fromhex("041A2B3C4D5E80")
    await nothing_more(reader, chip)


async def test_a_card_whose_answer_waited_for_a_busy_process_had_not_been_away(
    reader: SerialReader, chip: Chip, line: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk, say, holds the process up between the chip's ACK and its answer, for longer than a card need be away."""
    chip.card = bytes.fromhex("041A2B3C4D5E80")
    await presented(reader)

    def busy(data: bytes) -> None:
        line.say(data)
        time.sleep(0.12)

    def say(data: bytes) -> None:
        line.say(ACK)
        asyncio.get_running_loop().call_later(0.01, busy, data)

    monkeypatch.setattr(chip, "say", say)
    await nothing_more(reader, chip)


async def test_a_card_that_one_search_finds_only_late_was_away(reader: SerialReader, chip: Chip, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pn532, "SEARCH_S", 60.0)
    chip.card = bytes.fromhex("041A2B3C4D5E80")
    await presented(reader)
    chip.card = b""
    await until(lambda: chip.searching)
    await asyncio.sleep(0.15)
    chip.card = bytes.fromhex("041A2B3C4D5E80")
    assert (await presented(reader)).value == "041A2B3C4D5E80"


async def test_another_card_passes_at_once(reader: SerialReader, chip: Chip) -> None:
    chip.card = bytes.fromhex("01020304")
    assert (await presented(reader)).value == "01020304"
    chip.card = bytes.fromhex("05060708")
    assert (await presented(reader)).value == "05060708"


async def test_an_ats_does_not_get_into_the_uid(reader: SerialReader, chip: Chip) -> None:
    chip.card, chip.sak = bytes.fromhex("041A2B3C4D5E80"), 0x20
    assert (await presented(reader)).value == "041A2B3C4D5E80"


async def test_a_random_number_is_passed_and_logged(reader: SerialReader, chip: Chip, caplog: pytest.LogCaptureFixture) -> None:
    chip.card = bytes.fromhex("08A1B2C3")
    assert (await presented(reader)).value == "08A1B2C3"
    assert "random number" in caplog.text
    assert "08A1B2C3" not in caplog.text


@pytest.mark.parametrize("pieces", [1, 2, 3, 7])
@pytest.mark.parametrize("garbage", [b"", b"\x80", b"\x00\xff\x13", bytes.fromhex("00FF00FF0000FF"), bytes.fromhex("0000FF05FBD54B")])
async def test_pieces_and_garbage(reader: SerialReader, chip: Chip, pieces: int, garbage: bytes) -> None:
    chip.pieces, chip.garbage, chip.card = pieces, garbage, bytes.fromhex("041A2B3C4D5E80")
    assert (await presented(reader)).value == "041A2B3C4D5E80"


async def test_a_brown_out_is_healed_unseen(reader: SerialReader, chip: Chip) -> None:
    chip.card = bytes.fromhex("01020304")
    await presented(reader)
    await take_away(chip)
    chip.brown_out()
    chip.card = bytes.fromhex("05060708")
    assert (await presented(reader)).value == "05060708"


async def test_an_answer_that_comes_too_late_still_counts(reader: SerialReader, chip: Chip) -> None:
    """The card was held and taken away again while the chip is set up anew."""
    chip.card = bytes.fromhex("01020304")
    await presented(reader)
    await take_away(chip)
    chip.slow = bytes.fromhex("05060708")
    assert (await presented(reader)).value == "05060708"
    await nothing_more(reader, chip)


async def test_a_mute_chip_is_lost_once_and_found_again(reader: SerialReader, chip: Chip, caplog: pytest.LogCaptureFixture) -> None:
    chip.mute = True
    with pytest.raises(DeviceLost, match="no answer to command 0x14"):
        await presented(reader)
    assert not reader.healthy()
    waiting = asyncio.create_task(reader.next())
    tries = len(chip.commands)
    await until(lambda: len(chip.commands) >= tries + 4)
    assert not waiting.done()
    chip.mute, chip.card = False, bytes.fromhex("01020304")
    assert (await asyncio.wait_for(waiting, 5.0)).value == "01020304"
    assert reader.healthy()
    assert [record.levelname for record in caplog.records].count("WARNING") == 1


async def test_an_adapter_that_comes_back_as_another_device_is_followed(reader: SerialReader, chip: Chip, line: Any) -> None:
    chip.card = bytes.fromhex("01020304")
    await presented(reader)
    line.vanish()
    with pytest.raises(DeviceLost, match="reader 1"):
        await presented(reader)
    line.appear()
    chip.brown_out()
    await until(reader.healthy)
    await take_away(chip)
    chip.card = bytes.fromhex("05060708")
    assert (await presented(reader)).value == "05060708"


async def test_a_card_that_lay_there_through_the_loss_is_not_told_again(reader: SerialReader, chip: Chip) -> None:
    chip.card = bytes.fromhex("01020304")
    await presented(reader)
    chip.mute = True
    with pytest.raises(DeviceLost):
        await presented(reader)
    chip.mute = False
    await nothing_more(reader, chip)


async def test_a_reader_that_is_not_there_from_the_start(now: Now, line: Any) -> None:
    line.vanish()
    reader = reader_on(line, "text", now)
    with pytest.raises(DeviceLost, match="No such file"):
        await presented(reader)
    line.appear()
    await until(reader.healthy)
    line.say(b"ALICE\r\n")
    assert (await presented(reader)).value == "ALICE"
    await reader.close()


@pytest.fixture
async def text(line: Any, now: Now) -> AsyncIterator[SerialReader]:
    made = reader_on(line, "text", now, token_type="Local")
    yield made
    await made.close()


async def listening(reader: SerialReader) -> asyncio.Task[TokenSeen]:
    waiting = asyncio.create_task(reader.next())
    await until(reader.healthy)
    return waiting


async def test_a_line_is_a_token_of_the_readers_type(text: SerialReader, line: Any) -> None:
    waiting = await listening(text)
    line.say(b"dead")
    line.say(b"beef\r\n")
    seen = await waiting
    assert (seen.value, seen.type) == ("DEADBEEF", "Local")


async def test_a_repeater_counts_once_two_swipes_twice(line: Any, clock: Any) -> None:
    reader = reader_on(line, "text", clock)
    waiting = await listening(reader)
    line.say(b"\x02010063E9AE25\x03" * 5)
    assert (await waiting).value == "010063E9AE"
    clock.pass_s(0.31)
    line.say(b"\x02010063E9AE25\x03" * 5)
    assert (await presented(reader)).value == "010063E9AE"
    line.say(b"OTHER\r")
    assert (await presented(reader)).value == "OTHER"
    await reader.close()


async def test_a_line_that_does_not_go_on_is_dropped(text: SerialReader, line: Any, caplog: pytest.LogCaptureFixture) -> None:
    waiting = await listening(text)
    line.say(b"BROKEN")
    await until(lambda: "without an end" in caplog.text)
    line.say(b"ALICE\r\n")
    assert (await waiting).value == "ALICE"


async def test_garbage_is_dropped_and_logged(text: SerialReader, line: Any, caplog: pytest.LogCaptureFixture) -> None:
    waiting = await listening(text)
    line.say(b"\xff\xfe\x81\r" + b"B" * 200 + b"\r" + b"ALICE\r")
    assert (await waiting).value == "ALICE"
    assert caplog.text.count("is dropped") == 2


async def test_a_quiet_line_whose_name_moved_is_opened_anew(text: SerialReader, line: Any, tmp_path: Any) -> None:
    waiting = await listening(text)
    other = type(line)(line.path)
    other.appear()
    with pytest.raises(DeviceLost, match="another device"):
        await waiting
    waiting = await listening(text)
    other.say(b"ALICE\r\n")
    assert (await waiting).value == "ALICE"
    other.vanish()


def test_a_command_is_framed_as_in_the_manual() -> None:
    assert framed(pn532.SAM_CONFIGURATION) == bytes.fromhex("0000FF05FBD41401000116 00".replace(" ", ""))
    assert framed(pn532.ENDLESS) == bytes.fromhex("0000FF06FAD43205FF01FFF600")
    assert framed(pn532.LIST_TARGET) == bytes.fromhex("0000FF04FCD44A0100E100")


def test_frames_of_the_manual() -> None:
    stream = ACK + bytes.fromhex("0000FF0FF1D54B01010044000704 1A2B3C4D5E80E300".replace(" ", "")) + bytes.fromhex("0000FF01FF7F8100")
    taken, found, error = Frames().feed(stream)
    assert uid_of(found[1:]) == bytes.fromhex("041A2B3C4D5E80")
    assert (taken, error) == (bytes((pn532.TAKEN,)), b"\x7f")


@pytest.mark.parametrize("broken", ["0000FF03FED54B00E000", "0000FF03FDD54B00E100", "0000FF03FDD44B00E100"])
def test_a_frame_with_a_wrong_sum_or_direction_is_no_frame(broken: str) -> None:
    assert Frames().feed(bytes.fromhex(broken) + answer(0x4B, b"\x00")) == [b"\x4b\x00"]


@pytest.mark.parametrize("data", ["0101004400", "01010044000504A1", "0101004400 07 041A2B".replace(" ", "")])
def test_impossible_target_data_is_refused(data: str) -> None:
    with pytest.raises(ValueError, match="target data"):
        uid_of(bytes.fromhex(data))


def test_two_cards_in_the_field_are_told_once_each() -> None:
    presence = Presence()
    told = [presence.changed(Found(uid, 0.01)) for uid in [b"A", b"B"] * 20]
    assert told == [True, True] + [False] * 38


@pytest.mark.parametrize(("between", "counts"), [([], False), ([None], True), ([b"B"], False), ([b"B", b"B"], True), ([b"B", None], True)])
def test_a_card_counts_again_once_it_was_away(between: list[bytes | None], counts: bool) -> None:
    presence = Presence()
    presence.changed(Found(b"A", 0.01))
    for other in between:
        presence.changed(Found(other, 0.01))
    assert presence.changed(Found(b"A", 0.01)) is counts


@pytest.mark.parametrize(("after_s", "counts"), [(0.0, False), (pn532.EMPTY_S, True)])
def test_a_card_that_comes_into_the_empty_field_after_another_counts_again(after_s: float, counts: bool) -> None:
    presence = Presence()
    presence.changed(Found(b"A", 0.01)), presence.changed(Found(b"B", 0.01))
    assert presence.changed(Found(b"A", after_s)) is counts


@pytest.mark.parametrize(("share", "counts"), [(0.0, False), (0.99, False), (1.0, True)])
def test_a_card_that_was_long_searched_for_had_been_away(share: float, counts: bool) -> None:
    presence = Presence()
    presence.changed(Found(b"A", 0.01))
    assert presence.changed(Found(b"A", share * pn532.AWAY_S)) is counts
