"""The faults a person can lay on one EVSE, each a row: what it does to the wire when it comes, and what undoes it. Must not know the firmware.

A fault may come later (`after_ms`) and go by itself (`for_ms`). The meter's and the reader's faults are only kept here; the world's meters and
readers ask for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import inf
from typing import TYPE_CHECKING, NamedTuple

from sim.plant.timeline import Due

if TYPE_CHECKING:
    from sim.plant.evse import Plant

ALL_POLES = (1, 2, 3)
OUTSIDE = frozenset({"meter_offline", "meter_garbage", "meter_frozen", "meter_nan", "meter_swapped", "reader_offline"})
"""Kept here, acted on by the world's meters and readers; never a reason to open the contactor under load."""
HOLD_CONTACTOR = frozenset({"contactor_weld", "coil_stuck_on", "mirror_stuck_open"})
LASTS_MS = {"pilot_spike": 5.0, "temperature_jump": 1000.0, "adc_reset": 0.0}
"""How long these last unless told otherwise; the others stay until they are taken away."""


class Details(NamedTuple):
    """What a fault may be given. value: volts, ohms, amperes, milliamperes, degrees or milliseconds, as the fault's row says."""

    phase: int | None = None
    value: float | None = None
    poles: tuple[int, ...] = ()

    def amount(self, default: float) -> float:
        return default if self.value is None else self.value

    def phases(self) -> Iterable[int]:
        return ALL_POLES if self.phase is None else (self.phase,)


PLAIN = Details()


class Active(NamedTuple):
    details: Details
    ends: Due | None


Act = Callable[["Plant", Details], None]


def _nothing(plant: Plant, details: Details) -> None:
    """The fault's effect is asked for where it matters."""


def _pilot(**values: object) -> Act:
    """Sets attributes of the pilot and works it out anew."""

    def act(plant: Plant, details: Details) -> None:
        for name, value in values.items():
            setattr(plant.pilot, name, value(details) if callable(value) else value)
        plant.pilot.settle()

    return act


def _pwm_stuck(plant: Plant, details: Details) -> None:
    plant.pilot.stuck_duty = plant.pilot.generated() if details.value is None else details.value / 100.0
    plant.pilot.settle()


def _car_again(plant: Plant, details: Details) -> None:
    plant.apply_load()


def _contactor(**values: object) -> Act:
    """Sets attributes of the contactor and works it out anew."""

    def act(plant: Plant, details: Details) -> None:
        for name, value in values.items():
            setattr(plant.contactor, name, value(details) if callable(value) else value)
        plant.contactor.settle()

    return act


def _weld_again(plant: Plant, details: Details) -> None:
    """Which poles are held: the union of the weld faults still there. A second contactor is held as a whole."""
    faults, contactor, second = plant.faults, plant.contactor, plant.contactor_l23
    main, open_main = faults.details("contactor_weld"), faults.details("contactor_stuck_open")
    welded, stuck = frozenset((main.poles or (1,)) if main else ()), frozenset((open_main.poles or ALL_POLES) if open_main else ())
    welded_l23, stuck_l23 = faults.active("contactor_l23_weld"), faults.active("contactor_l23_stuck_open")
    if second is None:
        welded, stuck = welded | frozenset((2, 3) if welded_l23 else ()), stuck | frozenset((2, 3) if stuck_l23 else ())
    else:
        second.welded, second.stuck_open = frozenset((2, 3) if welded_l23 else ()), frozenset(ALL_POLES if stuck_l23 else ())
        second.settle()
    contactor.welded, contactor.stuck_open = welded, stuck
    contactor.settle()


def _coil(**values: bool) -> Act:
    """Sets attributes of the coil's circuit."""

    def act(plant: Plant, details: Details) -> None:
        for name, value in values.items():
            setattr(plant, name, value)
        plant.drive_coil()

    return act


def _volts(default: float) -> Act:
    """Forces the mains of the phase given, or of all."""

    def act(plant: Plant, details: Details) -> None:
        plant.book()
        plant.power_path.forced_v.update(dict.fromkeys(details.phases(), details.amount(default)))
        plant.settle_power()

    return act


def _volts_back(plant: Plant, details: Details) -> None:
    plant.book()
    for phase in details.phases():
        plant.power_path.forced_v.pop(phase, None)
    plant.settle_power()


def _phase_lost(plant: Plant, details: Details) -> None:
    _volts(0.0)(plant, details._replace(phase=details.phase or 1, value=0.0))


