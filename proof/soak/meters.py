"""The meters of the year: registers that run with the power that flows, and that fall silent at times. Must not know transactions."""

from __future__ import annotations

from collections.abc import Callable

from hal.errors import DeviceLost
from hal.ports import MeterReading, Signature

VOLTS = 230.0


class SoakMeter:
    """One EVSE's. silent: it does not answer; long_silent: for so long that control withdraws the offer. boot_s: the board's monotonic time, which
    begins anew with each boot, true_s one that never does."""

    signs = False

    def __init__(self, evse: int, true_s: Callable[[], float]) -> None:
        self.evse = evse
        self.silent = self.long_silent = False
        self.boot_s: Callable[[], float] = lambda: 0.0
        self._true_s = true_s
        self._wh, self._amps, self._since = 0.0, 0.0, true_s()

    def flow(self, amps: float) -> None:
        """So much flows on each of three phases from now on."""
        self._wh, self._since = self.wh(), self._true_s()
        self._amps = amps

    def wh(self) -> float:
        """The register."""
        return self._wh + 3 * VOLTS * self._amps * (self._true_s() - self._since) / 3600

    async def read(self) -> MeterReading:
        if self.silent:
            raise DeviceLost(f"meter {self.evse}", "no answer")
        amps, watts = self._amps, VOLTS * self._amps
        three = (amps, amps, amps)
        return MeterReading(
            self.boot_s(), round(self.wh(), 1), 3 * watts, three, (VOLTS, VOLTS, VOLTS), (watts, watts, watts), 50.0, 0.0, f"M{self.evse}"
        )

    async def signature(self) -> Signature:
        raise DeviceLost(f"meter {self.evse}", "it does not sign")

    async def close(self) -> None:
        return None
