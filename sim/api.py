"""The control API of one world over HTTP: routes, answers and errors. Must not know the wire: it asks the site.

Every path under /api/ acts on the first charge point and exists for each under /api/stations/{i}/. Every answer comes within a second;
an act that has to wait for earlier ones is answered 202 and done in its turn.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import msgspec
from aiohttp import web

from sim import api_answers as answers
from sim import api_bodies as bodies
from sim import api_streams, openapi
from sim.firmware import NoProcess
from sim.readers import NoReader
from sim.rig.control import RigError
from sim.site import Conflict, Site

log = logging.getLogger(__name__)

STATUS = {"wrong": 400, "unknown": 404, "conflict": 409, "gone": 503}
"""By what the wire's process says of a refused command."""
PATIENCE_S = 0.8
KEY_AGAIN_S = 0.25
PANEL = Path(__file__).parent / "panel"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
SiteHandler = Callable[[Site, web.Request], Awaitable[web.StreamResponse]]


class Sites(Protocol):
    """What the API needs of the world."""

    sites: list[Site]
    vehicles: list[dict[str, str]]


class Call(NamedTuple):
    """One call below /api or /api/stations/{i}. body, answer: their shapes; an answer without one is an object; events: server-sent events."""

    method: str
    path: str
    handler: SiteHandler
    text: str
    body: type[msgspec.Struct] | None = None
    answer: Any = None
    events: bool = False


def calls() -> list[Call]:
    """The table of calls."""
    evse = "/evse/{evse}"
    return [
        Call("GET", "/state", state, "power, network, wire, and what the firmware reports of itself", answer=answers.State),
        Call("GET", "/events", api_streams.changes, "every change in the world and in the firmware", events=True),
        Call("GET", "/ocpp", api_streams.conversation, "every OCPP message between charge point and CSMS", events=True),
        Call("GET", "/watch", api_streams.states, "the state, now and whenever it has changed", answer=answers.State, events=True),
        Call("GET", "/sessions", sessions, "what was charged, newest first, as the wire saw it", answer=list[answers.Session]),
        Call("GET", "/log", firmware_log, "the last lines of the firmware's log; ?lines=200"),
        Call("GET", "/timings", timings, "protective reactions by cause; ?each=1: each one", answer=list[dict[str, Any]]),
        Call("DELETE", "/timings", timings_reset, "starts the timings afresh"),
        Call("GET", "/violations", violations, "what the world saw and must never be seen", answer=list[dict[str, Any]]),
        Call("POST", "/power", power, "switches the board's power", bodies.Power),
        Call("POST", "/kill", kill, "a signal, or HANG, for one process", bodies.Kill),
        Call("POST", "/network", network, "the link to the CSMS", bodies.Network),
        Call("POST", "/rfid/swipe", swipe, "shows a card", bodies.Swipe),
        Call("POST", f"{evse}/plug-in", plug_in, "plugs a car in", bodies.PlugIn),
        Call("POST", f"{evse}/unplug", unplug, "takes the whole cable away", bodies.Unplug),
        Call("POST", f"{evse}/ev-unplug", ev_unplug, "takes out the car's end only", bodies.Nothing),
        Call("POST", f"{evse}/ev-plug", ev_plug, "puts the car's end in again", bodies.Nothing),
        Call("POST", f"{evse}/ev", ev, "changes the car that is plugged in", bodies.Ev),
        Call("POST", f"{evse}/bay", bay, "the parking bay sensor, where the board has one", bodies.Bay),
        Call("POST", f"{evse}/breaker", breaker, "the breaker that a shunt trip throws, where the board has one", bodies.Breaker),
        Call("POST", f"{evse}/button", button, "the button, where the board has one", bodies.Nothing),
        Call("POST", f"{evse}/fault", fault, "lays a fault on", bodies.Fault),
        Call("DELETE", f"{evse}/fault/{{fault}}", fault_clear, "takes a fault away"),
        Call("POST", f"{evse}/clear", clear, "the technician's key", bodies.Clear),
    ]


