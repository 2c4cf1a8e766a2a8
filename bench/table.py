"""Rows of figures with their aims, as a table. Must not know what is measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Figure(NamedTuple):
    """One measured figure. aim: what it should be at most ("" none); met None: not judged."""

    what: str
    value: str
    aim: str = ""
    met: bool | None = None


def at_most(what: str, value: float, limit: float, unit: str, digits: int = 2) -> Figure:
    """A figure with an upper aim."""
    return Figure(what, f"{value:.{digits}f} {unit}", f"<= {limit:g} {unit}", value <= limit)


def at_least(what: str, value: float, limit: float, unit: str, digits: int = 0) -> Figure:
    """A figure with a lower aim."""
    return Figure(what, f"{value:.{digits}f} {unit}", f">= {limit:g} {unit}", value >= limit)


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which that share of the values lies; 0 for none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def markdown(title: str, figures: Sequence[Figure]) -> str:
    """A Markdown table."""
    words = {True: "yes", False: "no", None: ""}
    lines = [f"### {title}", "", "| what | measured | aim | met |", "|---|---|---|---|"]
    lines += [f"| {figure.what} | {figure.value} | {figure.aim} | {words[figure.met]} |" for figure in figures]
    return "\n".join([*lines, ""])
