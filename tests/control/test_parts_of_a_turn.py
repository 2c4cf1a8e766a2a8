"""Second look, retention and power path: each by itself, on both sides of each limit."""

from __future__ import annotations

import math

import pytest

from chargepoint.control.cable import Cable
from chargepoint.control.faults import Faults, bit
from chargepoint.control.lock import SocketLock
from chargepoint.control.power_path import PowerPath
from chargepoint.control.retention import Retention
from chargepoint.control.second_look import ReadBack, SecondLook
from chargepoint.control.voice import Voice
from chargepoint.control.watch import Watch
from chargepoint.link.messages import Sample
from chargepoint.model.pilot import PilotState
from tests.control.fakes import FIGURES, Ear, FakeLock, FakeSecond, StillClock, Wire

A, B, C, D, E, F, LOST = PilotState
V: tuple[float, float, float] = (230.0, 230.0, 230.0)


def watch_of(now: float = 0.0) -> Watch:
    return Watch(now, socket=True, d_allowed=False, thermometer=False)


# the second look ------------------------------------------------------------------------------------------------------------------------------


class Look:
    """Commanded and read back as it should be: closed since 0 s, in C, with PWM."""

    def __init__(self, *, second: bool = False) -> None:
        self.wire = Wire(StillClock(0.0))
        self.l23 = FakeSecond(self.wire)
        self.watch = watch_of()
        self.watch.coil = self.watch.pwm = self.wire.coil = True
        self.watch.high_v = 6.0
        self.look = SecondLook(self.wire, self.l23 if second else None, self.watch)

    def steps(self, count: int, now: float = 0.0) -> list[bool]:
        found = []
        for _ in range(count):
            self.look.step(now)
            found.append(self.watch.contradicted)
        return found


def test_a_coil_that_does_not_stand_as_commanded_is_told_in_the_second_of_two_looks() -> None:
    look = Look()
    assert look.steps(12) == [False] * 12
    look.wire.read_back = False
    assert look.steps(9) == [False] * 7 + [True] * 2
    assert not look.look.stuck_on and "coil off" not in look.wire.writes
    look.wire.read_back = None
    assert look.steps(4)[-1] is False


def test_a_coil_that_is_driven_though_it_was_switched_off_is_switched_off_again_and_stuck_on() -> None:
    look = Look()
    look.watch.coil = False
    look.steps(4)
    assert look.wire.writes == ["coil off"] and not look.look.stuck_on
    look.wire.read_back = True
    look.steps(8)
    assert look.look.stuck_on and look.watch.contradicted
    assert look.wire.writes == ["coil off"] * 3


def test_the_second_contactor_s_coil_is_looked_at_between() -> None:
    look = Look(second=True)
    look.l23.read_back = True
    assert look.steps(6) == [False] * 5 + [True]
    assert not look.look.stuck_on, "it makes no outlet live"
    assert look.l23.writes == [False, False]
    look.l23.read_back = None
    look.watch.coil_l23 = look.l23.coil = True
    assert look.steps(4)[-1] is False


def test_two_looks_that_agree_between_count_anew() -> None:
    wire = Wire(StillClock(0.0))
    look = ReadBack(wire)
    for driven, disagrees in ((True, False), (False, False), (True, False), (True, True), (False, False)):
        wire.read_back = driven
        look.look(False)
        assert (look.disagrees, look.stuck_on) == (disagrees, disagrees)


@pytest.mark.parametrize(("high_v", "left"), [(7.8, False), (7.81, True), (1.2, False), (1.19, True), (12.0, True), (9.0, True)])
def test_a_closed_contactor_and_a_pilot_outside_c_and_d_for_100_ms(high_v: float, left: bool) -> None:
    look = Look()
    look.watch.high_v = high_v
    assert look.steps(1, 0.1) == [False]
    assert look.steps(1, 0.19) == [False]
    assert look.steps(1, 0.2) == [left]
    look.watch.high_v = 6.0
    assert look.steps(1, 0.7) == [False]
    look.watch.high_v = high_v
    assert look.steps(1, 0.8) == [False], "it begins anew"
    look.watch.coil = False
    look.wire.coil = False
    assert look.steps(1, 2.0) == [False]


