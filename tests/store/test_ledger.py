"""The ledger: whatever happens to facts in order holds, and whatever happens to their bytes is found, with its place."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chargepoint.model.facts import Delivery, EventKind, TransactionFact, Trigger
from chargepoint.model.idtoken import AuthorizationStatus, IdToken, IdTokenInfo
from chargepoint.model.sample import Context, Purpose, Reading, SampledValue
from chargepoint.model.stamp import Stamp
from chargepoint.store.book import Book
from chargepoint.store.boots import Boots
from chargepoint.store.chain import Gap
from chargepoint.store.damaged import Damaged
from chargepoint.store.db import Db, StoreError
from chargepoint.store.erasing import Erasing
from chargepoint.store.given_up import GivenUp
from chargepoint.store.outbox import Outbox
from chargepoint.store.schema import MIGRATIONS
from chargepoint.store.sessions import Sessions
from chargepoint.store.tokens import Tokens

CARD = IdToken("04A1B2C3")
TX = Delivery.TRANSACTION


class Row(msgspec.Struct):
    id: str
    evse: int
    open: bool
    last: str = ""


class House:
    """A store, and sessions as a station would write them."""

    def __init__(self, path: Path, *, alone: bool = False) -> None:
        self.path = path
        self.alone = alone
        self.now = 1_000_000.0
        self.rows: dict[str, Row] = {}
        self.seqs: dict[str, int] = {}
        self.count = 0
        self.open()

    def open(self) -> None:
        self.db = Db(self.path, alone=self.alone)
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
        st.tuples(st.sampled_from(["retell", "give way"]), st.just(0)),
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
            case "give way":
                GivenUp(house.db).give_way(1)
            case "csms":
                house.outbox.change_csms(f"csms {n}")


def erase(house: House, card: str) -> None:
    erasing, after = Erasing(house.db), 0
    while (step := erasing.step(card, after)).next is not None:
        after = step.next


@given(steps=STEPS, alone=st.booleans())
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_happens_in_order_holds(steps: list[tuple[str, int]], alone: bool) -> None:
    with tempfile.TemporaryDirectory() as directory:
        house = House(Path(directory) / "station.db", alone=alone)
        run(house, steps)
        assert house.wrong() == []
        house.reopen()
        assert house.wrong() == []
        house.db.close()


def filled(house: House) -> None:
    """One transaction in the archive, one thinned and told in part, one that runs."""
    first = house.begin()
    for _ in range(4):
        house.sample(first)
    house.end(first)
    house.tell()
    second = house.begin()
    for _ in range(9):
        house.sample(second)
    house.outbox.thin()
    house.end(second)
    house.begin(IdToken("04FFFFFF"))
    house.tell(2)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed store that is filled, for those who change a copy of it."""
    house = House(tmp_path_factory.mktemp("template") / "station.db")
    filled(house)
    assert house.wrong() == []
    house.db.close()
    return house.path


def copied(template: Path, directory: str) -> House:
    return House(Path(shutil.copy(template, directory)))


CHAINED = {"transaction_facts": ("txn", "fact", "n", "link", "beside"), "ledger": ("txn", "part", "facts", "beside"), "sessions": ("chains",)}
"""What a chain vouches for; the rest of a row says how it is told."""


def cells(db: Db) -> list[tuple[str, int, str, object]]:
    found = []
    for table, columns in CHAINED.items():
        key = "id" if table == "transaction_facts" else "number"
        for column in columns:
            for number, value in db.execute(f'SELECT {key}, "{column}" FROM {table}').fetchall():
                found += [(table, number, column, value)] if value is not None else []
    return found


