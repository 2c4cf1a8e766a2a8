"""`chargepoint status`: the firmware's own report, for people or as JSON. Must not know how it came about."""

from __future__ import annotations

import json
import sys
from typing import Any

from chargepoint.local.ask import NotRunning, ask


def run(*, as_json: bool) -> int:
    """0: printed; 2: the station does not answer."""
    try:
        status = ask({"status": True})
    except NotRunning as error:
        print(error, file=sys.stderr)
        return 2
    print(json.dumps(status, indent=2) if as_json else text(status))
    return 0


def text(status: dict[str, Any]) -> str:
    """The report as lines for a person."""
    line = f"CSMS: {'connected' if status['connected'] else 'not connected'}"
    if status.get("registration"):
        line += f", {status['registration']} ({status.get('ocpp')})"
    lines = [line, f"messages waiting: {status['facts_waiting']}"]
    if status.get("rows_damaged"):
        lines.append(f"rows of the store that cannot be read: {status['rows_damaged']}; named by `chargepoint sessions verify`")
    if status.get("facts_given_up"):
        lines.append(f"messages given up: {status['facts_given_up']}; told again by `chargepoint sessions retell`")
    if status.get("store"):
        lines.append(f"storage: nothing can be written ({status['store']}); sessions are kept in memory")
    for connector in status["connectors"]:
        name = f"EVSE {connector['evse']} connector {connector['connector']}"
        lines.append(f"{name}: {connector['status']}, {connector['limit_a']:g} A" + (f" - {connector['reason']}" if connector.get("reason") else ""))
        if connector.get("transaction"):
            lines.append(f"  transaction {connector['transaction']}")
        if connector.get("sentence"):
            lines.append(f"  {connector['sentence']}")
        lines.extend(_wake(connector))
        lines.extend(f"  fault: {fault}" for fault in connector.get("faults", []))
    loop = status.get("loop") or {}
    if loop:
        lines.append(f"control loop: {loop['periods']} turns, {loop['missed']} missed, p99 {loop['late_p99_us']} us late")
    return "\n".join(lines)


def _wake(connector: dict[str, Any]) -> list[str]:
    """How often the car was interrupted, and what was tried to wake it; nothing where neither was."""
    wake = connector.get("wake") or {}
    if not (wake.get("steps") or wake.get("interruptions")):
        return []
    return [f"  vehicle {connector['vehicle']}: {wake['interruptions']} interruptions, {wake['steps']} steps to wake it"]
