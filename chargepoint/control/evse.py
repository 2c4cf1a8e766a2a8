"""One EVSE in control's hands: read, judge, decide, write, tell, once a turn. Must not know the link's sockets or the other EVSEs.

Everything that opens happens inside the turn that sees it; the table in `machine` decides, this file only gathers what it looks at.
"""

from __future__ import annotations

from collections.abc import Iterator

from chargepoint.clock import Clock
from chargepoint.control import faults, guard
from chargepoint.control.allowance import Allowance
from chargepoint.control.arrival import Arrival
from chargepoint.control.cable import Cable
from chargepoint.control.electrics import MINIMUM_A
from chargepoint.control.faults import Faults
from chargepoint.control.figures import Figures
from chargepoint.control.front_end import FrontEnd
from chargepoint.control.generator import Generator
from chargepoint.control.lock import SocketLock
from chargepoint.control.machine import OUTPUTS, Cause, Inputs, Phase, step
from chargepoint.control.memory import NOTHING, Kept
from chargepoint.control.offer import NO_OFFER, SIMPLIFIED_A, Least, Offer, heat_cap
from chargepoint.control.phases import Phases
from chargepoint.control.pilot_filter import DRAWING, PilotFilter
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
from chargepoint.link.messages import EdgeKind, EvseState, LampWish, LockWish, Permit, Sample
from chargepoint.model.pilot import PLUGGED, PilotState
from hal.ports import Channel, EvseBoard, LampPattern

