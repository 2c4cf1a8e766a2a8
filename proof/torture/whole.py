"""Kills and cuts of a whole simulated charge point: a session is begun, something dies at a chosen write, power and network return, the driver
leaves; then the world's meter, the store and the CSMS are compared. Must not know how cases are chosen or printed.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import shutil
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

from proof.torture import trace
from proof.torture.disk import Disk
from proof.torture.plan import STARTS, Line, Phase, Plan, Victim, plan, resumes
from proof.torture.preload import Point, environment
from proof.torture.recording import directory
from proof.torture.report import Case
from proof.torture.verdict import Before, judge
from sim.csms.server import Csms
from tests.world import KNOWN_CARD, World

TAKES_S = 3.0
"""So long a point is waited for; then what is to die dies where it is."""
ACT_S = 1.0
BACK_S = 90.0
POLL_S = 0.005
MORE = """\
[ocpp2.variables]
"SampledDataCtrlr.TxUpdatedInterval" = 1
"TxCtrlr.EVConnectionTimeOut" = 3
"""
KILLED = {Victim.STATION: ("station",), Victim.CONTROL: ("control",), Victim.FIRMWARE: ("station", "control"), Victim.POWER: ()}
ACTIONS = {"ocpp1.6": ("StartTransaction", "StopTransaction", "MeterValues"), "ocpp2.0.1": ("TransactionEvent",)}


class Whole:
    """One charge point under the recorder, with its disk."""

    def __init__(self, world: World, point: Point, trace_: Path, seed: int) -> None:
        self.world, self.point = world, point
        self._trace, self._seed = trace_, seed
        self._read = self._cut = 0
        self._disk = Disk()
        self._files = world.directory / "state" / "firmware"

    async def case(self, number: int, plan: Plan) -> Case:
        """One death and what came of it. Raises nothing that a case may show."""
        version = self.world.version
        case = Case(plan.point, plan.line.value, f"--case {version}:{number}")
        chance = random.Random(f"{self._seed}/case/{number}")
        before = await Before.of(self.world)
        try:
            await self._until_death(plan)
            case.stood = self.point.standing is not None
            await self._die(plan, chance)
            case.cut = self._cut
            await self._recover(plan)
            await judge(self.world, before, plan, case)
        except AssertionError as error:
            case.wrong.append(f"{error}")
        return case

    # until it dies

    async def _until_death(self, plan: Plan) -> None:
        """The session up to the step in whose midst something dies; that step too, up to the write."""
        if plan.phase is Phase.BIRTH:
            await self._power("off")
            self._replace({})
            await self._reached(plan, lambda: self._power("on"))
            return
        if plan.line is Line.DOWN or plan.phase is Phase.REPLAY:
            await self._network("down")
        for phase, act in self._steps():
            if phase is plan.phase:
                await self._reached(plan, act)
                return
            await act()
        if plan.phase is Phase.START:
            await self._power("off")
            await self._reached(plan, lambda: self._power("on"))
        else:
            await self._reached(plan, lambda: self._network("up"))

    def _steps(self) -> tuple[tuple[Phase, Callable[[], Awaitable[None]]], ...]:
        return (
            (Phase.PLUG, self.world.plug_in),
            (Phase.CARD, self.world.swipe),
            (Phase.CHARGE, self._charge),
            (Phase.STOP, self.world.swipe),
            (Phase.LEAVE, self.world.unplug),
        )

    async def _charge(self) -> None:
        await self.world.contactor("closed", seconds=BACK_S)
        await asyncio.sleep(1.5)

    async def _reached(self, plan: Plan, act: Callable[[], Awaitable[None]]) -> None:
        """Does it until a process stands at the point, or the step is over."""
        if plan.line is Line.DYING:
            for action in ACTIONS[self.world.version]:
                self.world.csms.misbehave("close_mid_message", action=action)
        self.point.arm(plan.left, plan.where)
        doing = asyncio.ensure_future(act())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(TAKES_S):
                while self.point.standing is None:
                    await asyncio.sleep(POLL_S)
        if self.point.standing is None:
            self.point.go_on()
        await asyncio.wait([doing], timeout=ACT_S)
        doing.cancel()  # what it waits for may never come
        await asyncio.gather(doing, return_exceptions=True)

    # it dies

    async def _die(self, plan: Plan, chance: random.Random) -> None:
        """Who stands at the point and is not to die goes on."""
        if plan.line is Line.DYING:
            await self._network("down")
        if plan.victim is Victim.POWER:
            await self._power("off")
        for process in KILLED[plan.victim]:
            with contextlib.suppress(AssertionError):  # it is just dying, or not there yet
                await self.world.post("kill", {"process": process, "signal": "KILL"})
        self.point.go_on()
        self._cut = (len(ACTIONS[self.world.version]) if plan.line is Line.DYING else 0) - len(self.world.csms.mischief.orders)
        self.world.csms.mischief.clear()
        self._follow()
        if plan.victim is Victim.POWER:
            self._replace(self._disk.image(plan.cut, chance))

    # it comes back

    async def _recover(self, plan: Plan) -> None:
        """Power and network return, and the driver leaves."""
        await self._power("on")
        if plan.line is Line.DYING:
            await asyncio.sleep(0.5)
        await self._network("up")
        await self.world.until(lambda s: s["station"] is not None and s["station"]["registration"] == "accepted", BACK_S)
        if plan.phase in STARTS:
            await give_list(self.world)
        await self.world.unplug()
        await self.world.until(lambda s: s["station"] is not None and s["station"]["connectors"][0]["status"] == "Available", BACK_S)
        await self.world.until(lambda s: s["station"] is not None and s["station"]["facts_waiting"] == 0, BACK_S)

    async def _power(self, state: str) -> None:
        await self.world.post("power", {"state": state, "how": "cut"} if state == "off" else {"state": state})

    async def _network(self, state: str) -> None:
        await self.world.post("network", {"state": state})
        if state == "down":
            await self.world.until(lambda s: s["station"] is None or not s["station"]["connected"], BACK_S)

    # the disk

    def _follow(self) -> None:
        """What was written since the last look."""
        with self._trace.open("rb") as file:
            file.seek(self._read)
            raw = file.read()
        self._read += len(raw)
        for operation in trace.parse(raw):
            self._disk.apply(operation)

    def _replace(self, image: dict[str, bytes]) -> None:
        """The disk holds this now. The firmware does not run."""
        self._follow()
        shutil.rmtree(self._files)
        self._files.mkdir()
        for name, content in image.items():
            (self._files / name).parent.mkdir(parents=True, exist_ok=True)
            (self._files / name).write_bytes(content)
        self._disk = Disk(image)


async def give_list(world: World) -> None:
    """The card is known without a CSMS."""
    if world.version == "ocpp1.6":
        entry = {"idTag": KNOWN_CARD, "idTagInfo": {"status": "Accepted"}}
        payload = {"listVersion": 1, "updateType": "Full", "localAuthorizationList": [entry]}
    else:
        entry = {"idToken": {"idToken": KNOWN_CARD, "type": "ISO14443"}, "idTokenInfo": {"status": "Accepted"}}
        payload = {"versionNumber": 1, "updateType": "Full", "localAuthorizationList": [entry]}
    assert (await world.csms.send("CP001", "SendLocalList", payload))["status"] == "Accepted"


async def play(version: str, seed: int, numbers: Sequence[int], say: Callable[[Case], None]) -> None:
    """Cases one after the other at one charge point; after one that failed at another. Raises NoCompiler."""
    left = deque(numbers)
    while left:
        async with whole(version, seed, resume=resumes(left[0])) as it:
            failed = False
            while left and not failed:
                number = left.popleft()
                case = await it.case(number, plan(seed, number))
                failed = bool(case.wrong)
                say(case)


@contextlib.asynccontextmanager
async def whole(version: str, seed: int, *, resume: bool) -> AsyncIterator[Whole]:
    """A charge point of its own. resume: a session goes on after a power cut if the car is still there. Raises NoCompiler."""
    with directory() as path:
        csms = Csms()
        world = World(path, csms, await csms.start("127.0.0.1", 0))
        point = Point(path / "point")
        more = environment(path / "state" / "firmware", trace=path / "trace", point=point.path)
        (path / "trace").touch()
        try:
            station = f'after_power_loss = "{"resume" if resume else "end"}"'
            await world.up(version, station=station, more=MORE, environment=more)
            await give_list(world)
            yield Whole(world, point, path / "trace", seed)
        finally:
            point.close()
            if log := os.environ.get("TORTURE_LOG"):
                shutil.copy(path / "state" / "firmware.log", log)
            await world.down()
            await csms.stop()
