"""What control may rely on of any board: one body over the mock and the simulated board."""

from __future__ import annotations

import asyncio
import math
from typing import Any

import pytest

from hal.errors import DeviceLost
from hal.ports import Channel, LampPattern

World = Any
CONVERSION_S = 0.003


async def measured(world: World, channel: Channel) -> float:
    adc = world.board.evses[0].adc
    adc.start(channel)
    await asyncio.sleep(CONVERSION_S)
    return float(adc.finish())


async def test_an_opened_board_is_safe(world: World) -> None:
    evse = world.board.evses[0]
    assert evse.evse == 1
    assert not await world.coil()
    assert not evse.contactor.driven()
    assert evse.contactor.mirror_closed()
    assert evse.pwm.duty() == 1.0
    assert await world.pilot_duty() == 1.0
    assert not evse.residual.tripped()
    assert not world.board.emergency_stop.active()


async def test_the_mirror_contact_tells_of_the_poles(world: World) -> None:
    contactor = world.board.evses[0].contactor
    await world.settle()
    contactor.switch(True)
    await world.settle()
    assert await world.coil() and contactor.driven()
    assert not contactor.mirror_closed()
    contactor.switch(False)
    await world.settle()
    assert contactor.mirror_closed() and not contactor.driven()


@pytest.mark.parametrize("fraction", [0.0, 0.1, 0.2667, 0.5333, 0.96, 1.0])
async def test_the_pilot_follows_and_is_read_back(world: World, fraction: float) -> None:
    pwm = world.board.evses[0].pwm
    pwm.set_duty(fraction)
    assert pwm.duty() == fraction
    assert await world.pilot_duty() == pytest.approx(fraction, abs=0.001)


async def test_volts_of_a_free_pilot(world: World) -> None:
    assert await measured(world, Channel.HIGH) == pytest.approx(12.0, abs=0.6)
    assert await measured(world, Channel.LOW) > -1.0
    world.board.evses[0].pwm.set_duty(0.5)
    await asyncio.sleep(0.05)
    assert await measured(world, Channel.HIGH) == pytest.approx(12.0, abs=0.6)
    assert await measured(world, Channel.LOW) == pytest.approx(-12.0, abs=0.6)


async def test_ohms_of_the_cable(world: World) -> None:
    assert await measured(world, Channel.PROXIMITY) > 4500.0
    await world.plug_32_a()
    await asyncio.sleep(0.1)
    ohms = await measured(world, Channel.PROXIMITY)
    assert not math.isinf(ohms) and 164.0 < ohms < 308.0


async def test_an_adc_lost_and_found(world: World) -> None:
    adc = world.board.evses[0].adc
    await world.adc_answers(False)
    with pytest.raises(DeviceLost, match="EVSE 1 pilot ADC"):
        adc.start(Channel.HIGH)
    with pytest.raises(DeviceLost):
        adc.finish()
    await world.adc_answers(True)
    assert await measured(world, Channel.HIGH) == pytest.approx(12.0, abs=0.6)


async def test_residual_current(world: World) -> None:
    residual = world.board.evses[0].residual
    await world.residual_current(True)
    assert residual.tripped()
    await world.residual_current(False)
    await world.settle()
    assert not residual.tripped()


async def test_the_bolt_moves_and_tells(world: World) -> None:
    lock = world.board.evses[0].lock
    await world.plug_32_a()
    for locked in (True, False):
        lock.drive(locked)
        for _ in range(4):  # the motor rests between two moves
            await world.settle()
        assert await world.bolt_locked() is locked
        assert lock.locked() is locked


async def test_the_stop_button(world: World) -> None:
    await world.stop_button(True)
    assert world.board.emergency_stop.active()
    await world.stop_button(False)
    assert not world.board.emergency_stop.active()


async def test_the_inside_is_warm(world: World) -> None:
    assert 0.0 < world.board.evses[0].thermometer.read_c() < 60.0


async def test_the_lamp_takes_every_pattern(world: World) -> None:
    for pattern in LampPattern:
        world.board.evses[0].lamp.show(pattern)
