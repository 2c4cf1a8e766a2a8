"""Cases that cannot apply to the station under test, each with the reason. The only place that says so; nothing that is a defect belongs here.

Must not know how a case is run. One table per block, so that each grows by itself.
"""

from __future__ import annotations

_NOT_RENEWED = "the station's certificate comes with the settings and is not renewed by OCPP (SignCertificate is not offered)"
SECURITY: dict[str, str] = {
    "TC_A_11_CS": _NOT_RENEWED,
    "TC_A_12_CS": "the station speaks no ISO 15118, so it has no V2G certificate",
    "TC_A_14_CS": _NOT_RENEWED,
    "TC_A_15_CS": _NOT_RENEWED,
    "TC_A_23_CS": _NOT_RENEWED,
}
PROVISIONING: dict[str, str] = {
    "TC_B_15_CS": "the station makes a SummaryInventory, so no base report is unsupported; TC_B_14_CS tests it",
    "TC_B_19_CS": "all four component criteria are supported; any other word is refused by the schema",
    "TC_B_24_CS": "no reservations are offered (ReservationCtrlr.Available is false)",
    "TC_B_47_CS": "AdditionalRootCertificateCheck is false: a new CSMS root need not be signed by the former one, and none falls back (AS-2)",
}
NO_CHOICE = "the station has no user interface to choose a transaction with: a master pass ends all of them (C16.FR.02, judged by TC_C_49_CS)"
NO_ISO15118 = "the station has no ISO 15118 controller (no PLC modem), so it never sees a contract certificate"
AUTHORIZATION: dict[str, str] = {
    "TC_C_47_CS": NO_CHOICE,
    "TC_C_48_CS": NO_CHOICE,
    **{f"TC_C_{number}_CS": NO_ISO15118 for number in range(50, 56)},
}
LOCAL_LIST: dict[str, str] = {}
TRANSACTIONS: dict[str, str] = {
    "TC_E_46_CS": "a pilot of IEC 61851-1 without ISO 15118: there is no SessionStopReq of the car",
    "TC_E_54_CS": "a pilot of IEC 61851-1 without high level communication; TC_E_20_CS judges the same for such cars",
}
NO_LOGS = "C-29.3: LogStatusNotification cannot be triggered, as no log can be fetched (GetLog is not offered)"
NO_FIRMWARE = "C-29.4: FirmwareStatusNotification cannot be triggered, as firmware cannot be updated by OCPP (UpdateFirmware is not offered)"
REMOTE_CONTROL: dict[str, str] = {
    "TC_F_15_CS": NO_LOGS,
    "TC_F_16_CS": NO_LOGS,
    "TC_F_17_CS": NO_FIRMWARE,
    "TC_F_18_CS": NO_FIRMWARE,
    "TC_F_19_CS": NO_FIRMWARE,
}
AVAILABILITY: dict[str, str] = {}
METER_VALUES: dict[str, str] = {}
DATA_TRANSFER: dict[str, str] = {
    "TC_P_04_CS": "the station has no smart charging (SmartChargingCtrlr.Available is false): it takes no charging profile"
}
_RESERVED = "the Reservation profile is not offered: no connector is ever Reserved"
_UNAVAILABLE = "a connector that is made available again has no transaction: it charges only after a card or a remote start"
OCPP16: dict[str, str] = {
    "4.9 A7": _RESERVED,
    "4.9 G1": _RESERVED,
    "4.9 G2": _RESERVED,
    "4.9 G8": _RESERVED,
    "4.9 G9": _RESERVED,
    "4.9 H3": _UNAVAILABLE,
    "4.9 H4": _UNAVAILABLE,
    "4.9 H5": _UNAVAILABLE,
    "7.36 Reboot": "a transaction goes on over a restart that the charge point makes by itself",
}

NOT_APPLICABLE: dict[str, str] = {
    **SECURITY,
    **PROVISIONING,
    **AUTHORIZATION,
    **LOCAL_LIST,
    **TRANSACTIONS,
    **REMOTE_CONTROL,
    **AVAILABILITY,
    **METER_VALUES,
    **DATA_TRANSFER,
    **OCPP16,
}
