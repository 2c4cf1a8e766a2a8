"""The configuration keys of OCPP 1.6 chapter 9, and of the whitepapers on security and signed values what this station has: name, type, access,
profile, and read and write as a pure pair over variables. Must not know values in force.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from chargepoint.model.variable import DataType
from chargepoint.settings import Scalar, Settings

BOOLEAN, INTEGER, CSL, STRING = "boolean", "integer", "CSL", "string"
PROFILES_KEY = "SupportedFeatureProfiles"
PROFILES = ("Core", "FirmwareManagement", "LocalAuthListManagement", "Reservation", "SmartCharging", "RemoteTrigger")
OFFERED_PROFILES = "Core,LocalAuthListManagement,RemoteTrigger"
LIST_ITEMS = 20
OWN_COMPONENT = "Ocpp16Ctrlr"
CLEAR_TRIP = "ClearResidualCurrent"
"""A key of ours: writing a connectorId clears the residual-current trip there; it reads 0."""
PHASE_ROTATION = re.compile(r"\d+\.(NotApplicable|Unknown|RST|RTS|SRT|STR|TRS|TSR)")
UNITS = {"A": "Current", "W": "Power"}


def normal_text(kind: str, value: str) -> str:
    """A value in the one form variables have. Raises ValueError when it is none of its type."""
    text = value.strip()
    if kind == BOOLEAN:
        if text.lower() not in ("true", "false"):
            raise ValueError(f"{value!r} is not true or false")
        return text.lower()
    if kind == INTEGER:
        if not re.fullmatch(r"[+-]?\d{1,10}", text):
            raise ValueError(f"{value!r} is no whole number")
        return str(int(text))
    if kind == STRING:
        return value
    return ",".join(item.strip() for item in text.split(",") if item.strip())


def _same(value: str) -> str:
    return value


def _units_out(value: str) -> str:
    return ",".join(UNITS.get(unit, unit) for unit in value.split(","))


def _units_in(value: str) -> str:
    words = {word: unit for unit, word in UNITS.items()}
    return ",".join(words.get(word, word) for word in value.split(","))


class Row(NamedTuple):
    """One key. The first variable is read, all are written. secret: nobody reads it."""

    key: str
    kind: str
    writable: bool
    variables: tuple[str, ...]
    profile: str = "Core"
    read: Callable[[str], str] = _same
    write: Callable[[str], str] = _same
    secret: bool = False

    def writes(self, value: str) -> dict[str, str]:
        """What a value of the key sets. Raises ValueError."""
        text = self.write(normal_text(self.kind, value))
        return {variable: text for variable in self.variables}


class Own(NamedTuple):
    """A variable only 1.6 has. there: whether a station of these settings has it."""

    variable: str
    data_type: DataType
    writable: bool
    default: Callable[[Settings], Scalar]
    minimum: float | None = None
    maximum: float | None = None
    secret: bool = False
    values: tuple[str, ...] = ()
    check: Callable[[Settings], Callable[[str], str | None]] | None = None
    there: Callable[[Settings], bool] = lambda settings: True


def _own(key: str) -> tuple[str, ...]:
    return (f"{OWN_COMPONENT}.{key}",)


def _connectors(settings: Settings) -> int:
    return sum(len(evse.connectors) for evse in settings.evse)


def _rotations(settings: Settings) -> str:
    return ",".join(f"{number}.Unknown" for number in range(_connectors(settings) + 1))


def _rotation_check(settings: Settings) -> Callable[[str], str | None]:
    """9.1.7, 9.1.8: one item for each connector, 0 for the station's own supply."""
    most = _connectors(settings)

    def problem(value: str) -> str | None:
        items = value.split(",")
        wrong = [item for item in items if not PHASE_ROTATION.fullmatch(item) or int(item.split(".")[0]) > most]
        if wrong:
            return f"{', '.join(wrong)} is not like 1.RST, with a connector from 0 to {most}"
        return "a connector stands there twice" if len({item.split(".")[0] for item in items}) < len(items) else None

    return problem


def _own_integer(key: str, value: int, writable: bool = False, maximum: float | None = None) -> Own:
    return Own(_own(key)[0], DataType.INTEGER, writable, lambda _: value, 0, maximum)


