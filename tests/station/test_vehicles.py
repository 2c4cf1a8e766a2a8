"""Cars that sleep: known by card or setting, woken step by step, bounded in a session, and told."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import product
from pathlib import Path

import pytest

from chargepoint.link.messages import WakeKind
from chargepoint.model.facts import EventKind
from chargepoint.model.session import State
from chargepoint.model.vehicle import LONGEST_S, UNKNOWN, Ladder, Rung, Vehicle
from chargepoint.settings import Evse
from chargepoint.station.vehicles import TABLE, Doing, Sight, decide
from tests.simclock import SimulatedClock
from tests.station.station_rig import CARD, OTHER, Rig

PATIENCE_S = 90
FIAT = Vehicle(name="Fiat", wake=Ladder(steps=(Rung("x1_break", 4.0), Rung("state_f", 4.0)), after_s=30.0))
SHY = Vehicle(name="Shy", wake=Ladder(steps=(Rung("x1_break", 4.0),), most_steps=2))
CARS = {"fiat": FIAT, "shy": SHY}


@asynccontextmanager
async def awake(rig: Rig) -> AsyncIterator[Rig]:
    """The rig's vehicles are looked after meanwhile."""
    rig.online()
    rig.accept(CARD, OTHER)
    task = asyncio.create_task(rig.vehicles.run())
    try:
        yield rig
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def made(tmp_path: Path, vehicle: str = "", **more: object) -> Rig:
    return Rig(SimulatedClock(), tmp_path / "station.db", evses=(Evse(id=1, vehicle=vehicle),), cars=CARS, **more)  # type: ignore[arg-type]


def steps(rig: Rig) -> list[tuple[str, float]]:
    return [(str(order.wake), order.seconds) for order in rig.control.wakes]


async def offered(rig: Rig) -> None:
    rig.control.plug()
    await rig.swipe()
    await rig.seconds(2)


# the table


@pytest.mark.parametrize("cell", list(product((False, True), (False, True), (10.0, 90.0), (0, 1), (False, True))))
def test_every_cell_of_the_table(cell: tuple[bool, bool, float, int, bool]) -> None:
    asleep, satisfied, waited_s, left, spent = cell
    doing = decide(Sight(asleep, satisfied, waited_s, 90.0, left, spent))
    if not asleep or satisfied:
        assert doing is Doing.LET
    elif waited_s < 90.0:
        assert doing is Doing.WAITING
    else:
        assert doing is (Doing.STEP if left and not spent else Doing.GIVEN_UP)


def test_the_last_row_always_holds() -> None:
    assert TABLE[-1].holds(Sight(True, False, 0.0, 0.0, 0, True))


def test_the_careful_default() -> None:
    assert [rung.do for rung in UNKNOWN.wake.steps] == ["x1_break"] * 2, "no state F for a car nobody knows"
    assert all(rung.seconds == LONGEST_S["x1_break"] for rung in UNKNOWN.wake.steps), "the longest breaks"


# which car


async def test_a_car_is_known_by_card_before_setting(tmp_path: Path) -> None:
    async with awake(made(tmp_path, "shy", tokens_of={CARD.lower(): "fiat"})) as rig:
        await offered(rig)
        assert rig.vehicles.of(rig.sessions.rows[1]) is FIAT
        rig.control.unplug()
        rig.control.plug()
        await rig.swipe(OTHER)
        assert rig.vehicles.of(rig.sessions.rows[1]) is SHY


async def test_any_other_car_is_unknown(tmp_path: Path) -> None:
    async with awake(made(tmp_path)) as rig:
        await offered(rig)
        assert rig.vehicles.of(rig.sessions.rows[1]) is UNKNOWN


# the ladder


async def test_an_unknown_car_gets_long_breaks_and_is_then_left_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with awake(made(tmp_path)) as rig:
        await offered(rig)
        await rig.seconds(PATIENCE_S - 5)
        assert steps(rig) == [] and rig.vehicles.doing(1) is Doing.WAITING
        await rig.seconds(10)
        assert steps(rig) == [(WakeKind.X1_BREAK, 60.0)] and rig.vehicles.doing(1) is Doing.STEP
        await rig.seconds(1000)
        assert steps(rig) == [(WakeKind.X1_BREAK, 60.0)] * 2
        row = rig.sessions.rows[1]
        assert (row.wake_steps, row.interruptions) == (2, 2)
        assert rig.vehicles.doing(1) is Doing.GIVEN_UP
        assert caplog.text.count("left alone") == 1
        assert row.state is State.READY and rig.last().kind is not EventKind.ENDED, "the session goes on"


