"""What the driver does, through the whole core: plug and token in any order, stop, unplug, faults, and what a CSMS is told of it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from chargepoint.link.messages import EdgeKind
from chargepoint.model.facts import ChargingState, EventKind, StatusFact, StopReason, TransactionFact, Trigger
from chargepoint.model.idtoken import AuthorizationStatus, IdToken, IdTokenInfo
from chargepoint.model.sample import Context
from chargepoint.model.session import State
from chargepoint.settings import Evse
from tests.simclock import SimulatedClock
from tests.station.station_rig import CARD, OTHER, Rig

TWO = (Evse(id=1), Evse(id=2))


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    made = Rig(SimulatedClock(), tmp_path / "station.db")
    made.online()
    made.accept(CARD)
    return made


def another(tmp_path: Path, **more: object) -> Rig:
    made = Rig(SimulatedClock(), tmp_path / "other.db", **more)  # type: ignore[arg-type]  # the rig's own fields
    made.online()
    made.accept(CARD)
    return made


async def test_plug_then_token(rig: Rig) -> None:
    rig.control.plug()
    assert rig.control.permits == {}
    await rig.swipe()
    assert rig.control.permits[1].limit_a == 32.0
    assert rig.control.permits[1].plug_in == rig.control.states[1].plug_in
    await rig.seconds(1)
    rig.control.close()
    assert rig.told() == [("Started", "Authorized", "EVConnected"), ("Updated", "ChargingStateChanged", "Charging")]
    first = rig.transaction_facts()[0]
    assert first.said_evse and first.id_token == IdToken(CARD) and first.register_wh == 0.0
    assert rig.statuses() == ["Available", "Preparing", "Charging"]


async def test_token_then_plug(rig: Rig) -> None:
    await rig.swipe()
    assert rig.told() == []
    rig.control.plug()
    await rig.seconds(1)
    rig.control.close()
    assert rig.told() == [("Started", "CablePluggedIn", "EVConnected"), ("Updated", "ChargingStateChanged", "Charging")]


async def test_an_unknown_card_never_permits(rig: Rig) -> None:
    rig.control.plug()
    await rig.swipe(OTHER)
    await rig.seconds(3)
    assert rig.control.permits == {} and rig.told() == [] and rig.csms.asked == [OTHER]


async def test_the_same_token_stops_without_asking_and_the_last_watt_hour_is_told(rig: Rig) -> None:
    await rig.charge()
    rig.csms.asked.clear()
    rig.meters.energy_wh[1] = 500.0
    await rig.swipe()
    assert rig.csms.asked == []
    assert rig.control.permits[1].limit_a == 0.0
    assert rig.told()[-1][0] == "Updated", "the end waits for the open contactor"
    rig.meters.energy_wh[1] = 501.0
    rig.control.open(why="withdrawn")
    await rig.seconds(1)
    end = rig.last()
    assert (end.kind, end.trigger, end.stopped_reason, end.id_token) == (EventKind.ENDED, Trigger.STOP_AUTHORIZED, StopReason.LOCAL, IdToken(CARD))
    assert end.register_wh == 501.0 and end.charging_state is ChargingState.EV_CONNECTED
    assert rig.statuses()[-1] == "Finishing" and rig.control.locks[1] is False
    rig.control.unplug()
    assert rig.statuses()[-1] == "Available" and rig.sessions.row(1) is None


async def test_the_next_transaction_begins_no_lower_than_the_last_one_ended(rig: Rig) -> None:
    """A meter's rounding may seem to run backwards by less than its step."""
    await rig.charge()
    rig.meters.energy_wh[1] = 501.0
    await rig.swipe()
    rig.control.open(why="withdrawn")
    await rig.seconds(1)
    rig.control.unplug()
    rig.meters.energy_wh[1] = 500.4
    await rig.charge()
    begin = next(fact for fact in reversed(rig.facts) if getattr(fact, "kind", None) is EventKind.STARTED)
    assert isinstance(begin, TransactionFact) and begin.register_wh == 501.0 and begin.seq == 0


