"""Why there is no current, or not more: always exactly one leading cause, from one ordered table. Pure; asks nobody.

The same words go to the command line, the log, the local page and the CSMS.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from chargepoint.model.connector import leading
from chargepoint.model.fault import CATALOGUE, Effect
from chargepoint.model.session import State

MINIMUM_A = 6.0
"""IEC 61851-1 Table A.7: the least current a duty can offer."""


class Situation(NamedTuple):
    """All that counts. control: its process is there; faults: names from the catalogue; state: of the session (IDLE: none); limit_a and limit_owner:
    what the station permits; offered_a and cap: what control signals and who won there; permitted: control has a permit; may_begin: new transactions
    are allowed; store: why nothing can be written to the storage; wake: what is done about a car that sleeps; switching: it waits
    for a change of its phases; by_button: a press begins, no token is asked for."""

    control: bool = True
    faults: tuple[str, ...] = ()
    store: str | None = None
    testing: bool = False
    operative: bool = True
    reserved: bool = False
    may_begin: bool = True
    online: bool = True
    state: State = State.IDLE
    interrupted: bool = False
    held: bool = False
    by_button: bool = False
    limit_a: float = 0.0
    limit_owner: str = ""
    permitted: bool = False
    offered_a: float = 0.0
    wake: str = ""
    switching: bool = False
    phases: int = 3
    cap: str = ""


class Reason(NamedTuple):
    """word: for programs; sentence: for people, with what to do where there is something."""

    word: str
    sentence: str


class Row(NamedTuple):
    """The first row whose condition holds is the reason. A sentence may name a field of the situation."""

    word: str
    holds: Callable[[Situation], bool]
    sentence: str


CAPS = {
    "cable": "the cable's rating",
    "board": "what the board is built for",
    "rating": "what the installation allows",
    "heat": "heat in the charger",
    "meter": "the silent energy meter",
    "single phase": "the limit for one phase",
    "permit": "the station's limit",
    "floor": "the floor that a pause for comfort is held at",
    "no state B": "a car without state B",
    "soft start": "the soft start",
    "ramp": "the slow rise",
}
OWNERS = {
    "settings": "the settings",
    "start delay": "the wait after power has returned",
    "token no longer accepted": "a token that is no longer accepted",
    "meter signature": "the wait for what the meter signs",
}

_S = State
NOBODYS = (_S.IDLE, _S.PARKED, _S.PLUGGED, _S.FINISHING)

TABLE: tuple[Row, ...] = (
    Row("control_absent", lambda s: not s.control, "The control process is not running, so nothing is offered."),
    Row("fault", lambda s: _stopping(s) is not None, "{fault}"),
    Row("self_test", lambda s: s.testing, "A self-test runs; it takes some seconds."),
    Row("stopping", lambda s: s.state is _S.STOPPING, "The session is over; the car has some seconds to stop."),
    Row("unavailable", lambda s: not s.operative and s.state in NOBODYS, "Out of service by order of the operator."),
    Row("reserved", lambda s: s.reserved and s.state in (_S.IDLE, _S.PARKED, _S.PLUGGED), "Reserved: show the token it is reserved for."),
    Row(
        "not_accepted",
        lambda s: not s.may_begin and s.state in NOBODYS,
        "The central system has not accepted this charger yet, so nobody can charge.",
    ),
    Row(
        "store_failed",
        lambda s: s.store is not None and s.state in (_S.IDLE, _S.CLOSED),
        "No car is plugged in. Cars can charge, but nothing can be written down ({store}): free some space or replace the storage.",
    ),
    Row("free", lambda s: s.state in (_S.IDLE, _S.CLOSED), "No car is plugged in."),
    Row("car_in_bay", lambda s: s.state is _S.PARKED, "A car stands in the bay: plug it in."),
    Row("button_awaited", lambda s: s.state is _S.PLUGGED and s.by_button, "A car is plugged in: press the button."),
    Row("no_authorization", lambda s: s.state is _S.PLUGGED, "A car is plugged in: show a token, or start by app."),
    Row("no_car", lambda s: s.state is _S.AUTHORIZED, "Authorized: plug the car in."),
    Row("car_unplugged", lambda s: s.state is _S.DETACHED, "The cable was unplugged at the car: plug it in again, or show the token to end."),
    Row("plug_held", lambda s: s.held and not _authorized(s), "The session is over; show the token that began it to take the plug."),
    Row("cable_left", lambda s: s.state is _S.CABLE_LEFT, "The session is over: take the cable out of the socket."),
    Row(
        "button_ended",
        lambda s: s.state is _S.FINISHING and s.by_button,
        "The session is over: unplug the car, or press the button to charge again.",
    ),
    Row("stopped", lambda s: s.state is _S.FINISHING, "The session is over: unplug the car, or show a token to charge again."),
    Row("car_unseen", lambda s: s.interrupted, "After a power cut the car has not been seen yet."),
    Row("limit", lambda s: s.limit_a < MINIMUM_A and s.cap != "floor", "No current by {owner}."),
    Row("waking", lambda s: s.wake == "waking", "The car sleeps: the offer is taken away for a moment, to wake it."),
    Row("switching_phases", lambda s: s.switching, "The car waits while it is changed to {phases}."),
    Row("permit_on_its_way", lambda s: not s.permitted, "The permit is on its way to the control process."),
    Row("no_offer", lambda s: s.offered_a < MINIMUM_A, "The control process does not offer current yet: {cap}."),
    Row(
        "car_sleeps",
        lambda s: s.wake == "given_up",
        "Current is offered, but the car sleeps and could not be woken: wake it by its app or a door, or unplug it and plug it in anew.",
    ),
    Row("car_waits", lambda s: s.state is _S.READY, "Current is offered; the car does not take it."),
    Row("limited_by_fault", lambda s: _limiting(s) is not None, "{fault}"),
    Row("limited_by_control", lambda s: s.cap not in ("", "permit"), "Limited to {amps} by {cap}."),
    Row(
        "charging_unwritten",
        lambda s: s.store is not None,
        "Charging with up to {amps}, but kept in memory only, as nothing can be written down ({store}): free some space or replace the storage.",
    ),
    Row("charging", lambda s: True, "Charging with up to {amps}, by {owner}."),
)


def reason(situation: Situation) -> Reason:
    """The leading cause."""
    row = next(row for row in TABLE if row.holds(situation))
    fault = _stopping(situation) or _limiting(situation)
    known = CATALOGUE.get(fault or "")
    sentence = row.sentence.format(
        fault=f"{known.sentence} {known.next_step}" if known else "",
        store=situation.store,
        owner=OWNERS.get(situation.limit_owner, situation.limit_owner),
        cap=CAPS.get(situation.cap, "it waits for the cable, the lock, a test or the rest after an opening"),
        amps=f"{situation.offered_a:g} A",
        phases="three phases" if situation.phases == 3 else "one phase",
    )
    return Reason(fault if row.sentence == "{fault}" and fault else row.word, sentence)


def _authorized(situation: Situation) -> bool:
    return situation.state in (_S.AUTHORIZED, _S.READY, _S.CHARGING, _S.DETACHED)


def _stopping(situation: Situation) -> str | None:
    """The strongest fault that keeps current from flowing."""
    return _strongest(situation, (Effect.OPEN_NOW, Effect.WITHDRAW, Effect.NO_NEXT_CLOSING))


def _limiting(situation: Situation) -> str | None:
    return _strongest(situation, (Effect.LIMIT,))


def _strongest(situation: Situation, effects: tuple[Effect, ...]) -> str | None:
    found = leading(name for name in situation.faults if CATALOGUE[name].effect in effects)
    return found.name if found else None
