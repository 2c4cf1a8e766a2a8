"""Measurements of the report that move no contact: pilot, proximity, residual-current monitor, temperature. Must not know the others or the print.

Limits of a plateau: IEC 61851-1 Table A.4 (nominal 12, 9, 6, 3 V); they are narrower than the mid-points by which control decides.
"""

from __future__ import annotations

import math

from chargepoint.control.electrics import DARK, X1, amps, cable_a, plug_present, state_of
from chargepoint.control.generator import TOLERANCE
from chargepoint.control.guard import DERATE_FROM_C
from chargepoint.control.selftest_bench import Bench
from chargepoint.control.selftest_report import Finding, Value, failed, judged, skipped
from chargepoint.model.pilot import PilotState
from hal.ports import Channel

PLATEAUS: dict[PilotState, tuple[float, float]] = {
    PilotState.A: (11.4, 12.6),
    PilotState.B: (8.36, 9.56),
    PilotState.C: (5.48, 6.53),
    PilotState.D: (2.62, 3.25),
}
"""Volts from, to."""
NEGATIVE_V = (-12.6, -11.4)
NOTHING_V = (-1.0, 1.0)
"""What a peak detector holds where its half of the pilot is missing."""
DARK_HIGH_V = (-12.6, 1.0)
"""In F the detector of the high peak holds nothing, or shows the -12 V, as the board is built."""
OPEN_OHM = 100_000.0
"""From here on an ADC tells nothing but noise."""
COLDEST_C = -40.0
"""A sensor below this is a broken line."""


def pilot_at_x1(bench: Bench) -> Finding:
    """Steady +12 V behind 1 kOhm, and what hangs on it. Raises DeviceLost."""
    bench.signal(X1)
    high_v, low_v = bench.level(Channel.HIGH), bench.level(Channel.LOW)
    state = state_of(high_v, low_v, PilotState.IMPLAUSIBLE)
    window = PLATEAUS.get(state, PLATEAUS[PilotState.A])
    return judged(Value("high", high_v, "V", *window), Value("low", low_v, "V", *NOTHING_V), Value("state", state.value))


def pilot_at_duty(bench: Bench, fraction: float) -> Finding:
    """Both plateaus under PWM; only without a car, for which a duty is an offer. Raises DeviceLost."""
    if car := bench.car():
        return skipped(f"a duty of {fraction:.0%} would be an offer of {amps(fraction):g} A; {car}")
    try:
        bench.signal(fraction)
        read_back = bench.ports.pwm.duty()
        high_v, low_v = bench.level(Channel.HIGH), bench.level(Channel.LOW)
    finally:
        bench.ports.pwm.set_duty(X1)
    return judged(
        Value("high", high_v, "V", *PLATEAUS[PilotState.A]),
        Value("low", low_v, "V", *NEGATIVE_V),
        Value("duty", read_back * 100.0, "%", (fraction - TOLERANCE) * 100.0, (fraction + TOLERANCE) * 100.0),
    )


def pilot_at_f(bench: Bench) -> Finding:
    """Steady -12 V; only without a car, some of which stay asleep after a state F. Raises DeviceLost."""
    if car := bench.car():
        return skipped(f"a car may take a state F for a fault that lasts; {car}")
    try:
        bench.signal(DARK)
        high_v, low_v = bench.level(Channel.HIGH), bench.level(Channel.LOW)
    finally:
        bench.ports.pwm.set_duty(X1)
    return judged(Value("high", high_v, "V", *DARK_HIGH_V), Value("low", low_v, "V", *NEGATIVE_V))


def proximity(bench: Bench) -> Finding:
    """The coding resistor of the cable (IEC 61851-1 Table B.2). Raises DeviceLost."""
    if not bench.figures.socket:
        return skipped("a tethered cable: no plug to be told by its resistor")
    bench.signal(X1)
    ohms = bench.level(Channel.PROXIMITY)
    value = Value("resistance", ohms if ohms < OPEN_OHM else math.inf, "Ohm")
    if not plug_present(ohms):
        return judged(value, Value("cable", "no plug"))
    rating_a = cable_a(ohms)
    if rating_a is None:
        return failed("a plug by its resistance, but none of the coding resistors", value)
    return judged(value, Value("cable", f"{rating_a:g} A"))


def residual(bench: Bench) -> Finding:
    """The monitor's own test (IEC 62955): it must trip within the board's time, and let go. Raises DeviceLost."""
    bench.residual_passed = False
    bench.signal(X1)
    monitor, figures = bench.ports.residual, bench.figures
    if not bench.open_contacts():
        return skipped("the contactor is not proven open; see its row")
    if monitor.tripped():
        return failed("tripped though no test runs", Value("trip", "present"))
    try:
        monitor.test(True)
        trip_s = bench.time_until(monitor.tripped, figures.test_trip_s)
        if trip_s is not None:
            bench.wait(max(0.0, figures.test_pulse_s - trip_s))
    finally:
        monitor.test(False)
    trip = Value("trip", _ms(trip_s), "ms", None, figures.test_trip_s * 1000.0)
    if trip_s is None:
        return failed("no trip in the test", trip)
    release_s = bench.time_until(lambda: not monitor.tripped(), figures.test_clear_s)
    finding = judged(trip, Value("release", _ms(release_s), "ms", None, figures.test_clear_s * 1000.0))
    bench.residual_passed = not finding.reason
    return finding


def temperature(bench: Bench) -> Finding:
    """Inside the charger. Raises DeviceLost."""
    if bench.ports.thermometer is None:
        return skipped("the board has no temperature sensor")
    return judged(Value("temperature", bench.ports.thermometer.read_c(), "C", COLDEST_C, DERATE_FROM_C))


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else seconds * 1000.0
