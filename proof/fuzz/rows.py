"""A station whose store holds whatever bytes a row can hold, at its start and while it runs: nothing ends it, and what is whole is told in order.

The store is a sound database; only values in its rows are damaged. Must not know what the rows mean.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from chargepoint.csms.face import CallRefused
from chargepoint.csms.rpc import Outcome, Refusal, Urgency
from chargepoint.model.facts import Delivery, Fact, SecurityFact, TransactionFact
from chargepoint.station.ledger_desk import Desk
from chargepoint.station.security import SecurityEvent
from chargepoint.store.boots import Boots
from chargepoint.store.damaged import Damaged
from chargepoint.store.packed import Unreadable, value_of
from proof.fuzz.inputs import NASTY_NUMBERS, TEXTS, VALUES, as_json
from proof.fuzz.target import Target
from proof.torture.paper import PaperStation, settings_of
from proof.torture.recording import memory
from proof.torture.workload import WALL_S, know_card
from tests.offline.scene import PaperCsms
from tests.simclock import SimulatedClock
from tests.station.station_rig import CARD

TOLD_WITHIN_S = 120
"""A fact that makes no sense to the CSMS is given up at once."""
STATE = ("station.db", "station.mark")
_facts: msgspec.msgpack.Decoder[Fact] = msgspec.msgpack.Decoder(Fact)


class Place(NamedTuple):
    """A value in the store: the row-th of its table, by its key."""

    table: str
    column: str
    row: int
    key: Any


class House(NamedTuple):
    """What a station left: its files, every place in them, the names of fields, and the transaction facts that wait: (id, transaction, seq)."""

    version: str
    files: dict[str, bytes]
    places: tuple[Place, ...]
    fields: list[str]
    waiting: tuple[tuple[int, str, int], ...]


class _Csms(PaperCsms):
    """Refuses what is no message, as a CSMS does."""

    async def call(self, action: str, payload: dict[str, Any], urgency: Urgency) -> Outcome:
        try:
            return await super().call(action, payload, urgency)
        except CallRefused as refused:
            return Refusal(refused.code, refused.description)


def _station(path: Path, version: str, start_s: float) -> PaperStation:
    settings = settings_of(version, 2)
    more: dict[str, Any] = {
        "OCPPCommCtrlr.MessageAttempts[TransactionEvent]": 1,
        "SampledDataCtrlr.TxEndedInterval": 3,
        "SampledDataCtrlr.TxEndedMeasurands": "Energy.Active.Import.Register",
    }
    settings = msgspec.structs.replace(settings, ocpp2=msgspec.structs.replace(settings.ocpp2, variables={**settings.ocpp2.variables, **more}))
    clock = SimulatedClock(start_s=start_s, wall_s=WALL_S + start_s, boot_id="one boot")
    (path / "state").mkdir(exist_ok=True)
    csms = _Csms(version, {CARD: "Accepted"})
    return PaperStation(path / "state", path / "run", clock, settings, {1: 5000.0, 2: 7000.0}, csms=csms)


async def _lived(path: Path, version: str) -> list[tuple[int, str, int]]:
    """Something in every table: told, given up, waiting and running."""
    station = _station(path, version, 1000.0)
    station.begin()
    know_card(station)
    station.online()
    station.core.model.set("OCPPCommCtrlr.HeartbeatInterval", "300")
    await station.second()
    await _charge(station, 1, 4)
    await station.all_told()
    await _begin(station, 2, 6)
    await station.all_told()
    station.offline()
    for _ in range(2):
        await _charge(station, 1, 5)
    station.outbox.give_up(station.outbox.some(Delivery.TRANSACTION, 2)[1].id, "refused")
    station.core.security.happened(SecurityEvent.MEMORY_EXHAUSTION, "a test")
    await station.second(3)
    facts = [(one.id // 4, one.fact) for one in station.outbox.some(Delivery.TRANSACTION, 1000)]
    await station.end()
    station.db.close()
    return [(id, fact.transaction, fact.seq) for id, fact in facts if isinstance(fact, TransactionFact)]


async def _begin(station: PaperStation, evse: int, seconds: int) -> None:
    station.control.plug(evse)
    await station.second()
    await station.swipe(evse)
    await station.second(seconds)


async def _charge(station: PaperStation, evse: int, seconds: int) -> None:
    await _begin(station, evse, seconds)
    await station.swipe(evse)
    await station.second(3)
    station.control.unplug(evse)
    await station.second(2)


@cache
def _house(version: str) -> House:
    with tempfile.TemporaryDirectory(prefix="fuzz-", dir=memory()) as directory:
        path = Path(directory)
        waiting = asyncio.run(_lived(path, version))
        files = {name: (path / "state" / name).read_bytes() for name in STATE}
        with closing(sqlite3.connect(path / "state" / "station.db")) as connection:
            places = tuple(_places(connection))
            fields = sorted(set(_fields(connection, places)))
    return House(version, files, places, fields, tuple(waiting))


def _places(connection: sqlite3.Connection) -> Iterator[Place]:
    """Every value but keys, in the first rows of each table."""
    tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")]
    for table in tables:
        columns = connection.execute(f'PRAGMA table_info("{table}")').fetchall()
        key = next(column[1] for column in columns if column[5])
        for number, (value,) in enumerate(connection.execute(f'SELECT "{key}" FROM "{table}" ORDER BY 1').fetchall()):
            yield from (Place(table, column[1], number, value) for column in columns if not column[5])


def _key_of(execute: Any, table: str) -> str:
    return str(next(column[1] for column in execute(f'PRAGMA table_info("{table}")').fetchall() if column[5]))


def _broken(content: Any, how: dict[str, Any]) -> Any:
    """What a place holds afterwards. how: {"value": any}, {"hex": bytes}, {"cut": at}, {"flip": [at, byte]} or {"field": name, "to": any}."""
    raw = content if isinstance(content, bytes) else str(content).encode()
    match how:
        case {"hex": str(text)}:
            return bytes.fromhex(text)
        case {"cut": int(at)}:
            return raw[: at % (len(raw) + 1)]
        case {"flip": [int(at), int(byte)]}:
            at = at % len(raw) if raw else 0
            return raw[:at] + bytes([byte]) + raw[at + 1 :]
        case {"field": str(name), "to": value}:
            return _with(raw, name, value)
        case {"value": str(text)}:
            return text.encode("utf-8", "replace").decode()  # no store takes half a character
        case {"value": value}:
            return value if not isinstance(value, int) or -(1 << 63) <= value < 1 << 63 else str(value)
    return content


def _with(raw: bytes, name: str, value: Any) -> bytes:
    try:
        found = msgspec.msgpack.decode(raw)
        return msgspec.msgpack.encode({**found, name: value} if isinstance(found, dict) else value)
    except (msgspec.MsgspecError, OverflowError, UnicodeError, TypeError):
        return b""


Damage = dict[str, Any]


def _apply(execute: Any, places: Sequence[Place], damages: Sequence[Damage]) -> list[tuple[Place, Any]]:
    """Each damage in its place; which, and what lies there now."""
    done = []
    for damage in damages:
        place = places[damage["place"] % len(places)]
        key = _key_of(execute, place.table)
        row = execute(f'SELECT "{place.column}" FROM "{place.table}" WHERE "{key}" = ?', (place.key,)).fetchone()
        if row is None:
            continue
        content = _broken(row[0], damage["how"])
        execute(f'UPDATE OR IGNORE "{place.table}" SET "{place.column}" = ? WHERE "{key}" = ?', (content, place.key))
        done.append((place, execute(f'SELECT "{place.column}" FROM "{place.table}" WHERE "{key}" = ?', (place.key,)).fetchone()[0]))
    return done


def _damaged(version: str, data: bytes) -> object:
    """One station over damaged rows, and another start of it."""
    house, wanted = _house(version), json.loads(data)
    with tempfile.TemporaryDirectory(prefix="fuzz-", dir=memory()) as directory:
        asyncio.run(_live(Path(directory), house, [d for d in wanted if not d["late"]], [d for d in wanted if d["late"]]))
    return None


async def _live(path: Path, house: House, early: Sequence[Damage], late: Sequence[Damage]) -> None:
    (path / "state").mkdir()
    for name, content in house.files.items():
        (path / "state" / name).write_bytes(content)
    with closing(sqlite3.connect(path / "state" / "station.db", isolation_level=None)) as connection:
        done = _apply(connection.execute, house.places, early)
    station = _station(path, house.version, 2000.0)
    await _goes_on(station)
    done += _apply(station.db.execute, house.places, late)
    await station.second(3)
    station.online()
    assert await station.all_told(TOLD_WITHIN_S), "something dams up what waits"
    await station.second(2)
    _judge(station, house, done)
    await _over(station)
    again = _station(path, house.version, 4000.0)
    await _goes_on(again)
    await _over(again)


async def _goes_on(station: PaperStation) -> None:
    station.begin()
    station.control.plug(2)
    await station.second(3)


async def _over(station: PaperStation) -> None:
    for task in station.tasks:
        assert not task.done(), f"a task has ended: {task!r}"
    await station.end()
    station.db.close()


def _judge(station: PaperStation, house: House, done: Sequence[tuple[Place, Any]]) -> None:
    found = Damaged(station.db)
    assert not found.unsaid(), "damage that nobody was told of"
    kept = [row[0] for row in station.db.execute("SELECT content FROM damaged").fetchall()]
    for place, content in dict(done).items():
        if place.table == "guaranteed_facts" and place.column == "fact" and _is_none(content):
            assert content in kept, f"{place}: its bytes are gone"
    touched = {place.key for place, _ in done if place.table == "transaction_facts"}
    told_anew = any(place.table in ("values", "notes", "sessions") for place, _ in done)
    if house.version == "ocpp2.0.1":
        heard = [
            (payload["transactionInfo"]["transactionId"], payload["seqNo"]) for name, payload in station.csms.heard if name == "TransactionEvent"
        ]
        whole = [(transaction, seq) for id, transaction, seq in house.waiting if id not in touched]
        places = [heard.index(key) for key in whole if key in heard or not told_anew]
        assert places == sorted(places), "facts came in another order"
    _asked(Desk(station.db, Boots(station.db), station.outbox.retell))


def _is_none(content: Any) -> bool:
    try:
        return not isinstance(value_of(content, _facts), SecurityFact)
    except Unreadable:
        return True


def _asked(desk: Desk) -> None:
    """Whatever people ask of the ledger has an answer."""
    listed = desk.answer({"list": None})["transactions"]
    desk.answer({"verify": 0})
    assert "wrong" in desk.answer({"whole": True})
    for item in listed:
        desk.answer({"show": item["transaction"], "after": 0})
    desk.answer({"erase": CARD, "after": 0})
    desk.answer({"retell": None})


def _damages(version: str) -> SearchStrategy[bytes]:
    """Up to six places, those with content before those with numbers."""
    how = (
        st.binary(max_size=30).map(lambda data: {"hex": data.hex()})
        | st.integers(0, 2000).map(lambda at: {"cut": at})
        | st.tuples(st.integers(0, 2000), st.integers(0, 255)).map(lambda both: {"flip": list(both)})
        | st.tuples(st.sampled_from(_house(version).fields), VALUES | NASTY_NUMBERS).map(lambda both: {"field": both[0], "to": both[1]})
        | (NASTY_NUMBERS | TEXTS | st.none()).map(lambda value: {"value": value})
    )
    place = st.integers(0, len(_house(version).places) - 1)
    one = st.fixed_dictionaries({"place": place, "how": how, "late": st.booleans()})
    return st.lists(one, min_size=1, max_size=6).map(as_json)


def _fields(connection: sqlite3.Connection, places: Sequence[Place]) -> Iterator[str]:
    """Names that stand in the store's own structures."""
    for place in places:
        key = _key_of(connection.execute, place.table)
        (content,) = connection.execute(f'SELECT "{place.column}" FROM "{place.table}" WHERE "{key}" = ?', (place.key,)).fetchone()
        yield from _names(content)


def _names(content: Any) -> set[str]:
    try:
        found = msgspec.msgpack.decode(content) if isinstance(content, bytes) else None
    except (msgspec.MsgspecError, UnicodeError):
        return set()
    return {name for name in found if isinstance(name, str)} if isinstance(found, dict) else set()


TARGETS = (
    Target("store_rows_16", "rows of the store, 1.6", partial(_damaged, "ocpp1.6"), (), st.deferred(lambda: _damages("ocpp1.6")), plain=False),
    Target("store_rows_201", "rows of the store, 2.0.1", partial(_damaged, "ocpp2.0.1"), (), st.deferred(lambda: _damages("ocpp2.0.1")), plain=False),
)
