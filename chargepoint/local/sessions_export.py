"""Transactions, or their sums, as CSV or JSON. Must not know where they come from."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

Words = dict[str, Any]
COLUMNS = (
    "number",
    "session",
    "transaction",
    "evse",
    "connector",
    "card",
    "card_type",
    "began",
    "ended",
    "time_known",
    "begin_wh",
    "end_wh",
    "energy_wh",
    "estimated",
    "charged_s",
    "reason",
    "told",
    "given_up",
)
SIGNED = ("signed_begin", "signed_end", "signed_encoding", "signed_method", "public_key")
"""What the meter signed, unchanged, as the CSMS gets it (Base64)."""


def written(transactions: Sequence[Words], format: str, per: str | None) -> str:
    """The text of the file."""
    rows = [_flat(transaction) for transaction in transactions] if per is None else _sums(transactions, per)
    if format == "json":
        return json.dumps(list(transactions) if per is None else rows, indent=2) + "\n"
    columns = (*COLUMNS, *SIGNED) if per is None else tuple(rows[0]) if rows else tuple(_sum_of(per, (), []))
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, restval="", extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def _flat(transaction: Words) -> Words:
    signed = transaction.get("signed") or []
    first, last = (signed[0], signed[-1]) if signed else ({}, {})
    return {
        **transaction,
        "signed_begin": first.get("data", "") if len(signed) > 1 else "",
        "signed_end": last.get("data", ""),
        "signed_encoding": last.get("encoding", ""),
        "signed_method": last.get("method", ""),
        "public_key": last.get("public_key", ""),
    }


def _sums(transactions: Sequence[Words], per: str) -> list[Words]:
    groups: dict[tuple[str, ...], list[Words]] = {}
    for transaction in transactions:
        if "wrong" not in transaction:
            card, month = transaction["card"] or "", transaction["began"][:7]
            groups.setdefault({"card": (card,), "month": (month,), "card-month": (card, month)}[per], []).append(transaction)
    return [_sum_of(per, key, group) for key, group in sorted(groups.items())]


def _sum_of(per: str, key: tuple[str, ...], group: Sequence[Words]) -> Words:
    """unknown: transactions whose energy nobody knows; estimated: those that ended with a silent meter."""
    return {
        **dict(zip(per.split("-"), key or ("", ""), strict=False)),
        "transactions": len(group),
        "energy_wh": round(sum(one["energy_wh"] or 0.0 for one in group), 3),
        "charged_s": sum(one["charged_s"] or 0 for one in group),
        "estimated": sum(1 for one in group if one["estimated"]),
        "unknown": sum(1 for one in group if one["energy_wh"] is None),
    }
