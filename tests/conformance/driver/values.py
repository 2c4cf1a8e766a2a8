"""Meter values as OCPP 2.x writes them: what they hold, and at what moments. Must not know what a case wants of them."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from tests.conformance.driver.lab import Lab
from tests.conformance.driver.matching import Payload, check
from tests.conformance.driver.reports import DEVIATION

REGISTER = "Energy.Active.Import.Register"
METER_ANSWERS_WITHIN_S = 10


async def triggered(lab: Lab, **place: Any) -> None:
    """Asks for MeterValues. A new charge point that is just on has nothing to tell before its meter has first answered, and may say so."""
    for _ in range(METER_ANSWERS_WITHIN_S):
        answer = await lab.csms.call("TriggerMessage", {"requestedMessage": "MeterValues", **place})
        if answer["status"] == "Accepted":
            break
        await asyncio.sleep(1)
    check({"status": "Accepted"}, answer)


async def metered(lab: Lab) -> None:
    """Waits until every meter has answered, and forgets what it said."""
    await triggered(lab)
    for evse in range(1, lab.charger.factory.evses + 1):
        await lab.csms.expect("MeterValues", {"evseId": evse, "meterValue": [{"sampledValue": [{"context": "Trigger"}]}]})


def holds(meter_value: Payload, contexts: set[str], measurands: Iterable[str]) -> None:
    """Every measurand wanted and no other, taken for one of these contexts; a measurand left out is the register. Of the car only its state of charge
    may be told (errata 2025-09, 6.2.58)."""
    sampled = meter_value["sampledValue"]
    assert {it.get("context", "Sample.Periodic") for it in sampled} <= contexts, (contexts, meter_value)
    assert {it.get("measurand", REGISTER) for it in sampled} == set(measurands), (measurands, meter_value)
    assert all(it.get("location", "Outlet") != "EV" for it in sampled if it.get("measurand") != "SoC"), meter_value


def phases(meter_value: Payload, measurand: str) -> set[str]:
    """The lines a measurand is told of."""
    return {it["phase"][:2] for it in meter_value["sampledValue"] if it.get("measurand", REGISTER) == measurand and "phase" in it}


def intervals(moments: Iterable[str]) -> list[timedelta]:
    """Between the different moments, in their order."""
    return [after - before for before, after in itertools.pairwise(sorted({datetime.fromisoformat(moment) for moment in moments}))]


def clock_aligned(moments: Sequence[str], interval_s: int) -> None:
    """Every interval from midnight: no moment is left out."""
    assert set(intervals(moments)) == {timedelta(seconds=interval_s)}, moments
    assert all(datetime.fromisoformat(moment).timestamp() % interval_s == 0 for moment in moments), moments


def periodic(moments: Sequence[str], interval_s: int) -> None:
    """About an interval apart, each and all together."""
    between = intervals(moments)
    assert between, moments
    assert all(abs(it - timedelta(seconds=interval_s)) < DEVIATION for it in between), moments
    assert abs(sum(between, timedelta()) - len(between) * timedelta(seconds=interval_s)) < DEVIATION, moments
