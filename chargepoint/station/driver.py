"""A token is shown: which EVSE is meant, who may do what, and then a start, a stop or a released plug. Must not know readers or transactions.

Tokens are taken one after the other, in the order shown; a second showing while the first is asked about counts as a second.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from enum import Enum, auto
from typing import NamedTuple

from chargepoint.clock import Clock
from chargepoint.model.facts import StopReason, Trigger
from chargepoint.model.idtoken import NOBODY, AuthorizationStatus, IdToken, IdTokenInfo, IdTokenType
from chargepoint.model.session import SessionRow, State
from chargepoint.station.authorization import Authorization, Verdict
from chargepoint.station.sessions import OCPP_16, Sessions, Start
from chargepoint.station.transactions import Cause

log = logging.getLogger(__name__)


class Act(Enum):
    """START: begin here once accepted. STOP: end what runs here, by the same token at once or by its group. RELEASE: give back a held plug."""

    START = auto()
    STOP = auto()
    RELEASE = auto()


class Choice(NamedTuple):
    """floating: the car may still come to another EVSE."""

    act: Act
    evse: int
    floating: bool = False


class Shown(NamedTuple):
    """A token and, where the reader has one, its EVSE."""

    token: IdToken
    evse: int | None


RUNNING = (State.AUTHORIZED, State.READY, State.CHARGING, State.DETACHED)


def same(one: IdToken | None, other: IdToken) -> bool:
    """C01.FR.25: value and type."""
    return one is not None and one.same_key() == other.same_key()


def may_stop(row: SessionRow, token: IdToken, group: IdToken | None) -> bool:
    """The token that began, or one of its group (C01.FR.03, C09.FR.03)."""
    return same(row.token, token) or (group is not None and row.group is not None and group.key() == row.group.key())


def choose(rows: Sequence[SessionRow], free: Sequence[int], token: IdToken, group: IdToken | None, evse: int | None) -> Choice | None:
    """What a token means now. rows: the sessions, of `evse` alone when the reader has one; free: usable EVSEs where nothing is plugged in or
    authorized.

    In order: a held plug of its own; a car plugged in last that nobody has authorized; what it may stop; its own car that has finished; a free EVSE,
    first the one whose bay a car has entered last; any car that has finished and whose transaction has: a running one is nobody else's (C01.FR.23).
    """
    recent = sorted(rows, key=lambda row: -row.plugged_at)
    held = [row for row in recent if row.hold and not row.authorized and may_stop(row, token, group)]
    new = [row for row in recent if row.state is State.PLUGGED]
    mine = [row for row in recent if row.state in RUNNING and may_stop(row, token, group)]
    finished = [row for row in recent if row.state is State.FINISHING and not row.hold]
    finished_mine = [row for row in finished if same(row.token, token)]
    for act, found in ((Act.RELEASE, held), (Act.START, new), (Act.STOP, mine), (Act.START, finished_mine)):
        if found:
            return Choice(act, found[0].evse)
    parked = sorted((row for row in rows if row.state is State.PARKED), key=lambda row: -row.began.boot_s)
    arrived = [row.evse for row in parked if row.evse in free and open_to(row, token)]
    if arrived:
        return Choice(Act.START, arrived[0])
    empty = [number for number in free if number not in [row.evse for row in parked]]
    if empty:
        return Choice(Act.START, empty[0], floating=evse is None)
    over = [row for row in finished if row.running is None or row.ending is not None]
    return Choice(Act.START, over[0].evse) if over else None


def open_to(row: SessionRow, token: IdToken) -> bool:
    """Whether nobody's transaction but its own goes on there."""
    return row.running is None or row.ending is not None or row.token is None or same(row.token, token)


