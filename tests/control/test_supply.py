"""What the meter's samples say of the power path: followed to their faults, cell by cell, on the simulated clock."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import pytest

from chargepoint.control import faults, supply
from chargepoint.control.decision import CAR_TIME_S
from chargepoint.control.figures import Figures
from chargepoint.control.machine import Phase
from chargepoint.link.messages import Sample
from tests.control.fakes import FIGURES, Bench

BEFORE = FIGURES._replace(meter="before")
AFTER = FIGURES._replace(meter="after")
Triple = tuple[float | None, float | None, float | None]
V230: Triple = (230.0, 230.0, 230.0)


@dataclass
class Metered:
    """A bench with a meter that is read once a second; its register moves with the current. leads: the contactor carries current also when open."""

    figures: Figures = BEFORE
    amps: Triple = (0.0, 0.0, 0.0)
    volts: Triple = V230
    energy_wh: float = 1000.0
    silent: bool = False
    frozen: bool = False
    leads: bool = False
    told: Triple = (0.0, 0.0, 0.0)
    bench: Bench = field(init=False)

    def __post_init__(self) -> None:
        self.bench = Bench(self.figures)

    def seconds(self, seconds: float) -> None:
        for _ in range(round(seconds)):
            if not self.silent:
                self.tell(self.bench.clock.now)
            self.bench.seconds(1.0)

    def tell(self, at: float) -> None:
        if self.figures.meter == "after" and not (self.bench.evse.watch.closed or self.leads):
            return
        if not self.frozen:
            self.told = self.amps if self.bench.evse.watch.closed or self.leads else (0.0, 0.0, 0.0)
            self.energy_wh += sum(amps for amps in self.told if amps is not None and math.isfinite(amps)) * 230.0 / 3600.0
        self.bench.evse.sample(Sample(1, at, True, self.told, self.volts, self.energy_wh), self.bench.clock.now)

    def charge(self) -> None:
        self.bench.charge()
        self.amps = (16.0, 16.0, 16.0)
        self.seconds(2)
        assert self.active == ()

    @property
    def active(self) -> tuple[str, ...]:
        return self.bench.evse.faults.names()


@pytest.fixture
def at() -> Metered:
    return Metered()


@pytest.mark.parametrize(("volts", "fault"), [(190.0, "under_voltage"), (260.0, "over_voltage"), (0.0, "phase_loss")])
def test_a_voltage_outside_its_window_for_longer_than_three_seconds_withdraws_and_comes_back(at: Metered, volts: float, fault: str) -> None:
    at.charge()
    at.volts = (230.0, volts, 230.0)
    at.seconds(3)
    assert at.active == ()
    at.seconds(2)
    assert at.active == (fault,) and at.bench.evse.phase is Phase.WITHDRAW
    at.seconds(CAR_TIME_S + 1)
    assert not at.bench.wire.coil
    at.volts = V230
    at.seconds(faults.HOLD_S + 2)
    assert at.active == ()
    at.bench.until(lambda: at.bench.wire.coil, 6.0)


@pytest.mark.parametrize("volts", [supply.LOWEST_V, supply.HIGHEST_V, math.nan, math.inf, -math.inf, None])
def test_a_voltage_at_the_edge_or_without_a_value_says_nothing(at: Metered, volts: float | None) -> None:
    at.charge()
    at.volts = (volts, 230.0, 230.0)
    at.seconds(20)
    assert at.active == () and at.bench.wire.coil


@pytest.mark.parametrize(("found", "near", "back"), [(206.0, 208.0, 209.1), (254.0, 252.0, 250.9)])
def test_a_voltage_is_back_two_volts_inside_its_window(at: Metered, found: float, near: float, back: float) -> None:
    at.charge()
    at.volts = (found, 230.0, 230.0)
    at.seconds(6)
    fault = at.active
    at.volts = (near, 230.0, 230.0)
    at.seconds(10)
    assert at.active == fault and fault
    at.volts = (back, 230.0, 230.0)
    at.seconds(3)
    assert at.active == ()


def test_a_dip_is_none(at: Metered) -> None:
    at.charge()
    for _ in range(5):
        at.volts = (150.0, 150.0, 150.0)
        at.seconds(3)
        at.volts = V230
        at.seconds(1)
    assert at.active == ()


def test_only_connected_phases_count() -> None:
    at = Metered(BEFORE._replace(phases=1), volts=(230.0, 0.0, 0.0))
    at.charge()
    at.seconds(20)
    assert at.active == ()


def test_a_meter_behind_the_contactor_sees_volts_only_while_it_is_closed() -> None:
    at = Metered(AFTER)
    at.bench.settle()
    at.bench.plug()
    at.bench.renewing = True
    at.seconds(20)
    assert at.active == ()
    at.bench.wire.car_v = 6.0
    at.bench.until(lambda: at.bench.evse.watch.closed)
    at.volts = (230.0, 0.0, 230.0)
    at.seconds(7)
    assert at.active == ("phase_loss",)
    at.seconds(30)
    assert at.active == ("phase_loss",) and not at.bench.wire.coil, "nothing can be seen while it is open, so the verdict stands"
    at.bench.plug(12.0, math.inf)
    at.bench.seconds(2.0)
    assert at.active == ()


def test_a_silent_meter_limits_after_ten_seconds_and_withdraws_after_sixty(at: Metered) -> None:
    at.charge()
    at.silent = True
    at.seconds(8)
    assert at.active == () and at.bench.evse.generator.offer.amps == 16.0
    at.seconds(2)
    assert at.active == ("meter_silent",) and at.bench.evse.generator.offer.amps == 6.0
    at.seconds(48)
    assert at.active == ("meter_silent",) and at.bench.wire.coil
    at.seconds(3)
    assert "meter_long_silent" in at.active and at.bench.evse.phase is Phase.WITHDRAW
    at.seconds(CAR_TIME_S)
    assert not at.bench.wire.coil
    at.silent = False
    at.seconds(3)
    assert at.active == ()
    at.bench.until(lambda: at.bench.wire.coil, 6.0)


@pytest.mark.parametrize(("limit_s", "withdraw_s", "expected"), [(0.0, 60.0, "meter_long_silent"), (20.0, 0.0, "meter_silent"), (0.0, 0.0, "")])
def test_the_owner_chooses_what_silence_does(limit_s: float, withdraw_s: float, expected: str) -> None:
    at = Metered(BEFORE._replace(meter_limit_s=limit_s, meter_withdraw_s=withdraw_s))
    at.charge()
    at.silent = True
    at.seconds(15)
    assert at.active == ()
    at.seconds(60)
    assert at.active == ((expected,) if expected else ())


def test_without_a_meter_there_is_no_silence() -> None:
    at = Metered(FIGURES, silent=True)
    at.bench.charge()
    at.seconds(90)
    assert at.active == () and at.bench.wire.coil


def test_silence_is_not_counted_while_no_permit_comes(at: Metered) -> None:
    at.charge()
    at.bench.renewing = False
    at.bench.lease_s = 25.0
    at.bench.permit()
    at.silent = True
    at.seconds(24)
    assert at.active == () and at.bench.wire.coil, "while the station stands still its lease decides"
    at.bench.lease_s, at.bench.renewing = 15.0, True
    at.bench.clock.now += 3.0
    at.seconds(4)
    assert at.active == ()
    at.seconds(8)
    assert at.active == ("meter_silent",)


def test_a_meter_behind_the_open_contactor_is_not_silent() -> None:
    at = Metered(AFTER, silent=True)
    at.bench.settle()
    at.bench.plug()
    at.bench.renewing = True
    at.seconds(100)
    assert at.active == ()
    at.bench.wire.car_v = 6.0
    at.bench.until(lambda: at.bench.evse.watch.closed)
    at.seconds(11)
    assert at.active == ("meter_silent",)
    at.seconds(50)
    assert "meter_long_silent" in at.active
    at.seconds(100)
    assert "meter_long_silent" in at.active and not at.bench.wire.coil, "open, it cannot show that it is back"
    at.bench.plug(12.0, math.inf)
    at.bench.seconds(2.0)
    assert at.active == ()


@pytest.mark.parametrize("late_s", [3.1, 60.0, -0.5])
def test_an_old_reading_or_one_from_the_future_is_silence(at: Metered, late_s: float) -> None:
    at.charge()
    at.silent = True
    for _ in range(12):
        at.tell(at.bench.clock.now - late_s)
        at.bench.seconds(1.0)
    assert at.active == ("meter_silent",)


def test_a_repeated_reading_is_silence(at: Metered) -> None:
    at.charge()
    at.silent = True
    measured = at.bench.clock.now
    for _ in range(12):
        at.tell(measured)
        at.bench.seconds(1.0)
    assert at.active == ("meter_silent",)


def test_registers_that_stand_still_under_load_for_sixty_seconds_are_silence(at: Metered) -> None:
    at.charge()
    at.frozen = True
    at.seconds(66)
    assert at.active == ()
    at.seconds(6)
    assert at.active == ("meter_silent",)
    at.seconds(50)
    assert "meter_long_silent" in at.active
    at.frozen = False
    at.seconds(3)
    assert at.active == ()


@pytest.mark.parametrize("amps", [(0.0, 0.0, 0.0), (1.9, 1.9, 1.9)])
def test_registers_of_little_load_may_stand_still(at: Metered, amps: Triple) -> None:
    at.charge()
    at.amps = amps
    at.seconds(2)
    at.frozen = True
    at.seconds(200)
    assert at.active == ()


def opened(at: Metered, leads: bool = True) -> None:
    at.charge()
    at.leads = leads
    at.bench.wire.car_v = 9.0
    at.bench.until(lambda: not at.bench.evse.watch.closed, 1.0)


def test_current_without_command_is_a_weld_after_two_samples_a_second_later(at: Metered) -> None:
    opened(at)
    at.bench.seconds(0.9)
    at.tell(at.bench.clock.now)
    at.bench.seconds(0.2)
    at.tell(at.bench.clock.now)
    at.bench.seconds(0.2)
    assert at.active == (), "one of them is too early"
    at.tell(at.bench.clock.now)
    at.bench.turns(2)
    assert at.active == ("contactor_welded",) and at.bench.kept[-1] == ("contactor_welded",)
    at.bench.wire.car_v, at.bench.wire.ohms = 12.0, math.inf
    at.seconds(10)
    assert at.bench.wire.locked and not at.bench.evse.watch.pwm


@pytest.mark.parametrize("amps", [(1.0, 0.0, 0.0), (math.nan, math.inf, None), (0.0, 0.0, 0.0)])
def test_an_ampere_or_no_value_is_no_weld(at: Metered, amps: Triple) -> None:
    opened(at)
    at.amps = amps
    at.seconds(10)
    assert at.active == ()


def test_a_meter_that_freezes_tells_the_current_of_before_and_no_weld(at: Metered) -> None:
    opened(at)
    at.frozen = True
    at.bench.renewing = False
    at.seconds(10)
    assert at.active == ()


def test_volts_without_command_are_a_weld_only_behind_the_contactor() -> None:
    for figures, expected in ((BEFORE, ()), (AFTER, ("contactor_welded",))):
        at = Metered(figures)
        opened(at)
        at.amps = (0.0, 0.0, 0.0)
        at.seconds(5)
        assert at.active == expected


def test_a_weld_seen_by_current_is_cleared_when_the_current_has_gone(at: Metered) -> None:
    opened(at)
    at.seconds(4)
    assert at.bench.evse.faults.causes & faults.WELDED
    at.silent = True
    at.seconds(4)
    assert not at.bench.evse.faults.causes & faults.WELDED and at.active == ("contactor_welded",)


def test_an_opening_that_is_not_confirmed_releases_the_breaker_once_for_a_second(at: Metered) -> None:
    at.charge()
    at.bench.wire.writes.clear()
    at.bench.wire.mirror = False
    at.bench.wire.car_v = 9.0
    at.bench.until(lambda: at.bench.wire.breaker_tripping, 0.25)
    assert at.active == ("contactor_welded",)
    took_s = at.bench.until(lambda: not at.bench.wire.breaker_tripping, 2.0)
    assert took_s == pytest.approx(1.0, abs=0.02)
    at.bench.seconds(20.0)
    assert at.bench.wire.writes.count("trip on") == 1


@pytest.mark.parametrize("car_v", [12.0, 9.0, 6.0])
def test_a_missing_earth_opens_in_two_turns_in_every_state(at: Metered, car_v: float) -> None:
    at.charge()
    at.bench.wire.car_v = car_v
    at.bench.wire.earth_lost = True
    at.bench.turns(2)
    assert not at.bench.wire.coil and "protective_earth_lost" in at.active
    at.bench.seconds(3.0)
    assert "protective_earth_lost" in at.active and not at.bench.evse.watch.pwm
    at.bench.wire.earth_lost = False
    at.bench.seconds(faults.HOLD_S + 0.1)
    assert "protective_earth_lost" not in at.active


def test_a_flicker_of_the_earth_monitor_is_nothing(at: Metered) -> None:
    at.charge()
    for _ in range(20):
        at.bench.wire.earth_lost = not at.bench.wire.earth_lost
        at.bench.turns(1)
    assert at.active == () and at.bench.wire.coil
