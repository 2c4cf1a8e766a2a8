"""The chain that each transaction's facts form. Pure; `chain_walk` judges it. Must not know where facts lie.

    link(1) = SHA-256(seed(transaction) + number 1 + bytes 1);  link(n) = SHA-256(link(n - 1) + number n + bytes n)
The bytes are the fact as it is stored: a salted digest stands in the place of each token, and the token lies beside it with the salt (`Beside`), so
that it can be erased and the chain still holds. What was thinned out leaves a `Gap` in its place, and a `Thinned` link after it that vouches for
every gap so far. So no fact can go, come, move or change without the chain saying where.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from hashlib import sha256
from typing import NamedTuple, TypeVar

import msgspec

from chargepoint.model.facts import EventKind, Fact, TransactionFact
from chargepoint.model.idtoken import IdToken
from chargepoint.store.packed import NO_VALUE, Unreadable, value_of

VERSION = b"chargepoint ledger 1\0"
SALT_BYTES = 16
DIGESTED = "sha256:"


class Beside(msgspec.Struct, frozen=True, array_like=True):
    """The tokens of a fact, and the salt of their digests. Gone once erased."""

    salt: bytes
    token: IdToken | None
    group: IdToken | None


class Gap(msgspec.Struct, frozen=True, tag_field="fact", tag="gap"):
    """Facts first to last were here. before, after: the links at its edges."""

    first: int
    last: int
    before: bytes
    after: bytes


class Thinned(msgspec.Struct, frozen=True, tag_field="fact", tag="thinned"):
    """A link of its own: facts were thinned out. seal: of every gap that stands before it; count: facts gone with this step; at: wall clock's
    seconds since 1970, as far as it was known."""

    seal: bytes
    count: int
    at: float


Entry = Fact | Gap | Thinned
T = TypeVar("T")


class Stored(NamedTuple):
    """One entry of a chain as it lies in the store. n: its number, of a gap its first, 0 when it is older than the chain; link: its link, or the
    first bytes of it."""

    n: int
    content: bytes
    link: bytes
    beside: bytes | None = None


class Head(NamedTuple):
    """What a session's row says of a chain: its last number and link."""

    n: int
    link: bytes


_entries: msgspec.msgpack.Decoder[Entry] = msgspec.msgpack.Decoder(Entry)
_besides = msgspec.msgpack.Decoder(Beside)
encode = msgspec.msgpack.Encoder().encode


def seed(transaction: str) -> bytes:
    """What the first link of a transaction's chain follows."""
    return sha256(VERSION + transaction.encode()).digest()


def link(before: bytes, n: int, content: bytes) -> bytes:
    """The link of entry n, which follows another."""
    return sha256(before + n.to_bytes(8, "big") + content).digest()


def decoded(content: bytes) -> Entry:
    """Raises msgspec.DecodeError."""
    return _decode(_entries, content)


def fact_of(content: bytes) -> TransactionFact | None:
    """The fact of these bytes; None: they are another entry, or none."""
    try:
        entry = decoded(content)
    except NO_VALUE:
        return None
    return entry if isinstance(entry, TransactionFact) else None


def gap_of(content: bytes) -> Gap | None:
    """The gap of these bytes; None: they are another entry, or none."""
    try:
        entry = decoded(content)
    except NO_VALUE:
        return None
    return entry if isinstance(entry, Gap) else None


def begins(content: bytes) -> bool:
    """Whether a fact is the begin of its transaction."""
    fact = fact_of(content)
    return fact is not None and fact.kind is EventKind.STARTED


def sealed(fact: TransactionFact) -> tuple[TransactionFact, bytes | None]:
    """The fact with digests for tokens, and the tokens (`Beside`, encoded), None when it has none."""
    named = [token for token in (fact.id_token, fact.group) if token is not None and token.value]
    if not named:
        return fact, None
    beside = Beside(os.urandom(SALT_BYTES), _personal(fact.id_token), _personal(fact.group))
    return msgspec.structs.replace(fact, id_token=digest(beside.salt, fact.id_token), group=digest(beside.salt, fact.group)), encode(beside)


def restored(fact: TransactionFact, beside: bytes | None) -> TransactionFact:
    """The fact with its tokens, as far as they are still known. Raises Unreadable when what lies beside it is not what it was written with."""
    if beside is None:
        return fact
    known = value_of(beside, _besides)
    for token, written in ((known.token, fact.id_token), (known.group, fact.group)):
        if token is not None and digest(known.salt, token) != written:
            raise Unreadable("a token is not the one that was written")
    return msgspec.structs.replace(fact, id_token=known.token or fact.id_token, group=known.group or fact.group)


def tokens(beside: bytes | None) -> tuple[IdToken, ...]:
    """The tokens that lie beside a fact, as far as they can be read."""
    try:
        known = None if beside is None else value_of(beside, _besides)
    except Unreadable:
        return ()
    return () if known is None else tuple(token for token in (known.token, known.group) if token is not None)


def seal(gaps: Iterable[Gap]) -> bytes:
    """One digest over gaps, in order."""
    return sha256(b"".join(encode(gap) for gap in gaps)).digest()


def beside_of(content: bytes) -> Beside:
    """Raises msgspec.DecodeError."""
    return _decode(_besides, content)


def _personal(token: IdToken | None) -> IdToken | None:
    return token if token is not None and token.value else None


def digest(salt: bytes, token: IdToken | None) -> IdToken | None:
    """What stands in a token's place; none stays none, and nobody nobody."""
    if token is None or not token.value:
        return token
    return IdToken(DIGESTED + sha256(salt + encode(token)).hexdigest(), token.type)


def _decode(decoder: msgspec.msgpack.Decoder[T], content: bytes) -> T:
    try:
        return decoder.decode(content)
    except UnicodeDecodeError as error:
        raise msgspec.DecodeError(str(error)) from None
