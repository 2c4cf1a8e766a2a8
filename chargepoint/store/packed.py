"""Values packed with a digest, so that a changed byte is noticed. Must not know what they mean."""

from __future__ import annotations

from hashlib import sha256
from typing import Any, TypeVar

import msgspec

DIGEST_BYTES = 8
NO_VALUE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding raises for bytes that are no value of the type."""
T = TypeVar("T")


class Unreadable(Exception):
    """The bytes are not those that were packed."""


def packed(value: Any) -> bytes:
    """Any value msgspec can encode, behind a digest of its bytes."""
    return sealed(msgspec.msgpack.encode(value))


def unpacked(blob: bytes, type_: type[T]) -> T:
    """Raises Unreadable."""
    try:
        return msgspec.msgpack.decode(opened(blob), type=type_)
    except NO_VALUE as error:
        raise Unreadable(str(error)) from None


def sealed(content: bytes) -> bytes:
    """Bytes behind a digest of them."""
    return sha256(content).digest()[:DIGEST_BYTES] + content


def opened(blob: bytes) -> bytes:
    """The bytes behind a digest. Raises Unreadable."""
    content = blob[DIGEST_BYTES:]
    if sha256(content).digest()[:DIGEST_BYTES] != blob[:DIGEST_BYTES]:
        raise Unreadable("its digest does not fit")
    return content