async def test_a_known_car_gets_its_own_ladder(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with awake(made(tmp_path, "fiat")) as rig:
        await offered(rig)
        await rig.seconds(35)
        assert steps(rig) == [("x1_break", 4.0)]
        await rig.seconds(45)
        assert steps(rig) == [("x1_break", 4.0), ("state_f", 4.0)]
        await rig.seconds(5)
        rig.control.close()
        await rig.seconds(2)
        assert "the car is awake after 2 steps" in caplog.text
        assert rig.vehicles.doing(1) is Doing.LET
        assert rig.sessions.rows[1].wake_rung == 0, "the next time it begins at the bottom"


async def test_a_session_is_bounded_over_every_climb(tmp_path: Path) -> None:
    async with awake(made(tmp_path, "shy")) as rig:
        await offered(rig)
        for _ in range(4):
            await rig.seconds(PATIENCE_S + 20)
            rig.control.close()
            await rig.seconds(1)
            rig.control.open(why="permit")
            await rig.seconds(1)
        assert len(steps(rig)) == 2
        assert rig.sessions.rows[1].wake_steps == 2


async def test_a_car_interrupted_too_often_is_interrupted_no_more(tmp_path: Path) -> None:
    async with awake(made(tmp_path)) as rig:
        await offered(rig)
        for _ in range(UNKNOWN.wake.most_interruptions):
            rig.control.close()
            rig.control.open(why="over_temperature")
            await rig.seconds(1)
        assert rig.sessions.rows[1].interruptions == UNKNOWN.wake.most_interruptions
        await rig.seconds(300)
        assert steps(rig) == [] and rig.vehicles.doing(1) is Doing.GIVEN_UP


# whom it leaves alone


async def test_a_car_that_ended_by_itself_is_not_woken(tmp_path: Path) -> None:
    async with awake(made(tmp_path)) as rig:
        await offered(rig)
        rig.control.close()
        await rig.seconds(5)
        rig.control.open()
        await rig.seconds(600)
        assert steps(rig) == [] and rig.vehicles.doing(1) is Doing.LET


async def test_a_car_that_charged_and_does_not_come_back_after_our_pause_is(tmp_path: Path) -> None:
    async with awake(made(tmp_path)) as rig:
        await offered(rig)
        rig.control.close()
        await rig.seconds(5)
        rig.control.open(why="over_temperature")
        await rig.seconds(PATIENCE_S + 5)
        assert len(steps(rig)) == 1


async def test_nobody_is_woken_whom_we_pause_or_who_is_not_authorized(tmp_path: Path) -> None:
    async with awake(made(tmp_path)) as rig:
        rig.control.plug()
        await rig.seconds(300)
        assert steps(rig) == [], "not authorized"
        await rig.swipe()
        rig.control.fault(1, "over_temperature")
        await rig.seconds(300)
        assert steps(rig) == [], "nothing is offered"
        rig.control.clear(1, "over_temperature")
        rig.control.say(1, pilot="A")
        await rig.seconds(300)
        assert steps(rig) == [], "no car in B"


async def test_a_car_that_wakes_in_time_is_not_interrupted(tmp_path: Path) -> None:
    async with awake(made(tmp_path)) as rig:
        await offered(rig)
        await rig.seconds(35)
        rig.control.close()
        await rig.seconds(300)
        assert steps(rig) == [] and rig.sessions.rows[1].interruptions == 0


# what goes wrong


async def test_a_refused_step_is_told_and_counts(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with awake(made(tmp_path, "shy")) as rig:
        rig.control.refuses = "a self-test runs"
        await offered(rig)
        await rig.seconds(PATIENCE_S + 5)
        assert len(steps(rig)) == 1
        assert "a self-test runs" in caplog.text
        assert rig.sessions.rows[1].interruptions == 0


async def test_the_session_ends_in_a_step(tmp_path: Path) -> None:
    async with awake(made(tmp_path)) as rig:
        await offered(rig)
        await rig.seconds(PATIENCE_S + 10)
        await rig.swipe()
        await rig.seconds(200)
        assert rig.sessions.rows[1].state is State.FINISHING
        assert len(steps(rig)) == 1 and rig.vehicles.doing(1) is Doing.LET


async def test_unplugged_in_a_step_the_next_car_begins_at_nothing(tmp_path: Path) -> None:
    async with awake(made(tmp_path)) as rig:
        await offered(rig)
        await rig.seconds(PATIENCE_S + 10)
        rig.control.unplug()
        await rig.seconds(100)
        await offered(rig)
        row = rig.sessions.rows[1]
        assert (row.wake_steps, row.interruptions) == (0, 0)


async def test_a_restart_of_the_station_takes_no_step_twice(tmp_path: Path) -> None:
    first = made(tmp_path)
    async with awake(first):
        await offered(first)
        await first.seconds(PATIENCE_S + 70)
        assert len(steps(first)) == 1
    first.crash()
    second = Rig(first.clock, tmp_path / "station.db", evses=first.evses, control=first.control, meters=first.meters, cars=CARS)
    async with awake(second):
        assert second.sessions.rows[1].wake_steps == 1
        await second.seconds(1000)
        assert len(steps(second)) == 2
        assert second.vehicles.doing(1) is Doing.GIVEN_UP
