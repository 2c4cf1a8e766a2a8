"""Several charge points on one page: their tiles, one opened by the keyboard, acts at all of them, a phone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.panel.conftest import browser_page, world_at
from tests.panel.page import Panel
from tests.panel.test_panel import NAMELESS

STATIONS = 3


@pytest.fixture
def several(tmp_path: Path) -> Iterator[Panel]:
    with world_at(tmp_path / "state", "--csms", "--stations", str(STATIONS)) as address, browser_page(address) as panel:
        panel.page.goto(panel.address)
        panel.sees("#sum", f"{STATIONS} charge points, {STATIONS} connected, 0 charging")
        yield panel


def test_a_tile_opens_its_charge_point_and_shows_its_charge(several: Panel) -> None:
    several.page.locator("a.tile", has_text="CP001-2").focus()
    several.page.keyboard.press("Enter")
    several.sees("#title", "CP001-2")
    several.status("Available")
    several.sees("#next", "First press «plug in»")
    several.click("plug in")
    several.sees("#next", "Now press «swipe»")
    several.click("swipe")
    several.status("Charging")
    several.sees("#charged tr", "plugged in")
    several.page.get_by_role("link", name="all charge points").click()
    several.sees("#sum", "1 charging, 22.1 kW")
    several.sees("a.tile", "22.1 kW")
    assert several.page.locator("a.tile", has_text="Charging").all_text_contents()[0].startswith("CP001-2")
    several.page.go_back()
    several.status("Charging")
    several.page.locator("#station").select_option("3")
    several.sees("#title", "CP001-3")
    several.status("Available")


def test_acts_at_every_charge_point(several: Panel) -> None:
    several.click("plug in everywhere")
    several.page.wait_for_function("[...document.querySelectorAll('a.tile')].every(tile => tile.textContent.includes('Preparing'))")
    several.click("swipe everywhere")
    several.sees("#sum", f"{STATIONS} charging")
    several.click("network down everywhere")
    several.sees("#sum", "0 connected")
    several.click("unplug everywhere")
    several.sees("#sum", "0 charging, 0.0 kW")


def test_the_tiles_fit_a_phone_and_have_names(several: Panel) -> None:
    several.page.set_viewport_size({"width": 390, "height": 844})
    assert several.page.evaluate("document.documentElement.scrollWidth") <= 390
    assert several.page.evaluate(NAMELESS) == []
    names = several.page.get_by_role("link").all_text_contents()
    assert len([name for name in names if "connected" in name and "Available" in name]) == STATIONS
