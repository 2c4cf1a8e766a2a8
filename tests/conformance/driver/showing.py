"""Cards of each kind shown at a charge point of several EVSEs, and what it shows then: who may charge and who was asked, the same in every version.

Speaks the simulator's contract, and of OCPP only which tokens were asked about. Must not know what is right: cards16.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.conformance.driver.cards16 import Kind, Outcome, Settings
from tests.conformance.driver.lab import Lab

EVSES = 4
"""Of the simulated board."""
PARENT = {"groupIdToken": {"idToken": "PARENT", "type": "Central"}}
FIXED = {
    Kind.LISTED: "0A000001",
    Kind.LISTED_BLOCKED: "0A000002",
    Kind.LISTED_EXPIRED: "0A000003",
    Kind.LISTED_CONCURRENT: "0A000004",
    Kind.CACHED: "0A000005",
    Kind.CACHED_BLOCKED: "0A000006",
}
CENTRAL: dict[Kind, dict[str, Any]] = {
    Kind.LISTED: {"status": "Accepted"},
    Kind.LISTED_BLOCKED: {"status": "Blocked"},
    Kind.LISTED_EXPIRED: {"status": "Expired"},
    Kind.LISTED_CONCURRENT: {"status": "Accepted"},
    Kind.CACHED: {"status": "Accepted", **PARENT},
    Kind.CACHED_BLOCKED: {"status": "Blocked"},
    Kind.NEW: {"status": "Accepted"},
}
NUMBERS = itertools.count(0x0B000000)
ALL = [Settings(*values) for values in itertools.product((False, True), repeat=4)]
"""Every combination of the keys that decide who may begin."""


def new_uid() -> str:
    """A card that was never shown before: what is shown once is in the cache."""
    return f"{next(NUMBERS):08X}"


def past() -> str:
    return (datetime.now(UTC) - timedelta(days=1)).isoformat(timespec="seconds").replace("+00:00", "Z")


def in_central(lab: Lab) -> None:
    """The central system knows the cards that stay."""
    lab.csms.answers.cards |= {FIXED[kind]: info for kind, info in CENTRAL.items() if kind in FIXED}


def uids(lab: Lab) -> dict[Kind, str]:
    """Of every kind a card; the unknown ones are new each time."""
    fresh = {kind: new_uid() for kind in (Kind.NEW, Kind.UNKNOWN)}
    lab.csms.answers.cards[fresh[Kind.NEW]] = CENTRAL[Kind.NEW]
    return FIXED | fresh


async def calm(lab: Lab) -> None:
    """Nobody is authorized any more, and every lamp says that its EVSE is free."""
    await lab.charger.until(
        lambda state: all(it["status"] == "Available" for it in state["station"]["connectors"]) and all(it["lamp"]["green"] for it in state["evses"])
    )


def token(payload: dict[str, Any]) -> str:
    """Of an Authorize in either version."""
    return str(payload["idTag"] if "idTag" in payload else payload["idToken"]["idToken"])


async def shown(lab: Lab, cards: dict[Kind, str]) -> dict[Kind, Outcome]:
    """Shows each card where no car is, as many at a time as there are EVSEs: who may begin is Preparing, for who may not the lamp blinks."""
    found: dict[Kind, Outcome] = {}
    for batch in batches(list(cards)):
        count, begun, refused = len(lab.csms.messages), set[int](), set[int]()
        for evse, kind in enumerate(batch, start=1):
            await lab.charger.swipe(cards[kind], evse)
        await lab.charger.until(looks(begun, refused, len(batch)))
        asked = {token(it.payload) for it in lab.csms.messages[count:] if it.incoming and it.action == "Authorize"}
        assert not begun & refused, (begun, refused)
        found |= {kind: Outcome(cards[kind] in asked, evse in begun) for evse, kind in enumerate(batch, start=1)}
        await calm(lab)
    return found


def batches(kinds: list[Kind]) -> Iterator[list[Kind]]:
    for first in range(0, len(kinds), EVSES):
        yield kinds[first : first + EVSES]


def looks(begun: set[int], refused: set[int], count: int) -> Callable[[dict[str, Any]], bool]:
    """Sorts the EVSEs by what they show, until every one has shown something."""

    def look(state: dict[str, Any]) -> bool:
        status = {it["evse"]: it["status"] for it in state["station"]["connectors"]}
        begun.update(evse for evse, word in status.items() if word == "Preparing")
        refused.update(it["id"] for it in state["evses"] if it["lamp"]["red"])
        return len(begun | refused) == count

    return look


def named(settings: Settings) -> str:
    return "+".join(name for name, value in settings._asdict().items() if value) or "none"
