"""Plays one scenario against a world of its own with the built-in CSMS. Must not know files: it is given a script.

An act is sent as a program outside would send it, over the control API; each line of the timeline says when, what, and what came of it.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp

from sim.csms.book import Card
from sim.csms.connection import Gone, NotConnected, Refused
from sim.csms.server import Csms
from sim.script import Act, Expectation, Script, Step, seconds
from sim.world import World

POLL_S = 0.03
START_S = 20.0
LATE_S = 5.0
PATH = re.compile(r"([\w-]+)|\[(-?\d+)\]")
RECONNECT = {"csms.reconnect.wait_minimum_s": 0.5, "csms.reconnect.random_range_s": 0.1, "csms.reconnect.repeat_times": 2}


class Failed(Exception):
    """A step did not hold; the message says what was seen."""


def settings_text(script: Script) -> str:
    """The settings file of a scenario's charge point."""
    tables: dict[str, list[str]] = {"board": ['name = "sim"'], "csms": [f"ocpp = [{json.dumps(script.ocpp)}]"]}
    for key, value in {**RECONNECT, **script.settings}.items():
        table, _, name = key.rpartition(".") if '"' not in key else key.partition('."')
        tables.setdefault(table, []).append(f"{json.dumps(name.strip(chr(34)))} = {_toml(value)}")
    text = "\n".join("\n".join([f"[{table}]", *lines, ""]) for table, lines in tables.items() if table != "evse")
    common = "\n".join(tables.get("evse", []))
    return text + "".join(f"\n[[evse]]\nid = {number}\n{common}\n" for number in range(1, script.evses + 1))


def _toml(value: Any) -> str:
    return json.dumps(value)


