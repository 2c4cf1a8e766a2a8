"""A residual-current trip cleared by the CSMS, by writing false to RCD.Tripped of its EVSE (2.0.1 part 2 appendices, 3.2.45).

Must not know when that may be: control decides, and its word is the answer.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from functools import partial

from chargepoint.link.messages import OrderKind
from chargepoint.model.variable import Key, text_of
from chargepoint.station.device_data import Act
from chargepoint.station.device_model import DeviceModel
from chargepoint.station.hardware import Hardware

log = logging.getLogger(__name__)

FAULT = "residual_current"


class FaultClearing:
    """faults: those that hold at an EVSE now."""

    def __init__(self, evses: Sequence[int], model: DeviceModel, hardware: Hardware, faults: Callable[[int], Collection[str]]) -> None:
        self._keys = {evse: Key("RCD", "Tripped", evse=evse) for evse in evses}
        self._hardware = hardware
        self._faults = faults
        for evse, key in self._keys.items():
            model.compute(key, partial(self._tripped, evse))

    def acts(self) -> dict[Key, Act]:
        """What a CSMS does by writing a variable."""
        return {key.folded(): partial(self._write, evse) for evse, key in self._keys.items()}

    def _tripped(self, evse: int) -> str:
        return text_of(FAULT in self._faults(evse))

    async def _write(self, evse: int, value: str) -> str:
        """Answers why not, or nothing."""
        if value.strip().lower() == "true":
            return "a trip is cleared by writing false; nobody trips by writing true"
        answer = await self._hardware.order(OrderKind.CLEAR_FAULT, evse, FAULT)
        log.warning("EVSE %d: the CSMS clears %s: %s", evse, FAULT, "done" if answer.done else answer.text)
        return "" if answer.done else answer.text
