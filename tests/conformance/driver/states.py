"""The reusable states of OCPP 2.0.1 part 6, 2.18, and the memory states of 2.19: each leads a charge point there and judges what it says on the way.

Each first looks whether the state is reached already (`lab.session`). Must not know single cases. All of them return the last TransactionEvent they
took, or None when the points where transactions start and stop ask for none.
"""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

from tests.conformance.driver.lab import Lab, Token
from tests.conformance.driver.matching import ABSENT, Payload, one_of

STARTED_BY_BOOT = {"StartupOfTheDevice", "ResetOrReboot"}
PLUG_REASONS = {"CablePluggedIn", "ChargingStateChanged", "RemoteStart"}
_remote_start_ids = itertools.count(1000)


async def connector_told(lab: Lab, status: str, evse: int | None = None, connector: int | None = None, within: float = 20.0) -> None:
    """The station says a connector's status by StatusNotification, or by NotifyEvent of Connector.AvailabilityState."""
    evse, connector = evse or lab.evse, connector or lab.connector
    told = {"evseId": evse, "connectorId": connector, "connectorStatus": status}
    await lab.csms.expect("StatusNotification", told, within=within)


async def connectors_of(lab: Lab, evse: int, status: str, within: float = 20.0) -> None:
    """The status of every connector of an EVSE is told."""
    for connector in range(1, len(lab.charger.factory.connectors) + 1):
        await connector_told(lab, status, evse, connector, within)


async def connectors_told(lab: Lab, status: str = "Available", within: float = 20.0) -> None:
    """Every connector's status is told."""
    for evse in range(1, lab.charger.factory.evses + 1):
        await connectors_of(lab, evse, status, within)


async def transaction_event(lab: Lab, where: Any = None, *, evse: int | None = None, within: float = 20.0) -> Payload:
    """The next TransactionEvent like this, and what it changes of the session."""
    event = await lab.csms.expect("TransactionEvent", where, within=within)
    session, id_ = lab.session_of(evse or lab.evse), event["transactionInfo"]["transactionId"]
    if event["eventType"] == "Started":
        session.transaction = id_
    elif event["eventType"] == "Ended":
        session.transaction, session.last_transaction = None, id_
    return event


async def booting(lab: Lab) -> None:
    """Table 422: the station is asked to reset at once, and is not back yet."""
    answer = await lab.csms.call("Reset", {"type": "Immediate"})
    assert answer["status"] == "Accepted", answer
    lab.sessions.clear()


async def booted(lab: Lab, *, reset: str | None = None, status: str = "Available") -> Payload:
    """Table 423: powered off and on, or reset (`Immediate`, `OnIdle`) and back. Returns its BootNotification."""
    if reset is None:
        await lab.charger.power_cycle()
    else:
        answer = await lab.csms.call("Reset", {"type": reset})
        assert answer["status"] == "Accepted", answer
    lab.sessions.clear()
    boot = await lab.csms.expect("BootNotification", within=30)
    await connectors_told(lab, status)
    await lab.csms.expect("SecurityEventNotification", {"type": STARTED_BY_BOOT})
    await lab.charger.registered()
    return boot


async def change_availability(lab: Lab, wanted: str, evse: int | None = None, connector: int | None = None) -> str:
    """Asks for Operative or Inoperative of the station, an EVSE or a connector; returns the status of the answer."""
    place: Payload = {} if evse is None else {"evse": {"id": evse} | ({"connectorId": connector} if connector else {})}
    return str((await lab.csms.call("ChangeAvailability", {"operationalStatus": wanted, **place}))["status"])


async def unavailable(lab: Lab, evse: int | None = None, connector: int | None = None) -> None:
    """Table 425: made inoperative; no evse: the whole station. Every connector that belongs to it is told."""
    assert await change_availability(lab, "Inoperative", evse, connector) == "Accepted"
    if connector is not None:
        await connector_told(lab, "Unavailable", evse, connector)
    elif evse is not None:
        await connectors_of(lab, evse, "Unavailable")
    else:
        await connectors_told(lab, "Unavailable")


async def parking_bay_occupied(lab: Lab) -> Payload | None:
    """Table 426: optional, and without a bay sensor nothing is told. Returns the event."""
    if not lab.charger.factory.bays or lab.session.parked:
        return None
    await lab.charger.bay(True, lab.evse)
    lab.session.parked = True
    if "ParkingBayOccupancy" in lab.start_points:
        return await transaction_event(lab, {"triggerReason": "EVDetected"})
    async with asyncio.timeout(20):
        while await lab.get(f"BayOccupancySensor@{lab.evse}.Active") != "true":
            await asyncio.sleep(0.1)
    return None


