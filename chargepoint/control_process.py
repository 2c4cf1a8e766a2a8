"""The control process: outputs safe before anything else, then the board, the loop, and an end in order. Must not know the turn.

Heavy imports come after the first act.
"""

from __future__ import annotations

import gc
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

from chargepoint import safe_child
from chargepoint.control import realtime

if TYPE_CHECKING:
    from chargepoint.control.figures import Figures
    from chargepoint.settings import Control as ControlSettings
    from chargepoint.settings import Evse as EvseSettings
    from hal import spec

CONVERSION_SPREAD = 1.2
"""A conversion takes 1/rate +-10 % and 25 us to wake up (ADS1115 data sheet SBAS444, 9.4)."""
STATE_DIRECTORY, RUNTIME_DIRECTORY = "/var/lib/chargepoint", "/run/chargepoint"


def main(config: Path) -> int:
    """Runs control until SIGTERM or SIGINT. Returns the exit code; an exception of a turn goes through, with the outputs safe."""
    gc.disable()  # imports leave little, and the loop makes no cycles; a search for them would take 20 ms
    refused = realtime.ask_priority()
    return _serve(config, safe_child.begin(config), refused)


def _serve(config: Path, safe: int, refused: str) -> int:
    from chargepoint.board_settings import board_of
    from chargepoint.clock import Clock
    from chargepoint.control.evse import Evse
    from chargepoint.control.loop import Loop, calm_turn_s
    from chargepoint.control.memory import Memory
    from chargepoint.control.slow import Slow
    from chargepoint.notify import Notifier
    from chargepoint.settings_file import load
    from hal import control_side  # noqa: F401  # the drivers, while the child still writes
    from hal.board import open_control, weaknesses

    settings = load(config)
    _, wiring = board_of(settings, config.parent)
    clock = Clock(has_rtc=wiring.rtc)
    memory = Memory(_directory("STATE_DIRECTORY", STATE_DIRECTORY))
    notifier = Notifier()
    os.waitpid(safe, 0)
    board = open_control(wiring, [evse.id for evse in settings.evse], clock.boot_s)
    evses: dict[int, Evse] = {}

    def measured(evse: int, at: float, celsius: float) -> None:
        if evse in evses:
            evses[evse].temperature = (at, celsius)

    thermometers = {evse.evse: evse.thermometer for evse in board.evses if evse.thermometer is not None}
    slow = Slow(clock, memory, thermometers, measured)
    for weakness in weaknesses(wiring):
        slow.say(f"control: {weakness}")
    realtime.settle(refused, slow.say)

    def turned(now: float) -> None:
        notifier.alive(now)
        slow.hurry()

    turn_s, hold_s = wiring.turn_ms / 1000.0, wiring.feed.hold_ms / 1000.0 if wiring.feed else None
    loop = Loop(clock, board, turn_s, calm_turn_s(turn_s, hold_s), realtime=not refused, say=slow.say, alive=turned)
    for ports, evse_settings, evse_wiring in zip(board.evses, settings.evse, wiring.evse, strict=False):
        figures = figures_of(evse_settings, evse_wiring, settings.control, turn_s)
        evses[ports.evse] = Evse(ports, figures, clock, loop, memory.kept(ports.evse), slow.keep)
    loop.add(list(evses.values()))
    loop.serve(_directory("RUNTIME_DIRECTORY", RUNTIME_DIRECTORY))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: loop.end())
    slow.start()
    notifier.ready()
    try:
        loop.run()
    finally:
        notifier.stopping()
        slow.end()
    board.close()
    return 0


def figures_of(settings: EvseSettings, wiring: spec.Evse, control: ControlSettings, turn_s: float) -> Figures:
    """What control needs to know of an EVSE, from settings and board file. turn_s: the period of the loop."""
    from chargepoint.control.figures import Figures
    from chargepoint.control.offer import Manner

    lock = wiring.lock
    return Figures(
        evse=settings.id,
        board_a=wiring.max_current_a,
        rating_a=settings.max_current_a,
        socket=any(connector.startswith("s") for connector in settings.connectors),
        d_allowed=settings.ventilation,
        manner=Manner(control.soft_start_s, control.ramp_a_per_s),
        keeps_floor=control.keep_floor,
        caps_simplified=control.cap_simplified_pilot,
        phase_switching=settings.phase_switching,
        single_a=settings.max_current_1p_a,
        lock_move_s=lock.pulse_ms / 1000.0 if lock else 0.0,
        lock_pause_s=lock.pause_ms / 1000.0 if lock else 0.0,
        test_pulse_s=wiring.residual.test_ms / 1000.0,
        test_trip_s=wiring.residual.trip_within_ms / 1000.0,
        test_clear_s=wiring.residual.clear_within_ms / 1000.0,
        turn_s=turn_s,
        convert_s=CONVERSION_SPREAD / wiring.adc.rate_sps,
        phases=min(settings.phases, wiring.phases),
        meter=settings.meter_position if wiring.meter else "",
        meter_limit_s=control.meter_limit_s,
        meter_withdraw_s=control.meter_withdraw_s,
        csms_clears=control.csms_clears_residual_current,
    )


def _directory(variable: str, otherwise: str) -> Path:
    directory = Path(os.environ.get(variable, otherwise).split(":")[0])
    directory.mkdir(parents=True, exist_ok=True)
    return directory
