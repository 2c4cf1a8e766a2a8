"""The conversation is read from the bytes that pass: whole, cut anywhere, masked or not; what cannot be read is said once."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest

from sim.wiretap import Conversation

HEAD = b"GET /ocpp/CP001 HTTP/1.1\r\nUpgrade: websocket\r\n\r\n"
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\n\r\n"


def frame(text: str, *, masked: bool, first: int = 0x81) -> bytes:
    data = text.encode()
    size = len(data)
    head = bytes([first, (0x80 if masked else 0) | (size if size < 126 else 126 if size < 65536 else 127)])
    head += size.to_bytes(2, "big") if 126 <= size < 65536 else size.to_bytes(8, "big") if size >= 65536 else b""
    if not masked:
        return head + data
    key = os.urandom(4)
    return head + key + bytes(byte ^ key[at % 4] for at, byte in enumerate(data))


class Heard:
    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self.conversation = Conversation(lambda kind, **what: self.told.append({"kind": kind, **what}))


@pytest.mark.parametrize("step", [1, 2, 7, 4096, 1 << 20])
@pytest.mark.parametrize("size", [3, 120, 200, 70_000])
def test_calls_and_answers_whatever_the_pieces(step: int, size: int) -> None:
    heard = Heard()
    call = json.dumps([2, "a1", "Heartbeat", {"filler": "x" * size}])
    there = HEAD + frame(call, masked=True)
    back = SWITCHED + frame(json.dumps([3, "a1", {"currentTime": "now"}]), masked=False)
    for at in range(0, len(there), step):
        heard.conversation.passed("station", there[at : at + step])
    for at in range(0, len(back), step):
        heard.conversation.passed("csms", back[at : at + step])
    assert [(m["kind"], m["sender"], m["message"], m["action"]) for m in heard.told] == [
        ("call", "station", "a1", "Heartbeat"),
        ("result", "csms", "a1", "Heartbeat"),
    ]
    assert heard.told[0]["payload"] == {"filler": "x" * size} and heard.told[1]["ms"] >= 0


def test_fragments_pings_errors_and_the_end() -> None:
    heard = Heard()
    heard.conversation.passed("csms", SWITCHED + frame('[2,"b","Reset"', masked=False, first=0x01) + frame("", masked=False, first=0x89))
    assert heard.told == []
    heard.conversation.passed("csms", frame(',{"type":"Immediate"}]', masked=False, first=0x80))
    heard.conversation.passed("station", HEAD + frame('[4,"b","NotSupported","no",{}]', masked=True) + frame("\x03\xe8", masked=True, first=0x88))
    kinds = [(m["kind"], m["sender"]) for m in heard.told]
    assert kinds == [("call", "csms"), ("error", "station"), ("close", "station")]
    assert (heard.told[1]["action"], heard.told[1]["code"]) == ("Reset", "NotSupported")


@pytest.mark.parametrize("text", ["no json", "{}", "[]", "[9,1]", '"a"', "[2]", "17", "[" * 20_000])
def test_what_is_no_ocpp_is_shown_as_it_is(text: str) -> None:
    heard = Heard()
    heard.conversation.passed("csms", SWITCHED + frame(text, masked=False))
    assert heard.told == [{"kind": "text", "sender": "csms", "text": text}]


@pytest.mark.parametrize("data", [b"\x16\x03\x01" + bytes(50), SWITCHED + b"\xc1\x05hello", SWITCHED + b"\x81\x7f" + (1 << 40).to_bytes(8, "big")])
def test_what_cannot_be_read_is_said_once(data: bytes) -> None:
    heard = Heard()
    for _ in range(3):
        heard.conversation.passed("csms", data)
    assert [m["kind"] for m in heard.told] == ["unreadable"]
