"""Variables of metering (2.0.1 part 2, Referenced Components 2.7). Must not know who reads them."""

from __future__ import annotations

from chargepoint.settings import Settings
from chargepoint.station.variables_rows import BOOLEAN, INTEGER, MEMBERS, Row, fixed, settable

REGISTER = "Energy.Active.Import.Register"
MEASURANDS = (
    REGISTER,
    "Energy.Active.Export.Register",
    "Power.Active.Import",
    "Power.Offered",
    "Current.Import",
    "Current.Offered",
    "Voltage",
    "Frequency",
)
"""MeasurandEnumType as far as the meters' register maps know them; what a meter lacks is left out of a reading."""
PHASES = ("L1", "L2", "L3", "L1-N", "L2-N", "L3-N")
"""A measurand of one phase alone (1.6 9.1.17)."""
LONGEST = 1000
DAY_S = 86_400


def rows(settings: Settings) -> list[Row]:
    idle = ["AlignedDataCtrlr.SendDuringIdle", *(f"AlignedDataCtrlr@{evse.id}.SendDuringIdle" for evse in settings.evse)]
    return [*_sampled(), *_aligned(), *(settable(name, BOOLEAN, False) for name in idle)]


def _sampled() -> list[Row]:
    component = "SampledDataCtrlr"
    return [
        fixed(f"{component}.Available", BOOLEAN, True),
        settable(f"{component}.Enabled", BOOLEAN, True),
        _measurands(f"{component}.TxStartedMeasurands", REGISTER),
        _measurands(f"{component}.TxUpdatedMeasurands", f"{REGISTER},Power.Active.Import"),
        _interval(f"{component}.TxUpdatedInterval", 60),
        _measurands(f"{component}.TxEndedMeasurands", REGISTER),
        _interval(f"{component}.TxEndedInterval", 0),
    ]


def _aligned() -> list[Row]:
    component = "AlignedDataCtrlr"
    return [
        fixed(f"{component}.Available", BOOLEAN, True),
        settable(f"{component}.Enabled", BOOLEAN, True),
        _interval(f"{component}.Interval", 0),
        _measurands(f"{component}.Measurands", REGISTER),
        _interval(f"{component}.TxEndedInterval", 0),
        _measurands(f"{component}.TxEndedMeasurands", ""),
    ]


def _measurands(name: str, value: str) -> Row:
    return settable(name, MEMBERS, value, values=MEASURANDS, suffixes=PHASES, maximum=LONGEST)


def _interval(name: str, value: int) -> Row:
    return settable(name, INTEGER, value, unit="s", minimum=0, maximum=DAY_S)
