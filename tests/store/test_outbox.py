"""The outbox: order, deliveries, notes, giving up, another CSMS, many facts."""

from __future__ import annotations

import random
import shutil
import tempfile
from contextlib import closing
from pathlib import Path

import pytest

from chargepoint.model.facts import Delivery, EventKind, Fact, MeterFact, SecurityFact, StatusFact, TransactionFact, Trigger
from chargepoint.model.sample import Context, Purpose, Reading, SampledValue
from chargepoint.model.stamp import Stamp
from chargepoint.store.audience import KEPT_CSMS
from chargepoint.store.db import UNSYNCED, Db
from chargepoint.store.given_up import GivenUp
from chargepoint.store.outbox import Outbox
from proof.torture.recording import memory

AT = Stamp(1, 10.0, 1_704_067_200.0, True)
TX = Delivery.TRANSACTION


def event(transaction: str, seq: int, kind: EventKind = EventKind.UPDATED, trigger: Trigger = Trigger.METER_VALUE_PERIODIC) -> TransactionFact:
    reading = Reading(AT, Purpose.UPDATED, (SampledValue(10.0, "Energy.Active.Import.Register", Context.SAMPLE_PERIODIC, "Wh"),))
    return TransactionFact(transaction=transaction, seq=seq, kind=kind, trigger=trigger, at=AT, evse=1, connector=1, readings=(reading,))


def whole(transaction: str) -> list[TransactionFact]:
    return [event(transaction, 0, EventKind.STARTED), event(transaction, 1), event(transaction, 2, EventKind.ENDED)]


def tell_all(outbox: Outbox, n: int | None = None) -> list[Fact]:
    facts: list[Fact] = []
    while (n is None or len(facts) < n) and (waiting := outbox.next(TX)):
        facts.append(waiting.fact)
        outbox.told(waiting.id)
    return facts


@pytest.fixture
def db(tmp_path: Path) -> Db:
    return Db(tmp_path / "station.db")


def test_transaction_facts_leave_in_order_and_once(db: Db) -> None:
    outbox = Outbox(db)
    facts = whole("a") + whole("b")
    for fact in facts:
        outbox.append(fact)
    assert outbox.waiting() == 6
    assert tell_all(outbox) == facts
    assert outbox.waiting() == 0
    assert outbox.next(TX) is None
    assert db.execute("SELECT COUNT(*) FROM transaction_facts").fetchone()[0] == 0


def test_a_fact_is_the_same_after_a_restart(db: Db) -> None:
    fact = event("a", 0)
    Outbox(db).append(fact)
    waiting = Outbox(db).next(TX)
    assert waiting is not None and waiting.fact == fact


def test_told_facts_stay_until_the_end_is_told(db: Db) -> None:
    outbox = Outbox(db)
    for fact in whole("a")[:2]:
        outbox.append(fact)
    tell_all(outbox)
    again = Outbox(db)
    assert (again.waiting(), again.next(TX)) == (0, None)
    assert db.execute("SELECT COUNT(*) FROM transaction_facts").fetchone()[0] == 2


def test_a_state_replaces_the_former_of_its_connector_only(db: Db) -> None:
    outbox = Outbox(db)
    for connector, status in ((1, "Available"), (2, "Available"), (1, "Preparing")):
        outbox.append(StatusFact(evse=1, connector=connector, status=status, at=AT))
    states = [waiting.fact for waiting in outbox.some(Delivery.STATE, 9)]
    assert [(fact.connector, fact.status) for fact in states if isinstance(fact, StatusFact)] == [(2, "Available"), (1, "Preparing")]
    assert outbox.waiting() == 0


def test_guaranteed_facts_leave_when_told(db: Db) -> None:
    outbox = Outbox(db)
    outbox.append(SecurityFact("StartupOfTheDevice", AT))
    waiting = Outbox(db).next(Delivery.GUARANTEED)
    assert waiting is not None and outbox.waiting() == 1
    outbox.told(waiting.id)
    assert outbox.next(Delivery.GUARANTEED) is None and outbox.waiting() == 0


