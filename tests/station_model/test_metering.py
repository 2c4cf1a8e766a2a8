"""Meters read by a simulated clock: loss, return, registers, schedules."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from chargepoint.link.messages import Sample
from chargepoint.model.facts import Delivery, MeterFact, Trigger
from chargepoint.model.sample import Context, Purpose, Quality, Reading
from chargepoint.model.stamp import Stamp
from chargepoint.settings import Evse, Settings
from chargepoint.station import variables
from chargepoint.station.metering import Metering
from chargepoint.station.registers import Registers
from chargepoint.station.sampling import Sampling
from chargepoint.store.boots import Boots
from chargepoint.store.db import Db
from chargepoint.store.outbox import Outbox
from chargepoint.store.variables import Variables
from hal.errors import DeviceLost
from hal.ports import MeterReading, Signature
from tests.simclock import SimulatedClock

EVERYTHING = ",".join(
    ("Energy.Active.Import.Register", "Power.Active.Import", "Current.Import", "Voltage", "Current.Offered", "Power.Offered", "Frequency")
)


class FakeMeter:
    """A meter of 3.6 kW, so 1 Wh a second; answering False: silent; mute: it does not sign although it can; flows False: its register stands."""

    def __init__(self, clock: SimulatedClock, start_wh: float = 5000.0, *, signs: bool = False) -> None:
        self.answering = True
        self.signs = signs
        self.mute = False
        self.flows = True
        self.meter_id = "M1"
        self.offset_wh = start_wh
        self.type = "a meter"
        self._clock = clock
        self._start = clock.boot_s()

    def energy_wh(self) -> float:
        return self.offset_wh + (self._clock.boot_s() - self._start if self.flows else 0.0)

    async def read(self) -> MeterReading:
        if not self.answering:
            raise DeviceLost("meter", "no answer")
        three = (5.2, 5.2, 5.2)
        return MeterReading(
            self._clock.boot_s(), self.energy_wh(), 3600.0, three, (230.0, 231.0, 229.0), (1200.0, 1200.0, 1200.0), 50.0, None, self.meter_id
        )

    async def signature(self) -> Signature:
        if self.mute:
            raise DeviceLost("meter", "no signed data within 3 s")
        return Signature(f"OCMF|{self.energy_wh():.0f}".encode(), "OCMF", "", b"\x30\x01\x00")

    async def close(self) -> None:
        return None


class Bench:
    """One EVSE's metering on one store."""

    def __init__(self, path: Path, clock: SimulatedClock, evse: Evse | None = None, start_wh: float = 5000.0, *, signs: bool = False) -> None:
        evses = (evse or Evse(),)
        self.clock = clock
        self.db = Db(path / "station.db")
        boots = Boots(self.db)
        clock.boot = boots.begin(clock.boot_id())
        self.boots = boots
        self.outbox = Outbox(self.db)
        self.model = variables.build(Variables(self.db), Settings(evse=evses), signs=[1] if signs else ())
        self.meter = FakeMeter(clock, start_wh, signs=signs)
        self.sent: list[Sample] = []
        self.faults: list[tuple[int, str, bool]] = []
        self.told: list[tuple[float, Trigger, Reading]] = []
        self.running = False
        self.registers = Registers(clock, self.db, boots)
        self.metering = Metering(
            clock, evses, self.model, self.registers, {1: self.meter}, self.sent.append, lambda *fault: self.faults.append(fault)
        )
        self.sampling = Sampling(clock, self.db, evses, self.model, self.metering, self.outbox.append)
        self.metering.held = lambda evse: self.running
        self.metering.offered_a = lambda evse: 16.0
        self.sampling.tell = self.tell

    def tell(self, evse: int, trigger: Trigger, readings: tuple[Reading, ...]) -> bool:
        if self.running:
            self.told.append((self.clock.boot_s() - 1000.0, trigger, readings[0]))
        return self.running

    def begin(self) -> None:
        self.running = True
        with self.db.transaction():
            self.sampling.begin(1, "tx")

    @asynccontextmanager
    async def on(self) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(self.metering.run())]
        await self.clock.settle()
        tasks.append(asyncio.create_task(self.seconds()))
        await self.clock.settle()
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def seconds(self) -> None:
        while True:
            await self.clock.sleep(1)
            self.sampling.tick()
            self.metering.tick()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, SimulatedClock())


