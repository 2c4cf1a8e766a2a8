"""What is asked of us, version-free, each with its typed answer. Must not know messages nor how an order is carried out.

A handler answers at once; what is to happen only after the answer is out stands in `Answer.then`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import msgspec

from chargepoint.model.idtoken import IdToken, IdTokenInfo
from chargepoint.model.network import NetworkProfile


@dataclass(frozen=True)
class Answer:
    """A typed answer. status: the 2.0.1 status word of that order's response; reason: a 2.0.1 reason code (appendix 5) and info a sentence for it;
    then: what follows once the answer has been sent."""

    status: str
    reason: str | None = None
    info: str | None = None
    then: Callable[[], Awaitable[None]] | None = None
    data: Any = None
    extra: dict[str, Any] = field(default_factory=dict)


class RemoteStart(msgspec.Struct, frozen=True):
    """RequestStartTransaction (F01, F02). evse None: the station chooses. Answer: Accepted or Rejected;
    extra['transaction']: id of one that runs already. profile: the raw charging profile, kept for smart charging.
    connector: 1.6 only names a connector."""

    id_token: IdToken
    remote_start_id: int | None = None
    evse: int | None = None
    connector: int | None = None
    group: IdToken | None = None
    profile: dict[str, Any] | None = None


class RemoteStop(msgspec.Struct, frozen=True):
    """RequestStopTransaction (F03). transaction: our id. Answer: Accepted or Rejected."""

    transaction: str


class SetNetworkProfile(msgspec.Struct, frozen=True):
    """SetNetworkProfile (B09). Answer: Accepted, Rejected or Failed."""

    slot: int
    profile: NetworkProfile


class RaiseSecurityProfile(msgspec.Struct, frozen=True):
    """A higher security profile for the present CSMS (1.6 security whitepaper A05). Answer: Accepted or Rejected; `then` connects anew."""

    level: int


class SetMessageTimeout(msgspec.Struct, frozen=True):
    """How long an answer of the present CSMS is waited for, seconds (1.6 errata 3.83). Answer: Accepted or Rejected."""

    timeout_s: int


class ResetKind(StrEnum):
    """SOFT and HARD are 1.6's words; IMMEDIATE and ON_IDLE those of 2.0.1."""

    SOFT = "Soft"
    HARD = "Hard"
    IMMEDIATE = "Immediate"
    ON_IDLE = "OnIdle"


class Reset(msgspec.Struct, frozen=True):
    """Reset (B11, B12). evse None: the station. Answer: Accepted, Rejected or Scheduled."""

    kind: ResetKind
    evse: int | None = None


class ChangeAvailability(msgspec.Struct, frozen=True):
    """ChangeAvailability (G03, G04). evse None: the station; connector None: the EVSE. flat: as in 1.6, where station and connectors are no levels:
    the station takes all its connectors along (5.2), and one of them is operative whatever was asked of the station (4.9). Answer: Accepted,
    Rejected or Scheduled."""

    operative: bool
    evse: int | None = None
    connector: int | None = None
    flat: bool = False


class Unlock(msgspec.Struct, frozen=True):
    """UnlockConnector (F05). Answer: Unlocked, UnlockFailed, OngoingAuthorizedTransaction or UnknownConnector. 1.6 ends the transaction first."""

    evse: int
    connector: int
    stop_transaction: bool = False


SAMPLED_VALUES = "SampledMeterValues"
"""What 1.6 means by a triggered MeterValues: the measurands of MeterValuesSampledData (5.17), where 2.x wants AlignedDataMeasurands (F06.FR.06)."""


class Trigger(msgspec.Struct, frozen=True):
    """TriggerMessage (F06). message: a MessageTriggerEnumType word, or a 1.6 one mapped to it. evse 0: the station itself. Answer: Accepted,
    Rejected or NotImplemented."""

    message: str
    evse: int | None = None
    connector: int | None = None


class ClearCache(msgspec.Struct, frozen=True):
    """ClearCache (C11). Answer: Accepted or Rejected."""


class ListEntry(msgspec.Struct, frozen=True):
    """One entry of the local list; info None in a differential update: remove."""

    id_token: IdToken
    info: IdTokenInfo | None


class SendLocalList(msgspec.Struct, frozen=True):
    """SendLocalList (D01). Answer: Accepted, Failed or VersionMismatch."""

    version: int
    full: bool
    entries: tuple[ListEntry, ...]


class GetLocalListVersion(msgspec.Struct, frozen=True):
    """GetLocalListVersion (D02). Answer: Accepted, data: int (0: no list; 1.6's -1, not supported, when the feature is off)."""


class GetVariable(msgspec.Struct, frozen=True):
    """One GetVariableData. component and variable are (name, instance)."""

    component: tuple[str, str | None]
    variable: tuple[str, str | None]
    attribute: str = "Actual"
    evse: int | None = None
    connector: int | None = None


class GetVariables(msgspec.Struct, frozen=True):
    """GetVariables (B06). Answer: Accepted, data: list of (GetVariable, status word, value or None), in order."""

    items: tuple[GetVariable, ...]


class SetVariable(msgspec.Struct, frozen=True):
    """One SetVariableData."""

    component: tuple[str, str | None]
    variable: tuple[str, str | None]
    value: str
    attribute: str = "Actual"
    evse: int | None = None
    connector: int | None = None


class SetVariables(msgspec.Struct, frozen=True):
    """SetVariables (B05). Answer: Accepted, data: list of (SetVariable, status word, reason code or None, why not or None), in
    order."""

    items: tuple[SetVariable, ...]


class GetBaseReport(msgspec.Struct, frozen=True):
    """GetBaseReport (B07). base: ConfigurationInventory, FullInventory or SummaryInventory.
    Answer: Accepted, NotSupported or EmptyResultSet; `then` sends the parts."""

    request_id: int
    base: str


class GetReport(msgspec.Struct, frozen=True):
    """GetReport (B08). components: (component name, component instance, evse, connector, variable name, variable instance), None: any.
    Answer: Accepted, NotSupported or EmptyResultSet; `then` sends the parts."""

    request_id: int
    criteria: tuple[str, ...] = ()
    components: tuple[tuple[str, str | None, int | None, int | None, str | None, str | None], ...] = ()


class GetTransactionStatus(msgspec.Struct, frozen=True):
    """GetTransactionStatus (E14). Answer: Accepted, extra['ongoing'] bool or None, extra['messages_in_queue'] bool."""

    transaction: str | None = None


class DataTransfer(msgspec.Struct, frozen=True):
    """DataTransfer to us (P01). Answer: Accepted, Rejected, UnknownMessageId or UnknownVendorId; data: text or None."""

    vendor_id: str
    message_id: str | None = None
    data: Any = None


Order = (
    RemoteStart
    | RemoteStop
    | Reset
    | ChangeAvailability
    | Unlock
    | Trigger
    | ClearCache
    | SendLocalList
    | GetLocalListVersion
    | GetVariables
    | SetVariables
    | GetBaseReport
    | GetReport
    | GetTransactionStatus
    | DataTransfer
)
