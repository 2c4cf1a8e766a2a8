"""Booting and beating against a CSMS that answers as told, by a simulated clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from chargepoint.model.questions import (
    Boot,
    BootAnswer,
    BootReason,
    Heartbeat,
    HeartbeatAnswer,
    Question,
    QuestionAnswer,
    Registration,
    Unreachable,
)
from chargepoint.settings import Settings
from chargepoint.station import variables
from chargepoint.station.backend import State
from chargepoint.station.device_model import DeviceModel
from chargepoint.station.provisioning import BootReasons, Provisioning
from chargepoint.station.security import Security
from chargepoint.store.boots import Boots
from chargepoint.store.db import Db
from chargepoint.store.outbox import Outbox
from chargepoint.store.values import Values
from chargepoint.store.variables import Variables
from tests.simclock import SimulatedClock

ACCEPTED, PENDING, REJECTED = Registration.ACCEPTED, Registration.PENDING, Registration.REJECTED
STATES = {ACCEPTED: State.ACCEPTED, PENDING: State.PENDING, REJECTED: State.REJECTED}


class Csms:
    """answers: what it says to the next BootNotifications, the last one again and again; asked: (boot clock's time, question)."""

    def __init__(self, clock: SimulatedClock) -> None:
        self.on_change: list[Callable[[], None]] = []
        self.state = State.UNREACHABLE
        self.subprotocol = "ocpp2.0.1"
        self.answers: list[tuple[Registration, int] | None] = [(ACCEPTED, 300)]
        self.asked: list[tuple[float, Question]] = []
        self.ahead_s = 0.0
        self._clock = clock

    def registered(self, answer: Registration) -> None:
        self.change(STATES[answer])

    async def ask(self, question: Question) -> QuestionAnswer:
        self.asked.append((self._clock.boot_s() - 1000.0, question))
        wall_s = self._clock.wall_s() + self.ahead_s
        if isinstance(question, Heartbeat):
            return HeartbeatAnswer(wall_s)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return Unreachable("timeout") if answer is None else BootAnswer(answer[0], answer[1], wall_s)

    def change(self, state: State) -> None:
        self.state = state
        for callback in self.on_change:
            callback()

    def boots(self) -> list[tuple[float, str]]:
        return [(at, question.reason.value) for at, question in self.asked if isinstance(question, Boot)]

    def beats(self) -> list[float]:
        return [at for at, question in self.asked if isinstance(question, Heartbeat)]


class Station:
    """The parts provisioning needs, on one store."""

    def __init__(self, path: Path, clock: SimulatedClock) -> None:
        self.clock = clock
        self.db = Db(path / "station.db")
        self.values = Values(self.db)
        self.boots = Boots(self.db)
        clock.boot = self.boots.begin(clock.boot_id())
        self.outbox = Outbox(self.db)
        self.model: DeviceModel = variables.build(Variables(self.db), Settings())
        self.csms = Csms(clock)
        security = Security(clock, self.db, self.outbox.append)
        self.provisioning = Provisioning(clock, self.model, self.values, self.boots, self.csms, security)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.provisioning.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def station(tmp_path: Path) -> Station:
    return Station(tmp_path, SimulatedClock())


async def test_one_boot_notification_and_then_heartbeats(station: Station) -> None:
    station.csms.answers = [(ACCEPTED, 60)]
    async with station.running():
        await station.clock.advance(5)
        assert station.csms.asked == []
        station.csms.change(State.CONNECTED)
        await station.clock.advance(200)
    assert station.csms.boots() == [(5.0, "PowerUp")]
    assert station.csms.beats() == [65.0, 125.0, 185.0]
    assert station.model.integer("OCPPCommCtrlr.HeartbeatInterval") == 60


async def test_interval_zero_leaves_the_heartbeat_as_it_is(station: Station) -> None:
    station.csms.answers = [(ACCEPTED, 0)]
    async with station.running():
        station.csms.change(State.CONNECTED)
        await station.clock.advance(310)
    assert station.csms.beats() == [300.0]


@pytest.mark.parametrize("answer", [PENDING, REJECTED])
async def test_not_accepted_waits_for_the_interval(station: Station, answer: Registration) -> None:
    station.csms.answers = [(answer, 40), (answer, 0), (ACCEPTED, 300)]
    async with station.running():
        station.csms.change(State.CONNECTED)
        await station.clock.advance(100)
    assert [at for at, _ in station.csms.boots()] == [0.0, 40.0, 70.0]
    assert station.csms.state is State.ACCEPTED


async def test_the_interval_holds_over_a_reconnection(station: Station) -> None:
    station.csms.answers = [(PENDING, 40), (ACCEPTED, 300)]
    async with station.running():
        station.csms.change(State.CONNECTED)
        await station.clock.advance(10)
        station.csms.change(State.UNREACHABLE)
        await station.clock.advance(10)
        station.csms.change(State.CONNECTED)
        await station.clock.advance(60)
    assert [at for at, _ in station.csms.boots()] == [0.0, 40.0]


async def test_no_answer_is_asked_again(station: Station) -> None:
    station.csms.answers = [None, None, (ACCEPTED, 300)]
    async with station.running():
        station.csms.change(State.CONNECTED)
        await station.clock.advance(60)
    assert [at for at, _ in station.csms.boots()] == [0.0, 10.0, 20.0]


async def test_a_mere_reconnection_boots_nothing_and_keeps_the_beat(station: Station) -> None:
    async with station.running():
        station.csms.change(State.CONNECTED)
        await station.clock.advance(100)
        station.csms.change(State.UNREACHABLE)
        await station.clock.advance(50)
        station.csms.change(State.ACCEPTED)
        await station.clock.advance(200)
    assert len(station.csms.boots()) == 1 and station.csms.beats() == [300.0]


async def test_a_changed_interval_counts_at_once(station: Station) -> None:
    async with station.running():
        station.csms.change(State.CONNECTED)
        await station.clock.advance(20)
        station.model.set("OCPPCommCtrlr.HeartbeatInterval", "30")
        await station.clock.advance(45)
    assert station.csms.beats() == [30.0, 60.0]


async def test_triggered_messages(station: Station) -> None:
    station.csms.answers = [(PENDING, 1000), (ACCEPTED, 300)]
    async with station.running():
        station.csms.change(State.CONNECTED)
        await station.clock.advance(5)
        station.provisioning.trigger_boot()
        await station.clock.advance(5)
        station.provisioning.trigger_heartbeat()
        await station.clock.advance(1)
    assert station.csms.boots() == [(0.0, "PowerUp"), (5.0, "Triggered")]
    assert station.csms.beats() == [10.0]


async def test_a_heartbeat_on_order_while_pending(station: Station) -> None:
    """B02.FR.02: of our own accord none goes out."""
    station.csms.answers = [(PENDING, 1000)]
    async with station.running():
        station.csms.change(State.CONNECTED)
        await station.clock.advance(400)
        station.provisioning.trigger_heartbeat()
        await station.clock.advance(1)
    assert station.csms.beats() == [400.0] and station.csms.boots() == [(0.0, "PowerUp")]


async def test_the_time_is_learnt_for_this_boot(tmp_path: Path) -> None:
    station = Station(tmp_path, SimulatedClock(wall_s=50.0, known=False))
    early = station.clock.stamp()
    station.csms.ahead_s = 1_704_067_200.0
    async with station.running():
        station.csms.change(State.CONNECTED)
        await station.clock.advance(1)
    assert station.clock.wall_known()
    assert station.boots.wall_of(early) == pytest.approx(1_704_067_250.0)
    assert station.outbox.waiting() == 1, "SettingSystemTime is told"


async def test_a_csms_without_a_sane_time_teaches_nothing(tmp_path: Path) -> None:
    station = Station(tmp_path, SimulatedClock(wall_s=50.0, known=False))
    async with station.running():
        station.csms.change(State.CONNECTED)
        await station.clock.advance(1)
    assert not station.clock.wall_known() and station.csms.state is State.ACCEPTED


def test_reasons_over_starts(tmp_path: Path) -> None:
    def start(boot_id: str) -> BootReasons:
        db = Db(tmp_path / "station.db")
        boots = Boots(db)
        boots.begin(boot_id)
        return BootReasons(Values(db), boots.fresh)

    first = start("a")
    assert first.reason is BootReason.POWER_UP
    assert start("a").reason is BootReason.POWER_UP, "not told yet"
    first.told()
    assert start("a").reason is BootReason.APPLICATION_RESET, "it died"
    second = start("a")
    second.next(BootReason.REMOTE_RESET)
    second.told()
    assert start("b").reason is BootReason.REMOTE_RESET
