"""The small parts: over-current, cables, faults, lateness, memory, the slow thread, notifications."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterable
from pathlib import Path

import pytest

from chargepoint.clock import Clock
from chargepoint.control.cable import Cable
from chargepoint.control.faults import HOLD_S, UNREADABLE, Faults, bit
from chargepoint.control.lateness import Lateness
from chargepoint.control.memory import Kept, LastTest, Memory
from chargepoint.control.over_current import OverCurrent
from chargepoint.control.slow import Slow
from chargepoint.notify import Notifier
from hal.errors import DeviceLost
from tests.control.fakes import Bench
from tests.control.seen import never_on


def carried(over: OverCurrent, amps: float | None, seconds: Iterable[float], phase: int = 0) -> None:
    for second in seconds:
        over.take(second, tuple(amps if place == phase else 0.0 for place in range(3)))


def test_over_current_needs_more_than_seven_seconds_without_a_pause() -> None:
    over = OverCurrent()
    over.offered(100.0, 10.0)
    carried(over, 12.0, range(110, 117))
    assert not over.found
    carried(over, 11.0, [117])
    carried(over, 12.0, range(118, 126))
    assert not over.found
    carried(over, 12.0, [126])
    assert over.found


def test_over_current_is_of_one_phase() -> None:
    over = OverCurrent()
    over.offered(100.0, 10.0)
    for second in range(110, 140):
        carried(over, 12.0, [second], phase=second % 3)
    assert not over.found


def test_no_value_says_nothing_and_a_gap_begins_anew() -> None:
    over = OverCurrent()
    over.offered(100.0, 10.0)
    for second in range(110, 117, 2):
        carried(over, 12.0, [second])
        over.take(second + 1, (None, None, None))
    carried(over, 12.0, [118])
    assert over.found
    over.reset()
    carried(over, 12.0, [130, 132, 136, 138, 140, 142])
    assert not over.found
    carried(over, 12.0, [144])
    assert over.found


def test_the_highest_offer_of_the_time_before_counts() -> None:
    over = OverCurrent()
    over.offered(10.0, 32.0)
    over.offered(100.0, 6.0)
    carried(over, 32.0, range(100, 114))
    assert not over.found, "the first that counts was measured at 106"
    carried(over, 32.0, [114])
    assert over.found


def test_a_cable_is_believed_after_three_equal_readings() -> None:
    cable = Cable()
    for ohms in (220.0, 220.0, 680.0, 220.0, 221.0):
        cable.read(ohms)
    assert not cable.present
    cable.read(219.0)
    assert (cable.present, cable.rating_a) == (True, 32.0)


def test_a_flickering_cause_is_one_fault() -> None:
    faults = Faults()
    cause = bit("emergency_stop")
    assert faults.step(cause, 10.0, False) == cause
    assert faults.step(0, 10.5, False) == 0
    assert faults.step(cause, 10.6, False) == 0
    assert faults.step(0, 10.6 + HOLD_S - 0.01, False) == 0
    assert faults.step(0, 10.6 + HOLD_S, False) == cause
    assert faults.names() == ()


def test_a_latched_name_that_nobody_knows_is_as_an_unreadable_file() -> None:
    assert Faults(("a fault of the future", "diode")).names() == ("diode", UNREADABLE)
    assert Faults(("one", "another", "one")).names() == (UNREADABLE,)


def test_a_name_that_is_kept_twice_is_one_fault() -> None:
    assert Faults(("residual_current", "residual_current")).names() == ("residual_current",)


def test_what_a_later_version_latched_is_not_cleared_by_going_back_to_this_one() -> None:
    bench = Bench(latched=("a fault of the future",))
    bench.settle()
    bench.plug()
    bench.renewing = True
    never_on(bench)
    judge = bench.evse.judge
    judge.clear(UNREADABLE)
    assert bench.evse.record.kept.latched == ()
    bench.wire.car_v = 6.0
    bench.until(lambda: bench.wire.coil)


def test_lateness() -> None:
    lateness = Lateness()
    assert lateness.percentiles_us(0.5, 0.99) == [0, 0]
    for late_us in range(1000):
        lateness.add(late_us / 1e6)
    lateness.add(0.2)
    lateness.add(-1.0)
    p50, p99, p999, top = lateness.percentiles_us(0.5, 0.99, 0.999, 1.0)
    assert (p50, p99, p999) == (500, 1000, 1000)
    assert top == lateness.max_us == pytest.approx(200_000, abs=1)
    assert lateness.periods == 1002


def test_what_is_kept_is_there_at_the_next_start(tmp_path: Path) -> None:
    kept = Kept(("residual_current",), LastTest(True, 1.5e9), 12, 3)
    Memory(tmp_path).save({1: kept, 2: Kept()})
    memory = Memory(tmp_path)
    assert memory.kept(1) == kept
    assert memory.kept(2) == memory.kept(3) == Kept()
    assert os.listdir(tmp_path) == ["control.json"]


@pytest.mark.parametrize("text", ["", "{", '{"evses": 7}', '{"evses": {"1": "x"}}', '{"evses": {"1": {"latched": 1}}}', '{"other": {}}'])
def test_unreadable_means_latched(tmp_path: Path, text: str) -> None:
    (tmp_path / "control.json").write_text(text)
    memory = Memory(tmp_path)
    assert not memory.readable
    assert memory.kept(1) == Kept((UNREADABLE,))


class Sensor:
    """Answers, or not."""

    celsius: float | None = 41.5

    def read_c(self) -> float:
        if self.celsius is None:
            raise DeviceLost("sensor", "no answer")
        return self.celsius


def test_the_slow_thread_is_woken_by_what_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chargepoint.control.slow.PERIOD_S", 3600.0)
    first = threading.Event()
    slow = Slow(Clock(), Memory(tmp_path), {1: Sensor()}, lambda *_: first.set())
    slow.start()
    assert first.wait(10.0), "the first round"
    slow.keep(1, Kept(("residual_current",)))
    slow.hurry()
    file, patience = tmp_path / "control.json", threading.Event()
    for _ in range(400):
        if file.exists():
            break
        patience.wait(0.05)
    assert Memory(tmp_path).kept(1) == Kept(("residual_current",)), "an hour before the next round"
    slow.end()


def test_the_slow_thread_measures_writes_and_speaks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sensor, measured = Sensor(), threading.Event()
    seen: list[float] = []

    def on_temperature(evse: int, at: float, celsius: float) -> None:
        seen.append(celsius)
        measured.set()

    slow = Slow(Clock(), Memory(tmp_path), {1: sensor}, on_temperature)
    slow.start()
    assert measured.wait(2.0)
    sensor.celsius = None
    slow.keep(1, Kept(("diode",)))
    slow.say("a line")
    slow.end()
    assert set(seen) == {41.5}
    assert Memory(tmp_path).kept(1) == Kept(("diode",))
    assert set(capsys.readouterr().err.splitlines()) == {"a line", "control: sensor: no answer"}


def test_a_file_that_cannot_be_written_is_said_and_tried_again(tmp_path: Path) -> None:
    directory = tmp_path / "gone"
    slow = Slow(Clock(), Memory(directory), {}, lambda *_: None)
    slow.keep(1, Kept(("diode",)))
    slow._work()
    assert slow._unsaved
    directory.mkdir()
    slow._work()
    assert Memory(directory).kept(1) == Kept(("diode",))


def test_notifications(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind("")
        name = "@" + listener.getsockname()[1:].decode()
        notifier = Notifier({"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "1000000"})
        notifier.ready()
        notifier.alive(10.0)
        notifier.alive(10.4)
        notifier.alive(10.5)
        notifier.stopping()
        listener.setblocking(False)
        assert [listener.recv(100) for _ in range(4)] == [b"READY=1", b"WATCHDOG=1", b"WATCHDOG=1", b"STOPPING=1"]
    notifier.alive(20.0)


def test_without_a_listener_or_for_another_process_there_is_no_watchdog() -> None:
    assert Notifier({}).watchdog_s is None
    assert Notifier({"NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "1000", "WATCHDOG_PID": "1"}).watchdog_s is None
    Notifier({}).ready("well")
