"""2.0.1 J01: meter values outside any transaction. Must not know what is measured when."""

from __future__ import annotations

from chargepoint.csms.face import Payload, StationView
from chargepoint.csms.rpc import Urgency
from chargepoint.csms.v2.dialect import Dialect
from chargepoint.csms.v2.payloads import Say
from chargepoint.csms.v2.words import reading_words
from chargepoint.model.facts import MeterFact


def _values_words(view: StationView, dialect: Dialect, fact: MeterFact, offline: bool) -> Payload | None:
    values = reading_words(view, (fact.reading,))
    return {"evseId": fact.evse, "meterValue": values} if values else None


SAYS: dict[type, Say] = {MeterFact: Say("MeterValues", Urgency.GUARANTEED, _values_words)}
