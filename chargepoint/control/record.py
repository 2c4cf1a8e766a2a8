"""What one EVSE keeps over restarts: latched faults, its last residual-current test, its contactor's work, the CSMS's rest. Must not know files."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from chargepoint.clock import Clock
from chargepoint.control.memory import Kept, LastTest

Keep = Callable[[int, Kept], None]


class Record:
    """kept: as it is now. keep: told (EVSE id, the whole of it) whenever it changes."""

    __slots__ = ("_clock", "_evse", "_keep", "kept")

    def __init__(self, evse: int, kept: Kept, keep: Keep, clock: Clock) -> None:
        self._evse = evse
        self._keep = keep
        self._clock = clock
        self.kept = kept

    def latched(self, names: tuple[str, ...]) -> None:
        """These faults are latched now."""
        self._change(replace(self.kept, latched=names))

    def tested(self, passed: bool) -> None:
        """A residual-current test has ended."""
        at = self._clock.wall_s() if self._clock.wall_known() else None
        self._change(replace(self.kept, test=LastTest(passed, at)))

    def closed(self) -> None:
        """The contactor is closed."""
        self._change(replace(self.kept, closings=self.kept.closings + 1))

    def opened_under_load(self) -> None:
        """The contactor is opened though it carries current."""
        self._change(replace(self.kept, openings_under_load=self.kept.openings_under_load + 1))

    def remote_rest(self, left_s: float) -> None:
        """How long control has to run before the CSMS may clear a trip again."""
        self._change(replace(self.kept, remote_rest_s=left_s))

    def _change(self, kept: Kept) -> None:
        self.kept = kept
        self._keep(self._evse, kept)
