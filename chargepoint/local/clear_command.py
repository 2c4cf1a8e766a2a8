"""`chargepoint clear-fault EVSE FAULT`. Must not know when a fault may be cleared: control decides."""

from __future__ import annotations

import sys

from chargepoint.local.ask import NotRunning, ask


def run(evse: int, fault: str) -> int:
    """0: cleared; 1: refused, with the reason; 2: the station does not answer."""
    try:
        answer = ask({"clear_fault": {"evse": evse, "fault": fault}})
    except NotRunning as error:
        print(error, file=sys.stderr)
        return 2
    if answer.get("done"):
        print(f"EVSE {evse}: {fault} cleared")
        return 0
    print(f"EVSE {evse}: {fault} not cleared: {answer.get('text') or answer.get('error')}", file=sys.stderr)
    return 1
