"""Answers what people ask of the ledger, a piece at a time, so that the station waits for none of it. Must not know who asks or how it is shown.

A question has one key. `{"list": BEFORE}`: transactions, newest first, below a session's number (null: all), with `next` to go on with. `{"show": ID,
"after": N}`: one transaction and its facts above a place. `{"verify": AFTER}`: the chains of the sessions above a number; `{"verify_one": ID}`;
`{"whole": true}`: what is wrong with all together. `{"retell": ID or null}`. `{"erase": CARD, "after": N}`. An ID is a transaction's number or the
beginning of its id, or of its session's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chargepoint.model.stamp import to_rfc3339
from chargepoint.station.ledger_words import entry, summary
from chargepoint.store.book import Book, Judged
from chargepoint.store.boots import Boots
from chargepoint.store.chain_walk import Verdict
from chargepoint.store.chains import Chain, Session
from chargepoint.store.damaged import Damaged
from chargepoint.store.db import Db
from chargepoint.store.erasing import Erasing
from chargepoint.store.given_up import GivenUp
from chargepoint.store.packed import Unreadable

Answer = dict[str, Any]
LISTED, JUDGED, SHOWN = 20, 5, 50
SHORTEST_ID = 4


class Unclear(Exception):
    """The question names nothing, or several things; the message says what."""


class Desk:
    """retell: the outbox's."""

    def __init__(self, db: Db, boots: Boots, retell: Callable[[str | None], int]) -> None:
        self._book = Book(db)
        self._boots = boots
        self._erasing = Erasing(db)
        self._given_up = GivenUp(db)
        self._damaged = Damaged(db)
        self._retell = retell

    def answer(self, question: dict[str, Any]) -> Answer:
        """Any question; one that means nothing is answered with `error`."""
        try:
            return self._answer(question)
        except Unclear as error:
            return {"error": str(error)}

    def _answer(self, question: dict[str, Any]) -> Answer:
        match question:
            case {"list": (int() | None) as before}:
                return self._list(before)
            case {"show": str(id), "after": int(after)}:
                return self._show(id, after)
            case {"verify": int(after)}:
                return self._verify(after)
            case {"verify_one": str(id)}:
                session, chain = self._find(id)
                return {"verdicts": [_worded(session, chain, self._book.ledger.verdict(chain))], "next": None}
            case {"whole": _}:
                return self._whole()
            case {"retell": (str() | None) as id}:
                return self._tell_again(id)
            case {"erase": str(card), "after": int(after)}:
                return self._erasing.step(card, after)._asdict()
        raise Unclear(f"unknown question about sessions: {question!r}")

    def _list(self, before: int | None) -> Answer:
        sessions = list(self._book.chains.page_back(before=before, limit=LISTED))
        found = [self._summary(session, chain) for session in sessions for chain in reversed(session.chains or ())]
        return {"transactions": found, "next": sessions[-1].number if len(sessions) == LISTED else None}

    def _show(self, id: str, after: int) -> Answer:
        session, chain = self._find(id)
        try:
            entries = self._book.ledger.entries(chain)
        except Unreadable as error:
            raise Unclear(f"transaction {chain.number} cannot be read: {error}") from None
        shown = [entry(stored, self._boots) for stored in entries[after : after + SHOWN]]
        given_up = [{"seq": item.seq, "answer": item.answer, "at": _time(item.at)} for item in self._given_up.list(chain.transaction)]
        more = after + SHOWN if len(entries) > after + SHOWN else None
        return {"transaction": self._summary(session, chain), "entries": shown, "given_up": given_up, "next": more}

    def _verify(self, after: int) -> Answer:
        sessions = list(self._book.chains.page(after=after, limit=JUDGED))
        verdicts = [worded for session in sessions for worded in _judged(self._book.judge(session))]
        return {"verdicts": verdicts, "next": sessions[-1].number if len(sessions) == JUDGED else None}

    def _whole(self) -> Answer:
        pruned = self._book.pruned()
        wrong = [*self._book.whole(), *(f"cannot be read, and is set aside: {found}" for found in self._damaged.all())]
        return {"wrong": wrong, "pruned": pruned.count, "pruned_up_to": _time(pruned.last_at) if pruned.count else None}

    def _tell_again(self, id: str | None) -> Answer:
        transaction = None if id is None else self._find(id)[1].transaction
        return {"told_again": self._retell(transaction), "given_up": self._given_up.count()}

    def _find(self, id: str) -> tuple[Session, Chain]:
        found = [(session, chain) for session in self._book.chains.all() for chain in session.chains or () if _is(session, chain, id)]
        if len(found) == 1:
            return found[0]
        if not found:
            raise Unclear(f"there is no transaction {id}; `chargepoint sessions list` shows those there are")
        numbers = ", ".join(str(chain.number) for _, chain in found[:10])
        raise Unclear(f"{id} means several transactions, numbers {numbers}; give one of these")

    def _summary(self, session: Session, chain: Chain) -> Answer:
        known = {"number": chain.number, "session": session.id, "transaction": chain.transaction}
        try:
            edges = self._book.ledger.edges(chain)
        except Unreadable as error:
            return {**known, "wrong": str(error)}
        if edges is None:
            return {**known, "wrong": "its facts are missing"}
        given_up = sum(1 for _ in self._given_up.list(chain.transaction))
        return {**known, **summary(edges, self._boots), "told": not self._book.ledger.waits(chain), "given_up": given_up}


def _is(session: Session, chain: Chain, id: str) -> bool:
    if id.isdecimal() and len(id) < SHORTEST_ID * 2:
        return chain.number == int(id)
    return len(id) >= SHORTEST_ID and (chain.transaction.startswith(id) or session.id.startswith(id))


def _judged(judged: Judged) -> list[Answer]:
    if judged.wrong is not None:
        return [{"session": judged.session.id, "wrong": judged.wrong}]
    return [_worded(judged.session, chain, verdict) for chain, verdict in judged.chains]


def _worded(session: Session, chain: Chain, verdict: Verdict) -> Answer:
    return {"number": chain.number, "session": session.id, "transaction": chain.transaction, **verdict._asdict()}


def _time(at: float | None) -> str | None:
    return None if not at else to_rfc3339(at)
