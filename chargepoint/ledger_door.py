"""The way to the ledger for commands: through the station that runs, else straight to its file. Must not know what is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from chargepoint.local.ask import NotRunning, ask
from chargepoint.station.ledger_desk import Desk
from chargepoint.store.boots import Boots
from chargepoint.store.db import Db, StoreError
from chargepoint.store.outbox import Outbox
from chargepoint.store_door import opened, store_file

Ask = Callable[[dict[str, Any]], dict[str, Any]]


class NoLedger(Exception):
    """Neither a station answers nor is there a file to read; the message says why."""


@contextmanager
def ledger() -> Iterator[Ask]:
    """Something to ask questions of. Raises NoLedger."""
    try:
        ask({"sessions": {"list": 0}})
    except NotRunning as trouble:
        db = _opened(trouble)
        try:
            yield Desk(db, Boots(db), Outbox(db).retell).answer
        finally:
            db.close()
        return
    yield _ask


def _ask(question: dict[str, Any]) -> dict[str, Any]:
    try:
        return ask({"sessions": question})
    except NotRunning as trouble:
        raise NoLedger(str(trouble)) from None


def _opened(trouble: NotRunning) -> Db:
    file = store_file()
    if not file.exists():
        raise NoLedger(f"{trouble}; and there is no store at {file}")
    try:
        return opened(file)
    except StoreError as held:
        raise NoLedger(f"{trouble}; and its store cannot be read: {held}") from None
