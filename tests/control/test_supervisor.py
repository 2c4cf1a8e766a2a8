"""`chargepoint run` with stand-ins for the two processes: exit codes, back-off, the end of both."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from chargepoint import supervisor

DRIVER = """
import os, sys
from pathlib import Path
from chargepoint import supervisor
os.sched_getaffinity = lambda pid: set(range(int(sys.argv[3])))
supervisor.END_TICKS = 10
supervisor.TICK_MS = int(sys.argv[2])
supervisor.make_safe = lambda config: print("made safe", flush=True)
class Child(supervisor.Child):
    def __init__(self, name, config, environment, **options):
        super().__init__(name, config, environment, **options)
        self._command = [sys.executable, str(Path(config).with_name(name + ".py"))]
supervisor.Child = Child
sys.exit(supervisor.main(Path(sys.argv[1])))
"""
PATIENCE_S = 60.0
SLEEP = "import time\nwhile True: time.sleep(1)\n"
COUNT = """
import os, sys
file = os.environ["RUNTIME_DIRECTORY"] + "/starts"
open(file, "a").write("x")
starts = len(open(file).read())
"""


class Run:
    """The supervisor over two scripts."""

    def __init__(self, tmp_path: Path, control: str, station: str, tick_ms: int = supervisor.TICK_MS, processors: int = 4) -> None:
        self.directory = tmp_path
        (tmp_path / "control.py").write_text(control)
        (tmp_path / "station.py").write_text(station)
        environment = os.environ | {"RUNTIME_DIRECTORY": str(tmp_path / "run")}
        command = [sys.executable, "-c", DRIVER, str(tmp_path / "x.toml"), str(tick_ms), str(processors)]
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE)

    def starts(self) -> int:
        file = self.directory / "run" / "starts"
        return len(file.read_text()) if file.exists() else 0

    def until(self, holds: Callable[[], bool], within_s: float = PATIENCE_S) -> float:
        begun = time.monotonic()
        while not holds():
            assert time.monotonic() - begun < within_s
            time.sleep(0.01)
        return time.monotonic() - begun

    def end(self) -> tuple[int, str]:
        self.process.send_signal(signal.SIGTERM)
        out, _ = self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode, out.decode()


def test_on_one_processor_the_station_is_started_after_controls_first_sign_of_life(tmp_path: Path) -> None:
    marks = 'import os\nmark = os.environ["RUNTIME_DIRECTORY"] + "/ready"\n'
    control = marks + 'open(mark, "w").close()\nfrom chargepoint.notify import Notifier\nNotifier().ready()\n' + SLEEP
    station = marks + COUNT + "sys.exit(0 if os.path.exists(mark) else 77)\n"
    run = Run(tmp_path, control, station, tick_ms=5000, processors=1)
    run.until(lambda: run.starts() == 1)
    assert run.end()[0] == 0


def test_on_two_processors_the_station_is_started_at_once(tmp_path: Path) -> None:
    run = Run(tmp_path, SLEEP, COUNT + SLEEP, tick_ms=int(2000 * PATIENCE_S), processors=2)
    run.until(lambda: run.starts() == 1)
    assert run.end()[0] == 0


def test_a_station_that_asks_for_a_power_cycle_ends_both(tmp_path: Path) -> None:
    run = Run(tmp_path, SLEEP, "import time, sys\ntime.sleep(0.3)\nsys.exit(77)\n")
    out, _ = run.process.communicate(timeout=PATIENCE_S)
    assert run.process.returncode == 77
    assert out.decode().splitlines() == ["made safe"]


def test_a_station_that_asks_for_it_is_started_again_at_once(tmp_path: Path) -> None:
    run = Run(tmp_path, SLEEP, COUNT + "sys.exit(78) if starts < 6 else None\n" + SLEEP, tick_ms=int(2000 * PATIENCE_S))
    run.until(lambda: run.starts() == 6)
    assert run.end()[0] == 0


def test_a_process_that_dies_at_once_waits_a_second(tmp_path: Path) -> None:
    run = Run(tmp_path, SLEEP, COUNT + "sys.exit(1)\n")
    run.until(lambda: run.starts() >= 1)
    assert run.until(lambda: run.starts() >= 3) > 1.5
    assert run.end()[0] == 0


def test_a_station_that_died_comes_back_however_often_control_speaks(tmp_path: Path) -> None:
    """As it is heard by a supervisor that a busy machine lets look only now and then."""
    lively = "from chargepoint.notify import Notifier\nimport time\nwhile True:\n    Notifier().ready()\n    time.sleep(0.02)\n"
    run = Run(tmp_path, lively, COUNT + "sys.exit(1)\n")
    run.until(lambda: run.starts() >= 2)
    assert run.end()[0] == 0


def test_outputs_are_made_safe_after_each_death_of_control(tmp_path: Path) -> None:
    run = Run(tmp_path, COUNT + "sys.exit(1)\n", SLEEP)
    run.until(lambda: run.starts() >= 2)
    code, out = run.end()
    assert code == 0
    assert out.splitlines().count("made safe") >= 2


def test_a_process_that_does_not_end_is_killed(tmp_path: Path) -> None:
    stubborn = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + COUNT + SLEEP
    run = Run(tmp_path, SLEEP, stubborn)
    run.until(lambda: run.starts() == 1)
    assert run.end()[0] == 0
