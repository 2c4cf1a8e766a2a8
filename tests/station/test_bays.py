"""Parking bays: sessions that are older than their cable and outlive it, and the transactions that begin and end with a car in the bay (2.0.1 part 2,
E01 S1, E06 S1).
"""

from __future__ import annotations

from itertools import chain, combinations, pairwise
from pathlib import Path
from typing import Any

import pytest

from chargepoint.model.facts import StopReason
from chargepoint.model.idtoken import IdToken
from chargepoint.model.orders import RemoteStop
from chargepoint.model.session import Point, Stand, State, begins, ends, with_car
from chargepoint.settings import Evse
from tests.simclock import SimulatedClock
from tests.station.station_rig import CARD, OTHER, Rig
from tests.station.test_points_in_sets import whole

BAY = "ParkingBayOccupancy"
TWO = (Evse(id=1), Evse(id=2))


def build(tmp_path: Path, start: str = BAY, stop: str = BAY, **more: Any) -> Rig:
    variables = {"TxCtrlr.TxStartPoint": start, "TxCtrlr.TxStopPoint": stop, **more.pop("variables", {})}
    rig = Rig(SimulatedClock(), tmp_path / "station.db", variables=variables, bays=more.pop("bays", (1,)), **more)
    rig.online()
    rig.accept(CARD, OTHER)
    rig.control.say(1, bay=False)
    return rig


def kinds(rig: Rig) -> list[tuple[str, str]]:
    return [(kind, trigger) for kind, trigger, _ in rig.told()]


# --- the pure table

SETS = [frozenset(chosen) for size in range(1, len(Point) + 1) for chosen in combinations([p.value for p in Point], size)]
ROUTES = {
    "in, plug, card, charge, card, unplug, out": (
        *(Stand(State.IDLE), Stand(State.PARKED, True), Stand(State.PLUGGED, True), Stand(State.READY, True), Stand(State.CHARGING, True)),
        *(Stand(State.STOPPING, True), Stand(State.FINISHING, True), Stand(State.CLOSED, True), Stand(State.CLOSED)),
    ),
    "in, card, plug, charge, out, unplug": (
        *(Stand(State.IDLE), Stand(State.PARKED, True), Stand(State.AUTHORIZED, True), Stand(State.READY, True), Stand(State.CHARGING, True)),
        *(Stand(State.CHARGING), Stand(State.CLOSED)),
    ),
    "card, in, out": (Stand(State.IDLE), Stand(State.AUTHORIZED), Stand(State.AUTHORIZED, True), Stand(State.AUTHORIZED), Stand(State.CLOSED)),
    "in, out": (Stand(State.IDLE), Stand(State.PARKED, True), Stand(State.CLOSED)),
}
HELD = {
    State.PLUGGED: {"EVConnected"},
    State.AUTHORIZED: {"Authorized"},
    State.READY: {"EVConnected", "Authorized", "PowerPathClosed"},
    State.CHARGING: {"EVConnected", "Authorized", "PowerPathClosed", "EnergyTransfer"},
    State.STOPPING: {"EVConnected"},
    State.FINISHING: {"EVConnected"},
}


def holding(stand: Stand) -> set[str]:
    """What 2.6.6.1 says holds, told from what a person sees."""
    return HELD.get(stand.state, set()) | ({BAY} if stand.occupied else set())


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("start", SETS, ids=lambda chosen: ",".join(sorted(chosen)))
def test_every_start_with_every_stop(route: str, start: frozenset[str]) -> None:
    """A transaction begins when a start point comes to hold, and ends when a stop point no longer does, or with the session."""
    for stop in SETS:
        running, before = False, ROUTES[route][0]
        for seen in ROUTES[route][1:]:
            after = with_car(before, seen, stop) if running else seen
            lost, gained = holding(before) - holding(after), holding(after) - holding(before)
            stays = running and seen == Stand(State.CLOSED, True) and not lost & stop
            assert after == (Stand(State.PARKED, True) if stays else seen), (stop, seen)
            assert begins(before, after, start) is bool(gained & start), (stop, seen)
            over = after.state is State.CLOSED or bool(lost & stop)
            assert ends(before, after, stop) is over, (stop, seen)
            running = not over if running else bool(gained & start)
            before = after
        assert not running


def test_a_bay_holds_in_every_state() -> None:
    for state in State:
        assert Stand(state, True).points - Stand(state).points == {Point.PARKING_BAY_OCCUPANCY}


# --- the station

