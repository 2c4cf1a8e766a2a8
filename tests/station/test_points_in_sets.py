"""TxStartPoint and TxStopPoint in every set of the points any station can tell: where transactions begin and end in a session, by what trigger, and
that each is whole (2.0.1 part 2, 2.6.6, E01, E06). Told from what a person sees: plug, authorization, contactor.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import pytest

from chargepoint.model.facts import TransactionFact
from tests.simclock import SimulatedClock
from tests.station.station_rig import CARD, Rig

POINTS = ("EVConnected", "Authorized", "PowerPathClosed", "EnergyTransfer")
SETS = [chosen for size in range(1, len(POINTS) + 1) for chosen in combinations(POINTS, size)]


class Step(NamedTuple):
    """What is done, its trigger reason, and what holds after it. Energy counts as over with the authorization."""

    do: Callable[[Rig], Awaitable[None] | None]
    trigger: str
    holds: frozenset[str]


def after(*, car: bool, card: bool, energy: bool = False) -> frozenset[str]:
    seen = {"EVConnected": car, "Authorized": card, "PowerPathClosed": car and card, "EnergyTransfer": energy}
    return frozenset(point for point, holds in seen.items() if holds)


PLUG = Step(lambda rig: rig.control.plug(), "CablePluggedIn", after(car=True, card=False))
CARD_THEN = Step(lambda rig: rig.swipe(), "Authorized", after(car=True, card=True))
CARD_FIRST = Step(lambda rig: rig.swipe(), "Authorized", after(car=False, card=True))
PLUG_THEN = Step(lambda rig: rig.control.plug(), "CablePluggedIn", after(car=True, card=True))
CHARGE = Step(lambda rig: rig.control.close(), "ChargingStateChanged", after(car=True, card=True, energy=True))
PAUSE = Step(lambda rig: rig.control.open(), "ChargingStateChanged", after(car=True, card=True))
STOP = Step(lambda rig: rig.swipe(), "StopAuthorized", after(car=True, card=False))
OPEN = Step(lambda rig: rig.control.open(why="withdrawn"), "ChargingStateChanged", after(car=True, card=False))
UNPLUG = Step(lambda rig: rig.control.unplug(), "EVCommunicationLost", after(car=False, card=False))
PATHS = {
    "plug first": (PLUG, CARD_THEN, CHARGE, PAUSE, CHARGE, STOP, OPEN, UNPLUG),
    "card first": (CARD_FIRST, PLUG_THEN, CHARGE, STOP, OPEN, UNPLUG),
    "pulled out": (PLUG, CARD_THEN, CHARGE, PAUSE, UNPLUG),
    "never charged": (PLUG, CARD_THEN, STOP, UNPLUG),
}


def expected(path: tuple[Step, ...], start: set[str], stop: set[str]) -> Iterator[tuple[str, str]]:
    """(Started or Ended, trigger) of every transaction."""
    before, running = frozenset[str](), False
    for step in path:
        if running and ((before - step.holds) & stop or step is path[-1]):
            running = False
            yield "Ended", step.trigger
        elif not running and (step.holds - before) & start:
            running = True
            yield "Started", step.trigger
        before = step.holds


def whole(facts: list[TransactionFact]) -> None:
    """Each transaction begins with 0 and Started, has no gap, and ends with Ended."""
    told: dict[str, list[TransactionFact]] = {}
    for fact in facts:
        told.setdefault(fact.transaction, []).append(fact)
    for events in told.values():
        assert [fact.seq for fact in events] == list(range(len(events)))
        assert [fact.kind.value for fact in events] == ["Started", *["Updated"] * (len(events) - 2), "Ended"]


@pytest.mark.parametrize("start", SETS, ids=",".join)
@pytest.mark.parametrize("name", PATHS)
async def test_every_set(tmp_path: Path, name: str, start: tuple[str, ...]) -> None:
    for number, stop in enumerate(SETS):
        variables = {"TxCtrlr.TxStartPoint": ",".join(start), "TxCtrlr.TxStopPoint": ",".join(stop)}
        rig = Rig(SimulatedClock(), tmp_path / f"{number}.db", variables=variables)
        rig.online()
        rig.accept(CARD)
        for step in PATHS[name]:
            done = step.do(rig)
            if done is not None:
                await done
            await rig.seconds(3)
        found = [(kind, trigger) for kind, trigger, _ in rig.told() if kind != "Updated"]
        assert found == list(expected(PATHS[name], set(start), set(stop))), stop
        whole(rig.transaction_facts())
        rig.db.close()
