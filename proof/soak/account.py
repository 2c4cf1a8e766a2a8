"""Compares what was charged with what the CSMS was told: nothing lost, nothing doubled, in order, and the same energy. Must not know the station."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import SequenceMatcher
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
    right: int = 0
    transactions: int = 0
    energy_kwh: float = 0.0
    told_kwh: float = 0.0
    worst_wh: float = 0.0
    repeats: int = 0
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
    charged = [charge for charge in charges if _wh(charge) > NOTHING_WH]
    kept = [transaction for transaction in told if energy_of(transaction) > NOTHING_WH]
    for charge in charged:
        account.charges += 1
        account.energy_kwh += _wh(charge) / 1000
        account.hows[charge["how"] or "undisturbed"] += 1
    matcher = SequenceMatcher(None, [charge["token"] for charge in charged], [transaction["token"] for transaction in kept], autojunk=False)
    for what, from_charge, to_charge, from_told, to_told in matcher.get_opcodes():
        if what == "equal":
            for charge, transaction in zip(charged[from_charge:to_charge], kept[from_told:to_told], strict=True):
                _compare_one(account, evse, charge, transaction)
            continue
        for charge in charged[from_charge:to_charge]:
            account.problems.append(f"EVSE {evse}: {_words(charge)} were never told there")
        for transaction in kept[from_told:to_told]:
            what_told = f"{energy_of(transaction):.0f} Wh of {transaction['token']}, {transaction['id']} of {transaction['started_at']}"
            account.problems.append(f"EVSE {evse}: told were {what_told}, which nobody charged then")


def _compare_one(account: Account, evse: int, charge: dict[str, Any], told: dict[str, Any]) -> None:
    told_wh = energy_of(told)
    account.told_kwh += told_wh / 1000
    difference = abs(told_wh - _wh(charge))
    if charge["how"]:
        allowed = LOOSE_WH
    else:
        allowed, account.worst_wh = TOLERANCE_WH, max(account.worst_wh, difference)
    account.right += difference <= allowed
    if difference > allowed:
        account.problems.append(f"EVSE {evse}: {_words(charge)}, told were {told_wh:.1f} Wh ({told['id']}, {told['reason']})")


def _words(charge: dict[str, Any]) -> str:
    return f"{_wh(charge):.1f} Wh of {charge['token']} at {charge['at']:.0f} ({charge['how'] or 'undisturbed'})"


def _wh(charge: dict[str, Any]) -> float:
    return float(charge["end_wh"] - charge["start_wh"])


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
