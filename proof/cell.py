"""One cell of the campaign: a fault laid in a state, followed to the safe state and back. Must not know the table or how cells are printed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from chargepoint.model.fault import CATALOGUE, Clears
from proof import timeline
from proof.expectations import Expected, Reaction, Row
from proof.place import GROUNDS, STOPS_WITHIN_S, Missed, Place, State
from proof.timeline import Event

QUIET_S = 1.5
"""So long nothing may happen where nothing is expected."""
TOLD_S = 25.0
"""A fault is told, or a contactor tried three times, within this."""
LIMITED_S = 90.0
"""What is measured slowly limits within this; the row's own limit judges."""
GONE_S = 12.0
"""What goes with its cause is gone within this: a lost generator is tried again only every 10 s."""
STAYS_S = 1.2
KEYS = (Clears.PERSON, Clears.TEST)
KEY_TRIES = 5
CHARGES = (State.A, State.B1, State.B2, State.C2, State.D2)
"""Where the car charges under a fault that is only told."""
WITH_THE_PLUG = ("unlock_failed",)
"""The bolt is tried anew once the plug goes: what is left then is looked at then."""
FOUND_LIVE = "over_current"
"""Seen only while a car draws: the driver goes on until it does."""


@dataclass
class Cell:
    """What was seen. seconds: from the fault to the reaction. word: what the firmware told. recovery: how it came back. wrong: what failed.
    violations: how many of those the world saw itself. first: what failed when it was tried for the first time."""

    fault: str
    state: State
    expected: Expected
    reaction: str = "-"
    seconds: float | None = None
    word: str = ""
    recovery: str = "-"
    wrong: list[str] = field(default_factory=list)
    slow: str = ""
    violations: int = 0
    first: str = ""

    @property
    def passed(self) -> bool:
        return not self.wrong and not self.slow


async def try_cell(place: Place, row: Row, state: State) -> Cell:
    """The whole way: into the state, the fault, the reaction, the end, and back to a charging car."""
    expected = row.expected(state)
    cell = Cell(row.fault, state, expected)
    known = len(await place.violations())
    before = place.mark()
    try:
        await place.reach(state)
        before = place.mark()
        since_s = await _lay(place, row)
        await _react(place, cell, before, since_s)
        await _judge_time(cell, row)
        await _end(place, cell, before)
    except Missed as missed:
        cell.wrong.append(str(missed))
    try:
        await _back(place, cell)
    except (Missed, AssertionError) as missed:
        cell.wrong.append(f"back: {missed}")
    seen = (await place.violations())[known:]
    cell.violations = len(seen)
    cell.wrong += [f"violation: {violation['rule']}, {violation['text']}" for violation in seen]
    return cell


async def _lay(place: Place, row: Row) -> float:
    """Lays it; when it came on the wire."""
    mark, fault = place.mark(), row.fault
    await place.act("fault", fault=fault, **({} if row.value is None else {"value": row.value}))
    event = await place.wait(mark, lambda e: e["what"] == "fault" and e["fault"] == fault and e["active"], 5.0)
    if event is None:
        raise Missed(f"the world never told of {fault}")
    return float(event["at_s"])


async def _react(place: Place, cell: Cell, mark: int, since_s: float) -> None:
    """Waits for the reaction expected, and for the word."""
    if _to_be_driven(cell):
        await _drive_on(place, cell)
    event = await _WAITS[cell.expected.reaction](place, cell, mark)
    cell.reaction = cell.expected.reaction
    if event is not None:
        cell.seconds = max(0.0, float(event["at_s"]) - since_s)
    await _told(place, cell, mark, since_s)


def _to_be_driven(cell: Cell) -> bool:
    """Whether the driver goes on under the fault: where nothing is closed, unless the offer's end is the reaction."""
    by_itself = cell.expected.reaction is Reaction.WITHDRAWN and cell.expected.word != FOUND_LIVE
    return cell.state in (State.A, State.B1) or (cell.state is State.B2 and not by_itself)


async def _drive_on(place: Place, cell: Cell) -> None:
    if cell.state is State.A:
        await place.plug_in()
    if cell.state is State.B2:
        await place.act("ev", ready=True)
    else:
        await place.swipe()


