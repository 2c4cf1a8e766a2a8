"""Plays one scenario against a world of its own with the built-in CSMS. Must not know files: it is given a script.

An act is sent as a program outside would send it, over the control API; each line of the timeline says when, which of how many steps, what, and what
came of it. How fast a contactor moved after an act is read from the wire's own times, not from when it was asked.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp

from sim import script_acts as acts
from sim.csms.server import Csms
from sim.events import boot_s
from sim.script import Script
from sim.script_steps import Act, Condition, Edit, Expectation, Message, Step, Wait
from sim.script_values import filled, holds, picked
from sim.world import World

POLL_S = 0.06
START_S = 90.0
LATE_S = 30.0
"""An answer of the station that is later is none."""
SEEN_LATE_S = 2.0
"""So much later than it happened may a contactor's move be seen."""
MOVED_BY = ("plugged", "unplugged", "ev_unplugged", "ev", "fault", "power", "signal", "hang", "breaker")
"""Events that are acts: the moment one was done on the wire."""


class Failed(Exception):
    """A step did not hold; the message says what was seen."""


class Play:
    """One run of a script. `say` prints a line of the timeline."""

    def __init__(self, script: Script, directory: Path, say: Callable[[str], None]) -> None:
        self._script = script
        self._directory = directory
        self._say = say
        self._csms = Csms()
        self._world: World | None = None
        self._http: aiohttp.ClientSession | None = None
        self._began = time.monotonic()
        self._answer: Any = None
        self._acted_s: float | None = None
        self._first = 0
        self._heard: dict[str, int] = {}
        self._edited: dict[str, Any] = {}

    async def run(self) -> bool:
        """Plays all steps. True when every expectation held and nobody saw a violation."""
        self._say(f"== {self._script.title} ({self._script.file.name}, {self._script.ocpp}, {len(self._script.steps)} steps)")
        try:
            await self._begin()
            for number, step in enumerate(self._script.steps, 1):
                await self._step(f"{number}/{len(self._script.steps)}", step)
            await self._judge()
        except (Failed, aiohttp.ClientError, TimeoutError) as error:
            self._line("", "FAILED", str(error) or type(error).__name__)
            self._last_words()
            return False
        finally:
            await self._end()
        self._line("", "", "every expectation held")
        return True

    async def _begin(self) -> None:
        config = self._directory / "chargepoint.toml"
        config.write_text(self._script.settings_text(), "utf-8")
        if (own := self._script.file.parent / "vehicles").is_dir():
            (self._directory / "vehicles").symlink_to(own.resolve())
        self._world = World(config, self._directory / "state", csms=True)
        assert self._world.csms is not None
        self._csms = self._world.csms
        await self._world.start(power="off")
        self._http = aiohttp.ClientSession(f"http://127.0.0.1:{self._world.port}", timeout=aiohttp.ClientTimeout(total=LATE_S + 30.0))
        for request in (*self._script.before, acts.Request("POST", "api/power", {"state": "on"})):
            await self._call(request)
        await self._expect(self._ready())
        self._first = self._csms.book.state()["messages"]
        self._began = time.monotonic()
        self._line("", "", "the station is registered")

    def _ready(self) -> Expectation:
        """When the story begins: the CSMS has answered the boot as it was told to, or is not to be reached at all."""
        options = self._csms.book.options
        told = Condition("registration", "=", options.registration.lower())
        condition = told if options.connection_status == 101 else Condition("pids.station", "!=", None)
        return Expectation(0, "the station is registered", "station", 0, condition, START_S, 0.0)

    async def _end(self) -> None:
        if self._http:
            await self._http.close()
        if self._world:
            await self._world.stop()

    async def _step(self, count: str, step: Step) -> None:
        match step:
            case Act():
                self._line(count, "", step.text)
                self._acted_s = boot_s()
                await self._act(step)
                return
            case Edit():
                self._line(count, "", step.text)
                self._edit(step)
            case Wait():
                self._line(count, "", step.text)
                await asyncio.sleep(step.seconds)
            case Expectation():
                took_s = await self._expect(step)
                self._line(count, "ok", f"{step.text}   ({_taken(took_s)})")
            case Message():
                took_s = await (self._not_heard(step) if step.never else self._hear(step))
                self._line(count, "ok", f"{step.text}   ({_taken(took_s)})")
        self._acted_s = None

    async def _act(self, act: Act) -> None:
        method, path, body = act.request
        try:
            body = filled(body, self._csms_state()) if act.name == "send" else body
        except LookupError as missing:
            raise Failed(f"line {act.line}: {act.text}: {missing}") from None
        if act.name == "plug-in" and self._script.speed != 1.0:
            body = {**body, "ev": {"speed": self._script.speed, **body.get("ev", {})}}
        answer = await self._call(acts.Request(method, path, body), act)
        if act.name == "send":
            refused = answer.get("error")
            self._answer = {"error": refused["code"], "description": refused["description"]} if refused else answer["payload"]

    def _edit(self, edit: Edit) -> None:
        """The file the firmware has, which knows where the CSMS is, written anew."""
        assert self._world is not None
        site = self._world.sites[0]
        self._edited[edit.key] = edit.value
        where = {"csms.url": site.settings.csms.url, "csms.identity": site.settings.csms.identity}
        site.config.write_text(self._script.settings_text(**self._edited, **where), "utf-8")

    async def _call(self, request: acts.Request, act: Act | None = None) -> Any:
        """One call of the control API, the station named where the CSMS is to act on it."""
        assert self._http is not None
        if request.path in ("csms/send", "csms/text", "csms/disconnect"):
            request = request._replace(body={**request.body, acts.IDENTITY: next(iter(self._csms.book.stations), "")})
        async with self._http.request(request.method, f"/{request.path}", json=request.body) as answer:
            said = await answer.json()
            if answer.status >= 300:
                where = f"line {act.line}: {act.text}: " if act else ""
                raise Failed(f"{where}refused ({answer.status}): {said['error']}")
            return said

    async def _expect(self, wanted: Expectation) -> float:
        """Returns how long it took to come true (and, where it had to stay true, to begin to). Raises Failed."""
        began, acted_s = time.monotonic(), self._acted_s
        on_wire = acted_s is not None and wanted.place == "evse" and wanted.condition.path == "contactor" and wanted.condition.operator == "="
        patience_s = wanted.within_s + SEEN_LATE_S * on_wire
        since: float | None = None
        while True:
            found = picked(await self._place(wanted), wanted.condition.path)
            now = time.monotonic()
            since = (since or now) if holds(found, wanted.condition.operator, wanted.condition.value) else None
            if since is not None and now - since >= wanted.for_s:
                took_s = self._moved_after(acted_s, wanted) if on_wire and acted_s else since - began
                if took_s <= wanted.within_s or not on_wire:
                    return took_s
                raise Failed(f"line {wanted.line}: {wanted.text}: it took {_taken(took_s)}")
            if since is None and now - began > patience_s:
                seen = json.dumps(found, default=str)
                raise Failed(f"line {wanted.line}: {wanted.text}: never came true in {wanted.within_s:g} s; it is {seen}")
            await asyncio.sleep(POLL_S)

    def _moved_after(self, acted_s: float, wanted: Expectation) -> float:
        """How long after the act the contactor got there, by the wire's times; 0 when it was there already."""
        assert self._world is not None
        events = [event for event in self._world.sites[0].events.since(0) if event["at_s"] >= acted_s]
        done_s = next((event["at_s"] for event in events if event["what"] in MOVED_BY), acted_s)
        moved = (event for event in events if event["what"] == "contactor" and event["evse"] == wanted.number)
        return max(0.0, next((event["at_s"] for event in moved if event["contactor"] == wanted.condition.value), done_s) - done_s)

    async def _hear(self, wanted: Message) -> float:
        """Waits for the next such call. Raises Failed with those that came instead."""
        began = time.monotonic()
        while (entry := self._next(wanted, self._heard.get(wanted.action, self._first))) is None:
            if time.monotonic() - began > wanted.within_s:
                seen = [row["payload"] for row in self._calls(wanted.action) if row["n"] > self._heard.get(wanted.action, self._first)]
                raise Failed(f"line {wanted.line}: {wanted.text}: not heard in {wanted.within_s:g} s; heard of it: {json.dumps(seen)[:2000]}")
            await asyncio.sleep(POLL_S)
        self._heard[wanted.action] = entry["n"]
        return time.monotonic() - began

    async def _not_heard(self, wanted: Message) -> float:
        began, after = time.monotonic(), self._csms.book.state()["messages"]
        while time.monotonic() - began < wanted.within_s:
            await asyncio.sleep(POLL_S)
            if entry := self._next(wanted, after):
                raise Failed(f"line {wanted.line}: {wanted.text}: heard {json.dumps(entry['payload'])[:2000]}")
        return wanted.within_s

    def _next(self, wanted: Message, after: int) -> dict[str, Any] | None:
        """The first such call after a number of the CSMS's log."""
        return next((row for row in self._calls(wanted.action) if row["n"] > after and _meets(row["payload"], wanted.conditions)), None)

    def _calls(self, action: str) -> list[dict[str, Any]]:
        return [row for row in self._csms.log if row["from"] == "station" and row["kind"] == "call" and row["action"] == action]

    async def _place(self, wanted: Expectation) -> Any:
        places: dict[str, Callable[[], Awaitable[Any]]] = {
            "evse": lambda: self._state_at(f"evses[{wanted.number - 1}]"),
            "connector": lambda: self._state_at(f"station.connectors[{wanted.number - 1}]"),
            "station": lambda: self._state_at("station"),
            "world": lambda: self._state_at(""),
        }
        if wanted.place == "csms":
            return self._csms_state()
        return self._answer if wanted.place == "answer" else await places[wanted.place]()

    async def _state_at(self, path: str) -> Any:
        return picked(await self._call(acts.Request("GET", "api/state", {})), path)

    def _csms_state(self) -> dict[str, Any]:
        state = self._csms.book.state()
        return {**state, "station": next(iter(state["stations"].values()), None)}

    async def _judge(self) -> None:
        seen = [*await self._call(acts.Request("GET", "api/violations", {})), *self._csms.book.violations]
        if seen:
            raise Failed(f"violations: {json.dumps(seen, default=str)[:2000]}")

    def _line(self, count: str, mark: str, text: str) -> None:
        self._say(f"{time.monotonic() - self._began:8.2f} s  {count:>7} {mark:6} {text}")

    def _last_words(self) -> None:
        for line in self._world.sites[0].log_lines(20) if self._world and self._world.sites else []:
            self._say(f"            firmware: {line}")


def _meets(payload: dict[str, Any], conditions: tuple[Condition, ...]) -> bool:
    return all(holds(picked(payload, one.path), one.operator, one.value) for one in conditions)


def _taken(took_s: float) -> str:
    return f"{1000 * took_s:.0f} ms" if took_s < 1.0 else f"{took_s:.2f} s"
