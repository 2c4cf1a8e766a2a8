"""What is asked of a CSMS: perishable, with a typed answer. Must not know messages. A face answers `Unreachable` when there is no answer."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from chargepoint.model.idtoken import IdToken, IdTokenInfo


class Unreachable(msgspec.Struct, frozen=True):
    """No answer: no connection, a timeout, or a refusal by CALLERROR. reason is a sentence for the log."""

    reason: str


class BootReason(StrEnum):
    """BootReasonEnumType."""

    APPLICATION_RESET = "ApplicationReset"
    FIRMWARE_UPDATE = "FirmwareUpdate"
    LOCAL_RESET = "LocalReset"
    POWER_UP = "PowerUp"
    REMOTE_RESET = "RemoteReset"
    SCHEDULED_RESET = "ScheduledReset"
    TRIGGERED = "Triggered"
    UNKNOWN = "Unknown"
    WATCHDOG = "Watchdog"


class Registration(StrEnum):
    """RegistrationStatusEnumType."""

    ACCEPTED = "Accepted"
    PENDING = "Pending"
    REJECTED = "Rejected"


class Boot(msgspec.Struct, frozen=True):
    """BootNotification."""

    reason: BootReason


class BootAnswer(msgspec.Struct, frozen=True):
    """interval_s: heartbeat interval when accepted, else the wait before the next BootNotification; wall_s: the CSMS's time."""

    status: Registration
    interval_s: int
    wall_s: float


class Authorize(msgspec.Struct, frozen=True):
    """Authorize."""

    id_token: IdToken


class AuthorizeAnswer(msgspec.Struct, frozen=True):
    info: IdTokenInfo


class Heartbeat(msgspec.Struct, frozen=True):
    """Heartbeat. ordered: by the CSMS's trigger, so that it is asked while that has not accepted this station (B02.FR.02)."""

    ordered: bool = False


class HeartbeatAnswer(msgspec.Struct, frozen=True):
    wall_s: float


class TransferData(msgspec.Struct, frozen=True):
    """DataTransfer from us."""

    vendor_id: str
    message_id: str | None = None
    data: str | None = None


class TransferAnswer(msgspec.Struct, frozen=True):
    """status: a DataTransferStatusEnumType word."""

    status: str
    data: str | None = None


Question = Boot | Authorize | Heartbeat | TransferData
QuestionAnswer = BootAnswer | AuthorizeAnswer | HeartbeatAnswer | TransferAnswer | Unreachable
