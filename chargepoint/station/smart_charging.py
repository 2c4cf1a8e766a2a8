"""How much an EVSE may offer, and who says so: the least of all owners of a limit. Must not know sessions or permits.

The place where charging profiles are composed; as long as there are none, the settings' limit is the only owner.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from chargepoint.settings import Evse

SETTINGS = "settings"
Owner = Callable[[int], float | None]


class Limit(NamedTuple):
    """limit_a: A per phase; owner: whose it is."""

    limit_a: float
    owner: str


class Limits:
    """Owners are asked in the order they were added; of equals the first wins."""

    def __init__(self, evses: Sequence[Evse]) -> None:
        rated = {evse.id: evse.max_current_a for evse in evses}
        self._owners: dict[str, Owner] = {SETTINGS: rated.get}

    def add(self, name: str, owner: Owner) -> None:
        """A further owner: amperes per phase for an EVSE id, None for no limit."""
        self._owners[name] = owner

    def limit(self, evse: int) -> Limit:
        """The least limit for an EVSE and its owner; 0 A for an EVSE nobody knows."""
        said = [Limit(limit_a, name) for name, owner in self._owners.items() if (limit_a := owner(evse)) is not None]
        return min(said, key=lambda limit: limit.limit_a, default=Limit(0.0, SETTINGS))
