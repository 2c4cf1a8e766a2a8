"""Why mutants that no test kills may live, by (file, the line as it was, the line as it is). Must not know how they were found.

A reason that begins with "acts alike" says that no test could tell the mutant from the code.
"""

from __future__ import annotations

REASONS: dict[tuple[str, str, str], str] = {}