async def test_each_second_a_sample_and_its_copy_for_control(bench: Bench) -> None:
    assert bench.metering.latest(1) is None and bench.metering.register_wh(1) is None
    async with bench.on():
        await bench.clock.advance(3)
    latest = bench.metering.latest(1)
    assert latest is not None and latest.quality is Quality.GOOD and latest.energy_wh == 5003.0
    assert len(bench.sent) == 4 and bench.sent[-1] == Sample(1, 1003.0, True, (5.2, 5.2, 5.2), (230.0, 231.0, 229.0), 5003.0, 3600.0)
    assert bench.model.text("EVSE@1.Power") == "3600.0"


async def test_the_main_meter_is_known_from_the_last_run_before_it_answers(tmp_path: Path) -> None:
    bench = Bench(tmp_path, SimulatedClock())
    assert bench.metering.main_meter() == ("a meter", "")
    bench.meter.meter_id = "4711"
    async with bench.on():
        await bench.clock.advance(1)
    assert bench.metering.main_meter() == ("a meter", "4711")
    bench.metering.keep()
    bench.db.close()
    again = Bench(tmp_path, bench.clock)
    assert again.metering.main_meter() == ("a meter", "4711")
    several = Metering(bench.clock, (), again.model, again.registers, {1: again.meter, 2: again.meter}, again.sent.append, lambda *fault: None)
    assert several.main_meter() == ("", "")


async def test_loss_and_return_are_told_once(bench: Bench) -> None:
    async with bench.on():
        await bench.clock.advance(2)
        bench.meter.answering = False
        await bench.clock.advance(2)
        assert bench.faults == [], "a single missed answer is no loss"
        await bench.clock.advance(10)
        assert bench.faults == [(1, "meter_lost", True)] and not bench.sent[-1].good
        latest = bench.metering.latest(1)
        assert latest is not None and latest.quality is Quality.LOST and bench.metering.register_wh(1) == 5002.0
        bench.meter.answering = True
        await bench.clock.advance(2)
    assert bench.faults == [(1, "meter_lost", True), (1, "meter_lost", False)] and bench.sent[-1].good


async def test_a_meter_behind_the_open_contactor_is_silent_by_design(tmp_path: Path) -> None:
    bench = Bench(tmp_path, SimulatedClock(), Evse(meter_position="after"))
    closed = True
    bench.metering.closed = lambda evse: closed
    async with bench.on():
        await bench.clock.advance(2)
        bench.meter.answering = closed = False
        await bench.clock.advance(20)
        latest = bench.metering.latest(1)
        assert bench.faults == [] and latest is not None and latest.quality is Quality.STORED
        assert bench.metering.readings(1, Purpose.ALIGNED, Context.TRIGGER), "nothing has flowed since: the register is true now"
        closed = True
        await bench.clock.advance(10)
    assert bench.faults == [(1, "meter_lost", True)]


async def test_readings_hold_what_is_configured_with_phases_and_units(bench: Bench) -> None:
    bench.model.set("SampledDataCtrlr.TxUpdatedMeasurands", EVERYTHING)
    async with bench.on():
        (reading,) = bench.metering.readings(1, Purpose.UPDATED, Context.SAMPLE_PERIODIC)
    told = [(value.measurand, value.phase, value.value, value.unit) for value in reading.values]
    assert told == [
        ("Energy.Active.Import.Register", None, 5000.0, "Wh"),
        ("Power.Active.Import", None, 3600.0, "W"),
        ("Current.Import", "L1", 5.2, "A"),
        ("Current.Import", "L2", 5.2, "A"),
        ("Current.Import", "L3", 5.2, "A"),
        ("Voltage", "L1-N", 230.0, "V"),
        ("Voltage", "L2-N", 231.0, "V"),
        ("Voltage", "L3-N", 229.0, "V"),
        ("Current.Offered", None, 16.0, "A"),
        ("Power.Offered", None, 11040.0, "W"),
        ("Frequency", None, 50.0, "Hz"),
    ]
    assert {value.context for value in reading.values} == {Context.SAMPLE_PERIODIC}


