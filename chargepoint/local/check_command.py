"""`chargepoint check FILE`: prints every mistake and warning. Must not know the checks."""

from __future__ import annotations

import sys
from pathlib import Path

from chargepoint import check


def run(file: Path) -> int:
    """0: the file may be used; 1: it has mistakes, printed one a line."""
    verdict = check.judge(file)
    for problem in verdict.errors:
        print(f"error: {problem}", file=sys.stderr)
    for warning in verdict.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    if verdict.errors:
        print(f"{len(verdict.errors)} mistake{'s' if len(verdict.errors) > 1 else ''} in {file}", file=sys.stderr)
        return 1
    print(f"{file}: ok")
    return 0
