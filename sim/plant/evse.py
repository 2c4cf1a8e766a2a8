"""One EVSE of the world: its pilot, contactor, lock, monitor, heat and power, wired together, with the car on the end of it.

Must not know pins, sockets or what the firmware intends: outputs come as "coil on", inputs are asked as "mirror closed".
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from pathlib import Path
from typing import Any

import msgspec

from chargepoint.settings import BoardSim
from chargepoint.settings import Evse as EvseSettings
from sim.car import Car
from sim.ev import Ev
from sim.plant.bay import Bay
from sim.plant.breaker import Breaker
from sim.plant.button import Button
from sim.plant.contactor import Contactor, RelaySupply
from sim.plant.faults import Faults
from sim.plant.heat import Heat
from sim.plant.judge import Judge
from sim.plant.lock import RELEASE_AFTER_POWER_LOSS_S, Lock
from sim.plant.pilot import Pilot, Wire
from sim.plant.power import NONE, Power, Triple
from sim.plant.proximity import coding_ohm
from sim.plant.rcd import ResidualMonitor
from sim.plant.timeline import Due, Timeline
from sim.plant.timings import Timings
from sim.plant.trace import Moment, Trace
from sim.vehicles import ev_from

Emit = Callable[[str, dict[str, Any]], None]
UNDER_LOAD_A = 1.0
CONTROL_LOST = {"killed": "control_killed", "stopped": "control_stopped", "hung": "loop_hung"}


class Plant:
    """`emit` hears of every change as (kind, values). board_max_a: what the power path is built for; config_dir: where own vehicles lie."""

    def __init__(
        self,
        timeline: Timeline,
        settings: EvseSettings,
        figures: BoardSim,
        supply: RelaySupply,
        board_max_a: float,
        config_dir: Path,
        emit: Emit,
    ) -> None:
        self.timeline = timeline
        self.settings = settings
        self.figures = figures
        self.supply = supply
        self.max_a = min(settings.max_current_a, board_max_a)
        self._config_dir = config_dir
        self._emit = emit
        self.pilot = Pilot(timeline, figures.peak_rise_ms / 1000.0, figures.peak_fall_ms / 1000.0)
        self.contactor = Contactor(
            timeline, figures.contactor_in_ms / 1000.0, figures.contactor_out_ms / 1000.0, figures.contactor_bounce_ms / 1000.0
        )
        self.contactor_l23 = self._second() if figures.phase_switching else None
        self.breaker = Breaker(timeline) if figures.shunt_trip else None
        self.button = Button(timeline) if figures.start_button else None
        self.bay = Bay() if figures.bay_sensor else None
        self.lock = Lock(timeline)
        self.rcd: ResidualMonitor = ResidualMonitor(timeline, figures.rcd_cuts_coil)
        self.heat = Heat(timeline)
        self.power_path = Power(timeline, settings.phases)
        self.car: Car | None = None
        self.connector = 1
        self.has_lock = True
        self.cable_a: float | None = None
        self.pp_forced: float | None = None
        self.powered = False
        self.fed = False
        self.coil_pin = self.coil_l23_pin = False
        self.coil_stuck = False
        self.relay_lost = False
        self.under_load = 0
        self.reset_adc: Callable[[], None] = lambda: None
        self.stop_pressed: Callable[[], bool] = lambda: False
        self.opening_failed: Callable[[], bool] = lambda: False
        self.on_stop: Callable[[], None] = lambda: None
        self.lamp: dict[str, bool] = {"green": False, "blue": False, "red": False}
        self._parked: Car | None = None
        self._battery_due: Due | None = None
        self.trace = Trace()
        self.judge = Judge(self)
        self.timings = Timings(timeline)
        self.faults = Faults(self)
        self.pilot.on_change = self._wire_changed
        self.contactor.on_change = self._contacts_changed
        self.rcd.on_change = self._rcd_changed
        if self.breaker is not None:
            self.breaker.on_change = self._breaker_changed
        self.lock.on_move = self._bolt_moves
        self.lock.on_change = self._lock_changed

    # what the board does -------------------------------------------------------------------------------------------------------------

    def power(self, on: bool, mains: bool = True) -> None:
        """The board, and the mains with it unless they are switched off before the contactor, gets or loses its power: coil and pilot at 0."""
        self.book()
        self.powered = self.pilot.powered = on
        self.fed = on and mains
        self._feed()
        self.coil_pin = self.coil_l23_pin = False
        self.rcd.test(False)
        self.lock.drive(False, False)
        self.lamp = dict.fromkeys(self.lamp, False)
        self.judge.power_changed()
        if not on and self.figures.lock_on_power_loss == "open":
            self.timeline.after(RELEASE_AFTER_POWER_LOSS_S, self._release_lock)
        self._mains_changed()
        self.pilot.settle()
        self.drive_coil()

    def _release_lock(self) -> None:
        if not self.powered:
            self.lock.release()

    def set_duty(self, duty: float) -> None:
        """The generator's duty, 0.0 (steady -12 V) to 1.0 (steady +12 V)."""
        self.pilot.duty = duty
        self.pilot.settle()

    def set_coil(self, on: bool) -> None:
        """The coil's output."""
        if on != self.coil_pin:
            self.coil_pin = on
            if on:
                self.judge.coil_commanded()
            self.drive_coil()
            self.judge.settle()

    def set_coil_l23(self, on: bool) -> None:
        """The second coil's output."""
        if on != self.coil_l23_pin:
            self.coil_l23_pin = on
            self.judge.second_commanded(on)
            self.drive_coil()

    def set_shunt_trip(self, on: bool) -> None:
        """The output that releases the breaker."""
        if self.breaker is not None:
            self.breaker.trip(on)

    def set_test(self, on: bool) -> None:
        """The monitor's test input."""
        if on and not self.rcd.testing:
            self.judge.test_begins()
        self.rcd.test(on)

    def drive_coil(self) -> None:
        """Works out whether the coil has current."""
        was = self.contactor.energised
        supplied = self.powered and self.supply.up and not self.relay_lost
        on = supplied and (self.coil_pin or self.coil_stuck) and not self.rcd.cuts
        self.contactor.energise(on)
        if self.contactor_l23 is not None:
            self.contactor_l23.energise(supplied and self.coil_l23_pin and not self.rcd.cuts)
        if on != was:
            self.timings.coil(on)
            if not on:
                self.judge.coil_off()
            self.changed("coil", coil=on)

    def control_lost(self, word: str) -> None:
        """The control process was "killed", "stopped" or "hung"."""
        self.judge.control_lost(word)
        self.timings.note(CONTROL_LOST[word], self.contactor.energised)

    def control_back(self) -> None:
        """The control process runs (again)."""
        self.judge.control_back()
        for cause in CONTROL_LOST.values():
            self.timings.drop(cause)

    # what people do ------------------------------------------------------------------------------------------------------------------

    def plug_in(self, connector: int, keys: dict[str, Any]) -> None:
        """A car comes, with its cable where the connector is a socket. Raises ValueError when one is there or there is no such connector,
        KeyError or msgspec.ValidationError when the car's keys are wrong."""
        if self.plugged:
            raise ValueError(f"connector {self.connector} of EVSE {self.settings.id} is occupied")
        if not 1 <= connector <= len(self.settings.connectors):
            raise ValueError(f"EVSE {self.settings.id} has no connector {connector}")
        ev = ev_from(keys, self._config_dir)
        self.connector = connector
        self.cable_a = None if self.tethered else ev.cable_a
        self._attach(self._new_car(ev))

    def unplug(self, connector: int | None = None) -> bool:
        """Cable and car go, from that connector (None: whichever it is). Returns whether there was anything."""
        if connector not in (None, self.connector):
            return False
        was = self.plugged
        self._parked = None
        self.cable_a = None
        self._detach()
        self.judge.cable_changed()
        if was:
            self.changed("unplugged")
        return was

    def ev_unplug(self) -> bool:
        """The car's end only: the cable stays in the socket."""
        if self.car is None:
            return False
        self._parked = self.car
        self._detach()
        self.changed("ev_unplugged")
        return True

    def ev_plug(self) -> bool:
        """The car that was unplugged at its end, or a default one, comes back to the cable. Raises ValueError without a cable."""
        if self.car is not None:
            return False
        if not self.plugged:
            raise ValueError(f"no cable in EVSE {self.settings.id}")
        former, self._parked = self._parked, None
        ev = former.ev if former else Ev()
        car = self._new_car(ev)
        if former is not None:
            car.battery = former.battery
        self._attach(car)
        return True

    def change_ev(self, keys: dict[str, Any]) -> None:
        """Changes the car that is plugged in. Raises ValueError without one, KeyError or msgspec.ValidationError for wrong keys."""
        if self.car is None:
            raise ValueError(f"no car at EVSE {self.settings.id}")
        self.book()
        base = msgspec.structs.replace(self.car.ev, energy_wh=self.car.battery.energy_wh, soc_percent=None)
        self.car.change(ev_from(keys, self._config_dir, base))
        self.apply_load()
        self.changed("ev")

    # what can be seen ----------------------------------------------------------------------------------------------------------------

    @property
    def tethered(self) -> bool:
        """Whether the connector has a cable of its own (no socket, no lock, no coding)."""
        return not self.settings.connectors[self.connector - 1].startswith("s")

    @property
    def needs_lock(self) -> bool:
        """Whether the outlet may be live only with the bolt in the plug."""
        return self.has_lock and not self.tethered

    @property
    def plugged(self) -> bool:
        """Whether a plug is in the socket, or the tethered cable in a car."""
        return self.cable_a is not None or self.car is not None or (self.tethered and self._parked is not None)

    @property
    def cable(self) -> bool:
        """Whether there is a cable at the outlet."""
        return self.tethered or self.cable_a is not None

    def live(self) -> bool:
        """Whether the outlet has mains."""
        return self.power_path.mains and any(self.contactor.contacts)

    def pp_ohm(self) -> float:
        """The resistance at the proximity contact; inf: open."""
        if self.pp_forced is not None:
            return self.pp_forced
        return inf if self.cable_a is None else coding_ohm(self.cable_a)

    def breaker_word(self) -> str | None:
        """None: the board has no breaker that it could release."""
        return None if self.breaker is None else "closed" if self.breaker.closed else "open"

    def moment(self) -> Moment:
        wire = self.pilot.wire
        return Moment(
            self.timeline.now,
            wire.word,
            wire.high_v,
            wire.low_v,
            wire.duty * 100.0,
            self.contactor.energised,
            self.supply.up and not self.relay_lost,
            self.contactor.contacts,
            self.lock.word(),
            self.cable,
        )

    # how changes spread --------------------------------------------------------------------------------------------------------------

    def changed(self, kind: str, **values: Any) -> None:
        """Something changed: it is kept in the trace and told."""
        self.trace.note(self.moment())
        self._emit(kind, values)

    def settle_power(self) -> None:
        """Volts or currents may have changed: books the energy and works them out anew."""
        self.book()
        self._mains_changed()

    def _feed(self) -> None:
        """Whether the mains reach the contactor."""
        self.power_path.mains = self.fed and (self.breaker is None or self.breaker.closed)

    def _breaker_changed(self) -> None:
        self.book()
        self._feed()
        self._mains_changed()
        self.changed("breaker", breaker=self.breaker_word())

    def _second(self) -> Contactor:
        """A second contactor in series with poles 2 and 3 of the first."""
        figures = self.figures
        second = Contactor(self.timeline, figures.contactor_in_ms / 1000.0, figures.contactor_out_ms / 1000.0, figures.contactor_bounce_ms / 1000.0)
        second.on_change = self._second_changed
        self.contactor.second = second
        self.contactor.settle()
        return second

    def _second_changed(self, former: tuple[bool, bool, bool]) -> None:
        self.contactor.settle()
        if self.contactor_l23 is not None:
            self.changed("contactor_l23", contacts=list(self.contactor_l23.contacts[1:]))

    def _new_car(self, ev: Ev) -> Car:
        return Car(self.timeline, ev, self.apply_load, self._draw_changed)

    def _attach(self, car: Car) -> None:
        self.car = car
        self.judge.cable_changed()
        self.apply_load()
        car.sense(*self.pilot.at_car())
        car.energised(self.live())
        self.faults.apply_to_car()
        self.changed("plugged", connector=self.connector)

    def _detach(self) -> None:
        self.book()
        car, self.car = self.car, None
        if car is not None:
            car.gone()
        self.power_path.current_a = NONE
        self.apply_load()
        self._draw_changed()

    def apply_load(self) -> None:
        self.pilot.load = self.car.load() if self.car is not None else None
        if self.pilot.load is not None and self.faults.active("diode"):
            self.pilot.load = self.pilot.load._replace(diode=False)
        self.pilot.settle()

    def _wire_changed(self, former: Wire) -> None:
        wire = self.pilot.wire
        self.timings.wire(former, wire, self.contactor.energised)
        self.judge.wire_changed(former)
        if self.car is not None:
            self.car.sense(*self.pilot.at_car())
        self.changed("pilot", state=wire.word, high_v=round(wire.high_v, 2), low_v=round(wire.low_v, 2), duty_percent=round(wire.duty * 100.0, 2))

    def _contacts_changed(self, former: tuple[bool, bool, bool]) -> None:
        self.book()
        contacts = self.contactor.contacts
        opened = [old and not new for old, new in zip(former, contacts, strict=True)]
        loaded = any(opens and amps > UNDER_LOAD_A for opens, amps in zip(opened, self.power_path.current_a, strict=True))
        self.under_load += loaded
        if not any(contacts):
            self.timings.contacts_open()
        self.judge.contacts_changed(former, loaded)
        self._mains_changed()
        self.changed("contactor", contacts=list(contacts), contactor="closed" if any(contacts) else "open")

    def _rcd_changed(self) -> None:
        if self.rcd.tripped and not self.rcd.in_test:
            self.timings.note("rcd_trip", self.contactor.energised)
        elif not self.rcd.tripped:
            self.timings.drop("rcd_trip")
        self.drive_coil()
        self.changed("rcd", tripped=self.rcd.tripped)

    def _bolt_moves(self) -> None:
        self.judge.bolt_moves()
        self.changed("lock", lock=self.lock.word())

    def feedback_changed(self) -> None:
        """The lock's feedback may have changed."""
        if not self.lock.feedback() and not self.tethered:
            self.timings.note("lock_lost", self.contactor.energised)
        else:
            self.timings.drop("lock_lost")

    def _lock_changed(self) -> None:
        self.feedback_changed()
        self.judge.settle()
        self.changed("lock", lock=self.lock.word())

    def _mains_changed(self) -> None:
        self.power_path.contacts = self.contactor.contacts
        self.judge.settle()
        if self.car is not None:
            self.car.energised(self.live())
        self._draw_changed()

    def _draw_changed(self) -> None:
        """Books what the former currents took, then sets the present ones."""
        self.book()
        amps = self.car.draw_a() if self.car is not None else 0.0
        phases = min(self.car.ev.phases, self.settings.phases) if self.car is not None else 0
        one, two, three = (
            amps if phase <= phases and volts > 0.0 else 0.0 for phase, volts in zip((1, 2, 3), self.power_path.outlet_v(), strict=True)
        )
        current: Triple = (one, two, three)
        if current != self.power_path.current_a:
            self.power_path.current_a = current
            self.heat.load(max(current))
            self._emit("current", {"current_a": list(current)})
        self._expect_change()

    def book(self) -> None:
        taken_wh = self.power_path.book()
        if self.car is not None and taken_wh:
            self.car.battery.take(taken_wh)

    def _expect_change(self) -> None:
        if self._battery_due is not None:
            self._battery_due.cancel()
            self._battery_due = None
        left = self.car.battery.until_change_wh() if self.car is not None else None
        seconds = inf if left is None else self.power_path.seconds_for(left)
        if seconds < inf:
            self._battery_due = self.timeline.after(seconds, self._battery_changed)

    def _battery_changed(self) -> None:
        self._battery_due = None
        self.book()
        if self.car is None:
            return
        if self.car.battery.full:
            self.car.filled()
        self._draw_changed()
