"""The whole station against a hostile CSMS and a hostile asker at its local socket: nothing they send ends it, fails in it, or goes unanswered.

It runs on simulated time and is kept from one try to the next, as a station is; after a defect a new one is started. Must not know single messages.
"""

from __future__ import annotations

import asyncio
import atexit
import json
import logging
import random
import tempfile
from collections.abc import Awaitable, Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from proof.fuzz.inputs import DEEP, VALUES, as_json, maimed, other_values
from proof.fuzz.schemas import payloads, spoiled
from proof.fuzz.target import Target
from proof.soak.charger import Charger
from proof.soak.csms import CALL, RESULT, Conversation, Csms
from proof.soak.network import Network, Wire
from proof.soak.simulated import Pace, SimulatedLoop
from sim.csms.book import Card
from sim.csms.orders import ORDERS

EPOCH_S = 1_714_557_600.0
CARD = "04A1B2C3"
MOST_S = 900.0
"""Of simulated time, for a station to be accepted again after whatever was done to it."""
HARMLESS = "GetLocalListVersion"
ENDING = ("Reset",)
"""Orders that end the process, as they should."""


class _Hostile(Conversation):
    """Keeps every answer, and answers one call as it is told."""

    def __init__(self, csms: _HostileCsms, wire: Wire) -> None:
        super().__init__(csms, wire)
        self._hostile = csms

    def _hear(self, text: bytes) -> None:
        kind, id_, *rest = json.loads(text)
        if kind != CALL:
            self._hostile.heard.append((kind, id_, rest))
        super()._hear(text)

    def _called(self, id_: str, action: str, payload: Any) -> None:
        if action in self._hostile.lies:
            lie = self._hostile.lies.pop(action)
            self._hostile.lied.append(action)
            self._send([RESULT, id_, lie])
            return
        super()._called(id_, action, payload)

    def say(self, data: bytes) -> None:
        """Any bytes as one text frame."""
        self._web.send_text(data)
        self._flush()


class _HostileCsms(Csms):
    def __post_init__(self) -> None:
        super().__post_init__()
        self.heard: list[tuple[int, str, list[Any]]] = []
        self.lies: dict[str, Any] = {}
        self.lied: list[str] = []

    def connect(self, wire: Wire) -> Conversation:
        return _Hostile(self, wire)


class _Tracebacks(logging.Handler):
    """What the station caught where nothing should have been raised."""

    def __init__(self, failures: list[str]) -> None:
        super().__init__(logging.ERROR)
        self._failures = failures

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info:
            self._failures.append(f"{record.getMessage()[:200]}: {record.exc_info[1]!r}")


class Lab:
    """One station and what is done to it."""

    def __init__(self, version: str) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="fuzz-")
        self.loop = SimulatedLoop()
        self.pace = Pace()
        self.failures: list[str] = []
        self._tracebacks = _Tracebacks(self.failures)
        self.loop.default_exception_handler = self._failed  # type: ignore[method-assign]  # whatever nobody else has caught
        directory = Path(self._directory.name)
        asyncio.set_event_loop(self.loop)
        self.charger = Charger(directory, self.loop, self.pace, EPOCH_S, version)
        self.csms = _HostileCsms(lambda: EPOCH_S + self.loop.time(), random.Random(1), version, directory / "witness")
        self.csms.book.set_card(CARD, Card())
        network = Network(random.Random(2), self.csms.connect)
        self.loop.dial = network.dial
        self._number = 0
        self.charger.power_on()
        self.charger.clock.synchronised, self.charger.clock.error_s = False, -EPOCH_S  # a board without a battery believes its CSMS
        self.do(self.accepted())

    def do(self, work: Awaitable[object]) -> object:
        asyncio.set_event_loop(self.loop)
        logging.getLogger().addHandler(self._tracebacks)
        try:
            return self.loop.run_until_complete(work)
        finally:
            logging.getLogger().removeHandler(self._tracebacks)

    def close(self) -> None:
        if self.charger.powered:
            self.do(self.charger.power_cut())
        self.csms.finish()
        asyncio.set_event_loop(None)
        self.loop.close()
        self._directory.cleanup()

    async def accepted(self) -> None:
        """Waits until the station is accepted and answers a harmless call."""
        until = self.loop.time() + MOST_S
        while self.loop.time() < until:
            if await self._answers():
                return
            await asyncio.sleep(5)
        raise AssertionError("the station is not accepted any more, or does not answer")

    async def frame(self, data: bytes) -> None:
        """One frame of the CSMS; the station goes on and has not failed inside."""
        before, live = len(self.csms.heard), self.csms.live
        if not isinstance(live, _Hostile):
            await self.accepted()
            live = self.csms.live
        assert isinstance(live, _Hostile)
        live.say(data)
        await asyncio.sleep(1)
        for kind, _, rest in self.csms.heard[before:]:
            assert kind == RESULT or rest[0] != "InternalError", f"answered with an InternalError: {rest[1]}"
        del self.csms.heard[:]
        await self._judged()

    async def lie(self, data: bytes) -> None:
        """Answers the station's next call of a kind as the bytes say: {"action": ..., "payload": ...}."""
        try:
            told = json.loads(data)
            action, payload = str(told["action"]), told["payload"]
        except (ValueError, LookupError, TypeError, RecursionError):
            return
        self.csms.lies = {action: payload}
        await self._provoke(action)
        self.csms.lies.clear()
        await self._provoke("StatusNotification")
        await self._judged()

    async def ask(self, data: bytes) -> None:
        """A question at the local socket."""
        reader, writer = await asyncio.open_unix_connection(str(self.charger.runtime / "station.sock"))
        writer.write(data.replace(b"\n", b" ") + b"\n")
        writer.write_eof()
        line = await asyncio.wait_for(reader.readline(), 60)
        writer.close()
        await self._judged()
        assert not line or isinstance(json.loads(line), dict), f"the answer is {line[:80]!r}"

    async def _provoke(self, action: str) -> None:
        if action == "Authorize":
            self.charger.show(1, CARD)
            await asyncio.sleep(5)
            if self.charger.control is not None:
                self.charger.control.plug(1)
                await asyncio.sleep(5)
                self.charger.control.unplug(1)
        elif self.csms.live is not None:
            self.csms.live.order("TriggerMessage", {"requestedMessage": action})
        await asyncio.sleep(5)

    async def _judged(self) -> None:
        failures = [*self.failures, *self.charger.failures]
        assert not failures, failures[0]
        if self.csms.live is not None and self.charger.station is not None and self.charger.station._backend.accepted and await self._answers():
            return
        await self.accepted()

    async def _answers(self) -> bool:
        live = self.csms.live
        if not isinstance(live, _Hostile):
            await asyncio.sleep(1)
            return False
        self._number += 1
        id_ = f"alive-{self._number}"
        live.say(as_json([CALL, id_, HARMLESS, {}]))
        await asyncio.sleep(1)
        return any(one == id_ and kind == RESULT for kind, one, _ in self.csms.heard) and bool(
            self.csms.book.station("SOAK").registration == "Accepted"
        )

    def _failed(self, context: dict[str, Any]) -> None:
        self.failures.append(f"{context.get('exception')!r}: {context['message']}")