def application(world: Sites) -> web.Application:
    """The API and the page at /."""
    app = web.Application(middlewares=[_errors])
    for call in calls():
        bound = _on_site(world, call.handler)
        app.router.add_route(call.method, f"/api{call.path}", bound)
        app.router.add_route(call.method, f"/api/stations/{{station}}{call.path}", bound)

    async def stations(request: web.Request) -> web.StreamResponse:
        return web.json_response([{"station": site.number, "identity": site.identity} for site in world.sites])

    async def overview(request: web.Request) -> web.StreamResponse:
        return await api_streams.overview(world.sites, request)

    async def faults(request: web.Request) -> web.StreamResponse:
        return web.json_response(bodies.FAULTS)

    async def vehicles(request: web.Request) -> web.StreamResponse:
        return web.json_response(world.vehicles)

    async def described(request: web.Request) -> web.StreamResponse:
        return web.json_response(openapi.document(calls()))

    async def panel(request: web.Request) -> web.StreamResponse:
        return web.FileResponse(PANEL / "index.html")

    app.router.add_get("/api/stations", stations)
    app.router.add_get("/api/overview", overview)
    app.router.add_get("/api/faults", faults)
    app.router.add_get("/api/vehicles", vehicles)
    app.router.add_get("/api/openapi.json", described)
    app.router.add_get("/", panel)
    app.router.add_static("/panel", PANEL)
    return app


def error(status: int, text: str) -> web.Response:
    """An error as every client of the API expects it."""
    return web.json_response({"error": text}, status=status)


@web.middleware
async def _errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Everything that goes wrong becomes JSON with a sentence."""
    try:
        return await handler(request)
    except bodies.WrongBody as wrong:
        return error(400, str(wrong))
    except (Conflict, NoProcess, NoReader) as conflict:
        return error(409, str(conflict))
    except RigError as refused:
        return error(STATUS[refused.status], str(refused))
    except web.HTTPException as http:
        return http if http.status < 400 else error(http.status, f"{http.reason}: {request.method} {request.path}")
    except (OSError, EOFError) as gone:
        log.exception("%s %s", request.method, request.path)
        return error(503, f"a part of the world does not answer: {gone}")


def _on_site(world: Sites, handler: SiteHandler) -> Handler:
    async def bound(request: web.Request) -> web.StreamResponse:
        return await handler(_site(world, request), request)

    return bound


def _site(world: Sites, request: web.Request) -> Site:
    text = request.match_info.get("station", str(world.sites[0].number))
    for site in world.sites:
        if text == str(site.number):
            return site
    raise web.HTTPNotFound(reason=f"there is no charge point {text}, only 1 to {len(world.sites)}")


def _evse(site: Site, request: web.Request) -> int:
    text = request.match_info["evse"]
    if not text.isdigit() or int(text) not in site.evse_ids:
        raise web.HTTPNotFound(reason=f"there is no EVSE {text}, only {', '.join(map(str, site.evse_ids))}")
    return int(text)


async def _in_time(act: Coroutine[Any, Any, Any]) -> web.Response:
    """The act's answer, or 202 when its turn has not come within the patience; it is done all the same."""
    task = asyncio.ensure_future(act)
    done, _ = await asyncio.wait([task], timeout=PATIENCE_S)
    if not done:
        task.add_done_callback(_note_late)
        return web.json_response({"queued": True}, status=202)
    answer = task.result()
    return web.json_response(answer if isinstance(answer, dict) else {})


def _note_late(task: asyncio.Future[Any]) -> None:
    if not task.cancelled() and task.exception() is not None:
        log.warning("an act that was answered 202 failed: %s", task.exception())


async def state(site: Site, request: web.Request) -> web.StreamResponse:
    return web.json_response(await site.state())


async def sessions(site: Site, request: web.Request) -> web.StreamResponse:
    return web.json_response(await site.listed_sessions())


async def firmware_log(site: Site, request: web.Request) -> web.StreamResponse:
    text = request.query.get("lines", "200")
    if not text.isdigit():
        raise bodies.WrongBody("lines must be a number")
    return web.json_response({"lines": site.log_lines(min(int(text), 5000))})


async def timings(site: Site, request: web.Request) -> web.StreamResponse:
    found = await site.rig.call("timings", each=request.query.get("each", "0") not in ("0", "", "false"))
    return web.json_response(found["timings"])


async def timings_reset(site: Site, request: web.Request) -> web.StreamResponse:
    await site.rig.call("timings_reset")
    return web.json_response({})


async def violations(site: Site, request: web.Request) -> web.StreamResponse:
    return web.json_response((await site.rig.call("violations"))["violations"])


async def power(site: Site, request: web.Request) -> web.StreamResponse:
    body = bodies.read(await request.read(), bodies.Power)
    off = site.shut_down if body.how == "shutdown" else site.power_cut
    act = {"on": site.power_on, "service": site.service, "off": off}[body.state]
    return await _in_time(act())


async def kill(site: Site, request: web.Request) -> web.StreamResponse:
    body = bodies.read(await request.read(), bodies.Kill)
    return web.json_response({"pid": await site.hurt(body.process, body.signal)})