@pytest.mark.parametrize(
    ("pwm_since", "coil_since", "now", "overdue"),
    [(10.0, 0.0, 16.49, False), (10.0, 0.0, 16.5, True), (0.0, 10.0, 16.5, True), (0.0, 10.0, 16.4, False)],
)
def test_a_contactor_closed_at_x1_for_more_than_six_seconds_and_a_half(pwm_since: float, coil_since: float, now: float, overdue: bool) -> None:
    look = Look()
    look.watch.pwm, look.watch.pwm_since, look.watch.coil_since = False, pwm_since, coil_since
    assert look.steps(1, now) == [overdue]
    look.watch.pwm = True
    assert look.steps(1, now) == [False]
    look.watch.pwm = look.watch.coil = look.wire.coil = False
    assert look.steps(1, now) == [False]


# the plug and its lock ------------------------------------------------------------------------------------------------------------------------


class Socket:
    """A plug of 32 A in a socket, the pilot in B, the contactor open for long."""

    def __init__(self, *, socket: bool = True, lock: bool = True, now: float = 100.0) -> None:
        self.wire = Wire(StillClock(0.0))
        self.watch = watch_of(0.0)
        self.watch.now = now
        self.watch.pilot, self.watch.mirror_closed = B, True
        self.port = FakeLock(self.wire)
        self.lock = SocketLock(self.port, FIGURES._replace(lock_move_s=0.0, lock_pause_s=0.0), self.watch) if lock else None
        self.cable = Cable()
        self.faults = Faults()
        self.retention = Retention(socket, self.lock, self.cable, self.watch, PowerPath(self.wire, self.watch, Voice(1, Ear())), self.faults)
        self.plug(220.0)

    def plug(self, ohms: float) -> None:
        for _ in range(3):
            self.cable.read(ohms)

    def turn(self, now: float, *, permitted: bool = False, ending: bool = False) -> bool:
        """Whether the bolt is locked after two turns of it."""
        for _ in range(2):
            self.watch.now = now
            if self.lock is not None:
                self.lock.read()
            self.retention.look(now)
            self.retention.move(now, permitted, ending)
        return self.wire.locked


@pytest.mark.parametrize(
    ("wished", "permitted", "ohms", "ending", "locked"),
    [
        (True, False, 220.0, False, True),
        (None, True, 220.0, False, True),
        (False, True, 220.0, False, True),
        (False, False, 220.0, False, False),
        (True, True, math.inf, False, False),
        (True, True, 220.0, True, False),
        (None, False, 220.0, False, False),
    ],
)
def test_a_plug_is_held_while_it_is_wished_or_permitted_and_there(
    wished: bool | None, permitted: bool, ohms: float, ending: bool, locked: bool
) -> None:
    socket = Socket()
    socket.retention.wished = wished
    socket.plug(ohms)
    assert socket.turn(100.0, permitted=permitted, ending=ending) is locked


@pytest.mark.parametrize(("now", "ending", "opens"), [(29.9, False, False), (30.0, False, True), (5.0, True, True)])
def test_a_bolt_found_locked_stays_until_the_wish_is_known_or_thirty_seconds_are_over(now: float, ending: bool, opens: bool) -> None:
    socket = Socket(now=0.0)
    socket.wire.locked = True
    assert socket.turn(now, ending=ending) is not opens


def test_a_station_that_permits_has_been_heard() -> None:
    socket = Socket(now=0.5)
    assert socket.turn(1.0, permitted=True)
    assert not socket.turn(2.0)


@pytest.mark.parametrize(
    ("change", "held"),
    [
        ({}, ""),
        ({"mirror_since": 99.91}, "the contactor is not proven open"),
        ({"mirror_since": 99.89}, ""),
        ({"coil": True}, "the contactor is not proven open"),
        ({"mirror_closed": False}, "the contactor is not proven open"),
    ],
)
def test_what_holds_a_bolt_whoever_wishes_it(change: dict[str, object], held: str) -> None:
    socket = Socket()
    assert socket.retention.held_by(100.0) == "the pilot has not been read"
    socket.retention.look(100.0)
    for name, value in change.items():
        setattr(socket.watch, name, value)
    assert socket.retention.held_by(100.0) == held
    socket.retention.start_over()
    assert socket.retention.held_by(100.0) == "the pilot has not been read"


