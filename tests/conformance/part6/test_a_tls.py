"""Block A, security, of OCPP 2.0.1 part 6, 2.2, with the errata of 2025-09: TLS with a server certificate, and with one of the station.

The CSMS has a name, certificates of an authority the station trusts, and listens anew with another one when a case wants it.
"""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from tests.conformance.driver import states, tls
from tests.conformance.driver.lab import Lab

PASSWORD = "RightHorse-0123456789"
SERIAL = "SN-0042"
SUITES = ("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384")
"""A00.FR.319, by OpenSSL's names."""


async def begin(lab: Lab, authority: tls.Authority) -> None:
    """The station trusts the authority; the CSMS has a right certificate."""
    lab.csms.host = tls.HOST
    lab.csms.credentials = ("CP001", PASSWORD)
    await lab.csms.restart(tls.server(authority.issue()))
    table = f'[csms.tls]\nca_file = "{authority.root}"\n'
    await lab.up(csms={"security_profile": 2, "basic_auth_password": PASSWORD}, tables=table)


async def back(lab: Lab, context: ssl.SSLContext) -> None:
    """The CSMS listens with this context, and the station comes."""
    await lab.csms.restart(context)
    await lab.csms.reconnected()


@pytest.fixture
def authority(tmp_path: Path) -> tls.Authority:
    return tls.Authority(tmp_path)


async def test_TC_A_04_CS(lab: Lab, authority: tls.Authority) -> None:
    """A trusted server certificate: connected by TLS 1.2 or above, with each suite that is to be supported, and with a password."""
    await begin(lab, authority)
    await states.booting(lab)
    await lab.csms.expect("BootNotification")
    await states.connectors_told(lab)
    assert "Authorization" in lab.csms.attempts[-1].headers
    assert lab.csms.tls_version in ("TLSv1.2", "TLSv1.3")
    for suite in SUITES:
        await back(lab, tls.server(authority.issue(), suite=suite))
        assert lab.csms.tls_version == "TLSv1.2"


async def test_TC_A_05_CS(lab: Lab, authority: tls.Authority, tmp_path: Path) -> None:
    """A server certificate that is not right: the station ends the connection before it has said anything, and tells of it when it is back."""
    await begin(lab, authority)
    await lab.configure(**{"OCPPCommCtrlr.NetworkProfileConnectionAttempts": 3, "SecurityCtrlr.AllowCSMSTLSWildcards": False})
    assert await lab.get("OCPPCommCtrlr.NetworkConfigurationPriority") == await lab.get("OCPPCommCtrlr.ActiveNetworkProfile")
    invalid = {
        "expired": authority.issue(begins_days=-9, ends_days=-1),
        "not valid yet": authority.issue(begins_days=1),
        "of another root": tls.Authority(tmp_path, "stranger").issue(),
        "for another name": authority.issue("other.test.localhost"),
        "for a wildcard": authority.issue(tls.WILDCARD),
    }
    for what, pair in invalid.items():
        await lab.csms.stop()
        async with tls.handshakes(lab.csms.port, tls.server(pair)) as seen:
            ends = await seen.some()
        assert not [end for end in ends if end and isinstance(end, bytes)], f"{what}: the station said {ends}"
        await back(lab, tls.server(authority.issue()))
        await lab.csms.expect("SecurityEventNotification", {"type": "InvalidCsmsCertificate"})


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
async def test_TC_A_06_CS(lab: Lab, authority: tls.Authority) -> None:
    """A CSMS that speaks TLS 1.1 at most: no connection; the station boots when it speaks a newer one, and tells of it."""
    await begin(lab, authority)
    await lab.configure(**{"OCPPCommCtrlr.NetworkProfileConnectionAttempts": 1})
    await lab.charger.power("off")
    await lab.csms.stop()
    async with tls.handshakes(lab.csms.port, tls.outdated(authority.issue())) as seen:
        await lab.charger.power("on")
        ends = await seen.some()
    assert not [end for end in ends if isinstance(end, bytes)], ends
    await back(lab, tls.server(authority.issue()))
    await lab.csms.expect("BootNotification")
    await states.connectors_told(lab)
    await lab.csms.expect("SecurityEventNotification", {"type": states.STARTED_BY_BOOT})
    await lab.csms.expect("SecurityEventNotification", {"type": "InvalidTLSVersion"})


async def test_TC_A_07_CS(lab: Lab, authority: tls.Authority) -> None:
    """Security profile 3: the station shows its certificate, which names its serial number, and sends no password."""
    own = authority.issue(SERIAL)
    lab.csms.host = tls.HOST
    await lab.csms.restart(tls.server(authority.issue(), client_root=authority.root))
    table = f'[csms.tls]\nca_file = "{authority.root}"\nclient_cert = "{own.certificate}"\nclient_key = "{own.key}"\n'
    await lab.up(station={"serial_number": SERIAL}, csms={"security_profile": 3}, tables=table)
    await states.booting(lab)
    await lab.csms.expect("BootNotification", {"chargingStation": {"serialNumber": SERIAL}})
    await states.connectors_told(lab)
    assert "Authorization" not in lab.csms.attempts[-1].headers
    for suite in SUITES:
        await back(lab, tls.server(authority.issue(), suite=suite, client_root=authority.root))
        assert lab.csms.peer_name == SERIAL and lab.csms.tls_version == "TLSv1.2"
