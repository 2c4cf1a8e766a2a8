"""What a person or the station may order: unlock, clear a fault, test, reset an EVSE, wake a car. Must not know the link's sockets.

Answered when the outcome is known. One place for all who clear a fault.
"""

from __future__ import annotations

from collections.abc import Callable, Generator

from chargepoint.control import faults
from chargepoint.control.evse import Evse
from chargepoint.control.machine import OUTPUTS, Phase
from chargepoint.control.wake import sight_of
from chargepoint.link.messages import Order, OrderAnswer, OrderKind
from chargepoint.model.fault import CATALOGUE, Clears

PATIENCE_S = 9.0
UNLOCK_WITHIN_S = 8.0
"""A bolt that may not move for so long is answered with the reason."""

Outcome = tuple[bool, str]
Work = Generator[None, None, Outcome]
DONE: Outcome = (True, "")


class Orders:
    """answer: called once per order. Each order is a generator that is stepped once a turn and returns its outcome."""

    def __init__(self, evses: dict[int, Evse], answer: Callable[[OrderAnswer], None]) -> None:
        self._evses = evses
        self._answer = answer
        self._running: list[tuple[Order, float, Work]] = []

    def take(self, order: Order, now: float) -> None:
        """Begins an order."""
        evse = self._evses.get(order.evse)
        if evse is None:
            self._answer(OrderAnswer(order.id, False, f"there is no EVSE {order.evse}"))
        else:
            self._running.append((order, now + PATIENCE_S + order.seconds, BEGIN[order.kind](evse, order)))

    @property
    def running(self) -> bool:
        """Whether an order is being carried out."""
        return bool(self._running)

    def step(self, now: float) -> None:
        """Once a turn."""
        if self._running:
            self._running = [running for running in self._running if self._goes_on(*running, now)]

    def _goes_on(self, order: Order, until: float, work: Work, now: float) -> bool:
        try:
            next(work)
        except StopIteration as end:
            self._answer(OrderAnswer(order.id, *end.value))
            return False
        if now < until:
            return True
        work.close()
        self._answer(OrderAnswer(order.id, False, "it took too long"))
        return False


def unlock(evse: Evse, _: Order) -> Work:
    """Opens the lock once the bolt may move, and answers by the feedback, or by what holds it."""
    lock = evse.lock
    if lock is None:
        return False, "there is no lock"
    if evse.lease.in_force(evse.watch.now):
        return False, "a permit is in force"
    evse.retention.wished = False
    until = evse.watch.now + UNLOCK_WITHIN_S
    while held := evse.retention.held_by(evse.watch.now):
        if evse.faults.active & faults.WELDED or evse.watch.now >= until:
            return False, held
        yield
    lock.again()
    yield
    while not lock.opened(evse.watch.now) and not evse.watch.unlock_failed:
        yield
    return (False, "the lock did not open") if evse.watch.unlock_failed else DONE


def clear_fault(evse: Evse, order: Order) -> Work:
    """Clears a latched fault; refused while its cause lasts or its test fails."""
    name = order.fault
    if not faults.is_known(name) or not evse.faults.active & faults.bit(name):
        return True, "it is not active"
    if CATALOGUE[name].clears in (Clears.CAUSE_GONE, Clears.UNPLUG):
        return False, f"it clears by itself: {CATALOGUE[name].next_step}"
    if why := _refused(evse, order):
        return False, why
    if evse.faults.causes & faults.bit(name) & ~faults.TEST_FAILED:
        return False, "its cause lasts"
    if faults.bit(name) & faults.RESIDUAL:
        passed, text = yield from self_test(evse, order)
        if not passed:
            return False, text
    if why := _refused(evse, order):
        return False, why
    if not order.in_person:
        evse.remote_clearing.use(evse.watch.now)
    evse.judge.clear(name)
    return DONE


def _refused(evse: Evse, order: Order) -> str:
    """Why who orders it may not clear this fault. The CSMS starts no test where one has failed: that is for a person."""
    if order.in_person:
        return ""
    if evse.faults.active & faults.TEST_FAILED:
        return "the residual-current test has failed; only a person on site clears that"
    return evse.remote_clearing.why_not(order.fault, evse.watch.now)


def self_test(evse: Evse, _: Order) -> Work:
    """The residual-current test, with the contactor open and the pilot at X1."""
    if OUTPUTS[evse.phase].coil:
        return False, "the contactor is closed"
    if evse.watch.tripped and not evse.watch.testing:
        return False, "the residual-current monitor is tripped"
    evse.residual.due_at = evse.watch.now
    while evse.residual.due(evse.watch.now):
        yield
    return (False, "the residual-current test failed") if evse.watch.test_failed else DONE


def reset_evse(evse: Evse, _: Order) -> Work:
    """Permit withdrawn, the car's time, open, back to the start."""
    evse.end_permit("reset")
    evse.resetting = True
    while not (evse.phase is Phase.REST and evse.path.proven_open()):
        yield
    evse.restart(evse.watch.now)
    return DONE


def wake(evse: Evse, order: Order) -> Work:
    """One step that wakes the car, to its end."""
    now = evse.watch.now
    if evse.residual.due(now):
        return False, "a self-test runs"
    why = evse.wake.begin(order.wake, order.seconds, now, sight_of(evse))
    if why:
        return False, why
    while evse.wake.kind is not None:
        yield
    return evse.wake.outcome


BEGIN: dict[OrderKind, Callable[[Evse, Order], Work]] = {
    OrderKind.UNLOCK: unlock,
    OrderKind.CLEAR_FAULT: clear_fault,
    OrderKind.SELF_TEST: self_test,
    OrderKind.RESET_EVSE: reset_evse,
    OrderKind.WAKE: wake,
}
