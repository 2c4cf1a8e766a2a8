"""The command line of `chargepoint sessions`. Must not know what the acts do."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

EPILOG = """examples:
  chargepoint sessions list --card 04A1B2C3
  chargepoint sessions show 17
  chargepoint sessions verify
  chargepoint sessions export --month 2026-11 --format csv --output november.csv
  chargepoint sessions export --per card-month
  chargepoint sessions retell 17
  chargepoint sessions erase 04A1B2C3

ID is a number as `list` shows it, or the first characters of a transaction's or session's id.
The station is asked while it runs; otherwise its store is read, as the user it runs as.
"""
ID = "number, or the first characters of the id"


def add(commands: Any) -> None:
    """Adds the subcommand with its acts."""
    text = "what was charged: lists, shows, verifies, exports; tells again what was given up; erases a customer's card"
    parser = commands.add_parser("sessions", help=text, description=text, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter)
    acts = parser.add_subparsers(dest="act", required=True, metavar="ACT")
    _list(acts)
    show = _act(acts, "show", "one transaction with every fact", "chargepoint sessions show 17")
    show.add_argument("id", metavar="ID", help=ID)
    show.add_argument("--json", action="store_true", help="the facts whole, as JSON")
    verify = _act(acts, "verify", "whether every chain holds; exit 0: all do, 1: one does not, with the place", "chargepoint sessions verify")
    verify.add_argument("id", nargs="?", metavar="ID", help=f"{ID}; without it: all")
    _export(acts)
    retell = _act(acts, "retell", "facts that were given up are told the CSMS again", "chargepoint sessions retell 17")
    retell.add_argument("id", nargs="?", metavar="ID", help=f"{ID}; without it: all")
    erase = _act(acts, "erase", "a customer's card is erased from all that was told; exit 1: some must wait", "chargepoint sessions erase 04A1B2C3")
    erase.add_argument("card", type=_card, metavar="CARD", help="as `list` shows it")


def _list(acts: Any) -> None:
    parser = _act(acts, "list", "transactions, newest first", "chargepoint sessions list --card 04A1B2C3 --month 2026-11")
    _filters(parser)
    parser.add_argument("--limit", type=_positive, default=20, metavar="N", help="at most so many (default 20)")
    parser.add_argument("--json", action="store_true", help="as JSON")


def _export(acts: Any) -> None:
    parser = _act(acts, "export", "transactions, oldest first, or their sums", "chargepoint sessions export --month 2026-11 --output november.csv")
    _filters(parser)
    parser.add_argument("--format", choices=["csv", "json"], default="csv", help="default csv")
    parser.add_argument("--per", choices=["card", "month", "card-month"], default=None, help="sums instead of transactions")
    parser.add_argument("--output", type=_file, default=None, metavar="FILE", help="default: standard output")


def _filters(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--card", type=_card, default=None, help="only of this card")
    parser.add_argument("--month", type=_month, default=None, metavar="YYYY-MM", help="only begun in this month, UTC")


def _act(acts: Any, name: str, text: str, example: str) -> argparse.ArgumentParser:
    parser = acts.add_parser(name, help=text, description=text, epilog=f"example:\n  {example}", formatter_class=argparse.RawDescriptionHelpFormatter)
    assert isinstance(parser, argparse.ArgumentParser)
    return parser


def _month(text: str) -> str:
    year, _, month = text.partition("-")
    if not (len(year) == 4 and year.isdecimal() and len(month) == 2 and month.isdecimal() and 1 <= int(month) <= 12):
        raise argparse.ArgumentTypeError(f"{text!r} is no month; write it as 2026-11")
    return text


def _card(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise argparse.ArgumentTypeError(f"{text!r} is no card")
    return text


def _file(text: str) -> Path:
    if not text or "\0" in text:
        raise argparse.ArgumentTypeError(f"{text!r} is no file")
    return Path(text)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number above 0")
    return int(text)
