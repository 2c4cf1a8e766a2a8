"""What each connector is told as, computed and told when it changes; and the faults that hold there. Must not know why a session is as it is.

Faults come from control, and from the station's own devices (meter, reader).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from chargepoint.clock import Clock
from chargepoint.model.connector import Phase, Status, blocking, leading, status
from chargepoint.model.facts import Fact, StatusFact
from chargepoint.model.session import State, phase
from chargepoint.settings import Evse
from chargepoint.station.hardware import Hardware
from chargepoint.station.sessions import Sessions

EV_SIDE = "EV side disconnected"
"""1.6 4.9."""
SETTLED_S = 0.5
"""The cable's resistor is read some turns after the pilot."""


class Connectors:
    """operative: whether an EVSE's connector is to be used at all (None, None: the station itself); reserved: whether it is kept for somebody;
    append: the outbox; show: the device model."""

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
        self.on_fault: list[Callable[[int, str, bool], None]] = []
        self._clock = clock
        self._sessions = sessions
        self._hardware = hardware
        self._evses = evses
        self._operative = operative
        self._append = append
        self._show = show
        self._own: dict[int, set[str]] = {evse.id: set() for evse in evses}
        self._told: dict[tuple[int, int], StatusFact] = {}

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
        """The connector's word now. Of an EVSE with several connectors the first is the one in use."""
        busy = self.phase(evse) if connector == 1 else Phase.FREE
        return status(self._operative(evse, connector), blocking(self.faults(evse)), self.reserved(evse), busy)

    def usable(self, evse: int) -> bool:
        """Whether a new session may begin here."""
        return self._operative(evse, 1) and not blocking(self.faults(evse))

    def report(self, evse: int) -> None:
        """Tells the connectors of an EVSE whose status has changed. Whether only the car's end was unplugged shows a little later."""
        row = self._sessions.row(evse)
        if row is not None and row.state in (State.DETACHED, State.CABLE_LEFT) and self._clock.boot_s() < row.detached_at + SETTLED_S:
            return
        for fact in self._facts(evse):
            place = (fact.evse, fact.connector)
            if place not in self._told or _words(self._told[place]) != _words(fact):
                self._told[place] = fact
                self._show(fact)
                self._append(fact)

    def report_all(self) -> None:
        """After a change that may touch every connector."""
        for evse in (0, *(evse.id for evse in self._evses)):
            self.report(evse)

    def states(self) -> list[StatusFact]:
        """The present status of the station and of every connector."""
        return [fact for evse in (0, *(evse.id for evse in self._evses)) for fact in self._facts(evse)]

    def repeat(self, evse: int | None, connector: int | None) -> bool:
        """Tells present statuses although nothing changed (F06). False when there is no such connector."""
        facts = [fact for fact in self.states() if evse in (None, fact.evse) and connector in (None, fact.connector)]
        for fact in facts:
            self._told[(fact.evse, fact.connector)] = fact
            self._append(fact)
        return bool(facts)

    def _facts(self, evse: int) -> Iterable[StatusFact]:
        now = self._clock.stamp()
        if evse == 0:
            word = Status.AVAILABLE if self._operative(None, None) else Status.UNAVAILABLE
            yield StatusFact(0, 0, word, now)
            return
        fault = leading(self.faults(evse))
        row = self._sessions.row(evse)
        side = EV_SIDE if row is not None and row.state in (State.DETACHED, State.CABLE_LEFT) else None
        for connector in range(1, len(self._named(evse).connectors) + 1):
            yield StatusFact(
                evse,
                connector,
                self.status(evse, connector),
                now,
                fault.code if fault else "NoError",
                fault.name if fault else None,
                fault.sentence if fault else side,
            )

    def _named(self, evse: int) -> Evse:
        return next(one for one in self._evses if one.id == evse)


def _words(fact: StatusFact) -> tuple[str, str, str | None, str | None]:
    return (fact.status, fact.error_code, fact.vendor_error_code, fact.info)
