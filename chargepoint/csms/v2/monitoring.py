"""2.0.1 N07: events of the device model. Must not know what is monitored.

Faults are told without any monitor having been set, as hard-wired notifications (3.31 EventNotificationEnumType; 3.32: their trigger is Alerting).
"""

from __future__ import annotations

from zlib import crc32

import msgspec

from chargepoint.csms.face import Payload, StationView
from chargepoint.csms.rpc import Urgency
from chargepoint.csms.v2.dialect import Dialect
from chargepoint.csms.v2.payloads import Say
from chargepoint.csms.v2.words import component_words, moment, said
from chargepoint.model.facts import MonitorFact
from chargepoint.model.stamp import to_rfc3339

POSITIVE = 0x7FFFFFFF


def _event_words(view: StationView, dialect: Dialect, fact: MonitorFact, offline: bool) -> Payload:
    event = said(
        eventId=_event_id(fact),
        timestamp=moment(view, fact.at),
        trigger="Alerting",
        actualValue=fact.value[: dialect.value],
        techCode=None if fact.tech_code is None else fact.tech_code[: dialect.event_tech_code],
        techInfo=None if fact.tech_info is None else fact.tech_info[: dialect.event_tech_info],
        cleared=fact.cleared or None,
        component=component_words((fact.component, None), fact.evse, fact.connector),
        variable={"name": fact.variable},
        eventNotificationType="HardWiredNotification",
    )
    return {"generatedAt": to_rfc3339(view.clock.wall_s()), "seqNo": 0, "tbc": False, "eventData": [event]}


def _event_id(fact: MonitorFact) -> int:
    """The same for every telling of the same event, also after a restart."""
    return crc32(msgspec.msgpack.encode(fact)) & POSITIVE


SAYS: dict[type, Say] = {MonitorFact: Say("NotifyEvent", Urgency.GUARANTEED, _event_words)}