async def test_a_permit_is_withdrawn_before_control_has_said_more_than_the_plug(rig: Rig) -> None:
    """A plug's edge comes before the state that says the same; what was permitted in between is taken back all the same."""
    await rig.swipe()
    rig.control.plug(tell=False)
    permit = rig.control.permits[1]
    assert permit.limit_a >= 6.0
    await rig.swipe()
    assert rig.control.permits[1].limit_a == 0.0 and rig.control.permits[1].plug_in == permit.plug_in


async def test_another_token_does_not_stop(rig: Rig) -> None:
    rig.accept(OTHER)
    await rig.charge()
    await rig.swipe(OTHER)
    row = rig.sessions.row(1)
    assert row is not None and row.state is State.CHARGING


async def test_a_token_of_the_same_group_stops(rig: Rig) -> None:
    rig.accept(CARD, OTHER, group="family")
    await rig.charge()
    await rig.swipe(OTHER)
    row = rig.sessions.row(1)
    assert row is not None and row.state is State.STOPPING
    assert rig.csms.asked == [CARD, OTHER], "a token not known here is asked about (C09.FR.05)"


async def test_a_group_known_here_is_not_asked_about(rig: Rig) -> None:
    rig.accept(CARD, OTHER, group="family")
    await rig.charge()
    rig.authorization.learn(IdToken(OTHER), rig.csms.tokens[OTHER])
    await rig.swipe(OTHER)
    assert rig.csms.asked == [CARD]


async def test_unplug_under_load(rig: Rig) -> None:
    await rig.charge()
    rig.meters.energy_wh[1] = 42.0
    rig.control.unplug()
    await rig.seconds(2)
    end = rig.last()
    assert (end.kind, end.trigger, end.stopped_reason) == (EventKind.ENDED, Trigger.EV_COMMUNICATION_LOST, StopReason.EV_DISCONNECTED)
    assert end.register_wh == 42.0 and end.charging_state is ChargingState.IDLE
    assert [fact.seq for fact in rig.transaction_facts()] == [0, 1, 2]
    assert rig.statuses()[-1] == "Available"


async def test_the_next_car_is_another_session(rig: Rig) -> None:
    await rig.charge()
    rig.control.unplug()
    rig.control.plug()
    await rig.seconds(2)
    row = rig.sessions.row(1)
    assert row is not None and row.state is State.PLUGGED
    assert rig.last().kind is EventKind.ENDED
    assert rig.control.offer(1) == 0.0


async def test_the_cars_end_unplugged_ends_and_the_plug_is_held(rig: Rig) -> None:
    rig.dm.push("OCPPCommCtrlr.UnlockOnEVSideDisconnect", False)
    await rig.charge()
    rig.control.unplug(cable=True)
    await rig.seconds(1)
    assert rig.last().stopped_reason is StopReason.EV_DISCONNECTED
    assert rig.control.locks[1] is True and rig.statuses()[-1] == "Finishing"
    await rig.swipe(OTHER)
    assert rig.control.locks[1] is True
    await rig.swipe()
    assert rig.control.locks[1] is False
    rig.control.say(1, cable=False)
    assert rig.statuses()[-1] == "Available"


async def test_the_cars_end_unplugged_unlocks_when_told_so(rig: Rig) -> None:
    rig.dm.push("OCPPCommCtrlr.UnlockOnEVSideDisconnect", True)
    await rig.charge()
    rig.control.unplug(cable=True)
    await rig.seconds(1)
    assert rig.control.locks[1] is False


async def test_a_detached_session_goes_on(tmp_path: Path) -> None:
    rig = another(tmp_path, version="ocpp1.6", variables={"TxCtrlr.StopTxOnEVSideDisconnect": False})
    await rig.charge()
    rig.control.unplug(cable=True)
    await rig.seconds(1)
    row = rig.sessions.row(1)
    assert row is not None and row.state is State.DETACHED and row.running is not None
    assert rig.control.locks[1] is True and rig.statuses()[-1] == "SuspendedEV"
    rig.control.plug()
    await rig.seconds(1)
    rig.control.close()
    assert [fact.kind for fact in rig.transaction_facts()].count(EventKind.STARTED) == 1
    assert [trigger for _, trigger, _ in rig.told()][-3:] == ["EVCommunicationLost", "CablePluggedIn", "ChargingStateChanged"]