async def _told(place: Place, cell: Cell, mark: int, since_s: float) -> None:
    word = cell.expected.word
    if not word:
        return
    event = await place.wait(mark, timeline.told(word), TOLD_S)
    if event is None:
        raise Missed(f"{cell.reaction}, but {word} was not told; told: {', '.join(await place.faults()) or 'nothing'}")
    cell.word = word
    if cell.seconds is None:
        cell.seconds = max(0.0, float(event["at_s"]) - since_s)


async def _opened(place: Place, cell: Cell, mark: int) -> Event:
    event = await place.wait(mark, timeline.coil_off, 8.0)
    if event is None:
        raise Missed(f"coil not off; told: {', '.join(await place.faults()) or 'nothing'}")
    return event


async def _withdrawn(place: Place, cell: Cell, mark: int) -> Event:
    if _to_be_driven(cell):
        if await place.wait(mark, timeline.coil_on, 15.0) is None and cell.expected.word == FOUND_LIVE:
            raise Missed("did not close")
        mark = place.mark()
    event = await place.wait(mark, timeline.x1, 30.0)
    if event is None:
        raise Missed(f"offer not withdrawn; told: {', '.join(await place.faults()) or 'nothing'}")
    await place.until("coil off", lambda evse, _: not evse["coil"], STOPS_WITHIN_S)
    return event


async def _limited(place: Place, cell: Cell, mark: int) -> Event | None:
    """The floor of the offer: 6 A is 10 %."""
    low = timeline.pilot(lambda event: 8.0 <= float(event["duty_percent"]) <= 10.1)
    event = await place.wait(mark, low, LIMITED_S)
    if event is None:
        raise Missed(f"not limited to 6 A; told: {', '.join(await place.faults()) or 'nothing'}")
    return event if cell.state in (State.B2, State.C2, State.D2) else None


async def _kept_open(place: Place, cell: Cell, mark: int) -> None:
    """The word first, then still open, and not closed meanwhile but for a try."""
    if cell.expected.word and await place.wait(mark, timeline.told(cell.expected.word), TOLD_S) is None:
        raise Missed(f"{cell.expected.word} not told; told: {', '.join(await place.faults()) or 'nothing'}")
    await asyncio.sleep(2 * QUIET_S)
    evse = await place.evse()
    if evse["coil"]:
        raise Missed("closed")


async def _told_only(place: Place, cell: Cell, mark: int) -> None:
    if cell.state in (State.A, State.B1, State.B2):
        await place.charging()
    before = (await place.evse())["coil"]
    if await place.wait(mark, timeline.told(cell.expected.word), TOLD_S) is None:
        raise Missed(f"{cell.expected.word} not told; told: {', '.join(await place.faults()) or 'nothing'}")
    if cell.state in CHARGES and not (before and (await place.evse())["coil"]):
        raise Missed("opened")


async def _goes_on(place: Place, cell: Cell, mark: int) -> None:
    """Charging begins, or nothing changes; and nothing is told."""
    if cell.state in (State.A, State.B1, State.B2):
        await place.charging()
        mark = place.mark()
    await asyncio.sleep(QUIET_S)
    if cell.state is not State.AFTER and place.first(mark, timeline.coil_off) is not None:
        raise Missed(f"opened; told: {', '.join(await place.faults()) or 'nothing'}")
    if cell.state in GROUNDS and place.first(mark, timeline.coil_on) is not None:
        raise Missed("closed")
    words = await _words(place, cell)
    if words:
        raise Missed(f"told: {', '.join(words)}")


async def _words(place: Place, cell: Cell) -> list[str]:
    """The firmware's words beside that of the state itself."""
    own = [GROUNDS[cell.state].word] if cell.state in GROUNDS else []
    return [word for word in await place.faults() if word not in own]


_WAITS: dict[Reaction, Callable[[Place, Cell, int], Awaitable[Event | None]]] = {
    Reaction.OPENED: _opened,
    Reaction.WITHDRAWN: _withdrawn,
    Reaction.LIMITED: _limited,
    Reaction.KEPT_OPEN: _kept_open,
    Reaction.TOLD: _told_only,
    Reaction.GOES_ON: _goes_on,
}


