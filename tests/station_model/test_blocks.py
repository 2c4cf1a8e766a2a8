"""Availability, reset, local list, security events, data transfer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from chargepoint.csms.v16 import configuration
from chargepoint.link.messages import OrderAnswer, OrderKind
from chargepoint.model.facts import Delivery, MonitorFact, SecurityFact, StatusFact, StopReason, Trigger
from chargepoint.model.idtoken import AuthorizationStatus, IdToken, IdTokenInfo
from chargepoint.model.orders import Answer, ChangeAvailability, DataTransfer, GetLocalListVersion, ListEntry, Reset, ResetKind, SendLocalList
from chargepoint.model.questions import BootReason
from chargepoint.model.stamp import Stamp
from chargepoint.settings import Evse, Ocpp16, Settings
from chargepoint.station import security, variables
from chargepoint.station.availability import Availability
from chargepoint.station.data_transfer import DataTransfers
from chargepoint.station.local_list import LocalList
from chargepoint.station.monitoring import Monitoring
from chargepoint.station.provisioning import REASON, BootReasons
from chargepoint.station.reset import Resets
from chargepoint.station.security import Security, SecurityEvent
from chargepoint.store.db import Db
from chargepoint.store.outbox import Outbox
from chargepoint.store.security_log import SecurityLog
from chargepoint.store.tokens import Tokens
from chargepoint.store.values import Values
from chargepoint.store.variables import Variables
from tests.simclock import SimulatedClock

EVSES = (Evse(id=1, connectors=("sType2", "cType2")), Evse(id=2))
INFO = IdTokenInfo(AuthorizationStatus.ACCEPTED)


class Desk:
    """The blocks of one station, and what they did."""

    def __init__(self, path: Path) -> None:
        self.clock = SimulatedClock()
        self.db = Db(path / "station.db")
        self.values = Values(self.db)
        self.outbox = Outbox(self.db)
        self.model = variables.build(Variables(self.db), Settings(evse=EVSES))
        self.security = Security(self.clock, self.db, self.outbox.append)
        self.availability = Availability(EVSES, self.model, self.values)
        self.tokens = Tokens(self.db)
        self.local_list = LocalList(self.db, self.tokens, self.model)
        self.reasons = BootReasons(self.values, fresh_boot=True)
        self.reasons.told()
        self.running: set[int] = set()
        self.done: list[Any] = []
        self.online = True
        self.fails = 0
        self.control = 7
        self.resets = Resets(
            self.clock,
            self.model,
            (1, 2),
            self,
            self.reasons,
            self.outbox.waiting,
            lambda: self.online,
            self.order,
            lambda code: self.done.append(code),
            self.values,
            lambda: self.control,
        )

    def busy(self, evse: int | None) -> bool:
        return bool(self.running if evse is None else self.running & {evse})

    async def end(self, trigger: Trigger, reason: StopReason, evse: int | None = None) -> None:
        await self.clock.sleep(2)
        self.done.append((trigger, reason, evse))
        self.running.clear()

    async def order(self, kind: OrderKind, evse: int) -> OrderAnswer:
        self.done.append((kind, evse))
        self.fails -= 1
        return OrderAnswer(1, self.fails < 0, "the bolt does not move")

    @asynccontextmanager
    async def resetting(self, order: Reset) -> AsyncIterator[str]:
        task = asyncio.create_task(self.resets.run())
        answer = await self.resets.reset(order)
        assert self.done == [], "nothing before the answer is out"
        assert answer.then is not None
        await answer.then()
        try:
            yield answer.status
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def tell_guaranteed(desk: Desk) -> list[SecurityFact]:
    waiting = desk.outbox.some(Delivery.GUARANTEED, 99)
    for item in waiting:
        desk.outbox.told(item.id)
    return [item.fact for item in waiting if isinstance(item.fact, SecurityFact)]


# availability


async def change(desk: Desk, operative: bool, evse: int | None = None, connector: int | None = None) -> str:
    answer = await desk.availability.change(ChangeAvailability(operative, evse, connector))
    if answer.then is not None:
        await answer.then()
    return answer.status


async def test_each_level_keeps_what_was_asked_over_restarts(desk: Desk, tmp_path: Path) -> None:
    assert await change(desk, False, 1, 2) == "Accepted"
    assert await change(desk, False) == "Accepted"
    assert not desk.availability.operative(1, 1) and not desk.availability.operative(2, 1)
    desk.db.close()
    again = Desk(tmp_path)
    assert not again.availability.operative() and not again.availability.operative(2, 1)
    assert await change(again, True) == "Accepted"
    assert again.availability.operative(1, 1) and again.availability.operative(1) and not again.availability.operative(1, 2)


@pytest.mark.parametrize("operative", [True, False])
async def test_in_16_the_station_takes_all_its_connectors_along(desk: Desk, operative: bool) -> None:
    """1.6 5.2."""
    await change(desk, False, 1, 2)
    await desk.availability.change(ChangeAvailability(operative, flat=True))
    assert desk.availability.operative(1, 2) is operative and desk.availability.operative(2, 1) is operative
    await desk.availability.change(ChangeAvailability(True, flat=True))
    assert desk.availability.operative(1, 2)


async def test_in_16_a_connector_is_operative_whatever_was_asked_of_the_station(desk: Desk, tmp_path: Path) -> None:
    """1.6 4.9: station and connectors stand side by side; 5.2: with an operative connector the station is. The others stay as they were made."""
    await change(desk, False)
    await change(desk, False, 1)
    assert (await desk.availability.change(ChangeAvailability(True, 1, 1, flat=True))).status == "Accepted"
    desk.db.close()
    kept = Desk(tmp_path).availability
    assert kept.operative() and kept.operative(1, 1) and not kept.operative(1, 2) and not kept.operative(2, 1)
    await kept.change(ChangeAvailability(True, 2, 1, flat=True))
    assert kept.operative(2, 1) and not kept.operative(1, 2)
    await kept.change(ChangeAvailability(False, 1, 1, flat=True))
    assert not kept.operative(1, 1) and kept.operative()


async def test_a_change_during_a_transaction_is_scheduled(desk: Desk) -> None:
    desk.availability.running = lambda evse: evse == 1
    assert await change(desk, False, 2) == "Accepted"
    assert await change(desk, False, 1) == "Scheduled"
    assert await change(desk, False, 1) == "Scheduled"
    assert await change(desk, False) == "Scheduled"
    assert await change(desk, True, 1) == "Accepted"


@pytest.mark.parametrize(("evse", "connector"), [(3, None), (1, 3), (2, 2)])
async def test_unknown_places_are_rejected(desk: Desk, evse: int, connector: int | None) -> None:
    assert await change(desk, False, evse, connector) == "Rejected"


async def test_observers_hear_of_changes_after_the_answer(desk: Desk) -> None:
    heard: list[bool] = []
    desk.availability.on_change.append(lambda: heard.append(desk.availability.operative(1)))
    await change(desk, False, 1)
    await change(desk, False, 1)
    await change(desk, True, 1)
    assert heard == [False, True]


async def test_the_device_model_shows_what_is_told(desk: Desk) -> None:
    def show(evse: int, connector: int, status: str, fault: str | None = None) -> None:
        desk.availability.show(StatusFact(evse, connector, status, Stamp(1, 0, 0, True), vendor_error_code=fault))

    show(1, 1, "SuspendedEV")
    show(2, 1, "Faulted", "diode")
    model = desk.model
    assert model.text("Connector@1:1.AvailabilityState") == "Occupied" and model.text("EVSE@1.AvailabilityState") == "Occupied"
    assert model.text("EVSE@2.AvailabilityState") == "Faulted" and model.boolean("ControlPilot@2.Problem") and model.boolean("EVSE@2.Problem")
    assert model.text("ChargingStation.AvailabilityState") == "Occupied"
    show(2, 1, "Available")
    assert not model.boolean("ControlPilot@2.Problem") and model.text("ChargingStation.AvailabilityState") == "Available"
    await change(desk, False)
    show(0, 0, "Unavailable")
    assert model.text("ChargingStation.AvailabilityState") == "Unavailable"


# reset


@pytest.mark.parametrize(
    ("kind", "reason", "code"),
    [
        (ResetKind.IMMEDIATE, StopReason.IMMEDIATE_RESET, 78),
        (ResetKind.ON_IDLE, StopReason.IMMEDIATE_RESET, 78),
        (ResetKind.SOFT, StopReason.REBOOT, 78),
        (ResetKind.HARD, StopReason.IMMEDIATE_RESET, 77),
    ],
)
async def test_a_reset_ends_tells_and_exits(desk: Desk, kind: ResetKind, reason: StopReason, code: int) -> None:
    async with desk.resetting(Reset(kind)) as status:
        desk.security.happened(SecurityEvent.SETTING_SYSTEM_TIME)
        await desk.clock.advance(3)
        assert status == "Accepted" and desk.done == [(Trigger.RESET_COMMAND, reason, None)]
        assert tell_guaranteed(desk)
        await desk.clock.advance(1)
    assert desk.done[1:] == [code]
    assert desk.values.get(REASON, BootReason) is BootReason.REMOTE_RESET


@pytest.mark.parametrize(("online", "exits_after"), [(True, 32), (False, 2)])
async def test_what_cannot_be_told_delays_a_reset_by_the_message_timeout_at_most(desk: Desk, online: bool, exits_after: float) -> None:
    desk.online = online
    desk.security.happened(SecurityEvent.SETTING_SYSTEM_TIME)
    async with desk.resetting(Reset(ResetKind.IMMEDIATE)):
        await desk.clock.advance(exits_after - 0.5)
        assert 78 not in desk.done
        await desk.clock.advance(1)
        assert 78 in desk.done


async def test_on_idle_waits_for_the_transactions(desk: Desk) -> None:
    desk.running, desk.online = {1}, False
    async with desk.resetting(Reset(ResetKind.ON_IDLE)) as status:
        await desk.clock.advance(500)
        assert status == "Scheduled" and desk.done == [] and desk.resets.pending(2)
        desk.running.clear()
        await desk.clock.advance(5)
    assert desk.done[-1] == 78
    assert desk.values.get(REASON, BootReason) is BootReason.SCHEDULED_RESET


async def test_one_evse_is_reset_after_its_transaction(desk: Desk) -> None:
    desk.running = {2}
    async with desk.resetting(Reset(ResetKind.IMMEDIATE, 2)) as status:
        await desk.clock.advance(5)
        assert status == "Accepted"
    assert desk.done == [(Trigger.RESET_COMMAND, StopReason.IMMEDIATE_RESET, 2), (OrderKind.RESET_EVSE, 2)]
    assert desk.values.get(REASON, BootReason) is None and not desk.resets.pending(2)


@pytest.mark.parametrize(("retries", "orders"), [("0", 1), ("2", 3), ("9", 5)])
async def test_a_reset_that_fails_is_tried_again(desk: Desk, retries: str, orders: int) -> None:
    desk.model.set("OCPPCommCtrlr.ResetRetries", retries)
    desk.fails = 4
    async with desk.resetting(Reset(ResetKind.IMMEDIATE, 2)):
        for _ in range(15):
            await desk.clock.advance(1)
    assert desk.done.count((OrderKind.RESET_EVSE, 2)) == orders


@asynccontextmanager
async def after_a_hard_reset(path: Path, retries: str) -> AsyncIterator[Callable[..., AbstractAsyncContextManager[Desk]]]:
    """Gives one start of the station after the other."""

    @asynccontextmanager
    async def start(**found: int) -> AsyncIterator[Desk]:
        desk = Desk(path)
        desk.control = found.get("control", desk.control)
        desk.clock.boot += found.get("boots", 0)
        task = asyncio.create_task(desk.resets.run())
        await desk.clock.advance(1)
        yield desk
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        desk.db.close()

    desk = Desk(path)
    desk.model.set("OCPPCommCtrlr.ResetRetries", retries)
    async with desk.resetting(Reset(ResetKind.HARD)):
        await desk.clock.advance(5)
    desk.db.close()
    yield start


@pytest.mark.parametrize("retries", [0, 2])
async def test_a_board_that_was_not_restarted_is_asked_again(tmp_path: Path, retries: int) -> None:
    """1.6 9.1.22: the station is there again beside the same control; nothing begins until the reset has come about or is given up."""
    async with after_a_hard_reset(tmp_path, str(retries)) as start:
        for number in range(4):
            async with start() as desk:
                waits = desk.resets.pending(1)
                await desk.clock.advance(50)
                assert desk.done == [], "a board takes its time to go down"
                await desk.clock.advance(30)
                assert waits is (number <= retries) and (77 in desk.done) is (number < retries) and not desk.resets.pending(1)


@pytest.mark.parametrize("found", [{"boots": 1}, {"control": 8}])
async def test_a_board_that_was_restarted_is_not_asked_again(tmp_path: Path, found: dict[str, int]) -> None:
    async with after_a_hard_reset(tmp_path, "2") as start, start(**found) as desk:
        assert not desk.resets.pending(1)
        await desk.clock.advance(300)
        assert desk.done == []


async def test_an_unknown_evse_is_not_reset(desk: Desk) -> None:
    assert (await desk.resets.reset(Reset(ResetKind.IMMEDIATE, 9))).status == "Rejected"


# local list


async def send(desk: Desk, version: int, full: bool, *entries: tuple[str, IdTokenInfo | None]) -> str:
    order = SendLocalList(version, full, tuple(ListEntry(IdToken(value), info) for value, info in entries))
    return (await desk.local_list.send(order)).status


async def version(desk: Desk) -> int:
    return int((await desk.local_list.version(GetLocalListVersion())).data)


async def test_a_whole_list_and_its_updates(desk: Desk) -> None:
    assert await version(desk) == 0
    assert await send(desk, 5, True, ("A", INFO), ("B", INFO)) == "Accepted"
    assert await send(desk, 6, False, ("B", None), ("C", INFO)) == "Accepted"
    assert desk.tokens.listed(IdToken("a")) and desk.tokens.listed(IdToken("C")) and not desk.tokens.listed(IdToken("B"))
    assert desk.model.get("LocalAuthListCtrlr.Entries") == ("Accepted", "2")
    assert await send(desk, 7, False) == "Accepted" and await version(desk) == 7
    assert await send(desk, 3, True) == "Accepted" and await version(desk) == 3 and desk.tokens.count() == 0


async def test_a_value_of_two_types_is_two_tokens(desk: Desk) -> None:
    """C01.FR.25, D01.FR.06."""
    card, code = IdToken("A"), IdToken("a", "KeyCode")
    assert (await desk.local_list.send(SendLocalList(5, True, (ListEntry(card, INFO), ListEntry(code, INFO))))).status == "Accepted"
    assert (await desk.local_list.send(SendLocalList(6, False, (ListEntry(code, None),)))).status == "Accepted"
    assert desk.tokens.listed(card) and desk.tokens.listed(code) is None


@pytest.mark.parametrize(("number", "status"), [(4, "VersionMismatch"), (5, "VersionMismatch"), (6, "Accepted"), (0, "Failed"), (-1, "Failed")])
async def test_versions_of_updates(desk: Desk, number: int, status: str) -> None:
    await send(desk, 5, True, ("A", INFO))
    assert await send(desk, number, False, ("B", INFO)) == status
    assert await version(desk) == (6 if status == "Accepted" else 5)


async def test_lists_that_cannot_be_taken_change_nothing(desk: Desk) -> None:
    await send(desk, 5, True, ("A", INFO))
    assert await send(desk, 6, True, ("B", INFO), ("b", INFO)) == "Failed", "a token twice"
    assert await send(desk, 6, True, ("B", None)) == "Failed", "nothing said of it"
    assert await send(desk, 6, False, *((f"T{n}", INFO) for n in range(1001))) == "Failed", "too many at once"
    desk.model.set("LocalAuthListCtrlr.Enabled", "false")
    assert await send(desk, 6, True, ("B", INFO)) == "Failed" and await version(desk) == -1
    assert desk.tokens.listed(IdToken("A")) is not None and desk.tokens.count() == 1


async def test_a_list_is_no_longer_than_the_settings_say(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    settings = Settings(ocpp16=Ocpp16(configuration={"LocalAuthListMaxLength": 2}))
    model = variables.build(Variables(desk.db), settings, configuration.factory(settings.ocpp16.configuration).variables)
    configuration.declare(model, settings)
    desk.local_list = LocalList(desk.db, desk.tokens, model)
    assert await send(desk, 5, True, *((name, INFO) for name in "ABC")) == "Failed"
    assert await send(desk, 5, True, *((name, INFO) for name in "AB")) == "Accepted"
    assert await send(desk, 6, False, ("C", INFO)) == "Failed" and await version(desk) == 5
    assert await send(desk, 6, False, ("A", INFO)) == "Accepted", "a full list can be changed"
    assert await send(desk, 7, False, ("B", None), ("C", INFO)) == "Accepted" and await version(desk) == 7


# monitoring, security, data transfer


def test_faults_are_told_as_they_come_and_go_and_once_over_restarts(desk: Desk) -> None:
    def events(outbox: Outbox, delivery: Delivery) -> list[tuple[str, int | None, str, bool]]:
        facts = [waiting.fact for waiting in outbox.some(delivery, 99)]
        return [(fact.component, fact.evse, fact.value, fact.cleared) for fact in facts if isinstance(fact, MonitorFact)]

    first = Monitoring(desk.clock, desk.db, desk.outbox.append)
    first.faults(1, ("diode", "meter_lost"))
    first.faults(1, ("diode", "meter_lost"))
    assert events(desk.outbox, Delivery.GUARANTEED) == [("ControlPilot", 1, "true", False)], "severe ones are told for sure"
    assert events(desk.outbox, Delivery.PERISHABLE) == [("FiscalMetering", 1, "true", False)], "the others now or never"
    again = Monitoring(desk.clock, desk.db, desk.outbox.append)
    again.faults(1, ("diode",))
    assert events(desk.outbox, Delivery.PERISHABLE)[1:] == [("FiscalMetering", 1, "false", True)]
    again.faults(2, ("emergency_stop",))
    assert events(desk.outbox, Delivery.GUARANTEED)[1:] == [("ChargingStation", None, "true", False)]


def test_critical_events_are_told_and_all_are_logged(desk: Desk) -> None:
    desk.security.happened(SecurityEvent.STARTUP)
    desk.security.happened(SecurityEvent.INVALID_MESSAGES, "nonsense")
    assert [fact.type for fact in tell_guaranteed(desk)] == ["StartupOfTheDevice"]
    assert [(fact.type, fact.info) for fact in SecurityLog(desk.db).last(9)] == [("StartupOfTheDevice", None), ("InvalidMessages", "nonsense")]


@pytest.mark.parametrize(("fresh", "ordered", "told"), [(True, False, ["StartupOfTheDevice"]), (False, True, ["ResetOrReboot"]), (False, False, [])])
def test_a_start_is_a_security_event_unless_the_process_died(desk: Desk, fresh: bool, ordered: bool, told: list[str]) -> None:
    desk.security.started(fresh=fresh, ordered=ordered, version="1.0")
    assert [fact.type for fact in tell_guaranteed(desk)] == told


def test_another_version_than_at_the_last_start_is_a_security_event_once(desk: Desk) -> None:
    for version in ("1.0", "1.0", "1.1", "1.1"):
        Security(desk.clock, desk.db, desk.outbox.append).started(fresh=False, ordered=False, version=version)
    assert [(fact.type, fact.info) for fact in tell_guaranteed(desk)] == [("FirmwareUpdated", "from 1.0 to 1.1")]


def test_every_security_event_there_is_happens_somewhere_and_is_documented() -> None:
    package = Path(security.__file__).parents[1]
    sources = "".join(path.read_text() for path in package.rglob("*.py") if path.name != "security.py")
    own = Path(security.__file__).read_text()
    told = (package.parent / "docs" / "operations.md").read_text()
    for event in SecurityEvent:
        word = f"SecurityEvent.{event.name}"
        assert word in sources or f'"{event.value}"' in sources or f"happened({word}" in own, event
        assert f"`{event.value}`" in told, event


def test_the_security_log_rolls(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chargepoint.store.security_log.KEPT", 3)
    for number in range(5):
        desk.security.happened(SecurityEvent.INVALID_MESSAGES, str(number))
    assert [fact.info for fact in SecurityLog(desk.db).last(9)] == ["2", "3", "4"]


async def test_data_transfer_knows_only_what_registered() -> None:
    transfers = DataTransfers()

    async def echo(data: Any) -> Answer:
        return Answer("Accepted", data=data)

    transfers.extend("org.example", "echo", echo)
    orders = (DataTransfer("org.example", "echo", "x"), DataTransfer("org.example", "no"), DataTransfer("com.other"))
    answers = [await transfers.transfer(order) for order in orders]
    assert [(answer.status, answer.data) for answer in answers] == [("Accepted", "x"), ("UnknownMessageId", None), ("UnknownVendorId", None)]
