"""The report of the mutation tests: killed and survived by file, and each survivor with its reason. Must not know how a mutant is made or tried."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from proof.mutation.child import BUDGET_S, ENDLESS, SURVIVED
from proof.mutation.kept import Drawn
from proof.mutation.run import Result
from proof.mutation.survivors import ALIKE, reason_of

AIM = 0.9


def killed_share(results: Sequence[Result], *, alike_too: bool = True) -> float:
    """Of all that were tried. alike_too: one that acts as the code does counts as survived."""
    judged = [result for result in results if alike_too or not _alike(result)]
    return sum(result.outcome != SURVIVED for result in judged) / len(judged) if judged else 1.0


def _alike(result: Result) -> bool:
    return result.outcome == SURVIVED and reason_of(result.mutant).startswith(ALIKE)


def markdown(results: Sequence[Result], drawn: Drawn) -> str:
    """The whole report."""
    return "\n".join([*_head(results, drawn), *_table(results), *_survivors(results)])


def _head(results: Sequence[Result], drawn: Drawn) -> Iterator[str]:
    alive = [result for result in results if result.outcome == SURVIVED]
    alike = sum(map(_alike, alive))
    endless = sum(result.outcome == ENDLESS for result in results)
    broken_off = sum(result.ran < result.tests for result in alive)
    yield "# Mutation tests of control\n"
    yield f'Made by `make mutation ARGS="--sample {drawn.sample} --seed {drawn.seed} --write"`. A mutant is `chargepoint/control` with one small'
    yield "change: mutmut's operators, on function bodies and on the modules' own figures and tables. It is killed when a test of `tests/control`"
    yield "fails with it, or no longer ends; tests that look at control from another process do not count. Tried are the tests that run the line"
    yield "that differs, or, where it is a figure or a table, a line that acts by it.\n"
    yield f"Of {drawn.among} mutants {drawn.sample} were drawn by chance (seed {drawn.seed}) and **{len(results)} tried:"
    yield f"{len(results) - len(alive)} killed ({killed_share(results):.1%})**, {len(alive)} survived. Of the killed {endless} no longer ended."
    yield f"Of the survivors {alike} act as the code does: no test can tell them. They count as survived all the same;"
    yield f"without them {killed_share(results, alike_too=False):.1%} are killed. With {broken_off} of the survivors some of the tests that"
    yield f"reach them were not run: each mutant had {BUDGET_S:g} s of processor time.\n"


def _table(results: Sequence[Result]) -> Iterator[str]:
    tried = Counter(result.mutant.file for result in results)
    alive = Counter(result.mutant.file for result in results if result.outcome == SURVIVED)
    yield "| file | tried | killed | survived |\n|---|---|---|---|"
    for file in sorted(tried):
        yield f"| `{file.rpartition('/')[2]}` | {tried[file]} | {tried[file] - alive[file]} | {alive[file] or ''} |"


def _survivors(results: Sequence[Result]) -> Iterator[str]:
    by_reason: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        if result.outcome == SURVIVED:
            by_reason[reason_of(result.mutant)].append(result)
    yield "\n## Survivors, by what lets them live"
    for why, alive in sorted(by_reason.items(), key=lambda each: (-len(each[1]), each[0])):
        yield f"\n### {len(alive)}: {why}\n\n| file | code | mutant | tests run |\n|---|---|---|---|"
        for result in sorted(alive, key=lambda each: (each.mutant.file, each.mutant.first)):
            mutant = result.mutant
            yield f"| `{mutant.file.rpartition('/')[2]}` | {_code(mutant.was)} | {_code(mutant.now)} | {result.ran} of {result.tests} |"


def _code(text: str) -> str:
    return "`` " + text.replace("|", "\\|") + " ``"
