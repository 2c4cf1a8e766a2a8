"""What the technician's report says: the whole of it on a healthy board, and its finding for each thing that can be wrong."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest

from chargepoint.control import selftest_print
from chargepoint.control.selftest_bench import Bench
from chargepoint.control.selftest_machine import SYSTEMD, UNIT, WATCHDOG, emergency_stop, hardware, service
from chargepoint.control.selftest_moving import contactor_moves
from chargepoint.control.selftest_report import Row, Value, Verdict, failed, judged, skipped
from chargepoint.control.selftest_table import report, rows_of, rows_of_board
from hal.errors import DeviceLost
from tests.control.fakes import FIGURES, FakeSecond, FakeSwitch
from tests.control.test_selftest_report import Shop

HEALTHY = """\
EVSE 1
  contactor at rest         passed    mirror contact closed: all poles open
  pilot at X1               passed    high 12 V (11.4 to 12.6), low -0 V (-1 to 1), state A
  pilot at 10%              passed    high 12 V (11.4 to 12.6), low -12 V (-12.6 to -11.4), duty 10 % (9.95 to 10.05)
  pilot at 50%              passed    high 12 V (11.4 to 12.6), low -12 V (-12.6 to -11.4), duty 50 % (49.95 to 50.05)
  pilot at 96%              passed    high 12 V (11.4 to 12.6), low -12 V (-12.6 to -11.4), duty 96 % (95.95 to 96.05)
  pilot at F                passed    high 9.954e-07 V (-12.6 to 1), low -12 V (-12.6 to -11.4)
  proximity                 passed    resistance open, cable no plug
  residual-current test     passed    trip 5 ms (at most 100), release 5 ms (at most 100)
  contactor                 passed    closing 19.2 ms (at most 150), opening 20 ms (at most 150)
  second contactor          passed    closing 19.2 ms (at most 150), opening 20 ms (at most 150)
  feed of the relay supply  passed    fall without feed 122.4 ms (at most 250)
  lock                      passed    locking 5 ms (at most 150), unlocking 5 ms (at most 150)
  temperature inside        passed    temperature 30 C (-40 to 65)

board
  emergency stop            passed    emergency stop released
  watchdog of control       passed    WatchdogSec 1, after a death outputs safe
  hardware watchdog         passed    state active, timeout 15 s (at most 60)