async def test_what_has_a_sum_is_told_of_each_phase_too(bench: Bench) -> None:
    """2.0.1 errata 2025-09, 2.34."""
    bench.metering.every_phase = lambda: True
    async with bench.on():
        (reading,) = bench.metering.readings(1, Purpose.UPDATED, Context.SAMPLE_PERIODIC)
    told = [(value.phase, value.value) for value in reading.values if value.measurand == "Power.Active.Import"]
    assert told == [(None, 3600.0), ("L1", 1200.0), ("L2", 1200.0), ("L3", 1200.0)]


async def test_one_phase_of_a_measurand_may_be_wanted(bench: Bench) -> None:
    """1.6 9.1.17."""
    assert bench.model.set("SampledDataCtrlr.TxUpdatedMeasurands", "voltage.l2,Current.Import.L1,Power.Active.Import.L3,Frequency.L1") == "Accepted"
    assert bench.model.set("SampledDataCtrlr.TxUpdatedMeasurands", "Voltage.L4") == "Rejected"
    assert "." not in "".join(value for value in bench.model.spec("SampledDataCtrlr.TxUpdatedMeasurands").values if "Voltage" in value)
    async with bench.on():
        (reading,) = bench.metering.readings(1, Purpose.UPDATED, Context.SAMPLE_PERIODIC)
    told = [(value.measurand, value.phase, value.unit) for value in reading.values]
    assert told == [("Voltage", "L2-N", "V"), ("Current.Import", "L1", "A"), ("Power.Active.Import", "L3", "W")]


async def test_no_measurands_or_switched_off_is_no_reading(bench: Bench) -> None:
    async with bench.on():
        bench.model.set("SampledDataCtrlr.TxEndedMeasurands", "")
        assert bench.metering.readings(1, Purpose.ENDED, Context.TRANSACTION_END) == ()
        assert bench.metering.readings(1, Purpose.BEGIN, Context.TRANSACTION_BEGIN) != ()
        bench.model.set("SampledDataCtrlr.Enabled", "false")
        assert bench.metering.readings(1, Purpose.BEGIN, Context.TRANSACTION_BEGIN) == ()


async def test_begin_and_end_hold_what_is_configured_of_either_kind_where_that_is_wanted(bench: Bench) -> None:
    """1.6 errata 3.14, new 3.16.6: the start and stop values of every measurand configured. 2.x has its own list for them (E06.FR.11)."""
    bench.model.set("SampledDataCtrlr.TxEndedMeasurands", "")
    bench.model.set("AlignedDataCtrlr.TxEndedMeasurands", "Voltage,Energy.Active.Import.Register")

    def told(context: Context, purpose: Purpose = Purpose.ENDED) -> list[str]:
        readings = bench.metering.readings(1, purpose, context)
        return list(dict.fromkeys(value.measurand for reading in readings for value in reading.values))

    async with bench.on():
        assert told(Context.TRANSACTION_BEGIN) == told(Context.TRANSACTION_END) == []
        bench.metering.either_kind = lambda: True
        assert told(Context.TRANSACTION_BEGIN) == told(Context.TRANSACTION_END) == ["Voltage", "Energy.Active.Import.Register"]
        assert told(Context.SAMPLE_PERIODIC) == told(Context.TRANSACTION_BEGIN, Purpose.BEGIN)[1:] == []
        bench.model.set("SampledDataCtrlr.TxEndedMeasurands", "Energy.Active.Import.Register")
        assert told(Context.TRANSACTION_END) == ["Energy.Active.Import.Register", "Voltage"]
        bench.model.set("SampledDataCtrlr.TxEndedMeasurands", "")
        bench.model.set("AlignedDataCtrlr.TxEndedMeasurands", "")
        assert told(Context.TRANSACTION_END) == []


