"""Remote start and stop, unlock, triggered messages, transaction status: answered at once, done after the answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from chargepoint.link.messages import OrderKind
from chargepoint.model.facts import SecurityFact, StatusFact, StopReason
from chargepoint.model.idtoken import AuthorizationStatus, IdToken, IdTokenInfo
from chargepoint.model.orders import Answer, GetTransactionStatus, ListEntry, RemoteStart, RemoteStop, Trigger, Unlock
from chargepoint.model.questions import Registration
from chargepoint.model.session import State
from chargepoint.settings import Evse
from tests.simclock import SimulatedClock
from tests.station.station_rig import CARD, OTHER, Rig

START = RemoteStart(IdToken(CARD), remote_start_id=7, evse=1)


def make(tmp_path: Path, **more: Any) -> Rig:
    made = Rig(SimulatedClock(), tmp_path / "station.db", **more)
    made.online()
    made.accept(CARD)
    return made


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return make(tmp_path)


async def follow(answer: Answer) -> Answer:
    if answer.then is not None:
        await answer.then()
    return answer


async def test_cable_first(rig: Rig) -> None:
    rig.control.plug()
    answer = await rig.remote.start(START)
    assert answer.status == "Accepted" and rig.control.permits == {}, "nothing happens before the answer is out"
    await follow(answer)
    assert rig.control.permits[1].limit_a == 32.0 and rig.csms.asked == []
    assert rig.told() == [("Started", "RemoteStart", "EVConnected")]
    assert rig.last().remote_start_id == 7 and rig.last().id_token == IdToken(CARD)


async def test_remote_first(rig: Rig) -> None:
    await follow(await rig.remote.start(START))
    rig.control.plug()
    assert rig.told() == [("Started", "RemoteStart", "EVConnected")] and rig.last().remote_start_id == 7


@pytest.mark.parametrize("version", ["ocpp1.6", "ocpp2.0.1"])
@pytest.mark.parametrize("purpose", ["TxProfile", "ChargePointMaxProfile"])
async def test_without_smart_charging_a_profile_is_ignored_whatever_it_says(tmp_path: Path, version: str, purpose: str) -> None:
    rig = make(tmp_path, version=version)
    rig.control.plug()
    profile = {
        "chargingProfilePurpose": purpose,
        "chargingSchedule": {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 7.0}]},
    }
    answer = await follow(await rig.remote.start(RemoteStart(IdToken(CARD), evse=1, profile=profile)))
    assert answer.status == "Accepted" and rig.control.permits[1].limit_a == 32.0
    assert rig.dm.text("SmartChargingCtrlr.Enabled") == "false" and "SmartCharging" not in rig.dm.text("Ocpp16Ctrlr.SupportedFeatureProfiles")


async def test_a_running_transaction_nobody_is_authorized_for_is_answered(tmp_path: Path) -> None:
    rig = make(tmp_path, variables={"TxCtrlr.TxStartPoint": "EVConnected"})
    rig.control.plug()
    answer = await follow(await rig.remote.start(START))
    assert answer.extra == {"transaction": rig.transaction_facts()[0].transaction}
    assert rig.told()[-1][1] == "RemoteStart" and rig.last().remote_start_id == 7


async def test_authorize_remote_start(tmp_path: Path) -> None:
    rig = make(tmp_path, variables={"AuthCtrlr.AuthorizeRemoteStart": True})
    rig.control.plug()
    answer = await follow(await rig.remote.start(RemoteStart(IdToken(OTHER), 8, 1)))
    assert answer.status == "Accepted" and rig.csms.asked == [OTHER] and rig.control.permits == {}
    await follow(await rig.remote.start(START))
    assert rig.control.permits[1].limit_a == 32.0


async def test_refused(rig: Rig) -> None:
    assert (await rig.remote.start(RemoteStart(IdToken(CARD), 1, 9))).status == "Rejected"
    rig.control.plug()
    await follow(await rig.remote.start(START))
    assert (await rig.remote.start(START)).status == "Rejected", "F01.FR.24"
    rig.control.unplug()
    rig.operative = lambda evse, connector: False
    assert (await rig.remote.start(START)).status == "Rejected", "F01.FR.23"


async def test_a_transaction_that_was_authorized_is_nobody_elses(tmp_path: Path) -> None:
    """F01.FR.24, as locally (C01.FR.23): with the end at the unplugged cable only the token that began may go on."""
    rig = make(tmp_path, variables={"TxCtrlr.TxStartPoint": "EVConnected", "TxCtrlr.TxStopPoint": "EVConnected"})
    rig.control.plug()
    await follow(await rig.remote.start(START))
    await follow(await rig.remote.stop(RemoteStop(rig.last().transaction)))
    assert (await rig.remote.start(RemoteStart(IdToken(OTHER), 8, 1))).reason == "TxInProgress"
    assert (await rig.remote.start(RemoteStart(IdToken(OTHER), 8))).status == "Rejected", "nor is it chosen"
    answer = await follow(await rig.remote.start(START))
    assert answer.status == "Accepted" and answer.extra == {"transaction": rig.last().transaction}
    assert rig.sessions.row(1).state is State.READY  # type: ignore[union-attr]  # there is one


async def test_a_transaction_that_was_authorized_is_not_chosen_for_another(tmp_path: Path) -> None:
    rig = make(tmp_path, evses=(Evse(id=1), Evse(id=2)), variables={"TxCtrlr.TxStopPoint": "EVConnected"})
    rig.operative = lambda evse, connector: evse == 1
    rig.control.plug()
    await follow(await rig.remote.start(START))
    await follow(await rig.remote.stop(RemoteStop(rig.last().transaction)))
    assert (await rig.remote.start(RemoteStart(IdToken(OTHER), 8))).reason == "NoEvse"
    assert (await rig.remote.start(RemoteStart(IdToken(CARD), 8))).status == "Accepted"


@pytest.mark.parametrize("ask", [True, False])
async def test_a_master_pass_starts_nothing_remotely_either(tmp_path: Path, ask: bool) -> None:
    """C16.FR.03: by the group of the order, or by what list or cache know of the token."""
    rig = make(tmp_path, variables={"AuthCtrlr.MasterPassGroupId": "POLICE", "AuthCtrlr.AuthorizeRemoteStart": ask})
    rig.control.plug()
    pass_of = IdToken("police", "Central")
    answer = await rig.remote.start(RemoteStart(IdToken(CARD), 7, 1, group=pass_of))
    assert (answer.status, answer.reason) == ("Rejected", "InvalidIdToken")
    rig.tokens.replace([ListEntry(IdToken(CARD), IdTokenInfo(AuthorizationStatus.ACCEPTED, group=pass_of))])
    assert (await rig.remote.start(START)).status == "Rejected"
    assert (await rig.remote.start(RemoteStart(IdToken(OTHER), 7, 1, group=IdToken("another")))).status == "Accepted"


async def test_refused_before_acceptance(rig: Rig) -> None:
    rig.backend.registered(Registration.PENDING)
    assert (await rig.remote.start(START)).status == "Rejected"


async def test_without_evse_the_car_that_waits_is_chosen(tmp_path: Path) -> None:
    rig = make(tmp_path, evses=(Evse(id=1), Evse(id=2)))
    rig.control.plug(2)
    await follow(await rig.remote.start(RemoteStart(IdToken(CARD), 7)))
    assert rig.control.permits[2].limit_a == 32.0


async def test_in_16_a_card_stops_what_its_tag_began_remotely(tmp_path: Path) -> None:
    rig = make(tmp_path, version="ocpp1.6")
    rig.control.plug()
    await follow(await rig.remote.start(RemoteStart(IdToken(CARD, "Central"), evse=1)))
    await rig.swipe()
    assert rig.sessions.row(1).state is State.FINISHING  # type: ignore[union-attr]  # there is one
    assert rig.csms.asked == []


async def test_in_16_a_remote_start_is_authorized_when_asked_for(tmp_path: Path) -> None:
    rig = make(tmp_path, version="ocpp1.6", variables={"AuthCtrlr.AuthorizeRemoteStart": True})
    rig.control.plug()
    await follow(await rig.remote.start(RemoteStart(IdToken(CARD, "Central"), evse=1)))
    assert rig.csms.asked == [CARD]


async def test_remote_stop(rig: Rig) -> None:
    rig.control.plug()
    await rig.swipe()
    transaction = rig.last().transaction
    assert (await rig.remote.stop(RemoteStop("another"))).status == "Rejected"
    assert (await follow(await rig.remote.stop(RemoteStop(transaction)))).status == "Accepted"
    assert rig.told()[-1][:2] == ("Ended", "RemoteStop") and rig.last().stopped_reason is StopReason.REMOTE
    assert rig.last().id_token is None
    assert (await rig.remote.stop(RemoteStop(transaction))).status == "Rejected"


async def test_remote_stop_where_it_does_not_end_the_transaction(tmp_path: Path) -> None:
    rig = make(tmp_path, variables={"TxCtrlr.TxStartPoint": "EVConnected", "TxCtrlr.TxStopPoint": "EVConnected"})
    rig.control.plug()
    await rig.swipe()
    await follow(await rig.remote.stop(RemoteStop(rig.last().transaction)))
    assert rig.told()[-1][:2] == ("Updated", "RemoteStop")
    rig.control.unplug()
    await rig.seconds(1)
    assert rig.last().stopped_reason is StopReason.REMOTE


async def test_unlock(rig: Rig) -> None:
    assert (await rig.remote.unlock(Unlock(1, 2))).status == "UnknownConnector"
    assert (await rig.remote.unlock(Unlock(1, 1))).status == "Unlocked"
    assert rig.control.orders == [(OrderKind.UNLOCK, 1)]
    rig.control.unlocks = False
    answer = await rig.remote.unlock(Unlock(1, 1))
    assert (answer.status, answer.info) == ("UnlockFailed", "the bolt does not move")


async def test_unlock_with_an_authorized_transaction(rig: Rig) -> None:
    rig.control.plug()
    await rig.swipe()
    assert (await rig.remote.unlock(Unlock(1, 1))).status == "OngoingAuthorizedTransaction"
    assert (await rig.remote.unlock(Unlock(1, 1, stop_transaction=True))).status == "Unlocked"
    assert rig.told()[-1][:2] == ("Ended", "UnlockCommand")


async def test_a_tethered_cable_has_no_lock(tmp_path: Path) -> None:
    rig = make(tmp_path, evses=(Evse(id=1, connectors=("cType2",)),))
    answer = await rig.remote.unlock(Unlock(1, 1))
    assert (answer.status, answer.reason) == ("UnlockFailed", "FixedCable") and answer.extra == {"lock": False}


async def test_trigger(rig: Rig) -> None:
    assert (await rig.remote.trigger(Trigger("PublishFirmwareStatusNotification"))).status == "NotImplemented"
    assert (await rig.remote.trigger(Trigger("MeterValues", evse=9))).status == "Rejected"
    assert (await rig.remote.trigger(Trigger("Heartbeat", evse=9))).status == "Accepted", "an EVSE that does not matter is ignored (F06.FR.03)"
    assert (await rig.remote.trigger(Trigger("Heartbeat"))).status == "Accepted"
    assert (await rig.remote.trigger(Trigger("StatusNotification", evse=1, connector=2))).status == "Rejected", "what is accepted is sent (F06.FR.10)"


async def test_values_are_triggered_where_there_are_some(rig: Rig) -> None:
    """F06.FR.10: what is accepted is sent."""
    assert (await rig.remote.trigger(Trigger("MeterValues"))).status == "Accepted"
    rig.has_values = lambda evse: False
    assert (await rig.remote.trigger(Trigger("MeterValues"))).status == "Rejected"


async def test_a_status_is_told_of_the_place_asked_for(tmp_path: Path) -> None:
    rig = make(tmp_path, evses=(Evse(id=1), Evse(id=2)))
    for evse, places in ((0, [(0, 0)]), (2, [(2, 1)]), (None, [(0, 0), (1, 1), (2, 1)])):
        rig.facts.clear()
        await follow(await rig.remote.trigger(Trigger("StatusNotification", evse=evse)))
        assert [(fact.evse, fact.connector) for fact in rig.facts if isinstance(fact, StatusFact) and fact.ordered] == places


async def test_what_can_be_triggered_while_pending(rig: Rig) -> None:
    rig.control.plug()
    await rig.swipe()
    rig.backend.registered(Registration.PENDING)
    for message in ("BootNotification", "Heartbeat", "StatusNotification"):
        assert (await follow(await rig.remote.trigger(Trigger(message)))).status == "Accepted", "B02.FR.02"
    assert [name for name, _, _ in rig.triggered] == ["BootNotification", "Heartbeat"]
    assert (await rig.remote.trigger(Trigger("TransactionEvent"))).status == "Rejected", "facts of a transaction go in order, after acceptance"
    rig.backend.registered(Registration.REJECTED)
    assert (await rig.remote.trigger(Trigger("Heartbeat"))).status == "Rejected"


async def test_a_trigger_before_the_boot_is_answered_is_taken_as_while_pending(tmp_path: Path) -> None:
    rig = Rig(SimulatedClock(), tmp_path / "station.db")
    rig.backend.line_up(rig.csms)
    for message in ("BootNotification", "Heartbeat", "StatusNotification", "MeterValues"):
        assert (await rig.remote.trigger(Trigger(message))).status == "Accepted"
    assert (await rig.remote.trigger(Trigger("TransactionEvent"))).status == "Rejected"


@pytest.mark.parametrize(("version", "after"), [("ocpp1.6", "Accepted"), ("ocpp2.0.1", "Rejected")])
async def test_a_boot_is_told_again_on_order_to_a_csms_that_may_be_new(tmp_path: Path, version: str, after: str) -> None:
    """1.6 errata 3.35: until a reconnection it is better refused; 2.0.1 F06.FR.17: it is refused."""
    rig = make(tmp_path, version=version)
    assert (await rig.remote.trigger(Trigger("BootNotification"))).status == "Rejected"
    rig.offline()
    rig.backend.line_up(rig.csms)
    assert rig.backend.accepted
    assert (await rig.remote.trigger(Trigger("BootNotification"))).status == after
    rig.backend.registered(Registration.ACCEPTED)
    assert (await rig.remote.trigger(Trigger("BootNotification"))).status == "Rejected"


async def test_transaction_event_on_order(rig: Rig) -> None:
    rig.control.plug()
    await rig.swipe()
    assert rig.sessions.trigger(1, None)
    assert rig.told()[-1] == ("Updated", "Trigger", "EVConnected") and rig.last().readings
    assert rig.last().said_evse, "so that the answers for all EVSEs can be told apart"
    assert not rig.sessions.trigger(2, None)


async def test_what_waits_for_a_transaction_status_are_facts_of_transactions(rig: Rig) -> None:
    """E14.FR.06 to E14.FR.08."""
    rig.append(SecurityFact("StartupOfTheDevice", rig.clock.stamp()))
    assert (await rig.remote.transaction_status(GetTransactionStatus())).extra == {"ongoing": None, "messages_in_queue": False}


async def test_transaction_status(rig: Rig) -> None:
    rig.control.plug()
    await rig.swipe()
    running = rig.last().transaction
    assert (await rig.remote.transaction_status(GetTransactionStatus(running))).extra == {"ongoing": True, "messages_in_queue": True}
    assert (await rig.remote.transaction_status(GetTransactionStatus("x"))).extra == {"ongoing": False, "messages_in_queue": False}
    assert (await rig.remote.transaction_status(GetTransactionStatus())).extra == {"ongoing": None, "messages_in_queue": True}
