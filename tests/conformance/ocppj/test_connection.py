"""OCPP-J, both versions: the handshake with every kind of server, and what becomes of a connection (1.6: 3, 5; 2.0.1 part 4: 3, 5)."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from tests.conformance.driver import wire
from tests.conformance.driver.lab import V16, V201, Lab

BOTH = (V201, V16)
STEP_S = 0.3
"""The shortest back-off of the lab's settings."""


async def dialled(lab: Lab, count: int) -> None:
    """The station has dialled so often since the lab stands."""
    await lab.csms.until(lambda: len(lab.csms.attempts) >= count, f"fewer than {count} dials", 30.0)


def backed_off(lab: Lab, *numbers: int) -> None:
    """Between these dials lay a back-off."""
    times = [lab.csms.attempts[number].at for number in numbers]
    assert all(later - earlier >= STEP_S * 0.9 for earlier, later in itertools.pairwise(times)), times


async def booted(lab: Lab) -> None:
    """The station is in: it boots, and is told so."""
    await lab.csms.expect("BootNotification", within=30)
    await lab.charger.registered()
    await wire.alive(lab.csms)


async def test_the_request_names_version_and_identity(lab: Lab) -> None:
    """The identity is percent-encoded at the end of the path; the versions stand in their order."""
    other = V16 if lab.version == V201 else V201
    lab.csms.versions = (lab.version,)
    await lab.up(boot=False, identity="RDAM 123", versions=(lab.version, other))
    await dialled(lab, 1)
    attempt = lab.csms.attempts[0]
    assert attempt.path == "/ocpp/RDAM%20123"
    offered = [word.strip() for word in attempt.headers["Sec-WebSocket-Protocol"].split(",")]
    assert offered == [lab.version, other] and attempt.headers["Sec-WebSocket-Version"] == "13"
    await booted(lab)


async def test_no_subprotocol_is_chosen(lab: Lab) -> None:
    """A CSMS that agrees to none and stays: the station speaks what it wanted most."""
    lab.csms.versions, lab.csms.assumed = None, lab.version
    await lab.up(boot=False)
    await booted(lab)


async def test_the_less_wanted_subprotocol_is_chosen(lab: Lab) -> None:
    """It is the CSMS's choice that counts."""
    other = V16 if lab.version == V201 else V201
    lab.csms.versions = (lab.version,)
    await lab.up(boot=False, versions=(other, lab.version))
    await booted(lab)
    assert lab.csms.version == lab.version


async def test_a_subprotocol_is_chosen_that_was_not_offered(lab: Lab) -> None:
    """RFC 6455, 4.1: no connection; the station tries again, and comes when the CSMS chooses rightly."""
    lab.csms.forced = "ocpp3.0"
    await lab.up(boot=False)
    await dialled(lab, 3)
    backed_off(lab, 0, 1, 2)
    assert not lab.csms.calls()
    lab.csms.forced = None
    await booted(lab)


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 429, 500, 503])
async def test_refused_by_http(lab: Lab, status: int) -> None:
    """The station keeps trying, with a back-off, and boots when it is let in."""
    lab.csms.refuse(status)
    await lab.up(boot=False)
    await dialled(lab, 3)
    backed_off(lab, 0, 1, 2)
    lab.csms.accept()
    await booted(lab)


async def test_closed_right_after_the_handshake(lab: Lab) -> None:
    """As a CSMS does that agrees to no subprotocol (3.2): the station backs off as from a refusal."""
    lab.csms.slams = 3
    await lab.up(boot=False)
    await dialled(lab, 4)
    backed_off(lab, 0, 1, 2, 3)
    await booted(lab)


async def test_nobody_listens(lab: Lab) -> None:
    await lab.csms.stop()
    await lab.up(boot=False)
    await asyncio.sleep(1)
    await lab.csms.start()
    await booted(lab)


async def test_a_reconnection_is_no_boot(lab: Lab) -> None:
    """5.3 (1.6: 5.4): nothing of the boot has changed, so none is told."""
    await lab.up()
    for _ in range(3):
        await lab.csms.disconnect()
        await lab.csms.reconnected()
        await wire.alive(lab.csms)
    assert not lab.csms.pending("BootNotification")


async def test_a_ping_of_the_csms_has_its_pong(lab: Lab) -> None:
    await lab.up()
    for _ in range(3):
        await lab.csms.ping()


async def test_pings_find_a_dead_line_whose_other_end_lingers(lab: Lab) -> None:
    """WebSocketPingInterval: pings come; where no pong comes back the station gives the line up and dials anew. What the CSMS still says on the old
    connection, which it believes in, reaches nobody."""
    await lab.up(variables={"OCPPCommCtrlr.WebSocketPingInterval": 1})
    seen = len(lab.csms.pings)
    await lab.csms.until(lambda: len(lab.csms.pings) >= seen + 2, "no pings came")
    attempts = len(lab.csms.attempts)
    await lab.charger.network("stall")
    await lab.charger.until(lambda state: state["station"]["connected"] is False)
    lost = wire.new_id()
    assert lab.csms.connected
    await lab.csms.send_text(wire.call_text(lab.csms, lost))
    await lab.charger.network("up")
    await lab.csms.until(lambda: len(lab.csms.attempts) > attempts and lab.csms.connected, "the station never came back")
    await lab.charger.registered()
    await wire.alive(lab.csms)
    assert not wire.answers(lab.csms, lost) and not lab.csms.pending("BootNotification")


async def test_the_csms_still_holds_the_old_connection_and_refuses_the_new_one(lab: Lab) -> None:
    """Until it has noticed; nothing is lost meanwhile."""
    await lab.up()
    lab.csms.refuse(403)
    await lab.csms.disconnect()
    await lab.charger.plug_in()
    known = len(lab.csms.attempts)
    await dialled(lab, known + 3)
    lab.csms.accept()
    await lab.csms.reconnected()
    await lab.csms.expect("StatusNotification")
    assert not lab.csms.pending("BootNotification")