def picked(value: Any, path: str) -> Any:
    """What stands at a path like `transactions[0].reason`; None where there is nothing."""
    for name, index in PATH.findall(path):
        try:
            value = value[int(index)] if index else value[name]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def holds(found: Any, operator: str, wanted: Any) -> bool:
    """One comparison; of things that cannot be compared none holds but `!=`."""
    if operator in ("=", "!="):
        same = found == wanted or (found is not None and not isinstance(found, bool) and str(found) == str(wanted))
        return same is (operator == "=")
    if operator == "has":
        return found is not None and (str(wanted) in found if isinstance(found, str) else wanted in found)
    if not isinstance(found, int | float) or not isinstance(wanted, int | float):
        return False
    return bool({">": found > wanted, "<": found < wanted, ">=": found >= wanted, "<=": found <= wanted}[operator])


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

    async def run(self) -> bool:
        """Plays all steps. True when every expectation held and nobody saw a violation."""
        self._say(f"== {self._script.title} ({self._script.file.name}, {self._script.ocpp})")
        try:
            await self._begin()
            for step in self._script.steps:
                await self._step(step)
            await self._judge()
        except (Failed, aiohttp.ClientError, TimeoutError) as error:
            self._line("FAILED", str(error) or type(error).__name__)
            self._last_words()
            return False
        finally:
            await self._end()
        self._line("", "every expectation held")
        return True

    async def _begin(self) -> None:
        config = self._directory / "chargepoint.toml"
        config.write_text(settings_text(self._script), "utf-8")
        self._world = World(config, self._directory / "state", csms=True)
        assert self._world.csms is not None
        self._csms = self._world.csms
        for uid, status in self._script.cards.items():
            self._csms.book.set_card(uid, Card(status))
        await self._world.start()
        self._http = aiohttp.ClientSession(f"http://127.0.0.1:{self._world.port}", timeout=aiohttp.ClientTimeout(total=LATE_S))
        ready = Expectation(0, "the station is registered", "station", 0, "registration", "=", "accepted", START_S, 0.0)
        await self._expect(ready)
        self._began = time.monotonic()
        self._line("", ready.text)

    async def _end(self) -> None:
        if self._http:
            await self._http.close()
        if self._world:
            await self._world.stop()

    async def _step(self, step: Step) -> None:
        if isinstance(step, Expectation):
            took = await self._expect(step)
            self._line("ok", f"{step.text}   ({took:.2f} s)")
        else:
            self._line("", step.text)
            await self._act(step)

    async def _act(self, act: Act) -> None:
        if act.name == "wait":
            await asyncio.sleep(seconds(" ".join(act.words)) if len(act.words) > 1 else seconds(act.words[0]))
        elif act.name == "send":
            self._answer = await self._order(act)
        elif act.name == "card":
            self._csms.book.set_card(act.words[0], Card(act.words[1]) if len(act.words) > 1 else None)
        else:
            await self._post(*self._request(act))

    def _request(self, act: Act) -> tuple[str, str, dict[str, Any]]:
        """Method, path and body of an act."""
        at = f"evse/{act.evse}/"
        match act.name:
            case "plug-in":
                return "POST", at + "plug-in", {"ev": act.body}
            case "fault":
                return "POST", at + "fault", {"fault": act.words[0], **act.body}
            case "unfault":
                return "DELETE", at + f"fault/{act.words[0]}", {}
            case "clear":
                return "POST", at + "clear", {"fault": act.words[0]}
            case "swipe":
                return "POST", "rfid/swipe", {"uid": act.words[0], **act.body}
            case "network":
                return "POST", "network", {"state": act.words[0]}
            case "power":
                return "POST", "power", {"state": act.words[0], **({"how": act.words[1]} if len(act.words) > 1 else {})}
            case "kill":
                return "POST", "kill", {"process": act.words[0], "signal": act.words[1] if len(act.words) > 1 else "KILL"}
            case _:
                return "POST", at + act.name, act.body

    async def _post(self, method: str, path: str, body: dict[str, Any]) -> None:
        assert self._http is not None
        async with self._http.request(method, f"/api/{path}", json=body) as answer:
            if answer.status >= 300:
                raise Failed(f"{path} was refused ({answer.status}): {(await answer.json())['error']}")

    async def _order(self, act: Act) -> Any:
        identity = next(iter(self._csms.book.stations))
        try:
            return await self._csms.send(identity, act.words[0], act.body, LATE_S)
        except Refused as refused:
            return {"error": refused.code, "description": refused.description}
        except (Gone, NotConnected) as gone:
            raise Failed(f"the station is not connected: {gone}") from None

    async def _expect(self, wanted: Expectation) -> float:
        """Returns how long it took to come true (and, where it had to stay true, to begin to). Raises Failed."""
        began = time.monotonic()
        since: float | None = None
        while True:
            found = picked(await self._place(wanted), wanted.path)
            now = time.monotonic()
            since = (since or now) if holds(found, wanted.operator, wanted.value) else None
            if since is not None and now - since >= wanted.for_s:
                return since - began
            if since is None and now - began > wanted.within_s:
                raise Failed(f"line {wanted.line}: {wanted.text}: never came true in {wanted.within_s:g} s; it is {json.dumps(found, default=str)}")
            await asyncio.sleep(POLL_S)

    async def _place(self, wanted: Expectation) -> Any:
        places: dict[str, Callable[[], Awaitable[Any]]] = {
            "evse": lambda: self._state_at(f"evses[{wanted.number - 1}]"),
            "connector": lambda: self._state_at(f"station.connectors[{wanted.number - 1}]"),
            "station": lambda: self._state_at("station"),
            "world": lambda: self._state_at(""),
            "csms": self._csms_state,
            "answer": self._last_answer,
        }
        return await places[wanted.place]()

    async def _state_at(self, path: str) -> Any:
        return picked(await self._get("state"), path)

    async def _csms_state(self) -> Any:
        state = self._csms.book.state()
        return {**state, "station": next(iter(state["stations"].values()), None)}

    async def _last_answer(self) -> Any:
        return self._answer

    async def _get(self, path: str) -> Any:
        assert self._http is not None
        async with self._http.get(f"/api/{path}") as answer:
            return await answer.json()

    async def _judge(self) -> None:
        seen = [*await self._get("violations"), *self._csms.book.violations]
        if seen:
            raise Failed(f"violations: {json.dumps(seen, default=str)[:2000]}")

    def _line(self, mark: str, text: str) -> None:
        self._say(f"{time.monotonic() - self._began:8.2f} s  {mark:6} {text}")

    def _last_words(self) -> None:
        for line in self._world.sites[0].log_lines(20) if self._world and self._world.sites else []:
            self._say(f"            firmware: {line}")
