"""What was tried, as people read it. Must not know parsers or engines."""

from __future__ import annotations

from collections.abc import Sequence

from proof.fuzz.run import Result, guided

HEAD = """\
# Every parser against whatever bytes there can be

Made by `make fuzz` (seed {seed}; {engines}). A parser gives a value or the error it documents; anything else, {hang} is a defect. What breaks
one is kept in tests/fuzz/corpus and tried again by every `make test`. *kept*: inputs in the corpus; *tries*: made near to what the parser takes.

| parser | reads | kept | tries | by coverage | seconds | found |
|---|---|---|---|---|---|---|
{rows}

{verdict}
"""
HANG = "or ten seconds of work for one input,"


def engines() -> str:
    return "hypothesis and atheris" if guided() else "hypothesis alone, atheris is not installed"


def line(result: Result) -> str:
    """One line of progress."""
    verdict = f"FAIL  {result.defect}" if result.defect else "ok"
    return f"{result.name:14} {result.kept:3} kept, {result.tries:7} tries, {result.seconds:6.1f} s  {verdict}"


def markdown(results: Sequence[Result], seed: int) -> str:
    """The whole document."""
    found = sum(bool(result.defect) for result in results)
    tries = sum(result.tries for result in results)
    return HEAD.format(
        seed=seed,
        engines=engines(),
        hang=HANG,
        rows="\n".join(_row(result) for result in results),
        verdict=f"{found} of {len(results)} parsers broken by {tries} tries." if found else f"{len(results)} parsers, {tries} tries, no defect.",
    )


def _row(result: Result) -> str:
    found = result.defect.replace("|", "/") or "nothing"
    return f"| {result.name} | {result.reads} | {result.kept} | {result.tries} | {result.coverage} | {result.seconds:.0f} | {found} |"
