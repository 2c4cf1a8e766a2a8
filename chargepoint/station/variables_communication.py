"""Variables of talking to a CSMS: line, security, clock, device data (2.0.1 part 2, Referenced Components 2.1 and 2.2; part 4, 8).

Must not know who reads them.
"""

from __future__ import annotations

from chargepoint.settings import Settings
from chargepoint.station.variables_rows import BOOLEAN, DATE_TIME, INTEGER, MEMBERS, SEQUENCE, STRING, Row, fixed, secret, settable, told

ITEMS_PER_MESSAGE = 100
BYTES_PER_MESSAGE = 65_536
CERTIFICATES = 32
TRANSFERS = ("HTTP", "HTTPS", "FTP", "FTPS", "SFTP")
SLOTS = ("1", "2", "3")
"""Of network connection profiles (B09.FR.06: two at least)."""


def rows(settings: Settings) -> list[Row]:
    return [*_line(settings), *_security(settings), *_clock(), *_device_data()]


def _line(settings: Settings) -> list[Row]:
    csms, component = settings.csms, "OCPPCommCtrlr"
    socket = any(connector.startswith("s") for evse in settings.evse for connector in evse.connectors)
    unlock = f"{component}.UnlockOnEVSideDisconnect"
    return [
        told(f"{component}.ActiveNetworkProfile", INTEGER, 1),
        told(f"{component}.MessageTimeout[Default]", INTEGER, 30, unit="s"),
        fixed(f"{component}.FileTransferProtocols", MEMBERS, ",".join(TRANSFERS), values=TRANSFERS),
        settable(f"{component}.HeartbeatInterval", INTEGER, 300, unit="s", minimum=1),
        settable(f"{component}.NetworkConfigurationPriority", SEQUENCE, "1", values=SLOTS, minimum=1, reboot_required=True),
        settable(f"{component}.NetworkProfileConnectionAttempts", INTEGER, 3, minimum=1),
        settable(f"{component}.OfflineThreshold", INTEGER, 60, unit="s", minimum=0),
        settable(f"{component}.QueueAllMessages", BOOLEAN, False),
        settable(f"{component}.MessageAttempts[TransactionEvent]", INTEGER, 5, minimum=1),
        settable(f"{component}.MessageAttemptInterval[TransactionEvent]", INTEGER, 10, unit="s", minimum=0),
        settable(unlock, BOOLEAN, True) if socket else fixed(unlock, BOOLEAN, False),
        settable(f"{component}.ResetRetries", INTEGER, 1, minimum=0),
        settable(f"{component}.RetryBackOffRepeatTimes", INTEGER, csms.reconnect.repeat_times, minimum=0, maximum=20),
        settable(f"{component}.RetryBackOffRandomRange", INTEGER, csms.reconnect.random_range_s, unit="s", minimum=0),
        settable(f"{component}.RetryBackOffWaitMinimum", INTEGER, csms.reconnect.wait_minimum_s, unit="s", minimum=0),
        settable(f"{component}.WebSocketPingInterval", INTEGER, 60, unit="s", minimum=0),
    ]


def _security(settings: Settings) -> list[Row]:
    csms, component = settings.csms, "SecurityCtrlr"
    return [
        secret(f"{component}.BasicAuthPassword", STRING, csms.basic_auth_password, minimum=16, maximum=40),
        fixed(f"{component}.Identity", STRING, csms.identity, maximum=48),
        settable(f"{component}.OrganizationName", STRING, settings.station.vendor, maximum=64),
        told(f"{component}.CertificateEntries", INTEGER, 0, maximum=CERTIFICATES),
        told(f"{component}.SecurityProfile", INTEGER, csms.security_profile, minimum=0, maximum=3),
        fixed(f"{component}.AdditionalRootCertificateCheck", BOOLEAN, False),
        settable(f"{component}.AllowCSMSTLSWildcards", BOOLEAN, False),
        fixed(f"{component}.MaxCertificateChainSize", INTEGER, 10_000, maximum=10_000),
    ]


def _clock() -> list[Row]:
    return [
        told("ClockCtrlr.DateTime", DATE_TIME, ""),
        settable("ClockCtrlr.TimeSource", SEQUENCE, "NTP,Heartbeat", values=("NTP", "Heartbeat", "RealTimeClock"), minimum=1),
        settable("ClockCtrlr.TimeAdjustmentReportingThreshold", INTEGER, 20, unit="s", minimum=1),
    ]


def _device_data() -> list[Row]:
    component = "DeviceDataCtrlr"
    messages = ("GetReport", "GetVariables", "SetVariables")
    return [
        *(fixed(f"{component}.ItemsPerMessage[{message}]", INTEGER, ITEMS_PER_MESSAGE) for message in messages),
        *(fixed(f"{component}.BytesPerMessage[{message}]", INTEGER, BYTES_PER_MESSAGE) for message in messages),
        fixed(f"{component}.ConfigurationValueSize", INTEGER, 1000, maximum=1000),
        fixed(f"{component}.ReportingValueSize", INTEGER, 2500, maximum=2500),
    ]
