"""One EVSE in control's hands: read, judge, decide, write, tell, once a turn. Must not know the link's sockets or the other EVSEs.

Everything that opens happens inside the turn that sees it. This file makes the parts and calls them in the order of a turn; `judge` finds faults,
`clearance` and `caps` say what may be offered, `decision` asks the table, `drive` writes.
"""

from __future__ import annotations

from chargepoint.clock import Clock
from chargepoint.control import faults, guard
from chargepoint.control.allowance import Allowance
from chargepoint.control.arrival import Arrival
from chargepoint.control.bay import Bay
from chargepoint.control.cable import Cable
from chargepoint.control.calm import Calm
from chargepoint.control.caps import Caps
from chargepoint.control.clearance import Clearance
from chargepoint.control.decision import Decision
from chargepoint.control.drive import Drive
from chargepoint.control.faults import Faults
from chargepoint.control.figures import Figures
from chargepoint.control.generator import Generator
from chargepoint.control.judge import Judge
from chargepoint.control.lamp import Lamp
from chargepoint.control.levels import Levels
from chargepoint.control.lines import Lines
from chargepoint.control.lock import SocketLock
from chargepoint.control.machine import Phase
from chargepoint.control.memory import NOTHING, Kept
from chargepoint.control.phases import Phases
from chargepoint.control.pilot_filter import PilotFilter
from chargepoint.control.plug_in import UNSEEN, PlugIn
from chargepoint.control.power_path import PowerPath
from chargepoint.control.reclose import Rest
from chargepoint.control.record import Keep, Record
from chargepoint.control.remote_clearing import RemoteClearing
from chargepoint.control.retention import Retention
from chargepoint.control.second_look import SecondLook
from chargepoint.control.selftest import Residual
from chargepoint.control.supply import Supply
from chargepoint.control.telling import Telling, state_of
from chargepoint.control.voice import Teller, Voice
from chargepoint.control.wake import Wake, sight_of
from chargepoint.control.watch import Watch
from chargepoint.link.messages import EvseState, LampWish, LockWish, Permit, Sample
from chargepoint.model.pilot import PLUGGED
from hal.ports import EvseBoard, PilotAdc

CHECK_EVERY = 20
"""Turns between two read-backs of the PWM, and between two looks at temperature and bay."""
TELL_EVERY = 4
"""Turns between two looks for something new to tell."""


