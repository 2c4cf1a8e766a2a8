"""What the control API answers, field by field: the shapes of GET /api/state. Must not know how the values come about.

Fields may be added; names and meanings stay.
"""

from __future__ import annotations

from typing import Any

import msgspec


class Pilot(msgspec.Struct, forbid_unknown_fields=True):
    """state: A, B, C or D with 1 or 2 (PWM), E, F, or as read; volts of both peaks; duty_percent: 100 is X1."""

    state: str
    high_v: float
    low_v: float
    duty_percent: float


class Rcd(msgspec.Struct, forbid_unknown_fields=True):
    """Residual current in mA; tripped: the monitor's output; testing: its test input."""

    leak_ma: float
    tripped: bool
    testing: bool


class Cycles(msgspec.Struct, forbid_unknown_fields=True):
    """How often the coil went on, and how often the contacts broke a current."""

    coil: int
    under_load: int


class Evse(msgspec.Struct, forbid_unknown_fields=True):
    """One EVSE on the wire. contactor: "closed" while any pole is; contacts: each pole; contactor_l23: the second contactor and
    breaker: the one before the contactor, None where there is none; bay: "occupied" or "vacant", None without a sensor; lock None: tethered cable;
    ev None: no car at the plug."""

    id: int
    plugged: bool
    connector: int
    pilot: Pilot
    contactor: str
    coil: bool
    relay_supply: bool
    contacts: list[bool]
    mirror: str
    contactor_l23: dict[str, Any] | None
    breaker: str | None
    lock: str | None
    lock_feedback: str | None
    outlet_v: list[float]
    phases_connected: int
    rcd: Rcd
    pp_ohm: float | None
    temperatures_c: dict[str, float]
    current_a: list[float]
    power_w: float
    energy_wh: float
    cycles: Cycles
    ev: dict[str, Any] | None
    lamp: dict[str, bool]
    bay: str | None
    faults: list[str]


class Connector(msgspec.Struct):
    """One connector as the firmware tells it. status: one of the nine words of OCPP 1.6, in every version."""

    evse: int
    connector: int
    status: str
    transaction: str | None
    limit_a: float
    reason: str


class Station(msgspec.Struct):
    """What the firmware reports of itself."""

    connected: bool
    ocpp: str | None
    registration: str | None
    facts_waiting: int
    pids: dict[str, int | None]
    loop: dict[str, Any] | None
    connectors: list[Connector]


class State(msgspec.Struct, forbid_unknown_fields=True):
    """All of one charge point. station None: the firmware does not answer."""

    power: str
    network: str
    evses: list[Evse]
    station: Station | None


class Session(msgspec.Struct, forbid_unknown_fields=True):
    """From the plug's coming to its going, as the wire saw it. began, ended: UTC; ended None: the plug is there; cards: those read meanwhile."""

    number: int
    evse: int
    began: str
    ended: str | None
    cards: list[str]
    energy_wh: float


class TileEvse(msgspec.Struct, forbid_unknown_fields=True):
    """An EVSE in a few words. status, reason None: the firmware does not answer; lamp None: dark."""

    evse: int
    status: str | None
    reason: str | None
    car: bool
    contactor: str
    power_kw: float
    energy_kwh: float
    lamp: str | None
    faults: list[str]


class Tile(msgspec.Struct, forbid_unknown_fields=True):
    """A charge point in a few words. answers: whether the firmware does."""

    station: int
    identity: str
    power: str
    network: str
    answers: bool
    connected: bool
    ocpp: str | None
    evses: list[TileEvse]


class Error(msgspec.Struct):
    """Every answer of 400 and above: a sentence."""

    error: str