class Driver:
    """on_refused: told the EVSEs of a reader whose token was refused. may_begin: whether new transactions are allowed at all; usable: whether an EVSE
    is; version: the subprotocol in use."""

    def __init__(
        self,
        clock: Clock,
        sessions: Sessions,
        authorization: Authorization,
        evses: Sequence[int],
        usable: Callable[[int], bool],
        may_begin: Callable[[], bool],
        version: Callable[[], str],
    ) -> None:
        self.on_refused: Callable[[Sequence[int]], None] = lambda evses: None
        self._clock = clock
        self._sessions = sessions
        self._authorization = authorization
        self._evses = evses
        self._usable = usable
        self._may_begin = may_begin
        self._version = version
        self._shown: asyncio.Queue[Shown] = asyncio.Queue()

    def show(self, token: IdToken, evse: int | None) -> None:
        """A token was shown; returns at once."""
        self._shown.put_nowait(Shown(token, evse))

    async def run(self) -> None:
        """Takes the tokens shown, one after the other, until cancelled."""
        while True:
            shown = await self._shown.get()
            await self.take(shown.token, shown.evse)

    async def take(self, token: IdToken, evse: int | None = None) -> None:
        """Does what a token means. What its own session needs is done without asking anybody (E07.FR.01)."""
        token = self._typed(token)
        known = self._authorization.known(token)
        group = known.info.group if known is not None and known.accepted else None
        choice = self._choose(token, group, evse)
        if choice is not None and choice.act is not Act.START:
            self._carry_out(choice, token, group)
            return
        verdict = await self._authorization.authorize(token)
        if not verdict.accepted:
            log.info("token %s is refused: %s (%s)", token, verdict.info.status.value, verdict.source.value)
            self.on_refused(self._evses if evse is None else (evse,))
        elif self._authorization.is_master(verdict.info):
            self._stop_all(token)
        else:
            self._accepted(token, verdict, evse)

    async def take_remote(self, token: IdToken, evse: int, remote_start_id: int | None, group: IdToken | None, *, ask: bool) -> None:
        """A remote start that was accepted (F01, F02). ask: AuthorizeRemoteStart."""
        token = self._typed(token)
        if ask:
            verdict = await self._authorization.authorize(token)
            if not verdict.for_evse(evse) or self._authorization.is_master(verdict.info):
                log.info("EVSE %d: remote start is not authorized: %s", evse, verdict.info.status.value)
                return
            group = verdict.info.group or group
        self._start(evse, Start(token, group, remote=True, remote_start_id=remote_start_id))

    def begins_nothing(self, token: IdToken, group: IdToken | None) -> bool:
        """Whether a token is a master pass, by the group it is given or by what list or cache know of it (C16.FR.03)."""
        known = self._authorization.known(self._typed(token))
        infos = (IdTokenInfo(AuthorizationStatus.ACCEPTED, group=group), *(() if known is None else (known.info,)))
        return any(map(self._authorization.is_master, infos))

    def press(self, evse: int) -> None:
        """The button at an EVSE: it begins where no card is asked for, and ends what was begun so (C02)."""
        row = self._sessions.row(evse)
        if row is not None and row.state in RUNNING:
            if same(row.token, NOBODY):
                self._carry_out(Choice(Act.STOP, evse), NOBODY, None)
        elif self._authorization.needed():
            log.info("EVSE %d: the button starts nothing while a token is asked for", evse)
        else:
            self._start(evse, Start(NOBODY))

    def free(self) -> list[int]:
        """Usable EVSEs where nothing is plugged in or authorized, in their order."""
        rows = self._sessions.rows
        return [evse for evse in self._evses if (evse not in rows or rows[evse].state is State.PARKED) and self._usable(evse)]

    def _typed(self, token: IdToken) -> IdToken:
        """1.6 knows no token types, so that a tag started by the CSMS is the same as a card that is shown."""
        return IdToken(token.value, IdTokenType.ISO14443) if self._version() == OCPP_16 else token

    def _accepted(self, token: IdToken, verdict: Verdict, evse: int | None) -> None:
        """The choice is made anew: the world went on while the CSMS was asked."""
        choice = self._choose(token, verdict.info.group, evse)
        if choice is None:
            log.info("token %s means nothing here now", token)
        elif choice.act is not Act.START:
            self._carry_out(choice, token, verdict.info.group)
        elif not verdict.for_evse(choice.evse):
            log.info("EVSE %d: token %s may not charge here", choice.evse, token)
        else:
            self._start(choice.evse, Start(token, verdict.info.group, choice.floating and not verdict.info.evses))

    def _start(self, evse: int, start: Start) -> None:
        if not self._may_begin():
            log.warning("EVSE %d: no new transactions before the CSMS has accepted this station", evse)
        elif not self._usable(evse):
            log.warning("EVSE %d: not usable now", evse)
        elif self._sessions.start(evse, start) is None:
            log.info("EVSE %d: token %s means nothing here now", evse, start.token)

    def _carry_out(self, choice: Choice, token: IdToken, group: IdToken | None) -> None:
        row = self._sessions.row(choice.evse)
        if row is None:
            return
        if choice.act is Act.RELEASE:
            self._sessions.release(row)
        else:
            self._sessions.stop(row, Cause(Trigger.STOP_AUTHORIZED, self._clock.stamp(), StopReason.LOCAL, token))

    def _stop_all(self, token: IdToken) -> None:
        """C16.FR.02: a master pass stops all transactions and starts none."""
        log.warning("master pass %s: every session ends", token)
        for row in list(self._sessions.rows.values()):
            if row.authorized or row.running is not None:
                self._sessions.stop(row, Cause(Trigger.STOP_AUTHORIZED, self._clock.stamp(), StopReason.MASTER_PASS, token))
            elif row.hold:
                self._sessions.release(row)

    def _choose(self, token: IdToken, group: IdToken | None, evse: int | None) -> Choice | None:
        rows = [row for row in self._sessions.rows.values() if evse in (None, row.evse)]
        free = [number for number in self.free() if evse in (None, number)]
        return choose(rows, free, token, group, evse)
