"""The built-in CSMS on the page: every order of both versions by its form, cards, prices, stations, and what it does wrong on order."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sim.csms import schemas
from sim.csms.orders import ORDERS
from tests.panel.conftest import browser_page, world_at
from tests.panel.page import Panel

SOON_AGAIN = "\n[csms.reconnect]\nwait_minimum_s = 1\nrandom_range_s = 0\nrepeat_times = 1\n"
FILL = """() => {
    for (const label of document.querySelectorAll('#fields label')) {
        const input = label.querySelector('input:not([type=checkbox])');
        if (!input || !label.querySelector('.must') || input.value || label.closest('[hidden]')) continue;
        input.value = input.placeholder === 'date-time' ? '2030-01-01T00:00:00Z' : input.maxLength > 0 ? '1' : '';
    }
    document.getElementById('fields').dispatchEvent(new Event('input'));
}"""


def speaks(panel: Panel, protocol: str) -> None:
    """The CSMS and the station agree on a version, and the page shows its orders."""
    panel.page.request.post(f"{panel.address}/csms/options", data=json.dumps({"protocols": [protocol]}))
    panel.page.request.post(f"{panel.address}/csms/disconnect", data=json.dumps({"identity": "CP001"}))
    panel.sees("#waiting", f"{protocol} accepted")
    panel.page.locator("#action option", has_text=ORDERS[protocol][0]).first.wait_for(state="attached")


@pytest.mark.parametrize("protocol", ["ocpp1.6", "ocpp2.0.1"])
def test_every_order_has_a_form_that_makes_a_valid_message(panel: Panel, protocol: str) -> None:
    panel.open()
    speaks(panel, protocol)
    assert panel.page.locator("#action option").all_text_contents() == list(ORDERS[protocol])
    wrong = {}
    for action in ORDERS[protocol]:
        with panel.page.expect_response(lambda answer: "/csms/schema" in answer.url):
            panel.page.locator("#action").select_option(action)
        panel.page.wait_for_timeout(50)
        panel.page.evaluate(FILL)
        complaint = schemas.complaint(protocol, action, json.loads(panel.page.locator("#payload").input_value()))
        if complaint:
            wrong[action] = complaint
    assert wrong == {}


def test_an_order_with_two_items_reaches_the_station(panel: Panel) -> None:
    panel.open()
    panel.page.locator("#action").select_option("GetVariables")
    panel.click("one getVariableData more")
    for row, name in enumerate(("HeartbeatInterval", "MessageTimeout")):
        item = panel.page.locator("#fields .item").nth(row)
        item.get_by_label("name").nth(0).fill("OCPPCommCtrlr")
        item.get_by_label("name").nth(1).fill(name)
    panel.click("send", "#order")
    panel.sees("#answer", '"name":"HeartbeatInterval"')
    panel.sees("#answer", '"name":"MessageTimeout"')


def test_cards_prices_and_stations(panel: Panel) -> None:
    panel.open()
    panel.page.locator("summary", has_text="cards").click()
    panel.page.locator("#card input[name=uid]").fill("04FFFFFF")
    panel.page.locator("#card select").select_option("Blocked")
    panel.click("keep")
    panel.sees("#known li", "04FFFFFF Blocked")
    panel.click("forget card 04FFFFFF")
    panel.page.locator("#known li", has_text="04FFFFFF").wait_for(state="detached")
    panel.page.locator("#prices input[name=price_per_session]").fill("2.5")
    panel.page.locator("#prices input[name=currency]").fill("CHF")
    panel.click("set", "#prices")
    panel.sees("#price", "0.4 CHF per kWh, 2.5 per session")
    panel.charge()
    panel.sees("#sessions tr", "2.50 CHF")
    panel.page.locator("summary", has_text="stations").click()
    panel.sees("#met li", "CP001 connected, ocpp2.0.1; Accepted")


def test_a_wrong_clock_and_misbehaviours_are_ordered_and_taken_back(panel: Panel) -> None:
    panel.open()
    panel.page.locator("summary", has_text="let it misbehave").click()
    panel.page.get_by_label("clock wrong by").fill("-3600")
    panel.page.get_by_label("clock wrong by").press("Enter")
    panel.sees("#answer", "set")
    panel.page.locator("#at").fill("Authorize")
    panel.page.locator("#what").select_option("slow")
    panel.page.get_by_label("seconds").fill("3")
    panel.page.get_by_label("how often").select_option("always")
    panel.click("order it")
    panel.sees("#waits", "ordered: answer late (Authorize)")
    state = panel.page.request.get(f"{panel.address}/csms/summary").json()
    assert state["options"]["clock_wrong_by_s"] == -3600
    assert [(row["what"], row["seconds"], row["count"]) for row in state["misbehaviours"]] == [("slow", 3, None)]
    panel.click("take all back")
    panel.sees("#answer", "it behaves again")
    assert panel.page.request.get(f"{panel.address}/csms/summary").json()["misbehaviours"] == []


def test_a_bad_certificate_by_a_click(tmp_path: Path) -> None:
    with world_at(tmp_path / "state", "--tls", more=SOON_AGAIN) as address, browser_page(address) as panel:
        panel.open()
        panel.sees("#talk summary", "BootNotification answered")
        panel.page.locator("summary", has_text="let it misbehave").click()
        panel.page.get_by_label("shows").select_option("expired")
        panel.sees("#connected", "not connected")
        panel.page.locator("summary", has_text="the firmware's log").click()
        while not panel.page.locator("#log pre", has_text="certificate has expired").count():
            panel.page.wait_for_timeout(500)
            panel.click("read again")
        panel.page.get_by_label("shows").select_option("good")
        panel.sees("#waiting", "accepted")
        panel.sees("#connected", "connected")
        panel.sees("#talk summary", "SecurityEventNotification")
