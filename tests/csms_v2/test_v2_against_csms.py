"""The 2.0.1 face and the real rpc against the built-in CSMS, over a real websocket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import websockets

from chargepoint.csms.face import Told
from chargepoint.csms.rpc import Rpc
from chargepoint.csms.v2.face import build
from chargepoint.model.facts import EventKind, SecurityFact, StatusFact, TransactionFact, Trigger
from chargepoint.model.idtoken import AuthorizationStatus, IdToken
from chargepoint.model.orders import Answer, RemoteStop
from chargepoint.model.questions import Authorize, Boot, BootReason, Heartbeat, HeartbeatAnswer, Registration, TransferAnswer, TransferData
from sim.csms.server import Csms, Refused


@pytest.fixture
async def csms() -> AsyncIterator[Csms]:
    running = Csms()
    running.port = await running.start()
    yield running
    await running.stop()


@pytest.fixture
async def face(bench, csms):
    async with websockets.connect(f"ws://127.0.0.1:{csms.port}/CP001", subprotocols=["ocpp2.0.1"], proxy=None, close_timeout=0.2) as socket:

        async def send(frame: bytes) -> None:
            await socket.send(frame, text=True)

        async def read() -> None:
            async for frame in socket:
                rpc.receive(frame)

        rpc = Rpc("ocpp2.0.1", send, bench.view.clock, lambda: 5.0, lambda work: asyncio.ensure_future(work))
        face = build(bench.view, rpc)
        rpc.hear = face.hear
        tasks = [asyncio.ensure_future(rpc.run()), asyncio.ensure_future(read())]
        yield face
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_transaction(face, csms, bench, at):
    booted = await face.ask(Boot(BootReason.POWER_UP))
    assert booted.status is Registration.ACCEPTED
    assert isinstance(await face.ask(Heartbeat()), HeartbeatAnswer)
    assert await face.ask(TransferData("v")) == TransferAnswer("Accepted")
    assert (await face.ask(Authorize(IdToken("04A1B2C3")))).info.status is AuthorizationStatus.ACCEPTED
    assert await face.speak(StatusFact(1, 1, "Preparing", at()), False) == Told()
    assert await face.speak(SecurityFact("StartupOfTheDevice", at()), True) == Told()
    started = TransactionFact("T1", 0, EventKind.STARTED, Trigger.AUTHORIZED, at(), 1, 1, said_evse=True, id_token=IdToken("FFFF"))
    told = await face.speak(started, True)
    assert told.info.status is AuthorizationStatus.INVALID
    assert await face.speak(TransactionFact("T1", 4, EventKind.ENDED, Trigger.REMOTE_STOP, at(2), 1, 1), False) == Told()
    [transaction] = csms.book.transactions
    assert (transaction.seqs, transaction.offline, transaction.ended) == ([0, 4], [True, False], True)
    assert csms.book.station("CP001").statuses == {"1/1": "Occupied"}
    assert not csms.book.violations


async def test_calls_of_the_csms(face, csms, bench):
    await face.ask(Boot(BootReason.POWER_UP))
    bench.takes(RemoteStop, Answer("Rejected", "TxNotFound"))
    answer = await csms.send("CP001", "RequestStopTransaction", {"transactionId": "T1"})
    assert answer == {"status": "Rejected", "statusInfo": {"reasonCode": "TxNotFound"}}
    for action, payload, code in (
        ("MakeTea", {}, "NotImplemented"),
        ("GetDisplayMessages", {"requestId": 1}, "NotSupported"),
        ("Reset", {"type": 1}, "TypeConstraintViolation"),
    ):
        with pytest.raises(Refused) as refused:
            await csms.send("CP001", action, payload)
        assert refused.value.code == code
    assert not csms.book.violations
