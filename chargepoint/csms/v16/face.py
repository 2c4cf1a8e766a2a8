"""OCPP 1.6: which block words which fact and question, and which hears which CALL. Must not know sockets, stores or rules of charging.

build(view, rpc) -> Face
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from chargepoint.csms.face import CallRefused, Face, Heard, NoWords, Payload, ReportItem, Spoken, StationView, Unanswered
from chargepoint.csms.rpc import Rpc
from chargepoint.csms.statuses import Statuses
from chargepoint.csms.v16 import (
    authorization,
    availability,
    configuration,
    data_transfer,
    local_list,
    metering,
    provisioning,
    remote_control,
    reset,
    security,
    transactions,
)
from chargepoint.model.facts import Fact, MeterFact, SecurityFact, StatusFact, TransactionFact
from chargepoint.model.questions import Authorize, Boot, Heartbeat, Question, QuestionAnswer, Registration, TransferData

Ask = Callable[[StationView, Rpc, Any], Awaitable[QuestionAnswer]]
Speak = Callable[[StationView, Rpc, Any], Awaitable[Spoken]]
Hear = Callable[[StationView, Payload], Awaitable[Heard]]

ASK: dict[type, Ask] = {
    Boot: provisioning.boot,
    Heartbeat: provisioning.heartbeat,
    Authorize: authorization.authorize,
    TransferData: data_transfer.transfer,
}
SPEAK: dict[type, Speak] = {
    TransactionFact: transactions.speak_transaction,
    MeterFact: metering.speak_meter,
    SecurityFact: security.speak_security,
}
HEAR: dict[str, Hear] = {
    "ChangeAvailability": availability.change_availability,
    "ChangeConfiguration": configuration.change_configuration,
    "ClearCache": authorization.clear_cache,
    "DataTransfer": data_transfer.data_transfer,
    "GetConfiguration": configuration.get_configuration,
    "GetLocalListVersion": local_list.get_local_list_version,
    "RemoteStartTransaction": remote_control.remote_start,
    "RemoteStopTransaction": remote_control.remote_stop,
    "Reset": reset.reset,
    "SendLocalList": local_list.send_local_list,
    "TriggerMessage": remote_control.trigger,
    "UnlockConnector": remote_control.unlock,
}
PROFILE = {
    "GetLocalListVersion": "LocalAuthListManagement",
    "SendLocalList": "LocalAuthListManagement",
    "TriggerMessage": "RemoteTrigger",
}
"""CALLs outside Core (3.1)."""
ONLY_WHEN_ACCEPTED = ("RemoteStartTransaction", "RemoteStopTransaction")  # 4.2


class Face16:
    """OCPP 1.6 over one connection."""

    subprotocol = "ocpp1.6"

    def __init__(self, view: StationView, rpc: Rpc) -> None:
        self._view, self._rpc = view, rpc
        self._statuses = Statuses()
        rpc.silent = self._rejected

    async def ask(self, question: Question) -> QuestionAnswer:
        return await ASK[type(question)](self._view, self._rpc, question)

    async def speak(self, fact: Fact, offline: bool) -> Spoken:
        """1.6 says nothing of having been offline; monitors have no message here."""
        if isinstance(fact, StatusFact):
            return await availability.speak_status(self._view, self._rpc, fact, self._statuses)
        speak = SPEAK.get(type(fact))
        return NoWords() if speak is None else await speak(self._view, self._rpc, fact)

    async def hear(self, action: str, payload: Payload) -> Heard:
        """4.2: a rejected station answers nothing; one not accepted yet starts and stops nothing."""
        if self._rejected():
            raise Unanswered(action)
        hear = HEAR.get(action)
        profile = PROFILE.get(action)
        if hear is None or (profile is not None and profile not in configuration.profiles(self._view.variables)):
            raise CallRefused("NotSupported", f"{action} is not supported by this station")
        if action in ONLY_WHEN_ACCEPTED and not self._view.backend.accepted:
            return remote_control.REJECTED
        return await hear(self._view, payload)

    def _rejected(self) -> bool:
        return self._view.backend.registration is Registration.REJECTED

    async def report(self, request_id: int, parts: Sequence[ReportItem]) -> None:
        """1.6 has no reports."""


def build(view: StationView, rpc: Rpc) -> Face:
    return Face16(view, rpc)
