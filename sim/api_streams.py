"""Server-sent events of one charge point: changes, the conversation with the CSMS, and its state as it becomes. Must not know what they mean."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

from aiohttp import web

from sim import overview as overviews
from sim.events import Events
from sim.rig.control import RigError
from sim.site import Site

PING_S = 10.0
LOOK_S = 0.5
"""Between two looks at a state that nothing said to have changed: currents and energy flow on."""
GATHER_S = 0.1
"""What changes within this time is told at once."""
HEADERS = {"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}


async def changes(site: Site, request: web.Request) -> web.StreamResponse:
    """Every change in the world and in the firmware."""
    return await _numbered(site.events, request, b": changes of the world and the firmware\n\n")


async def conversation(site: Site, request: web.Request) -> web.StreamResponse:
    """Every OCPP message that passes between charge point and CSMS, as far as the line is not encrypted."""
    return await _numbered(site.conversation, request, b": the conversation with the CSMS\n\n")


async def states(site: Site, request: web.Request) -> web.StreamResponse:
    """The state now, and again whenever it has become another."""
    response = await _open(request)
    stream = site.events.listen()
    last: dict[str, Any] | None = None
    silent_s = 0.0
    pending: asyncio.Future[Any] = asyncio.ensure_future(anext(stream))
    try:
        while True:
            state = await site.state()
            silent_s = 0.0 if state != last else silent_s + LOOK_S
            if state != last:
                last = state
                await response.write(f"data: {json.dumps(state)}\n\n".encode())
            elif silent_s >= PING_S:
                silent_s = 0.0
                await response.write(b": still here\n\n")
            pending = await _next(stream, pending)
    except (StopAsyncIteration, ConnectionError):
        return response
    finally:
        await _ended(stream, pending)


async def overview(sites: Sequence[Site], request: web.Request) -> web.StreamResponse:
    """All charge points in a few words each, then those that have changed."""
    response = await _open(request)
    silent_s = 0.0
    try:
        async for tiles in overviews.tiles(sites):
            silent_s = 0.0 if tiles else silent_s + overviews.LOOK_S
            if tiles:
                await response.write(f"data: {json.dumps(tiles)}\n\n".encode())
            elif silent_s >= PING_S:
                silent_s = 0.0
                await response.write(b": still here\n\n")
    except (RigError, ConnectionError):
        return response
    return response


async def _next(stream: AsyncIterator[dict[str, Any]], pending: asyncio.Future[Any]) -> asyncio.Future[Any]:
    """Waits for a change, not longer than LOOK_S, and then for those that come with it."""
    done, _ = await asyncio.wait([pending], timeout=LOOK_S)
    if not done:
        return pending
    await asyncio.sleep(GATHER_S)
    while pending.done():
        pending.result()
        pending = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0)
    return pending


async def _numbered(events: Events, request: web.Request, greeting: bytes) -> web.StreamResponse:
    response = await _open(request)
    after = request.headers.get("Last-Event-ID", request.query.get("after", ""))
    stream = events.listen(int(after) if after.isdigit() else None)
    await response.write(greeting)
    pending = asyncio.ensure_future(anext(stream))
    try:
        while True:
            done, _ = await asyncio.wait([pending], timeout=PING_S)
            if not done:
                await response.write(b": still here\n\n")
                continue
            event = pending.result()
            await response.write(f"id: {event['id']}\ndata: {json.dumps(event)}\n\n".encode())
            pending = asyncio.ensure_future(anext(stream))
    except (StopAsyncIteration, ConnectionError):
        return response
    finally:
        await _ended(stream, pending)


async def _open(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers=HEADERS)
    await response.prepare(request)
    return response


async def _ended(stream: Any, pending: asyncio.Future[Any]) -> None:
    pending.cancel()
    await asyncio.gather(pending, return_exceptions=True)
    await stream.aclose()
