"""Each worry a small function: is its cause there in this turn? Must not know what follows; that stands in the fault catalogue.

M marks a figure taken from general knowledge of the standards, to be checked against their text.
"""

from __future__ import annotations

from collections.abc import Callable

from chargepoint.control.electrics import DIODE_V, LEVELS
from chargepoint.control.supply_guard import SUPPLY_GUARDS
from chargepoint.control.watch import Watch
from chargepoint.model.pilot import PilotState

JUDGE_S = 0.02
"""The low plateau is judged only when PWM has been commanded for so long."""
NAMING_S = 0.1
"""A lost low plateau opens at once and is named so much later, when the high peak has told diode from short."""
NO_NEGATIVE_HALF_V = -3.0
"""A low peak above this: there is no negative half at all, so the generator is to blame and not the car's diode."""
PWM_RETRY_S = 10.0
X1_SETTLES_S = 0.5
"""At X1 the low peak has emptied after so long; one still dark means that the generator does not obey."""
READING_S, CALM_READING_S = 0.05, 0.2
"""No longer without a reading of the pilot: ten turns; more while nothing is offered or closed."""
LOW_TURNS = 10
"""Turns in a row without a reading of the low plateau: what shows the diode is not known any more."""
VAGUE_S = 0.3
"""Nothing stands still for so long: longer than a car in C takes to be seen after a spike."""
VENTILATION_S = 0.2
MIRROR_S = 0.15
"""Contacts prove within this that they follow the coil (drop-out and pull-in are 5 to 40 ms)."""
DROPPED_S = 0.02
"""A closed contactor whose mirror contact says open for so long has dropped out: longer than bounce."""
TRIES = 3
RETRIES = 5
"""Openings by faults after which a plug-in may still be closed again."""
LOCK_LOST_TURNS = 3
PROXIMITY_S = 0.5
HOT_C, COOL_C = 80.0, 75.0
DERATE_FROM_C = 65.0
SENSOR_S = 5.0

DRAWING = (PilotState.B, PilotState.C, PilotState.D)
SHORT_V = next(high for state, _, high in LEVELS if state is PilotState.E)


def diode(watch: Watch) -> bool:
    """IEC 61851-1 A.4: the car's diode keeps the low plateau at -12 V."""
    return watch.suspect_name == "diode"


def pilot_short(watch: Watch) -> bool:
    """State E, or a lost low plateau whose high peak went with it."""
    return watch.pilot is PilotState.E or watch.suspect_name == "pilot_short"


def pilot_implausible(watch: Watch) -> bool:
    """No level stands still, though the ADC answers."""
    return watch.pilot is PilotState.IMPLAUSIBLE and watch.now - watch.pilot_since >= VAGUE_S and not _unread(watch)


def pilot_lost(watch: Watch) -> bool:
    """The pilot cannot be read, or the generator does not do what it was told."""
    dark = watch.pilot is PilotState.F or (
        not watch.pwm and watch.low_v <= DIODE_V and min(watch.now, watch.low_at) - watch.pwm_since >= X1_SETTLES_S
    )
    disobeys = dark and watch.now >= watch.dark_until
    return _unread(watch) or watch.duty_lost or disobeys or watch.now < watch.pwm_dead_until


def residual_current(watch: Watch) -> bool:
    """IEC 62955: tripped on two equal reads, in every state, never blanked; a test's own trip is the test's business."""
    return watch.tripped and not watch.testing


def residual_test_failed(watch: Watch) -> bool:
    return watch.test_failed


def emergency_stop(watch: Watch) -> bool:
    return watch.emergency


def contactor_welded(watch: Watch) -> bool:
    """The mirror contact (IEC 60947-4-1 Annex F) does not say open, though the coil is off; or the meter sees current that nobody commands."""
    if watch.current_uncommanded:
        return True
    return not watch.coil and not watch.mirror_closed and watch.now - max(watch.coil_since, watch.mirror_since) >= MIRROR_S


def contactor_stuck_open(watch: Watch) -> bool:
    return watch.tries >= TRIES


def coil_without_contacts(watch: Watch) -> bool:
    """The coil is on and the contacts are open: not closed in time, or dropped out since."""
    patience_s = DROPPED_S if watch.closed else MIRROR_S
    return watch.coil and watch.mirror_closed and watch.now - max(watch.coil_since, watch.mirror_since) >= patience_s


def contactor_l23_welded(watch: Watch) -> bool:
    """The second mirror contact does not say open though its coil is off, or current flows on phases 2 and 3."""
    held = not watch.coil_l23 and not watch.mirror_l23_closed
    return watch.second and (watch.l23_flows or (held and watch.now - max(watch.coil_l23_since, watch.mirror_l23_since) >= MIRROR_S))


