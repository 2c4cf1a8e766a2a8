"""The world's own judgement: what must never be seen on the wire. Must not know the firmware's reasons, only what it could have avoided.

A pole held closed by an injected weld, or a coil held on by an injected fault, is not held against the firmware; a coil it commands is.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any

from sim.car import offered_a
from sim.plant.pilot import Wire
from sim.plant.proximity import rating_a
from sim.plant.timeline import Due

if TYPE_CHECKING:
    from sim.plant.evse import Plant

OPEN_WITHIN_S = 0.1
"""C to B, or the pilot lost: off within 100 ms (IEC 61851-1 Table A.6, sequences 2.2, 8.1, 8.2)."""
OPEN_WITHOUT_CONTROL_S = 0.15
"""The relay supply's hold time and the contactor's drop-out after control has died, with their tolerances."""
WITHDRAWN_S = 6.0
"""A car gets this long to stop after its offer ended (IEC 61851-1 Table A.6, sequence 10.2)."""
EARLY_S = 0.05
CABLE_GRACE_S = 1.0
KNOWN_WELD_S = 0.25
SECOND_S = 1.0
"""The first contactor is open for so long before the second one moves."""
RECLOSE_S = 5.0
"""The contactor rests so long between two closings of one plug-in."""
LATELY_S = 0.2
FAULT_LATELY_S = 2.0
RESTART_S = 5.0
AMPS_TOLERANCE = 0.1


class Judge:
    """Watches one EVSE. `control_lost_at`: when the control process last died, stopped or hung (world seconds)."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self.violations: list[dict[str, Any]] = []
        self.control_word = "running"
        self.control_lost_at = -inf
        self._due: dict[str, Due] = {}
        self._began: dict[str, float] = {}
        self._coil_off_at = -inf
        self._opened_at = -inf
        self._poles_opened_at = -inf
        self._wanted_at = -inf
        self._offer_ended_at = -inf
        self._limit_changed_at = -inf
        self._offer_told = False
        self._cable = False
        self._cable_left_at = -inf
        self._in_flight = False

    # what is told to it --------------------------------------------------------------------------------------------------------------

    def wire_changed(self, former: Wire) -> None:
        """The pilot changed. Leaving C or D is the car's wish to open; coming from A begins a new plug-in."""
        now, wire = self._plant.timeline.now, self._plant.pilot.wire
        if former.letter in "CD" and wire.letter not in "CD":
            self._wanted_at = now
        if wire.letter == "A":
            self._opened_at = -inf
        if offered_a(former.duty) and not offered_a(wire.duty):
            self._offer_ended_at = now
        self._judge_offer()
        self.settle()

    def cable_changed(self) -> None:
        """A cable came, went or changed its coding."""
        plant = self._plant
        self._limit_changed_at = plant.timeline.now
        if self._cable and not plant.cable:
            self._cable_left_at, self._in_flight = plant.timeline.now, plant.coil_pin
        self._cable = plant.cable
        self._judge_offer()
        self.settle()

    def power_changed(self) -> None:
        """The power went or came: a board that starts knows of no former closing."""
        self._opened_at = -inf

    def coil_commanded(self) -> None:
        """The firmware switches the coil on."""
        plant = self._plant
        now = plant.timeline.now
        self._in_flight = False
        if plant.rcd.in_test:
            self._report("coil_in_rcd_test", "coil switched on during a residual-current test")
        rested = now - self._coil_off_at
        if not plant.contactor.energised and rested >= KNOWN_WELD_S and not plant.contactor.mirror_closed():
            self._report("coil_with_weld", "coil switched on though the mirror contact says that a pole is closed")
        if now - self._opened_at < RECLOSE_S - EARLY_S:
            self._report("coil_within_reclose_guard", f"coil switched on {now - self._opened_at:.2f} s after the contacts opened, same plug-in")

    def second_commanded(self, on: bool) -> None:
        """The firmware moves the second contactor. Taking both coils off at once is how everything is made safe."""
        plant = self._plant
        closed = any(plant.contactor.poles) and (on or plant.coil_pin)
        if closed:
            self._report("phases_switched_closed", "phases switched with the first contactor closed")
        elif on and plant.timeline.now - self._poles_opened_at < SECOND_S - EARLY_S:
            self._report("phases_switched_early", f"phases switched {plant.timeline.now - self._poles_opened_at:.2f} s after the contacts opened")
        if offered_a(plant.pilot.wire.duty) and not plant.coil_pin and (on or plant.pilot.wire.letter in "BCD"):
            self._report("phases_switched_offered", "phases switched while current was offered")

    def test_begins(self) -> None:
        """The firmware starts a test of the residual-current monitor."""
        if self._plant.coil_pin:
            self._report("coil_in_rcd_test", "residual-current test begun with the coil on")

    def bolt_moves(self) -> None:
        """The bolt begins to move. With a mirror contact that lies the firmware could not know."""
        contactor = self._plant.contactor
        if any(contactor.contacts) and contactor.mirror_stuck is not True and self._plant.powered:
            self._report("bolt_moved_live", "bolt moved while a pole was closed")

    def contacts_changed(self, former: tuple[bool, bool, bool], loaded: bool) -> None:
        """Poles closed or opened; loaded: one opened above 1 A."""
        contacts = self._plant.contactor.contacts
        if any(former) and not any(contacts):
            self._poles_opened_at = self._plant.timeline.now
        if any(contacts) and not any(former):
            self._judge_closing()
        if any(former) and not any(contacts):
            self._opened_at = self._plant.timeline.now if self._plant.pilot.wire.letter != "A" else -inf
        if loaded and not self._protected():
            why = "the relay supply fell" if self._plant.coil_pin and not self._plant.supply.up else "asked for by nothing"
            self._report("opened_under_load", f"contacts opened above 1 A, {why}, and the offer had not been withdrawn for 6 s")
        self.settle()

    def control_lost(self, word: str) -> None:
        """The control process was "killed", "stopped" or "hung"."""
        self.control_word, self.control_lost_at = word, self._plant.timeline.now

    def control_back(self) -> None:
        self.control_word = "running"

    def coil_off(self) -> None:
        """The coil lost its current."""
        self._coil_off_at = self._plant.timeline.now

    def settle(self) -> None:
        """Looks anew at what must not last."""
        plant = self._plant
        live = self._avoidably_live()
        self._watch("live_without_car", live and plant.pilot.wire.letter in "ABEF")
        self._watch("live_unlocked", live and plant.needs_lock and not plant.lock.locked())
        self._watch("live_without_cable", live and not plant.cable)

    # how it judges -------------------------------------------------------------------------------------------------------------------

    def _avoidably_live(self) -> bool:
        """Whether the outlet is live by a pole that the firmware could have open."""
        plant = self._plant
        contactor = plant.contactor
        if not plant.live():
            return False
        if plant.coil_pin and contactor.energised:
            return True
        held = plant.coil_stuck and contactor.energised
        return not held and any(closed and pole not in contactor.welded for pole, closed in zip((1, 2, 3), contactor.contacts, strict=True))

    def _judge_closing(self) -> None:
        """A closing that was commanded before the cable left cannot be stopped by anybody: it gets the time to open."""
        plant = self._plant
        if not self._avoidably_live():
            return
        if not plant.cable:
            if not self._in_flight or plant.timeline.now - self._cable_left_at > OPEN_WITHIN_S:
                self._report("live_without_cable", "contacts closed without a cable")
        elif plant.needs_lock and not plant.lock.locked():
            self._report("live_unlocked", "contacts closed with the bolt open")

    def _watch(self, rule: str, holds: bool) -> None:
        """A state that must not last longer than it takes to open: reported once for each time it begins."""
        due = self._due.get(rule)
        if not holds:
            self._began.pop(rule, None)
            if due is not None:
                due.cancel()
                del self._due[rule]
        elif rule not in self._began:
            self._began[rule] = self._plant.timeline.now
            self._due[rule] = self._plant.timeline.at(self._plant.timeline.now + OPEN_WITHIN_S, lambda: self._too_long(rule))

    def _too_long(self, rule: str) -> None:
        """Control dead or hung: what remains is the relay supply, and that has its own time."""
        now = self._plant.timeline.now
        limit = self.control_lost_at + OPEN_WITHOUT_CONTROL_S
        if now < limit:
            self._due[rule] = self._plant.timeline.at(limit, lambda: self._too_long(rule))
            return
        self._due.pop(rule, None)
        what = {
            "live_without_car": f"pilot in {self._plant.pilot.wire.letter}",
            "live_unlocked": "the bolt open",
            "live_without_cable": "no cable",
        }[rule]
        hung = "" if self.control_word == "running" else f"; control was {self.control_word}"
        self._report(rule, f"outlet live for {(now - self._began[rule]) * 1000.0:.0f} ms with {what}{hung}")

    def _judge_offer(self) -> None:
        """An offer above cable or board; after a change of the cable the firmware has a second to see it."""
        plant = self._plant
        amps = offered_a(plant.pilot.wire.duty) if plant.powered else 0.0
        above = amps > self._limit_a() + AMPS_TOLERANCE and plant.pilot.wire.letter in "BCD" and plant.pilot.stuck_duty is None
        if not above:
            self._offer_told = False
            return
        ready_at = self._limit_changed_at + CABLE_GRACE_S
        if plant.timeline.now < ready_at:
            plant.timeline.at(ready_at, self._judge_offer)
        elif not self._offer_told:
            self._offer_told = True
            self._report("offer_too_high", f"offered {amps:.1f} A, allowed {self._limit_a():.1f} A")

    def _limit_a(self) -> float:
        plant = self._plant
        if plant.tethered or not plant.cable:
            return plant.max_a
        return min(plant.max_a, rating_a(plant.pp_ohm()))

    def _protected(self) -> bool:
        """Whether opening under load was asked for."""
        plant, now = self._plant, self._plant.timeline.now
        wire = plant.pilot.wire
        refused = wire.letter == "D" and not plant.settings.ventilation
        car_asked = refused or wire.letter not in "CD" or now - self._wanted_at <= LATELY_S
        withdrawn = not offered_a(wire.duty) and now - self._offer_ended_at >= WITHDRAWN_S - EARLY_S
        control_gone = self.control_word != "running" or now - self.control_lost_at <= RESTART_S
        board = not plant.powered or plant.stop_pressed() or plant.opening_failed()
        return car_asked or withdrawn or control_gone or board or plant.faults.within(FAULT_LATELY_S)

    def _report(self, rule: str, text: str) -> None:
        plant = self._plant
        plant.trace.note(plant.moment())
        violation = {
            "rule": rule,
            "text": text,
            "evse": plant.settings.id,
            "at_s": round(plant.timeline.now, 6),
            "wire": plant.trace.last(plant.timeline.now),
        }
        self.violations.append(violation)
        plant.changed("violation", rule=rule, text=text)
