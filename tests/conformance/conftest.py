"""A charge point, a CSMS and a person for each case; whatever the case did, no rule that always holds may have been broken.

All cases of one worker share an event loop, so that a charge point may serve a whole module.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.conformance.driver import report
from tests.conformance.driver.lab import V16, V201, Lab, build

HERE = Path(__file__).parent


def pytest_addoption(parser: pytest.Parser) -> None:
    report.add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "covers(*names): the sections and configuration keys a 1.6 case tests")
    config.pluginmanager.register(report.Report(config, HERE), "conformance-report")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)
            names = [name for mark in item.iter_markers("covers") for name in mark.args]
            item.user_properties.append(("covers", names))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """What is judged of the transport is judged in both versions."""
    if "ocppj" in metafunc.definition.path.parts:
        for name in {"lab", "_shared_lab"} & set(metafunc.fixturenames):
            metafunc.parametrize(name, [V16, V201], indirect=True, scope="module" if name == "_shared_lab" else "function")


def version_of(request: pytest.FixtureRequest) -> str:
    """As the test is parametrized, or by its folder."""
    return getattr(request, "param", V16 if "ocpp16" in request.path.parts else V201)


@contextlib.asynccontextmanager
async def laboratory(directory: Path, version: str) -> AsyncIterator[Lab]:
    lab = build(directory, version)
    await lab.csms.start()
    try:
        yield lab
    finally:
        await lab.charger.down()
        for csms in (lab.csms, *lab.others):
            await csms.stop()


async def judged(lab: Lab) -> None:
    """What must hold after every case."""
    seen = await lab.charger.violations() if lab.charger.running else []
    assert not seen, f"the world saw: {seen}"
    breaches = [text for csms in (lab.csms, *lab.others) for text in csms.judge.verdict()]
    assert not breaches, breaches


def keep_log(request: pytest.FixtureRequest, lab: Lab) -> None:
    """The frames of a case that fails are printed with it."""
    for csms in (lab.csms, *lab.others):
        print(f"CSMS at port {csms.port}:\n{csms.log()}")
    log = lab.charger.directory / "state" / "firmware.log"
    if log.exists() and request.config.getoption("--firmware-log", default=False):
        print(log.read_text())


@pytest_asyncio.fixture(loop_scope="session")
async def lab(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Lab]:
    """A lab of the case's own; nothing is switched on yet: `await lab.up(...)`."""
    async with laboratory(tmp_path, version_of(request)) as it:
        yield it
        keep_log(request, it)
        await judged(it)


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def _shared_lab(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lab]:
    async with laboratory(tmp_path_factory.mktemp("shared"), version_of(request)) as it:
        settings: dict[str, Any] = getattr(request.module, "SHARED", {"evses": 2})
        await it.up(**settings)
        yield it


async def clean(lab: Lab) -> None:
    """A case that failed must not spoil the next."""
    lab.csms.answer_as_usual()
    lab.csms.accept()
    await lab.csms.reconnected()
    if lab.sessions or any(evse["plugged"] for evse in (await lab.charger.state())["evses"]):
        for evse in range(1, lab.charger.factory.evses + 1):
            await lab.charger.unplug(evse)
        await lab.charger.until(lambda state: all(it["status"] == "Available" and not it["transaction"] for it in state["station"]["connectors"]))
        await lab.charger.all_told()
    lab.sessions.clear()
    lab.evse, lab.connector, lab.token = Lab.evse, Lab.connector, Lab.token
    lab.csms.forget()
    lab.csms.messages.clear()
    lab.csms.judge.breaches.clear()


@pytest_asyncio.fixture(loop_scope="session")
async def shared_booted(request: pytest.FixtureRequest, _shared_lab: Lab) -> AsyncIterator[Lab]:
    """A booted lab that all cases of a module share: for those that only read, or set back what they set. `SHARED` of the module: its settings."""
    await clean(_shared_lab)
    yield _shared_lab
    keep_log(request, _shared_lab)
    await judged(_shared_lab)


@pytest_asyncio.fixture(loop_scope="session")
async def as_new(shared_booted: Lab) -> Lab:
    """The same for cases that configure, and have cards cached and listed: all that is as in a new charge point when the case begins."""
    if shared_booted.former is None:
        shared_booted.former = {}
    await shared_booted.as_new()
    shared_booted.csms.forget()
    return shared_booted