async def _judge_time(cell: Cell, row: Row) -> None:
    limit_s = row.limit_s(cell.expected.reaction)
    measured = cell.state in (State.B2, State.C2, State.C1, State.D2)
    if measured and limit_s is not None and cell.seconds is not None and cell.seconds > limit_s:
        cell.slow = f"{cell.seconds:.3f} s, limit {limit_s:g} s"


async def _end(place: Place, cell: Cell, mark: int) -> None:
    """The driver ends what still charges; what could not be seen before is seen now, at the latest when the cable goes."""
    if (await place.evse())["coil"]:
        if cell.state is not State.C1 and cell.fault != "reader_offline":
            await place.swipe()
        else:
            await place.act("ev", ready=False)
        await place.until("coil off", lambda evse, _: not evse["coil"], STOPS_WITHIN_S)
    word = cell.expected.at_end
    if not word:
        return
    if cell.state in GROUNDS:
        await place.lift_ground(cell.state)
        await place.swipe()
    if await place.wait(mark, timeline.told(word), 4.0) is None:
        await place.unplug()
        if await place.wait(mark, timeline.told(word), 8.0) is None:
            raise Missed(f"{word} not told at the end; told: {', '.join(await place.faults()) or 'nothing'}")
    cell.word = f"{word} at the end"


async def _back(place: Place, cell: Cell) -> None:
    """The cause goes, what is left is cleared as the catalogue says, and the next car charges."""
    words = await _words(place, cell)
    cell.recovery = ", ".join(sorted({await _try_key_early(place, cell, word) for word in words})) or "by itself"
    await place.world.delete(f"evse/{place.number}/fault/{cell.fault}")
    await place.lift_ground(cell.state)
    for word in words:
        await _clears(place, cell, word)
    await place.unplug()
    for word in await _left(place):
        if CATALOGUE[word].clears not in KEYS:
            raise Missed(f"{word} stayed after the cable had gone")
        await _turn_key(place, word)
    await place.clean()
    if cell.expected.reaction is not Reaction.GOES_ON or cell.expected.at_end or cell.state in GROUNDS:
        await place.charge()
        await place.swipe()
        await place.opened()
        await place.clean()


async def _try_key_early(place: Place, cell: Cell, word: str) -> str:
    """A person's key is refused while the cause lasts, or the fault is found anew at once: a driver that holds the coil shows only while the
    relay supply is fed. Answers how the fault clears."""
    clears = CATALOGUE[word].clears
    if clears in KEYS and await _key(place, word):
        await asyncio.sleep(STAYS_S)
        if word not in await place.faults():
            cell.wrong.append(f"{word} was cleared while its cause lasted")
    return "key" if clears in KEYS else clears.value


async def _clears(place: Place, cell: Cell, word: str) -> None:
    """A fault goes with its cause, or it stays until what the catalogue says."""
    if word in WITH_THE_PLUG:
        return
    if CATALOGUE[word].clears is Clears.CAUSE_GONE:
        await place.until(f"{word} gone with its cause", lambda _, connector: word not in connector["faults"], GONE_S)
        return
    await asyncio.sleep(STAYS_S)
    if word not in await place.faults():
        cell.wrong.append(f"{word} went with its cause; it clears by {CATALOGUE[word].clears.value}")


async def _left(place: Place) -> list[str]:
    """What is still there when the cable has gone, once what goes by itself has gone."""
    try:
        await place.until("no fault", lambda _, connector: not connector["faults"], STAYS_S)
    except Missed:
        words = await place.faults()
        if all(CATALOGUE[word].clears in KEYS for word in words):
            return words
        await place.until("no fault", lambda _, connector: all(CATALOGUE[w].clears in KEYS for w in connector["faults"]), GONE_S)
        return await place.faults()
    return []


async def _turn_key(place: Place, word: str) -> None:
    for _ in range(KEY_TRIES):
        if await _key(place, word):
            await place.until(f"{word} cleared", lambda _, connector: word not in connector["faults"], GONE_S)
            return
        await asyncio.sleep(0.5)
    raise Missed(f"the key did not clear {word}")


async def _key(place: Place, word: str) -> bool:
    """Turns the technician's key; whether it was taken."""
    try:
        await place.act("clear", fault=word)
    except AssertionError:
        return False
    return True
