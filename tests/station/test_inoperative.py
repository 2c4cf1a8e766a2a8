"""A connector made inoperative: a running transaction goes on as it is told, a cable alone begins none."""

from __future__ import annotations

from pathlib import Path

import pytest

from chargepoint.model.facts import EventKind
from tests.station.station_rig import Rig
from tests.station.test_sessions import another


def make(rig: Rig, operative: bool) -> None:
    rig.operative = lambda evse, connector: operative
    rig.connectors.report_all()


@pytest.mark.parametrize("point", ["EVConnected", "Authorized"])
async def test_the_change_waits_for_the_end_of_the_transaction(tmp_path: Path, point: str) -> None:
    """2.0.1 G03.FR.05: not for the end of the charging alone."""
    rig = another(tmp_path, variables={"TxCtrlr.TxStopPoint": point})
    await rig.charge()
    make(rig, False)
    await rig.swipe()
    rig.control.open(why="withdrawn")
    await rig.seconds(3)
    assert rig.statuses()[-1] == ("Finishing" if point == "EVConnected" else "Unavailable")
    rig.control.unplug()
    await rig.seconds(2)
    assert rig.last().kind is EventKind.ENDED and rig.statuses()[-1] == "Unavailable"


async def test_a_cable_begins_no_transaction_there(tmp_path: Path) -> None:
    rig = another(tmp_path, variables={"TxCtrlr.TxStartPoint": "EVConnected"})
    make(rig, False)
    rig.control.plug()
    await rig.seconds(1)
    assert not rig.transaction_facts() and rig.statuses()[-1] == "Unavailable"
    make(rig, True)
    await rig.swipe()
    assert rig.told() == [("Started", "Authorized", "EVConnected")], "what was left out begins with the authorization"


async def test_who_was_let_in_before_still_charges(tmp_path: Path) -> None:
    """1.6 5.2: the change waits for the session of somebody authorized."""
    rig = another(tmp_path)
    await rig.swipe()
    make(rig, False)
    rig.control.plug()
    await rig.seconds(1)
    rig.control.close()
    assert rig.told()[0][0] == "Started" and rig.statuses()[-1] == "Charging"
