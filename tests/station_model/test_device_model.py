"""The registry: required variables by name, what may be set, what is kept, factory values."""

from __future__ import annotations

from pathlib import Path

import pytest

from chargepoint.model.variable import DataType, Key, Mutability, VariableSpec, normal, problem
from chargepoint.settings import Csms, Evse, Ocpp2, Reconnect, Settings
from chargepoint.station import variables
from chargepoint.station.device_model import DeviceModel
from chargepoint.store.db import Db
from chargepoint.store.variables import Variables

# Component.Variable[instance] marked required in the appendix of standardized variables (2.0.1 part 2) and in part 4, 8.
REQUIRED = (
    "AlignedDataCtrlr.Interval",
    "AlignedDataCtrlr.Measurands",
    "AlignedDataCtrlr.TxEndedInterval",
    "AlignedDataCtrlr.TxEndedMeasurands",
    "AuthCtrlr.AuthorizeRemoteStart",
    "AuthCtrlr.LocalAuthorizeOffline",
    "AuthCtrlr.LocalPreAuthorize",
    "ChargingStation.AvailabilityState",
    "ChargingStation.Available",
    "ChargingStation.SupplyPhases",
    "ClockCtrlr.DateTime",
    "ClockCtrlr.TimeSource",
    "Connector@1:1.Available",
    "Connector@1:1.AvailabilityState",
    "Connector@1:1.ConnectorType",
    "Connector@1:1.SupplyPhases",
    "DeviceDataCtrlr.BytesPerMessage[GetReport]",
    "DeviceDataCtrlr.BytesPerMessage[GetVariables]",
    "DeviceDataCtrlr.BytesPerMessage[SetVariables]",
    "DeviceDataCtrlr.ItemsPerMessage[GetReport]",
    "DeviceDataCtrlr.ItemsPerMessage[GetVariables]",
    "DeviceDataCtrlr.ItemsPerMessage[SetVariables]",
    "DisplayMessageCtrlr.DisplayMessages",
    "DisplayMessageCtrlr.SupportedFormats",
    "DisplayMessageCtrlr.SupportedPriorities",
    "EVSE@1.AvailabilityState",
    "EVSE@1.Available",
    "EVSE@1.Power",
    "EVSE@1.SupplyPhases",
    "ISO15118Ctrlr.ContractValidationOffline",
    "LocalAuthListCtrlr.BytesPerMessage",
    "LocalAuthListCtrlr.Entries",
    "LocalAuthListCtrlr.ItemsPerMessage",
    "MonitoringCtrlr.BytesPerMessage[SetVariableMonitoring]",
    "MonitoringCtrlr.ItemsPerMessage[SetVariableMonitoring]",
    "OCPPCommCtrlr.FileTransferProtocols",
    "OCPPCommCtrlr.MessageTimeout[Default]",
    "OCPPCommCtrlr.MessageAttemptInterval[TransactionEvent]",
    "OCPPCommCtrlr.ActiveNetworkProfile",
    "OCPPCommCtrlr.MessageAttempts[TransactionEvent]",
    "OCPPCommCtrlr.NetworkConfigurationPriority",
    "OCPPCommCtrlr.NetworkProfileConnectionAttempts",
    "OCPPCommCtrlr.OfflineThreshold",
    "OCPPCommCtrlr.ResetRetries",
    "OCPPCommCtrlr.UnlockOnEVSideDisconnect",
    "OCPPCommCtrlr.RetryBackOffRepeatTimes",
    "OCPPCommCtrlr.RetryBackOffRandomRange",
    "OCPPCommCtrlr.RetryBackOffWaitMinimum",
    "OCPPCommCtrlr.WebSocketPingInterval",
    "SampledDataCtrlr.TxEndedInterval",
    "SampledDataCtrlr.TxEndedMeasurands",
    "SampledDataCtrlr.TxStartedMeasurands",
    "SampledDataCtrlr.TxUpdatedInterval",
    "SampledDataCtrlr.TxUpdatedMeasurands",
    "SecurityCtrlr.CertificateEntries",
    "SecurityCtrlr.OrganizationName",
    "SecurityCtrlr.SecurityProfile",
    "SmartChargingCtrlr.Entries[ChargingProfiles]",
    "SmartChargingCtrlr.LimitChangeSignificance",
    "SmartChargingCtrlr.PeriodsPerSchedule",
    "SmartChargingCtrlr.ProfileStackLevel",
    "SmartChargingCtrlr.RateUnit",
    "TariffCostCtrlr.Currency",
    "TariffCostCtrlr.TariffFallbackMessage",
    "TariffCostCtrlr.TotalCostFallbackMessage",
    "TxCtrlr.EVConnectionTimeOut",
    "TxCtrlr.StopTxOnEVSideDisconnect",
    "TxCtrlr.StopTxOnInvalidId",
    "TxCtrlr.TxStartPoint",
    "TxCtrlr.TxStopPoint",
)