class Evse:
    """One EVSE. kept: what it kept from before the start; keep: told the whole of it whenever it changes. temperature: the last good
    reading of the slow thread as (boot time, degrees Celsius). fed: whether the relay supply is fed, for all EVSEs. ending: control ends."""

    def __init__(
        self,
        board: EvseBoard,
        figures: Figures,
        clock: Clock,
        teller: Teller,
        kept: Kept = NOTHING,
        keep: Keep = lambda evse, kept: None,
    ) -> None:
        now = clock.boot_s()
        self.id = figures.evse
        self.temperature: tuple[float, float] | None = None
        self.fed = True
        self.ending = False
        self.resetting = False
        self.watch = Watch(now, socket=figures.socket, d_allowed=figures.d_allowed, thermometer=board.thermometer is not None)
        self.voice = Voice(figures.evse, teller)
        self.record = Record(figures.evse, kept, keep, clock)
        self.remote_clearing = RemoteClearing(self.record, now, allowed=figures.csms_clears)
        self.faults = Faults(kept.latched)
        self.allowance = Allowance(self.voice, figures.keeps_floor)
        self.lease = self.allowance.lease
        self.arrival = Arrival()
        self.cable = Cable()
        self.filter = PilotFilter(figures.turn_s)
        self.generator = Generator(board.pwm, self.watch)
        self.path = PowerPath(board.contactor, self.watch, self.voice)
        self.second_look = SecondLook(board.contactor, board.contactor_l23, self.watch)
        self.rest = Rest(self.path, self.watch)
        self.phases = Phases(board.contactor_l23, figures, self.watch)
        self.residual = Residual(board.residual, figures, self.watch, clock)
        self.wake = Wake()
        self.bay = Bay(board.bay)
        self.lock = SocketLock(board.lock, figures, self.watch) if figures.socket and board.lock else None
        self.retention = Retention(figures.socket, self.lock, self.cable, self.watch, self.path, self.faults)
        self._lamp = Lamp(board.lamp, self.faults)
        self._lines = Lines(board, self.watch, self.voice, self.path, self.phases, self.residual, self.lock)
        self._calm = Calm(self.watch, self.faults, self.lease, self.filter, self.phases, self.residual, self.retention, self.cable, self.lock)
        self._telling = Telling(teller)
        self._turn = 0
        self._supply = Supply(figures, self.watch)
        self._join(figures, board.adc, clock)

    def _join(self, figures: Figures, adc: PilotAdc, clock: Clock) -> None:
        """The parts that judge and decide, made of those that see and do."""
        watch, path, rest = self.watch, self.path, self.rest
        self._plug_in = PlugIn(
            watch, self.voice, self.allowance, self.arrival, self.filter, rest, self.phases, self._supply, self.residual, self.retention, self.wake
        )
        self._levels = Levels(adc, figures, clock, watch, self.cable, self.filter, self._plug_in.shows)
        self.judge = Judge(watch, self.faults, self.second_look, self.retention, self._supply, path, rest, self.allowance, self.record, self.voice)
        caps = Caps(figures, watch, self.faults, self.lease, self.retention, self.arrival)
        clearance = Clearance(
            watch, self.faults, self.allowance, self.filter, path, rest, self.phases, self.arrival, self.retention, self.residual, self.wake
        )
        drive = Drive(watch, self.generator, path, rest, self.phases, self._supply, self.residual, self.wake, self.record, self.voice)
        self._decision = Decision(watch, self.faults, self.allowance, caps, clearance, path, self.phases, drive)

    # what comes over the link ----------------------------------------------------------------------------------------------------------

    def permit(self, permit: Permit, now: float) -> str:
        """Takes a permit; answers why it is void, or nothing."""
        why = self.allowance.take(permit, now, self._barred())
        if not why:
            self._supply.permitted(now)
        return why

    def end_permit(self, why: str) -> None:
        """Takes the permit back, as when it lapses."""
        self.allowance.end(why)

    def wish_lock(self, wish: LockWish) -> None:
        self.retention.wished = wish.locked

    def wish_lamp(self, wish: LampWish) -> None:
        self._lamp.wish(wish.pattern)

    def sample(self, sample: Sample, now: float) -> None:
        self._supply.take(sample, now)
        self.retention.sample(sample, now)
        self.phases.proof.take(sample, now)

    # the turn --------------------------------------------------------------------------------------------------------------------------

    def first_half(self, now: float, emergency: bool) -> None:
        """Reads lines and the high peak, decides, writes, tells, starts the other channel."""
        self._read_lines(now, emergency)
        now = self._levels.read_high(now)
        self._act(now)
        self._levels.start_other(now)

    def second_half(self, now: float) -> None:
        """Reads the other channel, starts the high peak; a low plateau lost under load opens here, not a half turn later."""
        if self._levels.read_other(now) and self.watch.coil:
            guard.suspect(self.watch)
            if self.watch.suspect_since:
                self._decide(now)
        self._levels.start_high(now)

    def calm_turn(self, now: float, emergency: bool) -> bool:
        """A turn of a calm EVSE: one conversion instead of two, and conclusions only from what changed. Answers whether it is calm still."""
        self._read_lines(now, emergency)
        self._levels.read_calm(now)
        calm = self.calm
        news = self._calm.news()
        if news or self._turn % TELL_EVERY == 0 or not calm:
            self._act(now)
            calm = self.calm
        if calm:
            self._levels.start_calm(now)
        else:
            self._levels.start_high(now)
        return calm

    @property
    def converted_at(self) -> float:
        """When the conversion in hand is done: a half turn that follows a late one waits for it."""
        return self._levels.ready_at

    @property
    def calm(self) -> bool:
        """Nothing acts here, or will soon: the turns may be longer."""
        return not self.ending and not self.resetting and self._calm.holds(self.phase)

    def blind(self) -> None:
        """Control did not look for too long: what was plugged in may be something else now."""
        self.end_permit(UNSEEN)
        self._plug_in.start_over()

    def restart(self, now: float) -> None:
        """RESET_EVSE, once the contactor is open: back to the start."""
        self.resetting = False
        self.residual.due_at = now
        self._plug_in.start_over()

    @property
    def phase(self) -> Phase:
        """Where the table is."""
        return self._decision.phase

    @property
    def at_rest(self) -> bool:
        """X1, proven open, and the lock open as far as it goes."""
        return self.phase is Phase.REST and self.path.proven_open() and self.retention.released

    def state(self, now: float) -> EvseState:
        """Everything, as it is now."""
        return state_of(self, now)

    # its parts -------------------------------------------------------------------------------------------------------------------------

    def _barred(self) -> str:
        """Why no permit can be in force now."""
        if self.ending or self.resetting:
            return "control ends" if self.ending else "reset"
        if self.watch.pilot not in PLUGGED:
            return f"pilot in {self.watch.pilot.value}"
        return self.faults.leading(faults.OPENS)

    def _read_lines(self, now: float, emergency: bool) -> None:
        self._turn += 1
        self._lines.read(now, emergency)

    def _act(self, now: float) -> None:
        """What follows from the readings."""
        if self._turn % CHECK_EVERY == 0:
            self._check(now)
        self.judge.step(now)
        self.lease.choose(self.phases.goal == 1)
        self.allowance.step(now)
        self.phases.step(now, self.allowance.permitted)
        self.retention.move(now, self.allowance.permitted, self.ending)
        self._run_test(now)
        self.wake.step(now, sight_of(self))
        self._decide(now)
        self._lamp.show()
        if self.voice.spoke or self._turn % TELL_EVERY == 0:
            self.voice.spoke = False
            self._telling.step(self, now)

    def _check(self, now: float) -> None:
        """What needs no look in every turn."""
        self.generator.check(now)
        self.remote_clearing.step(now)
        if self.temperature is not None:
            guard.feel(self.watch, *self.temperature)
        self.bay.read(self.watch.now)

    def _run_test(self, now: float) -> None:
        if self.watch.testing:
            self.residual.step(now)
            if not self.watch.testing:
                self.record.tested(not self.watch.test_failed)
        elif now >= self.residual.due_at and not self.ending:
            self.residual.begin(now, self.path.proven_open())

    def _decide(self, now: float) -> None:
        self._decision.step(now, halted=self.ending or self.resetting, fed=self.fed)
