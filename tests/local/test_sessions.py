"""`chargepoint sessions` over a store whose station is not running: what people and programs get, and how mistakes are answered."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from chargepoint.command_line import main
from chargepoint.model.facts import Delivery, EventKind, StopReason, TransactionFact, Trigger
from chargepoint.model.idtoken import IdToken
from chargepoint.model.sample import Context, Purpose, Reading, SampledValue, Signed
from chargepoint.model.session import SessionRow
from chargepoint.model.stamp import Stamp, from_rfc3339
from chargepoint.store.damaged import Damaged
from chargepoint.store.db import Db
from chargepoint.store.outbox import Outbox
from chargepoint.store.sessions import Sessions

BLOB = Signed("T0NNRnx7IkZWIjoiMS4wIn18eyJTRCI6IjMwNDUwMjIxIn0=", "OCMF", "ECDSA", "b2NhOmJhc2UxNjphc24xOjMwNTk=")
READ = {"Started": BLOB.data + "AA==", "Ended": BLOB.data + "//8="}


class Store:
    """A station's store, filled by hand."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.count = 0

    def charge(self, card: str, day: str, wh: float, *, told: bool = True, refused: str = "") -> None:
        """One transaction of an hour, with a signed begin and end."""
        db = Db(self.directory / "station.db")
        outbox, sessions = Outbox(db), Sessions(db, SessionRow, lambda row: row.last)
        self.count += 1
        began = from_rfc3339(f"{day}T10:00:00Z")
        at = Stamp(1, 10.0, began, True)
        row = SessionRow(id=f"session-{self.count}", evse=1, connector=1, began=at, alive=at, start=(), stop=(), last=f"transaction-{self.count}")
        row.token = IdToken(card)
        for seq, kind in enumerate((EventKind.STARTED, EventKind.UPDATED, EventKind.ENDED)):
            with db.transaction():
                outbox.append(self._fact(row, seq, kind, began, wh, card))
                row.open = kind is not EventKind.ENDED
                sessions.save(row)
        for waiting in outbox.some(Delivery.TRANSACTION, 10) if told else ():
            if refused and isinstance(waiting.fact, TransactionFact) and waiting.fact.kind is EventKind.UPDATED:
                outbox.give_up(waiting.id, refused)
            else:
                outbox.told(waiting.id)
        db.close()

    def _fact(self, row: SessionRow, seq: int, kind: EventKind, began: float, wh: float, card: str) -> TransactionFact:
        at = Stamp(1, 10.0 + seq * 1800, began + seq * 1800, True)
        signed = Signed(READ[kind.value], BLOB.encoding, BLOB.method, BLOB.public_key) if kind.value in READ else None
        value = SampledValue(1000.0, "Energy.Active.Import.Register", Context.TRANSACTION_BEGIN, "Wh", signed=signed)
        return TransactionFact(
            row.last,
            seq,
            kind,
            Trigger.AUTHORIZED if seq == 0 else Trigger.METER_VALUE_PERIODIC,
            at,
            1,
            1,
            id_token=IdToken(card) if seq == 0 else None,
            stopped_reason=StopReason.LOCAL if kind is EventKind.ENDED else None,
            readings=(Reading(at, Purpose.BEGIN, (value,)),),
            register_wh=1000.0 + wh * seq / 2,
            time_charging_s=3600 if kind is EventKind.ENDED else None,
        )


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))
    return Store(tmp_path)


def sessions(*words: str) -> int:
    return main(["sessions", *words])