async def test_a_detached_session_whose_cable_is_taken_ends(tmp_path: Path) -> None:
    rig = another(tmp_path, version="ocpp1.6", variables={"TxCtrlr.StopTxOnEVSideDisconnect": False})
    await rig.charge()
    rig.control.unplug(cable=True)
    rig.control.say(1, cable=False)
    await rig.seconds(1)
    assert rig.last().stopped_reason is StopReason.EV_DISCONNECTED and rig.sessions.row(1) is None


async def test_nobody_comes(rig: Rig) -> None:
    await rig.swipe()
    await rig.seconds(61)
    assert rig.sessions.row(1) is None and rig.told() == [] and rig.statuses()[-1] == "Available"


async def test_nobody_comes_and_a_transaction_had_begun(tmp_path: Path) -> None:
    rig = another(tmp_path, variables={"TxCtrlr.TxStartPoint": "Authorized", "TxCtrlr.TxStopPoint": "Authorized"})
    await rig.swipe()
    await rig.seconds(61)
    assert rig.told() == [("Started", "Authorized", "Idle"), ("Ended", "EVConnectTimeout", None)]
    assert rig.last().stopped_reason is StopReason.TIMEOUT


async def test_the_token_again_before_a_car_cancels(rig: Rig) -> None:
    await rig.swipe()
    await rig.swipe()
    assert rig.sessions.row(1) is None


async def test_transaction_from_plug_to_unplug(tmp_path: Path) -> None:
    rig = another(tmp_path, variables={"TxCtrlr.TxStartPoint": "EVConnected", "TxCtrlr.TxStopPoint": "EVConnected"})
    await rig.charge()
    await rig.swipe()
    rig.control.open(why="withdrawn")
    await rig.seconds(1)
    rig.control.unplug()
    await rig.seconds(2)
    assert rig.told() == [
        ("Started", "CablePluggedIn", "EVConnected"),
        ("Updated", "Authorized", None),
        ("Updated", "ChargingStateChanged", "Charging"),
        ("Updated", "StopAuthorized", None),
        ("Updated", "ChargingStateChanged", "EVConnected"),
        ("Ended", "EVCommunicationLost", "Idle"),
    ]
    facts = rig.transaction_facts()
    assert [fact.id_token is not None for fact in facts] == [False, True, False, True, False, False]
    assert [fact.said_evse for fact in facts] == [True, False, False, False, False, False]
    assert facts[-1].stopped_reason is StopReason.LOCAL


async def test_several_transactions_in_one_session(tmp_path: Path) -> None:
    rig = another(tmp_path, variables={"TxCtrlr.TxStartPoint": "EnergyTransfer", "TxCtrlr.TxStopPoint": "EnergyTransfer"})
    await rig.charge()
    rig.control.open()
    await rig.seconds(2)
    rig.control.close()
    ids = {fact.transaction for fact in rig.transaction_facts()}
    assert len(ids) == 2
    ended = [fact for fact in rig.transaction_facts() if fact.kind is EventKind.ENDED]
    assert [fact.stopped_reason for fact in ended] == [StopReason.STOPPED_BY_EV]
    started = [fact for fact in rig.transaction_facts() if fact.kind is EventKind.STARTED]
    assert all(fact.id_token == IdToken(CARD) and fact.said_evse for fact in started)


async def test_points_are_those_of_the_sessions_begin(rig: Rig) -> None:
    rig.control.plug()
    rig.dm.push("TxCtrlr.TxStopPoint", "EVConnected")
    await rig.swipe()
    await rig.swipe()
    assert rig.last().kind is EventKind.ENDED


async def test_the_car_pauses(rig: Rig) -> None:
    await rig.charge()
    rig.control.open()
    await rig.seconds(1)
    assert rig.told()[-1] == ("Updated", "ChargingStateChanged", "SuspendedEV") and rig.statuses()[-1] == "SuspendedEV"
    rig.control.close()
    assert rig.told()[-1] == ("Updated", "ChargingStateChanged", "Charging")


