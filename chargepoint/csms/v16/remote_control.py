"""RemoteStartTransaction, RemoteStopTransaction, UnlockConnector, TriggerMessage (OCPP 1.6 5.11, 5.12, 5.18, 5.17). Must not carry them out."""

from __future__ import annotations

from chargepoint.csms.face import Heard, Payload, Place, StationView
from chargepoint.csms.v16.transactions import transaction_of
from chargepoint.csms.v16.words import place_of, token_of
from chargepoint.model.idtoken import IdTokenType
from chargepoint.model.orders import SAMPLED_VALUES, RemoteStart, RemoteStop, Trigger, Unlock

NOTE_WITHIN_S = 0.05  # the CSMS may order a stop right behind its StartTransaction.conf, before the number is noted
UNLOCK_WORDS = {"Unlocked": "Unlocked", "UnknownConnector": "NotSupported"}
TRIGGERS = {"DiagnosticsStatusNotification": "LogStatusNotification", "MeterValues": SAMPLED_VALUES}
OF_CONNECTORS = ("MeterValues", "StatusNotification")
REJECTED = Heard({"status": "Rejected"})


async def remote_start(view: StationView, payload: Payload) -> Heard:
    """Without connectorId the station chooses; connectorId 0 is no connector."""
    place = place_of(view, payload)
    if "connectorId" in payload and (place is None or not place.evse):
        return REJECTED
    order = RemoteStart(
        token_of(payload["idTag"], IdTokenType.CENTRAL),
        evse=place.evse if place else None,
        connector=place.connector if place else None,
        profile=payload.get("chargingProfile"),
    )
    answer = await view.obey(order)
    return Heard({"status": answer.status}, answer.then)


async def remote_stop(view: StationView, payload: Payload) -> Heard:
    """Rejected when no transaction with that number runs."""
    transaction = transaction_of(view, payload["transactionId"])
    if transaction is None:
        await view.clock.sleep(NOTE_WITHIN_S)
        transaction = transaction_of(view, payload["transactionId"])
    if transaction is None:
        return REJECTED
    answer = await view.obey(RemoteStop(transaction))
    return Heard({"status": answer.status}, answer.then)


async def unlock(view: StationView, payload: Payload) -> Heard:
    """5.18: a running transaction is ended first. NotSupported: no such connector, or one without lock (7.46)."""
    place = place_of(view, payload)
    if place is None or not place.evse or _tethered(view, place):
        return Heard({"status": "NotSupported"})
    answer = await view.obey(Unlock(place.evse, place.connector, stop_transaction=True))
    return Heard({"status": UNLOCK_WORDS.get(answer.status, "UnlockFailed")}, answer.then)


async def trigger(view: StationView, payload: Payload) -> Heard:
    """Without connectorId all of the station is meant. 0 is the station itself where that has a message of its own, a StatusNotification; where no
    connector matters to the message, the one named is ignored (5.17)."""
    place = place_of(view, payload)
    message: str = payload["requestedMessage"]
    if "connectorId" in payload and place is None and message in OF_CONNECTORS:
        return REJECTED
    itself = message == "StatusNotification"
    evse, connector = (place.evse, place.connector) if place and (place.evse or itself) else (None, None)
    answer = await view.obey(Trigger(TRIGGERS.get(message, message), evse, connector))
    return Heard({"status": answer.status}, answer.then)


def _tethered(view: StationView, place: Place) -> bool:
    connectors = next(evse.connectors for evse in view.settings.evse if evse.id == place.evse)
    return connectors[place.connector - 1].startswith("c")