TWO = Settings(evse=(Evse(id=1, connectors=("sType2", "cType2")), Evse(id=2, phases=1, connectors=("cType2",))))


@pytest.fixture
def store(tmp_path: Path) -> Variables:
    return Variables(Db(tmp_path / "station.db"))


@pytest.fixture
def model(store: Variables) -> DeviceModel:
    return variables.build(store, Settings())


@pytest.mark.parametrize("name", REQUIRED)
def test_required_variables_are_there(name: str) -> None:
    assert variables.build(variables.Nowhere(), Settings()).has(name), f"{name} is required and not declared"


CHANGES_NOTHING = {"OrganizationName", "Policy"}
"""Required to be writable: the first names no certificate as long as none is asked for, the second has one value."""


def test_what_can_be_set_is_read_by_somebody(model: DeviceModel) -> None:
    """A variable that is kept but changes nothing would be a lie."""
    sources = [path.read_text() for path in Path(variables.__file__).parents[1].rglob("*.py") if not path.name.startswith("variables")]
    settable = {row.spec.key.variable for row in model.all() if row.spec.mutability is not Mutability.READ_ONLY}
    assert {name for name in settable if not any(name in source for source in sources)} == CHANGES_NOTHING


def test_every_default_fits_its_own_declaration(model: DeviceModel) -> None:
    empty = {DataType.DATE_TIME, DataType.STRING}
    wrong = [str(row.spec.key) for row in model.all() if problem(row.spec, row.value) and not (row.spec.data_type in empty and row.value == "")]
    assert wrong == []


def test_every_settable_variable_is_kept_over_restarts(model: DeviceModel) -> None:
    assert [str(row.spec.key) for row in model.all() if row.spec.mutability != "ReadOnly" and not row.spec.persistent] == []


def test_each_evse_and_connector_has_its_own(store: Variables) -> None:
    model = variables.build(store, TWO)
    assert model.text("Connector@1:2.ConnectorType") == "cType2" and not model.has("Connector@2:2.ConnectorType")
    assert (model.integer("EVSE@1.SupplyPhases"), model.integer("EVSE@2.SupplyPhases")) == (3, 1)
    assert model.spec("EVSE@2.Power").maximum == 230 * 32


def test_keys_are_read_and_written_in_the_settings_notation() -> None:
    for text in ("A.B", "A[x].B[y]", "EVSE@1.Power", "Connector@1:2.AvailabilityState", "A[b.c]@3:4.V[d e]"):
        assert str(Key.parse(text)) == text
    assert Key.parse("EVSE@1.Power[x]") == Key("EVSE", "Power", None, 1, None, "x")
    for text in ("A", "A.", ".B", "A@x.B", "A[.B", ""):
        with pytest.raises(ValueError, match="variable"):
            Key.parse(text)


def test_names_are_compared_without_regard_to_case(model: DeviceModel) -> None:
    assert model.integer("ocppcommctrlr.HEARTBEATINTERVAL") == model.integer("OCPPCommCtrlr.HeartbeatInterval")


