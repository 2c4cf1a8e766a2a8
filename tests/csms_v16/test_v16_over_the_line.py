"""The 1.6 face, the teller and the line together, over a real WebSocket: every payload held to its schema by the other end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from websockets.asyncio.server import ServerConnection

from chargepoint.clock import Clock
from chargepoint.csms.face import StationView
from chargepoint.csms.line import Line
from chargepoint.csms.schema import Schemas
from chargepoint.csms.teller import Teller
from chargepoint.model.facts import EventKind, StatusFact, StopReason, TransactionFact, Trigger
from chargepoint.model.idtoken import AuthorizationStatus, IdToken, IdTokenInfo
from chargepoint.model.orders import Answer, RemoteStop
from chargepoint.model.questions import Boot, BootAnswer, BootReason
from chargepoint.model.sample import Context, Purpose, Reading, SampledValue
from chargepoint.model.stamp import Stamp
from chargepoint.settings import Csms as Csms_
from chargepoint.settings import Tls
from chargepoint.station.backend import Backend
from chargepoint.station.certificates import Certificates
from chargepoint.station.network_profiles import NetworkProfiles
from chargepoint.store.db import Db
from chargepoint.store.outbox import Outbox
from chargepoint.store.values import Values
from tests.csms.conftest import Csms, until
from tests.csms_v16.conftest import SETTINGS, device_model, with_factory

SCHEMAS = Schemas("ocpp1.6")
WALL_S = 1_704_067_200.0


class Central:
    """Answers as a central system does; gives every transaction the number 1 when told to."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.complaints: list[str] = []
        self.answers: list[Any] = []
        self.same_number = False
        self.mute: set[str] = set()
        self._number = 0

    async def serve(self, csms: Csms, connection: ServerConnection) -> None:
        async for frame in connection:
            message = msgspec.json.decode(frame)
            if message[0] != 2:
                self.answers.append(message)
                continue
            self.calls.append((message[2], message[3]))
            SCHEMAS.call(message[2], message[3])
            if message[2] not in self.mute:
                await connection.send(msgspec.json.encode([3, message[1], self._answer(message[2])]), text=True)

    def of(self, action: str) -> list[dict[str, Any]]:
        return [payload for name, payload in self.calls if name == action]

    def _answer(self, action: str) -> dict[str, Any]:
        if action == "BootNotification":
            return {"status": "Accepted", "currentTime": "2024-05-01T10:00:00Z", "interval": 300}
        if action == "StartTransaction":
            self._number += 1
            return {"transactionId": 1 if self.same_number else self._number, "idTagInfo": {"status": "Invalid"}}
        return {"idTagInfo": {"status": "Accepted"}} if action == "StopTransaction" else {}


