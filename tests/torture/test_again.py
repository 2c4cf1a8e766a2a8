"""After a power cut at most the last twenty answered messages are told again, in both versions; a store that leaves more is found out."""

from __future__ import annotations

import copy
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chargepoint.store import db
from proof.torture import promise
from proof.torture.images import VERSIONS, waiting
from proof.torture.paper import PaperStation, settings_of
from proof.torture.promise import AGAIN, Promise
from proof.torture.workload import WALL_S, know_card
from tests.offline.scene import PaperCsms
from tests.simclock import SimulatedClock
from tests.station.station_rig import CARD


class Teller:
    """A station that was long offline tells everything at once. images: the files as a cut after each answer leaves them, when all that was written
    is on the disk; what need not outlive the power is not."""

    def __init__(self, path: Path, version: str) -> None:
        self.version, self._path = version, path
        self.heard = Promise()
        self.images: list[tuple[Path, Promise]] = []
        (path / "state").mkdir()

    def _say(self, what: str, **more: Any) -> None:
        self.heard.hear(msgspec.json.encode({"what": what, **more}))
        if what == "told":
            image = self._path / f"image-{len(self.images)}"
            shutil.copytree(self._path / "state", image / "state")
            self.images.append((image, copy.deepcopy(self.heard)))

    async def tell(self) -> None:
        clock = SimulatedClock(wall_s=WALL_S, boot_id="before")
        csms = PaperCsms(self.version, {CARD: "Accepted"})
        station = PaperStation(self._path / "state", self._path / "run", clock, settings_of(self.version, 1), {}, csms=csms, say=self._say)
        self._say("open")
        station.begin()
        know_card(station)
        station.online()
        await station.second()
        station.offline()
        station.control.plug(1)
        await station.second()
        await station.swipe(1)
        await station.second(70)
        station.online()
        assert await station.all_told(1)
        await station.end()
        station.db.close()

    async def found(self, image: Path, heard: Promise) -> tuple[int, list[str]]:
        """How many answered messages would be told again, and what the judge says."""
        clock = SimulatedClock(start_s=5.0, wall_s=WALL_S + 600, boot_id="after")
        csms = PaperCsms(self.version, {CARD: "Accepted"})
        station = PaperStation(image / "state", image / "run", clock, settings_of(self.version, 1), heard.wh, csms=csms)
        there = promise.keys(waiting(station))
        rows = station.core.sessions.store.open_rows()
        station.db.close()
        return len(promise.again(heard, there)), list(promise.broken(heard, there, rows))


async def counted(path: Path, version: str) -> tuple[list[int], list[str]]:
    teller = Teller(path, version)
    await teller.tell()
    found = [await teller.found(*image) for image in teller.images]
    assert len(found) > 60
    return [count for count, _ in found], [line for _, lines in found for line in lines]


@pytest.mark.parametrize("version", VERSIONS)
async def test_at_most_the_last_twenty_answered_messages_are_told_again(version: str, tmp_path: Path) -> None:
    counts, wrong = await counted(tmp_path, version)
    assert AGAIN - 1 <= max(counts) <= AGAIN and wrong == []


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_store_that_leaves_more_is_found_out(version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db, "UNSYNCED", AGAIN + 10)
    counts, wrong = await counted(tmp_path, version)
    assert max(counts) > AGAIN
    assert f"{max(counts)} answered messages would be told again" in wrong and all("answered messages" in line for line in wrong)