POINTS = (BAY, "EVConnected", "Authorized", "PowerPathClosed", "EnergyTransfer")
STEPS: dict[str, tuple[str, frozenset[str]]] = {
    "in": ("EVDetected", frozenset({BAY})),
    "plug": ("CablePluggedIn", frozenset({BAY, "EVConnected"})),
    "card": ("Authorized", frozenset({BAY, "EVConnected", "Authorized", "PowerPathClosed"})),
    "charge": ("ChargingStateChanged", frozenset(POINTS)),
    "stop": ("StopAuthorized", frozenset({BAY, "EVConnected"})),
    "unplug": ("EVCommunicationLost", frozenset({BAY})),
    "out": ("EVDeparted", frozenset()),
}


async def do(rig: Rig, step: str) -> None:
    match step:
        case "in":
            rig.control.park()
        case "plug":
            rig.control.plug()
        case "card":
            await rig.swipe()
        case "charge":
            rig.control.close()
        case "stop":
            await rig.swipe()
            rig.control.open(why="withdrawn")
        case "unplug":
            rig.control.unplug()
        case "out":
            rig.control.leave()
    await rig.seconds(3)


@pytest.mark.parametrize("start", [chosen for size in range(1, 6) for chosen in combinations(POINTS, size)], ids=",".join)
async def test_the_whole_stay_told_in_every_set(tmp_path: Path, start: tuple[str, ...]) -> None:
    """Drives in, plugs in, is charged, unplugs, drives out: where the one transaction begins and ends, and why."""
    for number, stop in enumerate(chain.from_iterable(combinations(POINTS, size) for size in range(1, 6))):
        rig = Rig(
            SimulatedClock(),
            tmp_path / f"{number}.db",
            variables={"TxCtrlr.TxStartPoint": ",".join(start), "TxCtrlr.TxStopPoint": ",".join(stop)},
            bays=(1,),
        )
        rig.online()
        rig.accept(CARD)
        for step in STEPS:
            await do(rig, step)
        held = [frozenset[str](), *(holds for _, holds in STEPS.values())]
        begun = next(index for index, (before, after) in enumerate(pairwise(held)) if (after - before) & set(start))
        ended = next(index for index, (before, after) in enumerate(pairwise(held)) if index > begun and (before - after) & set(stop))
        triggers = [trigger for trigger, _ in STEPS.values()]
        found = [told for told in kinds(rig) if told[0] != "Updated"]
        assert found == [("Started", triggers[begun]), ("Ended", triggers[ended])], stop
        whole(rig.transaction_facts())
        assert rig.sessions.rows == {}
        rig.db.close()


async def test_a_transaction_older_than_the_cable(tmp_path: Path) -> None:
    """E01.FR.01, E01.FR.16: begins with the car in the bay, tells the EVSE then and with the cable, and goes on to the departure (E06.FR.01)."""
    rig = build(tmp_path)
    rig.control.park()
    assert rig.told() == [("Started", "EVDetected", "Idle")] and rig.last().said_evse and rig.last().readings
    assert rig.statuses() == [] or rig.statuses()[-1] == "Available"
    await rig.charge()
    assert kinds(rig)[1:] == [("Updated", "CablePluggedIn"), ("Updated", "Authorized"), ("Updated", "ChargingStateChanged")]
    assert rig.transaction_facts()[1].said_evse and rig.transaction_facts()[2].id_token == IdToken(CARD)
    rig.meters.energy_wh[1] = 700.0
    await rig.swipe()
    rig.control.open(why="withdrawn")
    await rig.seconds(3)
    rig.control.unplug()
    await rig.seconds(3)
    assert rig.told()[-1] == ("Updated", "EVCommunicationLost", "Idle") and rig.statuses()[-1] == "Available"
    rig.control.leave()
    last = rig.last()
    assert kinds(rig)[-1] == ("Ended", "EVDeparted") and last.stopped_reason is StopReason.LOCAL and last.register_wh == 700.0
    whole(rig.transaction_facts())


async def test_stopped_by_the_csms_says_so_when_the_car_departs(tmp_path: Path) -> None:
    """Part 6, table 435."""
    rig = build(tmp_path)
    rig.control.park()
    await rig.charge()
    row = rig.sessions.rows[1]
    assert row.running is not None
    answer = await rig.remote.stop(RemoteStop(row.running.id))
    assert answer.then is not None
    await answer.then()
    rig.control.open(why="withdrawn")
    await rig.seconds(2)
    rig.control.unplug()
    rig.control.leave()
    await rig.seconds(2)
    assert kinds(rig)[-1] == ("Ended", "EVDeparted") and rig.last().stopped_reason is StopReason.REMOTE