class HalfKnown:
    """EVSE 1 has a meter that answers; that of EVSE 2 has not yet."""

    def __init__(self) -> None:
        self.gone = False

    def readings(self, evse: int, purpose: Purpose, context: Context, at: Stamp | None = None) -> tuple[Reading, ...]:
        return (Reading(Stamp(1, 1.0, 1.0, True), purpose, ()),) if evse == 1 else ()

    def latest(self, evse: int) -> None:
        return None

    def register_wh(self, evse: int) -> None:
        return None

    def lost(self, evse: int) -> bool:
        return evse == 2 and self.gone

    def keep(self) -> None: ...


def test_values_of_all_evses_are_triggered_when_each_meter_is_known_or_lost(bench: Bench) -> None:
    """F06.FR.10, F06.FR.11."""
    meters = HalfKnown()
    sampling = Sampling(bench.clock, bench.db, (Evse(id=1), Evse(id=2)), bench.model, meters, bench.outbox.append)
    assert [sampling.can_trigger(Purpose.ALIGNED, evse) for evse in (1, 2, None)] == [True, False, False]
    meters.gone = True
    assert [sampling.can_trigger(Purpose.ALIGNED, evse) for evse in (1, 2, None)] == [True, False, True]


async def test_one_phase_tells_one_phase(tmp_path: Path) -> None:
    bench = Bench(tmp_path, SimulatedClock(), Evse(phases=1))
    bench.model.set("SampledDataCtrlr.TxUpdatedMeasurands", "Current.Import,Voltage")
    async with bench.on():
        (reading,) = bench.metering.readings(1, Purpose.UPDATED, Context.SAMPLE_PERIODIC)
    assert [value.phase for value in reading.values] == ["L1", "L1-N"]


async def test_samples_every_interval_from_the_begin(bench: Bench) -> None:
    bench.model.set("SampledDataCtrlr.TxUpdatedInterval", "10")
    async with bench.on():
        await bench.clock.advance(3.5)
        bench.begin()
        await bench.clock.advance(35)
        bench.model.set("SampledDataCtrlr.TxUpdatedInterval", "0")
        await bench.clock.advance(30)
    assert [(at, trigger) for at, trigger, _ in bench.told] == [(at, Trigger.METER_VALUE_PERIODIC) for at in (14.0, 24.0, 34.0)]
    assert [reading.values[0].value for _, _, reading in bench.told] == [5014.0, 5024.0, 5034.0]


async def test_a_silent_meter_has_no_periodic_values_but_its_last_register_at_the_end(bench: Bench) -> None:
    bench.model.set("SampledDataCtrlr.TxUpdatedInterval", "10")
    async with bench.on():
        bench.begin()
        await bench.clock.advance(5)
        bench.meter.answering = False
        await bench.clock.advance(20)
        (reading,) = bench.metering.readings(1, Purpose.ENDED, Context.TRANSACTION_END)
        assert not bench.sampling.can_trigger(Purpose.ALIGNED, None), "nothing current to tell (F06.FR.09)"
    assert bench.told == []
    assert [value.value for value in reading.values] == [5005.0]