async def test_a_car_that_never_takes_current(rig: Rig) -> None:
    rig.control.plug()
    await rig.swipe()
    await rig.seconds(15)
    assert rig.told()[-1] == ("Updated", "ChargingStateChanged", "SuspendedEV")


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("emergency_stop", StopReason.EMERGENCY_STOP),
        ("residual_current", StopReason.GROUND_FAULT),
        ("over_current", StopReason.OVERCURRENT_FAULT),
        ("diode", StopReason.OTHER),
    ],
)
async def test_a_fault_ends(rig: Rig, fault: str, reason: StopReason) -> None:
    await rig.charge()
    rig.control.fault(1, fault)
    await rig.seconds(2)
    end = rig.last()
    assert (end.kind, end.trigger, end.stopped_reason) == (EventKind.ENDED, Trigger.ABNORMAL_CONDITION, reason)


async def test_a_fault_that_goes_by_itself_suspends(rig: Rig) -> None:
    await rig.charge()
    rig.control.fault(1, "over_temperature")
    await rig.seconds(1)
    assert rig.told()[-1] == ("Updated", "ChargingStateChanged", "SuspendedEVSE") and rig.statuses()[-1] == "Faulted"
    rig.control.clear(1, "over_temperature")
    await rig.seconds(1)
    rig.control.close()
    assert rig.statuses()[-1] == "Charging"
    assert len({fact.transaction for fact in rig.transaction_facts()}) == 1


async def test_a_faulted_connector_takes_no_token(rig: Rig) -> None:
    rig.control.fault(1, "emergency_stop")
    rig.control.plug()
    await rig.swipe()
    assert rig.told() == [] and rig.control.permits == {}


async def test_two_evses_the_car_plugged_in_last_is_meant(tmp_path: Path) -> None:
    rig = another(tmp_path, evses=TWO)
    rig.accept(CARD, OTHER)
    await rig.charge(1)
    rig.control.plug(2)
    await rig.swipe(OTHER)
    assert rig.sessions.row(2).state is State.READY  # type: ignore[union-attr]  # there is one
    await rig.swipe(CARD)
    assert rig.sessions.row(1).state is State.STOPPING  # type: ignore[union-attr]  # there is one
    assert rig.sessions.row(2).state is State.READY  # type: ignore[union-attr]  # there is one


async def test_two_evses_token_first_follows_the_car(tmp_path: Path) -> None:
    rig = another(tmp_path, evses=TWO)
    await rig.swipe()
    assert rig.statuses(1)[-1] == "Preparing"
    rig.control.plug(2)
    await rig.seconds(1)
    assert rig.sessions.row(1) is None and rig.sessions.row(2).state is State.READY  # type: ignore[union-attr]  # there is one
    assert rig.last().evse == 2 and rig.statuses(1)[-1] == "Available"


async def test_a_reader_of_one_evse_does_not_let_the_car_go_elsewhere(tmp_path: Path) -> None:
    rig = another(tmp_path, evses=TWO)
    await rig.swipe(evse=1)
    rig.control.plug(2)
    assert rig.sessions.row(2).state is State.PLUGGED  # type: ignore[union-attr]  # there is one


async def test_a_token_for_one_evse_only(tmp_path: Path) -> None:
    rig = another(tmp_path, evses=TWO)
    rig.csms.tokens[CARD] = IdTokenInfo(AuthorizationStatus.ACCEPTED, evses=(2,))
    rig.control.plug(1)
    await rig.swipe()
    assert rig.told() == []


async def test_the_csms_deauthorizes_and_the_plug_is_kept_for_its_owner(rig: Rig) -> None:
    await rig.charge()
    rig.sessions.answered(rig.transaction_facts()[0], IdTokenInfo(AuthorizationStatus.BLOCKED))
    rig.control.open(why="withdrawn")
    await rig.seconds(1)
    end = rig.last()
    assert (end.trigger, end.stopped_reason, end.id_token) == (Trigger.DEAUTHORIZED, StopReason.DE_AUTHORIZED, None)
    assert rig.control.locks[1] is True
    await rig.swipe()
    assert rig.control.locks[1] is False and rig.sessions.row(1).state is State.FINISHING  # type: ignore[union-attr]  # there is one


