"""Configuration keys as views on variables."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from chargepoint.csms.face import CallRefused
from chargepoint.csms.v16 import configuration
from chargepoint.csms.v16.keys import CLEAR_TRIP, OWN, ROWS
from chargepoint.model.orders import Answer, RaiseSecurityProfile, SetMessageTimeout, SetVariable, SetVariables
from chargepoint.settings import Control, Evse
from chargepoint.station import signing
from chargepoint.store.db import Db
from tests.csms_v16.conftest import SETTINGS, Bench, with_factory

CHAPTER_9 = """AllowOfflineTxForUnknownId AuthorizationCacheEnabled AuthorizeRemoteTxRequests BlinkRepeat ClockAlignedDataInterval ConnectionTimeOut
ConnectorPhaseRotation ConnectorPhaseRotationMaxLength GetConfigurationMaxKeys HeartbeatInterval LightIntensity LocalAuthorizeOffline
LocalPreAuthorize MaxEnergyOnInvalidId MessageTimeout MeterValuesAlignedData MeterValuesAlignedDataMaxLength MeterValuesSampledData
MeterValuesSampledDataMaxLength MeterValueSampleInterval MinimumStatusDuration NumberOfConnectors ResetRetries
StopTransactionOnEVSideDisconnect StopTransactionOnInvalidId StopTxnAlignedData StopTxnAlignedDataMaxLength StopTxnSampledData
StopTxnSampledDataMaxLength SupportedFeatureProfiles SupportedFeatureProfilesMaxLength TransactionMessageAttempts
TransactionMessageRetryInterval UnlockConnectorOnEVSideDisconnect WebSocketPingInterval LocalAuthListEnabled LocalAuthListMaxLength
SendLocalListMaxLength ReserveConnectorZeroSupported ChargeProfileMaxStackLevel ChargingScheduleAllowedChargingRateUnit
ChargingScheduleMaxPeriods ConnectorSwitch3to1PhaseSupported MaxChargingProfilesInstalled"""
WITHOUT_A_PROFILE = 6  # Reservation and SmartCharging are not offered
SIGNED = [
    "AlignedDataSignReadings",
    "AlignedDataSignUpdatedReadings",
    "PublicKeyWithSignedMeterValue",
    "SampledDataSignReadings",
    "SampledDataSignUpdatedReadings",
]
WHITEPAPER = ["AdditionalRootCertificateCheck", "AuthorizationKey", "SecurityProfile", *SIGNED]
ERRATA = ["StopTransactionMaxMeterValues"]
PER_PHASE = [
    f"{name}.{phase}" for name in ("Voltage", "Current.Import", "Power.Offered", "Frequency") for phase in ("L1", "L2", "L3", "L1-N", "L2-N", "L3-N")
]
ORDERS = ("SecurityProfile", "MessageTimeout")  # carried out, not written
NEVER_LISTED = 2  # AuthorizationKey; ClearResidualCurrent where the settings do not allow it


async def read(bench: Bench, *keys: str) -> dict[str, str]:
    answer = await bench.hear("GetConfiguration", {"key": list(keys)})
    return {item["key"]: item["value"] for item in answer["configurationKey"]}


async def change(bench: Bench, key: str, value: str) -> str:
    return str((await bench.hear("ChangeConfiguration", {"key": key, "value": value}))["status"])


def test_every_key_of_chapter_9_has_one_row() -> None:
    assert sorted(row.key for row in ROWS) == sorted([*CHAPTER_9.split(), *ERRATA, *WHITEPAPER, CLEAR_TRIP])


def test_every_own_variable_is_behind_a_key() -> None:
    assert {own.variable for own in OWN} == {name for row in ROWS for name in row.variables if name.startswith("Ocpp16Ctrlr.")}


async def test_all_keys_of_the_offered_profiles_are_told(bench: Bench) -> None:
    answer = await bench.hear("GetConfiguration", {})
    assert len(answer["configurationKey"]) == len(ROWS) - WITHOUT_A_PROFILE - NEVER_LISTED - len(SIGNED) and "unknownKey" not in answer
    assert await bench.hear("GetConfiguration", {"key": []}) == answer


async def test_access_is_told_and_kept(bench: Bench) -> None:
    answer = await bench.hear("GetConfiguration", {})
    for item in answer["configurationKey"]:
        if item["readonly"]:
            assert await change(bench, item["key"], item["value"]) == "Rejected"
        elif item["value"] and item["key"] not in ORDERS:
            assert await change(bench, item["key"], item["value"]) in ("Accepted", "RebootRequired"), item


async def test_unknown_keys_are_told_as_asked(bench: Bench) -> None:
    answer = await bench.hear("GetConfiguration", {"key": ["heartbeatinterval", "Coffee", "MaxChargingProfilesInstalled"]})
    assert answer["configurationKey"] == [{"key": "HeartbeatInterval", "readonly": False, "value": "300"}]
    assert answer["unknownKey"] == ["Coffee", "MaxChargingProfilesInstalled"]


async def test_too_many_keys_are_refused(db: Db) -> None:
    bench = Bench(db, with_factory(GetConfigurationMaxKeys=2))
    assert len(await read(bench, "HeartbeatInterval", "ResetRetries")) == 2
    with pytest.raises(CallRefused) as refused:
        await read(bench, "HeartbeatInterval", "ResetRetries", "LightIntensity")
    assert refused.value.code == "OccurenceConstraintViolation"
    assert len((await bench.hear("GetConfiguration", {}))["configurationKey"]) > 2


@pytest.mark.parametrize(
    ("key", "value", "status"),
    [
        ("HeartbeatInterval", "60", "Accepted"),
        ("HeartbeatInterval", " 60 ", "Accepted"),
        ("HeartbeatInterval", "-1", "Rejected"),
        ("HeartbeatInterval", "soon", "Rejected"),
        ("HeartbeatInterval", "", "Rejected"),
        ("HeartbeatInterval", "1.5", "Rejected"),
        ("WebSocketPingInterval", "-1", "Rejected"),
        ("WebSocketPingInterval", "0", "Accepted"),
        ("LocalPreAuthorize", "TRUE", "Accepted"),
        ("LocalPreAuthorize", "1", "Rejected"),
        ("MeterValuesSampledData", "Voltage, Current.Import", "Accepted"),
        ("MeterValuesSampledData", "Coffee.Import", "Rejected"),
        ("MeterValuesSampledData", "Voltage.L1,Current.Import.L3", "Accepted"),
        ("MeterValuesSampledData", "Voltage.L4", "Rejected"),
        ("MeterValuesSampledData", ",".join(PER_PHASE[:20]), "Accepted"),
        ("MeterValuesSampledData", ",".join(PER_PHASE[:21]), "Rejected"),
        ("LightIntensity", "0", "Accepted"),
        ("LightIntensity", "101", "Rejected"),
        ("BlinkRepeat", "-1", "Rejected"),
        ("TransactionMessageAttempts", "0", "Rejected"),
        ("TransactionMessageRetryInterval", "0", "Accepted"),
        ("TransactionMessageRetryInterval", "-1", "Rejected"),
        ("ConnectorPhaseRotation", "0.RST,1.RST,2.RTS", "Accepted"),
        ("ConnectorPhaseRotation", "1.XYZ", "Rejected"),
        ("ConnectorPhaseRotation", "0.RST,1.RST,2.RST,3.RST,4.RST", "Rejected"),
        ("ConnectorPhaseRotation", "1.RST,1.RTS", "Rejected"),
        ("NumberOfConnectors", "9", "Rejected"),
        ("Coffee", "black", "NotSupported"),
        ("MaxChargingProfilesInstalled", "1", "NotSupported"),
    ],
)
async def test_change(bench: Bench, key: str, value: str, status: str) -> None:
    assert await change(bench, key, value) == status


async def test_a_change_reaches_every_variable_and_outlives_a_restart(bench: Bench, db: Db) -> None:
    assert await change(bench, "MeterValueSampleInterval", "15") == "Accepted"
    again = Bench(db)
    assert again.dm.integer("SampledDataCtrlr.TxUpdatedInterval") == again.dm.integer("SampledDataCtrlr.TxEndedInterval") == 15
    assert await read(again, "MeterValueSampleInterval") == {"MeterValueSampleInterval": "15"}


async def test_lists_are_kept_without_blanks(bench: Bench) -> None:
    await change(bench, "MeterValuesSampledData", "Voltage, Current.Import")
    assert await read(bench, "MeterValuesSampledData") == {"MeterValuesSampledData": "Voltage,Current.Import"}


async def test_what_the_station_has_is_told(bench: Bench) -> None:
    found = await read(bench, "NumberOfConnectors", "SupportedFeatureProfiles", "ConnectorPhaseRotation")
    assert found["NumberOfConnectors"] == "3" and found["ConnectorPhaseRotation"].count(",") == 3
    assert found["SupportedFeatureProfiles"].split(",") == ["Core", "LocalAuthListManagement", "RemoteTrigger"]


async def test_factory_values_hold_until_the_csms_changes_them(db: Db) -> None:
    settings = with_factory(HeartbeatInterval=17, AuthorizeRemoteTxRequests="true", meterValuesSampledData="Voltage", SendLocalListMaxLength="5")
    bench = Bench(db, settings)
    keys = ("HeartbeatInterval", "AuthorizeRemoteTxRequests", "MeterValuesSampledData", "SendLocalListMaxLength")
    assert list((await read(bench, *keys)).values()) == ["17", "true", "Voltage", "5"]
    await change(bench, "HeartbeatInterval", "18")
    assert list((await read(Bench(db, settings), *keys)).values()) == ["18", "true", "Voltage", "5"]


@pytest.mark.parametrize(
    ("configuration_", "unknown", "wrong"), [({"Coffee": 1}, ["Coffee"], []), ({"LocalPreAuthorize": "maybe"}, [], ["LocalPreAuthorize"])]
)
def test_factory_problems(configuration_: dict[str, Any], unknown: list[str], wrong: list[str]) -> None:
    found = configuration.factory(configuration_)
    assert found.unknown == unknown and [name for name, _ in found.wrong] == wrong and found.variables == {}


def test_the_units_of_a_schedule_are_worded_both_ways() -> None:
    row = next(row for row in ROWS if row.key == "ChargingScheduleAllowedChargingRateUnit")
    assert row.read("A,W") == "Current,Power"
    assert set(row.writes("Current,Power").values()) == {"A,W"}


def clearing(db: Db) -> Bench:
    return Bench(db, msgspec.structs.replace(SETTINGS, control=Control(csms_clears_residual_current=True)))


@pytest.mark.parametrize(("said", "status"), [("Accepted", "Accepted"), ("Rejected", "Rejected")])
async def test_a_connector_is_named_to_clear_its_residual_current_trip(db: Db, said: str, status: str) -> None:
    bench = clearing(db)
    wanted = SetVariable(("RCD", None), ("Tripped", None), "false", evse=7)
    bench.takes(SetVariables, Answer("Accepted", data=[(wanted, said, None, None)]))
    assert await change(bench, CLEAR_TRIP, "3") == status
    assert bench.orders == [SetVariables((wanted,))]
    assert await read(bench, CLEAR_TRIP) == {CLEAR_TRIP: "0"}


@pytest.mark.parametrize("value", ["0", "4", "-1", "one", ""])
async def test_a_connector_that_is_not_there_has_no_trip(db: Db, value: str) -> None:
    assert await change(clearing(db), CLEAR_TRIP, value) == "Rejected"


async def test_without_the_setting_there_is_no_such_key(bench: Bench) -> None:
    assert await change(bench, CLEAR_TRIP, "1") == "NotSupported"


async def test_the_authorization_key_is_set_and_never_told(bench: Bench) -> None:
    key = "0001020304050607FFFFFFFFCCCCCCCCCCCCCCCC"
    assert await change(bench, "AuthorizationKey", "too short") == "Rejected"
    assert await change(bench, "AuthorizationKey", key + "00") == "Rejected"
    assert await change(bench, "AuthorizationKey", key) == "Accepted"
    assert bench.dm.text("SecurityCtrlr.BasicAuthPassword") == bench.dm.text("Ocpp16Ctrlr.AuthorizationKey") == key
    answer = await bench.hear("GetConfiguration", {"key": ["AuthorizationKey"]})
    assert answer == {"configurationKey": [{"key": "AuthorizationKey", "readonly": False}]}
    everything = await bench.hear("GetConfiguration", {})
    assert key not in str(everything) and "AuthorizationKey" not in str(everything)


@pytest.mark.parametrize("status", ["Accepted", "Rejected"])
async def test_a_new_security_profile_is_an_order(bench: Bench, status: str) -> None:
    bench.takes(RaiseSecurityProfile, Answer(status))
    assert await change(bench, "SecurityProfile", "2") == status
    assert await change(bench, "SecurityProfile", "high") == "Rejected"
    assert bench.orders == [RaiseSecurityProfile(2)]
    assert await read(bench, "SecurityProfile") == {"SecurityProfile": "0"}


@pytest.mark.parametrize("status", ["Accepted", "Rejected"])
async def test_a_new_message_timeout_is_an_order(bench: Bench, status: str) -> None:
    """Errata 3.83: the line's, of its present slot."""
    bench.takes(SetMessageTimeout, Answer(status))
    assert await change(bench, "MessageTimeout", "20") == status
    assert bench.orders == [SetMessageTimeout(20)]