class Whole:
    """Line, backend, teller and outbox as the station wires them."""

    def __init__(self, csms: Csms, folder: Path) -> None:
        settings = with_factory(TransactionMessageRetryInterval=0)
        self.clock = Clock(has_rtc=True)
        self.db = Db(folder / "station.db")
        self.outbox = Outbox(self.db)
        self.dm = device_model(self.db, settings)
        self.dm.push("OCPPCommCtrlr.RetryBackOffWaitMinimum", "0")
        self.dm.push("OCPPCommCtrlr.RetryBackOffRandomRange", "0")
        self.backend = Backend(Values(self.db), csms.url, ("ocpp1.6",), self.outbox.change_csms)
        self.stopped: list[RemoteStop] = []
        self.running: list[str] = []
        self.answered: list[tuple[int, IdTokenInfo | None]] = []
        view = StationView(
            {RemoteStop: self._stop},
            self.dm,
            SETTINGS,
            self.clock,
            lambda at: at.wall_s,
            self.outbox,
            self.backend,
            lambda: self.running,
            "0.1.0",
        )
        slots = NetworkProfiles(Csms_(url=csms.url, identity="CP001", ocpp=("ocpp1.6",)), self.dm, Values(self.db))
        certificates = Certificates(folder, Tls(), self.clock)
        self.line = Line(slots, view, self.backend, certificates, lambda kind, info: None)
        self.teller = Teller(
            self.outbox,
            self.backend,
            lambda: self.line.face,
            self.dm,
            self.clock,
            lambda fact, info: self.answered.append((fact.seq, info)),
            lambda: [StatusFact(0, 0, "Available", Stamp(1, 1.0, WALL_S, True)), StatusFact(7, 1, "Available", Stamp(1, 1.0, WALL_S, True))],
        )
        self.tasks = [asyncio.create_task(self.line.run()), asyncio.create_task(self.teller.run())]

    async def _stop(self, order: RemoteStop) -> Answer:
        self.stopped.append(order)
        return Answer("Accepted")

    async def register(self) -> None:
        await until(lambda: self.backend.face is not None)
        answer = await self.backend.ask(Boot(BootReason.POWER_UP))
        assert isinstance(answer, BootAnswer)
        self.backend.registered(answer.status)

    async def close(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        self.db.close()


def fact(transaction: str, seq: int, kind: EventKind, **more: Any) -> TransactionFact:
    at = Stamp(1, float(seq), WALL_S + seq, True)
    return TransactionFact(transaction, seq, kind, Trigger.METER_VALUE_PERIODIC, at, 7, 1, register_wh=1000.5 + seq, **more)


def session(transaction: str, samples: int = 2) -> list[TransactionFact]:
    def reading(seq: int) -> Reading:
        values = (SampledValue(1000.5 + seq, "Energy.Active.Import.Register", Context.SAMPLE_PERIODIC, "Wh"),)
        return Reading(Stamp(1, float(seq), WALL_S + seq, True), Purpose.UPDATED, values)

    return [
        fact(transaction, 0, EventKind.STARTED, id_token=IdToken("04A1B2C3")),
        *(fact(transaction, seq, EventKind.UPDATED, readings=(reading(seq),)) for seq in range(1, samples + 1)),
        fact(transaction, samples + 1, EventKind.ENDED, stopped_reason=StopReason.EV_DISCONNECTED),
    ]


@pytest.fixture
def central() -> Central:
    return Central()


@pytest.fixture
async def csms(central: Central) -> AsyncIterator[Csms]:
    served = Csms()
    served.on_connect = central.serve
    await served.start()
    yield served
    await served.stop()


@pytest.fixture
async def whole(csms: Csms, tmp_path: Path) -> AsyncIterator[Whole]:
    made = Whole(csms, tmp_path)
    yield made
    await made.close()


async def test_a_session_told_while_it_happens(whole: Whole, central: Central) -> None:
    await whole.register()
    for item in session("t1"):
        whole.outbox.append(item)
    await until(lambda: whole.outbox.waiting() == 0)
    assert [action for action, _ in central.calls if action not in ("BootNotification", "StatusNotification")] == [
        "StartTransaction",
        "MeterValues",
        "MeterValues",
        "StopTransaction",
    ]
    assert central.of("StopTransaction")[0]["transactionId"] == 1 and central.of("MeterValues")[1]["transactionId"] == 1
    assert [payload["connectorId"] for payload in central.of("StatusNotification")] == [0, 3]
    assert whole.answered[0] == (0, IdTokenInfo(AuthorizationStatus.INVALID))


async def test_sessions_charged_offline_are_told_once_and_in_order(whole: Whole, central: Central, csms: Csms) -> None:
    for number in range(3):
        for item in session(f"t{number}"):
            whole.outbox.append(item)
    await whole.register()
    await until(lambda: len(central.of("MeterValues")) >= 2)
    csms.connections[-1].transport.abort()
    await until(lambda: whole.outbox.waiting() == 0)
    stops = central.of("StopTransaction")
    assert len({payload["transactionId"] for payload in stops}) == 3
    assert [payload["timestamp"] for payload in central.of("StartTransaction")][-1] == "2024-01-01T00:00:00.000Z"
    assert len(central.of("BootNotification")) == 1


async def test_one_number_for_all_and_a_remote_stop(whole: Whole, central: Central, csms: Csms) -> None:
    central.same_number = True
    await whole.register()
    whole.running = ["t1", "t2"]
    for item in (session("t1")[0], session("t2")[0]):
        whole.outbox.append(item)
    await until(lambda: whole.outbox.waiting() == 0)
    await csms.send([2, "stop", "RemoteStopTransaction", {"transactionId": 1}])
    await until(lambda: whole.stopped)
    assert whole.stopped == [RemoteStop("t2")]


async def test_a_start_that_is_given_up_leaves_minus_one(whole: Whole, central: Central) -> None:
    central.mute = {"StartTransaction"}
    whole.dm.push("OCPPCommCtrlr.MessageTimeout[Default]", "0.02")
    await whole.register()
    for item in session("t1"):
        whole.outbox.append(item)
    await until(lambda: whole.outbox.waiting() == 0)
    assert len(central.of("StartTransaction")) == 5
    assert central.of("StopTransaction")[0]["transactionId"] == -1 and whole.outbox.given_up() == 1


async def test_another_csms_is_told_a_running_transaction_whole(whole: Whole, central: Central, csms: Csms) -> None:
    await whole.register()
    whole.outbox.append(session("t1")[0])
    await until(lambda: whole.outbox.waiting() == 0)
    whole.backend.use("another", True)
    csms.connections[-1].transport.abort()
    await until(lambda: whole.backend.face is not None and not whole.backend.accepted)
    await whole.register()
    whole.outbox.append(session("t1")[-1])
    await until(lambda: whole.outbox.waiting() == 0)
    assert [payload["meterStart"] for payload in central.of("StartTransaction")] == [1000, 1000]
    assert central.of("StopTransaction")[0]["transactionId"] == 2


async def test_a_csms_that_comes_back_hears_the_rest_under_its_own_number(whole: Whole, central: Central, csms: Csms) -> None:
    start, first, second, end = session("t1")
    for name, item in (("one", start), ("two", first), ("one", second), ("two", end), ("one", None)):
        whole.backend.use(name, True)
        for connection in csms.connections[-1:]:
            connection.transport.abort()
        await until(lambda: whole.backend.face is not None and not whole.backend.accepted)
        await whole.register()
        if item is not None:
            whole.outbox.append(item)
        await until(lambda: whole.outbox.waiting() == 0)
    told = [(action, payload.get("transactionId")) for action, payload in central.calls if "Transaction" in action or action == "MeterValues"]
    assert told == [
        ("StartTransaction", None),
        *(("StartTransaction", None), ("MeterValues", 2)),
        *(("MeterValues", 1), ("MeterValues", 1)),
        *(("MeterValues", 2), ("StopTransaction", 2)),
        ("StopTransaction", 1),
    ]
    assert [payload["timestamp"] for payload in central.of("StopTransaction")] == ["2024-01-01T00:00:03.000Z"] * 2
