"""The sequences of IEC 61851-1 Annex A that an AC charge point can have, each a row: clause, limit, and how it is measured. Must not know printing.

M marks a limit taken from general knowledge of the standard, to be checked against its text. Times are the world's wire's.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from proof import timeline
from proof.place import Missed, Place, State
from proof.timeline import Event, Met

SEEN_S = 15.0
RESTED_S = 45.0
"""So long after a fault the offer is back: the contactor rests first."""
LATE_S = 0.02
"""Both changes are written in a turn of the loop, and a turn may be late."""
HELD_S = 3.0
"""So long nothing may be offered or closed where nothing is allowed."""
FULL_A = 32.0
FULL_PERCENT = 53.0
"""The duty of 32 A is a little more."""
WARM_C = 72.0
"""Where the offer is lowered and nothing is withdrawn."""
DUTY_TOLERANCE = 0.5
"""Percent of duty. M"""


class Limit(NamedTuple):
    """What the measured value has to lie within. unit: as printed."""

    at_least: float | None
    at_most: float | None
    unit: str

    def met(self, value: float) -> bool:
        return (self.at_least is None or value >= self.at_least) and (self.at_most is None or value <= self.at_most)

    def __str__(self) -> str:
        words = [f"{sign} {bound:g}" for sign, bound in ((">=", self.at_least), ("<=", self.at_most)) if bound is not None]
        return f"{' and '.join(words)} {self.unit}" if words else ""


Measure = Callable[[Place], Awaitable[float]]


class Setting(NamedTuple):
    """What a station is set to. evse: more lines of its [[evse]]; more: further tables."""

    evse: str = ""
    more: str = ""


PLAIN, VENTILATED = Setting(), Setting(evse="ventilation = true")
WAKING = Setting(evse='vehicle = "dacia_spring"', more="[vehicles]\nwake_after_s = 5")
"""The one car that charges here sleeps, and a break of 4 s wakes it."""
SETTINGS = (PLAIN, VENTILATED, WAKING)


class Sequence(NamedTuple):
    """One sequence. tethered: whether a station with a cable of its own has it too; setting: what the station has to be set to."""

    number: str
    title: str
    clause: str
    limit: Limit
    measure: Measure
    tethered: bool = True
    setting: Setting = PLAIN


def within_ms(most: float) -> Limit:
    return Limit(None, most, "ms")


def within_s(most: float) -> Limit:
    return Limit(None, most, "s")


def at_least_s(least: float) -> Limit:
    return Limit(least, None, "s")


def _now_s() -> float:
    """As the world's events count."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def _state(word: str) -> Met:
    return timeline.pilot(lambda event: event["state"] == word)


async def _see(place: Place, mark: int, met: Met, what: str, seconds: float = SEEN_S) -> Event:
    event = await place.wait(mark, met, seconds)
    if event is None:
        raise Missed(f"{what}: not within {seconds:g} s")
    return event


async def _between(place: Place, mark: int, first: Met, then: Met, what: str) -> float:
    """Seconds from one event to the first of the other kind that is not before it."""
    began = float((await _see(place, mark, first, f"{what}, its beginning"))["at_s"])
    return float((await _see(place, mark, lambda event: then(event) and event["at_s"] >= began, what))["at_s"]) - began


async def _nothing_offered(place: Place) -> float:
    """X1, and open, for so long; the time watched."""
    mark, began = place.mark(), _now_s()
    await asyncio.sleep(HELD_S)
    if place.first(mark, timeline.offered) or place.first(mark, timeline.coil_on):
        raise Missed("offered or closed without a permit")
    return _now_s() - began


async def _reaction(place: Place, *causes: str) -> float:
    """The slowest of the contacts' opening by these causes since the timings were cleared, in ms."""
    await place.opened()
    rows = [row for row in await place.world.get("timings?each=1") if row["cause"] in causes and row["evse"] == place.number]
    if not rows or rows[-1]["contacts_ms"] is None:
        raise Missed(f"the world timed no opening by {', '.join(causes)}")
    return max(float(row["contacts_ms"]) for row in rows)


def _opening(state: State, cause: str, act: Callable[[Place], Awaitable[None]]) -> Measure:
    """From a change on the wire to open contacts."""

    async def measure(place: Place) -> float:
        await place.reach(state)
        await place.world.delete("timings")
        await act(place)
        return await _reaction(place, cause)

    return measure


def _act(what: str, **body: Any) -> Callable[[Place], Awaitable[None]]:
    async def act(place: Place) -> None:
        await place.act(what, **body)

    return act


def _car_stops(state: State) -> Measure:
    return _opening(state, "s2_open", _act("ev", ready=False))


# plug-in --------------------------------------------------------------------------------------------------------------------------------


