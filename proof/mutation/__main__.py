"""`python -m proof.mutation [--sample N] [--seed N] [--only FILE] [--processes N] [--write] [--last]`: mutation tests of chargepoint/control.

A command of its own: it forks from a process that has not imported control.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from proof.mutation.kept import Drawn, Keeper, last
from proof.mutation.report import AIM, killed_share, markdown
from proof.mutation.run import Result, Sample, run
from tests.world import ROOT

DEFAULT_SAMPLE = 300


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0: of the mutants that can be told from the code as many killed as aimed at; 1: not."""
    options = _parser().parse_args(arguments)
    drawn, results = last() if options.last else _run(options)
    document = markdown(results, drawn)
    print(f"\n{document}")
    if options.write:
        (ROOT / "docs" / "mutation.md").write_text(document + "\n", encoding="utf-8")
    return 0 if killed_share(results, alike_too=False) >= AIM else 1


def _run(options: argparse.Namespace) -> tuple[Drawn, list[Result]]:
    sample = Sample(options.sample, options.seed, options.only)
    drawn = Drawn(len(sample), sample.among, options.seed)
    return drawn, run(sample, options.processes, Keeper(drawn).keep, lambda text: print(text, flush=True))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m proof.mutation", description="Small changes to chargepoint/control, and whether a test finds them."
    )
    parser.add_argument("--sample", type=int, default=DEFAULT_SAMPLE, help="how many mutants, drawn by chance")
    parser.add_argument("--seed", type=int, default=1, help="the same seed draws the same mutants")
    parser.add_argument("--only", action="append", default=[], metavar="FILE", help="only of this file; may be given several times")
    parser.add_argument("--processes", type=int, default=1, help="how many at a time")
    parser.add_argument("--write", action="store_true", help="keep the report in docs/")
    parser.add_argument("--last", action="store_true", help="the report of the last run again, with the reasons that are known now")
    return parser


if __name__ == "__main__":
    sys.exit(main())