async def test_a_station_without_a_lock_has_nothing_to_unlock(db: Db) -> None:
    bench = Bench(db, msgspec.structs.replace(SETTINGS, evse=(Evse(connectors=("cType2",)),)))
    answer = await bench.hear("GetConfiguration", {"key": ["UnlockConnectorOnEVSideDisconnect"]})
    assert answer["configurationKey"] == [{"key": "UnlockConnectorOnEVSideDisconnect", "readonly": True, "value": "false"}]
    assert await change(bench, "UnlockConnectorOnEVSideDisconnect", "true") == "Rejected"


async def test_a_meter_that_signs_has_its_keys(bench: Bench) -> None:
    assert await change(bench, "SampledDataSignReadings", "true") == "NotSupported"
    for row in signing.rows((7,)):
        bench.dm.declare(row.spec, row.value)
    bench.dm.push("FiscalMetering@7.PublicKey", "b2Nh")
    for key, value in (
        ("SampledDataSignReadings", "true"),
        ("PublicKeyWithSignedMeterValue", "OncePerTransaction"),
        ("AlignedDataSignReadings", "true"),
    ):
        assert await change(bench, key, value) == "Accepted" and await read(bench, key) == {key: value}
    assert await change(bench, "PublicKeyWithSignedMeterValue", "Sometimes") == "Rejected"
    assert await read(bench, "MeterPublicKey3") == {"MeterPublicKey3": "b2Nh"}
    assert await change(bench, "MeterPublicKey3", "x") == "Rejected"
    assert (await bench.hear("GetConfiguration", {"key": ["MeterPublicKey1"]}))["unknownKey"] == ["MeterPublicKey1"]
    everything = (await bench.hear("GetConfiguration", {}))["configurationKey"]
    assert {"SampledDataSignReadings", "MeterPublicKey3"} <= {item["key"] for item in everything}


async def test_the_phases_of_a_connector_are_told_in_the_device_model_too(bench: Bench, db: Db) -> None:
    assert bench.dm.text("Connector@7:1.PhaseRotation") == "RST"
    assert await change(bench, "ConnectorPhaseRotation", "1.RTS,2.NotApplicable,3.SRT") == "Accepted"
    for model in (bench.dm, Bench(db).dm):
        told = [model.text(f"Connector@{place}.PhaseRotation") for place in ("1:1", "1:2", "7:1")]
        assert told == ["RTS", "", "SRT"]
    assert Bench(db, with_factory(ConnectorPhaseRotation="1.TRS")).dm.text("Connector@1:2.PhaseRotation") == "", "what the CSMS has set holds"
    assert await change(bench, "ConnectorPhaseRotation", "1.Unknown") == "Accepted"
    assert bench.dm.text("Connector@1:1.PhaseRotation") == ""
