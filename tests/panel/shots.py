"""Keeps pictures of the panel in docs/: a car that charges, on a desk's screen and on a phone's.

python -m tests.panel.shots
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.panel.conftest import CHROMIUM, QUIET, ROOT
from tests.panel.page import Panel

CHARGING_S = 30
SHOTS = {"panel.png": (1400, 1000), "panel-phone.png": (390, 844)}


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        command = [sys.executable, "-m", "sim", "up", "--config", "config/demo.toml", "--state-dir", directory, "--port", "0", "--csms"]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as world, sync_playwright() as playwright:
            assert world.stdout is not None
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
            panel = Panel(browser.new_page(), world.stdout.readline().split()[-1])
            panel.open()
            panel.charge()
            time.sleep(CHARGING_S)
            for name, (width, height) in SHOTS.items():
                panel.page.set_viewport_size({"width": width, "height": height})
                time.sleep(1)
                panel.page.screenshot(path=Path(ROOT / "docs" / name))
            browser.close()
            world.terminate()


if __name__ == "__main__":
    main()