async def test_a_refused_token_is_told_with_the_charging_state_it_leaves(rig: Rig) -> None:
    """C15.FR.03, E05.FR.09: also when that state is the one told before."""
    rig.control.plug()
    await rig.swipe()
    rig.sessions.answered(rig.transaction_facts()[0], IdTokenInfo(AuthorizationStatus.INVALID))
    await rig.seconds(1)
    assert rig.told() == [("Started", "Authorized", "EVConnected"), ("Ended", "Deauthorized", "EVConnected")]


@pytest.mark.parametrize("most_wh", [1000, 10_000])
async def test_an_invalid_token_may_still_get_some_energy(rig: Rig, most_wh: int) -> None:
    """10,000 Wh are what TC_C_15_CS of part 6 sets, and more than a conformance run has time for."""
    rig.dm.push("TxCtrlr.StopTxOnInvalidId", False)
    rig.dm.push("TxCtrlr.MaxEnergyOnInvalidId", most_wh)
    await rig.charge()
    rig.sessions.answered(rig.transaction_facts()[0], IdTokenInfo(AuthorizationStatus.INVALID))
    rig.meters.energy_wh[1] = most_wh - 1.0
    await rig.seconds(1)
    assert rig.control.permits[1].limit_a == 32.0
    rig.meters.energy_wh[1] = float(most_wh)
    await rig.seconds(1)
    assert rig.control.permits[1].limit_a == 0.0
    rig.control.open(why="withdrawn")
    assert rig.told()[-1] == ("Updated", "ChargingStateChanged", "SuspendedEVSE")


async def test_an_answer_for_a_transaction_that_has_ended_does_nothing(rig: Rig) -> None:
    await rig.charge()
    first = rig.transaction_facts()[0]
    rig.control.unplug()
    await rig.seconds(2)
    rig.control.plug()
    rig.accept(OTHER)
    await rig.swipe(OTHER)
    rig.sessions.answered(first, IdTokenInfo(AuthorizationStatus.INVALID))
    assert rig.sessions.row(1).state is State.READY  # type: ignore[union-attr]  # there is one


async def test_a_master_pass_stops_all_and_starts_none(tmp_path: Path) -> None:
    rig = another(tmp_path, evses=TWO, variables={"AuthCtrlr.MasterPassGroupId": "POLICE"})
    await rig.charge(1)
    rig.accept(OTHER, group="police")
    await rig.swipe(OTHER)
    rig.control.open(1, why="withdrawn")
    await rig.seconds(1)
    assert rig.last().stopped_reason is StopReason.MASTER_PASS
    assert rig.sessions.row(2) is None


async def test_no_authorization_at_all(tmp_path: Path) -> None:
    rig = another(tmp_path, variables={"AuthCtrlr.Enabled": False})
    rig.control.plug()
    assert rig.control.permits[1].limit_a == 32.0
    assert rig.last().id_token == IdToken("", "NoAuthorization")


async def test_a_plug_is_never_kept_for_nobody(tmp_path: Path) -> None:
    """Without a token nothing could be shown to take it."""
    rig = another(tmp_path, variables={"AuthCtrlr.Enabled": False, "OCPPCommCtrlr.UnlockOnEVSideDisconnect": False})
    rig.control.plug()
    rig.sessions.answered(rig.transaction_facts()[0], IdTokenInfo(AuthorizationStatus.INVALID))
    assert rig.control.locks[1] is False


def with_a_button(tmp_path: Path, *, asked: bool) -> Rig:
    """A rig whose EVSE has a button. asked: for a token."""
    rig = another(tmp_path, variables={"AuthCtrlr.Enabled": asked})
    rig.edges.buttons, rig.edges.on_button = (1,), rig.driver.press
    return rig


