"""The year as people read it: a line a month, the table, the account, and what must stay flat. Must not know how it was gathered."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from proof.soak.figures import Month
from proof.soak.run import Outcome

GROWTH_MIB = 3.0
"""Over 1,000 sessions."""
WARM_SESSIONS = 300
"""Before that every part is used for the first time: schemas are compiled, caches fill."""
FLAT_THINGS = (("file_kib", "files"), ("look_up_us", "look-up"), ("commit_us", "durable write"))
FLAT = 1.5
"""How many times what it was in the second month a size or a latency may be in the last."""

HEAD = """\
# A year of one station

Made by `make soak` ({version}, seed {seed}): {days:g} days of simulated time in {took:.0f} minutes. The station's own process code runs, with its
store as a file on the disk, its link and its line (real WebSocket frames); control, cars, people, network and CSMS are simulated.
Two connectors, each with some four sessions a day. The same seed gives the same year.

{verdict}

| month | sessions | messages | troubles | waiting, most | MiB | objects | files KiB | look-up µs | durable write µs | log KiB/day | CPU s/day |
|---|---|---|---|---|---|---|---|---|---|---|---|
{months}

MiB: memory of the whole process, the simulated world in it; a look-up asks for facts that wait and for a card in list and cache; a durable write
is one value, on a disk shared with others. CPU is of everything, world included.

| what | measured | aim | met |
|---|---|---|---|
{aims}

What went wrong on the way: {troubles}. The station's process ended: {ends}. Charges: {hows}.
Messages: {calls}. Orders of the CSMS: {orders}. Told while the clock was wrong, so that its times ran backwards: {excused}.
{problems}"""


class Aim(NamedTuple):
    what: str
    measured: str
    aim: str
    met: bool


def line(month: Month) -> str:
    """One line of progress."""
    return (
        f"{month.number:2}: {month.sessions} sessions, {month.messages} messages, {month.rss_mib:.1f} MiB, {month.file_kib:.0f} KiB, "
        f"look-up {month.look_up_us:.1f} us, write {month.commit_us:.0f} us, {month.cpu_s_per_day:.2f} CPU s a day"
    )


def aims(outcome: Outcome) -> list[Aim]:
    """What the year had to show; growth only where it was long enough to show any."""
    account = outcome.account
    breaches = len(outcome.problems) - len(account.problems)
    found = [
        Aim("charges told to the CSMS, in order, once, with card and energy", f"{account.right} of {account.charges}", "all", not account.problems),
        Aim("energy told", f"{account.told_kwh:.1f} of {account.energy_kwh:.1f} kWh", "all", not account.problems),
        Aim("largest difference of an undisturbed charge", f"{account.worst_wh:.1f} Wh", "<= 12 Wh", account.worst_wh <= 12.0),
        Aim("facts waiting at the end, given up", f"{outcome.waiting}, {outcome.given_up}", "0, 0", not outcome.waiting + outcome.given_up),
        Aim("breaches of schema or order, failures of the process", str(breaches), "0", not breaches),
    ]
    slope = growth_mib(outcome.memory)
    if slope is not None:
        found.append(Aim("memory over 1,000 sessions", f"{slope:+.2f} MiB", f"<= {GROWTH_MIB:g} MiB", slope <= GROWTH_MIB))
    if len(outcome.months) >= 4:
        found += [_flat(outcome.months, what, name) for what, name in FLAT_THINGS]
    return found


def growth_mib(memory: Sequence[tuple[int, float]]) -> float | None:
    """The slope of memory over sessions once warm, MiB in 1,000; None: too few."""
    warm = [(sessions, mib) for sessions, mib in memory if sessions >= WARM_SESSIONS]
    if len(warm) < 5:
        return None
    return statistics.linear_regression([sessions for sessions, _ in warm], [mib for _, mib in warm]).slope * 1000


def _flat(months: Sequence[Month], what: str, name: str) -> Aim:
    early = statistics.median(getattr(month, what) for month in months[1:3])
    late = statistics.median(getattr(month, what) for month in months[-2:])
    return Aim(f"{name}: last two months beside the second and third", f"{late / early:.2f} times", f"<= {FLAT:g} times", late <= FLAT * early)


def passed(outcome: Outcome) -> bool:
    return not outcome.problems and all(aim.met for aim in aims(outcome))


def markdown(outcome: Outcome) -> str:
    """The whole document."""
    met = aims(outcome)
    return HEAD.format(
        version=outcome.version,
        seed=outcome.seed,
        days=outcome.days,
        took=outcome.took_s / 60,
        verdict="Nothing was lost, nothing doubled, and nothing grew." if passed(outcome) else "**Not everything was as it should be.**",
        months="\n".join(_row(month) for month in outcome.months),
        aims="\n".join(f"| {aim.what} | {aim.measured} | {aim.aim} | {'yes' if aim.met else '**no**'} |" for aim in met),
        troubles=_counted(outcome.troubles),
        ends=_counted(outcome.ends),
        hows=_counted(outcome.account.hows),
        calls=_counted(outcome.calls),
        orders=_counted(outcome.orders),
        excused=_counted(outcome.excused),
        problems="".join(f"\n- {problem}" for problem in outcome.problems[:50]),
    )


def _row(month: Month) -> str:
    return (
        f"| {month.number} | {month.sessions} | {month.messages} | {month.troubles} | {month.waiting_most} | {month.rss_mib:.1f} | {month.objects} | "
        f"{month.file_kib:.0f} | {month.look_up_us:.1f} | {month.commit_us:.0f} | {month.log_kib_per_day:.1f} | {month.cpu_s_per_day:.2f} |"
    )


def _counted(counter: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counter.most_common()) or "nothing"
