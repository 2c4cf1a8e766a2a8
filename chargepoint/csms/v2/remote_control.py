"""2.0.1 F: remote start and stop, unlocking and triggered messages. Must not know how they are carried out."""

from __future__ import annotations

from chargepoint.csms.face import Heard, Payload, StationView
from chargepoint.csms.v2.payloads import Hear
from chargepoint.csms.v2.words import evse_of, obeyed, said, status_words, token_of
from chargepoint.model.orders import Answer, RemoteStart, RemoteStop, Trigger, Unlock

NOT_ACCEPTED = Heard(status_words(Answer("Rejected", "CSNotAccepted", "the CSMS has not accepted this station yet")))
"""B02.FR.05."""


async def _start(view: StationView, payload: Payload) -> Heard:
    if not view.backend.accepted:
        return NOT_ACCEPTED
    group = payload.get("groupIdToken")
    order = RemoteStart(
        id_token=token_of(payload["idToken"]),
        remote_start_id=payload["remoteStartId"],
        evse=payload.get("evseId"),
        group=None if group is None else token_of(group),
        profile=payload.get("chargingProfile"),
    )
    answer = await view.obey(order)
    return Heard({**status_words(answer), **said(transactionId=answer.extra.get("transaction"))}, answer.then)


async def _stop(view: StationView, payload: Payload) -> Heard:
    if not view.backend.accepted:
        return NOT_ACCEPTED
    return await obeyed(view, RemoteStop(payload["transactionId"]))


async def _unlock(view: StationView, payload: Payload) -> Heard:
    return await obeyed(view, Unlock(payload["evseId"], payload["connectorId"]))


async def _trigger(view: StationView, payload: Payload) -> Heard:
    return await obeyed(view, Trigger(payload["requestedMessage"], *evse_of(payload)))


HEARS: dict[str, Hear] = {
    "RequestStartTransaction": _start,
    "RequestStopTransaction": _stop,
    "UnlockConnector": _unlock,
    "TriggerMessage": _trigger,
}