def _phase_back(plant: Plant, details: Details) -> None:
    _volts_back(plant, details._replace(phase=details.phase or 1))


def _overdraw(plant: Plant, details: Details) -> None:
    if plant.car is not None:
        offered = max(plant.car.offer_a, 6.0)
        plant.car.forced_a = details.amount(max(offered * 1.3, offered + 4.0))
    plant.settle_power()


def _draw_again(plant: Plant, details: Details) -> None:
    if plant.car is not None:
        plant.car.forced_a = None
    plant.settle_power()


def _monitor(**values: bool) -> Act:
    def act(plant: Plant, details: Details) -> None:
        for name, value in values.items():
            setattr(plant.rcd, name, value)
        plant.rcd.settle()

    return act


def _lock(**values: bool) -> Act:
    def act(plant: Plant, details: Details) -> None:
        for name, value in values.items():
            setattr(plant.lock, name, value)
        plant.lock.hold()
        plant.feedback_changed()

    return act


def _proximity(default: float | None) -> Act:
    """Forces the resistance at the proximity contact; None: the cable's own."""

    def act(plant: Plant, details: Details) -> None:
        plant.pp_forced = None if default is None else details.amount(default)
        plant.judge.cable_changed()

    return act


def _pp_change(plant: Plant, details: Details) -> None:
    plant.pp_forced = details.amount(1500.0 if plant.pp_ohm() != 1500.0 else 680.0)
    plant.judge.cable_changed()


def _heat(plant: Plant, details: Details) -> None:
    plant.heat.forced_c = details.amount(85.0)


def _heat_back(plant: Plant, details: Details) -> None:
    plant.heat.forced_c = None


def _jump(plant: Plant, details: Details) -> None:
    plant.heat.jump_k = details.amount(50.0)


def _jump_back(plant: Plant, details: Details) -> None:
    plant.heat.jump_k = 0.0


def _stop(plant: Plant, details: Details) -> None:
    plant.on_stop()


_free = _pilot(short_ohm=None)
_joined = _pilot(cut=False)

ROWS: dict[str, tuple[Act, Act]] = {
    # pilot
    "diode": (_car_again, _car_again),
    "cp_short": (_pilot(short_ohm=lambda details: details.amount(0.0)), _free),
    "cp_open": (_pilot(cut=True), _joined),
    "pilot_noise": (_pilot(noise_v=lambda details: details.amount(0.5)), _pilot(noise_v=0.0)),
    "pilot_spike": (_pilot(spike_v=lambda details: details.amount(6.0)), _pilot(spike_v=0.0)),
    "pilot_offset": (_pilot(offset_v=lambda details: details.amount(1.0)), _pilot(offset_v=0.0)),
    "pwm_stuck": (_pwm_stuck, _pilot(stuck_duty=None)),
    "pwm_lost": (_pilot(pwm_lost=True), _pilot(pwm_lost=False)),
    # ADC: the board's bus asks
    "i2c_stuck": (_nothing, _nothing),
    "adc_lost": (_nothing, _nothing),
    "adc_frozen": (_nothing, _nothing),
    "adc_reset": (lambda plant, details: plant.reset_adc(), _nothing),
    # power path
    "contactor_weld": (_weld_again, _weld_again),
    "contactor_stuck_open": (_weld_again, _weld_again),
    "contactor_l23_weld": (_weld_again, _weld_again),
    "contactor_l23_stuck_open": (_weld_again, _weld_again),
    "coil_stuck_on": (_coil(coil_stuck=True), _coil(coil_stuck=False)),
    "relay_supply_lost": (_coil(relay_lost=True), _coil(relay_lost=False)),
    "mirror_stuck_open": (_contactor(mirror_stuck=False), _contactor(mirror_stuck=None)),
    "mirror_stuck_closed": (_contactor(mirror_stuck=True), _contactor(mirror_stuck=None)),
    "over_current": (_overdraw, _draw_again),
    "under_voltage": (_volts(190.0), _volts_back),
    "over_voltage": (_volts(265.0), _volts_back),
    "phase_loss": (_phase_lost, _phase_back),
    "pe_loss": (_pilot(cut=True), _joined),
    # residual current
    "rcd_trip": (lambda plant, details: plant.rcd.leak(details.amount(30.0)), lambda plant, details: plant.rcd.leak(0.0)),
    "rcd_stuck": (_monitor(dead=True), _monitor(dead=False)),
    "rcd_stuck_tripped": (_monitor(stuck_tripped=True), _monitor(stuck_tripped=False)),
    "rcd_noise": (lambda plant, details: plant.rcd.noise(details.amount(1.0) / 1000.0), lambda plant, details: plant.rcd.noise(None)),
    # heat
    "over_temperature": (_heat, _heat_back),
    "temperature_sensor_lost": (_nothing, _nothing),
    "temperature_jump": (_jump, _jump_back),
    # cable
    "lock_jam": (_lock(jammed=True), _lock(jammed=False)),
    "lock_stuck_locked": (_lock(stuck_locked=True), _lock(stuck_locked=False)),
    "lock_feedback_lost": (_lock(feedback_lost=True), _lock(feedback_lost=False)),
    "pp_open": (_proximity(inf), _proximity(None)),
    "pp_short": (_proximity(0.0), _proximity(None)),
    "pp_change": (_pp_change, _proximity(None)),
    # board
    "emergency_stop": (_stop, _stop),
    **dict.fromkeys(sorted(OUTSIDE), (_nothing, _nothing)),
}
TIMED = frozenset({"over_current", "i2c_stuck"})
"""Faults whose coming is itself the change that a reaction is timed from; the others show on the wire."""


