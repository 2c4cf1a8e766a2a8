"""A board without hardware and a clock that stands still, for control's tests."""

from __future__ import annotations

import math
import select
from collections.abc import Callable

from chargepoint.clock import Clock
from chargepoint.control.evse import Evse
from chargepoint.control.figures import Figures
from chargepoint.control.memory import Kept
from chargepoint.control.offer import AT_ONCE
from chargepoint.link.messages import Edge, EdgeKind, EvseState, Permit, ToStation
from hal.errors import DeviceLost
from hal.ports import Channel, ControlBoard, EvseBoard, LampPattern

TURN_S = 0.005
FALL_S = 0.04
"""Time constant of the peak detectors."""


class StillClock(Clock):
    """Time passes only when somebody sleeps or the test says so."""

    def __init__(self, now: float = 1000.0) -> None:
        super().__init__(has_rtc=True)
        self.now = now
        self.on_sleep: Callable[[float], None] = lambda until: None

    def boot_s(self) -> float:
        return self.now

    def sleep_until(self, boot_s: float) -> None:
        self.on_sleep(boot_s)
        self.now = max(self.now, boot_s)

    def wait_until(self, boot_s: float, descriptor: int) -> bool:
        if select.select([descriptor], [], [], 0.0)[0]:
            return True
        self.sleep_until(boot_s)
        return False


class Peak:
    """A peak detector: jumps up, empties with FALL_S."""

    def __init__(self) -> None:
        self.held = 0.0

    def step(self, target: float, passed_s: float) -> float:
        self.held = max(target, target + (self.held - target) * math.exp(-passed_s / FALL_S))
        return self.held


class Wire:
    """One EVSE's world: set `car_v` (high plateau), `low_v`, and what the inputs say; outputs are recorded."""

    def __init__(self, clock: StillClock) -> None:
        self.clock = clock
        self.car_v = 12.0
        self.diode_v = -12.0
        self.generator_dead = False
        self.dark = False
        self.ohms = math.inf
        self.duty_now = 1.0
        self.duty_error: float | None = None
        self.pwm_lost = False
        self.adc_lost = False
        self.adc_nonsense = False
        self.unread: Channel | None = None
        self.coil = False
        self.mirror: bool | None = None
        self.read_back: bool | None = None
        self.trip = False
        self.trip_answers = True
        self.testing = False
        self.locked = False
        self.lock_jams = False
        self.celsius = 30.0
        self.earth_lost = False
        self.breaker_tripping = False
        self.lamp = LampPattern.OFF
        self.lamp_shown_at: list[float] = []
        self.writes: list[str] = []
        self._high, self._low = Peak(), Peak()
        self._at = clock.now
        self._converting: Channel | None = None
        self.moved_at = -1.0

    # PilotPwm
    def set_duty(self, fraction: float) -> None:
        if self.pwm_lost:
            raise DeviceLost("pwm", "gone")
        self.writes.append(f"duty {fraction:.4f}")
        self.duty_now = fraction

    def duty(self) -> float:
        if self.pwm_lost:
            raise DeviceLost("pwm", "gone")
        return self.duty_now if self.duty_error is None else self.duty_error

    # PilotAdc
    def start(self, channel: Channel) -> None:
        if self.adc_lost:
            raise DeviceLost("adc", "gone")
        self._converting = channel

    def finish(self) -> float:
        if self.adc_lost or self._converting is None:
            raise DeviceLost("adc", "gone")
        channel, self._converting = self._converting, None
        if self.adc_nonsense or channel is self.unread:
            return math.nan
        if channel is Channel.PROXIMITY:
            return self.ohms
        passed, self._at = self.clock.now - self._at, self.clock.now
        pwm = 0.0 < self.duty_now < 1.0 and not self.generator_dead
        dark = self.dark or (self.duty_now == 0.0 and not self.generator_dead)
        high = self._high.step(0.0 if dark else max(0.0, self.car_v), passed)
        low = -self._low.step(-self.diode_v if pwm or dark else 0.0, passed)
        return high if channel is Channel.HIGH else low

    # Contactor
    def switch(self, on: bool) -> None:
        self.writes.append(f"coil {'on' if on else 'off'}")
        if on != self.coil:
            self.coil, self.moved_at = on, self.clock.now

    def driven(self) -> bool:
        return self.coil if self.read_back is None else self.read_back

    def mirror_closed(self) -> bool:
        if self.mirror is not None:
            return self.mirror
        moving = self.clock.now - self.moved_at < 0.018
        return not self.coil if not moving else self.coil

    def trip_breaker(self, on: bool) -> None:
        if on != self.breaker_tripping:
            self.writes.append(f"trip {'on' if on else 'off'}")
        self.breaker_tripping = on

    # ResidualCurrent
    def tripped(self) -> bool:
        return self.trip or (self.testing and self.trip_answers)

    def test(self, on: bool) -> None:
        if on != self.testing:
            self.writes.append(f"test {'on' if on else 'off'}")
        self.testing = on

    # Thermometer
    def read_c(self) -> float:
        return self.celsius