ROWS: tuple[Row, ...] = (
    Row("AdditionalRootCertificateCheck", BOOLEAN, False, ("SecurityCtrlr.AdditionalRootCertificateCheck",)),
    Row("AlignedDataSignReadings", BOOLEAN, True, ("AlignedDataCtrlr.SignReadings",)),
    Row("AlignedDataSignUpdatedReadings", BOOLEAN, True, ("AlignedDataCtrlr.SignUpdatedReadings",)),
    Row("AllowOfflineTxForUnknownId", BOOLEAN, True, ("AuthCtrlr.OfflineTxForUnknownIdEnabled",)),
    Row("AuthorizationCacheEnabled", BOOLEAN, True, ("AuthCacheCtrlr.Enabled",)),
    Row("AuthorizeRemoteTxRequests", BOOLEAN, True, ("AuthCtrlr.AuthorizeRemoteStart",)),
    Row("AuthorizationKey", STRING, True, (*_own("AuthorizationKey"), "SecurityCtrlr.BasicAuthPassword"), secret=True),
    Row("BlinkRepeat", INTEGER, True, _own("BlinkRepeat")),
    Row("ClockAlignedDataInterval", INTEGER, True, ("AlignedDataCtrlr.Interval", "AlignedDataCtrlr.TxEndedInterval")),
    Row("ConnectionTimeOut", INTEGER, True, ("TxCtrlr.EVConnectionTimeOut",)),
    Row("ConnectorPhaseRotation", CSL, True, _own("ConnectorPhaseRotation")),
    Row("ConnectorPhaseRotationMaxLength", INTEGER, False, _own("ConnectorPhaseRotationMaxLength")),
    Row("GetConfigurationMaxKeys", INTEGER, False, _own("GetConfigurationMaxKeys")),
    Row("HeartbeatInterval", INTEGER, True, ("OCPPCommCtrlr.HeartbeatInterval",)),
    Row("LightIntensity", INTEGER, True, _own("LightIntensity")),
    Row("LocalAuthorizeOffline", BOOLEAN, True, ("AuthCtrlr.LocalAuthorizeOffline",)),
    Row("LocalPreAuthorize", BOOLEAN, True, ("AuthCtrlr.LocalPreAuthorize",)),
    Row("MaxEnergyOnInvalidId", INTEGER, True, ("TxCtrlr.MaxEnergyOnInvalidId",)),
    Row("MessageTimeout", INTEGER, True, ("OCPPCommCtrlr.MessageTimeout[Default]",)),
    Row("MeterValuesAlignedData", CSL, True, ("AlignedDataCtrlr.Measurands",)),
    Row("MeterValuesAlignedDataMaxLength", INTEGER, False, _own("MeterValuesAlignedDataMaxLength")),
    Row("MeterValuesSampledData", CSL, True, ("SampledDataCtrlr.TxUpdatedMeasurands",)),
    Row("MeterValuesSampledDataMaxLength", INTEGER, False, _own("MeterValuesSampledDataMaxLength")),
    Row("MeterValueSampleInterval", INTEGER, True, ("SampledDataCtrlr.TxUpdatedInterval", "SampledDataCtrlr.TxEndedInterval")),
    Row("MinimumStatusDuration", INTEGER, True, _own("MinimumStatusDuration")),
    Row("NumberOfConnectors", INTEGER, False, _own("NumberOfConnectors")),
    Row("PublicKeyWithSignedMeterValue", STRING, True, ("OCPPCommCtrlr.PublicKeyWithSignedMeterValue",)),
    Row("ResetRetries", INTEGER, True, ("OCPPCommCtrlr.ResetRetries",)),
    Row("SampledDataSignReadings", BOOLEAN, True, ("SampledDataCtrlr.SignReadings",)),
    Row("SampledDataSignUpdatedReadings", BOOLEAN, True, ("SampledDataCtrlr.SignUpdatedReadings",)),
    Row("SecurityProfile", INTEGER, True, ("SecurityCtrlr.SecurityProfile",)),
    Row("StopTransactionMaxMeterValues", INTEGER, False, _own("StopTransactionMaxMeterValues")),
    Row("StopTransactionOnEVSideDisconnect", BOOLEAN, True, ("TxCtrlr.StopTxOnEVSideDisconnect",)),
    Row("StopTransactionOnInvalidId", BOOLEAN, True, ("TxCtrlr.StopTxOnInvalidId",)),
    Row("StopTxnAlignedData", CSL, True, ("AlignedDataCtrlr.TxEndedMeasurands",)),
    Row("StopTxnAlignedDataMaxLength", INTEGER, False, _own("StopTxnAlignedDataMaxLength")),
    Row("StopTxnSampledData", CSL, True, ("SampledDataCtrlr.TxEndedMeasurands",)),
    Row("StopTxnSampledDataMaxLength", INTEGER, False, _own("StopTxnSampledDataMaxLength")),
    Row(PROFILES_KEY, CSL, False, _own(PROFILES_KEY)),
    Row("SupportedFeatureProfilesMaxLength", INTEGER, False, _own("SupportedFeatureProfilesMaxLength")),
    Row("TransactionMessageAttempts", INTEGER, True, ("OCPPCommCtrlr.MessageAttempts[TransactionEvent]",)),
    Row("TransactionMessageRetryInterval", INTEGER, True, ("OCPPCommCtrlr.MessageAttemptInterval[TransactionEvent]",)),
    Row("UnlockConnectorOnEVSideDisconnect", BOOLEAN, True, ("OCPPCommCtrlr.UnlockOnEVSideDisconnect",)),
    Row("WebSocketPingInterval", INTEGER, True, ("OCPPCommCtrlr.WebSocketPingInterval",)),
    Row(CLEAR_TRIP, INTEGER, True, _own(CLEAR_TRIP)),
    Row("LocalAuthListEnabled", BOOLEAN, True, ("LocalAuthListCtrlr.Enabled",), "LocalAuthListManagement"),
    Row("LocalAuthListMaxLength", INTEGER, False, _own("LocalAuthListMaxLength"), "LocalAuthListManagement"),
    Row("SendLocalListMaxLength", INTEGER, False, ("LocalAuthListCtrlr.ItemsPerMessage",), "LocalAuthListManagement"),
    Row("ReserveConnectorZeroSupported", BOOLEAN, False, _own("ReserveConnectorZeroSupported"), "Reservation"),
    Row("ChargeProfileMaxStackLevel", INTEGER, False, ("SmartChargingCtrlr.ProfileStackLevel",), "SmartCharging"),
    Row("ChargingScheduleAllowedChargingRateUnit", CSL, False, ("SmartChargingCtrlr.RateUnit",), "SmartCharging", _units_out, _units_in),
    Row("ChargingScheduleMaxPeriods", INTEGER, False, ("SmartChargingCtrlr.PeriodsPerSchedule",), "SmartCharging"),
    Row("ConnectorSwitch3to1PhaseSupported", BOOLEAN, False, ("SmartChargingCtrlr.Phases3to1",), "SmartCharging"),
    Row("MaxChargingProfilesInstalled", INTEGER, False, ("SmartChargingCtrlr.Entries[ChargingProfiles]",), "SmartCharging"),
)