async def _plugged_in(place: Place) -> float:
    await place.plug_in()
    await place.pilot("B1")
    return await _nothing_offered(place)


async def _car_end_last(place: Place) -> float:
    await place.plug_in()
    await place.act("ev-unplug")
    await place.pilot("A")
    await place.act("ev-plug")
    await place.pilot("B1")
    return await _nothing_offered(place)


async def _without_state_b(place: Place) -> float:
    await place.plug_in(skips_b=True)
    await place.pilot("C1")
    return await _nothing_offered(place)


async def _straight_to_c(place: Place) -> float:
    await place.plug_in(skips_b=True)
    await place.pilot("C1")
    mark = place.mark()
    await place.swipe()
    return await _between(place, mark, timeline.offered, timeline.contacts("closed"), "closed")


# the offer ------------------------------------------------------------------------------------------------------------------------------


async def _unplugged_in_b(place: Place) -> float:
    await place.reach(State.B2)
    mark = place.mark()
    await place.unplug()
    return await _between(place, mark, _state("A"), timeline.x1, "X1")


async def _permit_to_offer(place: Place) -> float:
    await place.reach(State.B1)
    mark = place.mark()
    await place.swipe()
    event = await _see(place, mark, timeline.offered, "PWM")
    return float(event["duty_percent"]) * 0.6


def _cable(rating_a: float) -> Measure:
    """What is offered over a cable of this rating."""

    async def measure(place: Place) -> float:
        await place.plug_in(cable_a=rating_a, ready=False)
        mark = place.mark()
        await place.swipe()
        return float((await _see(place, mark, timeline.offered, "PWM"))["duty_percent"]) * 0.6

    return measure


def _other_duty(than: float) -> Met:
    return timeline.pilot(lambda event: timeline.offered(event) and abs(float(event["duty_percent"]) - than) > DUTY_TOLERANCE)


async def _derated(place: Place) -> tuple[int, Event]:
    """A limit from outside the session: the charger grows warm. The mark before, and the duty's change."""
    await place.reach(State.C2)
    await place.world.until(lambda state: state["evses"][place.number - 1]["pilot"]["duty_percent"] > FULL_PERCENT)  # cool again
    duty = float((await place.evse())["pilot"]["duty_percent"])
    mark = place.mark()
    await place.act("fault", fault="over_temperature", value=WARM_C)
    return mark, await _see(place, mark, _other_duty(duty), "a lower duty")


async def _limit_to_offer(place: Place) -> float:
    mark, lower = await _derated(place)
    warm = await _see(place, mark, lambda event: event["what"] == "fault", "warm")
    return float(lower["at_s"]) - float(warm["at_s"])


async def _paced_up(place: Place) -> float:
    _, lower = await _derated(place)
    mark = place.mark()
    await place.world.delete(f"evse/{place.number}/fault/over_temperature")
    raised = await _see(place, mark, _other_duty(float(lower["duty_percent"])), "a higher duty")
    return float(raised["at_s"]) - float(lower["at_s"])


async def _locked_before(place: Place) -> float:
    mark = place.mark()
    await place.charge()
    locked = await _see(place, mark, lambda event: event["what"] == "lock" and event["lock"] == "locked", "locked")
    closed = await _see(place, mark, timeline.contacts("closed"), "closed")
    return float(closed["at_s"]) - float(locked["at_s"])


async def _unlocked_after(place: Place) -> float:
    await place.reach(State.C2)
    mark = place.mark()
    await place.swipe()
    opened = await _see(place, mark, timeline.contacts("open"), "open")
    await asyncio.sleep(1.0)
    await place.unplug()
    return float((await _see(place, mark, _bolt_open, "unlocked"))["at_s"]) - float(opened["at_s"])


def _bolt_open(event: Event) -> bool:
    return bool(event["what"] == "lock" and event["lock"] != "locked")


# energy ---------------------------------------------------------------------------------------------------------------------------------


def _asks(word: str, **ev: Any) -> Measure:
    """From S2 closed to the contacts closed."""

    async def measure(place: Place) -> float:
        await place.plug_in(ready=False, **ev)
        await place.swipe()
        await place.pilot("B2")
        mark = place.mark()
        await place.act("ev", ready=True)
        return await _between(place, mark, _state(word), timeline.contacts("closed"), "closed")

    return measure


async def _withdrawn_in_b(place: Place) -> float:
    await place.reach(State.B2)
    mark, began = place.mark(), _now_s()
    await place.swipe()
    return float((await _see(place, mark, timeline.x1, "X1"))["at_s"]) - began


