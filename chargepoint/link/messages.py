"""The messages between the two processes. Three kinds: states (latest wins, complete in themselves), edges (numbered, replayed until
acknowledged), orders (an id, done once, a typed answer). Must not know sockets, control or station.

All times are CLOCK_BOOTTIME seconds, all currents amperes per phase.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

VERSION = 4
MAX_BYTES = 16384
NO_MESSAGE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for bytes that are no message: beside its own error those of a text that is no UTF-8 and of a nesting without end."""


class Hello(msgspec.Struct, frozen=True, tag=True):
    """First message in each direction. acknowledged: the last edge of control's present start that the station has written down (0: none);
    start: control's number of its own start (random), so that an old acknowledgement is not taken for a new one."""

    version: int
    start: int = 0
    acknowledged: int = 0


class Permit(msgspec.Struct, frozen=True, tag=True):
    """State, station to control: this plug-in may draw limit_a until the moment `until` (30 s ahead at most). limit_a below 6: no offer.
    wish_a: what surplus, price or the owner's schedule would rather have it draw (None: no such wish); the only pause that may become 6 A.
    limit_1p_a, wish_1p_a: the same while only phase 1 is connected; limit_1p_a None: no difference."""

    evse: int
    plug_in: int
    limit_a: float
    until: float
    wish_a: float | None = None
    limit_1p_a: float | None = None
    wish_1p_a: float | None = None


class LockWish(msgspec.Struct, frozen=True, tag=True):
    """State, station to control: whether the plug is to be held. Control never unlocks before the contactor is proven open."""

    evse: int
    locked: bool


class PhaseWish(msgspec.Struct, frozen=True, tag=True):
    """State, station to control: how many phases are to be connected, 1 or 3. within: also after this car has drawn on another number, which not
    every car survives; rest_s: how long it then sees X1 (control keeps a shortest time of its own)."""

    evse: int
    phases: int
    within: bool = False
    rest_s: float = 60.0


class LampWish(msgspec.Struct, frozen=True, tag=True):
    """State, station to control: what the lamp shows unless control has something to say itself. pattern: a `LampPattern` word."""

    evse: int
    pattern: str


class Sample(msgspec.Struct, frozen=True, tag=True):
    """State, station to control: the meter's last reading. at: when it was measured; good False: the meter is silent since `at`. energy_wh: the
    import register as read."""

    evse: int
    at: float
    good: bool
    current_a: tuple[float | None, float | None, float | None]
    voltage_v: tuple[float | None, float | None, float | None]
    energy_wh: float | None = None
    power_w: float | None = None


class Acknowledge(msgspec.Struct, frozen=True, tag=True):
    """Station to control: every edge up to `number` is written down."""

    number: int


class OrderKind(StrEnum):
    UNLOCK = "unlock"
    CLEAR_FAULT = "clear_fault"
    SELF_TEST = "self_test"
    RESET_EVSE = "reset_evse"
    WAKE = "wake"


class WakeKind(StrEnum):
    """What wakes a car that sleeps. X1_BREAK: the offer is taken away, then made again. STATE_F: the pilot goes to -12 V, to X1, then the offer."""

    X1_BREAK = "x1_break"
    STATE_F = "state_f"


class Order(msgspec.Struct, frozen=True, tag=True):
    """Station to control. id: unique per order; one id is carried out once. fault, in_person: for CLEAR_FAULT; in_person: somebody on site
    gives it, else the CSMS does, who may less. wake, seconds: for WAKE, which is answered when its step is over."""

    id: int
    kind: OrderKind
    evse: int
    fault: str = ""
    wake: WakeKind | None = None
    seconds: float = 0.0
    in_person: bool = False


class OrderAnswer(msgspec.Struct, frozen=True, tag=True):
    """Control to station. text says why not."""

    id: int
    done: bool
    text: str = ""


class EdgeKind(StrEnum):
    """Facts in past tense. PLUGGED: the pilot left A (plug_in is new). UNPLUGGED: it came back to A. PILOT_CHANGED: value is the state word.
    CLOSED, OPENED: proven by the mirror contact; OPENED's value is the cause. FAULT_RAISED, FAULT_CLEARED: value is the fault's name.
    OFFERED: value is the amps now signalled, "0" for none. PERMIT_ENDED: value says why.
    BUTTON_PRESSED: a person at the EVSE."""

    PLUGGED = "plugged"
    UNPLUGGED = "unplugged"
    PILOT_CHANGED = "pilot_changed"
    CLOSED = "closed"
    OPENED = "opened"
    FAULT_RAISED = "fault_raised"
    FAULT_CLEARED = "fault_cleared"
    PERMIT_ENDED = "permit_ended"
    OFFERED = "offered"
    BUTTON_PRESSED = "button_pressed"


class Edge(msgspec.Struct, frozen=True, tag=True):
    """Control to station. number counts from 1 in each start of control; at: when it happened."""

    number: int
    at: float
    evse: int
    kind: EdgeKind
    plug_in: int
    value: str = ""


class EvseState(msgspec.Struct, frozen=True, tag=True):
    """State, control to station and to status readers: complete in itself, sent on change and at least once a second.

    pilot: a PilotState word; pwm: whether PWM is on; offered_a: what the duty says (0: X1 or F); offer_limit_by: who won control's minimum
    ("permit", "floor", "cable", "board", "rating", "single phase", "no state B", "heat", "meter", "soft start", "ramp", "": no offer); cable_a:
    rating of the cable now in the socket (None: tethered or none); cable: whether a plug is in the socket; permit: whether a permit is in force;
    faults: names from the catalogue; locked: feedback (None: no lock); testing: a self-test runs, no closing; since_plug_in: boot time of the last
    PLUGGED edge (0: in A); waking: a step that wakes the car runs; phases: how many are connected or will be at the next closing; switching: they
    change while the car waits; switches: how often in this plug-in; bay: whether the bay's sensor sees a car (None: no sensor, or not known);
    closings,
    openings_under_load: of the contactor, ever; tested_at, test_passed: the last residual-current test, seconds since 1970 (None: not known).
    """

    evse: int
    at: float
    plug_in: int
    pilot: str
    pwm: bool
    closed: bool
    offered_a: float
    offer_limit_by: str
    permit: bool
    cable: bool
    cable_a: float | None
    locked: bool | None
    faults: tuple[str, ...]
    testing: bool
    temperature_c: float | None
    since_plug_in: float
    waking: bool = False
    closings: int = 0
    openings_under_load: int = 0
    tested_at: float | None = None
    test_passed: bool | None = None
    phases: int = 3
    switching: bool = False
    switches: int = 0
    bay: bool | None = None


class LoopFigures(msgspec.Struct, frozen=True, tag=True):
    """State, control to station: the loop's own figures since its start."""

    periods: int
    missed: int
    late_p50_us: int
    late_p99_us: int
    late_p999_us: int
    late_max_us: int
    realtime: bool
    pid: int


ToControl = Hello | Permit | PhaseWish | LockWish | LampWish | Sample | Acknowledge | Order
ToStation = Hello | EvseState | Edge | OrderAnswer | LoopFigures
