"""What the CSMS changed, looked at and taken back while the station runs: its store is its alone, so the commands ask it."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from chargepoint import check, factory
from chargepoint.local import service, settings_command
from chargepoint.settings_file import load
from chargepoint.store.db import Db
from chargepoint.store.variables import Variables
from tests.settings.test_check_mistakes import GOOD

KEY = "TxCtrlr.EVConnectionTimeOut"


async def clear(evse: int, fault: str) -> tuple[bool, str]:
    return False, ""


def status() -> dict[str, Any]:
    return {}


@pytest.fixture
async def variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Variables]:
    """A station's store with a value the CSMS set to 90 when the file said 60; the station may be asked."""
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))
    (tmp_path / "chargepoint.toml").write_text(settings(60))
    db = Db(tmp_path / "station.db", alone=True)
    assert factory.model_of(load(tmp_path / "chargepoint.toml"), Variables(db)).set(KEY, "90") == "Accepted"
    server = await service.serve(tmp_path / "station.sock", service.Served(status, clear, Variables(db), lambda asked: {}))
    yield Variables(db)
    server.close()
    db.close()


def settings(seconds: int) -> str:
    return GOOD + f'[ocpp2.variables]\n"{KEY}" = {seconds}\n'


async def test_a_running_station_is_asked(variables: Variables, tmp_path: Path) -> None:
    file = tmp_path / "chargepoint.toml"
    file.write_text(settings(70))
    (warning,) = (await asyncio.to_thread(check.judge, file)).warnings
    assert "'60' to '70'" in warning.text and "'90'" in warning.text
    assert await asyncio.to_thread(settings_command.adopt, file, KEY) == 0
    assert variables.load() == {}
    assert (await asyncio.to_thread(check.judge, file)).warnings == []


async def test_a_station_that_does_not_answer_is_said(variables: Variables, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path / "elsewhere"))
    file = tmp_path / "chargepoint.toml"
    (warning,) = (await asyncio.to_thread(check.judge, file)).warnings
    assert "locked" in warning.text and "elsewhere" in warning.text
    assert await asyncio.to_thread(settings_command.adopt, file, KEY) == 1
    assert variables.load() == {KEY: "90"}


async def test_what_a_killed_station_kept_is_taken_back_for_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "after"))
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path / "after"))
    file = tmp_path / "chargepoint.toml"
    file.write_text(settings(60))
    (tmp_path / "before").mkdir()
    db = Db(tmp_path / "before" / "station.db", alone=True)
    assert factory.model_of(load(file), Variables(db)).set(KEY, "90") == "Accepted"
    shutil.copytree(tmp_path / "before", tmp_path / "after")
    file.write_text(settings(70))
    (warning,) = check.judge(file).warnings
    assert "'90'" in warning.text
    assert settings_command.adopt(file, KEY) == 0
    again = Db(tmp_path / "after" / "station.db", alone=True)
    assert Variables(again).load() == {}
    again.close()
    db.close()