CAR_TIME_S = 6.0
"""IEC 61851-1 sequence 10.2: a car that does not stop after the offer ended is cut off under load."""
PWM_SETTLES_S = 0.02
CHECK_EVERY = 20
"""Turns between two read-backs of the PWM, and between two looks at lamp and temperature."""
TELL_EVERY = 4
"""Turns between two looks for something new to tell."""
CALM = (PilotState.A, PilotState.B)


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
        self.phase = Phase.REST
        self.offer = NO_OFFER
        self.watch = Watch(now, socket=figures.socket, d_allowed=figures.d_allowed, thermometer=board.thermometer is not None)
        self.voice = Voice(figures.evse, teller)
        self.record = Record(figures.evse, kept, keep, clock)
        self.remote_clearing = RemoteClearing(self.record, now, allowed=figures.csms_clears)
        self.faults = Faults(kept.latched)
        self.allowance = Allowance(self.voice, figures.keeps_floor)
        self.lease = self.allowance.lease
        self.arrival = Arrival()
        self.cable = Cable()
        self.filter = PilotFilter()
        self.generator = Generator(board.pwm, self.watch)
        self.path = PowerPath(board.contactor, self.watch, self.voice)
        self.second_look = SecondLook(board.contactor, self.watch)
        self.rest = Rest(self.path, self.watch)
        self.phases = Phases(board.contactor_l23, figures, self.watch)
        self.residual = Residual(board.residual, figures, self.watch, clock)
        self.wake = Wake()
        self.lock = SocketLock(board.lock, figures, self.watch) if figures.socket and board.lock else None
        self.retention = Retention(figures.socket, self.lock, self.cable, self.watch, self.path, self.faults)
        self._clock = clock
        self._lamp_port = board.lamp
        self._lamp = LampPattern.READY
        self._front_end = FrontEnd(board.adc, figures.socket, clock, figures.convert_s)
        self._fixed = (Offer(figures.board_a, "board"), Offer(figures.rating_a, "rating"))
        self._single = Offer(figures.single_a, "single phase")
        self._caps_simplified = figures.caps_simplified
        self._least = Least(figures.manner)
        self._supply = Supply(figures, self.watch)
        self._earth_port = board.earth_lost
        self._telling = Telling(teller)
        self._turn = 0
        self._calm_readings: tuple[object, ...] = ()
        self._phase_since = now
        self._withdrawn_by = ""
        self._supplied = False

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
        """An unknown pattern is left out."""
        self._lamp = next((pattern for pattern in LampPattern if pattern == wish.pattern), self._lamp)

    def sample(self, sample: Sample, now: float) -> None:
        self._supply.take(sample, now)
        self.retention.sample(sample, now)
        self.phases.proof.take(sample, now)

    # the turn --------------------------------------------------------------------------------------------------------------------------

    def first_half(self, now: float, emergency: bool) -> None:
        """Reads lines and the high peak, decides, writes, tells, starts the other channel."""
        self._read_lines(now, emergency)
        high_v = self._front_end.finish_high(now)
        if high_v is None:
            now = self.watch.now = self._clock.boot_s()  # a held bus has taken its time
        self._take_high(high_v, now)
        self._act(now)
        self._front_end.start_other(now, self.watch.coil, self.watch.suspect_since > 0.0)

    def second_half(self, now: float) -> None:
        """Reads the other channel, starts the high peak; a low plateau lost under load opens here, not a half turn later."""
        low_v, ohms = self._front_end.finish_other(now)
        if ohms is not None:
            self.cable.read(ohms)
        if low_v is not None:
            watch = self.watch
            watch.now, watch.low_v, watch.low_at = now, low_v, now
            if watch.coil:
                guard.suspect(watch)
                if watch.suspect_since:
                    self._decide(now)
        self._front_end.start_high(now)

    def calm_turn(self, now: float, emergency: bool) -> bool:
        """A turn of a calm EVSE: one conversion instead of two, and conclusions only from what changed. Answers whether it is calm still."""
        self._read_lines(now, emergency)
        channel, value = self._front_end.finish_any(now)
        if channel is Channel.HIGH:
            self._take_high(value, now)
        elif channel is Channel.LOW:
            self.watch.low_v, self.watch.low_at = value, now
        elif channel is Channel.PROXIMITY:
            self.cable.read(value)
        readings = (self.watch.mirror_closed, self.watch.tripped, emergency, self.lock and self.lock.feedback, self.cable.present, self.faults.active)
        calm = self.calm
        if readings != self._calm_readings or self._turn % TELL_EVERY == 0 or not calm:
            self._calm_readings = readings
            self._act(now)
            calm = self.calm
        if calm:
            self._front_end.start_calm(now)
        else:
            self._front_end.start_high(now)
        return calm

    @property
    def converted_at(self) -> float:
        """When the conversion in hand is done: a half turn that follows a late one waits for it."""
        return self._front_end.ready_at

    @property
    def calm(self) -> bool:
        """Nothing is closed, offered, permitted, tested or moved, and the pilot stands still where nobody charges: the turns may be longer."""
        watch = self.watch
        at_rest = self.phase is Phase.REST and not watch.coil and watch.mirror_closed and not watch.testing and not watch.tripped
        at_rest = at_rest and self.phases.rests
        return at_rest and self.retention.rests and watch.pilot in CALM and self.filter.settled and self.lease.until == 0.0 and not self._waiting

    def blind(self) -> None:
        """Control did not look for too long: what was plugged in may be something else now."""
        self.end_permit("control did not look")
        self._start_over()

    def restart(self, now: float) -> None:
        """RESET_EVSE, once the contactor is open: back to the start."""
        self.resetting = False
        self.residual.due_at = now
        self._start_over()

    def clear(self, name: str) -> None:
        """A person cleared this fault; the caller has looked at its cause."""
        self.faults.clear(name)
        self.voice.edge(self.watch.now, EdgeKind.FAULT_CLEARED, name)
        self._keep_latched()

    @property
    def at_rest(self) -> bool:
        """X1, proven open, and the lock open as far as it goes."""
        return self.phase is Phase.REST and self.path.proven_open() and self.retention.released

    def state(self, now: float) -> EvseState:
        """Everything, as it is now."""
        return state_of(self, now)

    @property
    def _waiting(self) -> bool:
        """Something is due soon."""
        watch = self.watch
        cable = watch.cable_missing_since > 0.0 and not guard.proximity_missing(watch)
        return self.ending or self.resetting or watch.now >= self.residual.due_at or watch.suspect_since > 0.0 or cable

    # its parts -------------------------------------------------------------------------------------------------------------------------

    def _start_over(self) -> None:
        self.filter.restart()
        self.wake.end("control did not look")
        self.voice.forget()
        self.phases.start_over()
        self.arrival.start_over()
        self.retention.start_over()

    def _barred(self) -> str:
        """Why no permit can be in force now."""
        if self.ending or self.resetting:
            return "control ends" if self.ending else "reset"
        if self.watch.pilot not in PLUGGED:
            return f"pilot in {self.watch.pilot.value}"
        return self.faults.leading(faults.OPENS)

    def _read_lines(self, now: float, emergency: bool) -> None:
        watch = self.watch
        watch.now = now
        watch.emergency = emergency
        self._turn += 1
        if self._earth_port is not None:
            watch.read_earth(self._earth_port.active())
        self.path.read(now)
        self.phases.read()
        self.residual.read()
        if self.lock is not None:
            self.lock.read()

    def _take_high(self, high_v: float | None, now: float) -> None:
        """One turn of the filter; None: the peak was not read."""
        watch = self.watch
        if high_v is not None:
            watch.high_v, watch.high_at = high_v, now
        pilot = self.filter.step(high_v, watch.low_v, watch.pwm and now - watch.pwm_since >= PWM_SETTLES_S)
        if pilot is not watch.pilot:
            watch.pilot, watch.pilot_since = pilot, now
            self._pilot_changed(pilot, now)

    def _act(self, now: float) -> None:
        """What follows from the readings."""
        if self._turn % CHECK_EVERY == 0:
            self._check(now)
        self._judge(now)
        self.lease.choose(self.phases.goal == 1)
        self.allowance.step(now)
        self.phases.step(now, self.allowance.permitted)
        self.retention.move(now, self.allowance.permitted, self.ending)
        self._run_test(now)
        self.wake.step(now, sight_of(self))
        self._decide(now)
        if self._turn % TELL_EVERY == 0:
            self._telling.step(self, now)

    def _pilot_changed(self, pilot: PilotState, now: float) -> None:
        if pilot is PilotState.A:
            self.end_permit("unplugged")
            self.voice.unplug(now)
            self._unplugged(now)
        elif pilot in PLUGGED:
            self.arrival.shows(pilot)
            if not self.voice.plugged:
                self.arrival.plugged(now)
                self.voice.plug_in(now)
        elif pilot is not PilotState.IMPLAUSIBLE:
            self.end_permit(f"pilot in {pilot.value}")
        self.voice.edge(now, EdgeKind.PILOT_CHANGED, pilot.value)

    def _unplugged(self, now: float) -> None:
        self.arrival.unplugged()
        self.watch.tries = self.watch.fault_openings = 0
        self.rest.over()
        self._supply.unplugged()
        self.phases.start_over()
        if self._supplied:
            self._supplied = False
            self.residual.due_at = now

    def _check(self, now: float) -> None:
        """What needs no look in every turn."""
        watch = self.watch
        self.generator.check(now)
        self.remote_clearing.step(now)
        if self.temperature is not None:
            watch.temperature_at, watch.temperature_c = self.temperature
            cooling = guard.COOL_C <= watch.temperature_c < guard.HOT_C
            watch.hot = watch.temperature_c >= guard.HOT_C or (watch.hot and cooling)
        if self._lamp_port is not None:
            self._lamp_port.show(LampPattern.FAULT if self.faults.active & (faults.OPENS | faults.BARS) else self._lamp)

    def _judge(self, now: float) -> None:
        """Guards to faults, and what a new fault does to permit and memory."""
        watch = self.watch
        guard.suspect(watch)
        self.second_look.step(now)
        self.retention.look(now)
        self._supply.step(now)
        welded = self.faults.causes & faults.WELDED
        changed = self.faults.step(guard.causes(watch), now, watch.pilot is PilotState.A)
        if self.faults.causes & faults.WELDED & ~welded:
            self.path.trip(now)
        if not changed:
            return
        for name in self.faults.names(changed):
            raised = self.faults.active & faults.bit(name)
            self.voice.edge(now, EdgeKind.FAULT_RAISED if raised else EdgeKind.FAULT_CLEARED, name)
        if changed & self.faults.active & faults.OPENS:
            self.end_permit(self.faults.leading(faults.OPENS))
            self.rest.blame(now)
        if changed & faults.LATCHING:
            self._keep_latched()

    def _keep_latched(self) -> None:
        self.record.latched(self.faults.names(self.faults.active & faults.LATCHING))

    def _run_test(self, now: float) -> None:
        if self.watch.testing:
            self.residual.step(now)
            if not self.watch.testing:
                self.record.tested(not self.watch.test_failed)
        elif now >= self.residual.due_at and not self.ending:
            self.residual.begin(now, self.path.proven_open())

    def _decide(self, now: float) -> None:
        """The table, and what it says written out."""
        watch = self.watch
        failed = self.path.failed() or self.phases.failed()
        opening = bool(self.faults.active & faults.OPENS) or bool(failed) or not self.fed
        self.offer = self._allowed(now)
        inputs = Inputs(
            pilot=watch.pilot,
            opening=opening,
            suspect=watch.suspect_since > 0.0,
            offer=self.offer.amps > 0.0,
            ready=self._ready(now),
            car_time_over=self.phase is Phase.WITHDRAW and now - self._phase_since >= CAR_TIME_S,
            d_allowed=watch.d_allowed,
        )
        phase, cause = step(self.phase, inputs)
        why = failed or self._word(cause)
        if self.watch.coil and not OUTPUTS[phase].coil:
            self._open(cause, why, bool(failed), now)
        self._write(phase, now)

    def _allowed(self, now: float) -> Offer:
        """What may be offered now; while open, nothing that could not be closed upon."""
        active = self.faults.active
        barred = self.ending or self.resetting or self.wake.kind or self.phases.due(now) or active & (faults.OPENS | faults.WITHDRAWS)
        if barred or not self.allowance.permitted or (not self.watch.coil and self._closing_barred(now)):
            return self._least.none()
        closed_s = now - self.watch.coil_since if self.watch.coil else None
        return self._least.of(now, list(self._caps()), self.lease.wish, closed_s)

    def _caps(self) -> Iterator[Offer]:
        """Whatever limits, in the order in which equals are named."""
        yield Offer(self.lease.limit_a, "permit")
        cable_a = self.retention.cable_a()
        if cable_a is not None:
            yield Offer(cable_a, "cable")
        yield from self._fixed
        if self.lease.single:
            yield self._single
        if self._caps_simplified and self.arrival.simplified:
            yield Offer(SIMPLIFIED_A, "no state B")
        heat = heat_cap(self.watch.temperature_c, bool(self.faults.active & faults.SENSOR_LOST), min(self._fixed).amps)
        if heat is not None:
            yield heat
        if self.faults.active & faults.METER_SILENT:
            yield Offer(MINIMUM_A, "meter")

    def _closing_barred(self, now: float) -> bool:
        watch = self.watch
        if now < self.path.reclose_at and watch.suspect_since == 0.0 and (self.rest.at_x1 or watch.pilot in DRAWING):
            self.arrival.x1_until = self.path.reclose_at
        early = self.arrival.early(watch.pilot, now)
        barred = early or bool(self.faults.active & faults.BARS & ~faults.VENTILATION)
        return barred or not self.retention.verified(now) or self.residual.due(now) or not self.fed

    def _ready(self, now: float) -> bool:
        """Everything closing needs beyond C or D, an offer and no opening fault."""
        return (
            self.filter.closable
            and self.offer.amps > 0.0
            and self.lease.may_close(now)
            and now >= self.path.reclose_at
            and self.path.proven_open()
            and not self.watch.tripped
            and not self.faults.active & faults.BARS
        )

    def _word(self, cause: Cause) -> str:
        """Why it opens: the fault's name where a fault is the cause."""
        if cause is Cause.FAULT:
            return self.faults.leading(faults.OPENS) or "relay supply not fed"
        if cause is Cause.WITHDRAWN:
            self._withdrawn_by = self.faults.leading(faults.WITHDRAWS) or self.allowance.ended_by or "withdrawn"
        if self.phase is Phase.WITHDRAW and cause is Cause.CAR:
            return self._withdrawn_by
        return cause.value

    def _open(self, cause: Cause, why: str, failed: bool, now: float) -> None:
        """Coil off, and how long it rests. failed: the contacts did not follow the coil, which is counted elsewhere."""
        if self.watch.pilot in DRAWING and self._supply.loaded(now):
            self.record.opened_under_load()
        self.path.switch(False, why, now)
        self.phases.opened(under_load=cause is Cause.CAR_TIME_OVER)
        if self.watch.pilot is PilotState.A:
            self.rest.over()
        else:
            self.rest.begin(cause, self.phase is Phase.WITHDRAW, failed, now)

    def _write(self, phase: Phase, now: float) -> None:
        """The pilot, then the coil on."""
        pwm, coil = OUTPUTS[phase]
        if phase is not self.phase:
            self.phase, self._phase_since = phase, now
        if self.generator.signal(self.offer if pwm else NO_OFFER, now, dark=self.wake.dark and not (pwm or coil)):
            self._supply.over.offered(now, self.generator.offer.amps)
            self.voice.edge(now, EdgeKind.OFFERED, f"{self.generator.offer.amps:.2f}".rstrip("0").rstrip("."))
        if coil and not self.watch.coil:
            self._supplied = True
            self.record.closed()
            self.path.switch(True, "", now)
            self.phases.closed()
