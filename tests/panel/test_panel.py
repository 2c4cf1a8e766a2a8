"""The panel in a real browser: a charge by clicks, a fault and its recovery, offline and replay, the conversation, a phone."""

from __future__ import annotations

from tests.panel.page import Panel

NAMELESS = """() => [...document.querySelectorAll('button, input, select, canvas, svg, [tabindex]')]
    .filter((node) => node.tagName === 'svg' || node.offsetParent !== null)
    .filter((node) => !['aria-label', 'aria-labelledby', 'placeholder'].some((name) => node.getAttribute(name)))
    .filter((node) => !(node.textContent.trim() || node.labels?.length))
    .map((node) => node.outerHTML.slice(0, 120))"""


def test_a_full_charge_by_clicks(panel: Panel) -> None:
    panel.open()
    panel.charge()
    panel.sees("#evse-1 figcaption", "control pilot: state C2")
    panel.says("a car is plugged in, 40 percent full; contactor closed; socket locked")
    panel.sees("#sessions tr", "running")
    panel.click("swipe")
    panel.sees("#sessions tr", "Local")
    panel.click("unplug")
    panel.status("Available")
    panel.says("no car; contactor open; socket unlocked")


def test_a_fault_and_its_recovery(panel: Panel) -> None:
    panel.open()
    panel.charge()
    panel.page.locator("#evse-1 summary", has_text="faults").click()
    panel.click("emergency_stop", "#evse-1 .faults")
    panel.sees("#evse-1 .faults summary", "laid on: emergency_stop")
    panel.says("contactor open")
    panel.click("emergency_stop", "#evse-1 .faults")
    panel.sees("#evse-1 .faults summary", "none")
    panel.click("unplug")
    panel.status("Available")
    panel.charge()


def test_offline_and_replay(panel: Panel) -> None:
    panel.open()
    panel.charge()
    panel.click("network down")
    panel.sees("#connected", "not connected")
    panel.click("unplug")
    panel.sees("#waiting", "facts waiting")
    panel.status("Available")
    panel.click("network up")
    panel.sees("#sessions tr", "EVDisconnected")
    panel.page.wait_for_function("!document.getElementById('waiting').textContent.includes('facts')")


def test_the_conversation_is_live_filtered_and_opened(panel: Panel) -> None:
    panel.open()
    panel.sees("#talk summary", "BootNotification answered")
    panel.page.get_by_label("filter messages").fill("boot")
    assert panel.page.locator("#talk li:visible").count() == panel.page.locator("#talk li:visible", has_text="BootNotification").count() > 0
    panel.page.locator("#talk li:visible summary", has_text="→ BootNotification").click()
    panel.sees("#talk pre", '"vendorName": "Chargepoint"')
    panel.page.get_by_label("filter messages").fill("")
    panel.page.get_by_label("order", exact=True).select_option("TriggerMessage")
    panel.page.get_by_label("requestedMessage").select_option("StatusNotification")
    panel.click("send", "#order")
    panel.sees("#answer", '{"status":"Accepted"')
    panel.sees("#talk summary", "TriggerMessage answered")


def test_an_unknown_card_and_a_csms_that_misbehaves(panel: Panel) -> None:
    panel.open()
    panel.click("plug in")
    panel.says("a car is plugged in")
    panel.click("swipe an unknown card")
    panel.sees("#talk pre, #talk summary", "Authorize answered")
    panel.status("Preparing")
    panel.page.locator("summary", has_text="let it misbehave").click()
    panel.page.locator("#at").fill("Authorize")
    panel.page.locator("#what").select_option("call_error")
    panel.click("order it")
    panel.sees("#answer", "ordered: answer with an error")
    panel.click("swipe")
    panel.sees("#talk summary", "Authorize refused")


def test_a_phone_shows_all_of_it(panel: Panel) -> None:
    panel.page.set_viewport_size({"width": 390, "height": 844})
    panel.open()
    panel.charge()
    assert panel.page.evaluate("document.documentElement.scrollWidth") <= 390
    for words in ("unplug", "swipe", "cut the power", "send"):
        box = panel.page.get_by_role("button", name=words, exact=True).first.bounding_box()
        assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= 390


def test_a_charge_by_the_keyboard_in_the_dark(panel: Panel) -> None:
    panel.page.emulate_media(color_scheme="dark")
    panel.open()
    assert panel.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(16, 22, 29)"
    panel.sees("#next", "First press «plug in»")
    panel.press("plug in")
    panel.sees("#next", "Now press «swipe»")
    panel.press("swipe")
    panel.status("Charging")
    panel.sees("#next", "The car charges")
    panel.press("unplug")
    panel.status("Available")


def test_every_control_has_a_name(panel: Panel) -> None:
    """What a screen reader says: no button, field or drawing without words."""
    panel.open()
    assert panel.page.evaluate(NAMELESS) == []
