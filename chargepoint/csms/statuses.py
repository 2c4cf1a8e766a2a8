"""What one connection was told of each connector, so that two facts which are one message in its version are told once. Must not know any version:
a face gives its own words for a fact.
"""

from __future__ import annotations

from chargepoint.csms.face import Payload
from chargepoint.model.facts import StatusFact

MOMENT = "timestamp"


class Statuses:
    """The very same status again was asked for (2.0.1 F06, 1.6 5.17), and is told."""

    def __init__(self) -> None:
        self._told: dict[tuple[int, int], Payload] = {}
        self._last: dict[tuple[int, int], tuple[str | bool | None, ...]] = {}

    def news(self, fact: StatusFact, words: Payload) -> bool:
        """Whether the fact is to be told; it is remembered as the last one."""
        place, content = (fact.evse, fact.connector), (fact.status, fact.error_code, fact.vendor_error_code, fact.info, fact.vacant)
        again = fact.ordered or self._last.get(place) == content
        self._last[place] = content
        return again or self._told.get(place) != _lasting(words)

    def told(self, fact: StatusFact, words: Payload) -> None:
        """The CSMS has it."""
        self._told[fact.evse, fact.connector] = _lasting(words)


def _lasting(words: Payload) -> Payload:
    return {name: value for name, value in words.items() if name != MOMENT}
