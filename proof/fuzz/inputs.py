"""Bytes near to what a parser takes: valid ones with pieces changed, wrong values, and plain garbage. Must not know parsers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import msgspec
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

GARBAGE = st.binary(max_size=400)
NASTY_NUMBERS = st.sampled_from((0, -1, 1, 2**31, 2**53 + 1, 2**63, 2**64, -(2**63) - 1, 10**30, 1e308, -0.0, 0.5))
NUMBERS = st.integers() | st.floats() | NASTY_NUMBERS
TEXTS = st.text(max_size=30) | st.sampled_from(("", " ", "\x00", "\ud800", "é", "None", "true", "1e999", "../..", "x" * 300, "2024-02-30T00:00:00Z"))
SIMPLE = st.none() | st.booleans() | NUMBERS | TEXTS
VALUES = st.recursive(SIMPLE, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4), max_leaves=10)
DEEP = st.sampled_from([opening * 3000 for opening in ("[", '{"a":', "[[", "(")]) | st.sampled_from([b"\x91" * 3000, b"\x81\xa1a" * 2000])
TOML_VALUES = (
    st.sampled_from(
        (
            *("1", "-1", "0", "true", "false", '""', '"x"', "[]", "{}", "1.5", "nan", "inf", "-inf", "1e400", "9" * 30, "9" * 5000, "0x" + "f" * 40),
            *(
                "2024-01-01",
                "2024-13-01",
                "25:00:00",
                "'x'",
                '"""x"""',
                "[1, 2]",
                "[[]]",
                "{a = 1}",
                '"\\ud800"',
                '"\\u0000"',
                "[" * 2000,
                "{a=" * 500,
            ),
        )
    )
    | st.integers().map(str)
    | st.text(max_size=10).map(lambda text: json.dumps(text))
)


def changed_lines(texts: Sequence[str]) -> SearchStrategy[bytes]:
    """Lines of valid TOML files, left out, doubled, moved, with other values, or cut in the middle."""
    lines = sorted({line for text in texts for line in text.splitlines()})

    @st.composite
    def made(draw: st.DrawFn) -> bytes:
        kept = draw(st.sampled_from(texts)).splitlines()
        for _ in range(draw(st.integers(1, 4))):
            at = draw(st.integers(0, max(0, len(kept) - 1)))
            line = kept[at] if kept else ""
            key = line.partition("=")[0]
            kept[at : at + 1] = draw(
                st.sampled_from(((), (line, line), (draw(st.sampled_from(lines)),), (f"{key}= {draw(TOML_VALUES)}",), (line[: len(line) // 2],)))
                | st.text(max_size=30).map(lambda text: (text,))
            )
        return "\n".join(kept).encode("utf-8", "surrogatepass")

    return made() | maimed([text.encode() for text in texts])


def maimed(valid: Sequence[bytes]) -> SearchStrategy[bytes]:
    """Valid bytes with pieces replaced, taken out or put in; and anything."""

    @st.composite
    def made(draw: st.DrawFn) -> bytes:
        data = bytearray(draw(st.sampled_from(valid)))
        for _ in range(draw(st.integers(0, 4))):
            at = draw(st.integers(0, len(data)))
            data[at : at + draw(st.integers(0, 8))] = draw(st.binary(max_size=8))
        return bytes(data)

    return made() | GARBAGE | deep()


def deep() -> SearchStrategy[bytes]:
    """Nested deeper than a stack is."""
    return DEEP.map(lambda text: text.encode() if isinstance(text, str) else text)


def other_values(valid: Sequence[Any], encode: Any) -> SearchStrategy[bytes]:
    """Valid structures with some values replaced by others of any kind."""

    @st.composite
    def made(draw: st.DrawFn) -> bytes:
        value = json.loads(json.dumps(draw(st.sampled_from(valid))))
        for _ in range(draw(st.integers(0, 3))):
            value = _replaced(draw, value)
        return _encoded(encode, value)

    return made()


def as_json(value: Any) -> bytes:
    return json.dumps(value).encode("utf-8", "surrogatepass")


def as_msgpack(value: Any) -> bytes:
    return msgspec.msgpack.encode(value)


def _encoded(encode: Any, value: Any) -> bytes:
    """What cannot be written cannot come."""
    try:
        return bytes(encode(value))
    except (OverflowError, UnicodeError, msgspec.MsgspecError, TypeError):
        return b""


def _replaced(draw: st.DrawFn, value: Any) -> Any:
    if isinstance(value, dict) and value and draw(st.integers(0, 5)):
        key = draw(st.sampled_from(sorted(value)))
        inner = _replaced(draw, value[key])
        return {**value, key: inner}
    if isinstance(value, list) and value and draw(st.integers(0, 5)):
        at = draw(st.integers(0, len(value) - 1))
        return [*value[:at], _replaced(draw, value[at]), *value[at + 1 :]]
    return draw(VALUES)
