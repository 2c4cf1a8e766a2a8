"""Records what is done to a world, by the page or by any other program, as a scenario that plays it again. Must not know what an act does.

It hears every call of the control API that was carried out, every change of the world and the firmware, and the conversation with the CSMS; the
file is written anew after each act and at the end.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
import tomllib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

from aiohttp import web

from sim.csms.book import Book
from sim.events import boot_s, wall_text
from sim.record_text import Done, Entry, Seen, steps
from sim.record_wire import Talk
from sim.script_acts import EVSE, Request, line
from sim.script_settings import toml
from sim.site import Site

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
NOT_ACTS = ("api/timings", "csms/send")
"""What changes nothing that a scenario could tell, and orders, which are heard on the line."""
OF_THE_LINE = ("url", "identity", "ocpp", "security_profile", "basic_auth_password", "tls")
"""Keys of [csms] that are another CSMS's affair, or nobody's."""
LAST_LOOK_S = 0.3


class Recorder:
    """One recording, of one charge point. own_csms: whether the built-in CSMS answers, whose cards are known."""

    def __init__(self, file: Path, site: Site, *, own_csms: bool) -> None:
        self._file, self._site, self._own_csms = file, site, own_csms
        self._entries: list[Entry] = []
        self._talk = Talk()
        self._ocpp = "ocpp2.0.1"
        self._tasks: list[asyncio.Task[None]] = []
        self._numbers = {evse: number for number, evse in enumerate(site.evse_ids, 1)}
        self._connectors = [(row.id, connector) for row in site.settings.evse for connector in range(1, len(row.connectors) + 1)]
        self._all_told = False

    def start(self) -> None:
        """Begins; the power may still be off. Raises OSError when the file cannot be written."""
        self._file.write_text("", "utf-8")
        self._entries += [Seen(boot_s(), f"evse {number} contactor", "open") for number in self._numbers.values()]
        self._tasks = [
            asyncio.create_task(self._listen(self._site.events.listen(), self._changed)),
            asyncio.create_task(self._listen(self._site.conversation.listen(), self._passed)),
        ]

    async def stop(self) -> None:
        """The last look, and the file."""
        station: dict[str, Any] = {}
        with contextlib.suppress(TimeoutError, OSError):
            async with asyncio.timeout(LAST_LOOK_S):
                station = (await self._site.state())["station"] or {}
        self._all_told = station.get("facts_waiting") == 0
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._write()

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Keeps each call that was carried out and changes something."""
        at_s, body = boot_s(), await request.read() if request.method != "GET" else b""
        answer = await handler(request)
        path = request.path.removeprefix("/").replace(f"api/stations/{self._site.number}/", "api/")
        if request.method != "GET" and answer.status < 300 and path not in NOT_ACTS:
            self._acted(at_s, Request(request.method, path, json.loads(body) if body.strip() else {}))
        return answer

    def _acted(self, at_s: float, call: Request) -> None:
        evse = next((number for known, number in self._numbers.items() if call.path.startswith(EVSE.format(evse=known))), None)
        if evse is not None:
            call = call._replace(path="/".join(["api/evse", str(evse), *call.path.split("/")[3:]]))
        if isinstance(reader := call.body.get("evse"), int):
            call = call._replace(body={**call.body, "evse": self._numbers.get(reader, reader)})
        text = line(call) or f"# there is no act for {call.method} {call.path} {json.dumps(call.body)}"
        self._entries.append(Done(at_s, text, evse))
        self._write()

    async def _listen(self, stream: AsyncIterator[dict[str, Any]], take: Callable[[dict[str, Any]], None]) -> None:
        async for event in stream:
            take(event)

    def _passed(self, event: dict[str, Any]) -> None:
        entry = self._talk.entry(event)
        if entry is not None:
            self._entries.append(entry)
        if isinstance(entry, Done):
            self._write()

    def _changed(self, event: dict[str, Any]) -> None:
        self._entries += [Seen(event["at_s"], place, value) for place, value in self._places(event)]

    def _places(self, event: dict[str, Any]) -> Iterator[tuple[str, Any]]:
        """What an event says of the values that are worth expecting."""
        match event["what"]:
            case "contactor":
                yield f"evse {self._numbers[event['evse']]} contactor", event["contactor"]
            case "connector":
                yield self._connector(event), event["status"]
            case "silent":
                yield "world station", False
            case "station":
                yield from self._told(event["changes"])
            case "answers":
                yield "world station", True
                yield from self._told(event["status"])
                for row in event["status"]["connectors"]:
                    yield self._connector(row), row["status"]

    def _told(self, status: dict[str, Any]) -> Iterator[tuple[str, Any]]:
        self._ocpp = status.get("ocpp") or self._ocpp
        if "connected" in status:
            yield "station connected", status["connected"]

    def _connector(self, row: dict[str, Any]) -> str:
        return f"connector {self._connectors.index((row['evse'], row['connector'])) + 1} status"

    def _write(self) -> None:
        now_s = boot_s()
        last = ["expect station facts_waiting = 0 within 30 s"] if self._all_told else []
        text = "\n".join([*self._head(), *steps(self._entries, now_s), *last, ""])
        fresh = self._file.with_name(self._file.name + ".new")
        fresh.write_text(text, "utf-8")
        fresh.replace(self._file)

    def _head(self) -> Iterator[str]:
        first = next((entry.at_s for entry in self._entries if isinstance(entry, Done)), boot_s())
        yield f"Recorded at {wall_text(_wall_s(first))}"
        yield f"ocpp {self._ocpp}"
        yield f"evses {len(self._numbers)}"
        yield from (f"setting {key} = {toml(value)}" for key, value in self._settings())
        if not self._own_csms:
            known = Book()
            yield from (f"card {uid} {status}" for uid, status in self._talk.cards.items() if known.card(uid).status != status)
        if (self._site.config.parent / "vehicles").is_dir():
            yield "# own cars: the folder vehicles belongs beside this file"

    def _settings(self) -> Iterator[tuple[str, Any]]:
        """What the settings file says, and how patient the station is."""
        data = tomllib.loads(self._site.config.read_text("utf-8"))
        reconnect = self._site.settings.csms.reconnect
        csms = {key: value for key, value in data.pop("csms", {}).items() if key not in OF_THE_LINE}
        patience = {name: getattr(reconnect, name) for name in reconnect.__struct_fields__}
        for number, row in enumerate(data.pop("evse", []), 1):
            yield from ((f"evse[{number}].{key}", value) for key, value in row.items() if key != "id")
        yield from _flat("", {**data, "csms": {**csms, "reconnect": patience}})


def _flat(table: str, rows: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Dotted keys; one with dots of its own stands in quotes."""
    for key, value in rows.items():
        name = f"{table}.{key}" if table else key
        if isinstance(value, dict):
            yield from _flat(name, value)
        else:
            yield (f'{table}."{key}"' if "." in key else name), value


def _wall_s(at_s: float) -> float:
    return time.time() - (boot_s() - at_s)
