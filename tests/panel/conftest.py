"""A whole world with its built-in CSMS, and a real browser before its page.

Without Chromium the tests are left out, unless BROWSER_REQUIRED is set.
"""

from __future__ import annotations

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


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    command = [
        sys.executable,
        "-m",
        "sim",
        "up",
        "--config",
        str(ROOT / "config/demo.toml"),
        "--state-dir",
        str(tmp_path / "state"),
        "--port",
        "0",
        "--csms",
    ]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as world:
        assert world.stdout is not None
        try:
            yield world.stdout.readline().split()[-1]
        finally:
            world.send_signal(signal.SIGTERM)
            world.wait(10)


@pytest.fixture
def panel(address: str) -> Iterator[Panel]:
    if CHROMIUM is None and not os.environ.get("BROWSER_REQUIRED"):
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        made = Panel(browser.new_page(viewport={"width": 1400, "height": 1000}), address)
        yield made
        browser.close()
        assert made.troubles == []
