"""`chargepoint sessions ACT`: asks the ledger and prints. Must not know how it is kept.

Exit codes: 0 done; 1 something is wrong, not there or must wait; 2 nobody to ask.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from chargepoint.ledger_door import Ask, NoLedger, ledger
from chargepoint.local import sessions_export, sessions_text

Words = dict[str, Any]


class Refused(Exception):
    """The ledger's answer is an error, which the message says."""


def run(options: argparse.Namespace) -> int:
    """Runs an act."""
    try:
        with ledger() as ask:
            return ACTS[options.act](ask, options)
    except NoLedger as trouble:
        print(trouble, file=sys.stderr)
        return 2
    except (Refused, OSError) as trouble:
        print(trouble, file=sys.stderr)
        return 1


def _list(ask: Ask, options: argparse.Namespace) -> int:
    found = []
    for transaction in _transactions(ask, options):
        found.append(transaction)
        if len(found) == options.limit:
            break
    print(json.dumps(found, indent=2) if options.json else sessions_text.table(found))
    return 0


def _show(ask: Ask, options: argparse.Namespace) -> int:
    answer = _asked(ask, {"show": options.id, "after": 0})
    entries, more = list(answer["entries"]), answer["next"]
    while more is not None:
        further = _asked(ask, {"show": options.id, "after": more})
        entries += further["entries"]
        more = further["next"]
    whole = {**answer["transaction"], "given_up": answer["given_up"], "entries": entries}
    print(json.dumps(whole, indent=2) if options.json else sessions_text.shown(whole))
    return 0


def _verify(ask: Ask, options: argparse.Namespace) -> int:
    if options.id is not None:
        verdicts, whole = list(_asked(ask, {"verify_one": options.id})["verdicts"]), None
    else:
        verdicts = list(_pages(ask, "verdicts", "verify", 0))
        whole = _asked(ask, {"whole": True})
    wrong = [sessions_text.wrong(verdict) for verdict in verdicts if verdict["wrong"]] + (whole["wrong"] if whole else [])
    for line in wrong:
        print(f"WRONG: {line}", file=sys.stderr)
    print(sessions_text.verified(verdicts, whole, len(wrong)))
    return 1 if wrong else 0


def _export(ask: Ask, options: argparse.Namespace) -> int:
    found = list(_transactions(ask, options))[::-1]
    text = sessions_export.written(found, options.format, options.per)
    if options.output is None:
        sys.stdout.write(text)
        return 0
    options.output.write_text(text, encoding="utf-8")
    print(f"{len(found)} transactions written to {Path(options.output)}", file=sys.stderr)
    return 0


def _retell(ask: Ask, options: argparse.Namespace) -> int:
    answer = _asked(ask, {"retell": options.id})
    again, given_up = answer["told_again"], answer["given_up"]
    print(f"{again} given-up facts are told again" if again else "nothing to tell again" + (": they are being told" if given_up else ""))
    return 0


def _erase(ask: Ask, options: argparse.Namespace) -> int:
    erased: list[str] = []
    waiting: list[str] = []
    after: int | None = 0
    while after is not None:
        step = _asked(ask, {"erase": options.card, "after": after})
        erased, waiting, after = erased + step["erased"], waiting + step["waiting"], step["next"]
    print(f"{options.card}: erased from {len(erased)} transactions, and from the cache")
    if needed := list(dict.fromkeys(waiting)):
        print(f"{len(needed)} transactions still run or are not told yet; erase again later: {', '.join(needed)}", file=sys.stderr)
    return 1 if waiting else 0


ACTS = {"list": _list, "show": _show, "verify": _verify, "export": _export, "retell": _retell, "erase": _erase}


def _transactions(ask: Ask, options: argparse.Namespace) -> Iterator[Words]:
    """Newest first, those that are asked for."""
    for transaction in _pages(ask, "transactions", "list", None):
        card = str(transaction.get("card") or "")
        if options.card is not None and card.casefold() != options.card.casefold():
            continue
        if options.month is None or str(transaction.get("began", "")).startswith(options.month):
            yield transaction


def _pages(ask: Ask, name: str, act: str, start: int | None) -> Iterator[Words]:
    answer = _asked(ask, {act: start})
    yield from answer[name]
    while answer["next"] is not None:
        answer = _asked(ask, {act: answer["next"]})
        yield from answer[name]


def _asked(ask: Ask, question: Words) -> Words:
    answer = ask(question)
    if "error" in answer:
        raise Refused(answer["error"])
    return answer