class Faults:
    """The faults on one EVSE now, and when one last was there."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self._active: dict[str, Active] = {}
        self._coming: dict[str, Due] = {}
        self._last_s = -inf

    def lay(self, name: str, details: Details = PLAIN, after_ms: float = 0.0, for_ms: float | None = None) -> None:
        """Lays a fault on, now or later, for good or for a time. A fault that is there is replaced. Raises KeyError for an unknown name."""
        if name not in ROWS:
            raise KeyError(f"no fault {name!r}; there are {', '.join(sorted(ROWS))}")
        coming = self._coming.pop(name, None)
        if coming is not None:
            coming.cancel()
        if after_ms > 0.0:
            self._coming[name] = self._plant.timeline.after(after_ms / 1000.0, lambda: self._begin(name, details, for_ms))
        else:
            self._begin(name, details, for_ms)

    def lift(self, name: str) -> bool:
        """Takes a fault away, also one that is still to come. Returns whether there was one. Raises KeyError for an unknown name."""
        row = ROWS[name]
        coming = self._coming.pop(name, None)
        if coming is not None:
            coming.cancel()
        active = self._active.pop(name, None)
        if active is None:
            return coming is not None
        if active.ends is not None:
            active.ends.cancel()
        self._last_s = self._plant.timeline.now if name not in OUTSIDE else self._last_s
        row[1](self._plant, active.details)
        if name in TIMED:
            self._plant.timings.drop(name)
        self._plant.judge.settle()
        self._plant.changed("fault", fault=name, active=False)
        return True

    def names(self) -> list[str]:
        return sorted(self._active)

    @property
    def any(self) -> bool:
        return bool(self._active)

    def active(self, name: str) -> bool:
        return name in self._active

    @property
    def holds_contactor(self) -> bool:
        """Whether a fault keeps the contactor, or what its mirror contact says of it, from opening."""
        poles_23 = self._plant.contactor_l23 is None and "contactor_l23_weld" in self._active
        return poles_23 or not HOLD_CONTACTOR.isdisjoint(self._active)

    def details(self, name: str) -> Details | None:
        active = self._active.get(name)
        return active.details if active else None

    def within(self, seconds: float) -> bool:
        """Whether a fault that may open the contactor is there, or was so lately."""
        return any(name not in OUTSIDE for name in self._active) or self._plant.timeline.now - self._last_s <= seconds

    def apply_to_car(self) -> None:
        """A car has come: what lies on the EVSE acts on it too."""
        over = self.details("over_current")
        if over is not None:
            _overdraw(self._plant, over)

    def _begin(self, name: str, details: Details, for_ms: float | None) -> None:
        self.lift(name)
        plant = self._plant
        for_ms = LASTS_MS.get(name) if for_ms is None else for_ms
        ends = plant.timeline.after(for_ms / 1000.0, lambda: self._end(name)) if for_ms is not None else None
        self._active[name] = Active(details, ends)
        if name in TIMED:
            plant.timings.note(name, plant.contactor.energised)
        ROWS[name][0](plant, details)
        plant.judge.settle()
        plant.changed("fault", fault=name, active=True)

    def _end(self, name: str) -> None:
        self.lift(name)