class FakeSecond:
    """The second contactor of a wire: its poles are in series with poles 2 and 3 of the first."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.coil = False
        self.read_back: bool | None = None
        self.writes: list[bool] = []
        self.welded = False
        self.stuck_open = False
        self.moves: list[tuple[float, bool]] = []

    def switch(self, on: bool) -> None:
        self.writes.append(on)
        if on is not self.coil:
            self.coil = on
            self.moves.append((self.wire.clock.now, on))

    def driven(self) -> bool:
        return self.coil if self.read_back is None else self.read_back

    def trip_breaker(self, on: bool) -> None:
        """It has no breaker of its own."""

    def mirror_closed(self) -> bool:
        moving = bool(self.moves) and self.wire.clock.now - self.moves[-1][0] < 0.018
        return not self.welded and (self.stuck_open or (self.coil if moving else not self.coil))


class FakeLock:
    """The socket's lock of a wire."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.drives: list[bool] = []

    def drive(self, locked: bool) -> None:
        self.drives.append(locked)
        if not self.wire.lock_jams:
            self.wire.locked = locked

    def rest(self) -> None:
        return

    def locked(self) -> bool | None:
        return self.wire.locked


class FakeEarth:
    """The monitor of the protective earth."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire

    def active(self) -> bool:
        return self.wire.earth_lost


class FakeLamp:
    def __init__(self, wire: Wire) -> None:
        self.wire = wire

    def show(self, pattern: LampPattern) -> None:
        self.wire.lamp = pattern
        self.wire.lamp_shown_at.append(self.wire.clock.now)


class FakeSwitch:
    pressed = False

    def active(self) -> bool:
        return self.pressed


class FakeFeed:
    edges = 0

    def edge(self) -> None:
        self.edges += 1


class Ear:
    """Hears what an EVSE tells."""

    def __init__(self) -> None:
        self.edges: list[Edge] = []
        self.states: list[EvseState] = []

    def edge(self, at: float, evse: int, kind: EdgeKind, plug_in: int, value: str = "") -> None:
        self.edges.append(Edge(len(self.edges) + 1, at, evse, kind, plug_in, value))

    def tell(self, state: ToStation) -> None:
        if isinstance(state, EvseState):
            self.states.append(state)

    def kinds(self) -> list[str]:
        return [f"{edge.kind.value} {edge.value}".strip() for edge in self.edges]


def board_of(wire: Wire, evse: int = 1, second: FakeSecond | None = None) -> EvseBoard:
    return EvseBoard(evse, wire, wire, wire, wire, FakeLock(wire), FakeLamp(wire), None, earth_lost=FakeEarth(wire), contactor_l23=second)


def control_board(*boards: EvseBoard) -> ControlBoard:
    return ControlBoard(boards, FakeSwitch(), FakeFeed(), lambda: None)


FIGURES = Figures(
    evse=1,
    board_a=63.0,
    rating_a=32.0,
    socket=True,
    d_allowed=False,
    manner=AT_ONCE,
    keeps_floor=False,
    caps_simplified=False,
    phase_switching=False,
    single_a=80.0,
    lock_move_s=0.05,
    lock_pause_s=0.05,
    test_pulse_s=0.05,
    test_trip_s=0.1,
    test_clear_s=0.1,
    convert_s=0.0014,
    turn_s=TURN_S,
    phases=3,
    meter="",
    meter_limit_s=10.0,
    meter_withdraw_s=60.0,
    csms_clears=False,
)


class Bench:
    """One EVSE on a wire, turned by hand. `charge` brings it to a closed contactor. second: with a contactor of its own for phases 2 and 3."""

    def __init__(
        self, figures: Figures = FIGURES, latched: tuple[str, ...] = (), kept: Kept | None = None, second: bool = False, wire: Wire | None = None
    ) -> None:
        self.clock = wire.clock if wire is not None else StillClock()
        self.turn_s = figures.turn_s
        self.wire = wire or Wire(self.clock)
        self.ear = Ear()
        self.kept: list[tuple[str, ...]] = []
        self._latched = kept.latched if kept else latched
        self.emergency = False
        self.renewing = False
        self.limit_a = 16.0
        self.wish_a: float | None = None
        self.limit_1p_a: float | None = None
        self.lease_s = 15.0
        self.second = FakeSecond(self.wire)
        board = board_of(self.wire, figures.evse, self.second if second else None)
        self.evse = Evse(board, figures, self.clock, self.ear, kept or Kept(latched), self._keep)

    def _keep(self, evse: int, kept: Kept) -> None:
        if kept.latched != (self.kept[-1] if self.kept else self._latched):
            self.kept.append(kept.latched)

    def turns(self, count: int) -> None:
        """So many turns."""
        for _ in range(count):
            self.clock.now += self.turn_s / 2
            if self.renewing:
                self.permit()
            self.evse.first_half(self.clock.now, self.emergency)
            self.clock.now += self.turn_s / 2
            self.evse.second_half(self.clock.now)

    def seconds(self, seconds: float) -> None:
        self.turns(round(seconds / self.turn_s))

    def until(self, holds: Callable[[], bool], within_s: float = 10.0) -> float:
        """Turns until it holds; answers the seconds it took."""
        begun = self.clock.now
        while not holds():
            assert self.clock.now - begun < within_s, f"not within {within_s} s: {self.ear.kinds()}"
            self.turns(1)
        return self.clock.now - begun

    def permit(self, limit_a: float | None = None, plug_in: int | None = None, until: float | None = None) -> str:
        """A permit for the present plug-in, one lease long."""
        return self.evse.permit(
            Permit(
                self.evse.id,
                self.evse.voice.number if plug_in is None else plug_in,
                self.limit_a if limit_a is None else limit_a,
                self.clock.now + self.lease_s if until is None else until,
                self.wish_a,
                self.limit_1p_a,
            ),
            self.clock.now,
        )

    def settle(self) -> None:
        """Control has started, the self-test has passed, no car."""
        self.seconds(0.5)

    def plug(self, car_v: float = 9.0, ohms: float = 220.0) -> None:
        self.wire.car_v, self.wire.ohms = car_v, ohms
        self.seconds(0.3)

    def charge(self) -> None:
        """Plugged, permitted and renewed, in C, closed."""
        self.settle()
        self.plug()
        self.renewing = True
        self.until(lambda: self.evse.watch.pwm)
        self.wire.car_v = 6.0
        self.until(lambda: self.evse.watch.closed)
        self.seconds(0.2)
        self.ear.edges.clear()
