"""Block E, transactions, of OCPP 2.0.1 part 6, 2.6: an event the CSMS does not take is sent again, a number of times, ever later (E13).

Intervals are short here; that none is shorter than it must be is judged, and that the tries end.
"""

from __future__ import annotations

from typing import Any

from tests.conformance.driver import states
from tests.conformance.driver.lab import Lab
from tests.conformance.driver.messages import SILENCE, CallError, Message

ATTEMPTS = 3
INTERVAL_S = 1
TIMEOUT_S = 2
EARLY_S = 0.2
"""By how much a CSMS that takes up a message late may see the next one too early."""
CHARGING = {"transactionInfo": {"chargingState": "Charging"}}
REFUSED = CallError("InternalError", "not now")


async def until_charging(lab: Lab, reply: Any, *, taken_at: int | None = None) -> None:
    """A session up to the event that it charges, which the CSMS treats so; taken_at: the try it takes."""
    variables = {
        "OCPPCommCtrlr.MessageAttempts[TransactionEvent]": ATTEMPTS,
        "OCPPCommCtrlr.MessageAttemptInterval[TransactionEvent]": INTERVAL_S,
        "OCPPCommCtrlr.MessageTimeout[Default]": TIMEOUT_S,
    }
    await lab.up(variables=variables)
    lab.csms.judge.message_timeout_s = TIMEOUT_S - EARLY_S
    lab.csms.answer("TransactionEvent", reply, where=CHARGING, times=taken_at and taken_at - 1)
    await states.authorized(lab)
    await states.ev_connected_pre_session(lab)


def tries(lab: Lab) -> list[Message]:
    return lab.csms.calls("TransactionEvent", CHARGING)


async def tried(lab: Lab, times: int, timeout_s: float) -> None:
    """So many tries of the one event, each later by interval times the tries before it, and then no more for as long as another would have taken."""
    await lab.csms.until(lambda: len(tries(lab)) >= times, lambda: f"{len(tries(lab))} tries", 60.0)
    waits = [later.at - earlier.at for earlier, later in zip(tries(lab), tries(lab)[1:], strict=False)]
    for number, wait in enumerate(waits, 1):
        assert wait > number * INTERVAL_S + timeout_s - EARLY_S, waits
    await lab.csms.no_more("Heartbeat", lambda _: False, for_s=times * INTERVAL_S + timeout_s + 1)
    assert len(tries(lab)) == times
    assert all(it.payload == tries(lab)[0].payload for it in tries(lab))


async def goes_on(lab: Lab) -> None:
    """The next event is told."""
    await lab.charger.ev_ready(False, lab.evse)
    await lab.csms.expect("TransactionEvent", {"transactionInfo": {"chargingState": "SuspendedEV"}})
    await lab.charger.all_told()


async def test_TC_E_41_CS(lab: Lab) -> None:
    """No answer at all: sent MessageAttempts times."""
    await until_charging(lab, SILENCE)
    await tried(lab, ATTEMPTS, TIMEOUT_S)
    await goes_on(lab)


async def test_TC_E_50_CS(lab: Lab) -> None:
    """A CALLERROR each time: sent MessageAttempts times."""
    await until_charging(lab, REFUSED)
    await tried(lab, ATTEMPTS, 0)
    await goes_on(lab)


async def test_TC_E_42_CS(lab: Lab) -> None:
    """No answer to the first, an answer to the second: sent twice."""
    await until_charging(lab, SILENCE, taken_at=2)
    await tried(lab, 2, TIMEOUT_S)
    await goes_on(lab)


async def test_TC_E_51_CS(lab: Lab) -> None:
    """A CALLERROR to the first, an answer to the second: sent twice."""
    await until_charging(lab, REFUSED, taken_at=2)
    await tried(lab, 2, 0)
    await goes_on(lab)
