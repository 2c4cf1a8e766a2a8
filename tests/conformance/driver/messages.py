"""What the test CSMS keeps of a frame and of a connection, and the ways to reply. Must not know how they travel."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.conformance.driver.matching import Payload


@dataclass
class Message:
    """at: monotonic seconds. connection: which attempt to connect it came over, from 1. taken: some `expect` has had it.
    settled: of a call of the station, its answer is out, or will be late, or never; so what a case does next comes after the answer."""

    at: float
    kind: str
    incoming: bool
    action: str
    payload: Payload
    id_: str
    connection: int
    taken: bool = False
    settled: bool = True

    def line(self, start: float) -> str:
        return f"{self.at - start:8.3f} {'<-' if self.incoming else '->'} {self.kind:6} {self.action} {json.dumps(self.payload)}"


@dataclass
class Attempt:
    """One HTTP request for a WebSocket. refused: the status it was refused with."""

    at: float
    path: str
    headers: dict[str, str]
    refused: int | None


class CallError(Exception):
    """A CALLERROR, sent or received."""

    def __init__(self, code: str, description: str = "", details: dict[str, Any] | None = None) -> None:
        super().__init__(code, description)
        self.code = code
        self.description = description
        self.details = details or {}


@dataclass
class Silence:
    """No answer at all."""


SILENCE = Silence()


@dataclass
class Delayed:
    """An answer after some seconds."""

    seconds: float
    reply: Reply = field(default_factory=dict)


Reply = Payload | CallError | Silence | Delayed | Callable[[Payload], Any]
"""A function may give any of these, or await one."""
