"""Who may charge by OCPP 1.6, as the specification says it: each kind of card under each setting, with and without a central system (3.5, 4.1, 9.1).

Pure. Must not know the station; what it says is what the cases judge by, and what docs/offline.md prints.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Kind(Enum):
    """A card by what the charge point has of it. The central system's word is the same, but for a valid card it is Accepted."""

    LISTED = "in the local list, Accepted"
    LISTED_BLOCKED = "in the local list, Blocked"
    LISTED_EXPIRED = "in the local list, its expiryDate past"
    LISTED_CONCURRENT = "in the local list, ConcurrentTx"
    CACHED = "in the cache, Accepted, with a parentIdTag"
    CACHED_BLOCKED = "in the cache, Blocked"
    NEW = "unknown here, valid at the central system"
    UNKNOWN = "unknown to all"


VALID = (Kind.LISTED, Kind.LISTED_CONCURRENT, Kind.CACHED, Kind.NEW)
"""What the central system accepts when it is asked."""
LISTED = (Kind.LISTED, Kind.LISTED_BLOCKED, Kind.LISTED_EXPIRED, Kind.LISTED_CONCURRENT)
CACHED = (Kind.CACHED, Kind.CACHED_BLOCKED)


class Settings(NamedTuple):
    """The four keys that decide who may begin."""

    LocalPreAuthorize: bool
    AuthorizationCacheEnabled: bool
    LocalAuthorizeOffline: bool
    AllowOfflineTxForUnknownId: bool


class Outcome(NamedTuple):
    """asked: an Authorize is sent; begins: a transaction may begin."""

    asked: bool
    begins: bool


def known(kind: Kind, settings: Settings) -> bool:
    """Whether list or cache have a word on the card; the cache only while it is enabled."""
    return kind in LISTED or (kind in CACHED and settings.AuthorizationCacheEnabled)


def accepted_here(kind: Kind, settings: Settings) -> bool:
    """Whether list or cache accept the card."""
    return kind in (Kind.LISTED, Kind.CACHED) and known(kind, settings)


def online(kind: Kind, settings: Settings) -> Outcome:
    """LocalPreAuthorize spares the question for a card that is accepted here; every other is asked about (4.1, 3.5.1)."""
    if settings.LocalPreAuthorize and accepted_here(kind, settings):
        return Outcome(asked=False, begins=True)
    return Outcome(asked=True, begins=kind in VALID)


def offline(kind: Kind, settings: Settings) -> Outcome:
    """Accepted here: by LocalAuthorizeOffline; known to nobody here: by AllowOfflineTxForUnknownId; known as anything else: never (3.5.4)."""
    if known(kind, settings):
        return Outcome(asked=False, begins=settings.LocalAuthorizeOffline and accepted_here(kind, settings))
    return Outcome(asked=False, begins=settings.AllowOfflineTxForUnknownId)


class Invalidated(Enum):
    """What becomes of a running transaction whose card StartTransaction.conf does not accept (3.5.4, errata 3.17)."""

    STOPPED = "StopTransaction with DeAuthorized; the cable stays locked until the card is shown"
    SUSPENDED = "it goes on without energy: SuspendedEVSE"
    LIMITED = "it goes on up to MaxEnergyOnInvalidId, then without energy: SuspendedEVSE"


def invalidated(stop_on_invalid_id: bool, max_energy_wh: int) -> Invalidated:
    if stop_on_invalid_id:
        return Invalidated.STOPPED
    return Invalidated.LIMITED if max_energy_wh > 0 else Invalidated.SUSPENDED