@pytest.mark.parametrize(("purpose", "measurand"), [(Purpose.ALIGNED, "Voltage"), (Purpose.UPDATED, "Current.Import")])
async def test_triggered_values_are_the_measurands_of_the_version(bench: Bench, purpose: Purpose, measurand: str) -> None:
    """2.0.1 F06.FR.06: AlignedDataMeasurands; 1.6 5.17: MeterValuesSampledData."""
    bench.model.set("AlignedDataCtrlr.Measurands", "Voltage")
    bench.model.set("SampledDataCtrlr.TxUpdatedMeasurands", "Current.Import")
    async with bench.on():
        bench.begin()
        await bench.clock.advance(3)
        assert bench.sampling.can_trigger(purpose, 1) and bench.sampling.can_trigger(purpose, None)
        assert bench.sampling.trigger(purpose, 1, None) and not bench.sampling.trigger(purpose, 9, None)
    (waiting,) = bench.outbox.some(Delivery.PERISHABLE, 9)
    fact = waiting.fact
    assert isinstance(fact, MeterFact) and fact.transaction == "tx" and fact.ordered
    assert {(value.measurand, value.context) for value in fact.reading.values} == {(measurand, Context.TRIGGER)}


async def test_a_reading_for_the_end_may_count_for_another_moment(bench: Bench) -> None:
    async with bench.on():
        bench.begin()
        before = bench.clock.stamp()
        await bench.clock.advance(10)
        bench.sampling.collect(1, "tx", Context.INTERRUPTION_BEGIN, before)
        bench.sampling.collect(1, "tx", Context.INTERRUPTION_END)
        readings = bench.sampling.end(1, "tx")
    assert [reading.values[0].context for reading in readings] == [Context.TRANSACTION_BEGIN, Context.INTERRUPTION_BEGIN, Context.INTERRUPTION_END]
    assert readings[1].at == before and readings[2].at.boot_s > before.boot_s


@pytest.mark.parametrize("most", [2, 3, 5, 20])
async def test_of_too_many_readings_for_the_end_some_between_go(bench: Bench, most: int) -> None:
    """J02.FR.20, 1.6 errata 3.91: one place is kept for the reading of the end itself; the first is never dropped, and not only the oldest stay."""
    bench.sampling.most = lambda: most
    bench.model.set("SampledDataCtrlr.TxEndedInterval", "1")
    async with bench.on():
        bench.begin()
        await bench.clock.advance(30)
        readings = bench.sampling.end(1, "tx")
    assert (most - 1) // 2 <= len(readings) <= most - 1 and readings[0].values[0].context is Context.TRANSACTION_BEGIN
    assert most == 2 or readings[-1].at.boot_s - readings[0].at.boot_s > 15


async def test_clock_aligned_values_in_and_outside_a_transaction(tmp_path: Path) -> None:
    bench = Bench(tmp_path, SimulatedClock(wall_s=1_704_067_200.0 + 895))
    bench.model.set("AlignedDataCtrlr.Interval", "900")
    async with bench.on():
        await bench.clock.advance(10)
        bench.begin()
        await bench.clock.advance(900)
    (waiting,) = bench.outbox.some(Delivery.PERISHABLE, 9)
    fact = waiting.fact
    assert isinstance(fact, MeterFact) and fact.reading.at.wall_s == 1_704_067_200.0 + 900
    assert fact.reading.values[0].context is Context.SAMPLE_CLOCK and fact.reading.purpose is Purpose.ALIGNED
    (told,) = [item for item in bench.told if item[1] is Trigger.METER_VALUE_CLOCK]
    assert told[2].at.wall_s == 1_704_067_200.0 + 1800


@pytest.mark.parametrize("variable", ["AlignedDataCtrlr.SendDuringIdle", "AlignedDataCtrlr@1.SendDuringIdle"])
async def test_no_clock_aligned_values_during_a_transaction_when_only_idle_ones_are_wanted(bench: Bench, variable: str) -> None:
    bench.model.set("AlignedDataCtrlr.Interval", "60")
    bench.model.set("SampledDataCtrlr.TxUpdatedInterval", "0")
    bench.model.set(variable, "true")
    async with bench.on():
        bench.begin()
        await bench.clock.advance(130)
    assert bench.told == [] and bench.outbox.next(Delivery.PERISHABLE) is None


