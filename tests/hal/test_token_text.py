"""What text readers send: each form of the field that can be told apart."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hal import spec
from hal.token_text import Lines, token_of

PLAIN = spec.Reader(kind="text", serial=spec.Serial(port="x"))


def reader(**options: object) -> spec.Reader:
    return spec.Reader(kind="text", serial=spec.Serial(port="x"), **options)  # type: ignore[arg-type]  # options of any field


@pytest.mark.parametrize(
    ("line", "token"),
    [
        (b"041A2B3C4D5E80", "041A2B3C4D5E80"),
        (b"041a2b3c4d5e80", "041A2B3C4D5E80"),
        (b"04:1A:2B:3C", "041A2B3C"),
        (b"04-1a-2b-3c-4d-5e-80", "041A2B3C4D5E80"),
        (b"04 1A 2B 3C", "041A2B3C"),
        (b"\x02DEADBEEF", "DEADBEEF"),
        (b"\x02010063E9AE25", "010063E9AE"),
        (b"\x021000" + b"86F44426", "100086F444"),
        (b":112233445501", "1122334455"),
        (b"ALICE-01", "ALICE-01"),
        (b"  Driver one  ", "Driver one"),
        (b"M041A2B3C", "M041A2B3C"),
        (b"12-34", "12-34"),
        ("Jürgen".encode(), "Jürgen"),
        (b"0006547886", "0006547886"),
    ],
)
def test_a_line_tells_its_token(line: bytes, token: str) -> None:
    assert token_of(line, PLAIN) == token


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"\x02010063E9AE24", "checksum"),
        (b":112233445502", "checksum"),
        (b"\xff\xfe\x00", "codec"),
        (b"AB\x07CD", "not text"),
        (b"A" * 65, "longer than 64"),
    ],
)
def test_garbage_is_refused_with_its_reason(line: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        token_of(line, PLAIN)


def test_settings_of_a_reader() -> None:
    assert token_of(b"0006547886", reader(decimal=True)) == "0063E9AE"
    assert token_of(b"M041A2B3C", reader(prefixes=("M", "N"))) == "041A2B3C"
    assert token_of(b"N", reader(prefixes=("M", "N"))) is None
    assert token_of(b"3C2B1A04", reader(reverse=True)) == "041A2B3C"
    assert token_of(b"0102030405060 7E0".replace(b" ", b""), reader(token_type="ISO15693")) == "E007060504030201"


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n", b"\x03", b"\r\n\x03"])
def test_every_end_of_line(end: bytes) -> None:
    lines = Lines()
    assert lines.feed(b"DEADBEEF" + end + b"CAFE") == [b"DEADBEEF"]
    assert lines.feed(end) == [b"CAFE"]
    assert not lines.pending()


def test_stx_begins_anew() -> None:
    assert Lines().feed(b"noise\x02DEADBEEF\x03") == [b"\x02DEADBEEF"]


def test_an_endless_line_is_told_once_and_what_follows_it_is_whole() -> None:
    lines = Lines()
    told = [line for _ in range(10) for line in lines.feed(b"A" * 50)]
    assert [len(line) for line in told] == [65]
    assert lines.feed(b"AAA\rDEADBEEF\r") == [b"DEADBEEF"]


def test_a_long_line_in_one_piece_is_refused_too() -> None:
    (line,) = Lines().feed(b"A" * 100 + b"\r")
    with pytest.raises(ValueError, match="longer"):
        token_of(line, PLAIN)


def test_what_has_begun_can_be_dropped() -> None:
    lines = Lines()
    lines.feed(b"DEAD")
    assert lines.forget() == b"DEAD"
    assert lines.feed(b"BEEF\r") == [b"BEEF"]


@given(st.lists(st.sampled_from([b"DEADBEEF", b"ALICE", b"041A2B3C4D5E80"]), min_size=1, max_size=5), st.lists(st.integers(0, 80), max_size=8))
def test_the_pieces_do_not_matter(tokens: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(token + b"\r\n" for token in tokens)
    edges = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    lines = Lines()
    assert [line for start, end in pairwise(edges) for line in lines.feed(stream[start:end])] == tokens


@given(st.binary(max_size=300))
def test_no_bytes_break_it(data: bytes) -> None:
    for line in Lines().feed(data + b"\r"):
        try:
            token = token_of(line, PLAIN)
        except ValueError:
            continue
        assert token is None or (token and len(token) <= 64)
