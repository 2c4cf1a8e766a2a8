"""The board file (config/boards/*.toml) as data: pins, addresses, ratings, and how each output dies. Must not know drivers.

Shapes are checked by msgspec when read (`msgspec.convert`); what belongs together (a pin used twice, bus budgets) is checked in `hal.board`.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Level = Literal["high", "low"]
Pull = Literal["up", "down", "none"]
Pin = int


class Base(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All tables of a board file refuse unknown keys."""


class Output(Base, frozen=True, kw_only=True):
    """A driven line. active: the level that acts. reset_pull: what the SoC or the board pulls it to when nobody drives it; a coil's must be
    the opposite of `active`."""

    pin: Pin
    active: Level = "high"
    reset_pull: Pull = "down"


class Input(Base, frozen=True, kw_only=True):
    """A read line. active: the level that means yes."""

    pin: Pin
    active: Level = "high"
    pull: Pull = "none"


class Undriven(Base, frozen=True, kw_only=True):
    """What happens to an output when nobody drives it, and within how many milliseconds. A word each: "off" or "keeps"."""

    process_dead: Literal["off", "keeps"]
    cpu_hung: Literal["off", "keeps"]
    power_lost: Literal["off", "keeps"]
    within_ms: float


class Pwm(Base, frozen=True, kw_only=True):
    """A kernel PWM channel. chip: the device name under /sys/class/pwm/pwmchipN/device (never the number)."""

    chip: str
    channel: int
    undriven: Undriven


class Linear(Base, frozen=True, kw_only=True):
    """An ADC input of the pilot: volts on the pilot = volts at the input * gain + offset_v."""

    input: int
    gain: float
    offset_v: float = 0.0


class Divider(Base, frozen=True, kw_only=True):
    """The proximity input: a pull-up to a supply."""

    input: int
    pull_up_ohm: float
    supply_v: float


class Adc(Base, frozen=True, kw_only=True):
    """An ADS1115 alone on its bus. rate_sps 860 as the turn's budget needs; full_scale_v sets the gain."""

    bus: int
    address: int = 0x48
    clock_hz: int = 400_000
    rate_sps: int = 860
    full_scale_v: float = 4.096
    high: Linear
    low: Linear
    proximity: Divider | None = None


class Contactor(Base, frozen=True, kw_only=True):
    """The coil and its mirror contact (active: the level while the mirror contact is closed, that is all poles open). shunt_trip: releases the
    breaker before a contactor that does not open."""

    coil: Output
    mirror: Input
    undriven: Undriven
    shunt_trip: Output | None = None


class Residual(Base, frozen=True, kw_only=True):
    """The residual-current monitor. trip must show within trip_within_ms of the test and be gone clear_within_ms after the test's end.
    cuts_coil: a trip also takes the coil off in hardware."""

    trip: Input
    test: Output
    cuts_coil: bool
    test_ms: float = 250.0
    trip_within_ms: float = 1000.0
    clear_within_ms: float = 3000.0


class Lock(Base, frozen=True, kw_only=True):
    """The socket's lock: an output each for locking and unlocking, a pulse of pulse_ms, and a feedback switch."""

    lock: Output
    unlock: Output
    feedback: Input
    pulse_ms: float = 600.0
    pause_ms: float = 1000.0
    power_lost: Literal["keep", "open"] = "keep"


class Lamp(Base, frozen=True, kw_only=True):
    green: Output
    blue: Output
    red: Output


class Thermometer(Base, frozen=True, kw_only=True):
    """A temperature sensor on a bus of its own or shared with others, never the pilot's."""

    kind: Literal["lm75", "tmp102", "mcp9808"]
    bus: int
    address: int


class Serial(Base, frozen=True, kw_only=True):
    """A serial line. port: a path, /dev/serial/by-id/... preferred."""

    port: str
    baud: int = 9600
    parity: Literal["N", "E", "O"] = "N"
    stop_bits: Literal[1, 2] = 1


class Tcp(Base, frozen=True, kw_only=True):
    host: str
    port: int = 502
    framer: Literal["socket", "rtu"] = "socket"


class Meter(Base, frozen=True, kw_only=True):
    """An energy meter: a register map of config/meters and a line (one of the two)."""

    map: str
    unit: int = 1
    invert: bool = False
    serial: Serial | None = None
    tcp: Tcp | None = None
    timeout_s: float = 0.4


class Reader(Base, frozen=True, kw_only=True):
    """A card reader. evse: position of the EVSE in this file it belongs to, from 1; None: one reader for all. reverse: the reader tells the
    bytes last first. For text readers: decimal: digits are a decimal number; prefixes: what the reader puts before the digits (alone: no card)."""

    kind: Literal["pn532", "text"]
    serial: Serial
    evse: int | None = None
    token_type: str = "ISO14443"
    reverse: bool = False
    decimal: bool = False
    prefixes: tuple[str, ...] = ()


class Evse(Base, frozen=True, kw_only=True):
    """The wiring of one EVSE. max_current_a and phases: what the power path is built for. contactor_l23: a second contactor in series with poles 2
    and 3 of the first, which alone makes the outlet dead: with its coil off only phase 1 reaches the outlet. earth_lost: the monitor of the
    protective earth, active while it is missing. button: what a driver starts and stops with where no card is asked for. bay: the sensor of the
    parking bay, active while it sees a car."""

    max_current_a: float = 32.0
    phases: Literal[1, 3] = 3
    pwm: Pwm
    adc: Adc
    contactor: Contactor
    contactor_l23: Contactor | None = None
    residual: Residual
    lock: Lock | None = None
    lamp: Lamp | None = None
    thermometer: Thermometer | None = None
    meter: Meter | None = None
    earth_lost: Input | None = None
    button: Input | None = None
    bay: Input | None = None


class Feed(Base, frozen=True, kw_only=True):
    """The feed of the relay supply: one edge a turn keeps it up for hold_ms."""

    output: Output
    hold_ms: float = 100.0


class Board(Base, frozen=True, kw_only=True):
    """A board file. backend: dotted name of a module that stands where the hardware stands (the simulator), else the real drivers with
    `pin_factory`. rtc: the board keeps its wall clock over power cuts. turn_ms: period of the control loop. accept_software_only: the owner's
    word that a board without feed or without a hardware path from the residual-current monitor may be used."""

    name: str
    backend: str | None = None
    pin_factory: Literal["lgpio", "rig"] = "lgpio"
    rtc: bool = False
    turn_ms: float = 5.0
    strict_gpiod: bool = False
    accept_software_only: bool = False
    feed: Feed | None = None
    emergency_stop: Input | None = None
    evse: tuple[Evse, ...] = ()
    reader: tuple[Reader, ...] = ()