_labs: dict[str, Lab] = {}


def _lab(version: str) -> Lab:
    if version not in _labs:
        _labs[version] = Lab(version)
    return _labs[version]


def _forget(version: str) -> None:
    lab = _labs.pop(version, None)
    if lab is not None:
        lab.close()


def _over(version: str, act: Callable[[Lab, bytes], Awaitable[None]], data: bytes) -> None:
    try:
        lab = _lab(version)
        lab.do(act(lab, data))
    except BaseException:
        _forget(version)
        raise


atexit.register(lambda: [_forget(version) for version in list(_labs)])


@cache
def _calls(version: str) -> st.SearchStrategy[bytes]:
    actions = sorted(set(ORDERS[version]) - set(ENDING))
    ids = st.uuids().map(str) | st.text(max_size=40)

    @st.composite
    def made(draw: st.DrawFn) -> bytes:
        action = draw(st.sampled_from(actions))
        return as_json([CALL, draw(ids), action, draw(spoiled(payloads(version, action)))])

    frames = st.lists(VALUES, max_size=5).map(as_json) | st.tuples(st.integers(2, 5), ids, VALUES, VALUES).map(as_json)
    return (
        made()
        | frames
        | maimed([as_json([CALL, "1", HARMLESS, {}]), b'[4,"-1","GenericError","",{}]'])
        | DEEP.map(lambda text: text if isinstance(text, bytes) else text.encode())
    )


ANSWERED = {
    "ocpp1.6": ("BootNotification", "Heartbeat", "StatusNotification", "Authorize"),
    "ocpp2.0.1": ("BootNotification", "Heartbeat", "StatusNotification", "Authorize"),
}


@cache
def _answers(version: str) -> st.SearchStrategy[bytes]:
    @st.composite
    def made(draw: st.DrawFn) -> bytes:
        action = draw(st.sampled_from(ANSWERED[version]))
        return as_json({"action": action, "payload": draw(spoiled(payloads(version, action, answer=True)))})

    return made()


QUESTIONS = ({"status": True}, {"clear_fault": {"evse": 1, "fault": "diode"}}, {"kept": True}, {"forget": "AuthCtrlr.Enabled"})
V16, V201 = "ocpp1.6", "ocpp2.0.1"
TARGETS = (
    Target("frames_16", "a CSMS's frames, 1.6", partial(_over, V16, Lab.frame), (), st.deferred(lambda: _calls(V16)), plain=False),
    Target("frames_201", "a CSMS's frames, 2.0.1", partial(_over, V201, Lab.frame), (), st.deferred(lambda: _calls(V201)), plain=False),
    Target("answers_16", "a CSMS's answers, 1.6", partial(_over, V16, Lab.lie), (), st.deferred(lambda: _answers(V16)), plain=False),
    Target("answers_201", "a CSMS's answers, 2.0.1", partial(_over, V201, Lab.lie), (), st.deferred(lambda: _answers(V201)), plain=False),
    Target(
        "local_socket", "questions at the local socket", partial(_over, V201, Lab.ask), (),
        other_values(QUESTIONS, as_json) | maimed([as_json(question) for question in QUESTIONS]), plain=False,
    ),
)  # fmt: skip
