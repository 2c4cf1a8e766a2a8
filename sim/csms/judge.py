"""What a station must not do beyond the schemas: the rules of OCPP-J, of times, and of the order of a connection. Must not know sockets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from sim.csms.book import Book, Station

LOOKS_LIKE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z")
MESSAGE_ID_LENGTH = 36
ASKS_FOR_MESSAGES = frozenset({"TriggerMessage", "ExtendedTriggerMessage", "GetBaseReport", "GetReport"})


class Judge:
    """Judges the calls of one station over all its connections."""

    def __init__(self, book: Book, station: Station) -> None:
        self._book, self._station = book, station
        self._ids: set[str] = set()

    def call(self, id_: str, action: str, payload: Any) -> None:
        """A call has come."""
        if id_ in self._ids:
            self._wrong("message id", f"{id_} is used a second time ({action})")
        if len(id_) > MESSAGE_ID_LENGTH:
            self._wrong("message id", f"{id_} is longer than {MESSAGE_ID_LENGTH} characters")
        self._ids.add(id_)
        self.times(action, payload)

    def times(self, action: str, payload: Any) -> None:
        """Every date-time: UTC with Z and three decimals at most."""
        for text in _texts(payload):
            if LOOKS_LIKE_TIME.match(text) and not TIME.fullmatch(text):
                self._wrong("time", f"{action}: {text}")

    def in_order(self, action: str, *, asked: bool) -> bool:
        """Before it is accepted a station sends BootNotification, and what it was asked for while pending (2.0.1 B02, B03; 1.6 4.2).
        asked: this CSMS has asked for messages on this connection."""
        registration = self._station.registration
        if action == "BootNotification" or registration == "Accepted" or (registration == "Pending" and asked):
            return True
        self._wrong("order", f"{action} while {registration or 'not yet booted'}")
        return False

    def _wrong(self, rule: str, detail: str) -> None:
        self._book.violation(self._station.identity, rule, detail)


def _texts(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _texts(child)
