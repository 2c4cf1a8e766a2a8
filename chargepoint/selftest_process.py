"""`chargepoint control --selftest`: the board opened while the firmware is stopped, measured, and left safe whatever happens.

Must not know what is measured.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from contextlib import ExitStack
from pathlib import Path

from chargepoint.board_settings import board_of
from chargepoint.clock import Clock
from chargepoint.control import realtime, selftest_print
from chargepoint.control.selftest_bench import Bench, rest_all
from chargepoint.control.selftest_report import Verdict, count
from chargepoint.control.selftest_table import report, rows_of_board
from chargepoint.control_process import RUNTIME_DIRECTORY, figures_of
from chargepoint.link.address import STATUS, reachable
from chargepoint.safe_child import make_safe
from chargepoint.settings import Control as ControlSettings
from chargepoint.settings import Evse as EvseSettings
from chargepoint.settings_file import SettingsError, load
from hal import spec
from hal.board import open_control
from hal.errors import BoardError
from hal.ports import ControlBoard, EvseBoard


def main(config: Path, *, as_json: bool) -> int:
    """Prints a technician's report of the board. 0: nothing failed; 1: something did; 2: not run to its end, and why."""
    runtime = Path(os.environ.get("RUNTIME_DIRECTORY", RUNTIME_DIRECTORY).split(":")[0])
    if _answers(runtime):
        print("control is running: stop the firmware first (systemctl stop chargepoint.target)", file=sys.stderr)
        return 2
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        return _report(config, as_json)
    except KeyboardInterrupt:
        print("stopped; every output is at its safe level", file=sys.stderr)
    except SettingsError as error:
        print("\n".join(map(str, error.problems)), file=sys.stderr)
    except (BoardError, OSError) as error:
        print(error, file=sys.stderr)
    return 2


def _report(config: Path, as_json: bool) -> int:
    """Raises SettingsError, BoardError, KeyboardInterrupt; the outputs are safe then too."""
    settings = load(config)
    _, wiring = board_of(settings, config.parent)
    clock = Clock(has_rtc=wiring.rtc)
    make_safe(config)
    with ExitStack() as afterwards:  # from the last to the first, each whatever becomes of the others
        afterwards.callback(make_safe, config)
        board = open_control(wiring, [evse.id for evse in settings.evse], clock.boot_s)
        afterwards.callback(board.close)
        benches = [_bench(one, board, wiring, clock, settings.control) for one in zip(board.evses, settings.evse, wiring.evse, strict=False)]
        afterwards.callback(_rest, benches)
        afterwards.callback(_hold_signals)
        realtime.settle(realtime.ask_priority(), _say)
        rows = report(benches, rows_of_board(board.emergency_stop, simulated=wiring.backend is not None), lambda title: _say(f"{title} ..."))
    print(selftest_print.as_json(rows) if as_json else selftest_print.as_text(rows))
    return 1 if count(rows, Verdict.FAILED) else 0


def _bench(one: tuple[EvseBoard, EvseSettings, spec.Evse], board: ControlBoard, wiring: spec.Board, clock: Clock, control: ControlSettings) -> Bench:
    ports, evse_settings, evse_wiring = one
    hold_s = wiring.feed.hold_ms / 1000.0 if wiring.feed else 0.0
    turn_s = wiring.turn_ms / 1000.0
    figures = figures_of(evse_settings, evse_wiring, control, turn_s)
    return Bench(ports, figures, clock, turn_s=turn_s, feed=board.feed, hold_s=hold_s, emergency_stop=board.emergency_stop)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _rest(benches: list[Bench]) -> None:
    for failure in rest_all(benches):
        _say(f"selftest: {failure}")


def _hold_signals() -> None:
    """Nothing ends the way to the safe levels."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def _answers(runtime: Path) -> bool:
    """Whether a control process, even one that stands still, holds its socket in the directory."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK) as asking:
        try:
            with reachable(runtime / STATUS) as name:
                asking.connect(name)
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        except OSError:  # it does not accept now, or does not let us ask: it is there
            return True
    return True
