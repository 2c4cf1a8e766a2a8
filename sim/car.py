"""The car: a diode, resistors and a switch on the pilot, and the habits of its makers. It knows the pilot and its own inlet, nothing else.

It reads the duty by IEC 61851-1 Table A.7, closes S2 `delay_s` after an offer, follows a change of the offer after `follow_s`, and opens S2
`s2_open_s` after the offer ended (None: never).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from sim.battery import Battery
from sim.ev import Ev
from sim.plant.pilot import Load, car_ohm
from sim.plant.timeline import Due, Timeline

SEES_F_S = 0.05
"""How long a state F has to last to be seen."""
PAUSE_BEFORE_S2 = 0.5
"""Share of s2_open_s after which a car that was told to stop has stopped drawing."""


def offered_a(duty: float) -> float:
    """Amperes that a duty offers, 0 for none (IEC 61851-1 Table A.7). Digital communication (3 to 7 %) is no offer to a car without it."""
    percent = round(duty * 100.0, 3)
    if percent < 8.0 or percent > 97.0:
        return 0.0
    if percent < 10.0:
        return 6.0
    if percent <= 85.0:
        return round(percent * 0.6, 2)
    return round(min(80.0, (percent - 64.0) * 2.5), 2)


class Car:
    """A car at the end of a cable. `on_load` is called when its resistance changes, `on_draw` when its current does."""

    def __init__(self, timeline: Timeline, ev: Ev, on_load: Callable[[], None], on_draw: Callable[[], None]) -> None:
        self._timeline = timeline
        self.ev = ev
        self._on_load = on_load
        self._on_draw = on_draw
        self.battery = Battery(ev)
        self.s2 = ev.skips_b and ev.ready
        self.offer_a = 0.0
        self.asleep = False
        self.latched = False
        self.forced_a: float | None = None
        self._starts = 0
        self._ended_asleep_at: float | None = None
        self._following_a = 0.0
        self._live = False
        self._due: dict[str, Due] = {}
        self._later_slowly("sleep", ev.sleeps_after_s, self._fall_asleep)

    def load(self) -> Load:
        """What it hangs on the pilot."""
        return Load(car_ohm(self.s2, self.ev.ventilation), not self.ev.no_diode)

    def draw_a(self) -> float:
        """Amperes per phase it draws now."""
        if not (self.s2 and self._live):
            return 0.0
        if self.forced_a is not None:
            return self.forced_a
        return min(self._following_a, self.ev.max_current_a, self.battery.most_a())

    def sense(self, volts: float, duty: float) -> None:
        """The pilot at the car's inlet changed: volts of its high plateau, and the duty."""
        self._see_breaks(volts)
        offer = offered_a(duty) if volts > 1.5 else 0.0
        former, self.offer_a = self.offer_a, offer
        if offer and not former:
            self._offer_begins()
        elif former and not offer:
            self._offer_ends()
        elif offer != former:
            slow = offer > former and self._following_a > 0.0 and self.ev.rises_s is not None
            if slow:
                self._later_slowly("follow", self.ev.rises_s, self._follow)
            else:
                self._later("follow", self.ev.follow_s, self._follow)

    def energised(self, live: bool) -> None:
        """Its inlet got, or lost, the mains."""
        if live == self._live:
            return
        self._live = live
        if live:
            self._later("follow", self.ev.follow_s, self._follow)
        else:
            self._cancel("follow", "stop")
            self._following_a = 0.0
        self._on_draw()

    def filled(self) -> None:
        """The battery has what the car wants: it stops and opens S2."""
        self._cancel("close")
        self._switch(False)

    def change(self, ev: Ev) -> None:
        """Its driver or its maker changed something, the battery's content perhaps."""
        self.ev = ev
        self.battery = Battery(ev)
        if not self._willing():
            self._cancel("close")
            self._switch(False)
        elif self.offer_a and not self.s2 and "close" not in self._due:
            self._later("close", ev.delay_s, self._close)
        if self._live and self.offer_a:
            self._later("follow", ev.follow_s, self._follow)
        self._on_load()
        self._on_draw()

    def gone(self) -> None:
        """Unplugged: nothing of it happens any more."""
        self._cancel(*list(self._due))

    def state(self) -> dict[str, Any]:
        """Its properties and what it does, for the world's state."""
        soc = self.battery.soc_percent
        properties: dict[str, Any] = msgspec.to_builtins(self.ev)
        return properties | {
            "energy_wh": round(self.battery.energy_wh, 3),
            "soc_percent": None if soc is None else round(soc, 2),
            "s2": self.s2,
            "offer_a": round(self.offer_a, 2),
            "draw_a": round(self.draw_a(), 2),
            "asleep": self.asleep,
            "latched": self.latched,
        }

    def _willing(self) -> bool:
        tired = self.ev.max_starts is not None and self._starts > self.ev.max_starts
        return self.ev.ready and not (self.battery.full or self.latched or self.asleep or tired)

    def _see_breaks(self, volts: float) -> None:
        if volts < -6.0 and self.ev.latches_on_f:
            if "latch" not in self._due:
                self._later("latch", SEES_F_S, self._latch)
        else:
            self._cancel("latch")
        waking = (self.ev.wakes_by == "f" and volts < -6.0) or (self.ev.wakes_by == "cp_break" and abs(volts) < 1.5)
        if not waking:
            self._cancel("wake")
        elif "wake" not in self._due:
            self._later("wake", self.ev.wake_s, self._wake)

    def _latch(self) -> None:
        self.latched = True
        self._cancel("close")
        self._switch(False)

    def _offer_begins(self) -> None:
        self._starts += 1
        self._cancel("open", "stop", "sleep")
        broken = self._ended_asleep_at is not None and self._timeline.now - self._ended_asleep_at >= self.ev.wake_s
        if self.ev.wakes_by == "offer" or (self.ev.wakes_by == "x1_break" and broken):
            self.asleep = False
        if self._willing():
            self._later("close", self.ev.delay_s, self._close)
        if self._live:
            self._later("follow", self.ev.follow_s, self._follow)

    def _offer_ends(self) -> None:
        self._cancel("close", "follow")
        self._ended_asleep_at = self._timeline.now if self.asleep else None
        if self.ev.s2_open_s is not None:
            self._later("stop", self.ev.s2_open_s * PAUSE_BEFORE_S2, self._stop)
            self._later("open", self.ev.s2_open_s, self._open)
        self._later_slowly("sleep", self.ev.sleeps_after_s, self._fall_asleep)

    def _close(self) -> None:
        if self._willing() and self.offer_a:
            self._switch(True)

    def _open(self) -> None:
        self._switch(False)

    def _stop(self) -> None:
        self._following_a = 0.0
        self._on_draw()

    def _follow(self) -> None:
        self._following_a = self.offer_a if self.offer_a >= self.ev.min_current_a else 0.0
        self._on_draw()

    def _fall_asleep(self) -> None:
        self.asleep = True

    def _wake(self) -> None:
        self.asleep = False

    def _switch(self, closed: bool) -> None:
        if closed == self.s2:
            return
        self.s2 = closed
        if not closed:
            self._following_a = 0.0
        elif self._live:
            self._later("follow", self.ev.follow_s, self._follow)
        self._on_draw()
        self._on_load()

    def _later(self, name: str, seconds: float | None, call: Callable[[], None]) -> None:
        self._cancel(name)
        if seconds is not None:
            self._due[name] = self._timeline.after(seconds, lambda: self._run(name, call))

    def _later_slowly(self, name: str, seconds: float | None, call: Callable[[], None]) -> None:
        """One of the car's slow times, which its speed shortens."""
        self._later(name, None if seconds is None else seconds / self.ev.speed, call)

    def _run(self, name: str, call: Callable[[], None]) -> None:
        del self._due[name]
        call()

    def _cancel(self, *names: str) -> None:
        for name in names:
            due = self._due.pop(name, None)
            if due is not None:
                due.cancel()
