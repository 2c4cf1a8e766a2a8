"""2.0.1 C: authorizing a token and clearing the cache, in messages. Must not know who may charge."""

from __future__ import annotations

from chargepoint.csms.face import Heard, Payload, StationView
from chargepoint.csms.rpc import Urgency
from chargepoint.csms.v2.dialect import Dialect
from chargepoint.csms.v2.payloads import Ask, Hear
from chargepoint.csms.v2.words import info_of, obeyed, token_words
from chargepoint.model.orders import ClearCache
from chargepoint.model.questions import Authorize, AuthorizeAnswer


def _authorize_words(view: StationView, dialect: Dialect, question: Authorize) -> Payload:
    return {"idToken": token_words(question.id_token)}


def _authorize_answer(payload: Payload) -> AuthorizeAnswer:
    return AuthorizeAnswer(info_of(payload["idTokenInfo"]))


async def _clear_cache(view: StationView, payload: Payload) -> Heard:
    return await obeyed(view, ClearCache())


ASKS: dict[type, Ask] = {Authorize: Ask("Authorize", Urgency.QUESTION, _authorize_words, _authorize_answer)}
HEARS: dict[str, Hear] = {"ClearCache": _clear_cache}