def contactor_l23_stuck_open(watch: Watch) -> bool:
    return watch.tries_l23 >= TRIES


def phases_missing(watch: Watch) -> bool:
    """A car that has drawn on three phases draws on one, with three connected."""
    return watch.phases_missing


def lock_failed(watch: Watch) -> bool:
    return watch.lock_failed


def unlock_failed(watch: Watch) -> bool:
    return watch.unlock_failed


def lock_lost(watch: Watch) -> bool:
    """The feedback went while the contactor was closed."""
    return watch.lock_lost_turns >= LOCK_LOST_TURNS


def proximity_missing(watch: Watch) -> bool:
    """IEC 61851-1 Table B.2: no rating, no offer."""
    return watch.cable_missing_since > 0.0 and watch.now - watch.cable_missing_since >= PROXIMITY_S


def proximity_changed(watch: Watch) -> bool:
    """Another coding than when the plug was locked."""
    return watch.cable_held_a is not None and watch.cable_a != watch.cable_held_a


def over_temperature(watch: Watch) -> bool:
    return watch.hot


def temperature_sensor_lost(watch: Watch) -> bool:
    return watch.thermometer and watch.now - watch.temperature_at >= SENSOR_S


def ventilation(watch: Watch) -> bool:
    """A car in D where D is refused; shorter than VENTILATION_S it is a fall passing by."""
    return watch.pilot is PilotState.D and not watch.d_allowed and watch.now - watch.pilot_since >= VENTILATION_S


def outputs_contradicted(watch: Watch) -> bool:
    """Coil or pilot show something else than was commanded, by the second look."""
    return watch.contradicted


def retries_used_up(watch: Watch) -> bool:
    """Opened by faults too often while the same car was plugged in."""
    return watch.fault_openings > RETRIES


GUARDS: tuple[Callable[[Watch], bool], ...] = (
    diode,
    pilot_short,
    pilot_implausible,
    pilot_lost,
    residual_current,
    residual_test_failed,
    emergency_stop,
    contactor_welded,
    contactor_stuck_open,
    lock_failed,
    unlock_failed,
    lock_lost,
    proximity_missing,
    proximity_changed,
    over_temperature,
    temperature_sensor_lost,
    ventilation,
    retries_used_up,
    outputs_contradicted,
    *SUPPLY_GUARDS,
    contactor_l23_welded,
    contactor_l23_stuck_open,
    phases_missing,
)
"""Each function's name is its fault's name in the catalogue; its place is its bit."""

NAMES = tuple(guard.__name__ for guard in GUARDS)


def causes(watch: Watch) -> int:
    """The causes there in this turn, a bit each."""
    bits = 0
    bit = 1
    for guard in GUARDS:
        if guard(watch):
            bits |= bit
        bit <<= 1
    return bits


def suspect(watch: Watch) -> None:
    """Follows a low plateau that is lost while PWM is on: suspicion opens at once, its name comes when the high peak has told. A pilot that stands
    in E has told: what a spike on the short made of the high peak blames nobody else."""
    watch.suspect_name = ""
    if watch.pilot is PilotState.E:
        watch.suspect_since = watch.pwm_dead_until = 0.0
        return
    judged = watch.pwm and watch.low_at - watch.pwm_since >= JUDGE_S
    if watch.suspect_since == 0.0:
        if judged and watch.low_v > DIODE_V:
            watch.suspect_since = watch.now
    elif judged and watch.low_v <= DIODE_V:
        watch.suspect_since = 0.0
    elif watch.now - watch.suspect_since >= NAMING_S:
        watch.suspect_since = 0.0
        _name(watch)


def feel(watch: Watch, at: float, celsius: float) -> None:
    """Follows the temperature: too hot from HOT_C on, until it has cooled below COOL_C."""
    watch.temperature_at, watch.temperature_c = at, celsius
    watch.hot = celsius >= (COOL_C if watch.hot else HOT_C)


def _name(watch: Watch) -> None:
    if watch.high_v <= SHORT_V:
        watch.suspect_name = "pilot_short"
    elif watch.low_v > NO_NEGATIVE_HALF_V:
        watch.pwm_dead_until = watch.now + PWM_RETRY_S
    else:
        watch.suspect_name = "diode"


def _unread(watch: Watch) -> bool:
    high_lost = watch.now - watch.high_at >= (READING_S if watch.pwm or watch.coil else CALM_READING_S)
    return high_lost or watch.low_unread_turns >= LOW_TURNS
