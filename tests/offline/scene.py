"""A station core with a real face and teller, whose line to a CSMS of paper breaks when a moment says so. Must not know what is expected of it.

`await play(row, version, path)` gives what was seen while the line was down and what the CSMS heard once it was back.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from chargepoint.csms.face import Face, StationView
from chargepoint.csms.rpc import Gone, Outcome, Result, Urgency
from chargepoint.csms.schema import Schemas
from chargepoint.csms.teller import Teller
from chargepoint.csms.v2.face import build as build_v2
from chargepoint.csms.v16.face import build as build_v16
from chargepoint.model.facts import TransactionFact
from chargepoint.model.idtoken import AuthorizationStatus, IdToken, IdTokenInfo
from chargepoint.model.orders import ListEntry, RemoteStart
from chargepoint.settings import Settings
from tests.offline.rows import OCPP_16, Card, Moment, Place, Row
from tests.simclock import SimulatedClock
from tests.station.station_rig import CARD, FakeControl, Rig
from tests.station.station_rig import OTHER as MASTER

BUILD = {"ocpp1.6": build_v16, "ocpp2.0.1": build_v2}
START = {"ocpp1.6": "StartTransaction", "ocpp2.0.1": "TransactionEvent"}
END = {"ocpp1.6": "StopTransaction", "ocpp2.0.1": "TransactionEvent"}
WH_PER_S = 100.0


class Seen(NamedTuple):
    """charges: energy flows while the line is down; goes_on: after the CSMS has heard and answered all; heard: after the return, in order;
    status: the connector's last status heard after the return, "" without one."""

    charges: bool
    goes_on: bool
    heard: tuple[str, ...]
    status: str


