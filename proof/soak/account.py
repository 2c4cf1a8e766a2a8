"""Compares what was charged with what the CSMS was told: nothing lost, nothing doubled, in order, and the same energy. Must not know the station."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

TOLERANCE_WH = 12.0
"""A second at full power, and the rounding of 1.6 at both ends."""
LOOSE_WH = 23_000.0 / 60
"""After a power cut or with a silent meter: a minute at full power."""
NOTHING_WH = 1.0


@dataclass
class Account:
    """problems: in sentences, the first of them. worst_wh: the largest difference where nothing disturbed the charge."""

    charges: int = 0
    transactions: int = 0
    energy_kwh: float = 0.0
    told_kwh: float = 0.0
    worst_wh: float = 0.0
    repeats: int = 0
    estimated: int = 0
    hows: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)


def compare(truth: Path, witness: Path) -> Account:
    """By EVSE, in order: each charge of some energy is one transaction of the same card and energy."""
    account = Account()
    charges, told = _by_evse(truth), _by_evse(witness)
    for evse in sorted({*charges, *told}):
        _compare_evse(account, evse, charges.get(evse, []), told.get(evse, []))
    return account


def _compare_evse(account: Account, evse: int, charges: list[dict[str, Any]], told: list[dict[str, Any]]) -> None:
    for transaction in told:
        account.transactions += 1
        account.repeats += transaction["repeats"]
        if not transaction["ended"] and transaction is not told[-1]:
            account.problems.append(f"EVSE {evse}: transaction {transaction['id']} of {transaction['started_at']} was never ended")
    left = iter([transaction for transaction in told if energy_of(transaction) > NOTHING_WH])
    for charge in charges:
        wh = charge["end_wh"] - charge["start_wh"]
        if wh <= NOTHING_WH:
            continue
        account.charges += 1
        account.energy_kwh += wh / 1000
        account.hows[charge["how"] or "undisturbed"] += 1
        match = next(left, None)
        if match is None:
            account.problems.append(f"EVSE {evse}: {wh:.0f} Wh of {charge['token']} at {charge['at']:.0f} were never told")
            continue
        _compare_one(account, evse, charge, wh, match)
    account.problems += [f"EVSE {evse}: transaction {extra['id']} of {extra['started_at']} was never charged" for extra in left]


def _compare_one(account: Account, evse: int, charge: dict[str, Any], wh: float, told: dict[str, Any]) -> None:
    told_wh = energy_of(told)
    account.told_kwh += told_wh / 1000
    difference = abs(told_wh - wh)
    if told["token"] != charge["token"]:
        account.problems.append(f"EVSE {evse}: {charge['token']} charged at {charge['at']:.0f}, told was {told['token']} at {told['started_at']}")
    if charge["how"]:
        allowed = LOOSE_WH
    else:
        allowed, account.worst_wh = TOLERANCE_WH, max(account.worst_wh, difference)
    if difference > allowed:
        how = charge["how"] or "undisturbed"
        account.problems.append(f"EVSE {evse}: {wh:.0f} Wh of {charge['token']} at {charge['at']:.0f} ({how}), told were {told_wh:.0f} Wh ({told['id']})")


def energy_of(transaction: dict[str, Any]) -> float:
    """Between the first and the last register told, Wh."""
    registers = sorted(wh for _, wh in transaction["registers"])
    return registers[-1] - registers[0] if registers else 0.0


def _by_evse(path: Path) -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = {}
    for item in _lines(path):
        found.setdefault(int(item["evse"] or item["connector"]), []).append(item)
    return found


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)