async def test_a_button_begins_and_ends_where_no_token_is_asked_for(tmp_path: Path) -> None:
    """C02.FR.01."""
    rig = with_a_button(tmp_path, asked=False)
    rig.control.plug()
    assert rig.told() == [] and rig.control.permits == {}
    rig.control.edge(1, EdgeKind.BUTTON_PRESSED)
    assert rig.last().id_token == IdToken("", "NoAuthorization") and rig.control.permits[1].limit_a == 32.0
    await rig.seconds(1)
    rig.control.close()
    rig.control.edge(1, EdgeKind.BUTTON_PRESSED)
    rig.control.open(why="withdrawn")
    await rig.seconds(2)
    assert rig.told()[-1][:2] == ("Ended", "StopAuthorized") and rig.last().stopped_reason is StopReason.LOCAL


async def test_a_button_neither_begins_nor_ends_what_needs_a_token(tmp_path: Path) -> None:
    rig = with_a_button(tmp_path, asked=True)
    rig.control.plug()
    rig.control.edge(1, EdgeKind.BUTTON_PRESSED)
    assert rig.told() == []
    await rig.swipe()
    rig.control.edge(1, EdgeKind.BUTTON_PRESSED)
    assert [told[:2] for told in rig.told()] == [("Started", "Authorized")]


async def test_a_press_that_is_told_late_means_nothing(tmp_path: Path) -> None:
    rig = with_a_button(tmp_path, asked=False)
    rig.control.plug()
    rig.control.edge(1, EdgeKind.BUTTON_PRESSED, at=rig.clock.boot_s() - 60.0)
    assert rig.told() == []


async def test_restart_of_a_finished_session_is_a_new_transaction(rig: Rig) -> None:
    await rig.charge()
    await rig.swipe()
    rig.control.open(why="withdrawn")
    await rig.swipe()
    await rig.seconds(1)
    kinds = [fact.kind for fact in rig.transaction_facts()]
    assert kinds == [EventKind.STARTED, EventKind.UPDATED, EventKind.ENDED, EventKind.STARTED]


async def test_a_transaction_that_goes_on_after_its_authorization_is_nobody_elses(tmp_path: Path) -> None:
    """C01.FR.23: with the end at the unplugged cable only the card that began may go on."""
    rig = another(tmp_path, variables={"TxCtrlr.TxStopPoint": "EVConnected"})
    rig.accept(OTHER)
    await rig.charge()
    await rig.swipe()
    rig.control.open(why="withdrawn")
    await rig.swipe(OTHER)
    assert rig.sessions.row(1).state is State.FINISHING  # type: ignore[union-attr]  # there is one
    await rig.swipe()
    assert rig.sessions.row(1).state is State.READY  # type: ignore[union-attr]  # there is one


async def test_a_silent_meter_does_not_hold_up_the_end(rig: Rig) -> None:
    await rig.charge()
    rig.meters.energy_wh[1] = 10.0
    await rig.seconds(1)
    rig.sessions.sampled(1, Trigger.METER_VALUE_PERIODIC, ())
    rig.meters.silent.add(1)
    rig.control.unplug()
    assert rig.sessions.ends_near() == 1
    await rig.seconds(4)
    assert rig.sessions.ends_near() == 0
    assert rig.last().kind is EventKind.ENDED and rig.last().register_wh == 10.0 and rig.last().billing_estimated


async def test_the_permit_is_renewed_each_second_and_only_then(rig: Rig) -> None:
    await rig.charge()
    before = rig.control.permits[1].until
    rig.control.say(1)
    assert rig.control.permits[1].until == before
    await rig.seconds(1)
    assert rig.control.permits[1].until > before


async def test_first_written_then_done(rig: Rig) -> None:
    """When the row cannot be written, no permit goes out."""
    rig.control.plug()

    def fail(row: object) -> None:
        raise OSError("disk full")

    rig.sessions.store.save = fail  # type: ignore[method-assign]  # the disk fails
    with pytest.raises(OSError):
        await rig.swipe()
    assert rig.control.permits == {}


