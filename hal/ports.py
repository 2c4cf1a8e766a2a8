"""One Protocol per thing on the board, units in the docstrings. Must not know drivers.

Every driver raises `hal.errors.DeviceLost` when its device does not answer and reopens by itself at a later call.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple, Protocol

Now = Callable[[], float]
"""Monotonic seconds (CLOCK_BOOTTIME)."""


class PilotPwm(Protocol):
    """The 1 kHz pilot generator. A duty of 1.0 is X1 (steady +12 V), 0.0 is F (steady -12 V)."""

    def set_duty(self, fraction: float) -> None:
        """Writes the duty, 0.0 to 1.0, with the PWM enabled. Raises DeviceLost."""

    def duty(self) -> float:
        """Reads the duty back from the generator, 0.0 to 1.0. Raises DeviceLost (also when it is found disabled)."""


class Channel(StrEnum):
    """Inputs of the pilot's ADC."""

    HIGH = "high"
    LOW = "low"
    PROXIMITY = "proximity"


class PilotAdc(Protocol):
    """The ADC of one EVSE's pilot, alone on its bus. One conversion at a time: started in one turn, read in the next."""

    def start(self, channel: Channel) -> None:
        """Starts a single conversion. Raises DeviceLost."""

    def finish(self) -> float:
        """The conversion last started: volts on the pilot for HIGH and LOW, ohms for PROXIMITY (inf: open). Raises DeviceLost when the conversion
        is not done, or input, gain or rate do not read back as written."""


class Contactor(Protocol):
    """The coil and the mirror contact (IEC 60947-4-1 Annex F: closed only while every main contact is open)."""

    def switch(self, on: bool) -> None:
        """Drives the coil."""

    def driven(self) -> bool:
        """Whether the coil's output stands at on, read back from the line. Raises DeviceLost."""

    def trip_breaker(self, on: bool) -> None:
        """Drives the shunt trip of the breaker before the contactor; without one nothing happens."""

    def mirror_closed(self) -> bool:
        """True: the mirror contact is closed, so all main contacts are open."""


class ResidualCurrent(Protocol):
    """The residual-current monitor (IEC 62955)."""

    def tripped(self) -> bool:
        """The trip input."""

    def test(self, on: bool) -> None:
        """Drives the test output."""


class Lock(Protocol):
    """The socket's lock."""

    def drive(self, locked: bool) -> None:
        """Starts the move; returns at once. Repeated calls with the same value do nothing until `rest`."""

    def rest(self) -> None:
        """Ends the drive pulse (called by the loop each turn; the driver keeps the pulse's time)."""

    def locked(self) -> bool | None:
        """The feedback; None where it cannot be told (feedback lost)."""


class Switch(Protocol):
    """An input: emergency stop, monitor of the protective earth, button, bay sensor."""

    def active(self) -> bool:
        """True while pressed, while the earth is missing (or its wire is broken), while a car is in the bay."""


class LampPattern(StrEnum):
    OFF = "off"
    READY = "ready"
    WAITING = "waiting"
    CHARGING = "charging"
    FAULT = "fault"


class Lamp(Protocol):
    """The status lamp."""

    def show(self, pattern: LampPattern) -> None:
        """Idempotent; the driver blinks by the time it is given."""


class Feed(Protocol):
    """The feed of the relay supply: a charge pump that needs edges."""

    def edge(self) -> None:
        """One edge: called once per completed turn of the control loop, after its checks."""


class Thermometer(Protocol):
    """A temperature sensor; slow, read by a thread of control, never inside a turn."""

    def read_c(self) -> float:
        """Degrees Celsius. Raises DeviceLost."""


class MeterReading(NamedTuple):
    """One reading. at: monotonic seconds at which the answer came. None: the meter has no such value, or it was no number."""

    at: float
    energy_wh: float | None
    power_w: float | None
    current_a: tuple[float | None, float | None, float | None]
    voltage_v: tuple[float | None, float | None, float | None]
    power_phase_w: tuple[float | None, float | None, float | None]
    frequency_hz: float | None
    export_wh: float | None
    meter_id: str


class Signature(NamedTuple):
    """What a meter signed, as it came. encoding and method: words of the OCA whitepaper "Signed meter values", method empty where it stands in the
    data; public_key: as printed on the meter (ASN.1), empty when the meter does not tell it."""

    data: bytes
    encoding: str
    method: str = ""
    public_key: bytes = b""


class Meter(Protocol):
    """An energy meter. type: what it is, by maker and name; signs: it can sign what it measures."""

    @property
    def type(self) -> str: ...

    @property
    def signs(self) -> bool: ...

    async def read(self) -> MeterReading:
        """One reading, within a second. Raises DeviceLost."""

    async def signature(self) -> Signature:
        """What it signs now, within some seconds. Raises DeviceLost."""

    async def close(self) -> None: ...


class TokenSeen(NamedTuple):
    """One presentation of a card. value: upper-case hex of the UID, or the text of a text reader. type: an OCPP 2.x IdTokenType word."""

    value: str
    type: str
    at: float


class TokenReader(Protocol):
    """A card reader."""

    async def next(self) -> TokenSeen:
        """Waits for the next presentation. Raises DeviceLost once per loss; the following call waits for the recovery."""

    def healthy(self) -> bool: ...

    async def close(self) -> None: ...


class EvseBoard(NamedTuple):
    """What control has of one EVSE. contactor_l23: the second contactor of poles 2 and 3, where the board has one; earth_lost: the monitor of the
    protective earth; bay: the sensor that sees a car in the parking bay."""

    evse: int
    pwm: PilotPwm
    adc: PilotAdc
    contactor: Contactor
    residual: ResidualCurrent
    lock: Lock | None
    lamp: Lamp | None
    thermometer: Thermometer | None
    contactor_l23: Contactor | None = None
    earth_lost: Switch | None = None
    button: Switch | None = None
    bay: Switch | None = None


class ControlBoard(NamedTuple):
    """What control has of the board. feed None: software only. close releases everything."""

    evses: tuple[EvseBoard, ...]
    emergency_stop: Switch | None
    feed: Feed | None
    close: Callable[[], None]


class StationBoard(NamedTuple):
    """What the station has of the board. meters by EVSE id; readers: (reader, EVSE id or None for one reader for all).
    buttons, bays: the EVSEs that have a button, a bay sensor; control reads them."""

    meters: dict[int, Meter]
    readers: tuple[tuple[TokenReader, int | None], ...]
    buttons: tuple[int, ...] = ()
    bays: tuple[int, ...] = ()
