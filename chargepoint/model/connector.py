"""What a connector is told as: one table from (availability, fault, reservation, session) to one of OCPP 1.6's nine words (7.7).

Pure; never stored. Must not know messages. 2.x has fewer words, which follow the cable: `availability`.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from itertools import product
from typing import NamedTuple

from chargepoint.model.fault import CATALOGUE, Effect, FaultKind


class Status(StrEnum):
    """ChargePointStatus of OCPP 1.6 (7.7)."""

    AVAILABLE = "Available"
    PREPARING = "Preparing"
    CHARGING = "Charging"
    SUSPENDED_EVSE = "SuspendedEVSE"
    SUSPENDED_EV = "SuspendedEV"
    FINISHING = "Finishing"
    RESERVED = "Reserved"
    UNAVAILABLE = "Unavailable"
    FAULTED = "Faulted"


class Phase(StrEnum):
    """A session as far as a status tells it. FREE: none. PLUGGED: a car and nobody authorized. PREPARING: somebody authorized, nothing delivered
    yet."""

    FREE = "free"
    PLUGGED = "plugged"
    PREPARING = "preparing"
    CHARGING = "charging"
    SUSPENDED_EV = "suspended_ev"
    SUSPENDED_EVSE = "suspended_evse"
    FINISHING = "finishing"


class Row(NamedTuple):
    """None matches anything; the first matching row counts."""

    operative: bool | None
    faulted: bool | None
    reserved: bool | None
    phase: Phase | None
    status: Status


_P, _S = Phase, Status

TABLE: tuple[Row, ...] = (
    Row(None, True, None, None, _S.FAULTED),
    Row(False, False, None, _P.FREE, _S.UNAVAILABLE),
    Row(False, False, None, _P.PLUGGED, _S.UNAVAILABLE),
    Row(False, False, None, _P.FINISHING, _S.UNAVAILABLE),
    Row(True, False, True, _P.FREE, _S.RESERVED),
    Row(True, False, True, _P.PLUGGED, _S.RESERVED),
    Row(True, False, False, _P.FREE, _S.AVAILABLE),
    Row(True, False, False, _P.PLUGGED, _S.PREPARING),
    Row(None, False, None, _P.PREPARING, _S.PREPARING),
    Row(None, False, None, _P.CHARGING, _S.CHARGING),
    Row(None, False, None, _P.SUSPENDED_EV, _S.SUSPENDED_EV),
    Row(None, False, None, _P.SUSPENDED_EVSE, _S.SUSPENDED_EVSE),
    Row(True, False, None, _P.FINISHING, _S.FINISHING),
)
"""A reservation holds while a car is plugged in and its token is not shown (2.0.1 G01.FR.09). While somebody is authorized a change to inoperative
waits (1.6 5.2), so a running session keeps its word."""


def _first(key: tuple[bool, bool, bool, Phase]) -> Status:
    return next(row.status for row in TABLE if all(want is None or want == have for want, have in zip(row[:4], key, strict=True)))


_WORDS = {key: _first(key) for key in product((False, True), (False, True), (False, True), Phase)}


def status(operative: bool, faulted: bool, reserved: bool, phase: Phase) -> Status:
    """The word for a connector. faulted: see `blocking`."""
    return _WORDS[operative, faulted, reserved, phase]


AVAILABILITY = {
    Status.AVAILABLE: "Available",
    Status.PREPARING: "Occupied",
    Status.CHARGING: "Occupied",
    Status.SUSPENDED_EVSE: "Occupied",
    Status.SUSPENDED_EV: "Occupied",
    Status.FINISHING: "Occupied",
    Status.RESERVED: "Reserved",
    Status.UNAVAILABLE: "Unavailable",
    Status.FAULTED: "Faulted",
}


def availability(word: Status, vacant: bool) -> str:
    """ConnectorStatusEnumType of 2.x (2.0.1 part 2, 3.23). vacant: a session goes on, but nothing is plugged in: Occupied begins and ends with the
    cable (G01.FR.03, G01.FR.04)."""
    told = AVAILABILITY[word]
    return "Available" if vacant and told == "Occupied" else told


WARNING_ONLY = "EVCommunicationError"
"""Told beside Preparing, Suspended... and Finishing, never as Faulted (1.6 4.9)."""
_ORDER = {name: number for number, name in enumerate(CATALOGUE)}


def blocking(faults: Iterable[str]) -> bool:
    """Whether a fault makes the connector Faulted: it stops all charging and is not the car's alone."""
    return any(row.effect <= Effect.WITHDRAW or row.effect is Effect.NO_NEXT_CLOSING for row in map(_row, faults) if row.code != WARNING_ONLY)


def leading(faults: Iterable[str]) -> FaultKind | None:
    """The fault that is told: the strongest, of equals the first in the catalogue."""
    return min(map(_row, faults), key=lambda row: (row.effect, _ORDER[row.name]), default=None)


def _row(name: str) -> FaultKind:
    return CATALOGUE[name]