async def network(site: Site, request: web.Request) -> web.StreamResponse:
    await site.network.switch(bodies.read(await request.read(), bodies.Network).state)
    return web.json_response({})


async def swipe(site: Site, request: web.Request) -> web.StreamResponse:
    body = bodies.read(await request.read(), bodies.Swipe)
    if body.evse is not None and body.evse not in site.evse_ids:
        raise bodies.WrongBody(f"there is no EVSE {body.evse}, only {', '.join(map(str, site.evse_ids))}")
    site.readers.swipe(body.uid, body.evse)
    return web.json_response({})


async def plug_in(site: Site, request: web.Request) -> web.StreamResponse:
    evse, body = _evse(site, request), bodies.read(await request.read(), bodies.PlugIn)
    return await _in_time(site.act("plug_in", evse=evse, connector=_connector(site, evse, body.connector), ev=bodies.ev_changes(body.ev)))


async def unplug(site: Site, request: web.Request) -> web.StreamResponse:
    evse, body = _evse(site, request), bodies.read(await request.read(), bodies.Unplug)
    return await _in_time(site.act("unplug", evse=evse, connector=_connector(site, evse, body.connector)))


def _connector(site: Site, evse: int, connector: int) -> int:
    count = len(next(row.connectors for row in site.settings.evse if row.id == evse))
    if connector > count:
        raise bodies.WrongBody(f"EVSE {evse} has {count} connector(s)")
    return connector


async def ev_unplug(site: Site, request: web.Request) -> web.StreamResponse:
    bodies.read(await request.read(), bodies.Nothing)
    return await _in_time(site.act("ev_unplug", evse=_evse(site, request)))


async def ev_plug(site: Site, request: web.Request) -> web.StreamResponse:
    bodies.read(await request.read(), bodies.Nothing)
    return await _in_time(site.act("ev_plug", evse=_evse(site, request)))


async def ev(site: Site, request: web.Request) -> web.StreamResponse:
    evse = _evse(site, request)
    changes = bodies.ev_changes(bodies.read(await request.read(), bodies.Ev))
    return await _in_time(site.act("ev", evse=evse, changes=changes))


async def bay(site: Site, request: web.Request) -> web.StreamResponse:
    evse, body = _evse(site, request), bodies.read(await request.read(), bodies.Bay)
    return web.json_response(await site.rig.call("bay", evse=evse, occupied=body.occupied))


async def breaker(site: Site, request: web.Request) -> web.StreamResponse:
    evse, body = _evse(site, request), bodies.read(await request.read(), bodies.Breaker)
    return web.json_response(await site.rig.call("breaker", evse=evse, closed=body.closed))


async def button(site: Site, request: web.Request) -> web.StreamResponse:
    bodies.read(await request.read(), bodies.Nothing)
    return web.json_response(await site.rig.call("button", evse=_evse(site, request)))


async def fault(site: Site, request: web.Request) -> web.StreamResponse:
    evse, body = _evse(site, request), bodies.read(await request.read(), bodies.Fault)
    return web.json_response(await site.rig.call("fault", evse=evse, fault=bodies.known_fault(body.fault), **body.details()))


async def fault_clear(site: Site, request: web.Request) -> web.StreamResponse:
    evse, name = _evse(site, request), bodies.known_fault(request.match_info["fault"])
    return web.json_response(await site.rig.call("clear", evse=evse, fault=name))


async def clear(site: Site, request: web.Request) -> web.StreamResponse:
    """The technician's key. The world's word for a fault is as good as the firmware's."""
    evse, body = _evse(site, request), bodies.read(await request.read(), bodies.Clear)
    return await _in_time(_turn_key(site, evse, body.fault))


async def _turn_key(site: Site, evse: int, fault: str) -> dict[str, Any]:
    """Turned twice before one gives up: a cause that has just gone may still be seen for a moment. Raises Conflict."""
    try:
        return await _turn_key_once(site, evse, fault)
    except Conflict:
        await asyncio.sleep(KEY_AGAIN_S)
        return await _turn_key_once(site, evse, fault)


async def _turn_key_once(site: Site, evse: int, fault: str) -> dict[str, Any]:
    for name in bodies.names_to_clear(fault):
        answer = await site.link.clear_fault(evse, name)
        if answer is None:
            raise Conflict("the firmware does not answer")
        if not answer.get("done"):
            raise Conflict(str(answer.get("text") or answer.get("error") or "refused"))
    return {"cleared": fault}
