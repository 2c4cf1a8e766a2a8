"""StartTransaction, MeterValues of a transaction, StopTransaction (OCPP 1.6 4.7 to 4.10). Words one fact and looks at no other.

The outbox's note of a transaction is the transactionId of StartTransaction.conf. A transaction whose StartTransaction was given up has none: what
follows is told with transactionId -1 (4.8). The begin's readings have no message in 1.6 beyond meterStart.
"""

from __future__ import annotations

import re

from chargepoint.csms.face import NoWords, Payload, Spoken, StationView, Told
from chargepoint.csms.rpc import Result, Rpc, Urgency, unspoken
from chargepoint.csms.v16.metering import meter_values
from chargepoint.csms.v16.words import connector_id, id_tag, info_of, time_text, whole_wh
from chargepoint.model.facts import EventKind, StopReason, TransactionFact, Trigger
from chargepoint.model.sample import Purpose

NEVER_GIVEN = -1  # 4.8
_NUMBER = re.compile(r"-?[0-9]{1,18}")
WHILE_RUNNING = (Purpose.UPDATED, Purpose.ALIGNED)
AT_THE_END = (Purpose.BEGIN, Purpose.ENDED, Purpose.ALIGNED_ENDED)
REASONS = {
    StopReason.DE_AUTHORIZED: "DeAuthorized",
    StopReason.EMERGENCY_STOP: "EmergencyStop",
    StopReason.EV_DISCONNECTED: "EVDisconnected",
    StopReason.IMMEDIATE_RESET: "HardReset",
    StopReason.LOCAL: "Local",
    StopReason.MASTER_PASS: "Local",
    StopReason.POWER_LOSS: "PowerLoss",
    StopReason.REBOOT: "Reboot",
    StopReason.REMOTE: "Remote",
    StopReason.TIMEOUT: "EVDisconnected",
}
"""7.36 Reason; every other one is Other. Timeout: of a car that came and left, in a transaction that began under 2.x; none of 1.6
ends so."""


async def speak_transaction(view: StationView, rpc: Rpc, fact: TransactionFact) -> Spoken:
    """One fact of a transaction."""
    if fact.kind is EventKind.STARTED:
        return await _start(view, rpc, fact)
    if fact.kind is EventKind.ENDED:
        return await _stop(view, rpc, fact)
    return await _update(view, rpc, fact)


async def _start(view: StationView, rpc: Rpc, fact: TransactionFact) -> Spoken:
    payload: Payload = {
        "connectorId": connector_id(view, fact.evse, fact.connector),
        "idTag": id_tag(fact.id_token),
        "meterStart": whole_wh(fact.register_wh),
        "timestamp": time_text(view, fact.at),
    }
    if fact.reservation_id is not None:
        payload["reservationId"] = fact.reservation_id
    outcome = await rpc.call("StartTransaction", payload, Urgency.TRANSACTION)
    if not isinstance(outcome, Result):
        return unspoken(outcome)
    return Told(note=str(outcome.payload["transactionId"]), info=info_of(outcome.payload["idTagInfo"]))


async def _update(view: StationView, rpc: Rpc, fact: TransactionFact) -> Spoken:
    values = meter_values(view, [reading for reading in fact.readings if reading.purpose in WHILE_RUNNING])
    if not values:
        return NoWords()
    payload = {
        "connectorId": connector_id(view, fact.evse, fact.connector),
        "transactionId": transaction_id(view, fact.transaction),
        "meterValue": values,
    }
    outcome = await rpc.call("MeterValues", payload, Urgency.TRANSACTION)
    return Told() if isinstance(outcome, Result) else unspoken(outcome)


async def _stop(view: StationView, rpc: Rpc, fact: TransactionFact) -> Spoken:
    payload: Payload = {
        "transactionId": transaction_id(view, fact.transaction),
        "meterStop": whole_wh(fact.register_wh),
        "timestamp": time_text(view, fact.at),
        "reason": reason_word(fact),
    }
    if fact.id_token is not None:
        payload["idTag"] = id_tag(fact.id_token)
    data = meter_values(view, [reading for reading in fact.readings if reading.purpose in AT_THE_END])
    if data:
        payload["transactionData"] = data
    outcome = await rpc.call("StopTransaction", payload, Urgency.TRANSACTION)
    if not isinstance(outcome, Result):
        return unspoken(outcome)
    info = outcome.payload.get("idTagInfo")
    return Told(info=info_of(info) if info else None)


def transaction_id(view: StationView, transaction: str) -> int:
    """The CSMS's number of a transaction of ours."""
    note = view.notes.note(transaction)
    return NEVER_GIVEN if note is None or _NUMBER.fullmatch(note) is None else int(note)


def transaction_of(view: StationView, number: int) -> str | None:
    """Our id of the CSMS's number. A CSMS may give one number to several transactions: the youngest that runs is meant."""
    return next((running for running in reversed(list(view.running())) if view.notes.note(running) == str(number)), None)


def reason_word(fact: TransactionFact) -> str:
    """7.36 Reason. Where 2.x has one word and a trigger, 1.6 has words of its own: an unlocking, and a reboot on the CSMS's order."""
    if fact.trigger is Trigger.UNLOCK_COMMAND:
        return "UnlockCommand"
    if fact.trigger is Trigger.RESET_COMMAND and fact.stopped_reason is StopReason.REBOOT:
        return "SoftReset"
    return REASONS.get(fact.stopped_reason, "Other") if fact.stopped_reason is not None else "Local"
