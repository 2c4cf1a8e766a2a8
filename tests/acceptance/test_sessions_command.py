"""`chargepoint sessions` against a running world, and against its store once the station is gone."""

from __future__ import annotations

import asyncio
import base64
import csv
import io
import json
import os
import sys
from pathlib import Path

from tests.world import KNOWN_CARD, ROOT, World

SIGNED = """[ocpp2.variables]
"SampledDataCtrlr.SignReadings" = true
"OCPPCommCtrlr.PublicKeyWithSignedMeterValue" = "OncePerTransaction"
"""


def environment_of(pid: int) -> dict[str, str]:
    words = (Path("/proc") / str(pid) / "environ").read_bytes().decode().split("\0")
    return {name: value for name, _, value in (word.partition("=") for word in words) if name in ("RUNTIME_DIRECTORY", "STATE_DIRECTORY")}


async def sessions(environment: dict[str, str], *words: str) -> tuple[int | None, str, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "chargepoint", "sessions", *words),
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, error = await process.communicate()
    return process.returncode, out.decode(), error.decode()


async def test_sessions_are_listed_shown_verified_exported_and_erased(world: World) -> None:
    await world.up("ocpp2.0.1", board='[board.sim]\nmeter_map = "sim_ocmf"\n', more=SIGNED)
    where = environment_of((await world.get("state"))["station"]["pids"]["station"])
    await world.charge()
    await world.until(lambda s: s["evses"][0]["energy_wh"] > 5)
    code, text, _ = await sessions(where, "list")
    assert code == 0 and "runs" in text and KNOWN_CARD in text
    await world.swipe()
    await world.contactor("open")
    await world.all_told()
    await world.told(lambda csms: csms.book.transactions[0].ended)
    transaction = world.csms.book.transactions[0].id

    code, text, error = await sessions(where, "show", "1")
    assert code == 0 and transaction in text and "Started" in text and "Ended" in text and f"card {KNOWN_CARD}" in text, error
    code, text, error = await sessions(where, "show", transaction[:8], "--json")
    shown = json.loads(text)
    assert [entry["n"] for entry in shown["entries"]] == list(range(1, len(shown["entries"]) + 1))
    told = [event["seqNo"] for event in world.csms.book.calls("CP001", "TransactionEvent")]
    assert [entry["fact"]["seq"] for entry in shown["entries"]] == told

    code, text, error = await sessions(where, "verify")
    assert code == 0 and "1 of 1 transactions hold" in text and "all holds" in text, error
    code, text, _ = await sessions(where, "export")
    (row,) = csv.DictReader(io.StringIO(text))
    events = world.csms.book.calls("CP001", "TransactionEvent")
    values = [value for event in events for data in event.get("meterValue", ()) for value in data["sampledValue"]]
    blobs = [value["signedMeterValue"]["signedMeterData"] for value in values if "signedMeterValue" in value]
    assert row["signed_end"] == blobs[-1] and base64.b64decode(row["signed_end"]).startswith(b"OCMF|")
    assert float(row["energy_wh"]) > 5 and row["card"] == KNOWN_CARD and row["transaction"] == transaction
    code, text, _ = await sessions(where, "export", "--per", "card-month", "--format", "json")
    (sums,) = json.loads(text)
    assert (sums["card"], sums["transactions"], sums["energy_wh"]) == (KNOWN_CARD, 1, float(row["energy_wh"]))

    code, _, error = await sessions(where, "show", "99")
    assert code == 1 and "there is no transaction 99" in error
    code, text, _ = await sessions(where, "retell")
    assert code == 0 and "nothing to tell again" in text
    await world.unplug()
    await world.until(lambda s: s["station"]["connectors"][0]["session"] == "idle")
    code, text, _ = await sessions(where, "erase", KNOWN_CARD.lower())
    assert code == 0 and "erased from 1 transactions" in text
    code, text, _ = await sessions(where, "verify")
    assert code == 0 and "all holds" in text
    await world.post("power", {"state": "off"})

    code, text, error = await sessions(where, "list", "--json")
    assert code == 0, error
    (listed,) = json.loads(text)
    assert listed["card"] is None and listed["told"] and listed["transaction"] == transaction
    code, text, error = await sessions(where, "verify")
    assert code == 0 and "all holds" in text, error
