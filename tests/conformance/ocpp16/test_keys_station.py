"""Configuration keys of the charge point itself (9.1; OCPP-J 7): type, limits, access, and what each does."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conformance.driver import keys16, states16
from tests.conformance.driver import lab as cards
from tests.conformance.driver.lab import Lab
from tests.conformance.driver.messages import SILENCE

SHARED: dict[str, Any] = {"evses": 2}
CARD, UNKNOWN = cards.VALID, cards.UNKNOWN


def lit(colour: str, evse: int = 1) -> Any:
    return lambda state: state["evses"][evse - 1]["lamp"][colour]


@pytest.mark.covers("BlinkRepeat")
async def test_key_BlinkRepeat(shared_booted: Lab) -> None:
    """How often the lamp blinks when it signals that a card was refused; 0: not at all."""
    lab = shared_booted
    await keys16.integer(lab, "BlinkRepeat", ("0", "1", "10"))
    async with states16.keys(lab, BlinkRepeat=6):
        await lab.charger.swipe(UNKNOWN.uid, 1)
        await lab.charger.until(lit("red"))
        assert not lit("red", 2)(await lab.charger.state())
    async with states16.keys(lab, BlinkRepeat=0):
        await lab.charger.swipe(UNKNOWN.uid, 2)
        await lab.csms.expect("Authorize")
        with pytest.raises(AssertionError):
            await lab.charger.until(lit("red", 2), within=1.0)


@pytest.mark.covers("LightIntensity")
async def test_key_LightIntensity(shared_booted: Lab) -> None:
    """Percent of the lamp's full light: a lamp that can only be lit or dark is dark at 0."""
    lab = shared_booted
    await keys16.integer(lab, "LightIntensity", ("0", "1", "100"), ("101",))
    await lab.charger.until(lit("green"))
    async with states16.keys(lab, LightIntensity=0):
        await lab.charger.until(lambda state: not any(state["evses"][0]["lamp"].values()))
    await lab.charger.until(lit("green"))


@pytest.mark.covers("ConnectionTimeOut", "4.9 B1")
async def test_key_ConnectionTimeOut(shared_booted: Lab) -> None:
    """A card was shown and no car comes: after this time the connector is free again, and no transaction was told."""
    lab = shared_booted
    await keys16.integer(lab, "ConnectionTimeOut", ("1", "120"))
    async with states16.keys(lab, ConnectionTimeOut=1):
        await states16.authorized(lab)
        await states16.connector_told(lab, "Preparing")
        await states16.connector_told(lab, "Available")
        await lab.charger.plug_in()
        await states16.connector_told(lab, "Preparing")
        await lab.csms.no_more("StartTransaction", for_s=0.5)
    await states16.available(lab)


@pytest.mark.covers("GetConfigurationMaxKeys", "5.8 limit")
async def test_key_GetConfigurationMaxKeys(shared_booted: Lab) -> None:
    """So many keys may be asked for at once, and no more."""
    lab = shared_booted
    most = int(await keys16.read_only(lab, "GetConfigurationMaxKeys"))
    names = [f"Key{number}" for number in range(most)]
    answer = await lab.csms.call("GetConfiguration", {"key": names})
    assert answer["unknownKey"] == names
    await lab.csms.refused("GetConfiguration", {"key": [*names, "One"]}, "OccurenceConstraintViolation")


@pytest.mark.covers("HeartbeatInterval", "4.6")
async def test_key_HeartbeatInterval(shared_booted: Lab) -> None:
    """Heartbeats come at this interval, at once after a change."""
    lab = shared_booted
    await keys16.integer(lab, "HeartbeatInterval", ("1", "86400"))
    async with states16.keys(lab, HeartbeatInterval=1):
        first = await lab.csms.expect_message("Heartbeat", {})
        third = [await lab.csms.expect_message("Heartbeat", {}) for _ in range(2)][-1]
        assert third.at - first.at >= 1.5
    lab.csms.forget()
    await lab.csms.no_more("Heartbeat", for_s=1.5)


