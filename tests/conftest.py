"""What holds for all tests: those over generated input try the same cases in each run, so that a failure is one of the change at hand. To try
others: `--hypothesis-profile default`."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("same", derandomize=True)
settings.load_profile("same")
