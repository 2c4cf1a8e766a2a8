"""Block P, data transfer and custom data, of OCPP 2.0.1 part 6, 2.17."""

from __future__ import annotations

from typing import Any

from tests.conformance.driver.lab import Lab, named
from tests.conformance.driver.matching import ABSENT, Payload, check, one_of

UNUSED_VENDOR = "org.openchargealliance.octt"
CUSTOM: Payload = {"customData": {"vendorId": UNUSED_VENDOR, "note": "a field of the vendor", "nested": {"numbers": [1, 2]}}}
THRESHOLD = "OCPPCommCtrlr.OfflineThreshold"


def with_custom_data(named_variable: Payload, **more: Any) -> Payload:
    """A component and a variable with custom data at every level."""
    return {name: {**value, **CUSTOM} for name, value in named_variable.items()} | {**more, **CUSTOM}


async def test_TC_P_01_CS(shared_booted: Lab) -> None:
    """DataTransfer of a vendor that is not known here is not accepted."""
    answer = await shared_booted.csms.call("DataTransfer", {"vendorId": UNUSED_VENDOR, "messageId": "unused"})
    check({"status": {"UnknownVendorId", "UnknownMessageId", "Rejected"}}, answer)


async def test_TC_P_03_CS(shared_booted: Lab) -> None:
    """Custom data in a request does not keep it from being done."""
    data = with_custom_data(named(THRESHOLD), attributeValue="200", attributeType="Actual")
    answer = await shared_booted.csms.call("SetVariables", {"setVariableData": [data], **CUSTOM})
    check({"setVariableResult": [{"attributeStatus": "Accepted"}]}, answer)
    data = with_custom_data(named(THRESHOLD), attributeType="Actual")
    answer = await shared_booted.csms.call("GetVariables", {"getVariableData": [data], **CUSTOM})
    told = {"attributeStatus": "Accepted", "attributeType": one_of(ABSENT, "Actual"), "attributeValue": "200"}
    check({"getVariableResult": [told]}, answer)


async def test_no_charging_profile_is_taken(shared_booted: Lab) -> None:
    """Why TC_P_04_CS cannot apply."""
    assert await shared_booted.get("SmartChargingCtrlr.Available") == "false"
    schedule = {"id": 1, "chargingRateUnit": "A", "duration": 60, "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6.0, "numberPhases": 3}]}
    profile = {
        "id": 1,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Relative",
        "chargingSchedule": [schedule],
    }
    await shared_booted.csms.refused(
        "SetChargingProfile", {"evseId": shared_booted.evse, "chargingProfile": profile}, "NotImplemented", "NotSupported"
    )
