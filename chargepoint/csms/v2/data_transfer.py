"""2.0.1 P: DataTransfer in both directions. Must not know any vendor."""

from __future__ import annotations

from chargepoint.csms.face import Heard, Payload, StationView
from chargepoint.csms.rpc import Urgency
from chargepoint.csms.v2.dialect import Dialect
from chargepoint.csms.v2.payloads import Ask, Hear
from chargepoint.csms.v2.words import said, status_words
from chargepoint.model.orders import DataTransfer
from chargepoint.model.questions import TransferAnswer, TransferData


def _transfer_words(view: StationView, dialect: Dialect, question: TransferData) -> Payload:
    return said(vendorId=question.vendor_id, messageId=question.message_id, data=question.data)


def _transfer_answer(payload: Payload) -> TransferAnswer:
    data = payload.get("data")
    return TransferAnswer(payload["status"], None if data is None else str(data))


async def _transfer(view: StationView, payload: Payload) -> Heard:
    answer = await view.obey(DataTransfer(payload["vendorId"], payload.get("messageId"), payload.get("data")))
    return Heard({**status_words(answer), **said(data=answer.data)}, answer.then)


ASKS: dict[type, Ask] = {TransferData: Ask("DataTransfer", Urgency.QUESTION, _transfer_words, _transfer_answer)}
HEARS: dict[str, Hear] = {"DataTransfer": _transfer}