@pytest.mark.covers("MinimumStatusDuration", "4.9 minimum duration")
async def test_key_MinimumStatusDuration(shared_booted: Lab) -> None:
    """A status that is shorter is not told; a longer one is told once it has lasted so long."""
    lab = shared_booted
    await keys16.integer(lab, "MinimumStatusDuration", ("0", "3600"))
    async with states16.keys(lab, MinimumStatusDuration=3):
        await lab.charger.plug_in()
        await lab.charger.until(lambda state: state["station"]["connectors"][0]["status"] == "Preparing")
        await lab.charger.unplug()
        await lab.csms.no_more("StatusNotification", for_s=3.5)
        await lab.charger.plug_in()
        message = await lab.csms.expect_message("StatusNotification", {"connectorId": 1, "status": "Preparing"})
        lab.session.connected = True
        assert message.payload["timestamp"]
    await states16.available(lab)


@pytest.mark.covers("NumberOfConnectors", "3.8")
async def test_key_NumberOfConnectors(shared_booted: Lab) -> None:
    """As many connectors as there are, numbered from 1 without a gap; the next number is nobody's."""
    lab = shared_booted
    assert await keys16.read_only(lab, "NumberOfConnectors") == "2"
    for connector, status in ((0, "Accepted"), (1, "Accepted"), (2, "Accepted"), (3, "Rejected")):
        assert await lab.csms.call("ChangeAvailability", {"connectorId": connector, "type": "Operative"}) == {"status": status}
    assert (await lab.csms.call("TriggerMessage", {"requestedMessage": "StatusNotification"}))["status"] == "Accepted"
    told = [(await lab.csms.expect("StatusNotification"))["connectorId"] for _ in range(3)]
    assert told == [0, 1, 2]


@pytest.mark.covers("ResetRetries")
async def test_key_ResetRetries(shared_booted: Lab) -> None:
    """Type, limits and access."""
    await keys16.integer(shared_booted, "ResetRetries", ("0", "1", "5"))


@pytest.mark.covers("SupportedFeatureProfiles", "SupportedFeatureProfilesMaxLength", "3.3")
async def test_key_SupportedFeatureProfiles(shared_booted: Lab) -> None:
    """Each profile that is named works; the calls of one that is not are not supported, nor are its keys there."""
    lab = shared_booted
    named = (await keys16.read_only(lab, "SupportedFeatureProfiles")).split(",")
    assert {"Core", "LocalAuthListManagement", "RemoteTrigger"} <= set(named)
    assert int(await keys16.read_only(lab, "SupportedFeatureProfilesMaxLength")) >= len(named)
    for profile, (action, payload) in CALLS.items():
        if profile in named:
            await lab.csms.call(action, payload)
        else:
            await lab.csms.refused(action, payload, "NotSupported", "NotImplemented")


CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "FirmwareManagement": ("GetDiagnostics", {"location": "http://127.0.0.1:9/"}),
    "LocalAuthListManagement": ("GetLocalListVersion", {}),
    "Reservation": ("CancelReservation", {"reservationId": 1}),
    "SmartCharging": ("ClearChargingProfile", {}),
    "RemoteTrigger": ("TriggerMessage", {"requestedMessage": "Heartbeat"}),
}


@pytest.mark.covers("SupportedFeatureProfiles", "3.3")
async def test_a_profile_that_is_left_out(lab: Lab) -> None:
    """A charge point shipped with Core alone: the calls and keys of the other profiles are not there."""
    await lab.up(keys={"SupportedFeatureProfiles": "Core"})
    assert await keys16.read_only(lab, "SupportedFeatureProfiles") == "Core"
    for action, payload in CALLS.values():
        await lab.csms.refused(action, payload, "NotSupported", "NotImplemented")
    for key in ("LocalAuthListEnabled", "LocalAuthListMaxLength", "SendLocalListMaxLength"):
        await keys16.absent(lab, key)