def test_a_weld_holds_a_bolt() -> None:
    socket = Socket()
    socket.retention.look(100.0)
    socket.faults.step(bit("contactor_welded"), 100.0, False)
    assert socket.retention.held_by(100.0) == "the contactor is not proven open"


@pytest.mark.parametrize(
    ("amps", "at", "good", "held"),
    [
        ((1.1, 0.0, None), 97.0, True, True),
        ((1.0, 0.0, None), 100.0, True, False),
        ((1.1, 0.0, None), 96.9, True, False),
        ((1.1, 0.0, None), 100.1, True, False),
        ((1.1, 0.0, None), 100.0, False, False),
        ((math.inf, math.nan, None), 100.0, True, False),
    ],
)
def test_current_in_a_sample_of_now_holds_a_bolt_for_three_seconds(amps: tuple[float | None, ...], at: float, good: bool, held: bool) -> None:
    socket = Socket()
    socket.retention.look(100.0)
    socket.retention.sample(Sample(1, at, good, amps, V), 100.0)
    assert socket.retention.held_by(100.0) == ("current flows" if held else "")
    assert socket.retention.held_by(at + 3.0) == ("current flows" if held else "")
    assert socket.retention.held_by(at + 3.1) == ""


def test_a_sample_without_current_frees_a_bolt() -> None:
    socket = Socket()
    socket.retention.look(100.0)
    for amps in (9.0, 0.0):
        socket.retention.sample(Sample(1, 100.0, True, (amps, amps, amps), V), 100.0)
    assert socket.retention.held_by(100.0) == ""


@pytest.mark.parametrize(("since", "pilot", "opens"), [(95.1, F, False), (95.0, F, True), (99.9, E, True)])
def test_in_f_a_plug_is_let_go_after_five_seconds_and_in_e_at_once(since: float, pilot: PilotState, opens: bool) -> None:
    socket = Socket()
    socket.retention.wished = True
    assert socket.turn(90.0)
    socket.watch.pilot, socket.watch.pilot_since = pilot, since
    socket.retention.wished = False
    assert socket.turn(100.0) is not opens


def test_in_f_a_plug_may_still_be_held() -> None:
    socket = Socket()
    socket.retention.wished = True
    socket.watch.pilot, socket.watch.pilot_since = F, 99.9
    assert socket.turn(100.0)


def test_a_plug_that_comes_or_goes_frees_a_bolt_that_was_given_up() -> None:
    socket = Socket()
    assert socket.lock is not None
    socket.retention.wished, socket.wire.lock_jams = True, True
    for second in range(100, 105):
        socket.turn(float(second))
    assert socket.lock.tries == 3 and socket.watch.lock_failed
    drives = len(socket.port.drives)
    socket.turn(110.0)
    assert len(socket.port.drives) == drives
    socket.plug(math.inf)
    socket.turn(111.0)
    socket.plug(220.0)
    socket.turn(112.0)
    assert len(socket.port.drives) > drives


@pytest.mark.parametrize(
    ("pilot", "ohms", "missing"), [(B, 350.0, True), (C, math.inf, True), (A, math.inf, False), (E, 350.0, False), (B, 220.0, False)]
)
def test_a_coding_is_missing_since_it_was_not_there_with_a_car(pilot: PilotState, ohms: float, missing: bool) -> None:
    socket = Socket()
    socket.watch.pilot = pilot
    socket.plug(ohms)
    for now in (100.0, 101.0):
        socket.retention.look(now)
    assert socket.watch.cable_missing_since == (100.0 if missing else 0.0)
    tethered = Socket(socket=False, lock=False)
    tethered.plug(350.0)
    tethered.retention.look(100.0)
    assert tethered.watch.cable_missing_since == 0.0