@dataclass
class PaperCsms:
    """Stands for Rpc and what is behind it. says: of each card, else Invalid; breaks_at: the action in whose answer the line breaks."""

    version: str
    says: dict[str, str] = field(default_factory=dict)
    breaks_at: str = ""
    broken: Callable[[], None] = lambda: None
    heard: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    unanswered: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._schemas = Schemas(self.version)

    async def call(self, action: str, payload: dict[str, Any], urgency: Urgency) -> Outcome:
        plain = msgspec.json.decode(msgspec.json.encode(payload))
        self._schemas.call(action, plain)
        self.heard.append((action, plain))
        if action == self.breaks_at:
            self.breaks_at, self.unanswered = "", plain
            self.broken()
            return Gone("a test says so")
        return Result(self._schemas.answer(action, self._answer(action, plain)))

    def _answer(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        if self.version == OCPP_16:
            info = {"idTagInfo": {"status": self.says.get(payload.get("idTag", ""), "Invalid")}}
            number = {"transactionId": len(self.heard)} if action == "StartTransaction" else {}
            return {**info, **number} if action in ("Authorize", "StartTransaction") else {}
        token = payload.get("idToken")
        return {} if token is None else {"idTokenInfo": {"status": self.says.get(token["idToken"], "Invalid")}}


class Scene:
    """One station, its car, a card and the line."""

    card = CARD

    def __init__(self, version: str, path: Path, variables: Mapping[str, Any]) -> None:
        self.version = version
        self.csms = PaperCsms(version)
        self._variables = dict(variables)
        self.rig = Rig(SimulatedClock(), path, version=version, variables=self._variables)
        self._telling: asyncio.Task[None] | None = None
        self._join()

    # the line

    async def up(self) -> None:
        self.rig.online()
        await self.settle()

    async def down(self) -> None:
        self.rig.offline()
        await self.settle()
        self.csms.heard.clear()

    def breaks_at(self, action: str) -> None:
        """The CSMS hears this, and its answer never comes."""
        self.csms.breaks_at = action
        self.csms.broken = self.rig.offline

    async def settle(self) -> None:
        for _ in range(12):
            await self.rig.clock.settle()

    # the driver and the car

    def knows(self, card: Card) -> None:
        """The station has this card where it is kept."""
        status = AuthorizationStatus(card.status)
        group = IdToken(card.group, "Central") if card.group else None  # type: ignore[arg-type]  # a test's text
        expiry_s = self.rig.clock.wall_s() - 1 if card.expired else None
        info = IdTokenInfo(status, expiry_s, group)
        token = IdToken(MASTER if card.other else CARD)
        if card.place is Place.LIST:
            self.rig.tokens.update([ListEntry(token, info)])
        elif card.place is Place.CACHE:
            self.rig.tokens.remember(token, info, self.rig.clock.wall_s() - card.age_s)

    async def seconds(self, count: int) -> None:
        """Lets time pass: a car takes what is offered, control opens where nothing is."""
        for _ in range(count):
            await self.rig.seconds(1)
            state = self.rig.control.states[1]
            if state.closed and state.offered_a == 0:
                self.rig.control.open(why="withdrawn")
            elif state.pilot == "B" and state.offered_a > 0:
                self.rig.control.close()
            elif state.closed:
                self.rig.meters.energy_wh[1] = self.rig.meters.energy_wh.get(1, 0.0) + WH_PER_S
            await self.settle()

    async def swipe(self, card: str = CARD) -> None:
        await self.rig.swipe(card)
        await self.seconds(3)

    async def begin(self) -> None:
        """A car comes and its driver shows a card."""
        self.rig.control.plug()
        await self.seconds(1)
        await self.swipe()

    async def remote_start(self) -> None:
        answer = await self.rig.remote.start(RemoteStart(IdToken(CARD), remote_start_id=7, evse=1))
        assert answer.then is not None
        await answer.then()
        await self.settle()

    # what may happen to the station

    async def restart(self) -> None:
        """The station's process dies and starts on the same file; control goes on."""
        await self.leave()
        former = self.rig
        former.crash()
        self.rig = Rig(former.clock, former.path, version=self.version, variables=self._variables, meters=former.meters, control=former.control)
        self._join()
        await self.seconds(3)

    async def power_cut(self) -> None:
        """Ten minutes without power; the car stays."""
        await self.leave()
        former = self.rig
        former.crash()
        clock = SimulatedClock(start_s=5.0, wall_s=former.clock.wall_s() + 600, boot_id="boot-2")
        control = FakeControl(clock, former.evses)
        control.start = 900
        former.meters._clock = clock
        control.plug()
        self.rig = Rig(clock, former.path, version=self.version, variables=self._variables, meters=former.meters, control=control)
        self._join()
        await self.seconds(3)

    async def leave(self) -> None:
        if self._telling is not None:
            self._telling.cancel()
            await asyncio.gather(self._telling, return_exceptions=True)

    # what is seen

    def charges(self) -> bool:
        return bool(self.rig.control.states[1].closed)

    def seen(self, charges: bool) -> Seen:
        statuses = [payload for action, payload in self.csms.heard if action == "StatusNotification" and payload.get("connectorId") != 0]
        status = statuses[-1].get("status") or statuses[-1]["connectorStatus"] if statuses else ""
        heard = tuple(words for action, payload in self.csms.heard if (words := said(action, payload)))
        return Seen(charges, self.charges(), heard, status)

    def _join(self) -> None:
        rig = self.rig
        view = StationView({}, rig.dm, Settings(evse=rig.evses), rig.clock, lambda at: at.wall_s, rig.outbox, rig.backend)
        face: Face = BUILD[self.version](view, self.csms)  # type: ignore[arg-type]  # paper for an Rpc
        rig.csms = face  # type: ignore[assignment]  # a real face where the rig has a fake one
        teller = Teller(rig.outbox, rig.backend, lambda: rig.backend.face, rig.dm, rig.clock, self._answered, rig.connectors.states)  # type: ignore[arg-type,return-value]  # as above
        self._telling = asyncio.create_task(teller.run())

    def _answered(self, fact: TransactionFact, info: IdTokenInfo | None) -> None:
        if fact.id_token is not None and info is not None:
            self.rig.authorization.learn(fact.id_token, info)
        self.rig.sessions.answered(fact, info)


def said(action: str, payload: dict[str, Any]) -> str:
    """A message of a transaction in short, "" for one that says nothing of its course."""
    if action == "TransactionEvent":
        info, kind, trigger = payload["transactionInfo"], payload["eventType"], payload["triggerReason"]
        stopped = info.get("chargingState") in ("SuspendedEVSE", "EVConnected")
        if kind == "Updated" and not stopped and trigger != "Deauthorized":
            return ""
        started = f"{trigger}, remoteStartId" if "remoteStartId" in info else trigger
        detail = {"Started": started, "Updated": f"{trigger} {info.get('chargingState', '')}".strip()}.get(kind) or info.get("stoppedReason", "Local")
        return f"{kind} ({detail}){' offline' if payload.get('offline') else ''}"
    if action == "StopTransaction":
        return f"StopTransaction ({payload['reason']})"
    return action if action in ("Authorize", "StartTransaction") else ""


async def before_the_swipe(scene: Scene) -> None:
    await scene.down()
    await scene.begin()


async def before_the_answer(scene: Scene) -> None:
    scene.breaks_at("Authorize")
    await scene.begin()
    scene.csms.heard.clear()


async def in_mid_answer(scene: Scene) -> None:
    scene.breaks_at(START[scene.version])
    await scene.begin()
    scene.csms.heard.clear()


async def while_charging(scene: Scene) -> None:
    await scene.begin()
    await scene.down()
    await scene.seconds(5)


async def before_the_end(scene: Scene) -> None:
    await while_charging(scene)
    await scene.swipe()


async def before_the_swipe_until_the_end(scene: Scene) -> None:
    await before_the_swipe(scene)
    await scene.swipe()


async def in_mid_answer_of_the_end(scene: Scene) -> None:
    await scene.begin()
    scene.breaks_at(END[scene.version])
    await scene.swipe()
    scene.csms.heard.clear()


async def before_the_car_leaves(scene: Scene) -> None:
    await while_charging(scene)
    scene.rig.control.unplug()
    await scene.seconds(5)


async def other_card_while_charging(scene: Scene) -> None:
    await while_charging(scene)
    await scene.swipe(MASTER)


async def other_card_alone(scene: Scene) -> None:
    await scene.down()
    scene.rig.control.plug()
    await scene.seconds(1)
    await scene.swipe(MASTER)


async def before_the_car_comes(scene: Scene) -> None:
    await scene.remote_start()
    await scene.down()
    scene.rig.control.plug()
    await scene.seconds(3)


async def before_the_answer_about_a_remote_start(scene: Scene) -> None:
    scene.rig.control.plug()
    await scene.seconds(1)
    scene.breaks_at("Authorize")
    await scene.remote_start()
    await scene.seconds(3)
    scene.csms.heard.clear()


async def a_restart(scene: Scene) -> None:
    await before_the_swipe(scene)
    await scene.restart()


async def a_restart_while_charging(scene: Scene) -> None:
    await while_charging(scene)
    await scene.restart()


async def a_power_cut(scene: Scene) -> None:
    await before_the_swipe(scene)
    await scene.power_cut()


async def a_power_cut_while_charging(scene: Scene) -> None:
    await while_charging(scene)
    await scene.power_cut()


async def before_the_first_acceptance(scene: Scene) -> None:
    await scene.begin()


MOMENTS: Mapping[Moment, Callable[[Scene], Awaitable[None]]] = {
    Moment.SWIPE: before_the_swipe,
    Moment.ANSWER: before_the_answer,
    Moment.MID_ANSWER: in_mid_answer,
    Moment.CHARGING: while_charging,
    Moment.END: before_the_end,
    Moment.WHOLE: before_the_swipe_until_the_end,
    Moment.END_ANSWER: in_mid_answer_of_the_end,
    Moment.LEAVING: before_the_car_leaves,
    Moment.OTHER: other_card_while_charging,
    Moment.OTHER_ALONE: other_card_alone,
    Moment.REMOTE: before_the_car_comes,
    Moment.REMOTE_ANSWER: before_the_answer_about_a_remote_start,
    Moment.RESTART: a_restart,
    Moment.RESTART_CHARGING: a_restart_while_charging,
    Moment.POWER_CUT: a_power_cut,
    Moment.CUT_CHARGING: a_power_cut_while_charging,
    Moment.NEVER: before_the_first_acceptance,
}


@asynccontextmanager
async def staged(version: str, path: Path, variables: Mapping[str, Any]) -> AsyncIterator[Scene]:
    scene = Scene(version, path, variables)
    try:
        yield scene
    finally:
        await scene.leave()
        scene.rig.crash()


async def play(row: Row, version: str, path: Path) -> Seen:
    """Plays a row: the line breaks at its moment, is looked at, and comes back."""
    async with staged(version, path / "station.db", row.variables) as scene:
        scene.csms.says[CARD] = "Accepted"
        for card in row.cards:
            scene.knows(card)
        if row.moment is not Moment.NEVER:
            await scene.up()
        await MOMENTS[row.moment](scene)
        charges = scene.charges()
        scene.csms.says[CARD] = row.then
        await scene.up()
        await scene.seconds(row.after_s)
        return scene.seen(charges)
