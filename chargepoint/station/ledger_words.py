"""Facts of the ledger as plain values for people and programs. Must not know where they come from or go."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from chargepoint.model.facts import EventKind, TransactionFact
from chargepoint.model.idtoken import IdToken
from chargepoint.model.stamp import Stamp, to_rfc3339
from chargepoint.store.archive import Edges
from chargepoint.store.boots import Boots
from chargepoint.store.chain import DIGESTED, Gap, Stored, Thinned, decoded, fact_of, restored, tokens
from chargepoint.store.packed import NO_VALUE, Unreadable

Words = dict[str, Any]


def summary(edges: Edges, boots: Boots) -> Words:
    """What was charged, when, where and by whom. energy_wh: of the meter's register, None while one of the two is not known; estimated: the meter was
    silent or another at the end; card: None when there was none, or it is erased."""
    first, last = fact_of(edges.first.content), fact_of(edges.last.content)
    if first is None or last is None:
        return {"wrong": "its first or last fact is none"}
    ended = last.kind is EventKind.ENDED
    named = next(iter(tokens(edges.first.beside)), None)
    begin, end = first.register_wh, last.register_wh
    return {
        "evse": last.evse,
        "connector": last.connector,
        "began": _time(first.at, boots),
        "ended": _time(last.at, boots) if ended else None,
        "time_known": boots.learnt(first.at),
        "begin_wh": begin,
        "end_wh": end,
        "energy_wh": round(end - begin, 3) if begin is not None and end is not None else None,
        "estimated": last.billing_estimated,
        "charged_s": last.time_charging_s,
        "reason": last.stopped_reason,
        "card": None if named is None else str(named),
        "card_type": None if named is None else str(named.type),
        "signed": [*_signed(first), *(_signed(last) if last is not first and edges.last.n != edges.first.n else ())],
    }


def entry(stored: Stored, boots: Boots) -> Words:
    """One entry of a chain. n 0: older than the chain."""
    known: Words = {"n": stored.n, "link": stored.link.hex()}
    try:
        content = decoded(stored.content)
    except NO_VALUE as error:
        return {**known, "wrong": str(error)}
    match content:
        case Gap():
            return {**known, "gap": [content.first, content.last]}
        case Thinned():
            return {**known, "thinned": content.count, "at": to_rfc3339(content.at)}
        case TransactionFact():
            fact = _named(content, stored.beside)
            words = msgspec.to_builtins(fact)
            return {**known, "at": _time(fact.at, boots), "card": _card(fact.id_token), "fact": words}
    return {**known, "fact": msgspec.to_builtins(content)}


def _card(token: IdToken | None) -> str | None:
    if token is None or not token.value:
        return None
    return "(erased)" if token.value.startswith(DIGESTED) else str(token)


def _signed(fact: TransactionFact) -> Iterable[Words]:
    """What the meter signed, as it was signed."""
    for reading in fact.readings:
        for value in reading.values:
            if value.signed is not None:
                yield {"context": value.context.value, **msgspec.to_builtins(value.signed)}


def _named(fact: TransactionFact, beside: bytes | None) -> TransactionFact:
    try:
        return restored(fact, beside)
    except Unreadable:
        return fact


def _time(stamp: Stamp, boots: Boots) -> str:
    return to_rfc3339(boots.wall_of(stamp))
