"""Which readings carry what the meter has signed, unchanged, and when its public key goes along (2.0.1 part 2, J01.FR.21, J02.FR.21; OCA whitepaper
"Signed meter values"). Must not know meters' lines or messages.

The variables are there only where a meter signs (2.0.1 part 2, 2.7.3).
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Collection

import msgspec

from chargepoint.clock import Clock
from chargepoint.model.sample import Context, Purpose, SampledValue, Signed
from chargepoint.station.device_model import DeviceModel
from chargepoint.station.variables_rows import BOOLEAN, OPTION, STRING, Row, settable, told
from hal.ports import Signature

FRESH_S = 5.0
"""An older signature belongs to another reading."""
REGISTER = "Energy.Active.Import.Register"
KEY_POLICY = "OCPPCommCtrlr.PublicKeyWithSignedMeterValue"
NEVER, ONCE, ALWAYS = "Never", "OncePerTransaction", "EveryMeterValue"
LONGEST_KEY = 2500
CONTROLLERS = {
    Purpose.BEGIN: ("SampledDataCtrlr", "SignStartedReadings"),
    Purpose.UPDATED: ("SampledDataCtrlr", "SignUpdatedReadings"),
    Purpose.ENDED: ("SampledDataCtrlr", None),
    Purpose.ALIGNED: ("AlignedDataCtrlr", "SignUpdatedReadings"),
    Purpose.ALIGNED_ENDED: ("AlignedDataCtrlr", None),
}
"""Whose SignReadings counts, and which variable more."""


def rows(evses: Collection[int]) -> list[Row]:
    """Of EVSEs whose meter signs."""
    switches = [f"{component}.SignReadings" for component in ("SampledDataCtrlr", "AlignedDataCtrlr")]
    more = sorted({f"{component}.{variable}" for component, variable in CONTROLLERS.values() if variable is not None})
    return [
        *(settable(name, BOOLEAN, False) for name in switches),
        *(settable(name, BOOLEAN, True) for name in more),
        settable(KEY_POLICY, OPTION, NEVER, values=(NEVER, ONCE, ALWAYS)),
        *(told(f"FiscalMetering@{evse}.PublicKey", STRING, "", maximum=LONGEST_KEY) for evse in evses),
    ]


class Signing:
    """evses: those whose meter signs."""

    def __init__(self, clock: Clock, model: DeviceModel, evses: Collection[int]) -> None:
        self._clock = clock
        self._model = model
        self._evses = evses
        self._last: dict[int, tuple[Signed, float]] = {}

    def wanted(self, evse: int) -> bool:
        """Whether signatures of this EVSE's meter are worth asking for."""
        return evse in self._evses and any(self._model.boolean(f"{component}.SignReadings") for component, _ in CONTROLLERS.values())

    def signed(self, evse: int, signature: Signature) -> None:
        """The meter has signed."""
        key = "oca:base16:asn1:" + signature.public_key.hex() if signature.public_key else ""
        public_key = b64encode(key.encode()).decode()
        self._model.push(f"FiscalMetering@{evse}.PublicKey", public_key)
        if signature.data:
            data = b64encode(signature.data).decode()
            self._last[evse] = Signed(data, signature.encoding, signature.method, public_key), self._clock.boot_s()

    def carried(self, evse: int, purpose: Purpose, context: Context, values: tuple[SampledValue, ...]) -> tuple[SampledValue, ...]:
        """The values, the register with its signature where that is wanted."""
        signed = self._due(evse, purpose, context)
        if signed is None:
            return values
        return tuple(msgspec.structs.replace(value, signed=signed) if _signable(value) else value for value in values)

    def _due(self, evse: int, purpose: Purpose, context: Context) -> Signed | None:
        component, more = CONTROLLERS[purpose]
        if evse not in self._last or not self._model.boolean(f"{component}.SignReadings"):
            return None
        signed, at = self._last[evse]
        if self._clock.boot_s() - at > FRESH_S or (more is not None and not self._model.boolean(f"{component}.{more}")):
            return None
        policy = self._model.text(KEY_POLICY)
        with_key = policy == ALWAYS or (policy == ONCE and context is Context.TRANSACTION_END)
        return signed if with_key else msgspec.structs.replace(signed, public_key="")


def _signable(value: SampledValue) -> bool:
    return value.measurand == REGISTER and value.phase is None
