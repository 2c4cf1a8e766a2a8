"""The technician's report as a table: every measurement in its order, with the next step when it fails. Must not know how the report is printed.

The order counts: the contactor moves only after pilot, proximity and residual-current monitor have been measured.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from chargepoint.control import selftest_machine as machine
from chargepoint.control import selftest_moving as moving
from chargepoint.control import selftest_still as still
from chargepoint.control.selftest_bench import Bench, Disturbed
from chargepoint.control.selftest_report import Finding, Row, Verdict, failed
from hal.errors import DeviceLost
from hal.ports import Switch

DUTIES = (0.10, 0.50, 0.96)
"""6 A, 30 A and 80 A: the ends of the scale and its middle (IEC 61851-1 Table A.7)."""
GENERATOR = "Measure CP to PE at the terminals with an oscilloscope: +-12 V, 1 kHz. Wrong there: replace the pilot's generator; right there: its ADC."
COIL = "Measure the coil's voltage while it is driven; check relay board and coil wires, then the mirror contact; replace the contactor."


class Measurement(NamedTuple):
    """name: for programs, and kept; title: for people; next_step: of the technician, when it fails."""

    name: str
    title: str
    measure: Callable[[Bench], Finding]
    next_step: str


OF_AN_EVSE: tuple[Measurement, ...] = (
    Measurement(
        "contactor_at_rest",
        "contactor at rest",
        moving.contactor_at_rest,
        "Switch off the mains and measure each pole. Closed: replace the welded contactor. All open: mend the mirror contact or its wire.",
    ),
    Measurement("pilot_x1", "pilot at X1", still.pilot_at_x1, f"Take the cable out and test again. {GENERATOR}"),
    *(Measurement(f"pilot_{duty * 100.0:.0f}", f"pilot at {duty:.0%}", partial(still.pilot_at_duty, fraction=duty), GENERATOR) for duty in DUTIES),
    Measurement("pilot_f", "pilot at F", still.pilot_at_f, GENERATOR),
    Measurement(
        "proximity",
        "proximity",
        still.proximity,
        "Measure PP to PE in the plug: 1500, 680, 220 or 100 Ohm, and in the empty socket: open. Replace the cable or mend the wire to the socket.",
    ),
    Measurement(
        "residual_current",
        "residual-current test",
        still.residual,
        "Check the monitor's supply and its wires for test and trip; replace the monitor. No charging before the test passes.",
    ),
    Measurement("contactor", "contactor", moving.contactor_moves, COIL),
    Measurement("contactor_l23", "second contactor", moving.second_contactor_moves, COIL),
    Measurement(
        "feed",
        "feed of the relay supply",
        moving.feed,
        "A coil that stays on without its feed is not safe: check the charge pump of the relay supply, replace the board.",
    ),
    Measurement(
        "lock",
        "lock",
        moving.lock,
        "Look for dirt or a bent bolt, then check motor, feedback switch and their wires; replace the lock.",
    ),
    Measurement(
        "temperature",
        "temperature inside",
        still.temperature,
        "Let it cool, check the fan and the sensor's wires; replace the sensor.",
    ),
)


def rows_of(bench: Bench, before: Callable[[str], None]) -> list[Row]:
    """One EVSE's rows. before: told the title of each measurement as it begins."""
    number = bench.ports.evse
    rows = []
    for measurement in OF_AN_EVSE:
        before(f"EVSE {number}: {measurement.title}")
        rows.append(Row(number, measurement.name, measurement.title, _with_next_step(_tried(measurement, bench), measurement.next_step)))
    return rows


def rows_of_board(emergency_stop: Switch | None, *, simulated: bool, root: Path = Path("/")) -> list[Row]:
    """The rows of the board as a whole. root: where the machine's files are."""
    rows = (
        ("emergency_stop", "emergency stop", machine.emergency_stop(emergency_stop), "Release it; if it is released, check the loop's wires."),
        ("watchdog_service", "watchdog of control", machine.service(root, simulated), "Run `chargepoint install` and `systemctl daemon-reload`."),
        (
            "watchdog_hardware",
            "hardware watchdog",
            machine.hardware(root, simulated),
            "Set RuntimeWatchdogSec=15 in system.conf of systemd, reboot.",
        ),
    )
    return [Row(None, name, title, _with_next_step(finding, next_step)) for name, title, finding, next_step in rows]


def report(benches: Sequence[Bench], board: Iterable[Row], before: Callable[[str], None]) -> list[Row]:
    """All rows, EVSE by EVSE, the board's last."""
    return [*(row for bench in benches for row in rows_of(bench, before)), *board]


def _tried(measurement: Measurement, bench: Bench) -> Finding:
    try:
        return measurement.measure(bench)
    except (DeviceLost, Disturbed) as error:
        return failed(str(error))


def _with_next_step(finding: Finding, next_step: str) -> Finding:
    return finding._replace(next_step=next_step) if finding.verdict is Verdict.FAILED else finding
