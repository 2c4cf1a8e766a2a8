"""The simulated board: which pin, bus and PWM channel ends in which part of the world. Must not know sockets.

A pin that a process drives belongs to it until it lets go; another process gets EBUSY, as on a character device. What a pin does then is the
board's `on_release`. PWM channels belong to the kernel and outlive the process.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from errno import EBUSY, EINVAL, ENOENT, EREMOTEIO, ETIMEDOUT
from pathlib import Path
from random import Random
from typing import Any, Protocol

from chargepoint.settings import BoardSim
from chargepoint.settings import Evse as EvseSettings
from hal import spec
from sim.plant.ads1115 import Ads1115
from sim.plant.contactor import RelaySupply
from sim.plant.evse import Plant
from sim.plant.heat import Lm75
from sim.plant.proximity import divider_v
from sim.plant.timeline import Timeline
from sim.rig.pwm import PwmChip

STUCK_S = 0.02
"""How long a stuck bus blocks a transfer: the timeout set on the adapter."""
OVERHEAD_BITS = 2
ALIVE_AGAIN_S = 0.02
"""A pilot read later than this after control's loss is read by a control that runs again."""
PP_NOISE_V = 0.001
Get = Callable[[], bool]
Set = Callable[[bool], None]
Emit = Callable[[int, str, dict[str, Any]], None]


class I2cDevice(Protocol):
    """A chip on a bus. Transfers answer False or None when they are not acknowledged."""

    def write(self, data: bytes) -> bool: ...

    def read(self, length: int) -> bytes | None: ...


class Line:
    """An output pin's state: who drives it (None: nobody), its level, and where it ends."""

    __slots__ = ("act", "active_high", "level", "owner", "reset_high")

    def __init__(self, output: spec.Output, act: Set) -> None:
        self.act = act
        self.active_high = output.active == "high"
        self.reset_high = output.reset_pull == "up"
        self.level = self.reset_high
        self.owner: int | None = None

    @property
    def active(self) -> bool:
        return self.level == self.active_high

    def set(self, level: bool) -> None:
        if level != self.level:
            self.level = level
            self.act(self.active)


class Wiring:
    """The pins and buses of a board file, and what stands behind each."""

    def __init__(self) -> None:
        self.outputs: dict[int, Line] = {}
        self.inputs: dict[int, tuple[Get, bool]] = {}
        self.chips: dict[tuple[int, int], I2cDevice] = {}
        self.adc_of_bus: dict[int, tuple[Plant, Ads1115]] = {}
        self.coils: dict[int, Plant] = {}
        self.sensor_of: dict[tuple[int, int], tuple[Plant, Lm75]] = {}

    def output(self, output: spec.Output, act: Set) -> None:
        self.outputs[output.pin] = Line(output, act)

    def input(self, wire: spec.Input, get: Get) -> None:
        self.inputs[wire.pin] = (get, wire.active == "high")


