"""`python -m proof.mutation [--sample N] [--seed N] [--only FILE] [--processes N] [--write]`: mutation tests of chargepoint/control.

A command of its own: it forks from a process that has not imported control.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from proof.mutation.report import AIM, killed_share, markdown
from proof.mutation.run import Sample, run
from tests.world import ROOT

DEFAULT_SAMPLE = 300


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0: as many killed as aimed at; 1: not."""
    options = _parser().parse_args(arguments)
    sample = Sample(options.sample, options.seed, options.only)
    results = run(sample, options.processes, lambda text: print(text, flush=True))
    document = markdown(results, sample.among, options.seed)
    print(f"\n{document}")
    if options.write:
        (ROOT / "docs" / "mutation.md").write_text(document + "\n", encoding="utf-8")
    return 0 if killed_share(results) >= AIM else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m proof.mutation", description="Small changes to chargepoint/control, and whether a test finds them."
    )
    parser.add_argument("--sample", type=int, default=DEFAULT_SAMPLE, help="how many mutants, drawn by chance")
    parser.add_argument("--seed", type=int, default=1, help="the same seed draws the same mutants")
    parser.add_argument("--only", action="append", default=[], metavar="FILE", help="only of this file; may be given several times")
    parser.add_argument("--processes", type=int, default=1, help="how many at a time")
    parser.add_argument("--write", action="store_true", help="keep the report in docs/")
    return parser


if __name__ == "__main__":
    sys.exit(main())
