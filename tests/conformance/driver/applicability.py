"""Cases that cannot apply to the station under test, each with the reason. The only place that says so; nothing that is a defect belongs here.

Must not know how a case is run. One table per block, so that each grows by itself.
"""

from __future__ import annotations

SECURITY: dict[str, str] = {}
PROVISIONING: dict[str, str] = {}
AUTHORIZATION: dict[str, str] = {}
LOCAL_LIST: dict[str, str] = {}
TRANSACTIONS: dict[str, str] = {}
REMOTE_CONTROL: dict[str, str] = {}
AVAILABILITY: dict[str, str] = {}
METER_VALUES: dict[str, str] = {}
DATA_TRANSFER: dict[str, str] = {}
OCPP16: dict[str, str] = {}

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