@given(data=st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_changed_byte_is_found(template: Path, data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as directory:
        house = copied(template, directory)
        table, number, column, value = data.draw(st.sampled_from(cells(house.db)))
        if isinstance(value, int):
            changed: object = value + data.draw(st.sampled_from([-1, 1, 7]))
        else:
            raw = bytearray(value.encode() if isinstance(value, str) else value)  # type: ignore[arg-type, union-attr]
            raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 127 if isinstance(value, str) else 255))
            changed = raw.decode(errors="replace") if isinstance(value, str) else bytes(raw)
        key = "id" if table == "transaction_facts" else "number"
        try:
            house.db.execute(f'UPDATE {table} SET "{column}" = ? WHERE {key} = ?', (changed, number))
        except StoreError:  # two rows with one key: the store itself refuses
            return
        assert house.wrong(), f"{table}.{column} of {number} was changed, and nobody sees it"
        assert any(place in " ".join(house.wrong()) for place in ("txn", "session", "number"))
        house.db.close()


@given(data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_removed_or_exchanged_row_is_found(template: Path, data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as directory:
        house = copied(template, directory)
        table = data.draw(st.sampled_from(["transaction_facts", "ledger", "sessions"]))
        key = "id" if table == "transaction_facts" else "number"
        numbers = [row[0] for row in house.db.execute(f"SELECT {key} FROM {table} ORDER BY {key}")]
        one = data.draw(st.sampled_from(numbers))
        if table == "transaction_facts" and data.draw(st.booleans()):
            other = data.draw(st.sampled_from([number for number in numbers if number != one]))
            for old, new in ((one, -1), (other, one), (-1, other)):
                house.db.execute("UPDATE transaction_facts SET id = ? WHERE id = ?", (new, old))
        else:
            house.db.execute(f"DELETE FROM {table} WHERE {key} = ?", (one,))
        assert house.wrong()
        house.db.close()


def test_the_place_of_a_change_is_named(house: House) -> None:
    filled(house)
    fact, link = house.db.execute("SELECT fact, link FROM transaction_facts WHERE txn = 'txn 2' AND light = 1 LIMIT 1").fetchone()
    house.db.execute("UPDATE transaction_facts SET fact = ? WHERE link = ?", (fact.replace(b"Updated", b"Upduted"), link))
    assert any("txn 2: entry 2 cannot be read" in text for text in house.wrong()), house.wrong()
    house.db.execute("UPDATE transaction_facts SET fact = ? WHERE link = ?", (fact.replace(b"\xa2Wh", b"\xa2kW"), link))
    assert house.wrong() == ["txn 2: entry 2 (seq 1) was changed, or is not the one that was written"]


def test_a_changed_name_of_a_value_beside_a_fact_is_found(house: House) -> None:
    """Read by name, the value would be left out, and its default might be the one that was written."""
    filled(house)
    number, beside = house.db.execute("SELECT id, beside FROM transaction_facts WHERE beside IS NOT NULL LIMIT 1").fetchone()
    house.db.execute("UPDATE transaction_facts SET beside = ? WHERE id = ?", (beside.replace(b"\xa4type", b"\xa4uype"), number))
    (wrong,) = house.wrong()
    assert "the tokens beside entry 1 (seq 0) were changed" in wrong


def test_a_transaction_that_goes_with_its_session_is_missed(house: House) -> None:
    filled(house)
    house.db.execute("DELETE FROM ledger WHERE txn = 'txn 1'")
    house.db.execute("DELETE FROM sessions WHERE id = 'session 1'")
    assert house.wrong() == ["transaction number 1 is missing"]


def test_facts_that_go_without_a_link_that_says_so_are_missed(house: House) -> None:
    transaction = house.begin()
    for _ in range(3):
        house.sample(transaction)
    rows = house.db.execute("SELECT id, n, link FROM transaction_facts ORDER BY id").fetchall()
    gap = Gap(2, 2, rows[0][2], rows[1][2])
    house.db.execute("UPDATE transaction_facts SET fact = ?, light = 3 WHERE id = ?", (msgspec.msgpack.encode(gap), rows[1][0]))
    assert house.wrong() == ["txn 1: what is gone (2 to 2) is not what was thinned out"]


def test_a_token_is_erased_from_the_cache_whatever_its_type(house: House) -> None:
    cache = Tokens(house.db)
    of_every_type = [IdToken("04A1B2C3", kind) for kind in ("ISO14443", "ISO15693", "KeyCode")]
    for token in (*of_every_type, IdToken("04A1B2C3D4")):
        cache.remember(token, IdTokenInfo(AuthorizationStatus.ACCEPTED), 0.0)
    Erasing(house.db).step("04a1b2c3")
    assert not any(cache.cached(token) for token in of_every_type) and cache.cached(IdToken("04A1B2C3D4"))


def test_no_token_is_in_the_facts_and_an_erased_one_nowhere(house: House) -> None:
    filled(house)
    house.tell()
    contents = b"".join(bytes(row[0]) for row in house.db.execute("SELECT fact FROM transaction_facts UNION ALL SELECT facts FROM ledger"))
    assert CARD.value.encode() not in contents
    running = house.begin()
    house.outbox.thin()
    step = Erasing(house.db).step(CARD.value.lower())
    assert (step.erased, step.waiting) == (["txn 1", "txn 2"], [running])
    assert house.wrong() == []
    house.end(running)
    house.tell()
    assert Erasing(house.db).step(CARD.value).erased == [running] and house.wrong() == []
    house.db.close()
    assert CARD.value.encode() not in house.path.read_bytes()


def refused(house: House) -> str:
    """A transaction whose begin was given up, and whose end was told."""
    transaction = house.begin()
    waiting = house.outbox.next(TX)
    assert waiting is not None
    house.outbox.give_up(waiting.id, "no")
    house.end(transaction)
    house.tell()
    return transaction


def test_a_token_is_erased_from_what_was_given_up_also_when_its_session_is_pruned(house: House) -> None:
    refused(house)
    assert house.book.prune(Boots(house.db), house.now + 1) == 1 and house.outbox.given_up() == 1
    assert Erasing(house.db).step(CARD.value) == ([], [], None)
    house.db.close()
    assert CARD.value.encode() not in house.path.read_bytes()


def test_what_was_written_after_another_card_was_erased_is_erased_as_well(tmp_path: Path) -> None:
    house = House(tmp_path / "station.db", alone=True)
    erase(house, "nobody's")
    for number in range(100):
        transaction = house.begin(IdToken(f"CARD-{number}."))
        for _ in range(12):
            house.sample(transaction)
        house.end(transaction)
        if number % 20 == 19:
            house.tell()
    for number in range(100):
        erase(house, f"CARD-{number}.")
    house.db.close()
    assert b"CARD-" not in house.path.read_bytes()


@pytest.mark.parametrize("pruned", [False, True])
def test_what_is_told_again_needs_its_token_until_it_is_told(house: House, pruned: bool) -> None:
    transaction = refused(house)
    if pruned:
        house.book.prune(Boots(house.db), house.now + 1)
    assert house.outbox.retell() == 1
    assert Erasing(house.db).step(CARD.value) == ([], [transaction], None)
    waiting = house.outbox.next(TX)
    assert waiting is not None and isinstance(waiting.fact, TransactionFact) and waiting.fact.id_token == CARD
    house.tell()
    assert Erasing(house.db).step(CARD.value).waiting == [] and house.wrong() == []
    house.db.close()
    assert CARD.value.encode() not in house.path.read_bytes()


def test_a_token_is_erased_from_what_could_not_be_read(house: House) -> None:
    damaged = Damaged(house.db)
    damaged.put("token_cache", CARD.value.casefold(), b"x", "no MessagePack")
    damaged.put("sessions", "s", b"\x81" + CARD.value.lower().encode() + b"\xc1", "no MessagePack")
    damaged.put("values", "other", b"x", "no MessagePack")
    damaged.put("values", "text", "no bytes", "no MessagePack")
    Erasing(house.db).step(CARD.value)
    assert [found.key for found in damaged.all()] == ["(erased)", "s", "other", "text"]
    house.db.close()
    assert CARD.value.lower().encode() not in house.path.read_bytes().lower()


def test_what_is_erased_is_gone_from_the_file_at_once(tmp_path: Path) -> None:
    """Said again after a power cut it would be gone from its row, and its bytes still be there."""
    house = House(tmp_path / "station.db", alone=True)
    filled(house)
    house.tell()
    Erasing(house.db).step(CARD.value)
    (tmp_path / "cut").mkdir()
    for side in ("", "-wal"):
        shutil.copyfile(f"{house.path}{side}", tmp_path / "cut" / f"station.db{side}")
    Db(tmp_path / "cut" / "station.db").close()
    assert CARD.value.encode() not in (tmp_path / "cut" / "station.db").read_bytes()


def test_a_token_is_told_whole_from_beside_the_fact(house: House) -> None:
    token = IdToken("04A1B2C3", "eMAID", (("Extra", "eMAID"),))
    house.begin(token)
    waiting = Outbox(house.db).next(TX)
    assert waiting is not None and isinstance(waiting.fact, TransactionFact) and waiting.fact.id_token == token


def test_pruning_takes_the_oldest_told_and_nothing_else(house: House) -> None:
    boots = Boots(house.db)
    for _ in range(12):
        house.end(house.begin())
    house.tell(20)
    running = house.begin()
    assert house.book.prune(boots, house.now + 1) == 8 and house.book.pruned().ranges == ((1, 8),)
    assert house.book.prune(boots, house.now + 1) == 2 and house.book.prune(boots, house.now + 1) == 0
    assert house.book.pruned().ranges == ((1, 10),) and house.wrong() == []
    assert [chain.transaction for session in house.book.chains.all() for chain in session.chains or ()] == ["txn 11", "txn 12", running]


def test_facts_from_before_there_were_chains_are_carried_along(tmp_path: Path) -> None:
    """A file as the first layout made it, with a transaction that runs over the change."""
    path = tmp_path / "station.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("chargepoint.store.db.MIGRATIONS", MIGRATIONS[:1])
        old = Db(path)
        for seq, kind in enumerate((EventKind.STARTED, EventKind.UPDATED)):
            at = Stamp(1, 5.0 + seq, 5.0 + seq, True)
            fact = TransactionFact("txn 1", seq, kind, Trigger.METER_VALUE_PERIODIC, at, 1, 1, id_token=CARD if seq == 0 else None)
            old.execute("INSERT INTO transaction_facts (txn, light, fact) VALUES (?, ?, ?)", ("txn 1", seq, msgspec.msgpack.encode(fact)))
        row = msgspec.msgpack.encode(Row("session 1", 1, True, "txn 1"))
        old.execute('INSERT INTO sessions (id, evse, "open", "row") VALUES (?, 1, 1, ?)', ("session 1", row))
        old.execute("INSERT INTO given_up (fact, answer) VALUES (?, 'no')", (msgspec.msgpack.encode(fact),))
        old.close()
    house = House(path)
    assert house.outbox.waiting() == 2 and house.outbox.given_up() == 1
    house.rows["txn 1"], house.seqs["txn 1"] = Row("session 1", 1, True, "txn 1"), 2
    house.sample("txn 1")
    house.outbox.thin()
    house.end("txn 1")
    house.tell()
    (session,) = house.book.chains.all()
    ((chain, verdict),) = house.book.judge(session).chains
    assert (verdict.wrong, verdict.unchained, verdict.links, chain.number) == (None, 2, 3, 1) and house.wrong() == []
    assert CARD.value.encode() not in b"".join(bytes(row[0]) for row in house.db.execute("SELECT facts FROM ledger"))
    assert house.outbox.retell() == 1 and house.outbox.waiting() == 1
