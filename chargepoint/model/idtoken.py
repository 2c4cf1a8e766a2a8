"""Who asks to charge: a token and what is known of it (OCPP 2.0.1 part 2, 2.29 IdTokenType, 2.30 IdTokenInfoType). Must not decide."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class IdTokenType(StrEnum):
    """IdTokenEnumType."""

    CENTRAL = "Central"
    EMAID = "eMAID"
    ISO14443 = "ISO14443"
    ISO15693 = "ISO15693"
    KEY_CODE = "KeyCode"
    LOCAL = "Local"
    MAC_ADDRESS = "MacAddress"
    NO_AUTHORIZATION = "NoAuthorization"


TYPE_FOLLOWS = "\n"
"""No identifierString holds it."""


class IdToken(msgspec.Struct, frozen=True):
    """A token as presented. Compared without regard to case (2.0.1 part 2 'identifierString'): its value by `key()`, the whole by `same_key()`."""

    value: str
    type: str = IdTokenType.ISO14443
    additional: tuple[tuple[str, str], ...] = ()

    def key(self) -> str:
        return self.value.casefold()

    def same_key(self) -> str:
        """Equal for tokens that are the same: by value and type (C01.FR.25). Cards by far the most have the bare value."""
        return self.key() if self.type == IdTokenType.ISO14443 else f"{self.key()}{TYPE_FOLLOWS}{self.type}"

    def __str__(self) -> str:
        """For logs, where a key code never appears (C04.FR.04)."""
        return "(key code)" if self.type == IdTokenType.KEY_CODE else self.value

    def __repr__(self) -> str:
        return f"IdToken({str(self)!r}, {str(self.type)!r})"


NOBODY = IdToken("", IdTokenType.NO_AUTHORIZATION)
"""Who starts where no card is asked for (C02.FR.01)."""


class AuthorizationStatus(StrEnum):
    """AuthorizationStatusEnumType."""

    ACCEPTED = "Accepted"
    BLOCKED = "Blocked"
    CONCURRENT_TX = "ConcurrentTx"
    EXPIRED = "Expired"
    INVALID = "Invalid"
    NO_CREDIT = "NoCredit"
    NOT_ALLOWED_TYPE_EVSE = "NotAllowedTypeEVSE"
    NOT_AT_THIS_LOCATION = "NotAtThisLocation"
    NOT_AT_THIS_TIME = "NotAtThisTime"
    UNKNOWN = "Unknown"


class IdTokenInfo(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an authority says of a token. expiry_s: seconds since 1970; group: tokens of one group may stop each other's transactions;
    evses: the EVSEs the token may use (empty: all)."""

    status: AuthorizationStatus
    expiry_s: float | None = None
    group: IdToken | None = None
    charging_priority: int | None = None
    language: str | None = None
    evses: tuple[int, ...] = ()
    personal_message: str | None = None