async def test_who_parks_and_drives_away_leaves_no_transaction_open(tmp_path: Path) -> None:
    """The end of the session ends it, whatever TxStopPoint is: 2.0.1 part 2, E 1.1 warns of transactions that never end."""
    for number, stop in enumerate((BAY, "EVConnected", "Authorized")):
        (tmp_path / str(number)).mkdir()
        rig = build(tmp_path / str(number), stop=stop)
        rig.control.park()
        rig.control.leave()
        assert kinds(rig) == [("Started", "EVDetected"), ("Ended", "EVDeparted")] and rig.last().stopped_reason is StopReason.LOCAL
        assert rig.sessions.rows == {}


async def test_a_car_that_departs_while_it_charges_is_charged_no_longer(tmp_path: Path) -> None:
    rig = build(tmp_path)
    rig.control.park()
    await rig.charge()
    rig.control.leave()
    assert rig.control.permits[1].limit_a == 0.0
    rig.control.open(why="withdrawn")
    await rig.seconds(3)
    assert kinds(rig)[-1] == ("Ended", "EVDeparted")


async def test_a_sensor_that_loses_the_car_stops_nothing_where_it_is_no_stop_point(tmp_path: Path) -> None:
    rig = build(tmp_path, stop="EVConnected")
    rig.control.park()
    await rig.charge()
    rig.control.leave()
    rig.control.park()
    await rig.seconds(2)
    assert kinds(rig)[-2:] == [("Updated", "EVDeparted"), ("Updated", "EVDetected")] and rig.control.permits[1].limit_a == 32.0


async def test_nobody_came_in_time_and_the_car_still_stands_there(tmp_path: Path) -> None:
    """Part 6, TC_E_39_CS and its erratum: an Updated, as the transaction began with the bay."""
    rig = build(tmp_path, variables={"TxCtrlr.EVConnectionTimeOut": 5})
    rig.control.park()
    await rig.swipe()
    await rig.seconds(7)
    assert kinds(rig)[-1] == ("Updated", "EVConnectTimeout")
    rig.control.plug()
    await rig.seconds(2)
    assert kinds(rig)[-1] == ("Updated", "CablePluggedIn") and 1 not in rig.control.permits


async def test_the_next_charge_of_a_car_that_has_not_moved_is_told_too(tmp_path: Path) -> None:
    """No energy without a transaction: the bay is no news, so that the cable begins the second one, and a card the third."""
    rig = build(tmp_path, stop="Authorized")
    rig.control.park()
    await rig.charge()
    await rig.swipe()
    rig.control.open(why="withdrawn")
    await rig.seconds(3)
    assert kinds(rig)[-1] == ("Ended", "StopAuthorized")
    await rig.swipe()
    await rig.seconds(1)
    rig.control.close()
    assert kinds(rig)[-2:] == [("Started", "Authorized"), ("Updated", "ChargingStateChanged")]
    rig.control.unplug()
    await rig.seconds(3)
    assert kinds(rig)[-1] == ("Ended", "EVCommunicationLost") and rig.sessions.rows[1].state is State.PARKED
    rig.control.plug()
    assert kinds(rig)[-1] == ("Started", "CablePluggedIn")
    whole([fact for fact in rig.transaction_facts() if fact.transaction != rig.last().transaction])


async def test_another_card_does_not_take_over_the_transaction_of_a_parked_car(tmp_path: Path) -> None:
    """C01.FR.23."""
    rig = build(tmp_path)
    rig.control.park()
    await rig.charge()
    await rig.swipe()
    rig.control.open(why="withdrawn")
    await rig.seconds(3)
    rig.control.unplug()
    told = len(rig.told())
    await rig.swipe(OTHER)
    await rig.seconds(1)
    assert len(rig.told()) == told and rig.sessions.rows[1].state is State.PARKED
    await rig.swipe(CARD)
    assert kinds(rig)[-1] == ("Updated", "Authorized")


async def test_a_card_at_a_reader_for_all_means_the_bay_that_was_entered_last(tmp_path: Path) -> None:
    rig = build(tmp_path, start="Authorized", evses=TWO, bays=(1, 2))
    rig.control.park(2)
    await rig.swipe()
    assert rig.sessions.rows[2].state is State.AUTHORIZED and rig.last().evse == 2
    rig.control.plug(2)
    assert kinds(rig)[-1] == ("Updated", "CablePluggedIn")


