"""Measurements of the report that move something: contactor, feed of the relay supply, lock. Must not know the others or the print.

The contactor closes only with no car and no cable, all else proven, and opens in the turn that sees any of it end. Whatever happens, the coil is off
afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from chargepoint.control.guard import MIRROR_S
from chargepoint.control.selftest_bench import Bench
from chargepoint.control.selftest_report import Finding, Value, failed, judged, skipped
from hal.ports import Contactor

FED_S = 0.2
"""The relay supply is fed so long before the coil is switched on."""
PHASES_REST_S = 1.1
"""The contactor of phases 2 and 3 moves only when all has been open for a second."""
LOCK_EXTRA_S = 0.1


def contactor_at_rest(bench: Bench) -> Finding:
    """Coil off: the mirror contact is closed only while every main contact is open (IEC 60947-4-1 Annex F). Raises DeviceLost."""
    for contactor in bench.contactors:
        contactor.switch(False)
    if bench.open_contacts():
        return judged(Value("mirror contact", "closed: all poles open"))
    return failed("the mirror contact says that a pole is closed, or its wire is broken", Value("mirror contact", "open"))


def contactor_moves(bench: Bench) -> Finding:
    """Times from the coil to the mirror contact. Raises DeviceLost, Disturbed."""
    return _moves(bench, bench.ports.contactor)


def second_contactor_moves(bench: Bench) -> Finding:
    """The same of the contactor of phases 2 and 3. Raises DeviceLost, Disturbed."""
    second = bench.ports.contactor_l23
    if second is None:
        return skipped("the board has one contactor")
    bench.wait(PHASES_REST_S)
    return _moves(bench, second)


def _moves(bench: Bench, contactor: Contactor) -> Finding:
    if why := why_not(bench):
        return skipped(why)
    limit_ms = MIRROR_S * 1000.0
    with closing(bench, contactor) as refused:
        if refused:
            return failed(refused)
        close_s = _follows(bench, contactor, closed=True, within_s=MIRROR_S)
        contactor.switch(False)
        open_s = _follows(bench, contactor, closed=False, within_s=MIRROR_S)
    return judged(
        Value("closing", None if close_s is None else close_s * 1000.0, "ms", None, limit_ms),
        Value("opening", None if open_s is None else open_s * 1000.0, "ms", None, limit_ms),
    )


def feed(bench: Bench) -> Finding:
    """The coil must fall, though driven, when the feed goes silent. Raises DeviceLost, Disturbed."""
    if bench.feed is None:
        return skipped("the board has no feed: a hung program holds the coil")
    if why := why_not(bench):
        return skipped(why)
    contactor, within_s = bench.ports.contactor, bench.hold_s + MIRROR_S
    with closing(bench, contactor) as refused:
        if refused:
            return failed(refused)
        if _follows(bench, contactor, closed=True, within_s=MIRROR_S) is None:
            return failed("the contactor did not close")
        bench.feeding = False
        fall_s = _follows(bench, contactor, closed=False, within_s=within_s)
    return judged(Value("fall without feed", None if fall_s is None else fall_s * 1000.0, "ms", None, within_s * 1000.0))


def lock(bench: Bench) -> Finding:
    """One stroke each way, ending where it began. Raises DeviceLost."""
    bolt = bench.ports.lock
    if bolt is None or not bench.figures.socket:
        return skipped("a tethered cable, or no lock on the board")
    if not bench.open_contacts():
        return skipped("the contactor is not proven open: the lock does not move")
    first = not bolt.locked()
    strokes = [(target, _stroke(bench, target)) for target in (first, not first)]
    limit_ms = (bench.figures.lock_move_s + LOCK_EXTRA_S) * 1000.0
    named = sorted(strokes, reverse=True)
    return judged(*(Value("locking" if target else "unlocking", None if s is None else s * 1000.0, "ms", None, limit_ms) for target, s in named))


def why_not(bench: Bench) -> str:
    """Why the contactor is not to be closed; empty: it may be. Raises DeviceLost."""
    if bench.stopped():
        return "the emergency stop is pressed"
    if not bench.residual_passed or bench.ports.residual.tripped():
        return "the residual-current monitor has not passed its test"
    if not bench.open_contacts():
        return "the contactor is not proven open"
    return bench.car()


@contextmanager
def closing(bench: Bench, contactor: Contactor) -> Iterator[str]:
    """Feeds the relay supply and switches the coil on for the block, off after it in any case. Gives why it did not: contacts that close by the
    supply alone. Raises DeviceLost, Disturbed."""
    try:
        bench.feeding = True
        bench.wait(FED_S)
        bench.undisturbed()
        if bench.open_contacts():
            contactor.switch(True)
            yield ""
        else:
            yield "contacts closed as soon as the relay supply was there, though the coil is off"
    finally:
        bench.feeding = False
        contactor.switch(False)


def _follows(bench: Bench, contactor: Contactor, *, closed: bool, within_s: float) -> float | None:
    def moved() -> bool:
        if contactor.driven():
            bench.undisturbed()
        return contactor.mirror_closed() is not closed

    return bench.time_until(moved, within_s)


def _stroke(bench: Bench, target: bool) -> float | None:
    """Seconds to the feedback; the pulse, and the pause after it, are waited for."""
    bolt = bench.ports.lock
    assert bolt is not None  # asked before
    bolt.drive(target)

    def there() -> bool:
        bolt.rest()
        return bolt.locked() is target

    taken_s = bench.time_until(there, bench.figures.lock_move_s + LOCK_EXTRA_S)
    until = bench.clock.boot_s() + bench.figures.lock_move_s + bench.figures.lock_pause_s
    while bench.clock.boot_s() < until:
        bolt.rest()
        bench.step()
    return taken_s
