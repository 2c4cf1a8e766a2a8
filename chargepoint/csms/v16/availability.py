"""StatusNotification and ChangeAvailability (OCPP 1.6 4.9, 5.2). Must not compute a status."""

from __future__ import annotations

from chargepoint.csms.face import Heard, NoWords, Payload, Spoken, StationView, Told
from chargepoint.csms.rpc import Result, Rpc, Urgency, unspoken
from chargepoint.csms.statuses import Statuses
from chargepoint.csms.v16.words import connector_id, place_of, time_text
from chargepoint.model.facts import StatusFact
from chargepoint.model.orders import ChangeAvailability

ERROR_CODES = frozenset(
    (
        *("ConnectorLockFailure", "EVCommunicationError", "GroundFailure", "HighTemperature", "InternalError", "LocalListConflict", "NoError"),
        *("OtherError", "OverCurrentFailure", "OverVoltage", "PowerMeterFailure", "PowerSwitchFailure", "ReaderFailure", "ResetFailure"),
        *("UnderVoltage", "WeakSignal"),
    )
)
"""7.6 ChargePointErrorCode."""
OF_THE_STATION = ("Available", "Unavailable", "Faulted")  # 4.9: what connectorId 0 can be
TEXT = 50  # 6.47: info and vendorErrorCode


async def speak_status(view: StationView, rpc: Rpc, fact: StatusFact, statuses: Statuses) -> Spoken:
    """StatusNotification. statuses: what this connection was told before."""
    number = connector_id(view, fact.evse, fact.connector)
    payload: Payload = {
        "connectorId": number,
        "errorCode": fact.error_code if fact.error_code in ERROR_CODES else "OtherError",
        "status": fact.status if number or fact.status in OF_THE_STATION else "Available",
        "timestamp": time_text(view, fact.at),
    }
    if fact.info:
        payload["info"] = fact.info[:TEXT]
    if fact.vendor_error_code:
        payload["vendorErrorCode"] = fact.vendor_error_code[:TEXT]
        payload["vendorId"] = view.settings.station.vendor[:255]
    if not statuses.news(fact, payload):
        return NoWords()
    outcome = await rpc.call("StatusNotification", payload, Urgency.STATE)
    if not isinstance(outcome, Result):
        return unspoken(outcome)
    statuses.told(fact, payload)
    return Told()


async def change_availability(view: StationView, payload: Payload) -> Heard:
    """connectorId 0 is the whole station, whatever was asked of its connectors before (5.2)."""
    place = place_of(view, payload)
    if place is None:
        return Heard({"status": "Rejected"})
    answer = await view.obey(ChangeAvailability(payload["type"] == "Operative", place.evse or None, place.connector or None, flat=True))
    return Heard({"status": answer.status}, answer.then)
