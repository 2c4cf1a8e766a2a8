"""The technician's report on a board without hardware: what it finds, what it does not move, and how it leaves the board at any interruption."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from chargepoint.__main__ import main
from chargepoint.control import selftest_print
from chargepoint.control.selftest_bench import Bench, rest_all
from chargepoint.control.selftest_machine import SYSTEMD, UNIT, WATCHDOG
from chargepoint.control.selftest_report import Row, Value, Verdict, judged
from chargepoint.control.selftest_table import rows_of, rows_of_board
from tests.control.fakes import FIGURES, FakeFeed, FakeSwitch, StillClock, Wire, board_of


class Fed(FakeFeed):
    """A feed whose supply falls, and the coil with it, 100 ms after the last edge."""

    def __init__(self, clock: StillClock, wire: Wire) -> None:
        self.clock, self.wire, self.last = clock, wire, -math.inf

    def edge(self) -> None:
        self.last = self.clock.now

    def fall(self) -> None:
        if self.wire.coil and self.clock.now - self.last > 0.1:
            self.wire.switch(False)


class Shop:
    """One EVSE on a wire, as the report gets it."""

    def __init__(self, *, fed: bool = True) -> None:
        self.clock = StillClock()
        self.wire = Wire(self.clock)
        self.feed = Fed(self.clock, self.wire)
        self.stop = FakeSwitch()
        self.before: list[str] = []
        feed = self.feed if fed else None
        self.bench = Bench(board_of(self.wire), FIGURES, self.clock, turn_s=0.005, feed=feed, hold_s=0.1, emergency_stop=self.stop)
        self.clock.on_sleep = lambda until: self.feed.fall()

    def rows(self) -> dict[str, Row]:
        try:
            return {row.name: row for row in rows_of(self.bench, self.before.append)}
        finally:
            assert rest_all([self.bench]) == []

    def verdicts(self) -> dict[str, str]:
        return {name: row.finding.verdict.value for name, row in self.rows().items()}

    @property
    def closed(self) -> bool:
        return "coil on" in self.wire.writes


def test_a_healthy_evse_passes() -> None:
    shop = Shop()
    found = shop.verdicts()
    assert {name for name, verdict in found.items() if verdict != "passed"} == {"temperature", "contactor_l23"}
    assert shop.closed
    assert len(shop.before) == len(found)


@pytest.mark.parametrize(
    ("what", "value"),
    [("car_v", 9.0), ("car_v", 6.0), ("ohms", 220.0), ("mirror", False), ("trip", True), ("trip_answers", False), ("adc_lost", True)],
)
def test_the_contactor_never_closes_unless_all_is_proven(what: str, value: object) -> None:
    shop = Shop()
    setattr(shop.wire, what, value)
    rows = shop.rows()
    assert not shop.closed
    for name in ("contactor", "feed"):
        assert rows[name].finding.verdict is not Verdict.PASSED
        assert rows[name].finding.reason


def test_an_emergency_stop_keeps_the_contactor_open() -> None:
    shop = Shop()
    shop.stop.pressed = True
    assert shop.rows()["contactor"].finding.reason == "the emergency stop is pressed"
    assert not shop.closed


def test_a_car_gets_no_offer_and_no_state_f() -> None:
    shop = Shop()
    shop.wire.car_v, shop.wire.ohms = 9.0, 220.0
    shop.rows()
    assert {write for write in shop.wire.writes if write.startswith("duty")} == {"duty 1.0000"}


@pytest.mark.parametrize("change", [{"car_v": 9.0}, {"trip": True}, {"adc_lost": True}])
def test_the_contactor_opens_at_once_when_something_comes_up(change: dict[str, object]) -> None:
    shop = Shop()
    closed_at: list[float] = []
    opened_at: list[float] = []

    def later(until: float) -> None:
        shop.feed.fall()
        if shop.wire.coil:
            closed_at.append(shop.clock.now)
            for name, value in change.items():
                setattr(shop.wire, name, value)
        elif closed_at and not opened_at:
            opened_at.append(shop.clock.now)

    shop.clock.on_sleep = later
    finding = shop.rows()["contactor"].finding
    assert finding.verdict is Verdict.FAILED
    assert not shop.wire.coil
    assert len(closed_at) <= (30 if change.get("car_v") else 4)  # a peak detector empties with 40 ms


def test_a_mirror_contact_that_does_not_follow_fails() -> None:
    shop = Shop()
    shop.wire.mirror = True
    finding = shop.rows()["contactor"].finding
    assert finding.verdict is Verdict.FAILED
    assert finding.values[0].value is None
    assert not shop.wire.coil


def test_a_coil_that_stays_on_without_its_feed_fails() -> None:
    shop = Shop()
    shop.clock.on_sleep = lambda until: None
    rows = shop.rows()
    assert rows["contactor"].finding.verdict is Verdict.PASSED
    assert rows["feed"].finding.verdict is Verdict.FAILED
    assert not shop.wire.coil


def test_a_board_without_feed_says_so() -> None:
    shop = Shop(fed=False)
    shop.clock.on_sleep = lambda until: None
    assert shop.rows()["feed"].finding.verdict is Verdict.SKIPPED


@pytest.mark.parametrize("locked", [False, True])
def test_the_lock_ends_where_it_began(locked: bool) -> None:
    shop = Shop()
    shop.wire.locked = locked
    assert shop.rows()["lock"].finding.verdict is Verdict.PASSED
    assert shop.wire.locked is locked


def test_the_lock_does_not_move_over_a_pole_that_may_be_closed() -> None:
    shop = Shop()
    shop.wire.mirror = False
    assert shop.rows()["lock"].finding.verdict is Verdict.SKIPPED
    lock = shop.bench.ports.lock
    assert lock is not None
    assert lock.drives == []  # type: ignore[attr-defined]


@pytest.mark.parametrize("ohms", [0.0, 350.0, 3000.0])
def test_a_resistance_between_the_windows_is_a_fault(ohms: float) -> None:
    shop = Shop()
    shop.wire.ohms = ohms
    assert shop.rows()["proximity"].finding.verdict is Verdict.FAILED


def test_at_whatever_step_it_is_interrupted_all_is_left_safe() -> None:
    steps = 0

    def counted(until: float) -> None:
        nonlocal steps
        steps += 1

    whole = Shop()
    whole.clock.on_sleep = lambda until: (counted(until), whole.feed.fall())[1]
    whole.rows()
    for last in range(1, steps, 3):
        shop = Shop()
        left = iter(range(last))

        def interrupted(until: float, shop: Shop = shop, left: object = left) -> None:
            shop.feed.fall()
            if next(left, None) is None:  # type: ignore[call-overload]
                raise KeyboardInterrupt

        shop.clock.on_sleep = interrupted
        with pytest.raises(KeyboardInterrupt):
            shop.rows()
        assert (shop.wire.coil, shop.wire.testing, shop.wire.duty_now) == (False, False, 1.0)


def test_a_lost_generator_does_not_keep_the_coil_on() -> None:
    shop = Shop()
    shop.wire.coil, shop.wire.pwm_lost = True, True
    assert rest_all([shop.bench]) == ["pwm: gone"]
    assert not shop.wire.coil


def machine(root: Path, *, unit: str = "Type=notify\nWatchdogSec=1\nExecStopPost=x safe-outputs\n", state: str = "active") -> dict[str, str]:
    (root / SYSTEMD).mkdir(parents=True)
    (root / WATCHDOG).mkdir(parents=True)
    (root / UNIT).parent.mkdir(parents=True)
    (root / UNIT).write_text(unit)
    (root / WATCHDOG / "state").write_text(f"{state}\n")
    (root / WATCHDOG / "timeout").write_text("15\n")
    return {row.name: row.finding.verdict.value for row in rows_of_board(None, simulated=False, root=root)}


def test_watchdogs_that_are_set_up_pass(tmp_path: Path) -> None:
    assert machine(tmp_path) == {"emergency_stop": "skipped", "watchdog_service": "passed", "watchdog_hardware": "passed"}


def test_watchdogs_that_are_not_set_up_fail(tmp_path: Path) -> None:
    found = machine(tmp_path, unit="Type=simple\n", state="inactive")
    assert (found["watchdog_service"], found["watchdog_hardware"]) == ("failed", "failed")


def test_without_systemd_the_watchdogs_are_skipped(tmp_path: Path) -> None:
    found = {row.name: row.finding for row in rows_of_board(None, simulated=False, root=tmp_path)}
    assert "systemd" in found["watchdog_service"].reason


def test_text_and_json_say_the_same() -> None:
    rows = [
        Row(1, "a", "first", judged(Value("time", 12.5, "ms", None, 20.0))),
        Row(None, "b", "second", judged(Value("level", None, "V", 1.0, 2.0))),
    ]
    text = selftest_print.as_text(rows)
    assert "time 12.5 ms (at most 20)" in text
    assert "outside the limits: level" in text
    assert text.endswith("1 passed, 1 failed, 0 skipped")
    report = json.loads(selftest_print.as_json(rows))
    assert (report["passed"], report["failed"], report["skipped"]) == (1, 1, 0)
    assert report["measurements"][0]["values"] == [{"name": "time", "value": 12.5, "unit": "ms", "high": 20.0}]


def test_json_without_selftest_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["control", "--json", "--config", str(tmp_path / "x.toml")]) == 2
    assert "--selftest" in capsys.readouterr().err
