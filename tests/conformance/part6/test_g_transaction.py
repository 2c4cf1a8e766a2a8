"""Block G, availability, of OCPP 2.0.1 part 6, 2.8: a change while a transaction runs waits for its end, wherever that end is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from tests.conformance.driver import states
from tests.conformance.driver.lab import Lab

STOP_POINTS = ("PowerPathClosed", "Authorized", "EVConnected")
Step = Callable[[Lab], Awaitable[object]]
STEPS: tuple[Step, ...] = (states.stop_authorized, states.ev_connected_post_session, lambda lab: states.ev_disconnected(lab, status=None))


async def waits_for_the_end(lab: Lab, *place: int) -> None:
    """A transaction runs, the place is made inoperative: scheduled. The connector is Unavailable with the step that ends it, not before."""
    await states.energy_transfer_started(lab)
    running = lab.session.transaction
    assert running is not None
    assert await states.change_availability(lab, "Inoperative", *place) == "Scheduled"
    if not place:
        await states.connector_told(lab, "Unavailable", 2, 1)
    for step in STEPS:
        await lab.csms.no_more("StatusNotification", {"evseId": lab.evse}, for_s=0.7)
        await step(lab)
        if lab.session.transaction is None:
            break
    assert lab.session.last_transaction == running
    await states.connector_told(lab, "Unavailable")
    await states.ev_disconnected(lab, status=None)
    await lab.csms.no_more("StatusNotification", for_s=0.7)


async def at_each_stop_point(lab: Lab, *place: int) -> None:
    await lab.up(evses=2, connectors=["cType2"])
    for point in STOP_POINTS:
        await lab.configure(**{"TxCtrlr.TxStopPoint": point})
        await waits_for_the_end(lab, *place)
        assert await states.change_availability(lab, "Operative", *place) == "Accepted"
        await states.connector_told(lab, "Available")
        if not place:
            await states.connector_told(lab, "Available", 2, 1)


async def test_TC_G_11_CS(lab: Lab) -> None:
    """An EVSE made inoperative during its transaction."""
    await at_each_stop_point(lab, lab.evse)


async def test_TC_G_14_CS(lab: Lab) -> None:
    """The station made inoperative during a transaction: the connector of the other EVSE at once, that of the transaction when it has ended."""
    await at_each_stop_point(lab)


async def test_TC_G_17_CS(lab: Lab) -> None:
    """A connector made inoperative during its transaction."""
    await at_each_stop_point(lab, lab.evse, lab.connector)