async def ev_connected_pre_session(lab: Lab, *, evse: int | None = None, **ev: Any) -> Payload | None:
    """Table 427: the cable goes in. ev: of the car (`ready=False`)."""
    evse = evse or lab.evse
    session = lab.session_of(evse)
    if session.connected:
        return None
    await parking_bay_occupied(lab)
    await lab.charger.plug_in(evse, lab.connector, **ev)
    session.connected = True
    await connector_told(lab, "Occupied", evse)
    if not _told_when_plugged(lab, evse):
        return None
    begins = session.transaction is None
    where = {
        "eventType": "Started" if begins else "Updated",
        "triggerReason": PLUG_REASONS,
        "transactionInfo": {"chargingState": {"EVConnected", "SuspendedEVSE", "Charging"} if session.authorized else "EVConnected"},
        "evse": {"id": evse, "connectorId": lab.connector},
    }
    return await _with_remote_start(lab, evse, where)


def _told_when_plugged(lab: Lab, evse: int) -> bool:
    session = lab.session_of(evse)
    return bool(session.transaction or "EVConnected" in lab.start_points or (session.authorized and "PowerPathClosed" in lab.start_points))


async def _with_remote_start(lab: Lab, evse: int, where: Payload) -> Payload:
    """The first event after a remote start says so, whatever caused it (2.1, third rule)."""
    session = lab.session_of(evse)
    if session.remote_start_id is not None:
        where = {**where, "triggerReason": "RemoteStart"}
        where["transactionInfo"] = {**where.get("transactionInfo", {}), "remoteStartId": session.remote_start_id}
        session.remote_start_id = None
    return await transaction_event(lab, where, evse=evse)


async def authorized(
    lab: Lab, *, remote: bool = False, token: Token | None = None, evse: int | None = None, asks: bool | None = None
) -> Payload | None:
    """Table 428: a card is shown (A), or the CSMS starts remotely (B). asks: whether the station must ask the CSMS of the card (None: it may)."""
    evse, token = evse or lab.evse, token or lab.token
    session = lab.session_of(evse)
    if session.authorized:
        return None
    if remote:
        await _start_remotely(lab, token, evse)
    else:
        await lab.charger.swipe(token.uid, None if lab.reader_for_all else evse)
    if asks:
        await lab.csms.expect("Authorize", {"idToken": token.id_token})
    session.authorized = True
    if not (session.transaction or "Authorized" in lab.start_points or (session.connected and "PowerPathClosed" in lab.start_points)):
        await lab.charger.until(lambda state: state["station"]["connectors"][evse - 1]["status"] != "Available")
        return None
    begins = session.transaction is None
    where = {
        "eventType": "Started" if begins else "Updated",
        "triggerReason": {"Authorized", "ChargingStateChanged"} if begins and "Authorized" not in lab.start_points else "Authorized",
        "idToken": token.id_token,
        **({"evse": {"id": evse, "connectorId": lab.connector}} if begins and session.connected else {}),
    }
    event = await _with_remote_start(lab, evse, where)
    if asks is not False:
        _take_authorize(lab, token)
    return event


def _take_authorize(lab: Lab, token: Token) -> None:
    for message in lab.csms.pending("Authorize", {"idToken": token.id_token}):
        message.taken = True


async def _start_remotely(lab: Lab, token: Token, evse: int) -> None:
    session = lab.session_of(evse)
    session.remote_start_id = next(_remote_start_ids)
    order = {"idToken": token.id_token, "evseId": evse, "remoteStartId": session.remote_start_id}
    answer = await lab.csms.call("RequestStartTransaction", order)
    assert answer["status"] == "Accepted", answer
    assert answer.get("transactionId") in (session.transaction, None), answer
    if session.transaction:
        assert answer.get("transactionId") == session.transaction, answer


async def energy_transfer_started(lab: Lab, *, remote: bool = False, token: Token | None = None, evse: int | None = None) -> Payload | None:
    """Table 430: authorized, plugged in, and charging."""
    evse = evse or lab.evse
    session = lab.session_of(evse)
    if session.energy:
        return None
    await authorized(lab, remote=remote, token=token, evse=evse)
    await ev_connected_pre_session(lab, evse=evse)
    await lab.charger.contactor("closed", evse)
    session.energy = True
    if not (session.transaction or lab.start_points & {"PowerPathClosed", "EnergyTransfer"}):
        return None
    if session.transaction is None:
        await _begins_with_energy(lab, evse, token or lab.token)
        if lab.csms.calls("TransactionEvent")[-1].payload["transactionInfo"].get("chargingState") == "Charging":
            return lab.csms.calls("TransactionEvent")[-1].payload
    return await _charging_told(lab, evse)