@pytest.mark.parametrize(
    ("key", "value", "status"),
    [
        ("OCPPCommCtrlr.HeartbeatInterval", "60", "Accepted"),
        ("OCPPCommCtrlr.HeartbeatInterval", "0", "Rejected"),
        ("OCPPCommCtrlr.HeartbeatInterval", "soon", "Rejected"),
        ("OCPPCommCtrlr.HeartbeatInterval", "1.5", "Rejected"),
        ("OCPPCommCtrlr.NetworkConfigurationPriority", "1", "RebootRequired"),
        ("OCPPCommCtrlr.NetworkConfigurationPriority", "7", "Rejected"),
        ("OCPPCommCtrlr.MessageTimeout[Default]", "5", "Rejected"),
        ("OCPPCommCtrlr.MessageTimeout", "5", "UnknownVariable"),
        ("OCPPCommCtrlr.Nothing", "5", "UnknownVariable"),
        ("Nothing.Nothing", "5", "UnknownComponent"),
        ("EVSE@9.Power", "5", "UnknownComponent"),
        ("AuthCtrlr.Enabled", "TRUE", "Accepted"),
        ("AuthCtrlr.Enabled", "yes", "Rejected"),
        ("SampledDataCtrlr.TxUpdatedMeasurands", "Voltage, Current.Import", "Accepted"),
        ("SampledDataCtrlr.TxUpdatedMeasurands", "Voltage,Wind.Speed", "Rejected"),
        ("SampledDataCtrlr.TxUpdatedMeasurands", "Voltage,voltage", "Rejected"),
        ("SampledDataCtrlr.TxUpdatedMeasurands", "", "Accepted"),
        ("TxCtrlr.TxStartPoint", "Authorized,EVConnected", "Accepted"),
        ("TxCtrlr.TxStartPoint", "", "Rejected"),
        ("SecurityCtrlr.BasicAuthPassword", "short", "Rejected"),
        ("SecurityCtrlr.BasicAuthPassword", "long enough to be one", "Accepted"),
    ],
)
def test_setting(model: DeviceModel, key: str, value: str, status: str) -> None:
    before = model.text(key) if model.has(key) else None
    assert model.set(key, value) == status
    assert (model.why_not(key, value) is None) == (status in ("Accepted", "RebootRequired"))
    if status == "Rejected":
        assert model.text(key) == before


def test_only_the_actual_value_exists(model: DeviceModel) -> None:
    assert model.set("AuthCtrlr.Enabled", "true", "Target") == "NotSupportedAttributeType"
    assert model.get("AuthCtrlr.Enabled", "MaxSet") == ("NotSupportedAttributeType", None)


def test_getting(model: DeviceModel) -> None:
    assert model.get("AuthCtrlr.Enabled") == ("Accepted", "true")
    assert model.get("SecurityCtrlr.BasicAuthPassword") == ("Rejected", None)
    assert model.get("AuthCtrlr.Nothing") == ("UnknownVariable", None)
    assert model.get("Nothing.Enabled") == ("UnknownComponent", None)
    model.compute("ClockCtrlr.DateTime", lambda: "now")
    assert model.get("ClockCtrlr.DateTime") == ("Accepted", "now")


def test_what_the_csms_set_outlives_a_restart_and_what_a_feature_pushed_does_not(store: Variables) -> None:
    model = variables.build(store, Settings())
    model.set("AuthCtrlr.LocalPreAuthorize", "True")
    model.push("EVSE@1.AvailabilityState", "Occupied")
    again = variables.build(store, Settings())
    assert again.boolean("AuthCtrlr.LocalPreAuthorize") is True
    assert again.text("EVSE@1.AvailabilityState") == "Available"


def test_a_kept_value_that_no_longer_fits_gives_way(store: Variables) -> None:
    store.save("OCPPCommCtrlr.HeartbeatInterval", "-5")
    assert variables.build(store, Settings()).integer("OCPPCommCtrlr.HeartbeatInterval") == 300


def test_observers_hear_of_changes_only(model: DeviceModel) -> None:
    heard: list[tuple[str, str, str]] = []
    model.observe("EVSE@1.AvailabilityState", lambda key, old, new: heard.append((str(key), old, new)))
    model.observe(None, lambda key, old, new: heard.append(("any", old, new)))
    for value in ("Occupied", "Occupied", "Available"):
        model.push("EVSE@1.AvailabilityState", value)
    model.set("AuthCtrlr.Enabled", "false")
    assert heard == [
        ("EVSE@1.AvailabilityState", "Available", "Occupied"),
        ("any", "Available", "Occupied"),
        ("EVSE@1.AvailabilityState", "Occupied", "Available"),
        ("any", "Occupied", "Available"),
        ("any", "true", "false"),
    ]


