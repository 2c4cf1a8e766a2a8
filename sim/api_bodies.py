"""The bodies the control API takes, checked field by field. Must not know what they do.

A wrong body raises WrongBody with a sentence that names the field and what is allowed.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import UNSET, Meta, UnsetType

from sim.ev import Curve, Percent, Speed

B = TypeVar("B", bound=msgspec.Struct)

NotNegative = Annotated[float, Meta(ge=0)]
Optional = UnsetType | None

FAULTS = {
    "pilot": ("diode", "cp_short", "cp_open", "pilot_noise", "pilot_spike", "pilot_offset", "pwm_stuck", "pwm_lost"),
    "adc": ("i2c_stuck", "adc_lost", "adc_frozen", "adc_reset"),
    "power path": (
        *("contactor_weld", "contactor_stuck_open", "coil_stuck_on", "relay_supply_lost", "mirror_stuck_open", "mirror_stuck_closed"),
        *("contactor_l23_weld", "contactor_l23_stuck_open", "over_current", "under_voltage", "over_voltage", "phase_loss", "pe_loss"),
    ),
    "residual current": ("rcd_trip", "rcd_stuck", "rcd_stuck_tripped", "rcd_noise"),
    "heat": ("over_temperature", "temperature_sensor_lost", "temperature_jump"),
    "meter": ("meter_offline", "meter_garbage", "meter_frozen", "meter_nan", "meter_swapped"),
    "cable": ("lock_jam", "lock_stuck_locked", "lock_feedback_lost", "pp_open", "pp_short", "pp_change"),
    "other": ("emergency_stop", "reader_offline"),
}
ALL_FAULTS = tuple(fault for group in FAULTS.values() for fault in group)

KNOWN_AS: dict[str, tuple[str, ...]] = {
    "cp_short": ("pilot_short",),
    "pilot_noise": ("pilot_implausible",),
    "pilot_spike": ("pilot_implausible",),
    "pilot_offset": ("pilot_implausible",),
    "cp_open": ("pilot_implausible",),
    "pwm_stuck": ("pilot_lost",),
    "pwm_lost": ("pilot_lost",),
    "i2c_stuck": ("pilot_lost",),
    "adc_lost": ("pilot_lost",),
    "adc_frozen": ("pilot_lost",),
    "adc_reset": ("pilot_lost",),
    "contactor_weld": ("contactor_welded",),
    "coil_stuck_on": ("contactor_welded",),
    "contactor_l23_weld": ("contactor_welded",),
    "mirror_stuck_open": ("contactor_welded",),
    "mirror_stuck_closed": ("contactor_stuck_open",),
    "contactor_l23_stuck_open": ("contactor_stuck_open", "phase_loss"),
    "relay_supply_lost": ("contactor_stuck_open",),
    "rcd_trip": ("residual_current", "residual_test_failed"),
    "rcd_stuck": ("residual_test_failed",),
    "rcd_stuck_tripped": ("residual_test_failed", "residual_current"),
    "rcd_noise": ("residual_current",),
    "temperature_jump": ("temperature_sensor_lost", "over_temperature"),
    "lock_jam": ("lock_failed", "unlock_failed"),
    "lock_stuck_locked": ("unlock_failed", "lock_failed"),
    "lock_feedback_lost": ("lock_lost", "lock_failed"),
    "pp_open": ("proximity_missing", "proximity_changed"),
    "pp_short": ("proximity_missing", "proximity_changed"),
    "pp_change": ("proximity_changed",),
    **dict.fromkeys(("meter_offline", "meter_garbage", "meter_nan", "meter_frozen"), ("meter_lost", "meter_silent", "meter_long_silent")),
    "pe_loss": ("protective_earth_lost",),
    "reader_offline": ("reader_lost",),
    "meter_swapped": (),
}
"""What the firmware calls the faults of the world, where the word differs: a technician may clear either. Of the last it keeps nothing to clear."""


class WrongBody(ValueError):
    """The body is not what this call takes."""


class Body(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Every body refuses unknown fields."""


