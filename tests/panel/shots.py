"""Keeps pictures of the panel in docs/: a car that charges, on a desk's screen, in the dark and on a phone's, and twelve charge points on one page.

python -m tests.panel.shots
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from tests.panel.conftest import ROOT, browser_page, world_at
from tests.panel.page import Panel

CHARGING_S = 30
STATIONS, CHARGING = 12, (2, 3, 7)
DESK, PHONE = (1400, 1000), (390, 844)


def keep(panel: Panel, name: str, size: tuple[int, int]) -> None:
    panel.page.set_viewport_size({"width": size[0], "height": size[1]})
    time.sleep(1)
    panel.page.screenshot(path=ROOT / "docs" / name)


def one_charge_point(directory: Path) -> None:
    with world_at(directory, "--csms") as address, browser_page(address) as panel:
        panel.open()
        panel.charge()
        time.sleep(CHARGING_S)
        keep(panel, "panel.png", DESK)
        keep(panel, "panel-phone.png", PHONE)
        panel.page.emulate_media(color_scheme="dark")
        keep(panel, "panel-dark.png", DESK)


def many_charge_points(directory: Path) -> None:
    with world_at(directory, "--csms", "--stations", str(STATIONS)) as address, browser_page(address) as panel:
        panel.page.goto(address)
        panel.sees("#sum", f"{STATIONS} connected")
        for number in CHARGING:
            panel.page.request.post(f"{address}/api/stations/{number}/evse/1/plug-in", data="{}")
            panel.page.request.post(f"{address}/api/stations/{number}/rfid/swipe", data='{"uid": "04A1B2C3"}')
        panel.page.request.post(f"{address}/api/stations/5/evse/1/fault", data='{"fault": "emergency_stop"}')
        panel.sees("#sum", f"{len(CHARGING)} charging")
        time.sleep(CHARGING_S)
        keep(panel, "panel-overview.png", DESK)


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        one_charge_point(Path(directory) / "one")
        many_charge_points(Path(directory) / "many")


if __name__ == "__main__":
    main()
