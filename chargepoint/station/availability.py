"""Whether station, EVSEs and connectors may be used, each as last asked and kept over restarts (2.0.1 part 2, G03, G04; 1.6 5.2); and what the device
model shows of it.

Must not know sessions: it asks whether a transaction runs. What is asked counts at once for new sessions; a running one is not touched, so that
a change during it is answered Scheduled and shows when it ends.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence

from chargepoint.model.connector import Status, availability
from chargepoint.model.facts import StatusFact
from chargepoint.model.fault import CATALOGUE
from chargepoint.model.orders import Answer, ChangeAvailability
from chargepoint.settings import Evse
from chargepoint.station.device_model import DeviceModel
from chargepoint.store.values import Values

log = logging.getLogger(__name__)

KEPT = "availability.inoperative"
Place = tuple[int, int]
STATION: Place = (0, 0)

EVSE_ORDER = ("Occupied", "Reserved", "Available", "Faulted", "Unavailable")
STATION_ORDER = ("Available", "Occupied", "Reserved", "Faulted", "Unavailable")
"""The word of the whole is the first of these that one of its parts has."""
PARTS = sorted({row.component for row in CATALOGUE.values()} - {"ChargingStation"})


class Availability:
    """on_change: called after a change was answered, so that the words of connectors are computed anew. running: whether a transaction runs at an
    EVSE."""

    def __init__(self, evses: Sequence[Evse], model: DeviceModel, values: Values) -> None:
        self.on_change: list[Callable[[], None]] = []
        self.running: Callable[[int], bool] = lambda evse: False
        self._connectors = {evse.id: range(1, len(evse.connectors) + 1) for evse in evses}
        self._model = model
        self._values = values
        self._inoperative: set[Place] = set(values.get(KEPT, list[Place]) or ())

    def orders(self) -> dict[type, Callable[[ChangeAvailability], Awaitable[Answer]]]:
        return {ChangeAvailability: self.change}

    def operative(self, evse: int | None = None, connector: int | None = None) -> bool:
        """What is asked for a connector (None: the EVSE; EVSE None: the station), all levels above it included (G03.FR.06, G04.FR.07)."""
        return not self._inoperative & {STATION, (evse or 0, 0), (evse or 0, connector or 0)}

    async def change(self, order: ChangeAvailability) -> Answer:
        """Accepted, Scheduled while a transaction runs that the change waits for, or Rejected for an unknown place. Kept before it is answered."""
        place = order.evse or 0, order.connector or 0
        refusal = self._refusal(place)
        if refusal is not None:
            return refusal
        evses = [place[0]] if place[0] else list(self._connectors)
        waits = not order.operative and any(self.running(evse) for evse in evses)
        changed = self._keep(place, order)
        return Answer("Scheduled" if waits else "Accepted", then=self._announce if changed else None)

    def show(self, fact: StatusFact) -> None:
        """A status as it is told, in the device model too: AvailabilityState of connector, EVSE and station, Problem of the parts."""
        if fact.evse:
            place, word = f"{fact.evse}:{fact.connector}", availability(Status(fact.status), fact.vacant)
            self._model.push(f"Connector@{place}.AvailabilityState", word)
            self._show_evse(fact.evse, fact.vendor_error_code)
        self._model.push("ChargingStation.AvailabilityState", self._station_word())

    def _refusal(self, place: Place) -> Answer | None:
        evse, connector = place
        if place != STATION and evse not in self._connectors:
            return Answer("Rejected", "UnknownEvse", f"there is no EVSE {evse}")
        if connector and connector not in self._connectors[evse]:
            return Answer("Rejected", "UnknownConnectorId", f"EVSE {evse} has no connector {connector}")
        return None

    def _keep(self, place: Place, order: ChangeAvailability) -> bool:
        before = self._flattened(place, order.operative) if order.flat else self._inoperative
        wanted = before - {place} if order.operative else before | {place}
        if wanted == self._inoperative:
            return False
        self._values.set(KEPT, sorted(wanted))
        self._inoperative = wanted
        log.info("EVSE %d, connector %d: %s", *place, "operative" if order.operative else "inoperative")
        return True

    def _flattened(self, place: Place, operative: bool) -> set[Place]:
        """What was asked, as a change without levels finds it: of the station, nothing of its parts; of a connector that is to be operative, nothing
        of what it is part of, but of each of the other parts."""
        if place == STATION:
            return set()
        above = self._inoperative & {STATION, (place[0], 0)} if operative else set()
        parts = {(evse, connector) for evse, connectors in self._connectors.items() for connector in connectors}
        return self._inoperative - above | {part for part in parts if above & {STATION, (part[0], 0)}}

    async def _announce(self) -> None:
        for callback in self.on_change:
            callback()

    def _show_evse(self, evse: int, fault: str | None) -> None:
        words = [self._model.text(f"Connector@{evse}:{number}.AvailabilityState") for number in self._connectors[evse]]
        self._model.push(f"EVSE@{evse}.AvailabilityState", _first(EVSE_ORDER, words))
        row = CATALOGUE.get(fault or "")
        self._model.push(f"EVSE@{evse}.Problem", row is not None)
        for part in PARTS:
            self._model.push(f"{part}@{evse}.Problem", row is not None and row.component == part)

    def _station_word(self) -> str:
        if STATION in self._inoperative:
            return "Unavailable"
        return _first(STATION_ORDER, [self._model.text(f"EVSE@{evse}.AvailabilityState") for evse in self._connectors])


def _first(order: tuple[str, ...], words: list[str]) -> str:
    return min(words, key=order.index, default=order[0])
