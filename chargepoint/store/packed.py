"""Values as bytes, and what is none: packed with a digest, so that a changed byte is noticed, or plain. Must not know what they mean."""

from __future__ import annotations

from hashlib import sha256
from typing import Any, TypeVar

import msgspec

DIGEST_BYTES = 8
NO_VALUE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, TypeError)
"""What decoding raises for what is no value of the type: bytes, or, in a damaged row, a number or a text in their place."""
MOST = 1e15
"""No number of this world is larger: Wh, and seconds since 1970."""
T = TypeVar("T")


class Unreadable(Exception):
    """The bytes are not those that were kept; the message says what is wrong with them."""


def value_of(content: Any, decoder: msgspec.msgpack.Decoder[T]) -> T:
    """A value that is kept plain. Raises Unreadable, also for numbers that cannot be."""
    try:
        value = decoder.decode(content)
    except NO_VALUE as error:
        raise Unreadable(str(error)) from None
    if _nonsense(value):
        raise Unreadable("a number in it cannot be")
    return value


def _nonsense(value: Any) -> bool:
    """Whether there is a number in it that is not finite, or beyond all measures."""
    if isinstance(value, float):
        return not -MOST < value < MOST
    if isinstance(value, msgspec.Struct):
        return any(_nonsense(getattr(value, name)) for name in value.__struct_fields__)
    if isinstance(value, dict):
        return any(map(_nonsense, value.values()))
    return isinstance(value, (tuple, list)) and any(map(_nonsense, value))


def packed(value: Any) -> bytes:
    """Any value msgspec can encode, behind a digest of its bytes."""
    return sealed(msgspec.msgpack.encode(value))


def unpacked(blob: object, type_: type[T]) -> T:
    """Raises Unreadable."""
    try:
        return msgspec.msgpack.decode(opened(blob), type=type_)
    except NO_VALUE as error:
        raise Unreadable(str(error)) from None


def sealed(content: bytes) -> bytes:
    """Bytes behind a digest of them."""
    return sha256(content).digest()[:DIGEST_BYTES] + content


def opened(blob: object) -> bytes:
    """The bytes behind a digest. Raises Unreadable."""
    if not isinstance(blob, bytes):
        raise Unreadable("there are no bytes")
    content = blob[DIGEST_BYTES:]
    if sha256(content).digest()[:DIGEST_BYTES] != blob[:DIGEST_BYTES]:
        raise Unreadable("its digest does not fit")
    return content
