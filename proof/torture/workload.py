"""`python -m proof.torture.workload ROOT VERSION SEED STAGE`: one start of the station, with sessions, a CSMS that comes and goes, and answers that
are lost; ends in order or in the midst. To be run under the recorder. The same arguments do the same, file operation by file operation.

ROOT/state holds the station's files, ROOT/run what need not outlive the power, ROOT/said what was promised. Must not know images.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import sys
from pathlib import Path
from uuid import UUID

import msgspec

from chargepoint.model.idtoken import AuthorizationStatus, IdToken, IdTokenInfo
from chargepoint.model.orders import ListEntry
from chargepoint.station import sessions, transactions
from chargepoint.store.tokens import Tokens
from proof.torture.older import FIRST, layout_of
from proof.torture.paper import EVSES, PaperStation, Said, settings_of
from tests.offline.scene import PaperCsms
from tests.simclock import SimulatedClock
from tests.station.station_rig import CARD

STAGE_S = 3600.0
"""Between two starts."""
TAIL = 65536
WALL_S = 1_767_225_600.0
STEPS = 60
OLDER_AFTER = 1
"""The stage after which the file may be taken back to an older layout."""
SAMPLES_S = (10, 900)
"""By stage, in turn: many facts, or long times with nothing but the last-known register."""


class Stage:
    """What happens in one start."""

    def __init__(self, station: PaperStation, chance: random.Random) -> None:
        self._station, self._chance = station, chance
        self._plugged: set[int] = set()

    async def play(self, steps: int) -> None:
        """Some of everything, in an order that chance makes."""
        acts = (self._plug, self._plug, self._swipe, self._swipe, self._unplug, self._wait, self._wait, self._line, self._break)
        for _ in range(steps):
            await self._chance.choice(acts)(self._chance.choice(EVSES).id)

    async def _plug(self, evse: int) -> None:
        if evse not in self._plugged:
            self._plugged.add(evse)
            self._station.control.plug(evse)
            await self._station.second()
            await self._swipe(evse)

    async def _unplug(self, evse: int) -> None:
        if evse in self._plugged:
            self._plugged.discard(evse)
            self._station.control.unplug(evse)
            await self._station.second(self._chance.randint(1, 4))

    async def _swipe(self, evse: int) -> None:
        await self._station.swipe(evse)
        await self._station.second(self._chance.randint(1, 4))

    async def _wait(self, evse: int) -> None:
        await self._station.second(self._chance.randint(1, 30))

    async def _line(self, evse: int) -> None:
        if self._station.backend.accepted:
            self._station.offline()
        else:
            self._station.online()
        await self._station.second()

    async def _break(self, evse: int) -> None:
        """The line breaks in the next answer to a transaction's message."""
        csms = self._station.csms
        csms.breaks_at = self._chance.choice(("StartTransaction", "StopTransaction") if csms.version == "ocpp1.6" else ("TransactionEvent",))
        csms.broken = self._station.offline
        await self._station.second()


def last_wh(said: Path) -> dict[int, float]:
    """The meters' registers as last said; a killed process may leave half a line."""
    lines = said.read_bytes()[-TAIL:].split(b"\n")[1:-1] if said.exists() else []
    found = [line for line in map(msgspec.json.decode, lines) if line["what"] == "wh"]
    return {int(evse): wh for evse, wh in found[-1]["wh"].items()} if found else {}


def know_card(station: PaperStation) -> None:
    """The card is good without a CSMS."""
    Tokens(station.db).update([ListEntry(IdToken(CARD), IdTokenInfo(AuthorizationStatus.ACCEPTED))])


def seeded_ids(chance: random.Random) -> None:
    """Ids by chance that repeats itself, so that the same seed makes the same files."""
    sessions.uuid4 = transactions.uuid4 = lambda: UUID(int=chance.getrandbits(128), version=4)  # type: ignore[attr-defined]  # they import it by name


def killed(seed: str, number: int) -> bool:
    """Whether a stage ends like a killed process. What a killed one left in the mark fits no other layout than the two last ones."""
    if number == OLDER_AFTER and layout_of(seed) == FIRST:
        return False
    return random.Random(f"{seed}/end/{number}").random() < 0.5


def boot_id(seed: str, number: int) -> str:
    """A killed process starts again in the same boot; else the board has been off."""
    return boot_id(seed, number - 1) if number and killed(seed, number - 1) else f"boot-{number}"


async def stage(root: Path, version: str, seed: str, number: int) -> None:
    """One start."""
    chance = random.Random(f"{seed}/{number}")
    seeded_ids(chance)
    wh = last_wh(root / "said")
    say = Said(root / "said")
    clock = SimulatedClock(start_s=1000.0 + number * STAGE_S, wall_s=WALL_S + number * STAGE_S, boot_id=boot_id(seed, number))
    say("start", number=number, wall_s=clock.wall_s())
    station = PaperStation(
        root / "state", root / "run", clock, settings_of(version, SAMPLES_S[number % 2]), wh, csms=PaperCsms(version, {CARD: "Accepted"}), say=say
    )
    say("open")
    station.begin()
    if number == 0:
        know_card(station)
        station.online()
        await station.second()
    await Stage(station, chance).play(STEPS)
    if killed(seed, number):
        os._exit(0)
    await station.end()
    station.db.close()


def main() -> None:
    root, version, seed, number = sys.argv[1:]
    logging.disable(logging.CRITICAL)
    (Path(root) / "state").mkdir(exist_ok=True)
    asyncio.run(stage(Path(root), version, seed, int(number)))


if __name__ == "__main__":
    main()
