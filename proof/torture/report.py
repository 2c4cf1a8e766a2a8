"""The torture in lines and a table: which cases there were, and what was lost, doubled or wrong. Must not know how a case is made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

HEAD = ("point", "network", "cases", "lost", "doubled", "energy error max", "verdict")


@dataclass
class Case:
    """One case. name: how it is repeated. lost: facts; cut: answers that the network cut off; doubled: messages told again;
    energy_error_wh: against the world's meter. stood: it died at the chosen write. wrong: what must not be; empty: it passed."""

    point: str
    network: str
    name: str
    lost: int = 0
    cut: int = 0
    doubled: int = 0
    energy_error_wh: float = 0.0
    stood: bool = False
    wrong: list[str] = field(default_factory=list)


def line(case: Case) -> str:
    """What failed, in a line."""
    return f"{case.point}, network {case.network}: {case.name}: {'; '.join(case.wrong) or 'as it should be'}"


def rows(cases: Sequence[Case]) -> list[tuple[str, ...]]:
    """The table: one row for each point and network."""
    groups: dict[tuple[str, str], list[Case]] = {}
    for case in cases:
        groups.setdefault((case.point, case.network), []).append(case)
    return [(*key, *_sums(group)) for key, group in sorted(groups.items())]


def _sums(group: Sequence[Case]) -> tuple[str, ...]:
    failed = sum(bool(case.wrong) for case in group)
    return (
        str(len(group)),
        str(sum(case.lost for case in group)),
        str(sum(case.doubled for case in group)),
        f"{max(case.energy_error_wh for case in group):.1f} Wh",
        f"**{failed} failed**" if failed else "passed",
    )


def markdown(cases: Sequence[Case], seed: int, remarks: Sequence[str]) -> str:
    """The whole report."""
    table = [HEAD, ("---",) * len(HEAD), *rows(cases)]
    failed = [f"- {line(case)}" for case in cases if case.wrong]
    passed = len(cases) - len(failed)
    parts = [
        "# The torture",
        f"`make torture ARGS=--write`, seed {seed}: {passed} of {len(cases)} cases passed.",
        "\n".join(f"| {' | '.join(row)} |" for row in table),
        "Doubled: messages whose answer was given, or was on its way, and that were told again; how many may be says [reliability](reliability.md).",
        "\n".join(f"- {remark}" for remark in remarks),
        "\n".join(failed),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"