def test_perishable_facts_perish(db: Db) -> None:
    outbox = Outbox(db)
    outbox.append(MeterFact(1, 1, Reading(AT, Purpose.ALIGNED, ())))
    assert outbox.next(Delivery.PERISHABLE) is not None
    assert Outbox(db).next(Delivery.PERISHABLE) is None


def test_ids_tell_the_deliveries_apart(db: Db) -> None:
    outbox = Outbox(db)
    facts = (event("a", 0), SecurityFact("x", AT), StatusFact(1, 1, "Available", AT), MeterFact(1, 1, Reading(AT, Purpose.ALIGNED, ())))
    ids = [outbox.append(fact) for fact in facts]
    assert len(set(ids)) == 4
    assert [waiting.id for delivery in Delivery for waiting in outbox.some(delivery, 9)] == ids


def test_a_rolled_back_fact_never_was(db: Db) -> None:
    outbox = Outbox(db)
    called: list[int] = []
    outbox.on_append.append(lambda: called.append(1))
    with pytest.raises(RuntimeError), db.transaction():
        outbox.append(event("a", 0))
        outbox.append(StatusFact(1, 1, "Available", AT))
        raise RuntimeError
    assert (outbox.waiting(), outbox.next(TX), outbox.next(Delivery.STATE), called) == (0, None, None, [])


def test_on_append_is_called_once_per_commit(db: Db) -> None:
    outbox = Outbox(db)
    called: list[int] = []
    outbox.on_append.append(lambda: called.append(outbox.waiting()))
    with db.transaction():
        for fact in whole("a"):
            outbox.append(fact)
        assert called == []
    assert called == [3]


def test_a_note_lives_until_the_end_is_told(db: Db) -> None:
    outbox = Outbox(db)
    start, _, end = (outbox.append(fact) for fact in whole("a"))
    outbox.told(start, note="17")
    assert Outbox(db).note("a") == "17" and outbox.noted("17") == ["a"]
    tell_all(outbox)
    assert end and outbox.note("a") is None


def test_attempts_are_kept(db: Db) -> None:
    outbox = Outbox(db)
    id = outbox.append(event("a", 0))
    assert [outbox.attempted(id), outbox.attempted(id)] == [1, 2]
    waiting = Outbox(db).next(TX)
    assert waiting is not None and waiting.attempts == 2


def test_a_fact_given_up_is_counted_and_told_no_more(db: Db) -> None:
    outbox = Outbox(db)
    first, *_ = [outbox.append(fact) for fact in whole("a")]
    outbox.give_up(first, "FormationViolation")
    assert (outbox.given_up(), outbox.waiting()) == (1, 2)
    assert [fact.seq for fact in tell_all(outbox) if isinstance(fact, TransactionFact)] == [1, 2]
    assert Outbox(db).given_up() == 1


def test_another_csms_is_told_running_transactions_whole(db: Db) -> None:
    outbox = Outbox(db)
    assert outbox.change_csms("one 1.6") is False
    for fact in whole("a") + whole("b")[:2]:
        outbox.append(fact)
    tell_all(outbox, 4)
    assert outbox.waiting() == 1
    assert outbox.change_csms("one 1.6") is False and outbox.waiting() == 1
    assert outbox.change_csms("two 2.0.1") is True
    assert [(fact.transaction, fact.seq) for fact in tell_all(outbox) if isinstance(fact, TransactionFact)] == [("b", 0), ("b", 1)]


def test_another_csms_has_no_notes_of_the_former(db: Db) -> None:
    outbox = Outbox(db)
    outbox.change_csms("one")
    outbox.told(outbox.append(event("a", 0, EventKind.STARTED)), note="5")
    outbox.change_csms("two")
    assert outbox.note("a") is None and outbox.waiting_for("a")


def seqs(facts: list[Fact]) -> list[tuple[str, int]]:
    return [(fact.transaction, fact.seq) for fact in facts if isinstance(fact, TransactionFact)]