def test_export_per_card_and_month(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    for card, day, wh in (("CARD-A", "2026-10-31", 1000.0), ("CARD-B", "2026-11-01", 2000.0), ("CARD-A", "2026-11-02", 4000.0)):
        store.charge(card, day, wh)
    assert sessions("export") == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [(row["number"], row["card"], row["energy_wh"], row["reason"]) for row in rows] == [
        ("1", "CARD-A", "1000.0", "Local"),
        ("2", "CARD-B", "2000.0", "Local"),
        ("3", "CARD-A", "4000.0", "Local"),
    ]
    for words, found in (
        (("--card", "card-a"), ["1", "3"]),
        (("--month", "2026-11"), ["2", "3"]),
        (("--card", "CARD-A", "--month", "2026-11"), ["3"]),
        (("--card", "CARD-X"), []),
    ):
        assert sessions("export", *words) == 0
        assert [row["number"] for row in csv.DictReader(io.StringIO(capsys.readouterr().out))] == found
    for per, sums in (
        ("card", [("CARD-A", 5000.0), ("CARD-B", 2000.0)]),
        ("month", [("2026-10", 1000.0), ("2026-11", 6000.0)]),
    ):
        assert sessions("export", "--per", per, "--format", "json") == 0
        assert [(row[per], row["energy_wh"]) for row in json.loads(capsys.readouterr().out)] == sums


def test_what_the_meter_signed_leaves_as_it_came(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    store.charge("CARD-A", "2026-11-01", 1000.0)
    assert sessions("export", "--format", "json") == 0
    (whole,) = json.loads(capsys.readouterr().out)
    blob = {"encoding": BLOB.encoding, "method": BLOB.method, "public_key": BLOB.public_key, "context": "Transaction.Begin"}
    assert whole["signed"] == [{**blob, "data": READ["Started"]}, {**blob, "data": READ["Ended"]}]
    assert sessions("export") == 0
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert (row["signed_begin"], row["signed_end"]) == (READ["Started"], READ["Ended"])
    assert (row["signed_encoding"], row["signed_method"], row["public_key"]) == (BLOB.encoding, BLOB.method, BLOB.public_key)


def test_a_broken_chain_is_an_exit_code_and_a_place(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    store.charge("CARD-A", "2026-11-01", 1000.0)
    store.charge("CARD-A", "2026-11-02", 1000.0, told=False)
    assert sessions("verify") == 0
    assert "2 of 2 transactions hold, 6 entries\nall holds" in capsys.readouterr().out
    db = Db(store.directory / "station.db")
    (fact,) = db.execute("SELECT fact FROM transaction_facts WHERE n = 3").fetchone()
    db.execute("UPDATE transaction_facts SET fact = ? WHERE n = 3", (fact.replace(b"Local", b"Other"),))
    db.close()
    assert sessions("verify") == 1
    out, error = capsys.readouterr()
    assert "WRONG: transaction 2 (transaction-2): entry 3 (seq 2) was changed" in error and "1 places do not hold" in out
    assert sessions("verify", "1") == 0 and sessions("verify", "2") == 1


def test_what_was_given_up_is_shown_and_told_again(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    store.charge("CARD-A", "2026-11-01", 1000.0, refused="InternalError: no")
    assert sessions("list") == 0 and "1 given up" in capsys.readouterr().out
    assert sessions("show", "1") == 0 and "given up: seq 1: InternalError: no" in capsys.readouterr().out
    assert sessions("retell", "transaction-1") == 0 and "1 given-up facts are told again" in capsys.readouterr().out
    assert sessions("retell") == 0 and "they are being told" in capsys.readouterr().out
    db = Db(store.directory / "station.db")
    assert Outbox(db).waiting() == 1
    db.close()
    assert sessions("verify") == 0


def test_a_card_is_erased_and_what_is_not_told_waits(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    store.charge("CARD-A", "2026-11-01", 1000.0)
    store.charge("CARD-B", "2026-11-01", 1000.0)
    db = Db(store.directory / "station.db")
    at = Stamp(1, 10.0, 10.0, True)
    nothing = SessionRow(id="nothing", evse=1, connector=1, began=at, alive=at, start=(), stop=(), open=False, token=IdToken("CARD-A"))
    Sessions(db, SessionRow).save(nothing)
    db.close()
    store.charge("CARD-A", "2026-11-02", 1000.0, told=False)
    assert sessions("erase", "card-a") == 1
    out, error = capsys.readouterr()
    assert "erased from 1 transactions" in out and "transaction-3" in error
    assert sessions("verify") == 0
    capsys.readouterr()
    assert sessions("list", "--json") == 0
    assert [(row["number"], row["card"]) for row in json.loads(capsys.readouterr().out)] == [(3, "CARD-A"), (2, "CARD-B"), (1, None)]
    assert sessions("show", "1") == 0 and "card (erased)" in capsys.readouterr().out
    db = Db(store.directory / "station.db")
    kept = Sessions(db, SessionRow)
    tokens = [row.token for id in ("session-1", "session-2", "nothing", "session-3") if (row := kept.get(id)) is not None]
    assert tokens == [None, IdToken("CARD-B"), None, IdToken("CARD-A")]
    db.close()


def test_mistakes_are_answered_with_a_sentence(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    assert sessions("list") == 2
    assert "does not answer" in (error := capsys.readouterr().err) and "there is no store" in error
    store.charge("CARD-A", "2026-11-01", 1000.0)
    store.charge("CARD-A", "2026-11-01", 1000.0)
    assert sessions("show", "transaction-") == 1
    assert "several transactions, numbers 1, 2" in capsys.readouterr().err
    assert sessions("show", "no such") == 1 and "there is no transaction no such" in capsys.readouterr().err
    assert sessions("export", "--output", str(store.directory / "no" / "where.csv")) == 1 and "where.csv" in capsys.readouterr().err
    for words in (("export", "--month", "11"), ("list", "--limit", "0"), ("no-such-act",)):
        with pytest.raises(SystemExit) as refused:
            sessions(*words)
        assert refused.value.code == 2
    assert "is no month; write it as 2026-11" in capsys.readouterr().err


@pytest.mark.parametrize("card", ["", " ", "\udcff", "A\nB"])
def test_what_is_no_card_is_refused_before_anything_is_erased(store: Store, card: str, capsys: pytest.CaptureFixture[str]) -> None:
    store.charge("CARD-A", "2026-11-01", 1000.0)
    db = Db(store.directory / "station.db")
    Damaged(db).put("values", "a", b"x", "no MessagePack")
    db.close()
    for words in (("erase", card), ("list", "--card", card), ("export", "--card", card)):
        with pytest.raises(SystemExit) as refused:
            sessions(*words)
        assert refused.value.code == 2 and "is no card" in capsys.readouterr().err
    db = Db(store.directory / "station.db")
    assert db.execute("SELECT content FROM damaged").fetchall() == [(b"x",)]
    db.close()


def test_a_short_card_takes_only_rows_of_its_own_from_what_could_not_be_read(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    """Its one character would stand in the bytes of any."""
    store.charge("CARD-A", "2026-11-01", 1000.0)
    db = Db(store.directory / "station.db")
    Damaged(db).put("token_cache", "a", b"x", "no MessagePack")
    Damaged(db).put("sessions", "session-1", b"abc", "no MessagePack")
    db.close()
    assert sessions("erase", "A") == 0
    db = Db(store.directory / "station.db")
    assert db.execute("SELECT key, content FROM damaged ORDER BY id").fetchall() == [("(erased)", None), ("session-1", b"abc")]
    db.close()


def test_a_file_that_cannot_be_is_answered_with_a_sentence(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    store.charge("CARD-A", "2026-11-01", 1000.0)
    with pytest.raises(SystemExit) as refused:
        sessions("export", "--output", "a\0b")
    assert refused.value.code == 2 and "is no file" in capsys.readouterr().err


@pytest.mark.parametrize("act", ["", "list", "show", "verify", "export", "retell", "erase"])
def test_each_act_has_help_with_an_example(act: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        sessions(*([act] if act else []), "--help")
    assert ended.value.code == 0 and f"chargepoint sessions {act or 'list'}" in capsys.readouterr().out.split("example")[1]
