"""The drivers on plain lines, on gpiozero's mock factory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from gpiozero import GPIOZeroError
from gpiozero.pins.mock import MockFactory

from hal import gpio, spec
from hal.errors import BoardError, DeviceLost
from hal.ports import LampPattern

NEVER = spec.Undriven(process_dead="off", cpu_hung="off", power_lost="off", within_ms=100.0)


@pytest.fixture
def factory() -> Iterator[MockFactory]:
    made = MockFactory()
    yield made
    made.reset()


@pytest.fixture
def pins(factory: MockFactory) -> Iterator[gpio.Pins]:
    opened = gpio.Pins(factory)
    yield opened
    opened.close()


def level(factory: MockFactory, number: int) -> bool:
    return bool(factory.pin(number).state)


def set_input(factory: MockFactory, number: int, high: bool) -> None:
    pin = factory.pin(number)
    pin.drive_high() if high else pin.drive_low()


def contactor(pins: gpio.Pins, active: spec.Level = "high", pull: spec.Pull = "down") -> gpio.Contactor:
    coil = spec.Output(pin=17, active=active, reset_pull=pull)
    return gpio.Contactor(spec.Contactor(coil=coil, mirror=spec.Input(pin=27, active="low", pull="up"), undriven=NEVER), pins, "EVSE 1")


def test_a_contactor_is_claimed_with_its_coil_off(pins: gpio.Pins, factory: MockFactory) -> None:
    made = contactor(pins)
    assert factory.pin(17).function == "output"
    assert not level(factory, 17)
    assert not made.driven()


def test_the_coil_follows(pins: gpio.Pins, factory: MockFactory) -> None:
    made = contactor(pins)
    made.switch(True)
    assert level(factory, 17) and made.driven()
    made.switch(False)
    assert not level(factory, 17) and not made.driven()


def test_a_coil_that_acts_low_is_claimed_high(pins: gpio.Pins, factory: MockFactory) -> None:
    made = contactor(pins, "low", "up")
    assert level(factory, 17)
    made.switch(True)
    assert not level(factory, 17)


def test_off_is_written_even_when_it_is_off_already(pins: gpio.Pins, factory: MockFactory) -> None:
    made = contactor(pins)
    factory.pin(17).state = True
    made.switch(False)
    assert not level(factory, 17)


def test_the_mirror_contact_is_read_by_its_active_level(pins: gpio.Pins, factory: MockFactory) -> None:
    made = contactor(pins)
    assert not made.mirror_closed()
    set_input(factory, 27, False)
    assert made.mirror_closed()


@pytest.mark.parametrize(("active", "high", "expected"), [("high", True, True), ("high", False, False), ("low", True, False), ("low", False, True)])
@pytest.mark.parametrize("pull", ["up", "down", "none"])
def test_an_input_means_its_level_whatever_its_pull(
    pins: gpio.Pins, factory: MockFactory, active: spec.Level, high: bool, expected: bool, pull: spec.Pull
) -> None:
    line = pins.input(spec.Input(pin=22, active=active, pull=pull), "button")
    set_input(factory, 22, high)
    assert line.active() is expected


def test_a_shunt_trip_is_driven_where_there_is_one(pins: gpio.Pins, factory: MockFactory) -> None:
    wired = spec.Contactor(coil=spec.Output(pin=17), mirror=spec.Input(pin=27), shunt_trip=spec.Output(pin=13), undriven=NEVER)
    made = gpio.Contactor(wired, pins, "EVSE 1")
    assert not level(factory, 13)
    made.trip_breaker(True)
    assert level(factory, 13) and not level(factory, 17)
    made.trip_breaker(False)
    assert not level(factory, 13)


def test_without_a_shunt_trip_nothing_is_driven(pins: gpio.Pins, factory: MockFactory) -> None:
    contactor(pins).trip_breaker(True)
    assert not level(factory, 17)


def test_residual_current(pins: gpio.Pins, factory: MockFactory) -> None:
    made = gpio.ResidualCurrent(spec.Residual(trip=spec.Input(pin=23, pull="down"), test=spec.Output(pin=24), cuts_coil=True), pins, "EVSE 1")
    assert not made.tripped()
    set_input(factory, 23, True)
    assert made.tripped()
    made.test(True)
    assert level(factory, 24)
    made.test(False)
    assert not level(factory, 24)


def test_a_line_that_fails_is_lost_and_off_is_tried_again(pins: gpio.Pins, factory: MockFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    made = contactor(pins)
    made.switch(True)

    def broken(self: Any, value: object) -> None:
        raise GPIOZeroError("the chip is gone")

    with monkeypatch.context() as patch:
        patch.setattr(type(factory.pin(17)), "_set_state", broken)
        with pytest.raises(DeviceLost, match="EVSE 1 coil: the chip is gone"):
            made.switch(False)
        assert made.driven()
    made.switch(False)
    assert not level(factory, 17)


def test_a_pin_claimed_twice_is_refused(pins: gpio.Pins) -> None:
    contactor(pins)
    with pytest.raises(BoardError, match="GPIO 17"):
        pins.output(spec.Output(pin=17), "lamp")


def test_a_pin_the_chip_has_not_is_refused(pins: gpio.Pins) -> None:
    with pytest.raises(BoardError, match="GPIO 99"):
        pins.input(spec.Input(pin=99), "button")


def test_the_environment_swaps_nothing(pins: gpio.Pins, factory: MockFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "native")
    made = contactor(pins)
    made.switch(True)
    assert level(factory, 17)


def test_lgpio_without_a_chip_is_an_error_not_another_factory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "mock")
    monkeypatch.setattr("os.path.exists", lambda path: False)
    with pytest.raises(BoardError, match="gpiochip"):
        gpio.lgpio_factory()


def test_outputs_are_pulled_to_their_reset_level_before_they_are_driven(pins: gpio.Pins, factory: MockFactory) -> None:
    contactor(pins)
    assert factory.pin(17).pull == "down"


@pytest.fixture
def lock(pins: gpio.Pins, clock: Any) -> gpio.Lock:
    wiring = spec.Lock(
        lock=spec.Output(pin=25), unlock=spec.Output(pin=16), feedback=spec.Input(pin=26, pull="down"), pulse_ms=600.0, pause_ms=1000.0
    )
    return gpio.Lock(wiring, pins, "EVSE 1", clock)


def test_a_lock_moves_for_one_pulse(lock: gpio.Lock, factory: MockFactory, clock: Any) -> None:
    lock.drive(True)
    assert (level(factory, 25), level(factory, 16)) == (True, False)
    clock.pass_s(0.59)
    lock.rest()
    assert level(factory, 25)
    clock.pass_s(0.02)
    lock.rest()
    assert (level(factory, 25), level(factory, 16)) == (False, False)


def test_repeated_orders_do_not_prolong_the_pulse(lock: gpio.Lock, factory: MockFactory, clock: Any) -> None:
    for _ in range(7):
        lock.drive(True)
        clock.pass_s(0.1)
        lock.rest()
    assert not level(factory, 25)


def test_a_change_of_mind_stops_the_motor_first(lock: gpio.Lock, factory: MockFactory, clock: Any) -> None:
    lock.drive(True)
    clock.pass_s(0.2)
    lock.drive(False)
    assert (level(factory, 25), level(factory, 16)) == (False, False)
    clock.pass_s(1.1)
    lock.rest()
    assert (level(factory, 25), level(factory, 16)) == (False, True)


def test_a_move_in_the_pause_waits_for_its_end(lock: gpio.Lock, factory: MockFactory, clock: Any) -> None:
    lock.drive(True)
    clock.pass_s(0.7)
    lock.rest()
    lock.drive(False)
    assert not level(factory, 16)
    clock.pass_s(1.1)
    lock.rest()
    assert level(factory, 16)


def test_the_feedback_is_the_switch_not_the_order(lock: gpio.Lock, factory: MockFactory) -> None:
    lock.drive(True)
    assert lock.locked() is False
    set_input(factory, 26, True)
    assert lock.locked() is True


@pytest.fixture
def lamp(pins: gpio.Pins, clock: Any) -> gpio.Lamp:
    return gpio.Lamp(spec.Lamp(green=spec.Output(pin=5), blue=spec.Output(pin=6), red=spec.Output(pin=12)), pins, "EVSE 1", clock)


@pytest.mark.parametrize(
    ("pattern", "lit"),
    [
        (LampPattern.OFF, ()),
        (LampPattern.READY, (5,)),
        (LampPattern.CHARGING, (6,)),
        (LampPattern.WAITING, (6,)),
        (LampPattern.FAULT, (12,)),
    ],
)
def test_a_pattern_lights_its_colour(lamp: gpio.Lamp, factory: MockFactory, pattern: LampPattern, lit: tuple[int, ...]) -> None:
    lamp.show(pattern)
    assert tuple(number for number in (5, 6, 12) if level(factory, number)) == lit


def test_waiting_blinks_by_the_clock(lamp: gpio.Lamp, factory: MockFactory, clock: Any) -> None:
    seen = []
    for _ in range(4):
        lamp.show(LampPattern.WAITING)
        seen.append(level(factory, 6))
        clock.pass_s(0.5)
    assert seen == [True, False, True, False]


def test_the_feed_is_one_edge_per_call(pins: gpio.Pins, factory: MockFactory) -> None:
    feed = gpio.Feed(spec.Feed(output=spec.Output(pin=22)), pins)
    seen = []
    for _ in range(4):
        feed.edge()
        seen.append(level(factory, 22))
    assert seen == [True, False, True, False]


def test_closing_lets_go_of_every_line(factory: MockFactory) -> None:
    pins = gpio.Pins(factory)
    made = contactor(pins)
    made.switch(True)
    pins.close()
    assert factory.pin(17).function == "input"
    gpio.Pins(factory).output(spec.Output(pin=17), "coil")


def test_a_line_that_cannot_be_released_keeps_no_other_from_it(factory: MockFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    pins = gpio.Pins(factory)
    for number in (17, 22):
        pins.output(spec.Output(pin=number), f"output {number}").set(True)

    def broken(self: Any, value: object) -> None:
        if self.info.name == "GPIO22":
            raise GPIOZeroError("the line is gone")
        self._change_state(bool(value))

    with monkeypatch.context() as patch:
        patch.setattr(type(factory.pin(17)), "_set_state", broken)
        with pytest.raises(BoardError, match="output 22: the line is gone"):
            pins.close()
    assert factory.pin(17).function == "input"
