"""The report of the mutation tests: killed and survived by file, and each survivor with its reason. Must not know how a mutant is made or tried."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from proof.mutation.child import ENDLESS, SURVIVED
from proof.mutation.run import Result
from proof.mutation.survivors import ALIKE, reason_of

AIM = 0.9


def killed_share(results: Sequence[Result]) -> float:
    """Of all that were tried; one that acts as the code does counts as survived too."""
    return sum(result.outcome != SURVIVED for result in results) / len(results) if results else 1.0


def markdown(results: Sequence[Result], among: int, seed: int) -> str:
    """The whole report. among: of how many mutants they were drawn."""
    return "\n".join([*_head(results, among, seed), *_table(results), *_survivors(results)])


def _head(results: Sequence[Result], among: int, seed: int) -> Iterator[str]:
    alive = [result for result in results if result.outcome == SURVIVED]
    alike = sum(reason_of(result.mutant).startswith(ALIKE) for result in alive)
    endless = sum(result.outcome == ENDLESS for result in results)
    broken_off = sum(result.ran < result.tests for result in alive)
    yield "# Mutation tests of control\n"
    yield f'Made by `make mutation ARGS="--sample {len(results)} --seed {seed} --write"`. A mutant is `chargepoint/control` with one small change:'
    yield "mutmut's operators, on function bodies and on the modules' own figures and tables. It is killed when a test of `tests/control` fails with"
    yield "it, or no longer ends; tests that look at control from another process do not count. Tried are the tests that run the line that differs,"
    yield "or, where it is a figure or a table, a line that acts by it; the quickest first.\n"
    yield f"Of {among} mutants **{len(results)} were tried**, drawn by chance (seed {seed}): **{len(results) - len(alive)} killed"
    yield f"({killed_share(results):.1%})**, {len(alive)} survived. Of the killed {endless} no longer ended. Of the survivors {alike} act as the code"
    yield f"does, so that nothing could kill them; they are counted as survived all the same. With {broken_off} of the survivors some of the tests"
    yield "that reach them were not run, for want of time.\n"


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