async def _withdrawn_in_c(place: Place) -> float:
    await place.charge(s2_open_s=2.0)
    loaded, mark = (await place.evse())["cycles"]["under_load"], place.mark()
    await place.swipe()
    taken_s = await _between(place, mark, timeline.x1, timeline.coil_off, "open")
    if (await place.evse())["cycles"]["under_load"] != loaded:
        raise Missed("opened under load")
    return taken_s


async def _withdrawn_then_b(place: Place) -> float:
    await place.charge(s2_open_s=2.0)
    await place.world.delete("timings")
    await place.swipe()
    return await _reaction(place, "s2_open")


async def _does_not_stop(place: Place) -> float:
    await place.charge(s2_open_s=None)
    mark = place.mark()
    await place.swipe()
    return await _between(place, mark, timeline.x1, timeline.coil_off, "open")


# ventilation ----------------------------------------------------------------------------------------------------------------------------


async def _refused_d(place: Place) -> float:
    await place.plug_in(ventilation=True)
    mark, began = place.mark(), _now_s()
    await place.swipe()
    await _see(place, mark, _state("D2"), "D2")
    await asyncio.sleep(HELD_S)
    if place.first(mark, timeline.coil_on):
        raise Missed("closed in D")
    return _now_s() - began


async def _c_to_d_refused(place: Place) -> float:
    await place.reach(State.C2)
    mark = place.mark()
    await place.act("ev", ventilation=True)
    return await _between(place, mark, _state("D2"), timeline.contacts("open"), "open")


async def _c_to_d_allowed(place: Place) -> float:
    await place.reach(State.C2)
    mark, began = place.mark(), _now_s()
    await place.act("ev", ventilation=True)
    await _see(place, mark, _state("D2"), "D2")
    await asyncio.sleep(HELD_S)
    if place.first(mark, timeline.coil_off):
        raise Missed("opened in D")
    return _now_s() - began


# E, F and the start ---------------------------------------------------------------------------------------------------------------------


def _back_from(word: str, told: str, fault: str, **body: Any) -> Measure:
    """From the end of a fault that has shown E or F, and been told as what it is, to the next offer."""

    async def measure(place: Place) -> float:
        await place.reach(State.C2)
        mark = place.mark()
        await place.act("fault", fault=fault, **body)
        await _see(place, mark, _state(word), word)
        await _see(place, mark, timeline.contacts("open"), "open")
        await _see(place, mark, timeline.told(told), told)
        mark = place.mark()
        await place.world.delete(f"evse/{place.number}/fault/{fault}")
        x1 = await _see(place, mark, timeline.x1, "X1")
        offered = await _see(place, mark, lambda event: timeline.offered(event) and event["at_s"] > x1["at_s"], "offered anew", RESTED_S)
        return float(offered["at_s"]) - float(x1["at_s"])

    return measure


async def _to_f(place: Place) -> float:
    await place.reach(State.C2)
    mark = place.mark()
    await place.act("fault", fault="pwm_stuck", value=0.0)
    return 1000.0 * await _between(place, mark, _state("F"), timeline.contacts("open"), "open")


async def _woken(place: Place) -> float:
    """A car that is offered current and stays in B: how long the offer is taken away."""
    await place.reach(State.B2)
    mark = place.mark()
    return await _between(place, mark, timeline.x1, timeline.offered, "offered again")


async def _car_at_the_start(place: Place) -> float:
    await place.reach(State.C2)
    mark = place.mark()
    await place.world.post("kill", {"process": "control", "signal": "KILL"})
    off = await _see(place, mark, timeline.coil_off, "open")
    x1 = await _see(place, mark, lambda event: timeline.x1(event) and event["at_s"] >= off["at_s"], "X1")
    offered = await _see(place, mark, lambda event: timeline.offered(event) and event["at_s"] > x1["at_s"], "offered anew")
    return float(offered["at_s"]) - float(x1["at_s"])


def _near(amps: float) -> Limit:
    """What one microsecond of the pulse, or a rounding, takes away; never above."""
    return Limit(amps - 0.3, amps + 0.01, "A")