class Ev(Body, kw_only=True):
    """A car, or what changes of it. s2_open_s, sleeps_after_s and the energies may be null."""

    max_current_a: Annotated[float, Meta(ge=0, le=1000)] | UnsetType = UNSET
    phases: Literal[1, 2, 3] | UnsetType = UNSET
    ready: bool | UnsetType = UNSET
    delay_s: NotNegative | UnsetType = UNSET
    capacity_wh: NotNegative | Optional = UNSET
    energy_wh: NotNegative | UnsetType = UNSET
    soc_percent: Percent | Optional = UNSET
    target_percent: Percent | UnsetType = UNSET
    curve: Curve | UnsetType = UNSET
    speed: Speed | UnsetType = UNSET
    profile: str | Optional = UNSET
    cable_a: Annotated[float, Meta(ge=0, le=1000)] | UnsetType = UNSET
    s2_open_s: NotNegative | Optional = UNSET
    follow_s: NotNegative | UnsetType = UNSET
    rises_s: NotNegative | Optional = UNSET
    ventilation: bool | UnsetType = UNSET
    skips_b: bool | UnsetType = UNSET
    no_diode: bool | UnsetType = UNSET
    latches_on_f: bool | UnsetType = UNSET
    sleeps_after_s: NotNegative | Optional = UNSET
    wakes_by: str | Optional = UNSET
    wake_s: NotNegative | UnsetType = UNSET
    min_current_a: NotNegative | UnsetType = UNSET
    max_starts: Annotated[int, Meta(ge=0)] | Optional = UNSET


class PlugIn(Body, kw_only=True):
    ev: Ev = msgspec.field(default_factory=Ev)
    connector: Annotated[int, Meta(ge=1)] = 1


class Unplug(Body, kw_only=True):
    connector: Annotated[int, Meta(ge=1)] = 1


class Nothing(Body, kw_only=True):
    """A call without a body."""


class Breaker(Body, kw_only=True):
    closed: bool = True


class Bay(Body, kw_only=True):
    occupied: bool


class Swipe(Body, kw_only=True):
    uid: Annotated[str, Meta(min_length=1, max_length=255)]
    evse: int | None = None


class Power(Body, kw_only=True):
    state: Literal["on", "off", "service"]
    how: Literal["cut", "shutdown"] = "cut"


class Kill(Body, kw_only=True):
    process: Literal["control", "station"]
    signal: Literal["KILL", "STOP", "CONT", "TERM", "HANG"] = "KILL"


class Network(Body, kw_only=True):
    state: Literal["up", "down", "stall"]


class Fault(Body, kw_only=True):
    fault: str
    phase: Literal[1, 2, 3] | None = None
    value: float | None = None
    after_ms: NotNegative = 0
    for_ms: NotNegative | None = None
    poles: list[Literal[1, 2, 3]] | None = None

    def details(self) -> dict[str, Any]:
        """What was given beside the fault's name."""
        return {key: value for key, value in msgspec.structs.asdict(self).items() if key != "fault" and value is not None}


class Clear(Body, kw_only=True):
    fault: Annotated[str, Meta(min_length=1)]


def read(text: bytes, shape: type[B]) -> B:
    """A body as its struct; no body is an empty object. Raises WrongBody."""
    try:
        return msgspec.json.decode(text if text.strip() else b"{}", type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        fields = ", ".join(field.encode_name for field in msgspec.structs.fields(shape)) or "none"
        raise WrongBody(f"{_plain(str(error))} (fields of this call: {fields})") from None


def ev_changes(ev: Ev) -> dict[str, Any]:
    """The fields given, and only those."""
    return {key: value for key, value in msgspec.structs.asdict(ev).items() if value is not UNSET}


def known_fault(fault: str) -> str:
    """The fault's name. Raises WrongBody for another word."""
    if fault not in ALL_FAULTS:
        raise WrongBody(f"there is no fault {fault!r}; known are {', '.join(ALL_FAULTS)}")
    return fault


def names_to_clear(fault: str) -> tuple[str, ...]:
    """What the firmware may call this fault, most likely first; its own word is taken as it is."""
    return KNOWN_AS.get(fault, (fault,))


def _plain(message: str) -> str:
    return re.sub(r" - at `\$\.?([^`]*)`", lambda found: f" at {found.group(1)}" if found.group(1) else "", message).replace("`", "'")
