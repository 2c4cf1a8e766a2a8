"""A condition judged by samples that counts once it has lasted. Must not know what the condition is."""

from __future__ import annotations

STALE_S = 3.0
"""A sample older than this is none, and evidence interrupted for longer begins anew."""


class Lasting:
    """holds: it has been there in every sample for longer than longer_than_s; stays until a sample says that it is not there."""

    __slots__ = ("_last_at", "_longer_than_s", "_since", "holds")

    def __init__(self, longer_than_s: float) -> None:
        self._longer_than_s = longer_than_s
        self._since: float | None = None
        self._last_at = 0.0
        self.holds = False

    def take(self, at: float, there: bool | None) -> None:
        """A sample measured at `at`. None: it has no value, which says nothing."""
        if there is None:
            return
        if not there:
            self.reset()
        elif self._since is None or at - self._last_at > STALE_S:
            self._since = at
        elif at - self._since > self._longer_than_s:
            self.holds = True
        self._last_at = at

    def reset(self) -> None:
        """It is not there (any more)."""
        self._since = None
        self.holds = False