C2, D2 = State.C2, State.D2
SEQUENCES: tuple[Sequence, ...] = (
    Sequence("1.1", "A to B1: plugged in, no permit: X1 stays", "Table A.6, 1.1", at_least_s(HELD_S), _plugged_in),
    Sequence("1.2", "the car's end last: X1 stays", "Table A.6, 1.1", at_least_s(HELD_S), _car_end_last),
    Sequence("1.3", "A to C1 (S2 closed already), no permit: open, X1", "A.2.3", at_least_s(HELD_S), _without_state_b),
    Sequence("1.4", "A to C1, then permitted: PWM to closed", "A.2.3; Table A.6, 4", within_s(3.0), _straight_to_c),
    Sequence("lock", "locked, then closed", "6.3 (socket)", at_least_s(0.0), _locked_before, tethered=False),
    Sequence("unlock", "open, then unlocked", "6.3 (socket)", at_least_s(0.1), _unlocked_after, tethered=False),
    Sequence("2.1", "B2 to A: unplugged: PWM to X1", "Table A.6, 2.1", within_s(3.0), _unplugged_in_b),
    Sequence("2.2", "C2 to A: unplugged: contacts open", "Table A.6, 2.2 (M)", within_ms(100.0), _opening(C2, "unplug", _act("unplug"))),
    Sequence("2.2", "C2 to A: the car's end only: contacts open", "Table A.6, 2.2 (M)", within_ms(100.0), _opening(C2, "unplug", _act("ev-unplug"))),
    Sequence("2.2", "C1 to A: unplugged: contacts open", "Table A.6, 2.2 (M)", within_ms(100.0), _opening(State.C1, "unplug", _act("unplug"))),
    Sequence("3", "B1 to B2: the offer a permit makes", "Table A.6, 3; Table A.7", _near(FULL_A), _permit_to_offer),
    *(
        Sequence("3", f"a cable of {rating_a:g} A: the offer", "Table A.7; Table B.2", _near(min(rating_a, FULL_A)), _cable(rating_a), tethered=False)
        for rating_a in (13.0, 20.0, 32.0, 63.0)
    ),
    Sequence("4", "B2 to C2: S2 closed to contacts closed", "Table A.6, 4", within_s(3.0), _asks("C2")),
    Sequence("6", "a lower limit (heat): to the new duty", "Table A.6, 6 (M)", within_s(10.0), _limit_to_offer),
    Sequence("6", "and up again: between two changes of the duty", "Table A.6, 6", at_least_s(5.0 - LATE_S), _paced_up),
    Sequence("8.1", "C2 to B2: the car stops: contacts open", "Table A.6, 8.1", within_ms(100.0), _car_stops(C2)),
    Sequence("8.2", "C1 to B1: the car stops after the offer: contacts open", "Table A.6, 8.2", within_ms(100.0), _withdrawn_then_b),
    Sequence("9.1", "B2 to B1: the driver ends: X1", "Table A.6, 9.1", within_s(3.0), _withdrawn_in_b),
    Sequence("9.2", "C2 to C1: the car has its time: X1 to open, no load", "Table A.6, 9.2", Limit(2.0, 3.0, "s"), _withdrawn_in_c),
    Sequence("10.2", "C1, the car goes on: opened under load", "Table A.6, 10.2", Limit(6.0, 6.5, "s"), _does_not_stop),
    Sequence("11", "C2 to E: contacts open", "Table A.6, 2.2 (M)", within_ms(100.0), _opening(C2, "cp_short", _act("fault", fault="cp_short"))),
    Sequence("11", "E to B: X1 stays, until offered anew", "Table A.5", at_least_s(0.3), _back_from("E", "pilot_short", "cp_short")),
    Sequence("12", "C2 to F (the generator's): contacts open", "Table A.6, 2.2 (M)", within_ms(100.0), _to_f),
    Sequence("12", "F to B: X1 stays, until offered anew", "Table A.5", at_least_s(0.3), _back_from("F", "pilot_lost", "pwm_stuck", value=0.0)),
    Sequence("diode", "C2 without diode: contacts open", "A.4 (M)", within_ms(100.0), _opening(C2, "diode", _act("fault", fault="diode"))),
    Sequence("D", "B2 to D2 refused: open", "Table A.6, 4", at_least_s(HELD_S), _refused_d),
    Sequence("D", "C2 to D2 refused: contacts open", "Table A.6 (M)", within_s(3.0), _c_to_d_refused),
    Sequence("D", "B2 to D2: S2 closed to contacts closed", "Table A.6, 4", within_s(3.0), _asks("D2", ventilation=True), setting=VENTILATED),
    Sequence("D", "C2 to D2: charging goes on", "Table A.6", at_least_s(HELD_S), _c_to_d_allowed, setting=VENTILATED),
    Sequence(
        "D", "D2 to A: unplugged: contacts open", "Table A.6, 2.2 (M)", within_ms(100.0), _opening(D2, "unplug", _act("unplug")), setting=VENTILATED
    ),
    Sequence("D", "D2 to B2: the car stops: contacts open", "Table A.6, 8.1", within_ms(100.0), _car_stops(D2), setting=VENTILATED),
    Sequence("wake", "B2, the car sleeps: the break of the offer", "A.5.3", Limit(4.0 - LATE_S, 4.5, "s"), _woken, setting=WAKING),
    Sequence("start", "control starts anew in C: X1 before the next offer", "Annex A.3 (M)", at_least_s(3.0), _car_at_the_start),
)
