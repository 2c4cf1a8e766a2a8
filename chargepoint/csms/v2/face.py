"""OCPP 2.x, as the rest of the station sees it: gathers the blocks' tables and speaks through one connection. Must not know any message's content."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from chargepoint.csms.face import CallRefused, Face, Heard, NoWords, Payload, ReportItem, Spoken, StationView
from chargepoint.csms.rpc import Gone, Result, Rpc, Urgency, reason_of, unreachable, unspoken
from chargepoint.csms.statuses import Statuses
from chargepoint.csms.v2 import (
    authorization,
    availability,
    data_transfer,
    local_list,
    metering,
    monitoring,
    network_profiles,
    provisioning,
    remote_control,
    reset,
    security,
    transactions,
)
from chargepoint.csms.v2.dialect import OCPP_2_0_1, Dialect
from chargepoint.csms.v2.payloads import Ask, Hear, Say
from chargepoint.model.facts import Fact, StatusFact
from chargepoint.model.questions import Question, QuestionAnswer, Registration

log = logging.getLogger("csms.v2")

ASKS: dict[type, Ask] = {**provisioning.ASKS, **authorization.ASKS, **data_transfer.ASKS}
SAYS: dict[type, Say] = {**transactions.SAYS, **availability.SAYS, **metering.SAYS, **security.SAYS, **monitoring.SAYS}
HEARS: dict[str, Hear] = {
    **provisioning.HEARS,
    **authorization.HEARS,
    **local_list.HEARS,
    **transactions.HEARS,
    **remote_control.HEARS,
    **availability.HEARS,
    **reset.HEARS,
    **network_profiles.HEARS,
    **data_transfer.HEARS,
}


class V2Face:
    """One version of OCPP 2.x over one connection."""

    def __init__(self, view: StationView, rpc: Rpc, dialect: Dialect) -> None:
        self.subprotocol = dialect.subprotocol
        self._view, self._rpc, self._dialect = view, rpc, dialect
        self._statuses = Statuses()

    async def ask(self, question: Question) -> QuestionAnswer:
        """Asks the CSMS; `Unreachable` when there is no answer."""
        way = ASKS[type(question)]
        outcome = await self._rpc.call(way.action, way.words(self._view, self._dialect, question), way.urgency)
        return way.answer(outcome.payload) if isinstance(outcome, Result) else unreachable(outcome)

    async def speak(self, fact: Fact, offline: bool) -> Spoken:
        """Tells one fact. offline: it was written under another connection than the present one, or none."""
        way = SAYS[type(fact)]
        words = way.words(self._view, self._dialect, fact, offline)
        if words is None or (isinstance(fact, StatusFact) and not self._statuses.news(fact, words)):
            return NoWords()
        outcome = await self._rpc.call(way.action, words, way.urgency)
        if not isinstance(outcome, Result):
            return unspoken(outcome)
        if isinstance(fact, StatusFact):
            self._statuses.told(fact, words)
        return way.told(outcome.payload)

    async def hear(self, action: str, payload: Payload) -> Heard:
        """Answers a CALL whose payload fits its schema. Raises CallRefused: SecurityError from a CSMS that has rejected this station
        (B03.FR.08), NotSupported for a message this station has no use for."""
        if self._view.backend.registration is Registration.REJECTED:
            raise CallRefused("SecurityError", "this CSMS has rejected this station")
        way = HEARS.get(action)
        if way is None:
            raise CallRefused("NotSupported", f"{action} is not supported by this station")
        return await way(self._view, payload)

    async def report(self, request_id: int, parts: Sequence[ReportItem]) -> None:
        """Sends a report in as many parts as needed; a part that is refused is logged, a lost connection ends it."""
        for payload in provisioning.report_parts(self._view, request_id, parts):
            outcome = await self._rpc.call("NotifyReport", payload, Urgency.REPORT)
            if not isinstance(outcome, Result):
                log.warning("report %d, part %d: %s", request_id, payload["seqNo"], reason_of(outcome))
            if isinstance(outcome, Gone):
                return


def build(view: StationView, rpc: Rpc) -> Face:
    """The face of OCPP 2.0.1 over one connection."""
    return V2Face(view, rpc, OCPP_2_0_1)
