"""The pilot's electrics against the figures of IEC 61851-1 Table A.4, and what the front end makes of them."""

from __future__ import annotations

from math import inf

import pytest

from sim.plant.detector import PeakDetector
from sim.plant.pilot import Load, car_ohm, level
from sim.plant.proximity import coding_ohm, divider_v, rating_a

WINDOWS = {"A": (11.4, 12.6), "B": (8.36, 9.56), "C": (5.48, 6.53), "D": (2.62, 3.25)}


@pytest.mark.parametrize(
    ("load", "letter"),
    [
        (None, "A"),
        (Load(car_ohm(False, False), True), "B"),
        (Load(car_ohm(True, False), True), "C"),
        (Load(car_ohm(True, True), True), "D"),
    ],
)
def test_levels_are_within_the_windows_of_table_a4(load, letter):
    low, high = WINDOWS[letter]
    assert low <= level(12.0, load, None) <= high
    assert level(-12.0, load, None) == -12.0


def test_without_a_diode_the_low_plateau_is_lost():
    assert level(-12.0, Load(car_ohm(False, False), False), None) == pytest.approx(-8.8, abs=0.1)
    assert level(-12.0, Load(car_ohm(True, False), False), None) == pytest.approx(-5.6, abs=0.1)


def test_a_short_takes_both_plateaus_to_zero_and_a_resistive_one_divides():
    assert level(12.0, Load(880.0, True), 0.0) == 0.0
    assert level(-12.0, None, 0.0) == 0.0
    assert level(12.0, None, 1000.0) == pytest.approx(6.0)


def test_each_state_on_the_wire(wire):
    assert wire.word() == "A"
    wire.plant.plug_in(1, {"delay_s": 0.5})
    assert wire.word() == "B1"
    wire.offer(16)
    assert wire.word() == "B2"
    wire.run(0.6)
    assert wire.word() == "C2"
    wire.plant.change_ev({"ventilation": True})
    assert wire.word() == "D2"
    wire.duty(0.0)
    assert wire.word() == "F"
    wire.duty(1.0)
    assert wire.word() == "D1"
    wire.plant.faults.lay("cp_short")
    assert wire.word() == "E"
    wire.plant.faults.lift("cp_short")
    wire.plant.unplug()
    assert wire.word() == "A"


def test_the_front_end_reads_the_plateaus(wire):
    wire.plant.plug_in(1, {"delay_s": 0.1})
    wire.offer(16)
    wire.run(0.5)
    high, low = wire.peaks_v()
    assert high == pytest.approx(6.0, abs=0.25)
    assert low == pytest.approx(-12.0, abs=0.25)


@pytest.mark.parametrize("amps", [6.0, 16.0, 32.0, 48.0])
def test_droop_keeps_a_plateau_inside_its_window(wire, amps):
    wire.plant.plug_in(1, {"cable_a": 63.0, "ready": False})
    wire.offer(amps)
    wire.run(0.3)
    readings = [wire.peaks_v() for _ in range(20)]
    assert all(WINDOWS["B"][0] <= high <= WINDOWS["B"][1] for high, _ in readings)
    assert all(-12.6 <= low <= -11.4 for _, low in readings)


def test_noise_is_what_the_figures_say(make_wire):
    quiet, noisy = make_wire(noise_mv=0.0), make_wire(noise_mv=30.0)
    quiet.run(0.1), noisy.run(0.1)
    still = {round(quiet.peaks_v()[0], 2) for _ in range(20)}
    assert len(still) == 1
    readings = [noisy.peaks_v()[0] for _ in range(200)]
    mean = sum(readings) / len(readings)
    assert (sum((each - mean) ** 2 for each in readings) / len(readings)) ** 0.5 == pytest.approx(0.03, rel=0.3)


def test_detector_rises_fast_and_empties_with_its_time_constant():
    detector = PeakDetector(+1, 0.001, 0.040)
    detector.hear(0.0, 12.0, 1.0)
    assert detector.volts(0.001) == pytest.approx(12 * 0.632, abs=0.01)
    assert detector.volts(0.02) == pytest.approx(12.0, abs=0.001)
    detector.hear(0.02, 9.0, 1.0)
    assert detector.volts(0.03) == pytest.approx(12 * 0.7788, abs=0.01)
    assert detector.volts(0.2) == 9.0
    detector.hear(0.2, 0.0, 1.0)
    assert detector.volts(0.24) == pytest.approx(9 * 0.3679, abs=0.01)


def test_a_change_meanwhile_goes_on_from_where_the_detector_is():
    detector = PeakDetector(-1, 0.001, 0.040)
    detector.hear(0.0, -12.0, 0.5)
    detector.hear(0.05, 0.0, 0.5)
    held = detector.volts(0.06)
    assert held == pytest.approx(-12 * 0.7788, abs=0.05)
    detector.hear(0.06, -12.0, 0.5)
    assert detector.volts(0.0601) < held
    assert detector.volts(0.07) == pytest.approx(-12.0, abs=0.05)