16 passed, 0 failed, 0 skipped"""


class Full(Shop):
    """A board that has everything."""

    def looks(self, is_on: Callable[[], bool]) -> list[tuple[float, bool]]:
        """What was so in each step of a whole report, and when."""
        seen: list[tuple[float, bool]] = []

        def look(until: float) -> None:
            self.feed.fall()
            seen.append((self.clock.now, is_on()))

        self.clock.on_sleep = look
        self.rows()
        return seen

    def __init__(self) -> None:
        super().__init__()
        second = FakeSecond(self.wire)
        ports = self.bench.ports._replace(contactor_l23=second, thermometer=self.wire)
        self.bench = Bench(ports, FIGURES, self.clock, turn_s=0.005, feed=self.feed, hold_s=0.1, emergency_stop=self.stop)


def machine_root(root: Path) -> Path:
    (root / SYSTEMD).mkdir(parents=True)
    (root / WATCHDOG).mkdir(parents=True)
    (root / UNIT).parent.mkdir(parents=True)
    (root / UNIT).write_text("[Service]\nType=notify\nWatchdogSec=1\nExecStopPost=x safe-outputs\n")
    (root / WATCHDOG / "state").write_text("active\n")
    (root / WATCHDOG / "timeout").write_text("15\n")
    return root


def test_the_whole_report_of_a_healthy_board(tmp_path: Path) -> None:
    shop = Full()
    board = rows_of_board(shop.stop, simulated=False, root=machine_root(tmp_path))
    rows = report([shop.bench], board, shop.before.append)
    assert selftest_print.as_text(rows) == HEALTHY
    assert shop.before == [f"EVSE 1: {row.title}" for row in rows[:13]]


NO_CLOSING = "the contactor is not proven open"
CAR = "the pilot is in B, not in A: unplug the car"

FINDINGS: tuple[tuple[str, object, str, str, str], ...] = (
    ("mirror", False, "contactor_at_rest", "failed", "the mirror contact says that a pole is closed, or its wire is broken"),
    ("read_back", True, "contactor_at_rest", "failed", "the mirror contact says that a pole is closed, or its wire is broken"),
    ("car_v", 12.6, "pilot_x1", "passed", ""),
    ("car_v", 12.61, "pilot_x1", "failed", "outside the limits: high"),
    ("car_v", 11.4, "pilot_x1", "passed", ""),
    ("car_v", 11.39, "pilot_x1", "failed", "outside the limits: high"),
    ("car_v", 9.56, "pilot_x1", "passed", ""),
    ("car_v", 9.57, "pilot_x1", "failed", "outside the limits: high"),
    ("car_v", 8.36, "pilot_x1", "passed", ""),
    ("car_v", 8.35, "pilot_x1", "failed", "outside the limits: high"),
    ("car_v", 6.53, "pilot_x1", "passed", ""),
    ("car_v", 6.54, "pilot_x1", "failed", "outside the limits: high"),
    ("car_v", 5.48, "pilot_x1", "passed", ""),
    ("car_v", 5.47, "pilot_x1", "failed", "outside the limits: high"),
    ("car_v", 3.25, "pilot_x1", "passed", ""),
    ("car_v", 3.26, "pilot_x1", "failed", "outside the limits: high"),
    ("car_v", 2.62, "pilot_x1", "passed", ""),
    ("car_v", 2.61, "pilot_x1", "failed", "outside the limits: high"),
    ("car_v", 0.0, "pilot_x1", "failed", "outside the limits: high"),
    ("dark", True, "pilot_x1", "failed", "outside the limits: high, low"),
    ("adc_lost", True, "pilot_x1", "failed", "adc: gone"),
    ("adc_nonsense", True, "pilot_x1", "failed", "EVSE 1 pilot ADC: the reading is no number"),
    ("car_v", 9.0, "pilot_10", "skipped", f"a duty of 10% would be an offer of 6 A; {CAR}"),
    ("car_v", 9.0, "pilot_50", "skipped", f"a duty of 50% would be an offer of 30 A; {CAR}"),
    ("car_v", 9.0, "pilot_96", "skipped", f"a duty of 96% would be an offer of 80 A; {CAR}"),
    ("ohms", 220.0, "pilot_96", "skipped", "a duty of 96% would be an offer of 80 A; a plug is in the socket: take the cable out"),
    ("diode_v", -12.61, "pilot_50", "failed", "outside the limits: low"),
    ("diode_v", -12.6, "pilot_50", "passed", ""),
    ("diode_v", -11.4, "pilot_50", "passed", ""),
    ("diode_v", -11.39, "pilot_50", "failed", "outside the limits: low"),
    ("duty_error", 0.5006, "pilot_50", "failed", "outside the limits: duty"),
    ("duty_error", 0.5004, "pilot_50", "passed", ""),
    ("duty_error", 0.4996, "pilot_50", "passed", ""),
    ("duty_error", 0.4994, "pilot_50", "failed", "outside the limits: duty"),
    ("pwm_lost", True, "pilot_50", "failed", "pwm: gone"),
    ("car_v", 9.0, "pilot_f", "skipped", f"a car may take a state F for a fault that lasts; {CAR}"),
    ("generator_dead", True, "pilot_f", "failed", "outside the limits: high, low"),
    ("diode_v", -11.0, "pilot_f", "failed", "outside the limits: low"),
    ("ohms", 4499.0, "proximity", "failed", "a plug by its resistance, but none of the coding resistors"),
    ("ohms", 4500.0, "proximity", "passed", ""),
    ("ohms", 220.0, "proximity", "passed", ""),
    ("mirror", False, "residual_current", "skipped", f"{NO_CLOSING}; see its row"),
    ("trip", True, "residual_current", "failed", "tripped though no test runs"),
    ("trip_answers", False, "residual_current", "failed", "no trip in the test"),
    ("trip_answers", False, "contactor", "skipped", "the residual-current monitor has not passed its test"),
    ("mirror", False, "contactor", "skipped", "the residual-current monitor has not passed its test"),
    ("car_v", 9.0, "contactor", "skipped", CAR),
    ("ohms", 220.0, "contactor_l23", "skipped", "a plug is in the socket: take the cable out"),
    ("ohms", 220.0, "feed", "skipped", "a plug is in the socket: take the cable out"),
    ("mirror", True, "contactor", "failed", "outside the limits: closing"),
    ("mirror", True, "feed", "failed", "the contactor did not close"),
    ("mirror", False, "lock", "skipped", f"{NO_CLOSING}: the lock does not move"),
    ("lock_jams", True, "lock", "failed", "outside the limits: locking"),
    ("celsius", 65.0, "temperature", "passed", ""),
    ("celsius", 65.1, "temperature", "failed", "outside the limits: temperature"),
    ("celsius", -40.0, "temperature", "passed", ""),
    ("celsius", -40.1, "temperature", "failed", "outside the limits: temperature"),
)


@pytest.mark.parametrize(("what", "value", "name", "verdict", "reason"), FINDINGS)
def test_what_is_found(what: str, value: object, name: str, verdict: str, reason: str) -> None:
    shop = Full()
    setattr(shop.wire, what, value)
    row = {row.name: row for row in rows_of(shop.bench, shop.before.append)}[name]
    assert (row.finding.verdict.value, row.finding.reason) == (verdict, reason)
    assert bool(row.finding.next_step) is (verdict == "failed")


def test_contacts_that_stay_closed_fail_and_leave_coil_and_feed_off() -> None:
    shop = Full()
    shop.bench.residual_passed = True
    shop.wire.mirror_closed = lambda: "coil on" not in shop.wire.writes  # type: ignore[method-assign]  # they weld
    finding = contactor_moves(shop.bench)
    assert (finding.verdict, finding.reason, finding.values[1].value) == (Verdict.FAILED, "outside the limits: opening", None)
    assert not shop.wire.coil and shop.bench.feeding is False


def test_the_relay_supply_is_fed_no_longer_than_the_contactor_is_tried() -> None:
    shop = Full()
    shop.bench.residual_passed = True
    assert contactor_moves(shop.bench).verdict is Verdict.PASSED
    fed_at = shop.feed.last
    shop.bench.wait(0.5)
    assert shop.feed.last == fed_at


def test_nothing_is_closed_or_fed_before_the_monitor_has_answered_its_test() -> None:
    shop = Full()
    assert contactor_moves(shop.bench) == skipped("the residual-current monitor has not passed its test")
    shop.bench.step()
    assert shop.feed.last == -math.inf and not shop.closed


def test_contacts_are_proven_open_by_a_tenth_of_a_second_in_which_nothing_else_is_said() -> None:
    shop = Full()
    began = shop.clock.now
    assert shop.bench.open_contacts() and shop.clock.now - began == pytest.approx(0.1, abs=0.006)
    looks = iter([False] * 5 + [True] * 99)
    shop.clock.on_sleep = lambda until: setattr(shop.wire, "read_back", next(looks))
    assert not shop.bench.open_contacts()


@pytest.mark.parametrize(
    ("looks", "first"), [("0011100", 0.015), ("1101110", 0.02), ("110110111", 0.035), ("1111", 0.005), ("0000000", None), ("00000110", None)]
)
def test_what_came_is_timed_by_the_first_of_three_looks_in_a_row(looks: str, first: float | None) -> None:
    shop, shown = Full(), iter(looks + "0" * 99)
    assert shop.bench.time_until(lambda: next(shown) == "1", 0.04) == (None if first is None else pytest.approx(first))


def durations(shop: Full, is_on: Callable[[], bool]) -> list[float]:
    """How long it was so, each time, in seconds."""
    times: list[float] = []
    since: float | None = None
    for at, on in shop.looks(is_on):
        if on and since is None:
            since = at
        elif not on and since is not None:
            times.append(at - since)
            since = None
    return times


def test_the_monitor_s_test_pulse_has_the_board_s_length() -> None:
    shop = Full()
    assert durations(shop, lambda: shop.wire.testing) == [pytest.approx(FIGURES.test_pulse_s, abs=0.011)]


def test_between_two_strokes_of_the_lock_there_is_its_pause() -> None:
    shop = Full()
    bench = shop.bench
    bench.figures = FIGURES._replace(lock_move_s=0.5, lock_pause_s=1.0)
    assert durations(shop, lambda: shop.wire.locked) == [pytest.approx(1.5, abs=0.03)]


DISTURBANCES = [
    ({"car_v": 9.0}, "the pilot left A while the contactor was closed: was a car plugged in?"),
    ({"trip": True}, "the residual-current monitor tripped"),
    ({"adc_lost": True}, "adc: gone"),
    ({"stop": True}, "the emergency stop was pressed"),
]


@pytest.mark.parametrize(("change", "reason"), DISTURBANCES)
def test_what_disturbs_a_closed_contactor_is_the_reason(change: dict[str, object], reason: str) -> None:
    shop = Full()

    def later(until: float) -> None:
        shop.feed.fall()
        if shop.wire.coil:
            shop.stop.pressed = "stop" in change
            for name, value in change.items():
                setattr(shop.wire, name, value)

    shop.clock.on_sleep = later
    finding = shop.rows()["contactor"].finding
    assert (finding.verdict, finding.reason) == (Verdict.FAILED, reason)
    assert not shop.wire.coil


def test_what_a_board_does_not_have_is_skipped_and_said() -> None:
    shop = Shop(fed=False)
    ports = shop.bench.ports._replace(lock=None)
    bench = Bench(ports, FIGURES._replace(socket=False), shop.clock, turn_s=0.005, feed=None, hold_s=0.0, emergency_stop=None)
    rows = {row.name: row.finding for row in rows_of(bench, shop.before.append)}
    assert {name: finding for name, finding in rows.items() if finding.verdict is not Verdict.PASSED} == {
        "proximity": skipped("a tethered cable: no plug to be told by its resistor"),
        "contactor_l23": skipped("the board has one contactor"),
        "feed": skipped("the board has no feed: a hung program holds the coil"),
        "lock": skipped("a tethered cable, or no lock on the board"),
        "temperature": skipped("the board has no temperature sensor"),
    }


@pytest.mark.parametrize(
    ("value", "within"),
    [
        (Value("x", 1.0, "", 1.0, 2.0), True),
        (Value("x", 2.0, "", 1.0, 2.0), True),
        (Value("x", 0.99, "", 1.0, 2.0), False),
        (Value("x", 2.01, "", 1.0, 2.0), False),
        (Value("x", -1e9, "", None, 2.0), True),
        (Value("x", 1e9, "", 1.0), True),
        (Value("x", math.nan), False),
        (Value("x", None), False),
        (Value("x", "a word", "", 1.0, 2.0), True),
    ],
)
def test_limits_are_inclusive_and_no_number_is_outside(value: Value, within: bool) -> None:
    assert value.within is within
    assert judged(value).verdict is (Verdict.PASSED if within else Verdict.FAILED)


# the print ------------------------------------------------------------------------------------------------------------------------------------


def test_a_report_as_text_has_a_block_per_evse_with_reason_and_next_step_below_the_line() -> None:
    long = "one two three four five six seven eight nine ten " * 4
    rows = [
        Row(2, "a", "first", failed("broken", Value("level", None, "V", 1.0), Value("word", "open"))._replace(next_step=long)),
        Row(2, "b", "second", skipped("no such thing", "fit one")),
        Row(None, "c", "third", judged(Value("ohms", math.inf, "Ohm"), Value("volts", 2.34567, "V", 1.0, 3.0))),
    ]
    text = selftest_print.as_text(rows).splitlines()
    assert text == [
        "EVSE 2",
        "  first                     failed    level never came (at least 1), word open",
        "      broken",
        "      next: one two three four five six seven eight nine ten one two three four five six seven eight nine ten",
        "      one two three four five six seven eight nine ten one two three four five six seven eight nine ten",
        "  second                    skipped",
        "      no such thing",
        "      next: fit one",
        "",
        "board",
        "  third                     passed    ohms open, volts 2.346 V (1 to 3)",
        "",
        "1 passed, 1 failed, 1 skipped",
    ]


def test_a_report_as_json_says_null_for_what_is_no_number_and_leaves_out_what_there_is_not() -> None:
    rows = [
        Row(2, "a", "first", failed("broken", Value("level", None, "V", 1.0), Value("ohms", math.inf, "Ohm"))._replace(next_step="mend it")),
        Row(None, "b", "second", judged(Value("volts", 2.34567, "V", 1.0, 3.0), Value("word", "open"))),
    ]
    assert json.loads(selftest_print.as_json(rows)) == {
        "passed": 1,
        "failed": 1,
        "skipped": 0,
        "measurements": [
            {
                "evse": 2,
                "name": "a",
                "verdict": "failed",
                "values": [{"name": "level", "value": None, "unit": "V", "low": 1.0}, {"name": "ohms", "value": None, "unit": "Ohm"}],
                "reason": "broken",
                "next_step": "mend it",
            },
            {
                "evse": None,
                "name": "b",
                "verdict": "passed",
                "values": [{"name": "volts", "value": 2.346, "unit": "V", "low": 1.0, "high": 3.0}, {"name": "word", "value": "open"}],
            },
        ],
    }
    assert selftest_print.as_json(rows).splitlines()[1].startswith('  "passed"')


# the machine ----------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("unit", "reason"),
    [
        ("Type=notify\nWatchdogSec=1\nExecStopPost=x\n", ""),
        ("# a word\nType=notify\nWatchdogSec=1\nExecStopPost=x a=b\n", ""),
        ("Type=simple\nWatchdogSec=1\nExecStopPost=x\n", f"/{UNIT} lacks Type=notify"),
        ("Type=notify\nExecStopPost=x\n", f"/{UNIT} lacks WatchdogSec"),
        ("Type=notify\nWatchdogSec=1\nExecStopPost=\n", f"/{UNIT} lacks ExecStopPost"),
        ("Type=simple\n", f"/{UNIT} lacks WatchdogSec, ExecStopPost, Type=notify"),
        ("", f"there is no /{UNIT}"),
    ],
)
def test_what_control_s_unit_lacks_is_named(tmp_path: Path, unit: str, reason: str) -> None:
    root = machine_root(tmp_path)
    (root / UNIT).write_text(unit)
    assert service(root, simulated=False).reason == reason


@pytest.mark.parametrize(
    ("state", "timeout", "reason", "values"),
    [
        ("active", "60", "", (("state", "active"), ("timeout", 60.0))),
        ("active", "61", "outside the limits: timeout", (("state", "active"), ("timeout", 61.0))),
        ("active", "x", "outside the limits: timeout", (("state", "active"), ("timeout", None))),
        ("inactive", "15", "nobody answers the hardware watchdog: it is not running", (("state", "inactive"),)),
        (None, "15", "nobody answers the hardware watchdog: it is not running", (("state", "unknown"),)),
    ],
)
def test_the_hardware_watchdog_must_run_and_be_quick(
    tmp_path: Path, state: str | None, timeout: str, reason: str, values: tuple[tuple[str, object], ...]
) -> None:
    root = machine_root(tmp_path)
    (root / WATCHDOG / "timeout").write_text(timeout)
    if state is None:
        (root / WATCHDOG / "state").unlink()
    else:
        (root / WATCHDOG / "state").write_text(state)
    finding = hardware(root, simulated=False)
    assert (finding.reason, tuple((value.name, value.value) for value in finding.values)) == (reason, values)


def test_a_machine_without_watchdog_says_so(tmp_path: Path) -> None:
    (tmp_path / SYSTEMD).mkdir(parents=True)
    assert hardware(tmp_path, simulated=False) == failed("the machine shows no hardware watchdog (/dev/watchdog0)")


@pytest.mark.parametrize(("simulated", "reason"), [(True, "a simulated board"), (False, "systemd does not run this machine")])
def test_what_the_machine_cannot_show_is_skipped(tmp_path: Path, simulated: bool, reason: str) -> None:
    root = machine_root(tmp_path) if simulated else tmp_path
    assert service(root, simulated) == hardware(root, simulated) == skipped(reason)


class Gone(FakeSwitch):
    def active(self) -> bool:
        raise DeviceLost("emergency stop", "gone")


@pytest.mark.parametrize(
    ("pressed", "verdict", "reason", "said"),
    [(False, "passed", "", "released"), (True, "failed", "pressed, or a wire of its loop is broken", "pressed")],
)
def test_the_emergency_stop_as_a_row(pressed: bool, verdict: str, reason: str, said: str) -> None:
    switch = FakeSwitch()
    switch.pressed = pressed
    finding = emergency_stop(switch)
    assert (finding.verdict.value, finding.reason, finding.values) == (verdict, reason, (Value("emergency stop", said),))


def test_what_fails_on_the_board_has_a_next_step(tmp_path: Path) -> None:
    switch = FakeSwitch()
    switch.pressed = True
    (tmp_path / SYSTEMD).mkdir(parents=True)
    rows = rows_of_board(switch, simulated=False, root=tmp_path)
    assert [row.finding.next_step.partition(" ")[0] for row in rows] == ["Release", "Run", "Set"]


def test_an_emergency_stop_that_cannot_be_read_or_is_not_there() -> None:
    assert emergency_stop(Gone()) == failed("emergency stop: gone")
    assert emergency_stop(None) == skipped("the board has no emergency stop")
