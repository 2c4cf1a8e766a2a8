"""`python -m proof campaign | typetest | soak | torture | fuzz`: gathers evidence in simulated worlds, prints it, keeps it in docs/ with --write."""

from __future__ import annotations

import argparse
import asyncio
import secrets
import sys
from collections.abc import Sequence

from proof import campaign, matrix, typetest
from proof.cell import Cell
from proof.fuzz import report as fuzz_report
from proof.fuzz.all import TARGETS as FUZZED
from proof.fuzz.run import Budget
from proof.fuzz.run import run as run_fuzz
from proof.soak import report
from proof.soak.figures import Month
from proof.soak.run import run as run_soak
from proof.torture import run as torture
from proof.torture.preload import NoCompiler
from proof.torture.report import Case, line, markdown
from proof.worlds import VERSION
from tests.world import ROOT


def _campaign(options: argparse.Namespace) -> int:
    try:
        cells = campaign.selected(options.only, options.quick)
    except KeyError as error:
        print(f"not in the table: {error.args[0]}", file=sys.stderr)
        return 2
    number = 0

    def say(cell: Cell) -> None:
        nonlocal number
        number += 1
        print(f"{number:3}/{len(cells)} {matrix.line(cell)}", flush=True)

    done = asyncio.run(campaign.run(cells, say))
    document = matrix.markdown(done, VERSION)
    print(f"\n{document}")
    if options.write:
        (ROOT / "docs" / "campaign.md").write_text(document, encoding="utf-8")
    return 0 if len(done) == len(cells) and all(cell.passed for cell in done) else 1


def _typetest(options: argparse.Namespace) -> int:
    expected, number = typetest.count(options.only), 0

    def say(result: typetest.Result) -> None:
        nonlocal number
        number += 1
        print(f"{number:3}/{expected} {typetest.line(result)}", flush=True)

    done = asyncio.run(typetest.run(say, options.only))
    document = typetest.markdown(done, VERSION)
    print(f"\n{document}")
    if options.write:
        (ROOT / "docs" / "typetest.md").write_text(document, encoding="utf-8")
    return 0 if done and all(result.passed for result in done) else 1


def _soak(options: argparse.Namespace) -> int:
    def say(month: Month) -> None:
        print(report.line(month), flush=True)

    outcome = run_soak(options.days, options.version, options.seed, say)
    document = report.markdown(outcome)
    print(f"\n{document}")
    if options.write:
        (ROOT / "docs" / "soak.md").write_text(document, encoding="utf-8")
    return 0 if report.passed(outcome) else 1


def _torture(options: argparse.Namespace) -> int:
    done: list[Case] = []

    def say(case: Case) -> None:
        done.append(case)
        if case.wrong or case.network != torture.PAPER or len(done) % torture.IMAGES_OF_ONE == 0:
            print(f"{len(done):6} {line(case)}", flush=True)

    try:
        if options.image or options.case:
            remarks = torture.again(options.image, options.case, options.seed, say)
        else:
            remarks = torture.everything(options.images, options.cuts, options.offline, options.seed, say, lambda text: print(text, flush=True))
    except (NoCompiler, ValueError) as trouble:
        print(trouble, file=sys.stderr)
        return 2
    document = markdown(done, options.seed, remarks)
    print(f"\n{document}")
    if options.write:
        (ROOT / "docs" / "torture.md").write_text(document, encoding="utf-8")
    return 0 if done and not any(case.wrong for case in done) else 1


def _fuzz(options: argparse.Namespace) -> int:
    unknown = set(options.only) - {target.name for target in FUZZED}
    if unknown:
        print(f"no such parser: {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    seed = options.seed if options.seed is not None else secrets.randbelow(1 << 32)
    targets = [target for target in FUZZED if not options.only or target.name in options.only]
    print(f"seed {seed}; {fuzz_report.engines()}", flush=True)
    budget = Budget(options.examples, options.seconds / len(targets), seed)
    results = run_fuzz(targets, budget, lambda result: print(fuzz_report.line(result), flush=True))
    document = fuzz_report.markdown(results, seed)
    print(f"\n{document}")
    if options.write:
        (ROOT / "docs" / "fuzz.md").write_text(document, encoding="utf-8")
    return 1 if any(result.defect for result in results) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m proof", description="Evidence from simulated worlds, driven by their control API.")
    kinds = parser.add_subparsers(dest="kind", required=True)
    faults = kinds.add_parser("campaign", help="every fault in every state, to the safe state and back")
    faults.add_argument("--only", action="append", default=[], metavar="FAULT", help="only this fault; may be given several times")
    faults.add_argument("--quick", action="store_true", help="only in the states B with an offer and C")
    faults.set_defaults(run=_campaign)
    sequences = kinds.add_parser("typetest", help="every sequence of IEC 61851-1 Annex A, with its clause, limit and measured value")
    sequences.add_argument(
        "--only", action="append", default=[], metavar="NUMBER", help="only the sequences of this number; may be given several times"
    )
    sequences.set_defaults(run=_typetest)
    soak = kinds.add_parser("soak", help="a year of one station in simulated time: memory, files and latency flat, nothing lost")
    soak.add_argument("--days", type=float, default=365.0, help="how long the year lasts")
    soak.add_argument("--version", choices=("ocpp2.0.1", "ocpp1.6"), default="ocpp2.0.1", help="what the CSMS speaks")
    soak.add_argument("--seed", type=int, default=1, help="the same seed gives the same year")
    soak.set_defaults(run=_soak)
    cuts = kinds.add_parser("torture", help="cut power and killed processes: what is lost, doubled or wrong afterwards")
    cuts.add_argument("--images", type=int, default=20_000, help="disk images that a cut could leave, half for each version")
    cuts.add_argument("--cuts", type=int, default=400, help="kills and power cuts of whole charge points, half for each version")
    cuts.add_argument("--offline", type=int, default=10_000, help="offline transactions written and told while their station is killed; 0: none")
    cuts.add_argument("--case", metavar="VERSION:NUMBER", action="append", default=[], help="only this kill or cut; several: in this order")
    cuts.add_argument("--image", metavar="VERSION:NUMBER", action="append", default=[], help="only this image, as a report names it")
    cuts.add_argument("--seed", type=int, default=1, help="the same seed gives the same cases")
    cuts.set_defaults(run=_torture)
    fuzz = kinds.add_parser("fuzz", help="every parser against whatever bytes there can be")
    fuzz.add_argument("--seconds", type=float, default=900.0, help="for all of them together")
    fuzz.add_argument("--examples", type=int, default=100_000, help="for each at most")
    fuzz.add_argument("--seed", type=int, help="reproduces a run; drawn and printed unless given")
    fuzz.add_argument("--only", action="append", default=[], metavar="PARSER", help="only this parser; may be given several times")
    fuzz.set_defaults(run=_fuzz)
    for kind in kinds.choices.values():
        kind.add_argument("--write", action="store_true", help="keep the report in docs/")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0: everything as expected; 1: something failed; 2: the question was wrong."""
    options = _parser().parse_args(arguments)
    return int(options.run(options))


if __name__ == "__main__":
    sys.exit(main())
