"""2.0.1 E: TransactionEvent and the question after a transaction's status, in messages. Must not know when a transaction begins or ends."""

from __future__ import annotations

from chargepoint.csms.face import Heard, Payload, StationView, Told
from chargepoint.csms.rpc import Urgency
from chargepoint.csms.v2.dialect import Dialect
from chargepoint.csms.v2.payloads import Hear, Say
from chargepoint.csms.v2.words import evse_words, info_of, moment, reading_words, said, token_words
from chargepoint.model.facts import TransactionFact
from chargepoint.model.orders import GetTransactionStatus


def _event_words(view: StationView, dialect: Dialect, fact: TransactionFact, offline: bool) -> Payload:
    """1.60.1 TransactionEventRequest. offline is said only when it is so (E04.FR.03); evse only by the fact that tells it (E01.FR.16)."""
    return said(
        eventType=fact.kind,
        timestamp=moment(view, fact.at),
        triggerReason=fact.trigger,
        seqNo=fact.seq,
        offline=offline or None,
        numberOfPhasesUsed=fact.phases_used,
        cableMaxCurrent=fact.cable_max_current_a,
        reservationId=fact.reservation_id,
        transactionInfo=_info_words(fact),
        evse=evse_words(fact.evse, fact.connector or None) if fact.said_evse else None,
        idToken=None if fact.id_token is None else token_words(fact.id_token),
        meterValue=reading_words(view, fact.readings) or None,
    )


def _info_words(fact: TransactionFact) -> Payload:
    """2.48 TransactionType."""
    return said(
        transactionId=fact.transaction,
        chargingState=fact.charging_state,
        timeSpentCharging=fact.time_charging_s,
        stoppedReason=fact.stopped_reason,
        remoteStartId=fact.remote_start_id,
    )


def _event_told(payload: Payload) -> Told:
    info = payload.get("idTokenInfo")
    return Told(
        info=None if info is None else info_of(info),
        total_cost=payload.get("totalCost"),
        message=payload.get("updatedPersonalMessage", {}).get("content"),
    )


async def _get_transaction_status(view: StationView, payload: Payload) -> Heard:
    """Without a transaction there is nothing that could be ongoing (E14.FR.06)."""
    transaction = payload.get("transactionId")
    answer = await view.obey(GetTransactionStatus(transaction))
    ongoing = None if transaction is None else bool(answer.extra.get("ongoing"))
    return Heard(said(ongoingIndicator=ongoing, messagesInQueue=bool(answer.extra.get("messages_in_queue"))), answer.then)


SAYS: dict[type, Say] = {TransactionFact: Say("TransactionEvent", Urgency.TRANSACTION, _event_words, _event_told)}
HEARS: dict[str, Hear] = {"GetTransactionStatus": _get_transaction_status}
