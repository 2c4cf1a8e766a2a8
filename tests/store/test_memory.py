"""Boots, sessions, tokens, variables, values."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from chargepoint.model.idtoken import AuthorizationStatus, IdToken, IdTokenInfo
from chargepoint.model.orders import ListEntry
from chargepoint.model.stamp import Stamp
from chargepoint.store.boots import Boots
from chargepoint.store.db import Db
from chargepoint.store.sessions import Sessions
from chargepoint.store.tokens import Tokens
from chargepoint.store.values import Values
from chargepoint.store.variables import Variables

ACCEPTED = IdTokenInfo(AuthorizationStatus.ACCEPTED)
BLOCKED = IdTokenInfo(AuthorizationStatus.BLOCKED)


class Row(msgspec.Struct):
    id: str
    evse: int
    open: bool
    text: str = ""


@pytest.fixture
def db(tmp_path: Path) -> Db:
    return Db(tmp_path / "station.db")


def test_a_boot_has_one_number_however_often_the_process_starts(db: Db) -> None:
    assert Boots(db).begin("a") == 1
    assert Boots(db).begin("a") == 1
    assert Boots(db).begin("b") == 2


def test_a_time_learnt_later_tells_when_earlier_things_were(db: Db) -> None:
    boots = Boots(db)
    boot = boots.begin("a")
    stamp = Stamp(boot, 50.0, 3.0, False)
    assert boots.wall_of(stamp) == 3.0 and not boots.learnt(stamp)
    boots.learn(boot, 1_000_000.0)
    assert Boots(db).wall_of(stamp) == 1_000_050.0 and boots.learnt(stamp)
    assert boots.wall_of(Stamp(boot, 50.0, 7.0, True)) == 7.0


def test_a_boot_that_never_learnt_its_time_is_held_between_its_neighbours(db: Db) -> None:
    boots = Boots(db)
    boots.learn(boots.begin("a"), 1_000_000.0)
    boots.alive(1, 500.0)
    unknown = boots.begin("b")
    assert boots.wall_of(Stamp(unknown, 5.0, 10.0, False)) == 1_000_500.0
    boots.learn(boots.begin("c"), 1_002_000.0)
    assert boots.wall_of(Stamp(unknown, 5.0, 9e9, False)) == 1_002_000.0
    assert boots.wall_of(Stamp(unknown, 5.0, 1_001_000.0, False)) == 1_001_000.0
    assert boots.last_alive(1) == 500.0


def test_session_rows(db: Db) -> None:
    sessions = Sessions(db, Row)
    sessions.save(Row("a", 1, True))
    sessions.save(Row("b", 2, True, "x"))
    sessions.save(Row("a", 1, False, "ended"))
    again = Sessions(db, Row)
    assert again.open_rows() == [Row("b", 2, True, "x")]
    assert again.get("a") == Row("a", 1, False, "ended") and again.get("c") is None
    assert [row.id for row in again.last(5)] == ["b", "a"]


def test_only_the_last_ended_sessions_are_kept_and_every_open_one(db: Db) -> None:
    sessions = Sessions(db, Row)
    sessions.save(Row("open", 1, True))
    with db.transaction():
        for number in range(150):
            sessions.save(Row(f"s{number}", 1, False))
    assert len(sessions.last(1000)) == 101
    assert [row.id for row in sessions.open_rows()] == ["open"]


def test_the_local_list_without_regard_to_case(db: Db) -> None:
    tokens = Tokens(db)
    tokens.replace([ListEntry(IdToken("04a1B2"), ACCEPTED)])
    tokens.set_version(3)
    assert Tokens(db).listed(IdToken("04A1b2")) == ACCEPTED
    assert (tokens.list_version(), tokens.count()) == (3, 1)
    tokens.update([ListEntry(IdToken("04A1B2"), BLOCKED), ListEntry(IdToken("NEW"), ACCEPTED)])
    assert tokens.listed(IdToken("04a1b2")) == BLOCKED and tokens.count() == 2
    tokens.update([ListEntry(IdToken("new"), None)])
    assert tokens.listed(IdToken("NEW")) is None
    tokens.replace([])
    assert tokens.count() == 0


def test_a_hundred_thousand_entries(db: Db) -> None:
    tokens = Tokens(db)
    tokens.replace(ListEntry(IdToken(f"{number:014X}"), ACCEPTED) for number in range(100_000))
    tokens.set_version(7)
    db.close()
    again = Db(db.path)
    tokens = Tokens(again)
    assert (tokens.count(), tokens.list_version()) == (100_000, 7)
    assert tokens.listed(IdToken(f"{77_777:014x}")) == ACCEPTED and tokens.listed(IdToken("none")) is None
    for table in ("local_list", "token_cache"):
        plan = again.execute(f"EXPLAIN QUERY PLAN SELECT info FROM {table} WHERE token = 'x'").fetchone()[3]
        assert plan.startswith(f"SEARCH {table} USING PRIMARY KEY"), "never looked through"


def test_the_length_after_an_update(db: Db) -> None:
    tokens = Tokens(db)
    tokens.replace([ListEntry(IdToken(name), ACCEPTED) for name in "ABC"])
    update = [ListEntry(IdToken("a"), BLOCKED), ListEntry(IdToken("B"), None), ListEntry(IdToken("X"), None), ListEntry(IdToken("D"), ACCEPTED)]
    assert tokens.length_with(update) == 3
    tokens.update(update)
    assert tokens.count() == 3


def test_the_cache(db: Db) -> None:
    tokens = Tokens(db)
    for number in range(10):
        tokens.remember(IdToken(f"t{number}"), ACCEPTED, float(number))
    assert tokens.cached(IdToken("T3")) == (ACCEPTED, 3.0)
    tokens.prune(4, IdToken("t9"), lambda info: True)
    assert tokens.cache_count() == 4 and tokens.cached(IdToken("t5")) is None and tokens.cached(IdToken("t6")) is not None
    tokens.forget(IdToken("t6"))
    assert tokens.cached(IdToken("t6")) is None
    tokens.forget_cache()
    assert tokens.cache_count() == 0


def test_variables_and_the_factory_value_they_replaced(db: Db) -> None:
    variables = Variables(db)
    variables.set_factory("a", "1")
    assert variables.load() == {} and variables.factory("a") == "1"
    variables.save("a", "2")
    variables.save("a", "3")
    assert Variables(db).load() == {"a": "3"} and variables.factory("a") == "1"
    variables.remove("a")
    assert variables.load() == {} and variables.factory("a") is None


def test_values_of_another_shape_count_as_none(db: Db) -> None:
    values = Values(db)
    values.set("a", {"x": 1})
    assert values.get("a", dict[str, int]) == {"x": 1}
    assert values.get("a", int) is None and values.get("b", int) is None
    values.remove("a")
    assert values.get("a", dict[str, int]) is None
