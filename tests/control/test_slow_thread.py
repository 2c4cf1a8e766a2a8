"""The slow thread, round by round: temperatures, the file, the log."""

from __future__ import annotations

import os
import select
from collections.abc import Iterator
from pathlib import Path

import pytest

from chargepoint.control.memory import Kept, Memory
from chargepoint.control.slow import LINES_KEPT, PERIOD_S, Slow
from hal.errors import DeviceLost
from tests.control.fakes import StillClock


class Sensors:
    """Two sensors; None: lost."""

    def __init__(self) -> None:
        self.celsius: dict[int, float | None] = {1: 20.0, 2: 30.0}

    def of(self, evse: int) -> Sensor:
        return Sensor(self, evse)


class Sensor:
    def __init__(self, sensors: Sensors, evse: int) -> None:
        self._sensors, self._evse = sensors, evse

    def read_c(self) -> float:
        value = self._sensors.celsius[self._evse]
        if value is None:
            raise DeviceLost(f"sensor {self._evse}", "no answer")
        return value


class Rounds:
    """A slow thread that is not started: its rounds are done here."""

    def __init__(self, directory: Path) -> None:
        self.clock = StillClock(50.0)
        self.sensors = Sensors()
        self.told: list[tuple[int, float, float]] = []
        thermometers = {evse: self.sensors.of(evse) for evse in (1, 2)}
        self.slow = Slow(self.clock, Memory(directory), thermometers, lambda *reading: self.told.append(reading))

    def round(self) -> None:
        self.slow._work()


@pytest.fixture
def rounds(tmp_path: Path) -> Rounds:
    return Rounds(tmp_path)


def test_each_good_reading_is_told_with_its_evse_and_its_time(rounds: Rounds) -> None:
    rounds.round()
    rounds.clock.now = 51.0
    rounds.sensors.celsius = {1: 21.0, 2: None}
    rounds.round()
    assert rounds.told == [(1, 50.0, 20.0), (2, 50.0, 30.0), (1, 51.0, 21.0)]


@pytest.mark.parametrize(("celsius", "told"), [(-60.0, False), (-59.9, True), (199.9, True), (200.0, False), (float("nan"), False)])
def test_what_no_charger_can_have_is_no_reading(rounds: Rounds, celsius: float, told: bool) -> None:
    rounds.sensors.celsius = {1: celsius, 2: None}
    rounds.round()
    assert [evse for evse, _, _ in rounds.told] == ([1] if told else [])


def test_a_lost_sensor_is_said_once_and_again_after_it_was_there(rounds: Rounds, capsys: pytest.CaptureFixture[str]) -> None:
    for celsius in (None, None, 20.0, None):
        rounds.sensors.celsius = {1: celsius, 2: celsius}
        rounds.round()
    said = ["control: sensor 1: no answer", "control: sensor 2: no answer"]
    assert sorted(capsys.readouterr().err.splitlines()) == sorted(said * 2)


def test_what_is_kept_is_written_once_and_beside_what_the_others_keep(rounds: Rounds, tmp_path: Path) -> None:
    rounds.round()
    assert not (tmp_path / "control.json").exists(), "nothing to write"
    rounds.slow.keep(1, Kept(("diode",)))
    rounds.slow.keep(2, Kept(closings=3))
    rounds.round()
    assert Memory(tmp_path).all_kept() == {1: Kept(("diode",)), 2: Kept(closings=3)}
    (tmp_path / "control.json").unlink()
    rounds.round()
    assert not (tmp_path / "control.json").exists(), "it is written down already"


def test_what_is_latched_is_written_down_when_the_turn_is_over_and_not_with_the_next_round(rounds: Rounds, tmp_path: Path) -> None:
    written: list[dict[int, Kept]] = []

    def wait(until: float, descriptor: int) -> bool:
        written.append(Memory(tmp_path).all_kept())
        if len(written) == 1:
            rounds.slow.keep(1, Kept(("residual_current",)))
            written.append(Memory(tmp_path).all_kept())
            rounds.slow.hurry()
            return StillClock.wait_until(rounds.clock, until, descriptor)
        rounds.slow._ended = True
        return False

    rounds.clock.wait_until = wait  # type: ignore[method-assign]  # what happens during the wait
    rounds.slow._run()
    assert written == [{}, {}, {1: Kept(("residual_current",))}]
    assert rounds.clock.now == 50.0, "no time has passed"


def test_a_file_that_cannot_be_written_is_tried_once_in_a_hurry_and_then_with_each_round(tmp_path: Path) -> None:
    slow = Rounds(tmp_path / "gone").slow
    slow.keep(1, Kept(("diode",)))
    slow.hurry()
    assert os.eventfd_read(slow._hurry) == 1
    slow._save_news()
    slow.hurry()
    assert not select.select([slow._hurry], [], [], 0.0)[0], "no turn after turn"
    slow.keep(1, Kept(("diode", "residual_current")))
    slow.hurry()
    slow.hurry()
    assert os.eventfd_read(slow._hurry) == 1


def test_without_news_nobody_is_woken(rounds: Rounds) -> None:
    rounds.slow.hurry()
    assert not select.select([rounds.slow._hurry], [], [], 0.0)[0]


def test_what_the_file_said_of_others_stays(rounds: Rounds, tmp_path: Path) -> None:
    Memory(tmp_path).save({7: Kept(closings=5)})
    again = Rounds(tmp_path)
    again.slow.keep(1, Kept(("diode",)))
    again.round()
    assert Memory(tmp_path).all_kept() == {7: Kept(closings=5), 1: Kept(("diode",))}


def test_trouble_with_the_file_is_said_once_and_so_is_its_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rounds = Rounds(tmp_path / "gone")
    rounds.slow.keep(1, Kept(("diode",)))
    for _ in range(3):
        rounds.round()
    (tmp_path / "gone").mkdir()
    for _ in range(3):
        rounds.round()
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("control: latched faults and counters cannot be written down: [Errno 2]")
    assert second == "control: latched faults and counters are written down again"


def test_the_log_keeps_the_last_lines_of_a_flood(rounds: Rounds, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(LINES_KEPT + 20):
        rounds.slow.say(f"line {number}")
    rounds.round()
    assert capsys.readouterr().err.splitlines() == [f"line {number}" for number in range(20, 520)]


def test_a_round_every_half_second_of_its_own_clock_and_late_ones_are_not_made_up_for(rounds: Rounds) -> None:
    waits: Iterator[float] = iter((0.0, 0.0, 2.0, 0.0))
    slept: list[float] = []

    def sleep(until: float) -> None:
        slept.append(until)
        extra = next(waits, None)
        if extra is None:
            rounds.slow._ended = True
        rounds.clock.now = until + (extra or 0.0)

    rounds.clock.on_sleep = sleep
    rounds.slow._run()
    assert PERIOD_S == 0.5
    assert slept == [50.5, 51.0, 51.5, 53.5, 54.0]
    assert [at for evse, at, _ in rounds.told if evse == 1] == [50.0, 50.5, 51.0, 53.5, 53.5]


def test_the_end_waits_for_the_thread_and_does_a_last_round(tmp_path: Path) -> None:
    rounds = Rounds(tmp_path)
    rounds.slow.start()
    rounds.slow.end()
    assert not rounds.slow._thread.is_alive() and rounds.slow._thread.daemon and rounds.slow._thread.name == "slow"
    before = len(rounds.told)
    rounds.slow.keep(1, Kept(("diode",)))
    rounds.slow.end()
    assert Memory(tmp_path).kept(1) == Kept(("diode",)) and len(rounds.told) == before + 2
