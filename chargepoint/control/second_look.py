"""The second line of defence: what coils and pilot really show, compared with what was commanded. Must not know the table, the filter or permits,
so that an error there is not repeated here. The mirror contact's part of it is `guard.contactor_welded` and `guard.coil_without_contacts`.
"""

from __future__ import annotations

from chargepoint.control.electrics import HYSTERESIS_V, LEVELS
from chargepoint.control.watch import Watch
from chargepoint.model.pilot import PilotState
from hal.ports import Contactor

LOOK_EVERY = 4
"""Turns between two read-backs of a coil's output."""
DISAGREES_LOOKS = 2
OFF_LEVEL_S = 0.1
"""IEC 61851-1 sequences 2.2 and 8: open 100 ms after the car has left C or D. One spike has emptied from the peak detector by then."""
X1_CLOSED_S = 6.5
"""IEC 61851-1 sequence 10.2: open 6 s after the offer ended, and no turn later than this."""

_BANDS = {state: (low, high) for state, low, high in LEVELS}
LOWEST_V = _BANDS[PilotState.D][0] - HYSTERESIS_V
HIGHEST_V = _BANDS[PilotState.C][1] + HYSTERESIS_V


class ReadBack:
    """One coil's output. disagrees: it does not stand as commanded, in two looks; stuck_on: it is driven though it was switched off."""

    __slots__ = ("_contactor", "_looks", "disagrees", "stuck_on")

    def __init__(self, contactor: Contactor) -> None:
        self._contactor = contactor
        self._looks = 0
        self.disagrees = False
        self.stuck_on = False

    def look(self, commanded: bool) -> None:
        """What was switched off and is driven is switched off again."""
        driven = self._contactor.driven()
        self._looks = self._looks + 1 if driven is not commanded else 0
        self.disagrees = self._looks >= DISAGREES_LOOKS
        self.stuck_on = self.disagrees and driven
        if driven and not commanded:
            self._contactor.switch(False)


class SecondLook:
    """Keeps the watch's contradicted true. second: the contactor of phases 2 and 3, where there is one."""

    __slots__ = ("_coil", "_coil_l23", "_off_level_since", "_turn", "_watch")

    def __init__(self, contactor: Contactor, second: Contactor | None, watch: Watch) -> None:
        self._coil = ReadBack(contactor)
        self._coil_l23 = ReadBack(second) if second is not None else None
        self._watch = watch
        self._turn = 0
        self._off_level_since = 0.0

    @property
    def stuck_on(self) -> bool:
        """The coil that makes the outlet live is driven though it was switched off."""
        return self._coil.stuck_on

    def step(self, now: float) -> None:
        """Once a turn."""
        watch = self._watch
        self._turn += 1
        if self._turn % LOOK_EVERY == 0:
            self._coil.look(watch.coil)
        elif self._coil_l23 is not None and self._turn % LOOK_EVERY == LOOK_EVERY // 2:
            self._coil_l23.look(watch.coil_l23)
        drawing = not watch.coil or LOWEST_V <= watch.high_v <= HIGHEST_V
        self._off_level_since = 0.0 if drawing else self._off_level_since or now
        left = self._off_level_since > 0.0 and now - self._off_level_since >= OFF_LEVEL_S
        overdue = watch.coil and not watch.pwm and now - max(watch.pwm_since, watch.coil_since) >= X1_CLOSED_S
        disagrees = self._coil.disagrees or (self._coil_l23 is not None and self._coil_l23.disagrees)
        watch.contradicted = disagrees or left or overdue
