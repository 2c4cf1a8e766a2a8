"""Transactions as lines for a person. Must not know where they come from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

Words = dict[str, Any]
HEAD = ("number", "began (UTC)", "ended (UTC)", "EVSE", "kWh", "card", "told", "transaction")


def table(transactions: Sequence[Words]) -> str:
    """One line for each."""
    if not transactions:
        return "no transactions"
    rows = [HEAD, *(_row(transaction) for transaction in transactions)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)


def shown(whole: Words) -> str:
    """One transaction, fact by fact."""
    return "\n".join(_shown(whole))


def wrong(verdict: Words) -> str:
    """What does not hold, and where."""
    place = f"transaction {verdict['number']} ({verdict['transaction']})" if "number" in verdict else f"session {verdict['session']}"
    return f"{place}: {verdict['wrong']}"


def verified(verdicts: Sequence[Words], whole: Words | None, wrong: int) -> str:
    """The sum of it."""
    holding = sum(1 for verdict in verdicts if not verdict["wrong"])
    line = f"{holding} of {len(verdicts)} transactions hold, {sum(verdict.get('links', 0) for verdict in verdicts)} entries"
    thinned = sum(verdict.get("thinned", 0) for verdict in verdicts)
    older = [verdict for verdict in verdicts if verdict.get("unchained")]
    lines = [line + (f", {thinned} of them thinned out" if thinned else "")]
    if older:
        count = sum(verdict["unchained"] for verdict in older)
        lines.append(f"{count} facts are unchained: written before there were chains, up to transaction {max(v['number'] for v in older)}")
    if whole and whole["pruned"]:
        lines.append(f"{whole['pruned']} transactions are pruned, up to {whole['pruned_up_to']}")
    return "\n".join([*lines, "all holds" if not wrong else f"{wrong} places do not hold"])


def _row(transaction: Words) -> tuple[str, ...]:
    if "wrong" in transaction:
        return str(transaction["number"]), "", "", "", "", "", "", f"{transaction['transaction']}: {transaction['wrong']}"
    told = "yes" if transaction["told"] else "waits"
    return (
        str(transaction["number"]),
        _minute(transaction["began"]) + ("" if transaction["time_known"] else "?"),
        _minute(transaction["ended"]) if transaction["ended"] else "runs",
        str(transaction["evse"]),
        _kwh(transaction),
        transaction["card"] or "-",
        f"{told}, {transaction['given_up']} given up" if transaction["given_up"] else told,
        transaction["transaction"],
    )


def _shown(whole: Words) -> Iterator[str]:
    yield table([{**whole, "given_up": len(whole["given_up"])}])
    yield f"session {whole['session']}"
    for entry in whole["entries"]:
        yield f"  {entry['n'] or 'unchained':>5}  {_entry(entry)}"
    for item in whole["given_up"]:
        yield f"  given up: seq {item['seq']}{' at ' + item['at'] if item['at'] else ''}: {item['answer']}"


def _entry(entry: Words) -> str:
    if "gap" in entry:
        return f"entries {entry['gap'][0]} to {entry['gap'][1]} were thinned out"
    if "thinned" in entry:
        return f"{entry['at']}  {entry['thinned']} intermediate values were thinned out"
    fact = entry["fact"]
    parts = [entry.get("at", ""), f"seq {fact.get('seq')}", str(fact.get("kind", "")), str(fact.get("trigger", ""))]
    parts += [fact["charging_state"]] if fact.get("charging_state") else []
    parts += [f"{fact['register_wh']:.1f} Wh"] if fact.get("register_wh") is not None else []
    parts += [f"card {entry['card']}"] if entry.get("card") else []
    signed = sum(1 for reading in fact.get("readings", ()) for value in reading["values"] if value.get("signed"))
    return "  ".join(parts + ([f"{signed} signed"] if signed else []))


def _minute(text: str) -> str:
    return text[:16].replace("T", " ")


def _kwh(transaction: Words) -> str:
    if transaction["energy_wh"] is None:
        return "?"
    return f"{transaction['energy_wh'] / 1000:.3f}" + ("*" if transaction["estimated"] else "")
