"""Reads each EVSE's meter once a second, tells its loss and its return, and answers what it says (2.0.1 part 2, J).

The sample goes down the link to control with the time it was measured at. Must not know transactions or messages.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import msgspec

from chargepoint.clock import Clock
from chargepoint.link.messages import Sample
from chargepoint.model.sample import Context, MeterSample, Purpose, Quality, Reading
from chargepoint.model.stamp import Stamp
from chargepoint.settings import Evse
from chargepoint.station.device_model import DeviceModel
from chargepoint.station.readings import NOMINAL_V, Source, values
from chargepoint.station.registers import Registers
from chargepoint.station.signing import Signing
from hal.errors import DeviceLost
from hal.ports import Meter, MeterReading

log = logging.getLogger(__name__)

FAULT = "meter_lost"
PERIOD_S = 1.0
FRESH_S = 3.0
LOST_AFTER_S = 5.0
PEAK = 1.5
"""Times the rated power: more does not flow."""

CONFIGURED = {
    Purpose.BEGIN: ("SampledDataCtrlr", "TxStartedMeasurands"),
    Purpose.UPDATED: ("SampledDataCtrlr", "TxUpdatedMeasurands"),
    Purpose.ENDED: ("SampledDataCtrlr", "TxEndedMeasurands"),
    Purpose.ALIGNED: ("AlignedDataCtrlr", "Measurands"),
    Purpose.ALIGNED_ENDED: ("AlignedDataCtrlr", "TxEndedMeasurands"),
}
"""Which variable says what a reading holds."""
WHOLE = (Context.TRANSACTION_BEGIN, Context.TRANSACTION_END)
EVEN_SILENT = (Purpose.BEGIN, Purpose.ENDED)
"""Readings that tell the stored register when the meter is silent; a triggered one only where nothing can have flowed since."""


class Metering:
    """send: the link to control. fault: told (EVSE, "meter_lost", present). offered_a, closed: what control says of an EVSE; held: whether a
    transaction runs there. every_phase: whether what has a sum is told of each phase too. either_kind: whether the begin and the end of a transaction
    are told of the clock-aligned measurands of its end too (1.6 errata 3.14)."""

    def __init__(
        self,
        clock: Clock,
        evses: Sequence[Evse],
        model: DeviceModel,
        registers: Registers,
        meters: Mapping[int, Meter],
        send: Callable[[Sample], None],
        fault: Callable[[int, str, bool], None],
    ) -> None:
        self.offered_a: Callable[[int], float] = lambda evse: 0.0
        self.closed: Callable[[int], bool] = lambda evse: True
        self.held: Callable[[int], bool] = lambda evse: False
        self.on_signed: Callable[[int], None] = lambda evse: None
        self.every_phase: Callable[[], bool] = lambda: False
        self.either_kind: Callable[[], bool] = lambda: False
        self._clock = clock
        self._evses = {evse.id: evse for evse in evses}
        self._model = model
        self._registers = registers
        self._meters = meters
        self._send = send
        self._fault = fault
        self._signing = Signing(clock, model, [evse for evse, meter in meters.items() if meter.signs])
        self._samples: dict[int, MeterSample] = {}
        self._heard_s = {evse: clock.boot_s() for evse in meters}
        self._lost: set[int] = set()
        for evse in self._evses:
            model.compute(f"EVSE@{evse}.Power", partial(self._power, evse))

    async def run(self) -> None:
        """Reads until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for evse, meter in self._meters.items():
                tasks.create_task(self._watch(evse, meter))

    def tick(self) -> None:
        """Each second, after what was sampled in it: a sample takes the registers along."""
        self._registers.tick(held=any(self.held(evse) for evse in self._evses))

    def keep(self) -> None:
        """Everything written so far outlives a power cut, with the registers and the time last known alive; joins the open transaction."""
        self._registers.keep()

    def told(self, evse: int, meter_id: str, wh: float, at: Stamp) -> None:
        """A transaction that goes on told this register before this process began."""
        self._registers.told(evse, meter_id, wh, at)

    def latest(self, evse: int) -> MeterSample | None:
        """What the meter last said: GOOD when fresh, LOST when it has fallen silent, STORED when only the store knows, or the meter sits behind the
        open contactor. None: nothing was ever known."""
        sample = self._samples.get(evse)
        if sample is None:
            register = self._registers.last(evse)
            return None if register is None else MeterSample(register.at, Quality.STORED, register.wh, meter_id=register.meter_id)
        if self._clock.boot_s() - sample.at.boot_s <= FRESH_S:
            return sample
        return msgspec.structs.replace(sample, quality=Quality.STORED if self._unfed(evse) else Quality.LOST)

    def main_meter(self) -> tuple[str, str]:
        """Type and serial number of the charge point's meter, each empty where it is not known. The number is the one last read, also in an earlier
        run. Of several meters none is the main one."""
        if len(self._meters) != 1:
            return "", ""
        ((evse, meter),) = self._meters.items()
        register = self._registers.last(evse)
        return meter.type, "" if register is None else register.meter_id

    def register_wh(self, evse: int) -> float | None:
        """The import register to tell, Wh; the stored one when the meter is silent."""
        return self._registers.wh(evse)

    def lost(self, evse: int) -> bool:
        """Whether the meter counts as lost."""
        return evse in self._lost

    def readings(self, evse: int, purpose: Purpose, context: Context, at: Stamp | None = None) -> tuple[Reading, ...]:
        """The reading the device model wants for a purpose, or none: when no measurand is wanted, or the meter is silent and only its register is
        known. at: the moment it counts for, when it is another than that of the measurement."""
        wanted = self._wanted(purpose, context)
        sample = self.latest(evse)
        if sample is None or evse not in self._evses or not wanted:
            return ()
        if sample.quality is not Quality.GOOD:
            if purpose not in EVEN_SILENT and not (context is Context.TRIGGER and sample.quality is Quality.STORED):
                return ()
            sample = MeterSample(self._clock.stamp(), sample.quality)
        source = Source(sample, self.register_wh(evse), self._evses[evse].phases, self.offered_a(evse), self.every_phase())
        found = values(source, wanted, context)
        if sample.quality is Quality.GOOD:
            found = self._signing.carried(evse, purpose, context, found)
        return (Reading(at or sample.at, purpose, found),) if found else ()

    def _wanted(self, purpose: Purpose, context: Context) -> list[str]:
        """The measurands the device model wants, each once."""
        whole = purpose is Purpose.ENDED and context in WHOLE and self.either_kind()
        configured = [CONFIGURED[kind] for kind in ((Purpose.ENDED, Purpose.ALIGNED_ENDED) if whole else (purpose,))]
        listed = [self._model.listed(f"{component}.{variable}") for component, variable in configured if self._model.boolean(f"{component}.Enabled")]
        return list(dict.fromkeys(name for names in listed for name in names))

    async def _watch(self, evse: int, meter: Meter) -> None:
        while True:
            started = self._clock.boot_s()
            try:
                reading = await meter.read()
            except DeviceLost as lost:
                self._missed(evse, str(lost))
            else:
                if reading.energy_wh is None and reading.power_w is None:
                    self._missed(evse, "the meter answers without any number")
                else:
                    self._heard(evse, reading)
                    await self._sign(evse, meter)
            await self._clock.sleep(max(0.1, started + PERIOD_S - self._clock.boot_s()))

    async def _sign(self, evse: int, meter: Meter) -> None:
        """A signature that fails leaves the reading without one; the meter is not lost by it."""
        if not self._signing.wanted(evse):
            return
        try:
            signature = await meter.signature()
        except DeviceLost as failure:
            log.warning("EVSE %d: nothing signed: %s", evse, failure)
            return
        self._signing.signed(evse, signature)
        if signature.data:
            self.on_signed(evse)

    def _heard(self, evse: int, reading: MeterReading) -> None:
        if reading.energy_wh is None:
            self._missed(evse, "its answer holds no import register")
            return
        at = self._clock.stamp_at(reading.at)
        fits = self._registers.hear(evse, reading.meter_id, reading.energy_wh, at, self._most_w(evse), held=self.held(evse))
        energy_wh = reading.energy_wh + self._registers.offset_wh(evse) if fits else None
        self._samples[evse] = MeterSample(
            at,
            Quality.GOOD,
            energy_wh,
            reading.power_w,
            reading.current_a,
            reading.voltage_v,
            reading.power_phase_w,
            reading.frequency_hz,
            reading.export_wh,
            reading.meter_id,
        )
        self._heard_s[evse] = self._clock.boot_s()
        self._say(evse, lost=False)
        self._send(Sample(evse, reading.at, True, reading.current_a, reading.voltage_v, reading.energy_wh, reading.power_w))

    def _missed(self, evse: int, why: str) -> None:
        if self._unfed(evse):
            self._heard_s[evse] = self._clock.boot_s()
            self._say(evse, lost=False)
            return
        if self._clock.boot_s() - self._heard_s[evse] < LOST_AFTER_S:
            return
        self._say(evse, lost=True, why=why)
        sample = self._samples.get(evse)
        nothing = (None, None, None)
        self._send(Sample(evse, sample.at.boot_s if sample else 0.0, False, nothing, nothing))

    def _say(self, evse: int, *, lost: bool, why: str = "") -> None:
        """Loss and return, once each."""
        if lost == (evse in self._lost):
            return
        if lost:
            self._lost.add(evse)
            log.error("EVSE %d: the meter does not answer: %s", evse, why)
        else:
            self._lost.discard(evse)
            log.info("EVSE %d: the meter answers again", evse)
        self._fault(evse, FAULT, lost)

    def _unfed(self, evse: int) -> bool:
        """A meter behind the open contactor has no supply and is silent by design."""
        return self._evses[evse].meter_position == "after" and not self.closed(evse)

    def _most_w(self, evse: int) -> float:
        return self._evses[evse].max_current_a * self._evses[evse].phases * NOMINAL_V * PEAK

    def _power(self, evse: int) -> str:
        sample = self.latest(evse)
        if sample is None or sample.quality is not Quality.GOOD or sample.power_w is None:
            return "0"
        return f"{sample.power_w:.1f}"