def test_factory_values_of_any_type_and_mutability(store: Variables) -> None:
    settings = Settings(
        csms=Csms(identity="X", reconnect=Reconnect(wait_minimum_s=2.0, random_range_s=0.5, repeat_times=3)),
        ocpp2=Ocpp2(
            variables={"AuthCtrlr.LocalPreAuthorize": True, "ocppcommctrlr.MessageTimeout[default]": 7, "TxCtrlr.TxStartPoint": "authorized"}
        ),
    )
    model = variables.build(store, settings)
    assert model.boolean("AuthCtrlr.LocalPreAuthorize") and model.integer("OCPPCommCtrlr.MessageTimeout[Default]") == 7
    assert model.listed("TxCtrlr.TxStartPoint") == ["Authorized"]
    assert model.integer("OCPPCommCtrlr.RetryBackOffWaitMinimum") == 2 and model.number("OCPPCommCtrlr.RetryBackOffRandomRange") == 0.5
    assert model.text("SecurityCtrlr.Identity") == "X"


def test_the_second_table_wins_over_the_first_and_says_so(store: Variables) -> None:
    first = {"AuthCtrlr.LocalPreAuthorize": "true", "AuthCtrlr.Enabled": "false"}
    settings = Settings(ocpp2=Ocpp2(variables={"AuthCtrlr.LocalPreAuthorize": False}))
    model = variables.build(store, settings, first)
    assert not model.boolean("AuthCtrlr.LocalPreAuthorize") and not model.boolean("AuthCtrlr.Enabled")
    assert [name for name, _ in variables.set_twice(settings, first)] == ["AuthCtrlr.LocalPreAuthorize"]


def test_unknown_and_wrong_factory_values_are_told() -> None:
    settings = Settings(ocpp2=Ocpp2(variables={"Nothing.Here": 1, "nonsense": 2, "AuthCtrlr.Enabled": "maybe", "EVSE@1.Power[x]": 3}))
    assert [name for name, _ in variables.factory_warnings(settings)] == ["Nothing.Here", "nonsense", "EVSE@1.Power[x]"]
    assert [name for name, _ in variables.factory_errors(settings)] == ["AuthCtrlr.Enabled"]


def test_a_factory_value_edited_after_the_csms_changed_it_is_told_and_can_be_adopted(store: Variables) -> None:
    key = "TxCtrlr.EVConnectionTimeOut"
    variables.build(store, Settings()).set(key, "90")
    same = variables.build(store, Settings())
    assert same.edited() == [] and same.integer(key) == 90
    edited = variables.build(store, Settings(ocpp2=Ocpp2(variables={key: 45})))
    assert edited.integer(key) == 90
    assert [tuple(found) for found in edited.edited()] == [(key, "90", "60", "45")]
    assert edited.adopt(key) and edited.integer(key) == 45 and not edited.adopt(key)
    assert variables.build(store, Settings()).integer(key) == 60


def test_a_guard_is_a_further_rule(model: DeviceModel) -> None:
    model.guard("AuthCtrlr.Enabled", lambda value: "never off" if value == "false" else None)
    assert model.set("AuthCtrlr.Enabled", "false") == "Rejected"
    assert model.why_not("AuthCtrlr.Enabled", "false") == "never off"


def test_values_are_kept_in_one_way() -> None:
    spec = VariableSpec(key=Key("A", "B"), data_type=DataType.SEQUENCE_LIST, values=("One", "Two"))
    assert normal(spec, " two ,ONE") == "Two,One"
    assert problem(VariableSpec(key=Key("A", "B"), data_type=DataType.DATE_TIME), "2024-01-01T00:00:00Z") is None
    assert problem(VariableSpec(key=Key("A", "B"), data_type=DataType.DECIMAL), "nan") is not None
    assert problem(VariableSpec(key=Key("A", "B"), data_type=DataType.STRING), "x" * 1001) is not None


def test_a_refused_password_is_not_in_the_log(model: DeviceModel, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    assert model.set("SecurityCtrlr.BasicAuthPassword", "too-short-pw") == "Rejected"
    assert "BasicAuthPassword" in caplog.text and "too-short-pw" not in caplog.text
