"""One EVSE under a technician's test: its ports, how they are read, what forbids to move anything, and how all is left.

Must not know verdicts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from functools import partial
from statistics import median

from chargepoint.clock import Clock
from chargepoint.control.electrics import LEVELS, X1, plug_present, state_of
from chargepoint.control.figures import Figures
from chargepoint.model.pilot import PilotState
from hal.errors import BoardError, DeviceLost
from hal.ports import Channel, Contactor, EvseBoard, Feed, Switch

READINGS = 15
"""Of a level; their median counts."""
SETTLES_S = 0.5
"""After a change of the duty the peak detectors have emptied (40 ms) and stand."""
PROVEN_S = 0.1
"""The mirror contact says open for so long before anything relies on it."""
LEAST_A_V = next(low for state, low, _ in LEVELS if state is PilotState.A)
STEADY_LOOKS = 3
"""Equal looks at an input in a row: no bounce."""


class Disturbed(Exception):
    """Somebody did something that ends a running test; the message says what."""


class Bench:
    """feed None: the board has none; hold_s: how long one edge keeps the relay supply up. feeding: each step gives it an edge.
    residual_passed: whether the residual-current monitor has answered its test."""

    def __init__(
        self, ports: EvseBoard, figures: Figures, clock: Clock, *, turn_s: float, feed: Feed | None, hold_s: float, emergency_stop: Switch | None
    ) -> None:
        self.ports = ports
        self.figures = figures
        self.clock = clock
        self.feed = feed
        self.hold_s = hold_s
        self.feeding = False
        self.residual_passed = False
        self._turn_s = turn_s
        self._emergency_stop = emergency_stop

    def step(self) -> None:
        """One turn."""
        self.clock.sleep_until(self.clock.boot_s() + self._turn_s)
        if self.feeding and self.feed is not None:
            self.feed.edge()

    def wait(self, seconds: float) -> None:
        """Steps for so long."""
        until = self.clock.boot_s() + seconds
        while self.clock.boot_s() < until:
            self.step()

    def time_until(self, holds: Callable[[], bool], within_s: float) -> float | None:
        """Steps until it held for STEADY_LOOKS in a row. Answers the seconds to the first of them, None: not within the time."""
        began = self.clock.boot_s()
        first, looks = began, 0
        while looks or self.clock.boot_s() - began <= within_s:
            self.step()
            if not holds():
                looks = 0
                continue
            first = self.clock.boot_s() if looks == 0 else first
            looks += 1
            if looks == STEADY_LOOKS:
                return first - began
        return None

    def read(self, channel: Channel) -> float:
        """One conversion: volts on the pilot, or ohms. Raises DeviceLost."""
        self.ports.adc.start(channel)
        self.clock.sleep_until(self.clock.boot_s() + self.figures.convert_s)
        value = self.ports.adc.finish()
        if math.isnan(value):
            raise DeviceLost(f"EVSE {self.ports.evse} pilot ADC", "the reading is no number")
        return value

    def level(self, channel: Channel) -> float:
        """The median of READINGS. Raises DeviceLost when half of them or more are lost."""
        values: list[float] = []
        lost = DeviceLost(f"EVSE {self.ports.evse} pilot ADC", "no reading")
        for _ in range(READINGS):
            self.step()
            try:
                values.append(self.read(channel))
            except DeviceLost as error:
                lost = error
        if len(values) <= READINGS // 2:
            raise lost
        return median(values)

    def signal(self, fraction: float) -> None:
        """Writes the duty and lets the detectors settle. Raises DeviceLost."""
        self.ports.pwm.set_duty(fraction)
        self.wait(SETTLES_S)

    def pilot(self) -> PilotState:
        """The state the pilot shows now. Raises DeviceLost."""
        return state_of(self.level(Channel.HIGH), self.level(Channel.LOW), PilotState.IMPLAUSIBLE)

    def car(self) -> str:
        """Why a car, or a cable, must be reckoned with; empty: none is there, the pilot at X1 shows A. Raises DeviceLost."""
        pilot = self.pilot()
        if pilot is not PilotState.A:
            return f"the pilot is in {pilot.value}, not in A: unplug the car"
        if self.figures.socket and plug_present(self.level(Channel.PROXIMITY)):
            return "a plug is in the socket: take the cable out"
        return ""

    @property
    def contactors(self) -> tuple[Contactor, ...]:
        """The contactor, and the second one where the board has it."""
        second = self.ports.contactor_l23
        return (self.ports.contactor,) if second is None else (self.ports.contactor, second)

    def open_contacts(self) -> bool:
        """Every coil off and every mirror contact closed for PROVEN_S. Raises DeviceLost."""
        until = self.clock.boot_s() + PROVEN_S
        while self.clock.boot_s() < until:
            if any(contactor.driven() or not contactor.mirror_closed() for contactor in self.contactors):
                return False
            self.step()
        return True

    def stopped(self) -> bool:
        """Whether the emergency stop is pressed. Raises DeviceLost."""
        return self._emergency_stop is not None and self._emergency_stop.active()

    def undisturbed(self) -> None:
        """One look while the contactor is closed. Raises Disturbed, DeviceLost."""
        if self.read(Channel.HIGH) <= LEAST_A_V:
            raise Disturbed("the pilot left A while the contactor was closed: was a car plugged in?")
        if self.ports.residual.tripped():
            raise Disturbed("the residual-current monitor tripped")
        if self.stopped():
            raise Disturbed("the emergency stop was pressed")

    def rest(self) -> list[str]:
        """Coils off, test off, feed silent, pilot at X1: each tried. Answers what could not be done."""
        self.feeding = False
        acts: list[Callable[[], None]] = [
            *(partial(contactor.switch, False) for contactor in self.contactors),
            lambda: self.ports.residual.test(False),
            lambda: self.ports.pwm.set_duty(X1),
        ]
        return [failure for failure in map(_tried, acts) if failure]


def rest_all(benches: Iterable[Bench]) -> list[str]:
    """Every EVSE at rest, whatever happened. Answers what could not be done."""
    return [failure for bench in benches for failure in bench.rest()]


def _tried(act: Callable[[], None]) -> str:
    try:
        act()
    except BoardError as error:
        return str(error)
    return ""
