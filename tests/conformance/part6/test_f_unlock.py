"""Block F, remote control, of OCPP 2.0.1 part 6, 2.7: remote unlocking of a connector."""

from __future__ import annotations

from tests.conformance.driver import states
from tests.conformance.driver.lab import Lab
from tests.conformance.driver.matching import check


async def unlock(lab: Lab, status: str, connector: int | None = None) -> None:
    """Asks for a connector's lock to open; fails when the answer is another."""
    answer = await lab.csms.call("UnlockConnector", {"evseId": lab.evse, "connectorId": connector or lab.connector})
    check({"status": status}, answer)


async def lock(lab: Lab) -> str:
    word: str = (await lab.charger.state())["evses"][lab.evse - 1]["lock"]
    return word


async def test_TC_F_05_CS(lab: Lab) -> None:
    """While an authorized transaction runs the plug stays locked."""
    await lab.up()
    await states.energy_transfer_started(lab)
    await unlock(lab, "OngoingAuthorizedTransaction")
    assert await lock(lab) == "locked"
    assert lab.session.transaction
    answer = await lab.csms.call("GetTransactionStatus", {"transactionId": lab.session.transaction})
    check({"ongoingIndicator": True}, answer)


async def test_TC_F_06_CS(lab: Lab) -> None:
    """Without a transaction a plugged cable is released."""
    await lab.up()
    await states.ev_connected_pre_session(lab)
    await unlock(lab, "Unlocked")
    assert await lock(lab) == "unlocked"


async def test_TC_F_07_CS(lab: Lab) -> None:
    """Without a cable the lock is opened all the same."""
    await lab.up()
    await unlock(lab, "Unlocked")
    assert await lock(lab) == "unlocked"


async def test_TC_F_10_CS(lab: Lab) -> None:
    """A connector that does not exist."""
    await lab.up()
    await unlock(lab, "UnknownConnector", connector=999)
