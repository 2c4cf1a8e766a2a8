"""Variables of functional blocks this station does not offer: they say so, and the ones their block requires are there (2.0.1 part 2, Referenced
Components 2.8 to 2.12 and 2.14). Must not know who reads them.
"""

from __future__ import annotations

from chargepoint.settings import Settings
from chargepoint.station.variables_rows import BOOLEAN, DECIMAL, INTEGER, MEMBERS, STRING, Row, fixed

SCHEDULE_PERIODS = 24


def rows(settings: Settings) -> list[Row]:
    return [
        *_switch("SmartChargingCtrlr"),
        fixed("SmartChargingCtrlr.Entries[ChargingProfiles]", INTEGER, 0, maximum=0),
        fixed("SmartChargingCtrlr.LimitChangeSignificance", DECIMAL, 1, unit="Percent"),
        fixed("SmartChargingCtrlr.PeriodsPerSchedule", INTEGER, SCHEDULE_PERIODS),
        fixed("SmartChargingCtrlr.ProfileStackLevel", INTEGER, 0),
        fixed("SmartChargingCtrlr.RateUnit", MEMBERS, "A", values=("A", "W")),
        fixed("SmartChargingCtrlr.Phases3to1", BOOLEAN, False),
        *_switch("ReservationCtrlr"),
        *_switch("MonitoringCtrlr"),
        fixed("MonitoringCtrlr.ItemsPerMessage[SetVariableMonitoring]", INTEGER, 0),
        fixed("MonitoringCtrlr.BytesPerMessage[SetVariableMonitoring]", INTEGER, 0),
        *_switch("DisplayMessageCtrlr"),
        fixed("DisplayMessageCtrlr.DisplayMessages", INTEGER, 0, maximum=0),
        fixed("DisplayMessageCtrlr.SupportedFormats", MEMBERS, "", values=("ASCII", "HTML", "URI", "UTF8")),
        fixed("DisplayMessageCtrlr.SupportedPriorities", MEMBERS, "", values=("AlwaysFront", "InFront", "NormalCycle")),
        *_switch("TariffCostCtrlr", "[Tariff]"),
        *_switch("TariffCostCtrlr", "[Cost]"),
        fixed("TariffCostCtrlr.Currency", STRING, "", maximum=3),
        fixed("TariffCostCtrlr.TariffFallbackMessage", STRING, "", maximum=255),
        fixed("TariffCostCtrlr.TotalCostFallbackMessage", STRING, "", maximum=255),
        *_switch("ISO15118Ctrlr"),
        fixed("ISO15118Ctrlr.ContractValidationOffline", BOOLEAN, False),
    ]


def _switch(component: str, instance: str = "") -> list[Row]:
    return [fixed(f"{component}.{name}{instance}", BOOLEAN, False) for name in ("Available", "Enabled")]
