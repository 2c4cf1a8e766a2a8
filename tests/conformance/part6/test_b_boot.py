"""Block B, provisioning, of OCPP 2.0.1 part 6, 2.3: cold boot, and what is told after a time offline."""

from __future__ import annotations

import asyncio

from tests.conformance.driver.lab import Lab
from tests.conformance.driver.matching import check
from tests.conformance.driver.reports import parts
from tests.conformance.driver.states import booted, connector_told, connectors_told

RETRY_S = 2
THRESHOLD_S = 3


async def test_TC_B_01_CS(lab: Lab) -> None:
    """Cold boot, accepted: after the power came back the station boots, and tells every connector and its startup."""
    await lab.up(evses=2)
    check({"reason": "PowerUp"}, await booted(lab))


async def test_TC_B_02_CS(lab: Lab) -> None:
    """Cold boot, pending: variables and reports work, a remote start is rejected, and a triggered BootNotification ends it."""
    await lab.up(evses=2)
    lab.csms.answer("BootNotification", {"status": "Pending"}, times=1)
    await lab.charger.power_cycle()
    await lab.csms.expect("BootNotification", within=30)
    await lab.configure(**{"OCPPCommCtrlr.OfflineThreshold": 300})
    assert await lab.get("OCPPCommCtrlr.OfflineThreshold") == "300"
    answer = await lab.csms.call("GetBaseReport", {"requestId": 42, "reportBase": "FullInventory"})
    check({"status": "Accepted"}, answer)
    assert await parts(lab, 42)
    order = {"idToken": lab.token.id_token, "remoteStartId": 1, "evseId": lab.evse}
    check({"status": "Rejected"}, await lab.csms.call("RequestStartTransaction", order))
    assert not lab.csms.pending(), "nothing but the report may be sent while pending (B02.FR.02)"
    answer = await lab.csms.call("TriggerMessage", {"requestedMessage": "BootNotification"})
    check({"status": {"Accepted", "NotImplemented"}}, answer)
    boot = await lab.csms.expect("BootNotification")
    check({"reason": "Triggered"} if answer["status"] == "Accepted" else {}, boot)
    await connectors_told(lab)


async def test_TC_B_03_CS(lab: Lab) -> None:
    """Cold boot, rejected: nothing is sent until the interval is over, then the station boots again."""
    await lab.up(evses=2)
    lab.csms.answer("BootNotification", {"status": "Rejected", "interval": RETRY_S}, times=1)
    await lab.charger.power_cycle()
    first = await lab.csms.expect_message("BootNotification", within=30)
    second = await lab.csms.expect_message("BootNotification", within=30)
    assert second.at - first.at >= RETRY_S
    assert not [it for it in lab.csms.calls() if first.at < it.at < second.at]
    await connectors_told(lab)


async def test_TC_B_30_CS(lab: Lab) -> None:
    """Rejected: a call of the CSMS is refused with SecurityError."""
    await lab.up()
    lab.csms.answer("BootNotification", {"status": "Rejected"}, times=1)
    await lab.charger.power_cycle()
    await lab.csms.expect("BootNotification", within=30)
    await lab.csms.refused("GetBaseReport", {"requestId": 1, "reportBase": "FullInventory"}, "SecurityError")


async def offline_with_a_car(lab: Lab, retry_s: int) -> None:
    """The line is cut, a car comes, and the line is back after retry_s."""
    await lab.up(evses=2)
    variables = {"OfflineThreshold": THRESHOLD_S, "RetryBackOffWaitMinimum": retry_s, "RetryBackOffRandomRange": 0}
    await lab.configure(**{f"OCPPCommCtrlr.{name}": value for name, value in variables.items()})
    async with lab.csms.offline():
        await lab.charger.plug_in(lab.evse, lab.connector)
        await lab.charger.until(lambda state: state["evses"][lab.evse - 1]["plugged"])
        if retry_s > THRESHOLD_S:
            await asyncio.sleep(THRESHOLD_S)


async def test_TC_B_51_CS(lab: Lab) -> None:
    """Offline for longer than OfflineThreshold: every connector is told."""
    await offline_with_a_car(lab, THRESHOLD_S + 2)
    await connector_told(lab, "Occupied", 1)
    await connector_told(lab, "Available", 2)


async def test_TC_B_52_CS(lab: Lab) -> None:
    """Offline for less than OfflineThreshold: only the connector that changed is told."""
    await offline_with_a_car(lab, THRESHOLD_S - 2)
    await connector_told(lab, "Occupied", 1)
    await lab.charger.all_told()
    await lab.csms.no_more("StatusNotification", for_s=0.5)
