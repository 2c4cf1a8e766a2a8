"""DataTransfer, both ways (OCPP 1.6 4.3, 5.6). Must not know vendors."""

from __future__ import annotations

from chargepoint.csms.face import Heard, Payload, StationView
from chargepoint.csms.rpc import Result, Rpc, Urgency, unreachable
from chargepoint.model.orders import DataTransfer
from chargepoint.model.questions import QuestionAnswer, TransferAnswer, TransferData


async def transfer(view: StationView, rpc: Rpc, question: TransferData) -> QuestionAnswer:
    """To the CSMS."""
    payload = {"vendorId": question.vendor_id, "messageId": question.message_id, "data": question.data}
    outcome = await rpc.call("DataTransfer", {key: value for key, value in payload.items() if value is not None}, Urgency.QUESTION)
    if not isinstance(outcome, Result):
        return unreachable(outcome)
    return TransferAnswer(outcome.payload["status"], outcome.payload.get("data"))


async def data_transfer(view: StationView, payload: Payload) -> Heard:
    """From the CSMS."""
    answer = await view.obey(DataTransfer(payload["vendorId"], payload.get("messageId"), payload.get("data")))
    said: Payload = {"status": answer.status}
    if answer.data is not None:
        said["data"] = str(answer.data)
    return Heard(said, answer.then)
