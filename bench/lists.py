"""The local list of 100,000 tokens: sent in parts to a running station, and looked up in a file of its own. Must not know how figures are printed."""

from __future__ import annotations

import random
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.processes import pss_mib
from bench.table import Figure, at_most, percentile
from chargepoint.model.idtoken import AuthorizationStatus, IdToken, IdTokenInfo
from chargepoint.model.orders import ListEntry
from chargepoint.store.db import Db
from chargepoint.store.tokens import Tokens
from tests.world import World

ENTRIES, PER_MESSAGE, LOOK_UPS = 100_000, 1000, 10_000
WARM = 10
"""Parts after which every schema is compiled and every buffer has its size."""


def _token(number: int) -> str:
    return f"04{number * 7919 % ENTRIES:012X}"


async def local_list(world: World) -> list[Figure]:
    """Sends the list whole in parts, then asks for its length; and looks tokens up as the station does, half of them unknown."""
    pid = (await world.get("state"))["station"]["pids"]["station"]
    before, warm, taken_ms = pss_mib(pid), 0.0, []
    for version, first in enumerate(range(0, ENTRIES, PER_MESSAGE), 1):
        began = time.monotonic()
        answer = await world.csms.send("CP001", "SendLocalList", _part(version, first), 30)
        taken_ms.append(1000 * (time.monotonic() - began))
        if answer["status"] != "Accepted":
            raise ValueError(f"part {version} of the list: {answer}")
        warm = pss_mib(pid) if version == WARM else warm
    after = pss_mib(pid)
    held = await _entries(world)
    each_ms = _look_ups()
    return [
        Figure("entries held", f"{held}", f"{ENTRIES}", held == ENTRIES),
        Figure(f"a part of {PER_MESSAGE} entries, from request to answer: p50 / max", f"{percentile(taken_ms, 0.5):.0f} / {max(taken_ms):.0f} ms"),
        Figure(f"PSS of the station before / after {WARM} parts / after all", f"{before:.1f} / {warm:.1f} / {after:.1f} MiB"),
        at_most(f"PSS grows from part {WARM} to the last by", after - warm, 1, "MiB", 1),
        Figure(f"look-up of one token, n={LOOK_UPS}: p50", f"{1000 * percentile(each_ms, 0.5):.0f} us"),
        at_most("look-up of one token: p99", percentile(each_ms, 0.99), 1, "ms", 3),
        at_most("look-up of one token: p99.9", percentile(each_ms, 0.999), 1, "ms", 3),
    ]


def _part(version: int, first: int) -> dict[str, Any]:
    entries = [
        {"idToken": {"idToken": _token(number), "type": "ISO14443"}, "idTokenInfo": {"status": "Accepted"}}
        for number in range(first, first + PER_MESSAGE)
    ]
    return {"versionNumber": version, "updateType": "Full" if first == 0 else "Differential", "localAuthorizationList": entries}


async def _entries(world: World) -> int:
    asked = {"component": {"name": "LocalAuthListCtrlr"}, "variable": {"name": "Entries"}}
    answer = await world.csms.send("CP001", "GetVariables", {"getVariableData": [asked]}, 30)
    return int(answer["getVariableResult"][0]["attributeValue"])


def _look_ups() -> list[float]:
    """Milliseconds of each, in random order over a file that was opened anew."""
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "station.db"
        info = IdTokenInfo(AuthorizationStatus.ACCEPTED)
        db = Db(file, alone=True)
        Tokens(db).replace(ListEntry(IdToken(_token(number)), info) for number in range(ENTRIES))
        db.close()
        db = Db(file, alone=True)
        tokens, each_ms = Tokens(db), []
        for _ in range(LOOK_UPS):
            token = IdToken(_token(random.randrange(ENTRIES)) + random.choice(("", "FF")))
            began = time.perf_counter()
            tokens.listed(token)
            each_ms.append(1000 * (time.perf_counter() - began))
        db.close()
    return each_ms
