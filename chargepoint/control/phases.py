"""Phases 2 and 3 behind a contactor of their own: when it may move, whether it followed, how often. Must not know who wishes, or why.

It moves only with the first contactor proven open for a second and no current offered, so that it never switches load and no car sees its phases
change while it draws. A car that has drawn on some phases in this plug-in gets others only where settings and vehicle allow it.
"""

from __future__ import annotations

from chargepoint.control.figures import Figures
from chargepoint.control.guard import DROPPED_S, MIRROR_S, TRIES
from chargepoint.control.phase_proof import Proof
from chargepoint.control.watch import Watch
from chargepoint.link.messages import PhaseWish
from chargepoint.model.pilot import PLUGGED
from hal.ports import Contactor

OPEN_S = 1.0
"""The first contactor is proven open for so long before the second one moves."""
LEAST_REST_S, LOADED_REST_S = 10.0, 60.0
"""X1 between the move and the next offer in one plug-in; the longer one for a car that was cut off under load."""
MOST_SWITCHES = 10
"""In one plug-in, whatever the station wishes."""
RETRY_S = 1.0
ONE, THREE = 1, 3


class Phases:
    """charged_on: phases of the last closing in this plug-in (0: none yet); switches: changes of them in this plug-in. Keeps the watch's coil_l23,
    mirror_l23 and tries_l23 true."""

    __slots__ = (
        "_contactor",
        "_loaded",
        "_moved_to",
        "_rest_until",
        "_retry_at",
        "_switching",
        "_watch",
        "_wired",
        "_wish",
        "charged_on",
        "proof",
        "switches",
    )

    def __init__(self, contactor: Contactor | None, figures: Figures, watch: Watch) -> None:
        self._contactor = contactor
        self._wired = figures.phases
        self._switching = figures.phase_switching
        self._watch = watch
        self._wish = PhaseWish(figures.evse, figures.phases)
        self.proof = Proof(watch)
        self._retry_at = 0.0
        watch.second = contactor is not None
        self.start_over()

    def start_over(self) -> None:
        """Another car, or nothing is known of it."""
        self.charged_on = self._moved_to = self.switches = 0
        self._rest_until = 0.0
        self._loaded = False
        self._watch.tries_l23 = 0
        self.proof.start_over()

    def wish(self, wish: PhaseWish) -> None:
        """What the station wishes; a number that is none of the two is left out."""
        if wish.phases in (ONE, THREE):
            self._wish = wish

    @property
    def goal(self) -> int:
        """The phases of the next closing, or of this one while nothing is to change."""
        if self._contactor is None:
            return self._wired
        wanted = min(self._wish.phases, self._wired)
        if self.charged_on in (0, wanted) or self._allowed(wanted):
            return wanted
        return self.charged_on

    @property
    def connected(self) -> int:
        """The phases that a closing of the first contactor gives now."""
        return ONE if self._watch.l23_open else self._wired

    @property
    def rests(self) -> bool:
        """Whether the second contactor is off and open."""
        return self._contactor is None or (not self._watch.coil_l23 and self._watch.mirror_l23_closed)

    def due(self, now: float) -> bool:
        """Whether something is to be moved, waited for or rested before current is offered. A mirror contact read before the coil moved, in the
        same turn, says nothing of the move."""
        if self._contactor is None:
            return False
        watch = self._watch
        if watch.coil:
            return self.goal != self.charged_on
        three = self.goal == THREE
        there = watch.coil_l23 is three and watch.mirror_l23_closed is not three and now > watch.coil_l23_since
        return now < self._rest_until or not there

    def read(self) -> None:
        """Reads the second mirror contact."""
        if self._contactor is not None:
            self._watch.read_mirror_l23(self._contactor.mirror_closed())

    def switching(self, now: float) -> bool:
        """Whether a car that has drawn waits for other phases."""
        return self.charged_on != 0 and (now < self._rest_until or self.goal != self.charged_on)

    def step(self, now: float, permitted: bool) -> None:
        """One turn: moves what is due and may move."""
        if self._contactor is None:
            return
        watch, goal = self._watch, self.goal
        wanted = permitted and goal == THREE and not watch.testing and watch.pilot in PLUGGED
        if self._did_not_close(wanted):
            watch.tries_l23 += 1
            self._retry_at = now + RETRY_S
            self._move(False, now)
        elif wanted is not watch.coil_l23 and self._may_move(now, wanted):
            self._move(wanted, now)
        if permitted and not watch.coil and watch.coil_l23 is (goal == THREE):
            self._count(goal, now)

    def closed(self) -> None:
        """The first contactor is switched on."""
        self.charged_on = self._moved_to = self.goal
        self._loaded = False
        self.proof.closed(self.charged_on, self._watch.now)

    def opened(self, under_load: bool) -> None:
        """The first contactor is switched off. under_load: the car did not stop in its time."""
        self._loaded = under_load
        self.proof.opened()

    def failed(self) -> str:
        """Says that phases 2 and 3 fell off a closed first contactor; they are not tried again in this plug-in."""
        watch = self._watch
        since = watch.now - max(watch.coil_l23_since, watch.mirror_l23_since)
        if not (watch.second and watch.coil and watch.coil_l23 and watch.mirror_l23_closed and since >= DROPPED_S):
            return ""
        watch.tries_l23 = TRIES
        return "phases 2 and 3 dropped out"

    def _allowed(self, wanted: int) -> bool:
        """Whether a car that has drawn in this plug-in may get other phases: a switch that was begun is carried through."""
        begun = self._moved_to == wanted
        return self._switching and self._wish.within and (begun or (self.switches < MOST_SWITCHES and self.proof.right))

    def _may_move(self, now: float, on: bool) -> bool:
        watch = self._watch
        tired = on and (now < self._retry_at or watch.tries_l23 >= TRIES)
        return watch.proven_open(OPEN_S) and not watch.pwm and not tired

    def _did_not_close(self, wanted: bool) -> bool:
        watch = self._watch
        waited_s = watch.now - max(watch.coil_l23_since, watch.mirror_l23_since)
        return wanted and not watch.coil and watch.coil_l23 and watch.mirror_l23_closed and waited_s >= MIRROR_S

    def _move(self, on: bool, now: float) -> None:
        if self._contactor is not None:
            self._contactor.switch(on)
            self._watch.coil_l23, self._watch.coil_l23_since = on, now

    def _count(self, goal: int, now: float) -> None:
        """A change of phases in one plug-in begins its rest once the second contactor is where it is to be."""
        if self._moved_to in (0, goal):
            return
        self._moved_to = goal
        self.switches += 1
        rest_s = LOADED_REST_S if self._loaded else LEAST_REST_S
        self._rest_until = now + max(rest_s, self._wish.rest_s)