async def test_time_spent_charging(rig: Rig) -> None:
    await rig.charge()
    await rig.seconds(20)
    rig.control.open()
    await rig.seconds(30)
    rig.control.unplug()
    await rig.seconds(2)
    assert rig.last().time_charging_s == 20


async def test_a_reset_ends_everything_and_waits(rig: Rig) -> None:
    await rig.charge()
    ending = asyncio.ensure_future(rig.sessions.end(Trigger.RESET_COMMAND, StopReason.IMMEDIATE_RESET))
    await rig.clock.advance(0.5)
    rig.control.open(why="withdrawn")
    await rig.clock.advance(3.0)
    await ending
    assert (rig.last().trigger, rig.last().stopped_reason) == (Trigger.RESET_COMMAND, StopReason.IMMEDIATE_RESET)


async def test_a_status_that_does_not_last_is_not_told(rig: Rig) -> None:
    """1.6 4.9, MinimumStatusDuration."""
    rig.connectors.least_s = lambda: 3.0
    await rig.seconds(1)
    rig.control.plug()
    await rig.seconds(2)
    rig.control.unplug()
    await rig.seconds(5)
    assert rig.statuses() == ["Available"]
    rig.control.plug()
    plugged_at = rig.clock.boot_s()
    await rig.seconds(5)
    assert rig.statuses() == ["Available", "Preparing"]
    assert next(fact.at.boot_s for fact in rig.facts if isinstance(fact, StatusFact) and fact.status == "Preparing") == plugged_at


async def test_the_begin_is_metered_when_its_evse_becomes_known_and_when_charging_starts(tmp_path: Path) -> None:
    """Part 6, TC_J_08_CS, and E05.FR.08: a card at a reader for all, and the transaction begins with the authorization."""
    rig = Rig(SimulatedClock(), tmp_path / "station.db", evses=(Evse(id=1), Evse(id=2)), variables={"TxCtrlr.TxStartPoint": "Authorized"})
    rig.online()
    rig.accept(CARD)
    await rig.swipe()
    rig.control.plug(2)
    rig.control.close(2)
    await rig.seconds(2)
    contexts = [[value.context for reading in fact.readings for value in reading.values] for fact in rig.transaction_facts()]
    assert [fact.charging_state for fact in rig.transaction_facts()] == [ChargingState.IDLE, ChargingState.EV_CONNECTED, ChargingState.CHARGING]
    assert contexts == [[], [Context.TRANSACTION_BEGIN], [Context.TRANSACTION_BEGIN]] and rig.last().evse == 2


async def test_an_edge_that_comes_late_is_not_told_as_older_than_the_fact_before_it(rig: Rig) -> None:
    await rig.charge()
    raised_at = rig.clock.boot_s()
    await rig.clock.advance(0.2)
    assert rig.sessions.trigger(None, None)
    told_at = rig.last().at.boot_s
    rig.control.edge(1, EdgeKind.OPENED, "residual_current", at=raised_at)
    assert rig.last().charging_state is not None and rig.last().at.boot_s == told_at > raised_at
    await rig.seconds(1)
    moments = [fact.at.boot_s for fact in rig.transaction_facts()]
    assert moments == sorted(moments)


async def test_a_state_that_says_nothing_new_is_left_to_the_turn_of_the_second(rig: Rig) -> None:
    await rig.charge()
    acted: list[tuple[int, bool]] = []

    def act(evse: int, renew: bool) -> None:
        acted.append((evse, renew))
        rig.offer.act(evse, renew)

    rig.sessions.act = act
    rig.control.say(1)
    rig.control.say(1, temperature_c=44.0)
    assert acted == []
    rig.control.say(1, pilot="B")
    assert acted == [(1, False)]


async def test_a_state_without_news_still_finds_a_car_that_no_session_knows(rig: Rig) -> None:
    """What no edge told is not lost by it."""
    rig.control.plug()
    row = rig.sessions.rows.pop(1)
    rig.control.say(1)
    assert rig.sessions.rows[1].plugged and rig.sessions.rows[1] is not row
