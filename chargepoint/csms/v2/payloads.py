"""How a block turns the station's words into payloads: the shapes of its three tables. Must not know any message."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from chargepoint.csms.face import Heard, Payload, StationView, Told
from chargepoint.csms.rpc import Urgency
from chargepoint.csms.v2.dialect import Dialect
from chargepoint.model.questions import QuestionAnswer

Hear = Callable[[StationView, Payload], Awaitable[Heard]]
"""Answers one action."""


class Ask(NamedTuple):
    """A question: its message, and what the answer says."""

    action: str
    urgency: Urgency
    words: Callable[[StationView, Dialect, Any], Payload]
    answer: Callable[[Payload], QuestionAnswer]


def taken(payload: Payload) -> Told:
    """An answer that says nothing."""
    return Told()


class Say(NamedTuple):
    """A fact: its message (None: there are no words for this one; the last argument: told as offline), and what the answer says."""

    action: str
    urgency: Urgency
    words: Callable[[StationView, Dialect, Any, bool], Payload | None]
    told: Callable[[Payload], Told] = taken
