"""Block B, provisioning, of OCPP 2.0.1 part 6, 2.3: network connection profiles and reconnecting."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.conformance.driver import tls
from tests.conformance.driver.csms import Csms
from tests.conformance.driver.lab import Lab
from tests.conformance.driver.matching import Payload, check
from tests.conformance.driver.states import STARTED_BY_BOOT, connectors_told

SLOTS = (1, 2)
PASSWORD = "Conformance-Test-0001"
SECURITY = {"security_profile": 1, "basic_auth_password": PASSWORD}
WAIT_S = 1


def profile(url: str) -> Payload:
    """connectionData; by wss it is security profile 2."""
    where = {"ocppTransport": "JSON", "ocppCsmsUrl": url, "ocppInterface": "Wired0"}
    return {"ocppVersion": "OCPP20", "messageTimeout": 30, "securityProfile": 2 if url.startswith("wss:") else 1, **where}


async def up(lab: Lab, **variables: Any) -> Csms:
    """Connected by slot 1 to one of two CSMSs; returns the other."""
    credentials = ("CP001", PASSWORD)
    lab.csms.credentials = credentials
    await lab.up(csms=SECURITY)
    await lab.configure(**{f"OCPPCommCtrlr.{name}": value for name, value in variables.items()})
    return await lab.another_csms(credentials=credentials)


async def migrate(lab: Lab, other: Csms) -> None:
    """A profile for the other CSMS is written to the slot that is not in use, put first, and the station reset."""
    active = int(await lab.get("OCPPCommCtrlr.ActiveNetworkProfile"))
    free = next(slot for slot in SLOTS if slot != active)
    answer = await lab.csms.call("SetNetworkProfile", {"configurationSlot": free, "connectionData": profile(other.url)})
    check({"status": "Accepted"}, answer)
    result = await lab.set("OCPPCommCtrlr.NetworkConfigurationPriority", f"{free},{active}")
    check({"attributeStatus": {"Accepted", "RebootRequired"}}, result)
    lab.csms.forget()
    check({"status": "Accepted"}, await lab.csms.call("Reset", {"type": "OnIdle"}))


async def booted_at(lab: Lab, csms: Csms) -> None:
    """The station boots at this CSMS."""
    if csms is not lab.csms:
        lab.turn_to(csms)
    await lab.csms.expect("BootNotification", within=30)
    await connectors_told(lab)
    await lab.csms.expect("SecurityEventNotification", {"type": STARTED_BY_BOOT})


async def test_TC_B_43_CS(shared_booted: Lab) -> None:
    """A profile for a slot that does not exist: rejected."""
    order = {"configurationSlot": 999, "connectionData": profile(shared_booted.csms.url)}
    check({"status": "Rejected"}, await shared_booted.csms.call("SetNetworkProfile", order))


async def test_TC_B_45_CS(lab: Lab) -> None:
    """Migration to another slot: after the reset the station boots at the other CSMS."""
    other = await up(lab)
    await migrate(lab, other)
    await booted_at(lab, other)
    assert await lab.get("OCPPCommCtrlr.ActiveNetworkProfile") == "2"


async def test_TC_B_46_CS(lab: Lab) -> None:
    """Fall-back: after the attempts at the first slot failed, the station boots at the second."""
    other = await up(lab, NetworkProfileConnectionAttempts=2)
    other.refuse()
    await migrate(lab, other)
    await booted_at(lab, lab.csms)
    assert len(other.attempts) == 2


async def test_TC_B_49_CS(lab: Lab) -> None:
    """No slot connects at first: the station falls back to the former one, waits, and connects there."""
    waits = {"RetryBackOffRepeatTimes": 0, "RetryBackOffRandomRange": 0, "RetryBackOffWaitMinimum": WAIT_S}
    other = await up(lab, NetworkProfileConnectionAttempts=1, **waits)
    other.refuse()
    before = len(lab.csms.attempts)
    await migrate(lab, other)
    await lab.csms.until(lambda: not lab.csms.connected, "the station never reset", 30)
    lab.csms.refuse()
    await lab.csms.until(lambda: len(lab.csms.attempts) > before, "the former slot was never tried", 30)
    lab.csms.accept()
    await booted_at(lab, lab.csms)
    refused, accepted = lab.csms.attempts[before:]
    assert (refused.refused, accepted.refused) == (503, None)
    assert accepted.at - refused.at >= WAIT_S
    assert other.attempts[0].at < refused.at


async def test_TC_B_50_CS(lab: Lab, tmp_path: Path) -> None:
    """Migration to a CSMS whose certificate another root has signed; both roots are installed by the settings, which is this station's way."""
    former, new = tls.Authority(tmp_path, "former"), tls.Authority(tmp_path, "new")
    roots = tmp_path / "roots.pem"
    roots.write_text(former.root.read_text() + new.root.read_text())
    lab.csms.host, lab.csms.credentials = tls.HOST, ("CP001", PASSWORD)
    await lab.csms.restart(tls.server(former.issue()))
    await lab.up(csms={**SECURITY, "security_profile": 2}, tables=f'[csms.tls]\nca_file = "{roots}"\n')
    other = await lab.another_csms(credentials=lab.csms.credentials, host=tls.HOST, tls=tls.server(new.issue()))
    await migrate(lab, other)
    await booted_at(lab, other)
    assert other.tls_version in ("TLSv1.2", "TLSv1.3")


async def test_TC_B_57_CS(lab: Lab) -> None:
    """Reconnecting: after RetryBackOffWaitMinimum, and after a refusal after twice as long."""
    await lab.up()
    attempts = lab.csms.attempts
    waits = {"RetryBackOffRepeatTimes": 2, "RetryBackOffRandomRange": 0, "RetryBackOffWaitMinimum": WAIT_S, "NetworkProfileConnectionAttempts": 3}
    await lab.configure(**{f"OCPPCommCtrlr.{name}": value for name, value in waits.items()})
    for refused in (False, True):
        count, closed = len(attempts), lab.csms.now()
        if refused:
            lab.csms.refuse()
        await lab.csms.disconnect()
        await lab.csms.until(lambda count=count: len(attempts) > count, "the station never reconnected", 30)  # type: ignore[misc]
        assert attempts[-1].at - closed >= WAIT_S
        if not refused:
            await lab.csms.reconnected()
    lab.csms.accept()
    await lab.csms.reconnected()
    assert attempts[-1].at - attempts[-2].at >= 2 * WAIT_S
