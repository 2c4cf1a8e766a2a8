"""The report of the mutation tests: killed and survived by file, and each survivor with its reason. Must not know how a mutant is made or tried."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from proof.mutation.run import SURVIVED, Result
from proof.mutation.survivors import REASONS

UNEXPLAINED = "not looked into"
AIM = 0.9


def killed_share(results: Sequence[Result]) -> float:
    """Of the mutants that can be told apart from the code: those whose reason says that they act alike are left out."""
    judged = [result for result in results if not reason(result).startswith("acts alike")]
    return sum(result.outcome != SURVIVED for result in judged) / len(judged) if judged else 1.0


def reason(result: Result) -> str:
    """Why a survivor may live; nothing for one that was killed."""
    if result.outcome != SURVIVED:
        return ""
    mutant = result.mutant
    return REASONS.get((mutant.file.rpartition("/")[2], mutant.was, mutant.now), UNEXPLAINED)


def markdown(results: Sequence[Result], mutants: int, seed: int) -> str:
    """The whole report."""
    return "\n".join([*_head(results, mutants, seed), *_table(results), *_survivors(results)])


def _head(results: Sequence[Result], mutants: int, seed: int) -> Iterator[str]:
    killed = sum(result.outcome != SURVIVED for result in results)
    alike = sum(reason(result).startswith("acts alike") for result in results)
    yield "# Mutation tests of control\n"
    yield "Made by `make mutation`. A mutant is `chargepoint/control` with one small change: mutmut's operators, on function bodies and on the"
    yield "modules' own figures and tables. It is killed when a test of `tests/control` fails with it; tests that look at"
    yield "control from another process do not count.\n"
    yield f"Of {mutants} mutants **{len(results)} were tried**, drawn by chance (seed {seed}): **{killed} killed ({killed / len(results):.0%})**,"
    yield f"{len(results) - killed} survived. {alike} of the survivors act as the code does; without them {killed_share(results):.0%} are killed.\n"


def _table(results: Sequence[Result]) -> Iterator[str]:
    tried = Counter(result.mutant.file for result in results)
    alive = Counter(result.mutant.file for result in results if result.outcome == SURVIVED)
    yield "| file | tried | killed | survived |\n|---|---|---|---|"
    for file in sorted(tried):
        yield f"| `{file.rpartition('/')[2]}` | {tried[file]} | {tried[file] - alive[file]} | {alive[file] or ''} |"


def _survivors(results: Sequence[Result]) -> Iterator[str]:
    yield "\n## Survivors\n"
    yield "| where | code | mutant | tests run | why it lives |\n|---|---|---|---|---|"
    for result in results:
        if result.outcome == SURVIVED:
            mutant, ran = result.mutant, f"{result.ran} of {result.tests}"
            yield f"| `{mutant.file.rpartition('/')[2]}` | {_code(mutant.was)} | {_code(mutant.now)} | {ran} | {reason(result)} |"


def _code(text: str) -> str:
    return "`" + text.replace("|", "\\|") + "`"