OWN: tuple[Own, ...] = (
    Own(_own("AuthorizationKey")[0], DataType.STRING, True, lambda _: "", 16, 40, secret=True),
    _own_integer("BlinkRepeat", 3, writable=True, maximum=60),
    Own(_own("ConnectorPhaseRotation")[0], DataType.STRING, True, _rotations, check=_rotation_check),
    Own(_own("ConnectorPhaseRotationMaxLength")[0], DataType.INTEGER, False, lambda settings: _connectors(settings) + 1, 0),
    Own(_own(CLEAR_TRIP)[0], DataType.INTEGER, False, lambda _: 0, there=lambda settings: settings.control.csms_clears_residual_current),
    _own_integer("GetConfigurationMaxKeys", 50),
    _own_integer("LightIntensity", 100, writable=True, maximum=100),
    _own_integer("MeterValuesAlignedDataMaxLength", LIST_ITEMS),
    _own_integer("MeterValuesSampledDataMaxLength", LIST_ITEMS),
    _own_integer("MinimumStatusDuration", 0, writable=True),
    Own(_own("NumberOfConnectors")[0], DataType.INTEGER, False, _connectors, 1),
    Own(_own("StopTransactionMaxMeterValues")[0], DataType.INTEGER, False, lambda _: 500, 2),
    _own_integer("StopTxnAlignedDataMaxLength", LIST_ITEMS),
    _own_integer("StopTxnSampledDataMaxLength", LIST_ITEMS),
    Own(_own(PROFILES_KEY)[0], DataType.MEMBER_LIST, False, lambda _: OFFERED_PROFILES, values=PROFILES),
    _own_integer("SupportedFeatureProfilesMaxLength", len(PROFILES)),
    _own_integer("LocalAuthListMaxLength", 100_000),
    Own(_own("ReserveConnectorZeroSupported")[0], DataType.BOOLEAN, False, lambda _: False),
)