async def test_a_clock_that_is_set_is_no_aligned_moment(tmp_path: Path) -> None:
    bench = Bench(tmp_path, SimulatedClock(wall_s=100.0, known=False))
    bench.model.set("AlignedDataCtrlr.Interval", "900")
    async with bench.on():
        await bench.clock.advance(5)
        bench.clock.learn_wall(1_704_067_200.0 + 10)
        await bench.clock.advance(5)
    assert bench.outbox.next(Delivery.PERISHABLE) is None


async def test_values_collected_for_the_end_outlive_a_restart(tmp_path: Path) -> None:
    bench = Bench(tmp_path, SimulatedClock())
    for variable, value in (("TxEndedInterval", "10"), ("TxUpdatedInterval", "0")):
        bench.model.set(f"SampledDataCtrlr.{variable}", value)
    async with bench.on():
        bench.begin()
        await bench.clock.advance(15)
    bench.db.close()
    again = Bench(tmp_path, bench.clock, start_wh=5015.0)
    again.running = True
    async with again.on():
        await bench.clock.advance(10)
        readings = again.sampling.end(1, "tx")
    assert [reading.values[0].value for reading in readings] == [5000.0, 5010.0, 5020.0]
    assert [reading.values[0].context for reading in readings] == [Context.TRANSACTION_BEGIN, Context.SAMPLE_PERIODIC, Context.SAMPLE_PERIODIC]
    assert again.sampling.end(1, "tx") == ()


async def test_a_register_never_falls_for_the_same_meter(bench: Bench) -> None:
    async with bench.on():
        await bench.clock.advance(3)
        bench.meter.offset_wh -= 0.9
        await bench.clock.advance(0.5)
        assert bench.metering.register_wh(1) == 5003.0
        await bench.clock.advance(5)
    assert bench.metering.register_wh(1) == pytest.approx(5007.1)


def test_what_a_transaction_told_before_a_restart_is_not_told_lower(bench: Bench) -> None:
    bench.metering.told(1, "a", 5000.0, bench.clock.stamp())
    bench.metering.told(1, "a", 4990.0, bench.clock.stamp())
    assert bench.metering.register_wh(1) == 5000.0
    bench.metering.told(1, "another", 6000.0, bench.clock.stamp())
    assert bench.metering.register_wh(1) == 5000.0


async def test_another_meter_counts_only_after_the_transaction(bench: Bench) -> None:
    async with bench.on():
        await bench.clock.advance(3)
        bench.begin()
        bench.meter.meter_id, bench.meter.offset_wh = "M2", 10.0
        await bench.clock.advance(3)
        assert bench.metering.register_wh(1) == 5003.0
        (reading,) = bench.metering.readings(1, Purpose.UPDATED, Context.SAMPLE_PERIODIC)
        assert reading.values[0].value == 5003.0
        bench.running = False
        await bench.clock.advance(2)
    assert bench.metering.register_wh(1) == 18.0


@pytest.mark.parametrize("how", ["swapped", "reset", "jumped"])
async def test_a_register_that_begins_anew_goes_on_within_the_transaction(bench: Bench, how: str) -> None:
    async with bench.on():
        await bench.clock.advance(3)
        bench.begin()
        bench.meter.meter_id = "M2" if how == "swapped" else "M1"
        bench.meter.offset_wh = {"swapped": 9000.0, "reset": 1.0, "jumped": 1e7}[how]
        await bench.clock.advance(20)
        latest = bench.metering.latest(1)
        assert bench.metering.register_wh(1) == 5022.0, "what it gains counts, all but the second of the change"
        assert latest is not None and latest.energy_wh is None, "the end is told as estimated"
        bench.registers.keep()
        again = Registers(bench.clock, bench.db, Boots(bench.db))
        again.hear(1, bench.meter.meter_id, bench.meter.energy_wh() + 1, bench.clock.stamp(), 50_000.0, held=True)
        assert again.wh(1) == 5023.0, "over a restart too"
        bench.running = False
        await bench.clock.advance(2)
    assert bench.metering.register_wh(1) == bench.meter.energy_wh(), "after it, it counts as it is"


