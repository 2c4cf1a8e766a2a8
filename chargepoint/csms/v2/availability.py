"""2.0.1 G: connector statuses and availability, in messages. Must not know what makes a connector available."""

from __future__ import annotations

from chargepoint.csms.face import Heard, Payload, StationView
from chargepoint.csms.rpc import Urgency
from chargepoint.csms.v2.dialect import Dialect
from chargepoint.csms.v2.payloads import Hear, Say
from chargepoint.csms.v2.words import evse_of, moment, obeyed
from chargepoint.model.connector import Status, availability
from chargepoint.model.facts import StatusFact
from chargepoint.model.orders import ChangeAvailability


def _status_words(view: StationView, dialect: Dialect, fact: StatusFact, offline: bool) -> Payload | None:
    """Only connectors have a status here, the station has none."""
    if fact.connector == 0:
        return None
    return {
        "timestamp": moment(view, fact.at),
        "connectorStatus": availability(Status(fact.status), fact.vacant),
        "evseId": fact.evse,
        "connectorId": fact.connector,
    }


async def _change(view: StationView, payload: Payload) -> Heard:
    return await obeyed(view, ChangeAvailability(payload["operationalStatus"] == "Operative", *evse_of(payload)))


SAYS: dict[type, Say] = {StatusFact: Say("StatusNotification", Urgency.STATE, _status_words)}
HEARS: dict[str, Hear] = {"ChangeAvailability": _change}
