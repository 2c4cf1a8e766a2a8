"""How much an EVSE may offer, and who says so: the least of all owners of a limit. Must not know sessions or permits.

The place where charging profiles are composed; as long as there are none, the settings' limit is the only owner.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from chargepoint.settings import Evse

SETTINGS = "settings"
NOMINAL_V = 230.0
Owner = Callable[[int], float | None]


class Limit(NamedTuple):
    """limit_a: A per phase; owner: whose it is; hard_a: what those allow who cannot be held at the floor of 6 A, None: the same."""

    limit_a: float
    owner: str
    hard_a: float | None = None

    @property
    def parts(self) -> tuple[float, float | None]:
        """What nobody may exceed, and what comfort would rather have (None: the same)."""
        return (self.limit_a, None) if self.hard_a is None else (self.hard_a, self.limit_a)


class Limits:
    """Owners are asked in the order they were added; of equals the first wins."""

    def __init__(self, evses: Sequence[Evse]) -> None:
        rated = {evse.id: evse.max_current_a for evse in evses}
        self._owners: dict[str, Owner] = {SETTINGS: rated.get}
        self._phases = {evse.id: evse.phases for evse in evses}
        self._max_w = {evse.id: evse.max_power_w for evse in evses}
        self._comfort: set[str] = set()

    def add(self, name: str, owner: Owner, comfort: bool = False) -> None:
        """A further owner: amperes per phase for an EVSE id, None for no limit. comfort: surplus, price or the owner's schedule, whose pause may
        be held at 6 A; never the CSMS, the site's fuse or the grid operator."""
        self._owners[name] = owner
        if comfort:
            self._comfort.add(name)

    def limit(self, evse: int, phases: int | None = None) -> Limit:
        """The least limit for an EVSE with so many phases connected (None: all of its own) and its owner; 0 A for an EVSE nobody knows."""
        said = [Limit(limit_a, name) for name, owner in self._owners.items() if (limit_a := owner(evse)) is not None]
        if evse in self._max_w:
            said.append(Limit(self._max_w[evse] / NOMINAL_V / (phases or self._phases[evse]), SETTINGS))
        least = min(said, key=lambda limit: limit.limit_a, default=Limit(0.0, SETTINGS))
        if least.owner not in self._comfort:
            return least
        return least._replace(hard_a=min((limit.limit_a for limit in said if limit.owner not in self._comfort), default=0.0))