def test_the_coding_is_that_of_the_locking_until_it_is_open_or_the_car_is_gone() -> None:
    socket = Socket()
    socket.retention.wished = True
    for now in (100.0, 101.0):
        socket.turn(now)
    assert socket.watch.cable_held_a == 32.0 and socket.retention.cable_a() == 32.0
    socket.plug(1500.0)
    socket.turn(102.0)
    assert (socket.watch.cable_a, socket.watch.cable_held_a, socket.retention.cable_a()) == (13.0, 32.0, 32.0)
    socket.watch.pilot = A
    socket.turn(103.0)
    assert (socket.watch.cable_held_a, socket.retention.cable_a()) == (None, 13.0)
    socket.plug(350.0)
    assert socket.retention.cable_a() == 0.0


@pytest.mark.parametrize(("socket", "lock", "verified", "released", "rests"), [(True, False, False, True, True), (False, False, True, True, True)])
def test_without_a_lock_a_socket_is_never_verified_and_a_tethered_cable_always(
    socket: bool, lock: bool, verified: bool, released: bool, rests: bool
) -> None:
    retention = Socket(socket=socket, lock=lock).retention
    assert (retention.verified(100.0), retention.released, retention.rests) == (verified, released, rests)
    assert retention.cable_a() == (32.0 if socket else None)


def test_a_lock_is_released_when_it_is_open_or_cannot_be_opened() -> None:
    socket = Socket()
    assert not socket.retention.released, "not read yet"
    socket.retention.wished = False
    socket.turn(100.0)
    assert socket.retention.released and socket.retention.rests
    socket.retention.wished = True
    for now in (101.0, 102.0):
        socket.turn(now)
    assert not socket.retention.released and socket.retention.verified(102.0)
    socket.watch.unlock_failed = True
    assert socket.retention.released


# the contactor --------------------------------------------------------------------------------------------------------------------------------


class Path:
    def __init__(self) -> None:
        self.wire = Wire(StillClock(0.0))
        self.ear = Ear()
        self.watch = watch_of()
        self.path = PowerPath(self.wire, self.watch, Voice(1, self.ear))

    def read(self, now: float, mirror: bool) -> list[str]:
        self.watch.now, self.wire.mirror = now, mirror
        self.path.read(now)
        return self.ear.kinds()


def test_closed_and_opened_are_told_in_the_second_turn_in_a_row_that_shows_it() -> None:
    path = Path()
    path.read(0.5, True)
    path.path.switch(True, "", 1.0)
    assert (path.watch.coil, path.watch.coil_since) == (True, 1.0)
    courses = [path.read(1.0 + number / 100, mirror) for number, mirror in enumerate([True, False, True, False])]
    assert courses == [[]] * 4 and not path.watch.closed
    assert path.read(1.05, False) == ["closed"] and path.watch.closed and path.ear.edges[-1].at == 1.05
    path.path.switch(False, "unplugged", 2.0)
    assert path.path.reclose_at == 7.0
    assert path.read(2.0, False) == ["closed"] and path.read(2.01, True) == ["closed"]
    assert path.read(2.02, True) == ["closed", "opened unplugged"] and not path.watch.closed
    assert path.read(2.03, True) == ["closed", "opened unplugged"], "told once"


def test_a_breaker_is_released_by_a_pulse_of_a_second() -> None:
    path = Path()
    path.path.trip(5.0)
    assert path.wire.breaker_tripping
    path.read(5.99, True)
    assert path.wire.breaker_tripping
    path.read(6.0, True)
    assert path.wire.breaker_tripping is False
    assert path.wire.writes == ["trip on", "trip off"]


@pytest.mark.parametrize(("closed", "said"), [(False, "contactor did not close"), (True, "contactor dropped out")])
def test_a_coil_without_contacts_is_counted_and_said(closed: bool, said: str) -> None:
    path = Path()
    path.read(1.0, True)
    path.path.switch(True, "", 1.0)
    path.watch.closed = closed
    assert path.path.failed() == "" and path.watch.tries == 0
    path.watch.now = 1.2
    assert path.path.failed() == said and path.watch.tries == 1
    assert path.path.failed() == said and path.watch.tries == 2
