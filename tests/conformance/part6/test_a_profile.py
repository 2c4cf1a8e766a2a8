"""Block A, security, of OCPP 2.0.1 part 6, 2.2, with the errata of 2025-09: the security profile, raised by the CSMS and never lowered."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.conformance.driver import states, tls
from tests.conformance.driver.lab import Lab
from tests.conformance.driver.matching import Payload

PASSWORD = "RightHorse-0123456789"
PRIORITY = "OCPPCommCtrlr.NetworkConfigurationPriority"
OTHER_SLOT = 2
LONG_S = 4.0
"""The operation timeout of the test system: many times what the station waits between two dials here."""


@pytest.fixture
def authority(tmp_path: Path) -> tls.Authority:
    return tls.Authority(tmp_path)


async def begin(lab: Lab, profile: int, authority: tls.Authority | None) -> None:
    """Connected by slot 1 with this profile. authority: whose root the station has (None: it has none)."""
    lab.csms.host = tls.HOST
    lab.csms.credentials = ("CP001", PASSWORD)
    await lab.csms.restart(tls.server(authority.issue()) if authority and profile > 1 else None)
    table = f'[csms.tls]\nca_file = "{authority.root}"\n' if authority else ""
    await lab.up(csms={"security_profile": profile, "basic_auth_password": PASSWORD}, tables=table)
    assert await lab.get("OCPPCommCtrlr.ActiveNetworkProfile") == "1"
    assert await lab.get(PRIORITY) == "1"


async def set_profile(lab: Lab, level: int) -> str:
    """SetNetworkProfile of the slot that is not in use; returns the status."""
    url = f"{'wss' if level > 1 else 'ws'}://{lab.csms.host}:{lab.csms.port}/ocpp"
    data: Payload = {
        "ocppVersion": "OCPP20",
        "ocppTransport": "JSON",
        "ocppCsmsUrl": url,
        "messageTimeout": 30,
        "securityProfile": level,
        "ocppInterface": "Wired0",
    }
    return str((await lab.csms.call("SetNetworkProfile", {"configurationSlot": OTHER_SLOT, "connectionData": data}))["status"])


async def test_TC_A_19_CS(lab: Lab, authority: tls.Authority) -> None:
    """Profile 1 is raised to 2: after a reset the station connects by TLS, forgets the slot of the lower profile, and never goes back to it."""
    await begin(lab, 1, authority)
    assert await set_profile(lab, 2) == "Accepted"
    assert (await lab.set(PRIORITY, f"{OTHER_SLOT},1"))["attributeStatus"] in ("Accepted", "RebootRequired")
    assert (await lab.csms.call("Reset", {"type": "OnIdle"}))["status"] == "Accepted"
    await lab.csms.restart(tls.server(authority.issue()))
    await lab.csms.expect("BootNotification")
    await states.connectors_told(lab)
    assert lab.csms.tls_version is not None
    assert await lab.get("SecurityCtrlr.SecurityProfile") == "2"
    assert "1" not in (await lab.get(PRIORITY)).split(",")
    await lab.csms.restart(None)
    attempts = len(lab.csms.attempts)
    await asyncio.sleep(LONG_S)
    assert len(lab.csms.attempts) == attempts, "the station came by the lower profile"
    await lab.csms.restart(tls.server(authority.issue()))
    await lab.csms.reconnected()


async def test_TC_A_20_CS(lab: Lab) -> None:
    """Without a root certificate of the CSMS no slot with TLS is taken into the order."""
    await begin(lab, 1, None)
    assert await set_profile(lab, 2) in ("Accepted", "Rejected")
    assert (await lab.set(PRIORITY, f"{OTHER_SLOT},1"))["attributeStatus"] == "Rejected"
    assert await lab.get(PRIORITY) == "1"


async def test_TC_A_21_CS(lab: Lab, authority: tls.Authority) -> None:
    """Without a certificate of its own the station takes no slot with profile 3 into the order."""
    await begin(lab, 2, authority)
    assert await set_profile(lab, 3) == "Accepted"
    assert (await lab.set(PRIORITY, f"{OTHER_SLOT},1"))["attributeStatus"] == "Rejected"
    assert await lab.get(PRIORITY) == "1"


async def test_TC_A_22_CS(lab: Lab, authority: tls.Authority) -> None:
    """From profile 2 there is no way back to 1."""
    await begin(lab, 2, authority)
    assert await set_profile(lab, 1) == "Rejected"
    assert await lab.get("SecurityCtrlr.SecurityProfile") == "2"
