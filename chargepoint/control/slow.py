"""The slow thread: temperatures, the log, the file. The loop hands it values and never waits for it. Must not know the turn."""

from __future__ import annotations

import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping

from chargepoint.clock import Clock
from chargepoint.control.memory import Kept, Memory
from hal.errors import DeviceLost
from hal.ports import Thermometer

PERIOD_S = 0.5
LINES_KEPT = 500


class Slow:
    """thermometers: by EVSE id; on_temperature: (EVSE id, boot time, degrees Celsius) of each good reading."""

    def __init__(
        self, clock: Clock, memory: Memory, thermometers: Mapping[int, Thermometer], on_temperature: Callable[[int, float, float], None]
    ) -> None:
        self._clock = clock
        self._memory = memory
        self._thermometers = thermometers
        self._on_temperature = on_temperature
        self._lines: deque[str] = deque(maxlen=LINES_KEPT)
        self._kept = memory.all_kept()
        self._unsaved = False
        self._hurry = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._hurried = True
        self._trouble = ""
        self._lost: set[int] = set()
        self._thread = threading.Thread(target=self._run, name="slow", daemon=True)
        self._ended = False

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        """Waits for the round in hand, then does the last one here."""
        self._ended = True
        os.eventfd_write(self._hurry, 1)
        self._thread.join(2.0)
        self._work()

    def say(self, line: str) -> None:
        """A line for the log."""
        self._lines.append(line)

    def keep(self, evse: int, kept: Kept) -> None:
        """What an EVSE keeps, to be written down soon; at once after the next `hurry`."""
        self._kept = {**self._kept, evse: kept}
        self._unsaved, self._hurried = True, False

    def hurry(self) -> None:
        """Called when a turn has done what it had to: what is new is not to wait for the next round, for what latched a fault may take the power
        with it."""
        if not self._hurried:
            self._hurried = True
            os.eventfd_write(self._hurry, 1)

    def _run(self) -> None:
        due = self._clock.boot_s()
        while not self._ended:
            self._work()
            due = max(due + PERIOD_S, self._clock.boot_s())
            while self._clock.wait_until(due, self._hurry) and not self._ended:
                os.eventfd_read(self._hurry)
                self._save_news()

    def _work(self) -> None:
        for evse, thermometer in self._thermometers.items():
            self._measure(evse, thermometer)
        self._save_news()
        while self._lines:
            print(self._lines.popleft(), file=sys.stderr, flush=True)

    def _measure(self, evse: int, thermometer: Thermometer) -> None:
        try:
            celsius = thermometer.read_c()
        except DeviceLost as error:
            if evse not in self._lost:
                self._lost.add(evse)
                self.say(f"control: {error}")
            return
        self._lost.discard(evse)
        if -60.0 < celsius < 200.0:
            self._on_temperature(evse, self._clock.boot_s(), celsius)

    def _save_news(self) -> None:
        """Tried again in each round; each trouble is said once."""
        if not self._unsaved:
            return
        self._unsaved, trouble = False, ""
        try:
            self._memory.save(self._kept)
        except OSError as error:
            self._unsaved, trouble = True, str(error)
        if trouble != self._trouble:
            self._trouble = trouble
            self.say(f"control: latched faults and counters {f'cannot be written down: {trouble}' if trouble else 'are written down again'}")