class Board:
    """All EVSEs of one charge point on one board. Times of the timeline are those of its owner's clock. config_dir: where own vehicles lie."""

    def __init__(
        self,
        timeline: Timeline,
        board: spec.Board,
        evses: Sequence[EvseSettings],
        figures: BoardSim,
        config_dir: Path,
        emit: Emit,
        random: Random,
    ) -> None:
        self.timeline = timeline
        self.figures = figures
        self.on = False
        hold_s = figures.fed_hold_ms / 1000.0 if figures.relay_supply == "fed" and board.feed is not None else None
        self.supply = RelaySupply(timeline, hold_s)
        self.wiring = Wiring()
        self.plants: dict[int, Plant] = {}
        self._random = random
        channels: dict[tuple[str, int], Callable[[float], None]] = {}
        for settings, wired in zip(evses, board.evse, strict=False):
            plant = self._plant(settings, wired, config_dir, emit)
            self.plants[settings.id] = plant
            channels[wired.pwm.chip, wired.pwm.channel] = plant.set_duty
            self._wire_evse(plant, wired)
        self.supply.on_change = self._supply_changed
        self.pwm = {chip: PwmChip({n: act for (name, n), act in channels.items() if name == chip}) for chip in {name for name, _ in channels}}
        if board.feed is not None:
            self.wiring.output(board.feed.output, lambda active: self.supply.edge())
        if board.emergency_stop is not None:
            self.wiring.input(board.emergency_stop, self.stop_pressed)

    # power and processes -------------------------------------------------------------------------------------------------------------

    def power(self, on: bool, mains: bool = True) -> None:
        """Cuts or gives the board's power. Without it coil and pilot are at 0 and no pin means anything. mains: whether they reach the contactors."""
        self.on = on
        for line in self.wiring.outputs.values():
            line.owner = None
            line.level = line.reset_high
        for chip in self.pwm.values():
            chip.reset()
        for _, adc in self.wiring.adc_of_bus.values():
            adc.reset()
        self.supply.power(on)
        for plant in self.plants.values():
            plant.pilot.duty = 1.0
            plant.power(on, mains)

    def release(self, owner: int) -> None:
        """A process is gone, cleanly or not: its pins keep their level or fall back. One that held a coil on was control, killed."""
        for pin, plant in self.wiring.coils.items():
            if plant.coil_pin and self.wiring.outputs[pin].owner == owner:
                plant.control_lost("killed")
        for line in self.wiring.outputs.values():
            if line.owner == owner:
                line.owner = None
                if self.figures.on_release == "input":
                    line.set(line.reset_high)

    def station_back(self) -> None:
        """The station process opens its ports, so it runs (again)."""
        for plant in self.plants.values():
            plant.timings.station_gone = False

    def stop_pressed(self) -> bool:
        """Whether the emergency stop is pressed."""
        return any(plant.faults.active("emergency_stop") for plant in self.plants.values())

    def opening_failed(self) -> bool:
        """Whether a mirror contact does not follow a coil that is off: reason enough to let the supply of all coils fall."""
        return any(not plant.coil_pin and plant.faults.holds_contactor and not plant.contactor.mirror_closed() for plant in self.plants.values())

    # pins ----------------------------------------------------------------------------------------------------------------------------

    def claim(self, owner: int, pin: int, level: bool) -> int:
        """Makes a pin an output with a level; one that ends nowhere may be driven too. Returns 0, EBUSY, or EINVAL for what drives against it."""
        if pin in self.wiring.inputs:
            return EINVAL
        line = self.wiring.outputs.setdefault(pin, Line(spec.Output(pin=pin), _nowhere))
        if line.owner not in (None, owner):
            return EBUSY
        line.owner = owner
        self._write(line, level)
        return 0

    def let_go(self, owner: int, pin: int) -> int:
        """Makes a pin an input. Returns 0."""
        line = self.wiring.outputs.get(pin)
        if line is not None and line.owner == owner:
            line.owner = None
            self._write(line, line.reset_high)
        return 0

    def write(self, owner: int, pin: int, level: bool) -> None:
        """Sets an output; nothing happens on a pin that is not the owner's."""
        line = self.wiring.outputs.get(pin)
        if line is not None and line.owner == owner:
            self._write(line, level)

    def read(self, pin: int) -> bool:
        """The level at a pin; an unconnected pin reads low."""
        wired = self.wiring.inputs.get(pin)
        if wired is not None:
            return self.on and wired[0]() == wired[1]
        line = self.wiring.outputs.get(pin)
        return line is not None and line.level

    def _write(self, line: Line, level: bool) -> None:
        if self.on:
            line.set(level)

    # I2C -----------------------------------------------------------------------------------------------------------------------------

    def i2c(self, bus: int, messages: Sequence[tuple[int, int, bytes]]) -> tuple[int, float, bytes]:
        """One combined transaction of (address, length to read or 0, data to write). Returns an errno or 0, how long it occupies the bus in
        seconds, and what was read."""
        stuck = self._trouble(bus)
        if stuck:
            return ETIMEDOUT, STUCK_S, b""
        bits, answer = 0, b""
        for address, length, data in messages:
            bits += 9 * (1 + length + len(data)) + OVERHEAD_BITS
            chip = self.wiring.chips.get((bus, address))
            read = b"" if chip is not None and not length and chip.write(data) else chip.read(length) if chip is not None and length else None
            if read is None:
                return EREMOTEIO, bits / self.figures.i2c_hz, b""
            answer += read
        return 0, bits / self.figures.i2c_hz, answer

    def _trouble(self, bus: int) -> bool:
        """Lets the faults act on the chips of a bus; returns whether the bus is stuck."""
        adc = self.wiring.adc_of_bus.get(bus)
        if adc is not None:
            plant, chip = adc
            if plant.judge.control_word != "running" and self.timeline.now - plant.judge.control_lost_at > ALIVE_AGAIN_S:
                plant.control_back()
            if not plant.faults.any:
                chip.frozen = chip.lost = False
                return False
            chip.frozen = plant.faults.active("adc_frozen")
            chip.lost = plant.faults.active("adc_lost")
            return plant.faults.active("i2c_stuck")
        for plant, sensor in (pair for (at, _), pair in self.wiring.sensor_of.items() if at == bus):
            sensor.lost = plant.faults.active("temperature_sensor_lost")
        return False

    # PWM -----------------------------------------------------------------------------------------------------------------------------

    def pwm_write(self, chip: str, attribute: str, text: str) -> int:
        """Writes a file of a PWM chip's sysfs directory. Returns 0 or an errno."""
        return self.pwm[chip].write(attribute, text) if chip in self.pwm and self.on else ENOENT

    def pwm_read(self, chip: str, attribute: str) -> str | None:
        """Reads a file of a PWM chip's sysfs directory; None: there is none."""
        return self.pwm[chip].read(attribute) if chip in self.pwm and self.on else None

    # wiring --------------------------------------------------------------------------------------------------------------------------

    def _plant(self, settings: EvseSettings, wired: spec.Evse, config_dir: Path, emit: Emit) -> Plant:
        def tell(kind: str, values: dict[str, Any]) -> None:
            emit(settings.id, kind, values)

        plant = Plant(self.timeline, settings, self.figures, self.supply, wired.max_current_a, config_dir, tell)
        plant.has_lock = wired.lock is not None
        plant.stop_pressed = self.stop_pressed
        plant.opening_failed = self.opening_failed
        plant.on_stop = self._stop_changed
        return plant

    def _wire_evse(self, plant: Plant, wired: spec.Evse) -> None:
        wiring, lock = self.wiring, wired.lock
        wiring.output(wired.contactor.coil, plant.set_coil)
        wiring.coils[wired.contactor.coil.pin] = plant
        wiring.input(wired.contactor.mirror, plant.contactor.mirror_closed)
        if wired.contactor.shunt_trip is not None and plant.breaker is not None:
            wiring.output(wired.contactor.shunt_trip, plant.set_shunt_trip)
        if wired.contactor_l23 is not None and plant.contactor_l23 is not None:
            wiring.output(wired.contactor_l23.coil, plant.set_coil_l23)
            wiring.input(wired.contactor_l23.mirror, plant.contactor_l23.mirror_closed)
        wiring.output(wired.residual.test, plant.set_test)
        wiring.input(wired.residual.trip, plant.rcd.output)
        if lock is not None:

            def drive(_: bool) -> None:
                plant.lock.drive(wiring.outputs[lock.lock.pin].active, wiring.outputs[lock.unlock.pin].active)

            wiring.output(lock.lock, drive)
            wiring.output(lock.unlock, drive)
            wiring.input(lock.feedback, plant.lock.feedback)
        if wired.lamp is not None:
            for colour, output in (("green", wired.lamp.green), ("blue", wired.lamp.blue), ("red", wired.lamp.red)):
                wiring.output(output, _lamp(plant, colour))
        if wired.thermometer is not None:
            at = (wired.thermometer.bus, wired.thermometer.address)
            sensor = Lm75(plant.heat)
            wiring.chips[at], wiring.sensor_of[at] = sensor, (plant, sensor)
        if wired.earth_lost is not None:
            wiring.input(wired.earth_lost, lambda: plant.faults.active("pe_loss"))
        if wired.button is not None and plant.button is not None:
            wiring.input(wired.button, plant.button.pressed)
        if wired.bay is not None and plant.bay is not None:
            wiring.input(wired.bay, plant.bay.sees)
        self._wire_adc(plant, wired.adc)

    def _wire_adc(self, plant: Plant, wired: spec.Adc) -> None:
        pilot, gauss = plant.pilot, self._random.gauss
        noise_v = self.figures.noise_mv / 1000.0

        def peak(detector: Callable[[float], float], line: spec.Linear) -> Callable[[float], float]:
            def volts(now: float) -> float:
                return (detector(now) + gauss(0.0, noise_v + pilot.noise_v) - line.offset_v) / line.gain

            return volts

        inputs: list[Callable[[float], float]] = [lambda now: 0.0] * 4
        inputs[wired.high.input] = peak(pilot.high.volts, wired.high)
        inputs[wired.low.input] = peak(pilot.low.volts, wired.low)
        divider = wired.proximity
        if divider is not None:
            pull_up_ohm, supply_v = divider.pull_up_ohm, divider.supply_v
            inputs[divider.input] = lambda now: divider_v(plant.pp_ohm(), pull_up_ohm, supply_v) + gauss(0.0, PP_NOISE_V)
        one, two, three, four = inputs
        chip = Ads1115(self.timeline, (one, two, three, four), self.figures.adc_conversion_ms / 1000.0, self._random)
        plant.reset_adc = chip.reset
        self.wiring.chips[wired.bus, wired.address] = chip
        self.wiring.adc_of_bus[wired.bus] = (plant, chip)

    def _supply_changed(self) -> None:
        for plant in self.plants.values():
            plant.drive_coil()
            plant.changed("relay_supply", relay_supply=self.supply.up)

    def _stop_changed(self) -> None:
        pressed = self.stop_pressed()
        for plant in self.plants.values():
            if pressed:
                plant.timings.note("emergency_stop", plant.contactor.energised)
            else:
                plant.timings.drop("emergency_stop")


def _nowhere(on: bool) -> None:
    """Where an unconnected pin ends."""


def _lamp(plant: Plant, colour: str) -> Set:
    def act(on: bool) -> None:
        plant.lamp[colour] = on

    return act
