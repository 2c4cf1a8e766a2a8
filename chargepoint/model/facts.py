"""What happened and goes out. A fact is final when written; a face words one fact and looks at no other. Must not know messages or stores."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from chargepoint.model.idtoken import IdToken
from chargepoint.model.sample import Reading
from chargepoint.model.stamp import Stamp


class EventKind(StrEnum):
    """TransactionEventEnumType."""

    STARTED = "Started"
    UPDATED = "Updated"
    ENDED = "Ended"


class Trigger(StrEnum):
    """TriggerReasonEnumType."""

    AUTHORIZED = "Authorized"
    CABLE_PLUGGED_IN = "CablePluggedIn"
    CHARGING_RATE_CHANGED = "ChargingRateChanged"
    CHARGING_STATE_CHANGED = "ChargingStateChanged"
    DEAUTHORIZED = "Deauthorized"
    ENERGY_LIMIT_REACHED = "EnergyLimitReached"
    EV_COMMUNICATION_LOST = "EVCommunicationLost"
    EV_CONNECT_TIMEOUT = "EVConnectTimeout"
    METER_VALUE_CLOCK = "MeterValueClock"
    METER_VALUE_PERIODIC = "MeterValuePeriodic"
    TIME_LIMIT_REACHED = "TimeLimitReached"
    TRIGGER = "Trigger"
    UNLOCK_COMMAND = "UnlockCommand"
    STOP_AUTHORIZED = "StopAuthorized"
    EV_DEPARTED = "EVDeparted"
    EV_DETECTED = "EVDetected"
    REMOTE_STOP = "RemoteStop"
    REMOTE_START = "RemoteStart"
    ABNORMAL_CONDITION = "AbnormalCondition"
    SIGNED_DATA_RECEIVED = "SignedDataReceived"
    RESET_COMMAND = "ResetCommand"


class ChargingState(StrEnum):
    """ChargingStateEnumType."""

    CHARGING = "Charging"
    EV_CONNECTED = "EVConnected"
    SUSPENDED_EV = "SuspendedEV"
    SUSPENDED_EVSE = "SuspendedEVSE"
    IDLE = "Idle"


class StopReason(StrEnum):
    """ReasonEnumType."""

    DE_AUTHORIZED = "DeAuthorized"
    EMERGENCY_STOP = "EmergencyStop"
    ENERGY_LIMIT_REACHED = "EnergyLimitReached"
    EV_DISCONNECTED = "EVDisconnected"
    GROUND_FAULT = "GroundFault"
    IMMEDIATE_RESET = "ImmediateReset"
    LOCAL = "Local"
    LOCAL_OUT_OF_CREDIT = "LocalOutOfCredit"
    MASTER_PASS = "MasterPass"
    OTHER = "Other"
    OVERCURRENT_FAULT = "OvercurrentFault"
    POWER_LOSS = "PowerLoss"
    POWER_QUALITY = "PowerQuality"
    REBOOT = "Reboot"
    REMOTE = "Remote"
    SOC_LIMIT_REACHED = "SOCLimitReached"
    STOPPED_BY_EV = "StoppedByEV"
    TIME_LIMIT_REACHED = "TimeLimitReached"
    TIMEOUT = "Timeout"


class TransactionFact(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="fact", tag="transaction"):
    """One TransactionEvent (2.0.1 part 2, 1.60 TransactionEventRequest).

    transaction: our id, 36 characters at most. connection: number of the accepted connection it was written under (0: none); told as offline
    when that is not the present one (E04.FR.03, E11.FR.07). evse and connector stand in every fact for the store's sake; `said_evse` marks
    the one that tells them. register_wh: the import register at that moment (1.6 meterStart, meterStop; the stored one when the meter is silent).
    in_memory: the storage failed when this was written, so that a power cut before its return would have taken it.
    """

    transaction: str
    seq: int
    kind: EventKind
    trigger: Trigger
    at: Stamp
    evse: int
    connector: int
    connection: int = 0
    charging_state: ChargingState | None = None
    said_evse: bool = False
    id_token: IdToken | None = None
    group: IdToken | None = None
    reservation_id: int | None = None
    remote_start_id: int | None = None
    stopped_reason: StopReason | None = None
    readings: tuple[Reading, ...] = ()
    register_wh: float | None = None
    phases_used: int | None = None
    cable_max_current_a: int | None = None
    time_charging_s: int | None = None
    billing_estimated: bool = False
    in_memory: bool = False


class SecurityFact(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="fact", tag="security"):
    """A security event (2.0.1 part 2, A04); type as in appendix 1. Guaranteed."""

    type: str
    at: Stamp
    info: str | None = None


class StatusFact(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="fact", tag="status"):
    """A connector's status. Only the latest counts, never history. status: one of the nine words of 1.6 (7.7); vacant: as in
    `connector.availability`. connector 0 of evse 0 is the station itself (1.6 connectorId 0). ordered: by the CSMS's trigger, so that it is told
    while that has not accepted this station (B02.FR.02)."""

    evse: int
    connector: int
    status: str
    at: Stamp
    error_code: str = "NoError"
    vendor_error_code: str | None = None
    info: str | None = None
    ordered: bool = False
    vacant: bool = False


class MeterFact(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="fact", tag="meter"):
    """Clock-aligned or triggered values outside any transaction's events (MeterValuesRequest). Perishable. transaction: the one that runs there, ""
    for none; ordered: as in `StatusFact`."""

    evse: int
    connector: int
    reading: Reading
    transaction: str = ""
    ordered: bool = False


class MonitorFact(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="fact", tag="monitor"):
    """A change a CSMS is told of by NotifyEvent (2.0.1 N07): hard-wired notifications for faults. Guaranteed when severity <= 3, else perishable."""

    component: str
    variable: str
    value: str
    at: Stamp
    severity: int
    evse: int | None = None
    connector: int | None = None
    tech_code: str | None = None
    tech_info: str | None = None
    cleared: bool = False


Fact = TransactionFact | SecurityFact | StatusFact | MeterFact | MonitorFact


PERIODIC = frozenset({Trigger.METER_VALUE_PERIODIC, Trigger.METER_VALUE_CLOCK})


def is_intermediate(fact: TransactionFact) -> bool:
    """Whether it is a periodic value between begin and end, which may be thinned out (2.0.1 part 2, E04.FR.07, E04.FR.08)."""
    return fact.kind is EventKind.UPDATED and fact.trigger in PERIODIC


class Delivery(StrEnum):
    """How a kind of fact is delivered. TRANSACTION: in order, retried, may be given up. GUARANTEED: until told. STATE: only the latest.
    PERISHABLE: now or never."""

    TRANSACTION = "transaction"
    GUARANTEED = "guaranteed"
    STATE = "state"
    PERISHABLE = "perishable"


DELIVERY: dict[type[Fact], Delivery] = {
    TransactionFact: Delivery.TRANSACTION,
    SecurityFact: Delivery.GUARANTEED,
    StatusFact: Delivery.STATE,
    MeterFact: Delivery.PERISHABLE,
    MonitorFact: Delivery.GUARANTEED,
}

LEAST_GUARANTEED = 3
"""Highest severity number of a monitor event that must arrive (2.0.1 part 2, MonitoringCtrlr.OfflineQueuingSeverity): 3 is Critical."""


def delivery_of(fact: Fact) -> Delivery:
    """How this fact is delivered: as its kind is, a monitor event that is not severe now or never."""
    if isinstance(fact, MonitorFact) and fact.severity > LEAST_GUARANTEED:
        return Delivery.PERISHABLE
    return DELIVERY[type(fact)]