def test_times_to_tell_a_change(wire):
    """9 V to 7.5 V within 8 ms, 6 V to 1.5 V in 55 ms, the low peak lost within 8 ms, all at 40 ms."""
    wire.plant.plug_in(1, {"delay_s": 0.1})
    wire.offer(16)
    wire.run(0.1 - 1e-6)
    pilot, now = wire.plant.pilot, wire.timeline.now + 1e-6
    wire.run(1e-3)
    assert wire.word() == "C2"
    assert pilot.high.volts(now + 0.008) < 7.5
    wire.run(0.3)
    wire.plant.faults.lay("cp_short")
    now = wire.timeline.now
    assert pilot.high.volts(now + 0.050) > 1.5 > pilot.high.volts(now + 0.057)
    assert pilot.low.volts(now + 0.006) < -10.0 < pilot.low.volts(now + 0.008)


def test_steady_levels_leave_one_detector_empty(wire):
    wire.run(0.5)
    high, low = wire.peaks_v()
    assert high == pytest.approx(12.0, abs=0.2) and low == pytest.approx(0.0, abs=0.2)
    wire.duty(0.0)
    wire.run(0.5)
    high, low = wire.peaks_v()
    assert high == pytest.approx(0.0, abs=0.2) and low == pytest.approx(-12.0, abs=0.2)


def test_a_conversion_takes_its_time_and_the_next_differs(make_wire):
    wire = make_wire(adc_conversion_ms=1.16)
    lasted = []
    for _ in range(30):
        wire.board.i2c(10, [(0x48, 0, b"\x01\xc3\xe3")])
        began = wire.timeline.now
        while not wire.board.i2c(10, [(0x48, 0, b"\1"), (0x48, 2, b"")])[2][0] & 0x80:
            wire.timeline.advance(wire.timeline.now + 1e-5)
        lasted.append((wire.timeline.now - began) * 1000)
    assert 1.04 <= min(lasted) < max(lasted) <= 1.32


def test_the_multiplexer_is_one(wire):
    """A conversion started while another runs does not start; the result is the one of its own input."""
    wire.run(0.1)
    wire.board.i2c(10, [(0x48, 0, b"\x01\xc3\xe3")])
    wire.run(0.002)
    assert wire.board.i2c(10, [(0x48, 0, b"\1"), (0x48, 2, b"")])[2] == b"\xc3\xe3"


def test_bus_time_is_that_of_the_clock(wire):
    _, seconds, _ = wire.board.i2c(10, [(0x48, 0, b"\x01"), (0x48, 2, b"")])
    assert seconds == pytest.approx(49 / 400_000)


@pytest.mark.parametrize(("cable_a", "ohm"), [(13, 1500), (16, 1500), (20, 680), (32, 220), (63, 100), (80, 100), (6, 1500)])
def test_cable_coding(cable_a, ohm):
    assert coding_ohm(cable_a) == ohm
    assert rating_a(ohm) <= max(13, cable_a)


def test_proximity_reads_as_a_divider(wire):
    assert divider_v(inf, 1000, 3.3) == 3.3
    wire.plant.plug_in(1, {"cable_a": 20})
    assert wire.read_v(2) == pytest.approx(3.3 * 680 / 1680, abs=0.01)
    wire.plant.unplug()
    assert wire.read_v(2) == pytest.approx(3.3, abs=0.01)


def test_tethered_cables_have_no_coding(make_wire):
    wire = make_wire(evse={"connectors": ["cType2"]})
    wire.plant.plug_in(1, {})
    assert wire.plant.pp_ohm() == inf
    assert wire.plant.tethered and wire.plant.cable


def test_pwm_behaves_as_the_kernel_does(wire):
    write, read = wire.board.pwm_write, wire.board.pwm_read
    assert write("sim.pwm", "export", "0") == 16
    assert write("sim.pwm", "export", "9") == 19
    assert write("sim.pwm", "pwm0/duty_cycle", "1000001") == 22
    assert write("sim.pwm", "pwm0/polarity", "inversed") == 16
    assert write("sim.pwm", "pwm1/enable", "1") == 2
    assert write("other", "export", "0") == 2
    assert write("sim.pwm", "pwm0/duty_cycle", "-5") == 22
    assert read("sim.pwm", "pwm0/duty_cycle") == "1000000" and read("sim.pwm", "pwm0/enable") == "1" and read("sim.pwm", "npwm") == "1"
    assert read("sim.pwm", "pwm3/enable") is None
    assert write("sim.pwm", "pwm0/enable", "0") == 0
    assert wire.word() == "F"


def test_before_the_pwm_was_enabled_the_resistor_holds_the_pilot_at_x1(wire):
    wire.board.power(False)
    wire.board.power(True)
    assert wire.word() == "A"
    wire.board.pwm_write("sim.pwm", "export", "0")
    wire.board.pwm_write("sim.pwm", "pwm0/period", "1000000")
    assert wire.word() == "A"