async def _begins_with_energy(lab: Lab, evse: int, token: Token) -> None:
    where = {"eventType": "Started", "triggerReason": "ChargingStateChanged", "evse": {"id": evse}, "idToken": token.id_token}
    where["transactionInfo"] = {"chargingState": {"SuspendedEVSE", "SuspendedEV", "Charging"}}
    await _with_remote_start(lab, evse, where)


async def _charging_told(lab: Lab, evse: int) -> Payload | None:
    """Charging is told by ChargingStateChanged, unless an earlier event of the same transaction has said it."""
    session = lab.session_of(evse)
    own = {"transactionInfo": {"transactionId": session.transaction, "chargingState": "Charging"}}
    said = [it for it in lab.csms.calls("TransactionEvent", own) if it.taken]
    return said[-1].payload if said else await transaction_event(lab, {"triggerReason": "ChargingStateChanged", **own}, evse=evse)


async def energy_transfer_suspended(lab: Lab) -> Payload | None:
    """Table 431: the car stops taking energy."""
    await energy_transfer_started(lab)
    await lab.charger.ev_ready(False, lab.evse)
    lab.session.energy = False
    if lab.session.transaction is None:
        return None
    return await transaction_event(
        lab,
        one_of(
            {"eventType": "Updated", "triggerReason": "ChargingStateChanged", "transactionInfo": {"chargingState": {"SuspendedEV", "EVConnected"}}},
            {"eventType": "Ended", "transactionInfo": {"chargingState": {"SuspendedEV", "EVConnected"}, "stoppedReason": "StoppedByEV"}},
        ),
    )


async def stop_authorized(lab: Lab, *, remote: bool = False, token: Token | None = None) -> Payload | None:
    """Table 432: the same card again (A), or the CSMS stops remotely (B)."""
    if lab.session.stopped:
        return None
    await energy_transfer_started(lab)
    token = token or lab.token
    running = lab.session.transaction
    if remote:
        answer = await lab.csms.call("RequestStopTransaction", {"transactionId": running})
        assert answer["status"] == "Accepted", answer
    else:
        await lab.charger.swipe(token.uid, lab.evse)
    lab.session.stopped = True
    if running is None:
        return None
    where = {"triggerReason": "RemoteStop"} if remote else {"triggerReason": "StopAuthorized", "idToken": one_of(ABSENT, token.id_token)}
    event = await transaction_event(lab, {**where, "transactionInfo": {"transactionId": running}})
    _judge_stopped_reason(event, remote)
    return event


def _judge_stopped_reason(event: Payload, remote: bool) -> None:
    """2.1, sixth rule: Local, or left out, when a card stopped it."""
    if event["eventType"] == "Ended":
        wanted = {"Remote"} if remote else {None, "Local"}
        assert event["transactionInfo"].get("stoppedReason") in wanted, event


async def ev_connected_post_session(lab: Lab, *, remote: bool = False) -> Payload | None:
    """Table 433: the energy has stopped, the cable is still in."""
    if lab.session.stopped and not lab.session.authorized:
        return None
    await stop_authorized(lab, remote=remote)
    await lab.charger.contactor("open", lab.evse)
    lab.session.energy = lab.session.authorized = False
    if lab.session.transaction is None:
        return None
    event = await transaction_event(lab, {"triggerReason": "ChargingStateChanged", "transactionInfo": {"chargingState": "EVConnected"}})
    _judge_stopped_reason(event, remote)
    return event


async def deauthorized(lab: Lab, *, token: Token | None = None) -> Payload:
    """Errata 6.2.118: authorized, and the CSMS no longer accepts the card when a transaction tells it; StopTxOnInvalidId is true. A plug that stays
    locked is released by the CSMS."""
    token = token or lab.token
    if lab.session.transaction is None:
        await ev_connected_pre_session(lab)
    if lab.session.transaction is None:
        await energy_transfer_started(lab)
    assert lab.csms.calls("TransactionEvent", {"idToken": token.id_token}), "the card was never told"
    ends = bool(lab.stop_points & {"Authorized", "PowerPathClosed", "EnergyTransfer"})
    info: Payload = {"chargingState": {"EVConnected", "SuspendedEVSE"}} | ({"stoppedReason": "DeAuthorized"} if ends else {})
    where = {"eventType": "Ended" if ends else "Updated", "triggerReason": "Deauthorized", "transactionInfo": info}
    event = await transaction_event(lab, where)
    if lab.charger.factory.connectors[lab.connector - 1].startswith("s"):
        answer = await lab.csms.call("UnlockConnector", {"evseId": lab.evse, "connectorId": lab.connector})
        assert answer["status"] == "Unlocked", answer
    lab.session.authorized, lab.session.stopped = False, True
    return event


