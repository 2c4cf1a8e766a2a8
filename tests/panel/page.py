"""The page as a person uses it: by the words on its buttons, and by what can be read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

MOST_TABS = 60
PATIENCE_MS = 60_000


class Panel:
    """troubles: what the browser's console and scripts complained of, and every request that left this machine's world."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.address = address
        self.troubles: list[str] = []
        page.set_default_timeout(PATIENCE_MS)
        page.on("request", lambda request: self.troubles.append(request.url) if not request.url.startswith((address, "data:")) else None)
        page.on("pageerror", lambda error: self.troubles.append(str(error)))
        page.on("console", lambda message: self.troubles.append(message.text) if message.type == "error" else None)

    def open(self) -> None:
        """The page, and a charger that can be used."""
        self.page.goto(self.address)
        self.status("Available")
        self.sees("#waiting", "accepted")

    def click(self, words: str, within: str = "body") -> None:
        self.page.locator(within).get_by_role("button", name=words, exact=True).click()

    def status(self, word: str) -> None:
        self.sees("#evse-1 h2", word)

    def sees(self, selector: str, text: str) -> Locator:
        """Waits until a node with that text is to be seen."""
        found = self.page.locator(selector).filter(has_text=re.compile(re.escape(text))).first
        found.wait_for()
        return found

    def says(self, text: str) -> None:
        """Waits until the picture's description, which is read aloud, has these words."""
        self.page.locator("#evse-1 title").filter(has_text=text).wait_for(state="attached")

    def press(self, words: str) -> None:
        """A button by the keyboard alone: on with Tab until it has the focus, then Enter."""
        for _ in range(MOST_TABS):
            self.page.keyboard.press("Tab")
            if self.page.evaluate("document.activeElement.textContent.trim()") == words:
                self.page.keyboard.press("Enter")
                return
        raise AssertionError(f"the Tab key does not reach «{words}»")

    def charge(self) -> None:
        """From nothing to a car that charges, by clicks."""
        self.click("plug in")
        self.click("swipe")
        self.status("Charging")
        self.sees("#evse-1 svg text", "kW")
