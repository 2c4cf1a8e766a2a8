"""2.0.1 G: connector statuses and availability, in messages. Must not know what makes a connector available."""

from __future__ import annotations

from chargepoint.csms.face import Heard, Payload, StationView
from chargepoint.csms.rpc import Urgency
from chargepoint.csms.v2.dialect import Dialect
from chargepoint.csms.v2.payloads import Hear, Say
from chargepoint.csms.v2.words import evse_of, moment, obeyed
from chargepoint.model.facts import StatusFact
from chargepoint.model.orders import ChangeAvailability

STATUS = {
    "Available": "Available",
    "Preparing": "Occupied",
    "Charging": "Occupied",
    "SuspendedEV": "Occupied",
    "SuspendedEVSE": "Occupied",
    "Finishing": "Occupied",
    "Reserved": "Reserved",
    "Unavailable": "Unavailable",
    "Faulted": "Faulted",
}
"""ConnectorStatusEnumType for each of the nine words (1.6 7.7)."""


class Statuses:
    """What this connection was told of each connector, so that two of the nine words that are one word here are told once.
    The very same status again was asked for (F06), and is told."""

    def __init__(self) -> None:
        self._told: dict[tuple[int, int], str] = {}
        self._last: dict[tuple[int, int], tuple[str | None, ...]] = {}

    def news(self, fact: StatusFact) -> bool:
        """Whether the fact is to be told; it is remembered as the last one."""
        place, content = (fact.evse, fact.connector), (fact.status, fact.error_code, fact.vendor_error_code, fact.info)
        again = self._last.get(place) == content
        self._last[place] = content
        return again or self._told.get(place) != STATUS[fact.status]

    def told(self, fact: StatusFact) -> None:
        """The CSMS has it."""
        self._told[fact.evse, fact.connector] = STATUS[fact.status]


def _status_words(view: StationView, dialect: Dialect, fact: StatusFact, offline: bool) -> Payload | None:
    """Only connectors have a status here, the station has none."""
    if fact.connector == 0:
        return None
    return {
        "timestamp": moment(view, fact.at),
        "connectorStatus": STATUS[fact.status],
        "evseId": fact.evse,
        "connectorId": fact.connector,
    }


async def _change(view: StationView, payload: Payload) -> Heard:
    return await obeyed(view, ChangeAvailability(payload["operationalStatus"] == "Operative", *evse_of(payload)))


SAYS: dict[type, Say] = {StatusFact: Say("StatusNotification", Urgency.STATE, _status_words)}
HEARS: dict[str, Hear] = {"ChangeAvailability": _change}