@pytest.mark.parametrize("span", [1e8, 2.0**32, 2.0**32 / 10])
@pytest.mark.parametrize("held", [True, False])
async def test_a_register_that_overflows_goes_on(bench: Bench, span: float, held: bool) -> None:
    bench.meter.offset_wh = span - 8.0
    async with bench.on():
        await bench.clock.advance(3)
        if held:
            bench.begin()
        await bench.clock.advance(4)
        bench.meter.offset_wh -= span
        await bench.clock.advance(4)
        latest = bench.metering.latest(1)
        assert bench.metering.register_wh(1) == pytest.approx(span + 3.0)
        assert latest is not None and latest.energy_wh == bench.metering.register_wh(1), "nothing is estimated"


async def test_a_register_misread_as_low_is_no_reset(bench: Bench) -> None:
    async with bench.on():
        await bench.clock.advance(3)
        bench.begin()
        bench.meter.offset_wh -= 4000.0
        await bench.clock.advance(3)
        bench.meter.offset_wh += 4000.0
        await bench.clock.advance(4)
    assert bench.metering.register_wh(1) == 5010.0


async def test_a_misread_jump_is_not_told(bench: Bench) -> None:
    async with bench.on():
        await bench.clock.advance(3)
        bench.meter.offset_wh += 1e6
        await bench.clock.advance(2)
        assert bench.metering.register_wh(1) == 5003.0
        bench.meter.offset_wh -= 1e6
        await bench.clock.advance(2)
    assert bench.metering.register_wh(1) == 5007.0


async def test_the_register_is_in_the_store_within_a_minute(tmp_path: Path) -> None:
    bench = Bench(tmp_path, SimulatedClock())
    bench.model.set("SampledDataCtrlr.TxUpdatedInterval", "0")
    async with bench.on():
        bench.begin()
        await bench.clock.advance(150)
    bench.db.close()
    later = Bench(tmp_path, SimulatedClock(boot_id="boot-2"))
    register = later.registers.last(1)
    assert register is not None and 5150.0 - 63 <= register.wh <= 5150.0
    assert later.metering.register_wh(1) == register.wh
    latest = later.metering.latest(1)
    assert latest is not None and (latest.quality, latest.energy_wh) == (Quality.STORED, register.wh)
    assert later.boots.last_alive(1) >= 1087.0


async def test_the_register_of_an_end_is_in_the_store_with_it(tmp_path: Path) -> None:
    """So that a meter which stays silent after a power cut is not told lower than the last end was (2.0.1 part 2, J02.FR.16)."""
    bench = Bench(tmp_path, SimulatedClock())
    async with bench.on():
        bench.begin()
        await bench.clock.advance(65)
        with bench.db.transaction():
            bench.sampling.end(1, "tx")
    bench.db.close()
    later = Bench(tmp_path, SimulatedClock(boot_id="boot-2"))
    assert later.metering.register_wh(1) == 5065.0 and later.boots.last_alive(1) == 1065.0


@pytest.mark.parametrize("before_s", [0, 7, 58, 200])
@pytest.mark.parametrize("flows", [True, False])
async def test_sixty_second_samples_need_one_write_a_minute(bench: Bench, before_s: int, flows: bool) -> None:
    """Whenever the registers were written last, and also while the car takes nothing: a sample takes them along."""
    commits: list[int] = []

    def tell(evse: int, trigger: Trigger, readings: tuple[Reading, ...]) -> bool:
        bench.db.execute('INSERT OR REPLACE INTO "values" (name, value) VALUES (?, ?)', ("fact", b"x"))
        return True

    bench.sampling.tell = tell
    bench.meter.flows = False
    async with bench.on():
        await bench.clock.advance(before_s)
        bench.db.before_commit.append(lambda: commits.append(1))
        bench.begin()
        bench.meter.flows = flows
        await bench.clock.advance(3600)
    assert len(commits) == 61


