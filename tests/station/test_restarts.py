"""Sessions over restarts of either process, power cuts, and a CSMS that is not there: nothing is lost, nothing is told twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from chargepoint.link.messages import EdgeKind
from chargepoint.model.facts import ChargingState, Delivery, EventKind, StopReason, TransactionFact, Trigger
from chargepoint.model.idtoken import AuthorizationStatus, IdToken, IdTokenInfo
from chargepoint.model.orders import ListEntry
from chargepoint.model.questions import Registration
from chargepoint.model.sample import Context
from chargepoint.model.session import State
from tests.simclock import SimulatedClock
from tests.station.station_rig import CARD, OTHER, FakeControl, FakeMeters, Rig


def begin(tmp_path: Path, clock: SimulatedClock | None = None, **more: object) -> Rig:
    return Rig(clock or SimulatedClock(), tmp_path / "station.db", **more)  # type: ignore[arg-type]  # the rig's own fields


def restarted(rig: Rig, *, clock: SimulatedClock | None = None, control: FakeControl | None = None, **more: object) -> Rig:
    """The station starts again on the same file, in the same boot unless another clock is given."""
    made = {"evses": rig.evses, "version": rig.version, "after_power_loss": rig.after_power_loss, "meters": rig.meters, **more}
    if clock is not None and isinstance(rig.meters, FakeMeters):
        rig.meters._clock = clock
    return Rig(clock or rig.clock, rig.path, control=control or rig.control, **made)  # type: ignore[arg-type]  # the rig's own fields


def powered_up(rig: Rig, *, plugged: bool, **more: object) -> Rig:
    """The board starts anew: another boot, another control; the car is still there or not."""
    clock = SimulatedClock(start_s=5.0, wall_s=rig.clock.wall_s() + 600, boot_id="boot-2")
    control = FakeControl(clock, rig.evses)
    control.start = 900
    if plugged:
        control.plug(1)
    return restarted(rig, clock=clock, control=control, **more)


async def charging(rig: Rig) -> Rig:
    if not rig.backend.accepted:
        rig.online()
    rig.accept(CARD)
    await rig.charge()
    return rig


def outbox(rig: Rig) -> list[TransactionFact]:
    return [waiting.fact for waiting in rig.outbox.some(Delivery.TRANSACTION, 1000) if isinstance(waiting.fact, TransactionFact)]


async def test_the_station_restarts_and_charging_is_never_interrupted(tmp_path: Path) -> None:
    rig = await charging(begin(tmp_path))
    permit = rig.control.permits[1]
    rig.crash()
    await rig.clock.advance(5)
    again = restarted(rig)
    assert again.control.permits[1].plug_in == permit.plug_in and again.control.permits[1].until > permit.until
    assert again.sessions.row(1).state is State.CHARGING  # type: ignore[union-attr]  # there is one
    again.control.unplug()
    await again.seconds(2)
    facts = outbox(again)
    assert [fact.seq for fact in facts] == [0, 1, 2] and len({fact.transaction for fact in facts}) == 1


async def test_an_edge_missed_while_away_is_replayed(tmp_path: Path) -> None:
    rig = await charging(begin(tmp_path))
    rig.crash()
    rig.control.unplug()
    again = restarted(rig)
    await again.seconds(2)
    assert outbox(again)[-1].stopped_reason is StopReason.EV_DISCONNECTED and again.sessions.row(1) is None


async def test_another_car_while_away_gets_no_permit(tmp_path: Path) -> None:
    rig = await charging(begin(tmp_path))
    rig.crash()
    rig.control.unplug()
    rig.control.plug()
    rig.control.permits.clear()
    again = restarted(rig)
    await again.seconds(2)
    assert again.control.permits == {}
    assert again.sessions.row(1).state is State.PLUGGED  # type: ignore[union-attr]  # there is one
    assert outbox(again)[-1].stopped_reason is StopReason.EV_DISCONNECTED


async def test_another_plug_in_number_without_edges_means_the_car_was_gone(tmp_path: Path) -> None:
    rig = await charging(begin(tmp_path))
    rig.crash()
    rig.control.unplug()
    rig.control.plug()
    rig.control.kept.clear()
    again = restarted(rig)
    await again.seconds(2)
    assert outbox(again)[-1].stopped_reason is StopReason.EV_DISCONNECTED


async def test_an_edge_is_heard_once(tmp_path: Path) -> None:
    rig = await charging(begin(tmp_path))
    kept = list(rig.control.kept)
    assert kept == [], "all is acknowledged"
    mark = rig.edges.acknowledged()
    rig.crash()
    again = restarted(rig)
    assert again.edges.acknowledged() == mark
    assert len(outbox(again)) == 2


async def test_control_restarts_and_charging_goes_on_by_a_fresh_permit(tmp_path: Path) -> None:
    rig = await charging(begin(tmp_path))
    former = rig.control.states[1].plug_in
    rig.control.restart()
    rig.control.connect()
    await rig.seconds(1)
    assert rig.control.permits[1].plug_in == rig.control.states[1].plug_in != former
    rig.control.close()
    facts = outbox(rig)
    assert len({fact.transaction for fact in facts}) == 1 and facts[-1].kind is EventKind.UPDATED
    assert rig.statuses()[-1] == "Charging"


async def test_control_restarts_and_the_car_does_not_come_back(tmp_path: Path) -> None:
    rig = await charging(begin(tmp_path))
    rig.control.restart()
    rig.control.edge(1, EdgeKind.PLUGGED)
    rig.control.connect()
    rig.control.say(1, pilot="B")
    row = rig.sessions.rows[1]
    assert row.state is State.READY, "nobody told the opening, for nobody was there"
    assert not row.satisfied
    await rig.seconds(30)
    assert rig.last().charging_state is ChargingState.SUSPENDED_EV


async def test_control_restarts_and_the_car_has_gone(tmp_path: Path) -> None:
    rig = await charging(begin(tmp_path))
    rig.control.restart()
    rig.control.say(1, pilot="A", plug_in=0, cable=False)
    rig.control.connect()
    await rig.seconds(2)
    assert outbox(rig)[-1].stopped_reason is StopReason.EV_DISCONNECTED


async def test_control_away_for_long_finds_another_car(tmp_path: Path) -> None:
    rig = await charging(begin(tmp_path))
    rig.control.restart()
    await rig.clock.advance(60)
    rig.control.connect()
    await rig.seconds(2)
    assert outbox(rig)[-1].stopped_reason is StopReason.EV_DISCONNECTED


@pytest.mark.parametrize("plugged", [True, False])
async def test_a_power_cut_ends_with_the_meters_register_and_the_time_last_alive(tmp_path: Path, plugged: bool) -> None:
    rig = await charging(begin(tmp_path))
    rig.meters.energy_wh[1] = 100.0
    rig.sessions.sampled(1, Trigger.METER_VALUE_PERIODIC, ())
    alive = rig.clock.stamp()
    await rig.clock.advance(20)
    rig.crash()
    rig.meters.energy_wh[1] = 123.0
    again = powered_up(rig, plugged=plugged)
    await again.seconds(1)
    end = outbox(again)[-1]
    assert (end.kind, end.stopped_reason, end.trigger) == (EventKind.ENDED, StopReason.POWER_LOSS, Trigger.ABNORMAL_CONDITION)
    assert end.register_wh == 123.0 and not end.billing_estimated and end.at == alive and end.connection == 0
    row = again.sessions.row(1)
    assert (row.state if row else None) == (State.PLUGGED if plugged else None)
    assert again.control.permits == {}


async def test_the_end_after_a_power_cut_is_when_the_station_was_last_known_alive(tmp_path: Path) -> None:
    rig = await charging(begin(tmp_path))
    await rig.clock.advance(55)
    alive = rig.clock.stamp()
    rig.boots.alive(alive.boot, alive.boot_s)
    await rig.clock.advance(20)
    rig.crash()
    again = powered_up(rig, plugged=False)
    await again.seconds(1)
    assert outbox(again)[-1].at == alive


@pytest.mark.parametrize("how", ["silent", "another", "reset"])
async def test_a_power_cut_with_a_meter_that_cannot_say(tmp_path: Path, how: str) -> None:
    rig = await charging(begin(tmp_path))
    rig.meters.energy_wh[1] = 100.0
    rig.sessions.sampled(1, Trigger.METER_VALUE_PERIODIC, ())
    rig.crash()
    rig.meters.energy_wh[1] = 3.0 if how == "reset" else 140.0
    rig.meters.meter_id = "meter-b" if how == "another" else "meter-a"
    if how == "silent":
        rig.meters.silent.add(1)
    again = powered_up(rig, plugged=False)
    await again.seconds(31)
    end = outbox(again)[-1]
    assert end.kind is EventKind.ENDED and end.register_wh == 100.0 and end.billing_estimated


async def test_a_meter_that_starts_late_is_waited_for(tmp_path: Path) -> None:
    rig = await charging(begin(tmp_path))
    rig.crash()
    rig.meters.silent.add(1)
    again = powered_up(rig, plugged=False)
    await again.seconds(5)
    assert outbox(again)[-1].kind is EventKind.UPDATED
    again.meters.silent.clear()
    again.meters.energy_wh[1] = 77.0
    await again.seconds(1)
    assert outbox(again)[-1].register_wh == 77.0


async def test_a_power_cut_resumes_for_a_car_never_seen_gone(tmp_path: Path) -> None:
    rig = await charging(begin(tmp_path, after_power_loss="resume"))
    rig.crash()
    again = powered_up(rig, plugged=True)
    await again.seconds(1)
    again.control.close()
    facts = outbox(again)
    assert len({fact.transaction for fact in facts}) == 1 and facts[-1].charging_state is not None
    assert [fact.seq for fact in facts] == list(range(len(facts)))
    assert again.sessions.row(1).state is State.CHARGING  # type: ignore[union-attr]  # there is one


async def test_the_register_before_and_after_a_power_cut_goes_to_the_end_of_the_transaction(tmp_path: Path) -> None:
    """2.0.1 part 2, 3.66 ReadingContextEnumType: Interruption.Begin, Interruption.End."""
    rig = await charging(begin(tmp_path, after_power_loss="resume"))
    alive = rig.sessions.row(1).alive  # type: ignore[union-attr]  # there is one
    rig.crash()
    again = powered_up(rig, plugged=True)
    await again.seconds(1)
    assert again.meters.collected == [(Context.INTERRUPTION_BEGIN, alive), (Context.INTERRUPTION_END, None)]


async def test_a_power_cut_does_not_resume_for_a_car_that_left(tmp_path: Path) -> None:
    rig = await charging(begin(tmp_path, after_power_loss="resume"))
    rig.crash()
    again = powered_up(rig, plugged=False)
    again.control.plug()
    await again.seconds(2)
    assert outbox(again)[-1].stopped_reason is StopReason.POWER_LOSS
    assert again.sessions.row(1).state is State.PLUGGED  # type: ignore[union-attr]  # there is one
    assert again.control.permits == {}


async def test_somebody_who_waited_for_a_car_over_a_power_cut_does_not(tmp_path: Path) -> None:
    rig = begin(tmp_path, after_power_loss="resume")
    rig.online()
    rig.accept(CARD)
    await rig.swipe()
    rig.crash()
    again = powered_up(rig, plugged=True)
    await again.seconds(1)
    assert again.control.permits == {}


async def test_an_end_that_waited_when_the_power_went_keeps_its_reason(tmp_path: Path) -> None:
    rig = await charging(begin(tmp_path))
    await rig.swipe()
    rig.crash()
    again = powered_up(rig, plugged=True)
    await again.seconds(1)
    end = outbox(again)[-1]
    assert (end.kind, end.stopped_reason, end.id_token) == (EventKind.ENDED, StopReason.LOCAL, IdToken(CARD))


async def test_an_end_that_waited_when_the_station_died_is_told(tmp_path: Path) -> None:
    rig = await charging(begin(tmp_path))
    await rig.swipe()
    rig.crash()
    again = restarted(rig)
    again.control.open(why="withdrawn")
    await again.seconds(1)
    assert outbox(again)[-1].stopped_reason is StopReason.LOCAL


async def test_the_first_offer_after_a_power_cut_waits(tmp_path: Path) -> None:
    rig = await charging(begin(tmp_path, after_power_loss="resume"))
    rig.crash()
    again = powered_up(rig, plugged=True, delay_s=30.0)
    await again.seconds(1)
    assert again.control.permits[1].limit_a == 0.0
    await again.seconds(10)
    again.crash()
    third = restarted(again, delay_s=30.0)
    await third.seconds(10)
    assert third.control.permits[1].limit_a == 0.0, "the wait is drawn once per boot"
    await third.seconds(10)
    assert third.control.permits[1].limit_a == 32.0


@pytest.mark.parametrize("version", ["ocpp1.6", "ocpp2.0.1"])
async def test_a_resumed_transaction_that_waits_for_the_first_offer_is_suspended_by_the_station(tmp_path: Path, version: str) -> None:
    rig = await charging(begin(tmp_path, after_power_loss="resume", version=version))
    rig.crash()
    again = powered_up(rig, plugged=True, delay_s=30.0)
    again.connectors.report_all()
    await again.seconds(15)
    assert set(again.statuses()) == {"SuspendedEVSE"}
    assert again.told() == [("Updated", "ChargingStateChanged", "SuspendedEVSE")]


async def test_three_sessions_offline_and_a_power_cut_in_the_third(tmp_path: Path) -> None:
    rig = begin(tmp_path)
    rig.online()
    rig.tokens.replace([ListEntry(IdToken(card), IdTokenInfo(AuthorizationStatus.ACCEPTED)) for card in (CARD, OTHER, "04FFFFFF")])
    rig.offline()
    for card in (CARD, OTHER):
        rig.control.plug()
        await rig.swipe(card)
        await rig.seconds(1)
        rig.control.close()
        rig.meters.energy_wh[1] = rig.meters.energy_wh.get(1, 0.0) + 1000.0
        await rig.seconds(5)
        await rig.swipe(card)
        rig.control.open(why="withdrawn")
        await rig.seconds(1)
        rig.control.unplug()
        await rig.seconds(1)
    rig.control.plug()
    await rig.swipe("04FFFFFF")
    await rig.seconds(1)
    rig.control.close()
    rig.meters.energy_wh[1] += 500.0
    await rig.seconds(5)
    rig.crash()
    again = powered_up(rig, plugged=True)
    await again.seconds(1)
    again.online()
    facts = outbox(again)
    ids = list(dict.fromkeys(fact.transaction for fact in facts))
    assert len(ids) == 3
    for id in ids:
        mine = [fact for fact in facts if fact.transaction == id]
        assert [fact.seq for fact in mine] == list(range(len(mine)))
        assert mine[0].kind is EventKind.STARTED and mine[-1].kind is EventKind.ENDED
    assert all(fact.connection == 0 for fact in facts) and again.backend.connection == 2
    assert [fact.register_wh for fact in facts if fact.kind is not EventKind.UPDATED] == [0.0, 1000.0, 1000.0, 2000.0, 2000.0, 2500.0]
    walls = [fact.at.wall_s for fact in facts]
    assert walls == sorted(walls)


async def test_a_fresh_box_whose_csms_was_never_reached_takes_nobody(tmp_path: Path) -> None:
    rig = begin(tmp_path)
    rig.tokens.replace([ListEntry(IdToken(CARD), IdTokenInfo(AuthorizationStatus.ACCEPTED))])
    rig.control.plug()
    await rig.swipe()
    assert outbox(rig) == [] and rig.control.permits == {}
    rig.dm.push("TxCtrlr.TxBeforeAcceptedEnabled", True)
    await rig.swipe()
    assert len(outbox(rig)) == 1 and outbox(rig)[0].connection == 0


async def test_a_box_without_any_csms_works_alone(tmp_path: Path) -> None:
    rig = begin(tmp_path, url="")
    rig.tokens.replace([ListEntry(IdToken(CARD), IdTokenInfo(AuthorizationStatus.ACCEPTED))])
    rig.control.plug()
    await rig.swipe()
    assert rig.control.permits[1].limit_a == 32.0


@pytest.mark.parametrize("answer", [Registration.PENDING, Registration.REJECTED])
async def test_a_csms_that_has_not_accepted_gets_no_new_transactions_but_running_ones_go_on(tmp_path: Path, answer: Registration) -> None:
    rig = await charging(begin(tmp_path))
    rig.crash()
    again = restarted(rig)
    again.backend.line_up(again.csms)
    again.backend.registered(answer)
    await again.seconds(1)
    assert again.sessions.row(1).state is State.CHARGING  # type: ignore[union-attr]  # there is one
    again.control.unplug()
    await again.seconds(2)
    again.tokens.replace([ListEntry(IdToken(CARD), IdTokenInfo(AuthorizationStatus.ACCEPTED))])
    again.control.plug()
    again.control.permits.clear()
    await again.swipe()
    assert again.control.permits == {} and again.csms.asked == []


async def test_facts_carry_the_connection_they_were_written_under(tmp_path: Path) -> None:
    rig = await charging(begin(tmp_path))
    rig.offline()
    rig.control.open()
    rig.online()
    rig.control.close()
    assert [fact.connection for fact in outbox(rig)] == [1, 1, 0, 2]
    rig.crash()
    again = restarted(rig)
    again.online()
    assert again.backend.connection == 3


async def test_an_end_waits_for_the_meter_after_a_restart(tmp_path: Path) -> None:
    rig = await charging(begin(tmp_path))
    await rig.swipe()
    rig.control.open(why="withdrawn")
    rig.crash()
    await rig.clock.advance(20)
    rig.meters.energy_wh[1] = 7.0
    rig.meters.silent.add(1)
    again = restarted(rig)
    await again.seconds(3)
    assert outbox(again)[-1].kind is not EventKind.ENDED, "the meter has not answered yet"
    again.meters.silent.clear()
    await again.seconds(2)
    assert outbox(again)[-1].kind is EventKind.ENDED
    assert outbox(again)[-1].register_wh == 7.0


async def test_an_end_whose_opening_control_took_along_is_read_after_it(tmp_path: Path) -> None:
    rig = await charging(begin(tmp_path))
    rig.meters.energy_wh[1] = 5.0
    await rig.swipe()
    rig.hardware.on_lost("control died")
    rig.sessions.tick()
    assert outbox(rig)[-1].kind is not EventKind.ENDED, "the contactor is just falling"
    rig.meters.energy_wh[1] = 7.0
    await rig.clock.advance(1.0)
    rig.sessions.tick()
    assert (outbox(rig)[-1].kind, outbox(rig)[-1].register_wh) == (EventKind.ENDED, 7.0)