def test_a_csms_that_comes_back_is_told_each_fact_once(db: Db) -> None:
    outbox = Outbox(db)
    outbox.change_csms("one")
    begin, step = (outbox.append(fact) for fact in whole("a")[:2])
    outbox.told(begin, note="17")
    outbox.change_csms("two")
    assert outbox.note("a") is None
    outbox.told(begin, note="4")
    outbox.told(step)
    outbox.append(event("a", 2))
    outbox.change_csms("one")
    assert outbox.note("a") == "17"
    assert seqs(tell_all(outbox)) == [("a", 1), ("a", 2)]
    outbox.change_csms("two")
    assert outbox.note("a") == "4"
    outbox.append(event("a", 3, EventKind.ENDED))
    assert seqs(tell_all(outbox)) == [("a", 2), ("a", 3)]


def test_an_end_told_to_another_is_kept_for_the_csms_that_knows_the_beginning(db: Db) -> None:
    outbox = Outbox(db)
    outbox.change_csms("one")
    outbox.told(outbox.append(event("a", 0, EventKind.STARTED)), note="17")
    outbox.change_csms("two")
    for fact in (*whole("a")[1:], *whole("b")):
        outbox.append(fact)
    assert len(tell_all(outbox)) == 6 and outbox.waiting() == 0
    again = Outbox(db)
    again.change_csms("three")
    assert tell_all(again) == [], "the newcomer needs no transaction whose end somebody was told"
    again.change_csms("one")
    assert again.note("a") == "17"
    assert seqs(tell_all(again)) == [("a", 1), ("a", 2)]
    again.change_csms("two")
    assert tell_all(again) == []
    assert db.execute("SELECT COUNT(*) FROM transaction_facts").fetchone()[0] == 0


def test_facts_of_new_transactions_are_never_mixed_up_with_those_told_before(db: Db) -> None:
    outbox = Outbox(db)
    outbox.change_csms("one")
    for fact in (event("a", 0, EventKind.STARTED), *whole("x"), *whole("y")):
        outbox.append(fact)
    assert len(tell_all(outbox)) == 7
    outbox.change_csms("two")
    again = Outbox(db)
    for fact in (*whole("a")[1:2], *whole("b")[:2]):
        again.append(fact)
    assert seqs(tell_all(again)) == [("a", 0), ("a", 1), ("b", 0), ("b", 1)]
    again.change_csms("one")
    assert seqs(tell_all(again)) == [("a", 1), ("b", 0), ("b", 1)]


def test_a_fact_given_up_is_not_tried_again_with_the_same_csms(db: Db) -> None:
    outbox = Outbox(db)
    outbox.change_csms("one")
    outbox.give_up(outbox.append(event("a", 0, EventKind.STARTED)), "NotImplemented")
    outbox.change_csms("two")
    outbox.change_csms("one")
    outbox.append(event("a", 1))
    assert seqs(tell_all(outbox)) == [("a", 1)]


def test_of_many_csms_the_oldest_is_forgotten_with_what_only_it_was_owed(db: Db) -> None:
    outbox = Outbox(db)
    outbox.change_csms("one")
    outbox.told(outbox.append(event("a", 0, EventKind.STARTED)), note="17")
    outbox.change_csms("two")
    outbox.append(event("a", 1, EventKind.ENDED))
    tell_all(outbox)
    said: list[tuple[str, ...]] = []
    outbox.on_released.append(lambda *what: said.append(what))
    for number in range(KEPT_CSMS):
        assert said == []
        outbox.change_csms(f"newcomer {number}")
    assert db.execute("SELECT COUNT(*) FROM transaction_facts").fetchone()[0] == 0
    assert said == [("a", "one", "6 others have come since")], "an untold fact never goes in silence"


def test_ten_thousand_facts_wait_and_leave_in_order(db: Db) -> None:
    outbox = Outbox(db)
    with db.transaction():
        for seq in range(10_000):
            outbox.append(event("a", seq))
    assert Outbox(db).waiting() == 10_000
    assert [fact.seq for fact in tell_all(outbox) if isinstance(fact, TransactionFact)] == list(range(10_000))