async def test_the_begin_of_a_transaction_takes_the_registers_along(tmp_path: Path) -> None:
    bench = Bench(tmp_path, SimulatedClock())
    async with bench.on():
        await bench.clock.advance(90)
        bench.begin()
    bench.db.close()
    later = Bench(tmp_path, SimulatedClock(boot_id="boot-2"))
    assert later.metering.register_wh(1) == 5090.0 and later.boots.last_alive(1) == 1090.0


# signed values

KEY = base64.b64encode(b"oca:base16:asn1:300100").decode()


def signatures(bench: Bench, purpose: Purpose, context: Context) -> list[tuple[str, str | None, str | None]]:
    """(measurand, what is signed, public key) of each value."""
    (reading,) = bench.metering.readings(1, purpose, context)
    return [
        (value.measurand, base64.b64decode(value.signed.data).decode() if value.signed else None, value.signed.public_key if value.signed else None)
        for value in reading.values
    ]


async def test_a_meter_that_does_not_sign_has_no_such_variables(bench: Bench) -> None:
    assert not bench.model.has("SampledDataCtrlr.SignReadings") and not bench.model.has("FiscalMetering@1.PublicKey")


async def test_what_the_meter_signs_is_carried_where_it_is_wanted(tmp_path: Path) -> None:
    """J02.FR.21, and the whitepaper's switches."""
    bench = Bench(tmp_path, SimulatedClock(), signs=True)
    async with bench.on():
        await bench.clock.advance(2)
        assert {signed for _, signed, _ in signatures(bench, Purpose.UPDATED, Context.SAMPLE_PERIODIC)} == {None}
        bench.model.set("SampledDataCtrlr.SignReadings", "true")
        await bench.clock.advance(2)
        blob = f"OCMF|{bench.meter.energy_wh():.0f}"
        register, power = signatures(bench, Purpose.UPDATED, Context.SAMPLE_PERIODIC)
        assert register == ("Energy.Active.Import.Register", blob, "") and power[1] is None
        bench.model.set("SampledDataCtrlr.SignUpdatedReadings", "false")
        assert signatures(bench, Purpose.UPDATED, Context.SAMPLE_PERIODIC)[0][1] is None
        assert (
            signatures(bench, Purpose.ENDED, Context.TRANSACTION_END)[0][1]
            == signatures(bench, Purpose.BEGIN, Context.TRANSACTION_BEGIN)[0][1]
            == blob
        )
        assert signatures(bench, Purpose.ALIGNED, Context.SAMPLE_CLOCK)[0][1] is None
    assert bench.model.get("FiscalMetering@1.PublicKey") == ("Accepted", KEY)


@pytest.mark.parametrize(("policy", "begin", "end"), [("Never", "", ""), ("OncePerTransaction", "", KEY), ("EveryMeterValue", KEY, KEY)])
async def test_the_public_key_goes_along_as_wanted(tmp_path: Path, policy: str, begin: str, end: str) -> None:
    bench = Bench(tmp_path, SimulatedClock(), signs=True)
    bench.model.set("SampledDataCtrlr.SignReadings", "true")
    bench.model.set("OCPPCommCtrlr.PublicKeyWithSignedMeterValue", policy)
    async with bench.on():
        await bench.clock.advance(2)
        keys = [signatures(bench, Purpose.ENDED, context)[0][2] for context in (Context.TRANSACTION_BEGIN, Context.TRANSACTION_END)]
    assert keys == [begin, end]


async def test_a_meter_that_fails_to_sign_is_not_lost(tmp_path: Path) -> None:
    bench = Bench(tmp_path, SimulatedClock(), signs=True)
    bench.model.set("SampledDataCtrlr.SignReadings", "true")
    async with bench.on():
        await bench.clock.advance(2)
        bench.meter.mute = True
        await bench.clock.advance(10)
        assert signatures(bench, Purpose.ENDED, Context.TRANSACTION_END)[0][1] is None, "an old signature is none"
    assert bench.faults == [] and not bench.metering.lost(1)
