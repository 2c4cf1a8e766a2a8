"""The ledger: whatever happens to facts in order holds, and whatever happens to their bytes is found, with its place."""

from __future__ import annotations

import tempfile
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chargepoint.model.facts import Delivery, EventKind, TransactionFact, Trigger
from chargepoint.model.idtoken import IdToken
from chargepoint.model.sample import Context, Purpose, Reading, SampledValue
from chargepoint.model.stamp import Stamp
from chargepoint.store.book import Book
from chargepoint.store.boots import Boots
from chargepoint.store.db import Db
from chargepoint.store.erasing import Erasing
from chargepoint.store.outbox import Outbox
from chargepoint.store.sessions import Sessions

CARD = IdToken("04A1B2C3")
TX = Delivery.TRANSACTION


class Row(msgspec.Struct):
    id: str
    evse: int
    open: bool
    last: str = ""


class House:
    """A store, and sessions as a station would write them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.now = 1_000_000.0
        self.rows: dict[str, Row] = {}
        self.seqs: dict[str, int] = {}
        self.count = 0
        self.open()

    def open(self) -> None:
        self.db = Db(self.path)
        self.outbox = Outbox(self.db)
        self.sessions: Sessions[Row] = Sessions(self.db, Row, lambda row: row.last)
        self.book = Book(self.db)

    def reopen(self) -> None:
        self.db.close()
        self.open()

    def begin(self, card: IdToken = CARD) -> str:
        self.count += 1
        row = Row(f"session {self.count}", 1, True, f"txn {self.count}")
        self.rows[row.last] = row
        self.seqs[row.last] = 0
        self._write(row, EventKind.STARTED, Trigger.AUTHORIZED, card)
        return row.last

    def sample(self, transaction: str) -> None:
        self._write(self.rows[transaction], EventKind.UPDATED, Trigger.METER_VALUE_PERIODIC)

    def end(self, transaction: str) -> None:
        row = self.rows.pop(transaction)
        row.open = False
        self._write(row, EventKind.ENDED, Trigger.EV_DEPARTED)

    def tell(self, n: int = 1_000_000) -> None:
        for _ in range(n):
            waiting = self.outbox.next(TX)
            if waiting is None:
                return
            self.outbox.told(waiting.id)

    def wrong(self) -> list[str]:
        found = []
        for session in self.book.chains.all():
            judged = self.book.judge(session)
            found += [f"{session.id}: {judged.wrong}"] if judged.wrong else []
            found += [f"{chain.transaction}: {verdict.wrong}" for chain, verdict in judged.chains if verdict.wrong]
        return found + list(self.book.whole())

    def _write(self, row: Row, kind: EventKind, trigger: Trigger, card: IdToken | None = None) -> None:
        self.now += 60
        at = Stamp(1, self.now, self.now, True)
        value = SampledValue(self.now, "Energy.Active.Import.Register", Context.SAMPLE_PERIODIC, "Wh")
        reading = Reading(at, Purpose.UPDATED, (value,))
        with self.db.transaction():
            seq = self.seqs[row.last]
            self.seqs[row.last] += 1
            fact = TransactionFact(row.last, seq, kind, trigger, at, 1, 1, id_token=card, readings=(reading,), register_wh=self.now)
            self.outbox.append(fact)
            self.sessions.save(row)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path / "station.db")


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("begin"), st.integers(0, 2)),
        st.tuples(st.sampled_from(["sample", "sample", "sample", "end"]), st.integers(0, 9)),
        st.tuples(st.just("tell"), st.integers(1, 12)),
        st.tuples(st.sampled_from(["thin", "prune", "reopen"]), st.just(0)),
        st.tuples(st.just("erase"), st.integers(0, 2)),
        st.tuples(st.just("give up"), st.just(0)),
        st.tuples(st.just("retell"), st.just(0)),
        st.tuples(st.just("csms"), st.integers(0, 1)),
    ),
    max_size=60,
)


def run(house: House, steps: list[tuple[str, int]]) -> None:
    for what, n in steps:
        running = sorted(house.rows)
        match what:
            case "begin":
                house.begin(IdToken(f"card {n}"))
            case "sample" if running:
                for _ in range(n):
                    house.sample(running[n % len(running)])
            case "end" if running:
                house.end(running[n % len(running)])
            case "tell":
                house.tell(n)
            case "thin":
                house.outbox.thin()
            case "prune":
                house.book.prune(Boots(house.db), house.now - 1800)
            case "reopen":
                house.reopen()
            case "erase":
                erase(house, f"card {n}")
            case "give up" if (waiting := house.outbox.next(TX)) is not None:
                house.outbox.give_up(waiting.id, "no")
            case "retell":
                house.outbox.retell()
            case "csms":
                house.outbox.change_csms(f"csms {n}")


def erase(house: House, card: str) -> None:
    erasing, after = Erasing(house.db), 0
    while (step := erasing.step(card, after)).next is not None:
        after = step.next


@given(steps=STEPS)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_happens_in_order_holds(steps: list[tuple[str, int]]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        house = House(Path(directory) / "station.db")
        run(house, steps)
        assert house.wrong() == []
        house.reopen()
        assert house.wrong() == []
        house.db.close()
