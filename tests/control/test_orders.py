"""Orders: done once, answered when the outcome is known, refused with the reason."""

from __future__ import annotations

from chargepoint.control.machine import Phase
from chargepoint.control.orders import PATIENCE_S, Orders
from chargepoint.link.messages import Order, OrderAnswer, OrderKind
from tests.control.fakes import FIGURES, TURN_S, Bench


class Desk:
    """Orders to a bench, stepped with its turns."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.answers: list[OrderAnswer] = []
        self.orders = Orders({1: bench.evse}, self.answers.append)

    def begin(self, kind: OrderKind, fault: str = "", evse: int = 1, *, in_person: bool = True) -> None:
        self.orders.take(Order(1, kind, evse, fault, in_person=in_person), self.bench.clock.now)

    def give(self, kind: OrderKind, fault: str = "", within_s: float = 12.0, evse: int = 1, *, in_person: bool = True) -> OrderAnswer:
        self.answers.clear()
        self.begin(kind, fault, evse, in_person=in_person)
        for _ in range(round(within_s / TURN_S)):
            self.orders.step(self.bench.clock.now)
            if self.answers:
                return self.answers[0]
            self.bench.turns(1)
        raise AssertionError("no answer")


def test_an_evse_that_is_not_there() -> None:
    assert Desk(Bench()).give(OrderKind.UNLOCK, evse=7) == OrderAnswer(1, False, "there is no EVSE 7")


def test_unlock_after_the_permit_ended() -> None:
    bench = Bench()
    bench.charge()
    desk = Desk(bench)
    assert desk.give(OrderKind.UNLOCK) == OrderAnswer(1, False, "a permit is in force")
    bench.renewing = False
    bench.permit(0.0)
    answer = desk.give(OrderKind.UNLOCK)
    assert answer.done and not bench.wire.locked
    assert not bench.wire.coil


def test_unlock_tells_the_feedback_and_not_the_command() -> None:
    bench = Bench()
    bench.charge()
    bench.renewing = False
    bench.permit(0.0)
    bench.wire.lock_jams = True
    assert Desk(bench).give(OrderKind.UNLOCK) == OrderAnswer(1, False, "the lock did not open")


def test_a_tethered_cable_has_nothing_to_unlock() -> None:
    assert Desk(Bench(FIGURES._replace(socket=False))).give(OrderKind.UNLOCK) == OrderAnswer(1, False, "there is no lock")


def test_a_welded_contactor_keeps_the_plug() -> None:
    bench = Bench(latched=("contactor_welded",))
    bench.wire.mirror = False
    bench.settle()
    assert Desk(bench).give(OrderKind.UNLOCK) == OrderAnswer(1, False, "the contactor is not proven open")


def test_a_trip_is_cleared_after_a_passed_test_only() -> None:
    bench = Bench()
    bench.charge()
    bench.renewing = False
    bench.wire.trip = True
    bench.seconds(0.5)
    desk = Desk(bench)
    assert desk.give(OrderKind.CLEAR_FAULT, "residual_current") == OrderAnswer(1, False, "its cause lasts")
    bench.wire.trip = False
    bench.seconds(0.1)
    bench.wire.trip_answers = False
    assert desk.give(OrderKind.CLEAR_FAULT, "residual_current") == OrderAnswer(1, False, "the residual-current test failed")
    bench.wire.trip_answers = True
    assert desk.give(OrderKind.CLEAR_FAULT, "residual_current").done
    assert desk.give(OrderKind.CLEAR_FAULT, "residual_test_failed").done
    assert bench.evse.faults.names() == ()
    assert bench.kept[-1] == ()
    assert bench.ear.kinds()[-2:] == ["fault_cleared residual_current", "fault_cleared residual_test_failed"]


def test_a_weld_is_cleared_when_the_contactor_is_proven_open() -> None:
    bench = Bench(latched=("contactor_welded",))
    bench.wire.mirror = False
    bench.settle()
    desk = Desk(bench)
    assert desk.give(OrderKind.CLEAR_FAULT, "contactor_welded") == OrderAnswer(1, False, "its cause lasts")
    bench.wire.mirror = None
    bench.seconds(0.2)
    assert desk.give(OrderKind.CLEAR_FAULT, "contactor_welded").done
    assert bench.evse.faults.names() == ()


def test_faults_that_clear_by_themselves_are_not_cleared_by_a_person() -> None:
    bench = Bench()
    bench.settle()
    bench.emergency = True
    bench.seconds(0.1)
    desk = Desk(bench)
    assert not desk.give(OrderKind.CLEAR_FAULT, "emergency_stop").done
    assert desk.give(OrderKind.CLEAR_FAULT, "diode") == OrderAnswer(1, True, "it is not active")
    assert desk.give(OrderKind.CLEAR_FAULT, "nonsense") == OrderAnswer(1, True, "it is not active")


def test_a_self_test_needs_an_open_contactor() -> None:
    bench = Bench()
    bench.charge()
    desk = Desk(bench)
    assert desk.give(OrderKind.SELF_TEST) == OrderAnswer(1, False, "the contactor is closed")
    bench.wire.car_v = 9.0
    bench.until(lambda: bench.evse.phase is Phase.OFFER)
    bench.wire.writes.clear()
    assert desk.give(OrderKind.SELF_TEST).done
    assert "test on" in bench.wire.writes
    assert bench.wire.writes.index("duty 1.0000") < bench.wire.writes.index("test on"), "at X1"


def test_reset_withdraws_opens_and_starts_over() -> None:
    bench = Bench()
    bench.charge()
    old = bench.evse.voice.number
    desk = Desk(bench)
    answer = desk.give(OrderKind.RESET_EVSE)
    assert answer.done
    assert "permit_ended reset" in bench.ear.kinds()
    assert not bench.wire.coil
    bench.wire.writes.clear()
    bench.seconds(0.5)
    assert bench.evse.voice.number == old + 1
    assert "test on" in bench.wire.writes


def test_a_car_that_leaves_during_a_reset_is_told_to_be_gone() -> None:
    bench = Bench()
    bench.charge()
    desk = Desk(bench)
    assert desk.give(OrderKind.RESET_EVSE).done
    bench.ear.edges.clear()
    bench.plug(12.0, 0.0)
    bench.seconds(0.5)
    assert [kind for kind in bench.ear.kinds() if kind.startswith("unplugged")]


def test_an_order_that_takes_too_long_is_answered() -> None:
    bench = Bench()
    bench.settle()
    desk = Desk(bench)
    bench.evse.ending = True
    answer = desk.give(OrderKind.SELF_TEST, within_s=PATIENCE_S + 1.0)
    assert answer == OrderAnswer(1, False, "it took too long")
    assert not desk.orders.running
