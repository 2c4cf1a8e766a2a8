"""Rows whose bytes are damaged in a sound database: each is set aside with its bytes and its place, and everything else goes on in order."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chargepoint.model.facts import Delivery, SecurityFact, TransactionFact
from chargepoint.model.idtoken import AuthorizationStatus, IdToken, IdTokenInfo
from chargepoint.model.orders import ListEntry
from chargepoint.model.sample import Purpose, Reading
from chargepoint.model.stamp import Stamp
from chargepoint.station.ledger_desk import Desk
from chargepoint.store.boots import Boots
from chargepoint.store.collected import Collected
from chargepoint.store.damaged import Damaged
from chargepoint.store.db import Db
from chargepoint.store.outbox import Outbox
from chargepoint.store.redo import ROUND
from chargepoint.store.security_log import SecurityLog
from chargepoint.store.tokens import Tokens
from chargepoint.store.values import Values
from chargepoint.store.variables import Variables
from tests.store.test_ledger import House

TX = Delivery.TRANSACTION
NOW = Stamp(1, 10.0, 1_000_000.0, True)


def changed(content: bytes, **fields: Any) -> bytes:
    return msgspec.msgpack.encode({**msgspec.msgpack.decode(content), **fields})


BROKEN = {
    "truncated": lambda content: content[: len(content) // 2],
    "empty": lambda content: b"",
    "garbage": lambda content: b"\xc1" * 40,
    "nested without end": lambda content: b"\x91" * 5000,
    "no utf-8": lambda content: content.replace(b"txn", b"\xff\xfe\xfd", 1),
    "a number in its place": lambda content: 17,
    "a text in its place": lambda content: "text",
    "another kind": lambda content: msgspec.msgpack.encode(SecurityFact("x", NOW)),
    "an unknown word": lambda content: changed(content, kind="Vanished"),
    "a wrong type": lambda content: changed(content, seq="one"),
    "a negative number": lambda content: changed(content, seq=-5),
    "no number": lambda content: changed(content, register_wh=float("nan")),
    "beyond all measures": lambda content: changed(content, register_wh=1e300),
    "another transaction's": lambda content: changed(content, transaction="txn 7"),
}


def house(path: Path) -> tuple[House, list[str]]:
    """Three transactions that wait, of five facts each."""
    it = House(path / "station.db", alone=True)
    transactions = []
    for _ in range(3):
        transactions.append(it.begin())
        for _ in range(3):
            it.sample(transactions[-1])
        it.end(transactions[-1])
    return it, transactions


def waiting(outbox: Outbox) -> list[tuple[str, int]]:
    facts = [one.fact for one in outbox.some(TX, 1000)]
    return [(fact.transaction, fact.seq) for fact in facts if isinstance(fact, TransactionFact)]


@pytest.mark.parametrize("how", BROKEN)
@pytest.mark.parametrize("seq", [0, 2, 4])
def test_a_fact_that_cannot_be_read_is_set_aside_and_the_others_are_told_in_order(tmp_path: Path, how: str, seq: int) -> None:
    it, transactions = house(tmp_path)
    before = waiting(it.outbox)
    id, content = it.db.execute(
        "SELECT id, fact FROM transaction_facts WHERE txn = ? ORDER BY id LIMIT 1 OFFSET ?", (transactions[1], seq)
    ).fetchone()
    broken = BROKEN[how](content)
    it.db.execute("UPDATE transaction_facts SET fact = ? WHERE id = ?", (broken, id))
    it.reopen()
    assert waiting(it.outbox) == [key for key in before if key != (transactions[1], seq)]
    assert it.outbox.waiting() == len(before) - 1
    (found,) = Damaged(it.db).all()
    assert (found.place, found.key) == ("transaction_facts", str(id))
    assert it.db.execute("SELECT content FROM damaged").fetchone()[0] == broken
    assert it.db.execute("SELECT fact FROM transaction_facts WHERE id = ?", (id,)).fetchone()[0] == broken
    it.tell()
    assert it.outbox.waiting() == 0 and len(list(Damaged(it.db).all())) == 1
    assert any(transactions[1] in wrong and f"entry {seq + 1}" in wrong for wrong in it.wrong())


def test_a_batch_of_nothing_but_damage_is_passed(tmp_path: Path) -> None:
    it, transactions = house(tmp_path)
    it.db.execute("UPDATE transaction_facts SET fact = X'C1' WHERE txn != ?", (transactions[2],))
    it.reopen()
    assert [waiting.fact for waiting in it.outbox.some(TX, 3)] and waiting(it.outbox) == [(transactions[2], seq) for seq in range(5)]
    assert it.outbox.waiting() == 5 and Damaged(it.db).count() == 10


def test_damage_met_between_two_looks_ends_nothing(tmp_path: Path) -> None:
    it, transactions = house(tmp_path)
    batch = it.outbox.some(TX, 3)
    it.db.execute("UPDATE transaction_facts SET fact = X'C1' WHERE txn = ?", (transactions[0],))
    it.outbox.told(batch[0].id)
    it.outbox.give_up(batch[1].id, "no")
    assert it.outbox.waiting() == 13
    assert it.outbox.retell() == 1 and waiting(it.outbox)[0] == (transactions[1], 0)


@pytest.mark.parametrize("beside", [b"\xc1", "text", msgspec.msgpack.encode([b"salt", ["04FFFFFF", "ISO14443"], None])])
def test_tokens_that_are_not_those_that_were_shown_are_not_told(tmp_path: Path, beside: Any) -> None:
    it, transactions = house(tmp_path)
    it.db.execute("UPDATE transaction_facts SET beside = ? WHERE txn = ? AND beside IS NOT NULL", (beside, transactions[0]))
    it.reopen()
    for _ in range(2):
        facts = [one.fact for one in it.outbox.some(TX, 1000)]
        assert len(facts) == 15 and isinstance(facts[0], TransactionFact) and facts[0].id_token is None
    assert [found.place for found in Damaged(it.db).all()] == ["transaction_facts.beside"]


def test_a_guaranteed_fact_that_cannot_be_read_leaves_the_way(tmp_path: Path) -> None:
    db = Db(tmp_path / "station.db", alone=True)
    outbox = Outbox(db)
    for text in ("first", "second", "third"):
        outbox.append(SecurityFact(text, NOW))
    db.execute("UPDATE guaranteed_facts SET fact = X'93' WHERE id = 1")
    told = [one.fact for one in outbox.some(Delivery.GUARANTEED, 2)]
    assert [fact.type for fact in told if isinstance(fact, SecurityFact)] == ["second", "third"]
    assert outbox.waiting() == 2 and [found.place for found in Damaged(db).all()] == ["guaranteed_facts"]


def test_a_session_that_cannot_be_read_is_closed_and_kept(tmp_path: Path) -> None:
    it = House(tmp_path / "station.db", alone=True)
    it.begin()
    it.begin()
    it.db.execute("""UPDATE sessions SET "row" = X'81A16101' WHERE id = 'session 1'""")
    it.reopen()
    assert [row.id for row in it.sessions.open_rows()] == ["session 2"]
    assert [row.id for row in it.sessions.last(5)] == ["session 2"] and it.sessions.get("session 1") is None
    assert [(found.place, found.key) for found in Damaged(it.db).all()] == [("sessions", "session 1")]
    it.reopen()
    assert [row.id for row in it.sessions.open_rows()] == ["session 2"]


def test_values_tokens_readings_and_variables_that_cannot_be_read_are_none(tmp_path: Path) -> None:
    db = Db(tmp_path / "station.db", alone=True)
    values, tokens, collected, variables, events = Values(db), Tokens(db), Collected(db), Variables(db), SecurityLog(db)
    values.set("one", {"a": 1})
    card = IdToken("04A1")
    tokens.update([ListEntry(card, IdTokenInfo(AuthorizationStatus.ACCEPTED))])
    tokens.remember(card, IdTokenInfo(AuthorizationStatus.ACCEPTED), 5.0)
    for number in range(3):
        collected.add("tx", Reading(Stamp(1, float(number), 0.0, True), Purpose.ENDED, ()), 10)
        events.add(SecurityFact(f"event {number}", NOW))
    variables.save("A.B", "1")
    variables.save("A.C", "2")
    for sql in (
        "UPDATE \"values\" SET value = X'A1' WHERE name = 'one'",
        "UPDATE local_list SET info = X'80'",
        "UPDATE token_cache SET info = 'x'",
        "UPDATE collected SET reading = X'90' WHERE id = 2",
        "UPDATE security_log SET fact = 1 WHERE id = 1",
        "UPDATE variables SET value = X'FF' WHERE key = 'A.B'",
    ):
        db.execute(sql)
    assert values.get("one", dict) is None and values.get("one", dict) is None
    assert tokens.listed(card) is None and tokens.cached(card) is None
    assert [reading.at.boot_s for reading in collected.take("tx")] == [0.0, 2.0]
    assert [event.type for event in events.last(5)] == ["event 1", "event 2"]
    assert variables.load() == {"A.C": "2"}
    places = ["values", "local_list", "token_cache", "collected", "security_log", "variables"]
    assert [found.place for found in Damaged(db).all()] == places and db.set_aside == len(places)


def test_a_text_that_is_no_utf8_ends_nothing(tmp_path: Path) -> None:
    path = tmp_path / "station.db"
    db = Db(path, alone=True)
    Variables(db).save("A.B", "1")
    db.close()
    raw = sqlite3.connect(path)
    raw.execute("UPDATE variables SET value = CAST(X'31FF' AS TEXT)")
    raw.commit()
    raw.close()
    assert Variables(Db(path, alone=True)).load() == {"A.B": "1\ufffd"}


@pytest.mark.parametrize("value", [b"\xc1", "text", msgspec.msgpack.encode(["x", "y"])])
def test_a_round_that_cannot_be_read_costs_what_was_not_committed_and_no_more(tmp_path: Path, value: Any) -> None:
    path = tmp_path / "station.db"
    db = Db(path, alone=True)
    Values(db).set("kept", 1)
    db.execute('UPDATE "values" SET value = ? WHERE name = ?', (value, ROUND))
    db._connection.close()
    db = Db(path, alone=True)
    assert Values(db).get("kept", int) == 1 and not db.was_corrupt
    Values(db).set("more", 2, durable=False)
    db.mark()
    db._connection.close()
    assert Values(Db(path, alone=True)).get("more", int) == 2


def test_a_boot_whose_times_are_nonsense_has_none(tmp_path: Path) -> None:
    db = Db(tmp_path / "station.db", alone=True)
    Boots(db).begin("a")
    db.execute("UPDATE boots SET offset_s = 'x', last_s = 'y'")
    boots = Boots(db)
    assert boots.begin("b") == 2 and boots.last_alive(1) == 0.0 and not boots.learnt(Stamp(1, 1.0, 1.0, False))


def test_numbers_that_cannot_be_are_said_by_the_book_and_not_counted_through(tmp_path: Path) -> None:
    it, _ = house(tmp_path)
    Values(it.db).set("ledger.last", 1 << 60)
    assert [wrong for wrong in it.wrong() if "damaged" in wrong]


def test_a_chain_goes_on_though_its_last_link_is_damaged(tmp_path: Path) -> None:
    it = House(tmp_path / "station.db", alone=True)
    transaction = it.begin()
    it.db.execute("UPDATE transaction_facts SET link = 'text', n = 'x'")
    it.sample(transaction)
    it.end(transaction)
    assert [kind for _, kind in waiting(it.outbox)] == [0, 1, 2] and it.wrong()
    it.tell()
    assert it.outbox.waiting() == 0 and it.wrong()


def test_a_mark_that_says_nothing_is_said_and_the_fact_is_told_in_its_order(tmp_path: Path) -> None:
    it, transactions = house(tmp_path)
    it.tell(3)
    left = waiting(it.outbox)
    it.db.execute("UPDATE transaction_facts SET told = X'C1' WHERE id IN (2, 4, 9)")
    it.db.execute("UPDATE transaction_facts SET attempts = 'x' WHERE id = 5")
    it.db.execute("UPDATE transaction_facts SET light = 77 WHERE id = 7")
    it.reopen()
    assert waiting(it.outbox) == left and it.outbox.waiting() == len(left)
    assert {one.attempts for one in it.outbox.some(TX, 1000)} == {0}
    places = {(found.place.removeprefix("transaction_facts."), int(found.key)) for found in Damaged(it.db).all()}
    assert places == {("told", 2), ("told", 4), ("told", 9), ("attempts", 5), ("light", 7)}
    assert it.db.execute("SELECT content FROM damaged WHERE key = '9'").fetchone()[0] == b"\xc1"
    it.tell()
    assert it.outbox.waiting() == 0 and it.wrong() == [] and transactions
    it.reopen()
    assert Damaged(it.db).count() == 5


def test_a_copy_and_a_link_whose_kind_is_damaged_are_what_they_were(tmp_path: Path) -> None:
    it, _ = house(tmp_path)
    it.outbox.give_up(it.outbox.some(TX, 1)[0].id, "no")
    assert it.outbox.retell() == 1 and it.outbox.thin() > 0
    kinds = "SELECT id, light, told FROM transaction_facts ORDER BY id"
    before, left = [row for row in it.db.execute(kinds).fetchall() if row[1] > 1], waiting(it.outbox)
    assert {row[1] for row in before} == {2, 3}
    it.db.execute("UPDATE transaction_facts SET light = X'02' WHERE light > 1")
    it.reopen()
    assert [row for row in it.db.execute(kinds).fetchall() if row[1] > 1] == before and waiting(it.outbox) == left
    it.db.execute("UPDATE transaction_facts SET told = X'03' WHERE light > 1")
    it.reopen()
    assert [row for row in it.db.execute(kinds).fetchall() if row[1] > 1] == before and waiting(it.outbox) == left
    it.tell()
    assert it.outbox.waiting() == it.outbox.given_up() == 0 and it.wrong() == []


@pytest.mark.parametrize("light", [b"\x02", "text", None])
def test_a_kind_that_is_damaged_meanwhile_leaves_people_their_answer(tmp_path: Path, light: Any) -> None:
    it, transactions = house(tmp_path)
    it.db.execute("UPDATE OR IGNORE transaction_facts SET light = ? WHERE id = 8", (light,))
    listed = Desk(it.db, Boots(it.db), it.outbox.retell).answer({"list": None})["transactions"]
    assert [item["transaction"] for item in listed] == transactions[::-1]


def test_what_no_longer_waits_by_damage_is_no_longer_counted(tmp_path: Path) -> None:
    it, _ = house(tmp_path)
    it.reopen()
    it.db.execute("UPDATE transaction_facts SET told = X'80'")
    assert it.outbox.some(TX, 5) == [] and it.outbox.waiting() == 0
    it.end(it.begin())
    assert len(it.outbox.some(TX, 5)) == 2
    it.db.execute("UPDATE transaction_facts SET told = 'x'")
    it.tell()
    assert it.outbox.waiting() == 0


def test_a_transaction_that_a_damaged_row_closed_before_keeps_what_it_had(tmp_path: Path) -> None:
    it, transactions = house(tmp_path)
    it.tell(5)
    entries = it.book.ledger.archive.entries(transactions[0])
    it.book.ledger.archive.add(transactions[0], entries[:1])
    assert len(it.book.ledger.archive.entries(transactions[0])) == len(entries) + 1
    it.db.execute("UPDATE ledger SET facts = 7 WHERE txn = ?", (transactions[0],))
    it.book.ledger.archive.add(transactions[0], entries)
    assert it.book.ledger.archive.entries(transactions[0]) == entries and {found.place for found in Damaged(it.db).all()} == {"ledger"}


def test_what_people_ask_of_damaged_rows_has_an_answer(tmp_path: Path) -> None:
    it, transactions = house(tmp_path)
    it.outbox.give_up(it.outbox.some(TX, 1)[0].id, "no")
    it.db.execute("UPDATE given_up SET at = X'00', fact = 5")
    it.db.execute("UPDATE transaction_facts SET fact = 'text', link = 5, beside = 'x' WHERE txn = ?", (transactions[1],))
    it.db.execute("UPDATE sessions SET chains = 'x' WHERE id = 'session 3'")
    desk = Desk(it.db, Boots(it.db), it.outbox.retell)
    listed = desk.answer({"list": None})["transactions"]
    assert len(listed) == 2 and listed[0]["wrong"]
    shown = [desk.answer({"show": item["transaction"], "after": 0}) for item in listed]
    assert all(entry["wrong"] for entry in shown[0]["entries"]) and shown[1]["given_up"] == [{"seq": None, "answer": "no", "at": None}]
    assert sum(bool(verdict["wrong"]) for verdict in desk.answer({"verify": 0})["verdicts"]) == 2
    assert desk.answer({"retell": None})["told_again"] == 1


def test_a_digest_without_its_token_is_told_to_nobody(tmp_path: Path) -> None:
    it, _ = house(tmp_path)
    it.reopen()
    it.db.execute("UPDATE transaction_facts SET beside = NULL")
    facts = [one.fact for one in it.outbox.some(TX, 1000)]
    assert len(facts) == 15 and all(isinstance(fact, TransactionFact) and fact.id_token is None for fact in facts)
    it.db.execute("UPDATE transaction_facts SET txn = X'00' WHERE id = 3")
    assert any("belongs to no session" in wrong for wrong in it.wrong())