async def test_a_card_first_goes_to_the_bay_that_is_entered_then(tmp_path: Path) -> None:
    rig = build(tmp_path, start="Authorized", evses=TWO, bays=(1, 2))
    await rig.swipe()
    assert rig.last().evse == 1
    rig.control.park(2)
    assert rig.sessions.rows.keys() == {2} and kinds(rig)[-1] == ("Updated", "EVDetected") and rig.last().evse == 2
    rig.control.plug(2)
    await rig.seconds(1)
    assert rig.control.permits[2].limit_a == 32.0


async def test_a_bay_alone_begins_nothing_at_an_inoperative_evse(tmp_path: Path) -> None:
    """As a cable alone does not; who is authorized once it is usable begins it."""
    rig = build(tmp_path)
    rig.operative = lambda evse, connector: False
    rig.control.park()
    rig.control.plug()
    assert rig.told() == []
    rig.operative = lambda evse, connector: True
    await rig.swipe()
    assert kinds(rig) == [("Started", "Authorized")]


async def test_the_same_car_over_a_restart_of_the_station(tmp_path: Path) -> None:
    rig = build(tmp_path)
    rig.control.park()
    rig.crash()
    again = Rig(rig.clock, rig.path, variables=rig.variables, bays=(1,), control=rig.control, meters=rig.meters)
    again.online()
    again.control.say(1)
    assert again.told() == [] and again.sessions.rows[1].running is not None
    again.control.leave()
    assert kinds(again) == [("Ended", "EVDeparted")]


async def test_a_sensor_that_is_not_known_to_see_anything_ends_nothing(tmp_path: Path) -> None:
    rig = build(tmp_path)
    rig.control.park()
    rig.control.restart()
    rig.control.states[1] = rig.control._idle(1)
    rig.control.connect()
    await rig.seconds(2)
    assert kinds(rig) == [("Started", "EVDetected")]


async def test_a_board_that_lost_its_sensor_keeps_no_car_in_the_bay(tmp_path: Path) -> None:
    rig = build(tmp_path)
    rig.control.park()
    rig.crash()
    rig.control.states[1] = rig.control._idle(1)
    again = Rig(rig.clock, rig.path, control=rig.control, meters=rig.meters)
    again.online()
    assert kinds(again) == [("Ended", "EVDeparted")] and again.sessions.rows == {}


@pytest.mark.parametrize("stays", [True, False])
async def test_a_parked_car_over_a_power_cut(tmp_path: Path, stays: bool) -> None:
    """With after_power_loss = "resume" its transaction goes on while it is still there."""
    rig = build(tmp_path, after_power_loss="resume")
    rig.control.park()
    rig.crash()
    clock = SimulatedClock(start_s=5.0, wall_s=rig.clock.wall_s() + 600, boot_id="boot-2")
    again = Rig(clock, rig.path, variables=rig.variables, bays=(1,), after_power_loss="resume")
    again.online()
    again.accept(CARD)
    again.control.say(1, bay=stays)
    assert kinds(again) == ([] if stays else [("Ended", "EVDeparted")])
    if stays:
        assert not again.sessions.rows[1].interrupted
        await again.charge()
        assert kinds(again)[-1] == ("Updated", "ChargingStateChanged")


async def test_1_6_knows_no_bays(tmp_path: Path) -> None:
    rig = build(tmp_path, version="ocpp1.6")
    rig.control.park()
    assert rig.told() == [] and rig.sessions.rows[1].state is State.PARKED
    await rig.charge()
    assert kinds(rig)[0] == ("Started", "Authorized")
    rig.control.unplug()
    rig.control.leave()
    await rig.seconds(3)
    assert kinds(rig)[-1] == ("Ended", "EVCommunicationLost") and rig.sessions.rows == {}


def test_the_device_model_shows_what_the_sensor_sees(tmp_path: Path) -> None:
    rig = build(tmp_path)
    assert rig.dm.text("BayOccupancySensor@1.Enabled") == "true" and rig.dm.text("BayOccupancySensor@1.Active") == "false"
    rig.control.park()
    assert rig.dm.text("BayOccupancySensor@1.Active") == "true"
    assert rig.dm.set("TxCtrlr.TxStopPoint", BAY) == "Accepted"


@pytest.mark.parametrize("bays", [(), (1,)])
def test_without_a_sensor_at_every_evse_it_is_no_point(tmp_path: Path, bays: tuple[int, ...]) -> None:
    rig = Rig(SimulatedClock(), tmp_path / "station.db", evses=TWO, bays=bays)
    for name in ("TxCtrlr.TxStartPoint", "TxCtrlr.TxStopPoint"):
        assert rig.dm.set(name, BAY) == "Rejected"
    assert rig.dm.get("BayOccupancySensor@2.Active")[0] == "UnknownComponent"
