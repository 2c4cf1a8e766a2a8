"""Opens what the control process drives: lines, pilot PWM, pilot ADC, thermometers. Must not know the turn."""

from __future__ import annotations

from collections.abc import Sequence

from hal import gpio, spec
from hal.backend import Backend, PwmChip
from hal.i2c import Bus
from hal.pilot import Ads1115
from hal.ports import ControlBoard, EvseBoard, Now
from hal.pwm import KernelPwm
from hal.sensors import KINDS, Thermometer


def open_all(board: spec.Board, wired: Sequence[tuple[int, spec.Evse]], backend: Backend, now: Now) -> ControlBoard:
    """Opens every device, the coils first. Raises BoardError with everything released again."""
    opened = _Opened(backend, now)
    try:
        return opened.board(board, wired)
    except BaseException:
        opened.close()
        raise


class _Opened:
    """What has been opened so far, by its resource: pins, buses, chips."""

    def __init__(self, backend: Backend, now: Now) -> None:
        self._backend = backend
        self._now = now
        self._pins = gpio.Pins(backend.pin_factory())
        self._buses: dict[int, Bus] = {}
        self._chips: dict[str, PwmChip] = {}

    def board(self, board: spec.Board, wired: Sequence[tuple[int, spec.Evse]]) -> ControlBoard:
        contactors = [gpio.Contactor(evse.contactor, self._pins, f"EVSE {number}") for number, evse in wired]
        seconds = [self._second(number, evse) for number, evse in wired]
        pilots = [self._pwm(number, evse) for number, evse in wired]
        evses = [self._evse(*one) for one in zip(wired, contactors, seconds, pilots, strict=True)]
        return ControlBoard(
            evses=tuple(evses),
            emergency_stop=self._pins.input(board.emergency_stop, "emergency stop") if board.emergency_stop else None,
            feed=gpio.Feed(board.feed, self._pins) if board.feed else None,
            close=self.close,
        )

    def close(self) -> None:
        """Releases lines and buses; the PWM stays as it is."""
        self._pins.close()
        for bus in self._buses.values():
            bus.close()

    def _evse(self, wired: tuple[int, spec.Evse], contactor: gpio.Contactor, second: gpio.Contactor | None, pwm: KernelPwm) -> EvseBoard:
        number, evse = wired
        name, pins = f"EVSE {number}", self._pins
        return EvseBoard(
            evse=number,
            pwm=pwm,
            adc=Ads1115(evse.adc, self._bus(evse.adc.bus), f"{name} pilot ADC"),
            contactor=contactor,
            residual=gpio.ResidualCurrent(evse.residual, pins, name),
            lock=gpio.Lock(evse.lock, pins, name, self._now) if evse.lock else None,
            lamp=gpio.Lamp(evse.lamp, pins, name, self._now) if evse.lamp else None,
            thermometer=self._thermometer(evse.thermometer, name) if evse.thermometer else None,
            contactor_l23=second,
            earth_lost=pins.input(evse.earth_lost, f"{name} protective-earth monitor") if evse.earth_lost else None,
            button=pins.input(evse.button, f"{name} button") if evse.button else None,
            bay=pins.input(evse.bay, f"{name} bay sensor") if evse.bay else None,
        )

    def _second(self, number: int, evse: spec.Evse) -> gpio.Contactor | None:
        return gpio.Contactor(evse.contactor_l23, self._pins, f"EVSE {number} second contactor") if evse.contactor_l23 else None

    def _pwm(self, number: int, evse: spec.Evse) -> KernelPwm:
        if evse.pwm.chip not in self._chips:
            self._chips[evse.pwm.chip] = self._backend.pwm_chip(evse.pwm.chip)
        return KernelPwm(self._chips[evse.pwm.chip], evse.pwm.channel, f"EVSE {number} pilot PWM", self._now)

    def _thermometer(self, wiring: spec.Thermometer, name: str) -> Thermometer:
        return Thermometer(KINDS[wiring.kind], wiring.address, self._bus(wiring.bus), f"{name} thermometer", self._now)

    def _bus(self, number: int) -> Bus:
        return self._buses.setdefault(number, Bus(number, self._backend.i2c_bus))
