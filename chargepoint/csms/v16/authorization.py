"""Authorize and ClearCache (OCPP 1.6 4.1, 5.4). Must not decide who may charge."""

from __future__ import annotations

from chargepoint.csms.face import Heard, Payload, StationView
from chargepoint.csms.rpc import Result, Rpc, Urgency, unreachable
from chargepoint.csms.v16.words import ID_TAG, info_of
from chargepoint.model.idtoken import AuthorizationStatus, IdTokenInfo
from chargepoint.model.orders import ClearCache
from chargepoint.model.questions import Authorize, AuthorizeAnswer, QuestionAnswer


async def authorize(view: StationView, rpc: Rpc, question: Authorize) -> QuestionAnswer:
    """Authorize. A token that no idTag has room for cannot be known to the CSMS: it is invalid without asking."""
    if not 0 < len(question.id_token.value) <= ID_TAG:
        return AuthorizeAnswer(IdTokenInfo(AuthorizationStatus.INVALID))
    outcome = await rpc.call("Authorize", {"idTag": question.id_token.value}, Urgency.QUESTION)
    return AuthorizeAnswer(info_of(outcome.payload["idTagInfo"])) if isinstance(outcome, Result) else unreachable(outcome)


async def clear_cache(view: StationView, payload: Payload) -> Heard:
    answer = await view.obey(ClearCache())
    return Heard({"status": answer.status}, answer.then)