def test_too_many_periodic_values_are_thinned_and_nothing_else(db: Db, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chargepoint.store.outbox.THIN_ABOVE", 50)
    outbox = Outbox(db)
    outbox.append(event("a", 0, EventKind.STARTED))
    for seq in range(1, 60):
        outbox.append(event("a", seq))
    outbox.append(event("a", 60, EventKind.ENDED))
    seqs = [fact.seq for fact in tell_all(outbox) if isinstance(fact, TransactionFact)]
    assert seqs == sorted(seqs) and seqs[0] == 0 and seqs[-1] == 60 and len(seqs) < 50
    assert outbox.waiting() == 0


def test_at_most_twenty_answered_messages_are_told_again_after_a_power_cut(tmp_path: Path) -> None:
    """What the storage holds is all that outlives the cut: the tail is in memory."""
    before, after = tmp_path / "before", tmp_path / "after"
    db = Db(before / "station.db", alone=True, runtime=tmp_path, boot="one")
    outbox = Outbox(db)
    for seq in range(99):
        outbox.append(event("a", seq))
    tell_all(outbox)
    shutil.copytree(before, after)
    db.close()
    db = Db(after / "station.db", alone=True, runtime=after, boot="two")
    assert 0 < Outbox(db).waiting() < UNSYNCED == 20
    db.close()


def test_a_fact_told_again_is_told_once_and_is_given_up_no_more(db: Db) -> None:
    outbox = Outbox(db)
    begin, step, end = (outbox.append(fact) for fact in whole("a"))
    outbox.told(begin, note="17")
    outbox.give_up(step, "InternalError")
    outbox.told(end)
    assert (outbox.retell("b"), outbox.retell("a"), outbox.retell()) == (0, 1, 0)
    again = Outbox(db)
    waiting = again.next(TX)
    assert waiting is not None and waiting.fact == event("a", 1) and again.note("a") == "17" and again.waiting_for("a")
    again.told(waiting.id)
    assert (again.given_up(), again.waiting(), again.next(TX), again.note("a")) == (0, 0, None, None)


def test_a_fact_told_again_in_vain_is_given_up_with_the_later_answer(db: Db) -> None:
    outbox = Outbox(db)
    outbox.give_up(outbox.append(event("a", 0, EventKind.STARTED)), "first")
    outbox.retell()
    waiting = outbox.next(TX)
    assert waiting is not None and outbox.attempted(waiting.id) == 1
    outbox.give_up(waiting.id, "second")
    assert [item.answer for item in GivenUp(db).list()] == ["second"] and outbox.next(TX) is None
    assert outbox.retell() == 1


def test_a_start_told_again_gives_the_rest_its_note(db: Db) -> None:
    outbox = Outbox(db)
    outbox.give_up(outbox.append(event("a", 0, EventKind.STARTED)), "no")
    outbox.append(event("a", 1))
    tell_all(outbox)
    outbox.retell("a")
    waiting = outbox.next(TX)
    assert waiting is not None
    outbox.told(waiting.id, note="21")
    assert outbox.note("a") == "21"


def test_another_csms_is_not_told_again_what_the_former_refused(db: Db) -> None:
    outbox = Outbox(db)
    outbox.change_csms("one")
    outbox.give_up(outbox.append(event("a", 0, EventKind.STARTED)), "no")
    outbox.append(event("a", 1, EventKind.ENDED))
    tell_all(outbox)
    outbox.retell()
    outbox.change_csms("two")
    assert outbox.next(TX) is None and outbox.given_up() == 1


def test_a_guaranteed_fact_is_told_again_too(db: Db) -> None:
    outbox = Outbox(db)
    outbox.give_up(outbox.append(SecurityFact("x", AT)), "NotImplemented")
    assert outbox.retell() == 1 and outbox.given_up() == 0
    waiting = outbox.next(Delivery.GUARANTEED)
    assert waiting is not None and waiting.fact == SecurityFact("x", AT)


def test_thinning_drops_no_start_and_no_end(db: Db) -> None:
    outbox = Outbox(db)
    for name in ("a", "b", "c"):
        for fact in (event(name, 0, EventKind.STARTED), *(event(name, seq) for seq in range(1, 30)), event(name, 30, EventKind.ENDED)):
            outbox.append(fact)
    counts = [outbox.waiting()]
    while outbox.thin():
        counts.append(outbox.waiting())
    left = seqs(tell_all(outbox))
    assert counts == sorted(counts, reverse=True) and len(left) < 10
    assert {(name, seq) for name in "abc" for seq in (0, 30)} <= set(left)


def test_what_waits_is_counted_right_when_what_went_is_said(db: Db) -> None:
    outbox = Outbox(db)
    outbox.on_thinned.append(lambda count: outbox.append(SecurityFact("MemoryExhaustion", AT, f"{count}")) and None)
    for fact in (event("a", 0, EventKind.STARTED), *(event("a", seq) for seq in range(1, 30))):
        outbox.append(fact)
    assert outbox.thin() == 14 and outbox.thin(least=8) == 0
    assert outbox.waiting() == Outbox(db).waiting() == 30 - 14 + 1
    assert outbox.drop_guaranteed(keep=1, least=1) == 0 and outbox.drop_guaranteed(keep=0, least=1) == 1
    assert outbox.waiting() == Outbox(db).waiting() == 30 - 14


@pytest.mark.parametrize("seed", range(6))
def test_what_waits_is_the_same_whether_remembered_or_read(seed: int) -> None:
    """After whatever happened, another outbox over the same store would tell the same facts in the same order, as often refused."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory(dir=memory()) as directory, closing(Db(Path(directory) / "station.db")) as db:
        outbox = Outbox(db)
        outbox.change_csms("one")
        seqs_: dict[str, int] = {}
        for _ in range(400):
            _anything(chance, db, outbox, seqs_)
            n = chance.choice((1, 3, 32, 1000))
            assert [(one.id, one.fact, one.attempts) for one in outbox.some(TX, n)] == [tuple(one) for one in Outbox(db).some(TX, n)]


def _anything(chance: random.Random, db: Db, outbox: Outbox, seqs_: dict[str, int]) -> None:
    first = outbox.some(TX, chance.choice((1, 32)))
    match chance.choice(("append",) * 6 + ("many", "fails") + ("tell",) * 6 + ("tell another", "refuse", "give up", "retell", "csms", "thin")):
        case "append":
            _append(chance, outbox, seqs_)
        case "many":
            for _ in range(90):
                _append(chance, outbox, seqs_)
        case "fails":
            with pytest.raises(RuntimeError), db.transaction():
                outbox.append(event("rolled back", 0))
                raise RuntimeError
        case "tell" if first:
            outbox.told(first[0].id, chance.choice((None, "7")))
        case "tell another" if first:
            outbox.told(chance.choice(first).id)
        case "refuse" if first:
            outbox.attempted(first[0].id)
        case "give up" if first:
            outbox.give_up(first[0].id, "no")
        case "retell":
            outbox.retell()
        case "csms":
            outbox.change_csms(chance.choice(("one", "two")))
        case "thin":
            outbox.thin()


def _append(chance: random.Random, outbox: Outbox, seqs_: dict[str, int]) -> None:
    """The next fact of one of the two transactions begun last, or of another."""
    running = [transaction for transaction, seq in seqs_.items() if seq >= 0][-2:]
    transaction = chance.choice([*running, *running, f"t{len(seqs_)}"])
    seq = seqs_.get(transaction, 0)
    kind = EventKind.STARTED if not seq else chance.choice((EventKind.UPDATED,) * 4 + (EventKind.ENDED,))
    outbox.append(event(transaction, seq, kind))
    seqs_[transaction] = -1 if kind is EventKind.ENDED else seq + 1
