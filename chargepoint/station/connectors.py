"""What each connector is told as, computed and told when it changes; and the faults that hold there. Must not know why a session is as it is.

Faults come from control, and from the station's own devices (meter, reader).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from chargepoint.clock import Clock
from chargepoint.model.connector import Phase, Status, blocking, leading, status
from chargepoint.model.facts import Fact, StatusFact
from chargepoint.model.fault import FaultKind
from chargepoint.model.session import State, phase
from chargepoint.model.stamp import Stamp
from chargepoint.settings import Evse
from chargepoint.station.hardware import Hardware
from chargepoint.station.sessions import Sessions

EV_SIDE = "EV side disconnected"
"""1.6 4.9."""
SETTLED_S = 0.5
"""The cable's resistor is read some turns after the pilot."""
STATION = (0, 0)
Place = tuple[int, int]
"""EVSE and connector."""


class Words(NamedTuple):
    """What is told of a connector, without the moment."""

    status: Status
    error_code: str = "NoError"
    vendor_error_code: str | None = None
    info: str | None = None
    vacant: bool = False

    def failed(self, fault: FaultKind) -> Words:
        """The same with a fault, which is told in place of anything else."""
        return self._replace(error_code=fault.code, vendor_error_code=fault.name, info=fault.sentence)

    def fact(self, place: Place, at: Stamp, *, ordered: bool = False) -> StatusFact:
        return StatusFact(*place, self.status, at, self.error_code, self.vendor_error_code, self.info, ordered, self.vacant)


class Connectors:
    """operative: whether an EVSE's connector is to be used at all (None, None: the station itself); reserved: whether it is kept for somebody;
    append: the outbox; show: the device model; least_s: how long a status must last to be told (1.6 MinimumStatusDuration)."""

    def __init__(
        self,
        clock: Clock,
        sessions: Sessions,
        hardware: Hardware,
        evses: Sequence[Evse],
        operative: Callable[[int | None, int | None], bool],
        append: Callable[[Fact], int],
        show: Callable[[StatusFact], None],
    ) -> None:
        self.reserved: Callable[[int], bool] = lambda evse: False
        self.least_s: Callable[[], float] = lambda: 0.0
        self.on_fault: list[Callable[[int, str, bool], None]] = []
        self._clock = clock
        self._sessions = sessions
        self._hardware = hardware
        self._places: dict[int, list[Place]] = {evse.id: [(evse.id, number + 1) for number in range(len(evse.connectors))] for evse in evses}
        self._operative = operative
        self._append = append
        self._show = show
        self._own: dict[int, set[str]] = {evse.id: set() for evse in evses}
        self._told: dict[Place, Words] = {}
        self._coming: dict[Place, tuple[Words, Stamp]] = {}

    def faults(self, evse: int) -> tuple[str, ...]:
        """The faults that hold at an EVSE, control's first."""
        state = self._hardware.state(evse)
        return (*(state.faults if state is not None else ()), *sorted(self._own.get(evse, ())))

    def fault(self, evse: int, name: str, present: bool) -> None:
        """A device of the station is lost or back."""
        had = name in self._own[evse]
        if had != present:
            (self._own[evse].add if present else self._own[evse].discard)(name)
            for callback in self.on_fault:
                callback(evse, name, present)
            self.report(evse)

    def phase(self, evse: int) -> Phase:
        """What the session at an EVSE looks like from outside."""
        return phase(self._sessions.row(evse), self._sessions.power(evse), self._clock.boot_s())

    def status(self, evse: int, connector: int = 1) -> Status:
        """The connector's word now. Of an EVSE with several connectors the first is the one in use. A change to inoperative waits for the end of a
        transaction (2.0.1 G03.FR.05)."""
        busy = self.phase(evse) if connector == 1 else Phase.FREE
        operative = self._operative(evse, connector) or (connector == 1 and self._sessions.goes_on(evse))
        return status(operative, blocking(self.faults(evse)), self.reserved(evse), busy)

    def usable(self, evse: int) -> bool:
        """Whether a new session may begin here."""
        return self._operative(evse, 1) and not blocking(self.faults(evse))

    def report(self, evse: int) -> None:
        """Tells the connectors of an EVSE whose status has changed. Whether only the car's end was unplugged shows a little later."""
        row = self._sessions.row(evse)
        if row is not None and row.state in (State.DETACHED, State.CABLE_LEFT) and self._clock.boot_s() < row.detached_at + SETTLED_S:
            return
        for place, words in self._words(evse):
            if self._told.get(place) == words:
                self._coming.pop(place, None)
            elif (began := self._lasted(place, words)) is not None:
                self._told[place] = words
                fact = words.fact(place, began)
                self._show(fact)
                self._append(fact)

    def report_all(self) -> None:
        """After a change that may touch every connector."""
        for evse in (0, *self._places):
            self.report(evse)

    def states(self) -> list[StatusFact]:
        """The present status of the station and of every connector."""
        now = self._clock.stamp()
        return [words.fact(place, now) for evse in (0, *self._places) for place, words in self._words(evse)]

    def repeat(self, evse: int | None, connector: int | None) -> bool:
        """Tells present statuses although nothing changed (F06). False when there is no such connector."""
        now = self._clock.stamp()
        wanted = [one for one in (0, *self._places) if evse in (None, one)]
        found = [(place, words) for one in wanted for place, words in self._words(one) if connector in (None, place[1])]
        for place, words in found:
            self._told[place] = words
            self._append(words.fact(place, now, ordered=True))
        return bool(found)

    def list_conflict(self) -> None:
        """The local list is at odds with the CSMS: a warning of the station itself, told once each time (1.6 3.5.2)."""
        for place, words in self._words(0):
            self._append(words._replace(error_code="LocalListConflict").fact(place, self._clock.stamp()))

    def _lasted(self, place: Place, words: Words) -> Stamp | None:
        """When a status that is news began, once it has lasted `least_s`; None before, so that a short one is never told (1.6 4.9)."""
        now = self._clock.stamp()
        coming, began = self._coming.get(place, (None, now))
        if coming is None or coming._replace(vacant=words.vacant) != words:
            began = now
        self._coming[place] = words, began
        return began if place not in self._told or now.boot_s >= began.boot_s + self.least_s() else None

    def _words(self, evse: int) -> Iterator[tuple[Place, Words]]:
        """Asked many times a second, so that the moment is only taken when there is something to tell."""
        if evse == 0:
            yield STATION, Words(Status.AVAILABLE if self._operative(None, None) else Status.UNAVAILABLE)
            return
        fault = leading(self.faults(evse))
        row = self._sessions.row(evse)
        side = EV_SIDE if row is not None and row.state in (State.DETACHED, State.CABLE_LEFT) else None
        vacant = row is not None and (row.state is State.AUTHORIZED or (row.state is State.DETACHED and self._sessions.tethered(evse)))
        for place in self._places[evse]:
            words = Words(self.status(*place), vacant=vacant and place[1] == 1)
            yield place, words._replace(info=side) if fault is None else words.failed(fault)
