"""A station whose store has damaged rows: who charges goes on, every transaction ends, once, and what cannot be read is said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chargepoint.model.facts import Delivery, EventKind, SecurityFact, TransactionFact
from chargepoint.station.ledger_desk import Desk
from chargepoint.station.security import SecurityEvent
from chargepoint.store.boots import Boots
from chargepoint.store.security_log import SecurityLog
from proof.torture.images import VERSIONS, waiting
from proof.torture.paper import PaperStation, settings_of
from proof.torture.workload import WALL_S, know_card
from tests.offline.scene import PaperCsms
from tests.simclock import SimulatedClock
from tests.station.station_rig import CARD

Damage = Callable[[PaperStation], None]


class House:
    """One board with its files; `restart` is a killed process that starts again."""

    def __init__(self, path: Path, version: str) -> None:
        self.version, self._path = version, path
        self._clock = SimulatedClock(wall_s=WALL_S)
        (path / "state").mkdir()
        self.station = self._made({})
        self.station.begin()

    def _made(self, wh: dict[int, float]) -> PaperStation:
        csms = PaperCsms(self.version, {CARD: "Accepted"})
        return PaperStation(self._path / "state", self._path / "run", self._clock, settings_of(self.version, 2), wh, csms=csms)

    async def charging(self) -> None:
        """Two cars, offline."""
        know_card(self.station)
        self.station.online()
        await self.station.second()
        self.station.offline()
        for evse in (1, 2):
            self.station.control.plug(evse)
            await self.station.second()
            await self.station.swipe(evse)
            await self.station.second(7)

    async def restart(self, damage: Damage) -> None:
        """The cars stay, and control with them. damage: while the station is not there."""
        former = self.station
        await former.end()
        damage(former)
        former.db.close()
        self.station = self._made({evse: meter.wh for evse, meter in former.meters.items()})
        self.station.control = former.control
        self.station.begin()
        await self.station.second(3)

    def ends(self) -> list[TransactionFact]:
        return [fact for fact in waiting(self.station) if fact.kind is EventKind.ENDED]

    def said(self) -> list[str]:
        events = SecurityLog(self.station.db).last(50)
        return [event.info or "" for event in events if event.type == SecurityEvent.STORE_DAMAGED]

    def named(self) -> list[str]:
        """What `chargepoint sessions verify` says of all together."""
        return list(Desk(self.station.db, Boots(self.station.db), self.station.outbox.retell).answer({"whole": True})["wrong"])


def execute(sql: str, *args: Any) -> Damage:
    return lambda station: station.db.execute(sql, args) and None


@pytest.fixture(params=VERSIONS)
async def house(request: pytest.FixtureRequest, tmp_path: Path) -> House:
    it = House(tmp_path, request.param)
    await it.charging()
    return it


async def test_the_transaction_of_a_session_that_cannot_be_read_ends_and_the_other_car_charges_on(house: House) -> None:
    first, second = (house.station.core.sessions.rows[evse].running for evse in (1, 2))
    assert first is not None and second is not None
    before = house.station.meters[1].wh
    await house.restart(execute("""UPDATE sessions SET "row" = X'DEADBEEF' WHERE evse = 1 AND "open" = 1"""))
    row = house.station.core.sessions.rows[2]
    assert row.running is not None and row.running.id == second.id and house.station.control.permits[2].limit_a > 0
    (end,) = house.ends()
    assert end.transaction == first.id and end.register_wh is not None and end.register_wh >= before
    assert "sessions" in "".join(house.said()) and len(house.said()) == 1
    assert any("sessions, row" in line for line in house.named())
    house.station.online()
    assert await house.station.all_told()
    await house.restart(lambda station: None)
    assert house.ends() == [] and len(house.said()) == 1


async def test_an_end_that_cannot_be_read_is_told_with_what_is_known(house: House) -> None:
    await house.station.swipe(1)
    await house.station.second(3)
    (end,) = house.ends()
    id = next(one.id for one in house.station.outbox.some(Delivery.TRANSACTION, 1000) if one.fact == end) // 4
    await house.restart(execute("UPDATE transaction_facts SET fact = X'C1' WHERE id = ?", id))
    facts = waiting(house.station)
    assert house.ends() == []
    await house.station.second(3)
    (again,) = house.ends()
    assert (again.transaction, again.seq, again.evse) == (end.transaction, end.seq, 1)
    assert again.register_wh == end.register_wh and waiting(house.station)[: len(facts)] == facts
    assert len(house.said()) == 1
    house.station.online()
    assert await house.station.all_told()
    assert house.station.core.sessions.rows[2].running is not None


async def test_a_transaction_of_which_nothing_can_be_read_leaves_the_way(house: House) -> None:
    running = house.station.core.sessions.rows[1].running
    assert running is not None

    def damage(station: PaperStation) -> None:
        station.db.execute("UPDATE transaction_facts SET fact = X'C1' WHERE txn = ?", (running.id,))
        station.db.execute("""UPDATE sessions SET "row" = 'x' WHERE evse = 1""")

    await house.restart(damage)
    assert house.ends() == [] and {fact.evse for fact in waiting(house.station)} == {2}
    house.station.online()
    assert await house.station.all_told()
    await house.station.second(5)
    assert house.station.db.execute("SELECT COUNT(*) FROM transaction_facts WHERE txn = ?", (running.id,)).fetchone()[0] == 0
    assert house.named() and house.station.core.sessions.rows[2].running is not None


@pytest.mark.parametrize("evse", [0, 7])
async def test_a_session_of_an_evse_that_is_none_ends(house: House, evse: int) -> None:
    running = house.station.core.sessions.rows[1].running
    assert running is not None

    def damage(station: PaperStation) -> None:
        row = station.core.sessions.rows.pop(1)
        row.evse = evse
        station.core.sessions.store.save(row)

    await house.restart(damage)
    await house.station.second(40)
    assert [end.transaction for end in house.ends()] == [running.id]


async def test_many_rows_are_said_in_few_events(house: House) -> None:
    for number in range(100):
        house.station.outbox.append(SecurityFact(f"event {number}", house.station.clock.stamp()))
    house.station.db.execute("UPDATE guaranteed_facts SET fact = X'C1'")
    house.station.outbox.some(Delivery.GUARANTEED, 500)
    await house.station.second(2)
    assert len(house.said()) == 21 and "80 rows more" in house.said()[-1]
    assert house.station.core.storage.damaged.count() == 100
