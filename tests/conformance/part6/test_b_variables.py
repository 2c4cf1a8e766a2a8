"""Block B, provisioning, of OCPP 2.0.1 part 6, 2.3: get and set variables."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tests.conformance.driver.lab import Lab, named
from tests.conformance.driver.matching import ABSENT, Payload, check, one_of, present
from tests.conformance.driver.reports import NO_INFO

THRESHOLD = "OCPPCommCtrlr.OfflineThreshold"
OFFLINE = "AuthCtrlr.LocalAuthorizeOffline"
REJECTED = {"attributeStatus": "Rejected", "attributeStatusInfo": one_of(ABSENT, {"reasonCode": "InvalidValue"})}


def good(name: str, **more: Any) -> Payload:
    """A result that was accepted."""
    return {"attributeStatus": "Accepted", "attributeType": "Actual", **named(name), "attributeStatusInfo": NO_INFO, **more}


async def test_TC_B_06_CS(shared_booted: Lab) -> None:
    """Get one variable: value, attribute and names come back."""
    await shared_booted.configure(**{THRESHOLD: 300})
    check(good(THRESHOLD, attributeValue="300"), await shared_booted.get_result(THRESHOLD, "Actual"))


async def test_TC_B_07_CS(shared_booted: Lab) -> None:
    """Get two variables in one request, in whatever order they come back."""
    await shared_booted.configure(**{THRESHOLD: 300, OFFLINE: True})
    data = [{**named(name), "attributeType": "Actual"} for name in (THRESHOLD, OFFLINE)]
    results = (await shared_booted.csms.call("GetVariables", {"getVariableData": data}))["getVariableResult"]
    results.sort(key=lambda it: it["component"]["name"], reverse=True)
    assert len(results) == 2
    check([good(THRESHOLD, attributeValue="300"), good(OFFLINE, attributeValue="true")], results)


async def test_TC_B_32_CS(shared_booted: Lab) -> None:
    """Get a variable of a component that does not exist."""
    name = "UnknownComponent.OfflineThreshold"
    check({"attributeStatus": "UnknownComponent", **named(name)}, await shared_booted.get_result(name))


async def test_TC_B_33_CS(shared_booted: Lab) -> None:
    """Get a variable that its component does not have."""
    name = "OCPPCommCtrlr.UnknownVariable"
    check({"attributeStatus": "UnknownVariable", **named(name)}, await shared_booted.get_result(name))


async def test_TC_B_34_CS(shared_booted: Lab) -> None:
    """Get an attribute that a variable does not have."""
    wanted = {"attributeStatus": "NotSupportedAttributeType", "attributeType": "Target", **named(THRESHOLD)}
    check(wanted, await shared_booted.get_result(THRESHOLD, "Target"))


async def test_TC_B_09_CS(shared_booted: Lab) -> None:
    """Set one variable."""
    check(good(THRESHOLD), await shared_booted.set(THRESHOLD, 300, "Actual"))
    assert await shared_booted.get(THRESHOLD) == "300"


async def test_TC_B_10_CS(shared_booted: Lab) -> None:
    """Set two variables in one request, in whatever order the results come back."""
    values = {THRESHOLD: "300", OFFLINE: "true"}
    data = [{**named(name), "attributeType": "Actual", "attributeValue": value} for name, value in values.items()]
    results = (await shared_booted.csms.call("SetVariables", {"setVariableData": data}))["setVariableResult"]
    results.sort(key=lambda it: it["component"]["name"], reverse=True)
    assert len(results) == 2
    check([good(THRESHOLD), good(OFFLINE)], results)


async def test_TC_B_35_CS(shared_booted: Lab) -> None:
    """Set a variable of a component that does not exist."""
    name = "UnknownComponent.OfflineThreshold"
    check({"attributeStatus": "UnknownComponent", **named(name)}, await shared_booted.set(name, 300))


async def test_TC_B_36_CS(shared_booted: Lab) -> None:
    """Set a variable that its component does not have."""
    name = "OCPPCommCtrlr.UnknownVariable"
    check({"attributeStatus": "UnknownVariable", **named(name)}, await shared_booted.set(name, 300))


async def test_TC_B_37_CS(shared_booted: Lab) -> None:
    """Set an attribute that a variable does not have."""
    wanted = {"attributeStatus": "NotSupportedAttributeType", "attributeType": "Target", **named(THRESHOLD)}
    check(wanted, await shared_booted.set(THRESHOLD, 300, "Target"))


async def test_TC_B_11_CS(shared_booted: Lab) -> None:
    """Set variables of several types to values of several types: only what fits the type is taken."""
    lab = shared_booted
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    values = ("60", "60.1", "true", now, "abc")
    fit = {THRESHOLD: {"60"}, "AuthCtrlr.AuthorizeRemoteStart": {"true"}, "SmartChargingCtrlr.LimitChangeSignificance": {"60", "60.1"}}
    for name, fitting in fit.items():
        before = await lab.get_result(name)
        for value in values:
            result = await lab.set(name, value)
            check({"attributeType": "Actual", **named(name)}, result)
            if result["attributeStatus"] == "Accepted":
                assert value in fitting, result
            else:
                check(REJECTED if value not in fitting else {"attributeStatus": present}, result)
        await lab.set(name, before["attributeValue"])
    check({"attributeStatus": "Accepted"}, await lab.set(THRESHOLD, 60))
    moment = await lab.get_result("ClockCtrlr.NextTimeOffsetTransitionDateTime")
    for value in values if moment["attributeStatus"] == "Accepted" else ():
        check({"attributeStatus": "Accepted" if value == now else "Rejected"}, await lab.set("ClockCtrlr.NextTimeOffsetTransitionDateTime", value))


async def test_TC_B_39_CS(shared_booted: Lab) -> None:
    """Set a variable that can only be read."""
    name = "OCPPCommCtrlr.MessageTimeout[Default]"
    check({"attributeStatus": "Rejected", **named(name)}, await shared_booted.set(name, 30))