async def ev_disconnected(lab: Lab, *, remote: bool = False, status: str | None = "Available") -> Payload | None:
    """Table 434: stopped, and the cable goes out. status: what the connector is told as then (None: what it was told as before)."""
    if not lab.session.connected:
        return None
    await ev_connected_post_session(lab, remote=remote)
    await lab.charger.unplug(lab.evse, lab.connector)
    if status is not None:
        await connector_told(lab, status)
    running = lab.session.transaction
    event = None
    if running is not None:
        event = await transaction_event(lab, {"triggerReason": "EVCommunicationLost", "transactionInfo": {"chargingState": "Idle"}})
        _judge_stopped_reason(event, remote)
    last, parked = lab.session.last_transaction, lab.session.parked
    del lab.sessions[lab.evse]
    lab.session.parked = parked
    lab.session.transaction, lab.session.last_transaction = running if event and event["eventType"] != "Ended" else None, last
    return event


async def parking_bay_unoccupied(lab: Lab, *, remote: bool = False) -> Payload | None:
    """Table 435: the car leaves; without a bay sensor nothing more is told than by its cable."""
    event = await ev_disconnected(lab, remote=remote)
    if not lab.session.parked:
        return event
    await lab.charger.bay(False, lab.evse)
    lab.session.parked = False
    if lab.session.transaction is None:
        return event
    stopped = "Remote" if remote else "Local"
    return await transaction_event(lab, {"eventType": "Ended", "triggerReason": "EVDeparted", "transactionInfo": {"stoppedReason": stopped}})


async def start_offline_transaction(lab: Lab, *, token: Token | None = None) -> None:
    """Table 436: a session begins while the CSMS cannot be reached; it charges when the connection is back."""
    async with lab.csms.offline():
        await lab.charger.swipe((token or lab.token).uid, lab.evse)
        await lab.charger.plug_in(lab.evse, lab.connector)
        await lab.charger.contactor("closed", lab.evse)
    lab.session.connected = lab.session.authorized = lab.session.energy = True


# --- memory states


async def transaction_events_in_queue_ended(lab: Lab, *, token: Token | None = None) -> None:
    """Table 441: a whole transaction happened offline; its events are in the queue when the connection is back."""
    token = token or lab.token
    async with lab.csms.offline():
        await lab.charger.plug_in(lab.evse, lab.connector)
        await lab.charger.swipe(token.uid, lab.evse)
        await lab.charger.contactor("closed", lab.evse)
        await lab.charger.swipe(token.uid, lab.evse)
        await lab.charger.contactor("open", lab.evse)
        await lab.charger.unplug(lab.evse, lab.connector)
        await lab.charger.free_again(lab.evse)


async def id_token_cached(lab: Lab, token: Token | None = None, *, accepted: bool = True) -> None:
    """Table 443: the CSMS has told of a card, so the cache knows it."""
    token = token or lab.token
    if accepted:
        await authorized(lab, token=token)
        await ev_connected_pre_session(lab)
        await lab.charger.contactor("closed", lab.evse)
        lab.session.energy = True
        kept, lab.token = lab.token, token
        await parking_bay_unoccupied(lab)
        lab.token = kept
    else:
        await lab.charger.swipe(token.uid, lab.evse)
        await lab.csms.expect("Authorize", {"idToken": token.id_token})
    await lab.charger.all_told()
    lab.csms.forget()


async def id_token_in_local_list(lab: Lab, *tokens: Token, version: int = 1, info: Payload | None = None) -> None:
    """Table 444: the local list consists of these cards (the configured one by default)."""
    entries = [{"idToken": it.id_token, "idTokenInfo": info or {"status": "Accepted"}} for it in tokens or (lab.token,)]
    order = {"versionNumber": version, "updateType": "Full", "localAuthorizationList": entries}
    answer = await lab.csms.call("SendLocalList", order)
    assert answer["status"] == "Accepted", answer
