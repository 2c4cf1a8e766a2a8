"""2.0.1 A04: security events. Must not know which events there are."""

from __future__ import annotations

from chargepoint.csms.face import Payload, StationView
from chargepoint.csms.rpc import Urgency
from chargepoint.csms.v2.dialect import Dialect
from chargepoint.csms.v2.payloads import Say
from chargepoint.csms.v2.words import moment, said
from chargepoint.model.facts import SecurityFact


def _event_words(view: StationView, dialect: Dialect, fact: SecurityFact, offline: bool) -> Payload:
    return said(
        type=fact.type[: dialect.security_event_type],
        timestamp=moment(view, fact.at),
        techInfo=None if fact.info is None else fact.info[: dialect.security_event_info],
    )


SAYS: dict[type, Say] = {SecurityFact: Say("SecurityEventNotification", Urgency.GUARANTEED, _event_words)}
