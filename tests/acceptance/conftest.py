"""A world and a CSMS for each test; whatever the test did, the world must have seen nothing wrong."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sim.csms.server import Csms
from tests.world import World


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    csms = Csms()
    it = World(tmp_path, csms, await csms.start("127.0.0.1", 0))
    try:
        yield it
        if it.url:
            await it.judged()
    finally:
        log = tmp_path / "state" / "firmware.log"
        if log.exists() and os.environ.get("SHOW_LOG"):
            print(log.read_text())
        await it.down()
        await csms.stop()
