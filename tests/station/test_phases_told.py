"""How many phases a car uses and what its cable bears, told in its transaction once each and when they change (2.0.1 part 2, E02.FR.18, E02.FR.19).

A cable is known some turns after its car, so the next event tells it.
"""

from __future__ import annotations

from pathlib import Path

from chargepoint.model.facts import Trigger
from tests.simclock import SimulatedClock
from tests.station.station_rig import CARD, Rig


async def test_phases_and_cable(tmp_path: Path) -> None:
    rig = Rig(SimulatedClock(), tmp_path / "station.db", variables={"TxCtrlr.TxStartPoint": "Authorized", "TxCtrlr.TxStopPoint": "EVConnected"})
    rig.online()
    rig.accept(CARD)

    def sampled(*current_a: float) -> None:
        rig.meters.current_a[1] = (*current_a, 0.0, 0.0)[:3]
        rig.sessions.sampled(1, Trigger.METER_VALUE_PERIODIC, ())

    await rig.swipe()
    rig.control.plug()
    await rig.seconds(1)
    rig.control.close()
    sampled(0.1, 0.1, 0.1)
    sampled(16.0)
    sampled(15.5)
    sampled(16.0, 16.0, 16.0)
    rig.control.open()
    told = [(fact.trigger.value, fact.cable_max_current_a, fact.phases_used) for fact in rig.transaction_facts()]
    assert told == [
        ("Authorized", None, None),
        ("CablePluggedIn", None, None),
        ("ChargingStateChanged", 32, None),
        ("MeterValuePeriodic", None, None),
        ("MeterValuePeriodic", None, 1),
        ("MeterValuePeriodic", None, None),
        ("MeterValuePeriodic", None, 3),
        ("ChargingStateChanged", None, None),
    ]
