"""Block F, remote control, of OCPP 2.0.1 part 6, 2.7: remote start and remote stop of a transaction."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conformance.driver import states
from tests.conformance.driver.lab import Lab
from tests.conformance.driver.matching import check

REMOTELY = {"AuthCtrlr.Enabled": True, "AuthCtrlr.DisableRemoteAuthorization": False}
TIMEOUT_S = 3


async def charges_after_a_remote_start(lab: Lab, **settings: Any) -> None:
    """Remote start first, the cable afterwards (F02)."""
    await lab.up(variables={**REMOTELY, **settings})
    await states.parking_bay_occupied(lab)
    await states.authorized(lab, remote=True, asks=settings["AuthCtrlr.AuthorizeRemoteStart"])
    await states.energy_transfer_started(lab)


@pytest.mark.parametrize("start_point", ["EVConnected", "Authorized", "PowerPathClosed", "EnergyTransfer"])
async def test_TC_F_01_CS(lab: Lab, start_point: str) -> None:
    """A remote start when the cable is plugged in already: it charges. A transaction that runs before is named in the answer."""
    await lab.up(variables={**REMOTELY, "TxCtrlr.TxStartPoint": start_point})
    await states.ev_connected_pre_session(lab)
    await states.authorized(lab, remote=True)
    await states.energy_transfer_started(lab)


async def test_TC_F_02_CS(lab: Lab) -> None:
    """A remote start before the cable, with AuthorizeRemoteStart: the CSMS is asked about the token first."""
    await charges_after_a_remote_start(lab, **{"AuthCtrlr.AuthorizeRemoteStart": True})


async def test_TC_F_03_CS(lab: Lab) -> None:
    """A remote start before the cable, without AuthorizeRemoteStart: nobody is asked."""
    await charges_after_a_remote_start(lab, **{"AuthCtrlr.AuthorizeRemoteStart": False})
    assert not lab.csms.calls("Authorize")


async def test_TC_F_04_CS(lab: Lab) -> None:
    """After a remote start the cable does not come within EVConnectionTimeOut: the transaction ends, and the next remote start is taken."""
    await lab.up(variables={**REMOTELY, "TxCtrlr.EVConnectionTimeOut": TIMEOUT_S, "TxCtrlr.TxStartPoint": "Authorized"})
    await states.authorized(lab, remote=True)
    await states.transaction_event(lab, {"eventType": "Ended", "triggerReason": "EVConnectTimeout"})
    del lab.sessions[lab.evse]
    await states.authorized(lab, remote=True)


@pytest.mark.parametrize("stop_point", ["EVConnected", "Authorized", "PowerPathClosed", "EnergyTransfer"])
async def test_TC_F_08_CS(lab: Lab, stop_point: str) -> None:
    """A remote stop ends the charging, and the transaction too unless it lasts until the cable goes."""
    await lab.up(variables={"TxCtrlr.TxStopPoint": stop_point})
    await states.energy_transfer_started(lab)
    event = await states.stop_authorized(lab, remote=True)
    assert event is not None and event["eventType"] == ("Updated" if stop_point == "EVConnected" else "Ended")
    await lab.charger.contactor("open", lab.evse)


async def test_TC_F_09_CS(lab: Lab) -> None:
    """A remote stop of a transaction that does not run is rejected; the one that runs goes on."""
    await lab.up()
    await states.energy_transfer_started(lab)
    check({"status": "Rejected"}, await lab.csms.call("RequestStopTransaction", {"transactionId": f"not-{lab.session.transaction}"[:36]}))
    await lab.csms.no_more("TransactionEvent", {"triggerReason": "RemoteStop"})
    assert (await lab.charger.state())["evses"][lab.evse - 1]["contactor"] == "closed"
