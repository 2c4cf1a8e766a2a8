"""The contactor: coil, armature, poles and mirror contact, and the charge pump that feeds the coil's supply. Must not know why it is driven.

The mirror contact (IEC 60947-4-1 Annex F) is closed only while every pole is open; it bounces, as the poles do. A second contactor, where there is
one, sits in series with poles 2 and 3 of the first, with a coil and a mirror contact of its own. Where there is none, "l23" means poles 2 and 3
of the first.
"""

from __future__ import annotations

from collections.abc import Callable

from sim.plant.timeline import Due, Timeline

BOUNCES = 5
"""Level changes of a bouncing contact within its bounce time."""


class RelaySupply:
    """The supply of the board's coils. hold_s: how long one edge of the feed keeps it up; None: it is there while the board has power."""

    def __init__(self, timeline: Timeline, hold_s: float | None) -> None:
        self._timeline = timeline
        self._hold_s = hold_s
        self._until = 0.0
        self._due: Due | None = None
        self.powered = False
        self.up = False
        self.on_change: Callable[[], None] = lambda: None

    def power(self, on: bool) -> None:
        """The board's power comes or goes; a fed supply waits for its first edge."""
        self.powered = on
        self._until = self._timeline.now
        self._set(on and self._hold_s is None)

    def edge(self) -> None:
        """One edge of the feed."""
        if self._hold_s is None or not self.powered:
            return
        self._until = self._timeline.now + self._hold_s
        if self._due is None:
            self._due = self._timeline.at(self._until, self._run_out)
        self._set(True)

    def _run_out(self) -> None:
        self._due = None
        if self._timeline.now < self._until:
            self._due = self._timeline.at(self._until, self._run_out)
        else:
            self._set(False)

    def _set(self, up: bool) -> None:
        if up != self.up:
            self.up = up
            self.on_change()


class Contactor:
    """The coil moves the armature after in_s or out_s; faults hold poles and mirror contact where they are."""

    def __init__(self, timeline: Timeline, in_s: float, out_s: float, bounce_s: float) -> None:
        self._timeline = timeline
        self.in_s, self.out_s, self.bounce_s = in_s, out_s, bounce_s
        self.energised = False
        self.pulled_in = False
        self.welded: frozenset[int] = frozenset()
        self.stuck_open: frozenset[int] = frozenset()
        self.mirror_stuck: bool | None = None
        self.second: Contactor | None = None
        self.poles: tuple[bool, bool, bool] = (False, False, False)
        self.contacts: tuple[bool, bool, bool] = (False, False, False)
        self.cycles = 0
        self._moving: Due | None = None
        self._mirror = True
        self._bounce_from = -1.0
        self.on_change: Callable[[tuple[bool, bool, bool]], None] = lambda former: None

    def energise(self, on: bool) -> None:
        """The coil gets, or loses, its current."""
        if on == self.energised:
            return
        self.energised = on
        self.cycles += on
        if self._moving is not None:
            self._moving.cancel()
        self._moving = self._timeline.after(self.in_s if on else self.out_s, self._move)

    def settle(self) -> None:
        """Works the contacts out anew after the armature moved or a fault came or went. Poles are numbered from 1; contacts: the way through both
        contactors."""
        former, was_mirror = self.contacts, self._mirror
        one, two, three = (self._closed(pole) for pole in (1, 2, 3))
        self.poles = (one, two, three)
        behind = self.second.poles if self.second is not None else (True, True, True)
        self.contacts = (one, two and behind[1], three and behind[2])
        self._mirror = not any(self.poles) and not self._armature_moved()
        if self._mirror != was_mirror:
            self._bounce_from = self._timeline.now
        if former != self.contacts:
            self.on_change(former)

    def mirror_closed(self) -> bool:
        """The mirror contact as the board's input sees it, bouncing included."""
        if self.mirror_stuck is not None:
            return self.mirror_stuck
        since = self._timeline.now - self._bounce_from
        if since < self.bounce_s and int(since / self.bounce_s * BOUNCES) % 2:
            return not self._mirror
        return self._mirror

    def _move(self) -> None:
        self._moving = None
        self.pulled_in = self.energised
        self.settle()

    def _closed(self, pole: int) -> bool:
        return pole in self.welded or (self.pulled_in and pole not in self.stuck_open)

    def _armature_moved(self) -> bool:
        return self.pulled_in and len(self.stuck_open) < 3