@pytest.mark.covers("WebSocketPingInterval")
async def test_key_WebSocketPingInterval(shared_booted: Lab) -> None:
    """Pings of the WebSocket come at this interval, at once after a change; 0: none. A negative value is rejected."""
    lab = shared_booted
    await keys16.integer(lab, "WebSocketPingInterval", ("0", "1", "3600"), ("-60",))
    async with states16.keys(lab, WebSocketPingInterval=1):
        count = len(lab.csms.pings)
        await lab.csms.until(lambda: len(lab.csms.pings) >= count + 3, "no pings came")
        first, _, third = lab.csms.pings[count : count + 3]
        assert third - first >= 1.5
    async with states16.keys(lab, WebSocketPingInterval=0):
        count = len(lab.csms.pings)
        with pytest.raises(AssertionError):
            await lab.csms.until(lambda: len(lab.csms.pings) > count + 1, "none", within=2.5)


@pytest.mark.covers("MessageTimeout")
async def test_key_MessageTimeout(lab: Lab) -> None:
    """A call that is not answered in this time has failed: the next one is sent then, at once after a change and after a restart."""
    await lab.up(keys={"MessageTimeout": 20})
    assert await states16.get(lab, "MessageTimeout") == "20"
    await keys16.integer(lab, "MessageTimeout", ("20", "1", "600"), ("0",))
    assert await states16.set_key(lab, "MessageTimeout", "1") == "Accepted"
    lab.csms.judge.message_timeout_s = 0.8
    for again in (False, True):
        if again:
            await states16.booted(lab)
        lab.csms.answer("Heartbeat", SILENCE, times=1)
        for _ in range(2):
            assert await lab.csms.call("TriggerMessage", {"requestedMessage": "Heartbeat"}) == {"status": "Accepted"}
        first = await lab.csms.expect_message("Heartbeat")
        second = await lab.csms.expect_message("Heartbeat")
        assert 0.9 <= second.at - first.at < 15, "the factory's 20 s no longer hold"


@pytest.mark.covers("AuthorizationKey")
async def test_key_AuthorizationKey(lab: Lab) -> None:
    """The password of HTTP Basic: written, in hexadecimal digits, and never read; the next connection uses it. It is not among all keys."""
    first, second = "0123456789abcdef", "fedcba9876543210"
    lab.csms.credentials = ("CP001", first)
    await lab.up(csms={"security_profile": 1, "basic_auth_password": first})
    found = await keys16.entry(lab, "AuthorizationKey")
    assert not found.get("value")
    assert "AuthorizationKey" not in {one["key"] for one in (await lab.csms.call("GetConfiguration"))["configurationKey"]}
    for bad in ("", "short", "x" * 41):
        assert await states16.set_key(lab, "AuthorizationKey", bad) == "Rejected", bad
    lab.csms.credentials = ("CP001", second)
    count = len(lab.csms.attempts)
    assert await states16.set_key(lab, "AuthorizationKey", second.encode().hex()) == "Accepted"
    await lab.csms.disconnect()
    await lab.csms.reconnected()
    assert {attempt.refused for attempt in lab.csms.attempts[count:]} == {None}


@pytest.mark.covers("AuthorizeRemoteTxRequests", "HeartbeatInterval", "ConnectorPhaseRotation", "ResetRetries", "5.3")
async def test_changed_keys_outlive_a_power_cut(lab: Lab) -> None:
    """What was changed is as it was changed after the power was gone; the heartbeat is the answer's to the BootNotification."""
    await lab.up()
    changed = {
        "AuthorizeRemoteTxRequests": "true",
        "ConnectorPhaseRotation": "1.RTS",
        "ResetRetries": "3",
        "ConnectionTimeOut": "77",
        "MeterValuesSampledData": "Voltage,Current.Import",
        "LocalPreAuthorize": "true",
        "WebSocketPingInterval": "11",
    }
    await states16.configure(lab, **changed, HeartbeatInterval="77")
    await states16.booted(lab)
    assert {key: await states16.get(lab, key) for key in changed} == changed
    assert await states16.get(lab, "HeartbeatInterval") == "300"
