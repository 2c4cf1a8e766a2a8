"""A whole world with its built-in CSMS, and a real browser before its page.

Without Chromium the tests are left out, unless BROWSER_REQUIRED is set.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.panel.page import Panel

ROOT = Path(__file__).parents[2]
CHROMIUM = next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None)
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@contextlib.contextmanager
def world_at(state: Path, *options: str, more: str = "") -> Iterator[str]:
    """A world with the settings of the demonstration, and more of them; its address."""
    config = ROOT / "config/demo.toml"
    if more:
        config = state.with_name("demo.toml")
        config.write_text((ROOT / "config/demo.toml").read_text() + more)
    command = [sys.executable, "-m", "sim", "up", "--config", str(config), "--state-dir", str(state), "--port", "0", *options]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as world:
        assert world.stdout is not None
        try:
            yield world.stdout.readline().split()[-1]
        finally:
            world.send_signal(signal.SIGTERM)
            world.wait(10)


@contextlib.contextmanager
def browser_page(address: str) -> Iterator[Panel]:
    """A page in Chromium that must not have complained of anything in the end."""
    if CHROMIUM is None and not os.environ.get("BROWSER_REQUIRED"):
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        made = Panel(browser.new_page(viewport={"width": 1400, "height": 1000}), address)
        yield made
        browser.close()
        assert made.troubles == []


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    with world_at(tmp_path / "state", "--csms") as address:
        yield address


@pytest.fixture
def panel(address: str) -> Iterator[Panel]:
    with browser_page(address) as made:
        yield made
