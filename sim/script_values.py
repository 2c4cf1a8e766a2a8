"""Values of a scenario: what stands at a path, how two compare, and what a text that begins with $ stands for. Must not know steps."""

from __future__ import annotations

import re
import time
from typing import Any

from sim.events import wall_text

OPERATORS = ("=", "!=", ">=", "<=", ">", "<", "has")
PATH = re.compile(r"([\w-]+)|\[(-?\d+)\]")
NOW = re.compile(r"\$now(?:\s*([+-])\s*(\d+(?:\.\d+)?)\s*(s|min|h))?")
SECONDS = {"s": 1, "min": 60, "h": 3600}


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


def filled(value: Any, known: Any) -> Any:
    """A body with its references replaced: `$PATH` by what stands there in `known`, `$now + 5 min` by that time. A text of digits becomes a
    number, as OCPP 1.6 wants its transactionId. Raises LookupError where nothing stands."""
    if isinstance(value, dict):
        return {key: filled(inner, known) for key, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner, known) for inner in value]
    if not isinstance(value, str) or not value.startswith("$"):
        return value
    if moment := NOW.fullmatch(value):
        sign, amount, unit = moment.groups()
        return wall_text(time.time() + float(f"{sign or '+'}{amount or 0}") * SECONDS[unit or "s"])
    found = picked(known, value[1:])
    if found is None:
        raise LookupError(f"nothing stands at {value}")
    return int(found) if isinstance(found, str) and found.isdigit() else found
