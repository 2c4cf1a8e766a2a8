"""Block B, provisioning, of OCPP 2.0.1 part 6, 2.3: variables and boot."""

from __future__ import annotations

from tests.conformance.driver.lab import Lab
from tests.conformance.driver.matching import ABSENT, check, one_of
from tests.conformance.driver.states import booted

NO_INFO = one_of(ABSENT, {"reasonCode": "NoError"})


async def test_TC_B_01_CS(lab: Lab) -> None:
    """Cold boot, accepted: after the power came back the station boots, tells every connector and its startup."""
    await lab.up(evses=2)
    boot = await booted(lab)
    check({"reason": "PowerUp"}, boot)


async def test_TC_B_06_CS(shared_booted: Lab) -> None:
    """Get one variable: value, attribute and names come back."""
    lab = shared_booted
    await lab.configure(**{"OCPPCommCtrlr.OfflineThreshold": 300})
    result = await lab.get_result("OCPPCommCtrlr.OfflineThreshold", "Actual")
    check(
        {
            "attributeStatus": "Accepted",
            "attributeType": "Actual",
            "attributeValue": "300",
            "component": {"name": "OCPPCommCtrlr"},
            "variable": {"name": "OfflineThreshold"},
            "attributeStatusInfo": NO_INFO,
        },
        result,
    )


async def test_TC_B_32_CS(shared_booted: Lab) -> None:
    """Get a variable of a component that does not exist."""
    check({"attributeStatus": "UnknownComponent"}, await shared_booted.get_result("UnknownComponent.OfflineThreshold"))
