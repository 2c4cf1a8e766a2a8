"""What was charged at one charge point as the wire saw it: from the plug's coming to its going, with energy and cards. Must not know the firmware."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import asdict, dataclass, field
from typing import Any

from sim.events import wall_text

KEPT = 200


@dataclass
class Session:
    """began, ended: UTC; cards: shown meanwhile, in order; energy_wh: so far."""

    number: int
    evse: int
    began: str
    register_wh: float
    ended: str | None = None
    cards: list[str] = field(default_factory=list)
    energy_wh: float = 0.0


class Sessions:
    """The last sessions, oldest first."""

    def __init__(self) -> None:
        self._all: deque[Session] = deque(maxlen=KEPT)
        self._count = 0
        self._early: str | None = None

    def plugged(self, evse: int, register_wh: float) -> None:
        """A plug has come; register_wh: what the EVSE's energy register stands at."""
        self.unplugged(evse, register_wh)
        self._count += 1
        cards = [self._early] if self._early else []
        self._early = None
        self._all.append(Session(self._count, evse, wall_text(time.time()), register_wh, cards=cards))

    def unplugged(self, evse: int, register_wh: float) -> None:
        """The plug has gone, if there was one."""
        for session in self._running(evse):
            session.ended, session.energy_wh = wall_text(time.time()), register_wh - session.register_wh

    def card(self, uid: str, evse: int | None) -> None:
        """A card was read at an EVSE, or at a reader for all of them (None): it counts for the plug that came last, or comes next."""
        latest = self._running(evse)[-1:]
        for session in latest:
            session.cards.append(uid)
        self._early = None if latest else uid

    def listed(self, registers_wh: dict[int, float]) -> list[dict[str, Any]]:
        """As JSON values, newest first; registers_wh by EVSE, for those that still run."""
        for session in self._running(None):
            session.energy_wh = registers_wh.get(session.evse, session.register_wh) - session.register_wh
        return [_row(session) for session in reversed(self._all)]

    def _running(self, evse: int | None) -> list[Session]:
        return [session for session in self._all if session.ended is None and evse in (None, session.evse)]


def _row(session: Session) -> dict[str, Any]:
    row = asdict(session)
    del row["register_wh"]
    row["energy_wh"] = round(session.energy_wh, 3)
    return row
