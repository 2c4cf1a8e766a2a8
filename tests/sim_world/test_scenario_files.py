"""Scenario files: what a line means, and what is said of one that means nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from chargepoint.settings_file import load
from sim.api import calls
from sim.script import Script, ScriptError, read
from sim.script_acts import FORMS, Request, line, request
from sim.script_steps import Act, Condition, Expectation, Message, Wait, step
from sim.script_values import filled, holds, picked

SHIPPED = sorted((Path(__file__).parents[2] / "sim" / "scenarios").glob("*.scenario"))
SCENARIO = """
# a comment
A story
ocpp ocpp1.6
setting control.lease_s = 5
card CARD9 Blocked
csms {"heartbeat_interval_s": 60}
speed 600

plug-in 1 {"ready": false}   # a comment
swipe "two words"
wait 500 ms
kill station STOP
"""


def read_text(directory: Path, text: str) -> Script:
    (directory / "a.scenario").write_text(text)
    return read(directory / "a.scenario")


def test_a_scenario_file(tmp_path: Path) -> None:
    script = read_text(tmp_path, SCENARIO)
    assert (script.title, script.ocpp, script.settings, script.speed) == ("A story", "ocpp1.6", {"control.lease_s": 5}, 600.0)
    assert [row.body for row in script.before] == [{"CARD9": "Blocked"}, {"heartbeat_interval_s": 60}]
    plug, swipe, wait, kill = script.steps
    assert isinstance(plug, Act) and plug.request == ("POST", "api/evse/1/plug-in", {"ev": {"ready": False}})
    assert isinstance(swipe, Act) and swipe.request.body == {"uid": "two words"}
    assert isinstance(wait, Wait) and wait.seconds == 0.5
    assert isinstance(kill, Act) and (kill.evse, kill.request.body) == (None, {"process": "station", "signal": "STOP"})


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("expect evse 1 current_a[0] >= 15.5 for 2 s within 500 ms", ("evse", 1, ("current_a[0]", ">=", 15.5), 0.5, 2.0)),
        ("expect csms transactions[-1].reason = Local", ("csms", 0, ("transactions[-1].reason", "=", "Local"), 20.0, 0.0)),
        ("expect contactor open within 100 ms", ("evse", 1, ("contactor", "=", "open"), 0.1, 0.0)),
        ("expect evse 2 contactor closed", ("evse", 2, ("contactor", "=", "closed"), 20.0, 0.0)),
        ("expect status Charging", ("connector", 1, ("status", "=", "Charging"), 20.0, 0.0)),
        ("expect current > 15", ("evse", 1, ("current_a[0]", ">", 15), 20.0, 0.0)),
        ("expect connector 2 status = Finishing", ("connector", 2, ("status", "=", "Finishing"), 20.0, 0.0)),
        ("expect world station = null", ("world", 0, ("station", "=", None), 20.0, 0.0)),
        ("wait until contactor closed", ("evse", 1, ("contactor", "=", "closed"), 60.0, 0.0)),
        ("wait until evse 1 ev.soc_percent >= 80 within 2 min", ("evse", 1, ("ev.soc_percent", ">=", 80), 120.0, 0.0)),
    ],
)
def test_an_expectation(text: str, meant: tuple[object, ...]) -> None:
    made = step(1, text)
    assert isinstance(made, Expectation) and made[2:] == meant


def test_a_message_the_csms_has_to_hear() -> None:
    made = step(1, "expect csms StartTransaction with idTag = 04A1B2C3, connectorId = 1 within 8 s")
    assert made[2:] == ("StartTransaction", (Condition("idTag", "=", "04A1B2C3"), Condition("connectorId", "=", 1)), False, 8.0)
    made = step(1, "expect csms TransactionEvent with transactionInfo.stoppedReason = Local, meterValue[0].sampledValue has [1, 2]")
    assert isinstance(made, Message) and made.conditions[1].value == [1, 2]
    assert step(1, "expect no csms Authorize for 3 s")[2:] == ("Authorize", (), True, 3.0)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("plug 1", "plug-in 1"),
        ('plug-in 1 2 {"phases": 1}', 'plug-in 1 2 {"phases": 1}'),
        ("cut power", "power off"),
        ("restore power", "power on"),
        ("power off shutdown", "power off shutdown"),
        ('fault 1 over_temperature {"value": 70}', 'fault 1 over_temperature {"value": 70}'),
        ("unfault 1 diode", "unfault 1 diode"),
        ("swipe 04A1B2C3", "swipe 04A1B2C3"),
        ("swipe 'a card # of wood'", "swipe 'a card # of wood'"),
        ("card CARD9", "card CARD9"),
        ('card CARD9 {"status": "Accepted", "group": "G"}', 'card CARD9 Accepted {"group": "G"}'),
        ('send Reset {"type": "Soft"}', 'send Reset {"type": "Soft"}'),
        ("behave", "behave"),
    ],
)
def test_an_act_is_a_call_and_the_call_the_act(text: str, written: str) -> None:
    made = step(1, text)
    assert isinstance(made, Act)
    said = line(made.request)
    assert said == written
    assert request(*said.partition(" ")[::2]) == made.request


def test_every_act_has_an_example_that_is_one() -> None:
    for form in FORMS:
        made = step(1, form.example)
        assert isinstance(made, Act) and made.name == form.name and line(made.request) == form.example


def test_every_act_of_the_control_api_can_be_written() -> None:
    acts = {(form.method, re.sub(r"{\w+}", "{}", form.path)) for form in FORMS}
    ours = {(call.method, "api" + re.sub(r"{\w+}", "{}", call.path)) for call in calls() if call.method != "GET" and call.path != "/timings"}
    assert ours <= acts


def test_a_call_there_is_no_act_for() -> None:
    assert line(Request("POST", "api/dance", {})) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("dance 1", "there is no step 'dance'; known are expect, wait, plug-in"),
        ("swip 04A1B2C3", "did you mean swipe?"),
        ("plug-in", 'write plug-in EVSE, for example plug-in 1 {"profile": "mg4"}'),
        ("plug-in 2", "there is no EVSE 2; the head's `evses` says 1"),
        ('plug-in 1 {"phase": 1}', "unknown field 'phase'"),
        ("plug-in 1 {x}", "the body is no JSON"),
        ("fault 1", "write fault EVSE FAULT, for example fault 1 over_temperature"),
        ("fault 1 diod", "there is no fault 'diod'; known are diode"),
        ("network off", "'up', 'down', 'stall'|Invalid enum value 'off'"),
        ("kill", "write kill PROCESS \\[SIGNAL\\], for example kill control KILL"),
        ("kill control HARD", "Invalid enum value 'HARD'"),
        ("wait long", "'long' is no time; write for example 2 s, 500 ms or 1 min"),
        ("wait 3 hours", "'3 hours' is no time"),
        ("expect evse contactor = open", "evse needs a number, as in expect evse 1 PATH = VALUE"),
        ("expect station 1 connected = true", "station takes no number"),
        ("expect evse 1 x ~ 2", "has no operator out of =, !=, >="),
        ("expect evs 1 contactor = open", "there is no place 'evs'; did you mean evse?"),
        ("expect evse 1 contactor = open within 3 parsecs", "'3 parsecs' is no time"),
        ("expect evse 3 contactor = open", "there is no EVSE 3"),
        ("expect csms StartTransaction", "no call of a station of ocpp2.0.1 'StartTransaction'"),
        ("expect csms TransactionEvnt", "did you mean TransactionEvent?"),
        ("expect csms TransactionEvent with Ended", "'Ended' is no condition; write PATH OPERATOR VALUE"),
        ("expect no csms TransactionEvent", "write expect no csms TransactionEvent .* for TIME"),
    ],
)
def test_a_wrong_line_is_told_with_its_number_and_what_would_be_right(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ScriptError, match=rf"a\.scenario:3: .*(?:{words})"):
        read_text(tmp_path, f"Title\n\n{text}\n")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ocpp ocpp3", "there is no version 'ocpp3'; did you mean ocpp"),
        ("evses many", "'many' is no number of EVSEs; write for example evses 2"),
        ("speed 0", "'0' is no speed; write for example speed 600"),
        ("setting lease_s = 5", "write setting TABLE.KEY = VALUE"),
        ("setting control.lease_s = five", "'five' is no value; a text stands in quotes"),
        ("setting control.leas_s = 5", "did you mean `lease_s`"),
        ("setting evse.max_current_a = true", "evse.*max_current_a: True is wrong"),
        ("setting evse[2].max_current_a = 16", "there is no EVSE 2"),
        ("card", "write card UID"),
    ],
)
def test_a_wrong_head_is_told_with_its_line(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ScriptError, match=rf"a\.scenario:2: .*{words}"):
        read_text(tmp_path, f"Title\n{text}\nswipe CARD1\n")


def test_the_head_comes_first(tmp_path: Path) -> None:
    with pytest.raises(ScriptError, match=r":3: evses belongs to the head"):
        read_text(tmp_path, "Title\nswipe CARD1\nevses 2\n")


def test_a_setting_may_be_edited_on_the_way(tmp_path: Path) -> None:
    script = read_text(tmp_path, "Title\nswipe CARD1\nsetting evse.max_power_w = 3450\n")
    assert script.steps[1] == (3, "setting evse.max_power_w = 3450", "evse.max_power_w", 3450)
    with pytest.raises(ScriptError, match=r":3: evse\[1\]\.max_power_w: True is wrong"):
        read_text(tmp_path, "Title\nswipe CARD1\nsetting evse.max_power_w = true\n")


def test_a_file_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(ScriptError, match="is empty; the first line is the title"):
        read_text(tmp_path, "\n# nothing\n")
    with pytest.raises(ScriptError, match="cannot be read"):
        read(tmp_path / "nowhere.scenario")


def test_values_are_picked_and_compared() -> None:
    state = {"evses": [{"id": 1, "faults": ["diode"]}]}
    assert picked(state, "evses[0].id") == 1
    assert picked(state, "evses[3].id") is None
    assert holds(["diode"], "has", "diode")
    assert holds("Charging", "=", "Charging") and holds(None, "=", None)
    assert not holds(None, ">", 1)
    assert holds(True, "=", True) and not holds(True, "=", "True")


def test_what_is_only_known_then_is_referred_to() -> None:
    known = {"transactions": [{"id": "7"}, {"id": "a-b"}]}
    body = {"transactionId": "$transactions[0].id", "list": [{"id": "$transactions[1].id"}], "text": "as it is"}
    assert filled(body, known) == {"transactionId": 7, "list": [{"id": "a-b"}], "text": "as it is"}
    assert filled("$now + 5 min", {}) > filled("$now", {})
    with pytest.raises(LookupError, match=r"nothing stands at \$transactions\[2\].id"):
        filled("$transactions[2].id", known)


SETTINGS = """
Settings of every kind
evses 2
setting evse.max_current_a = 16
setting evse[2].max_current_a = 20
setting control.lease_s = 5
setting ocpp16.configuration.HeartbeatInterval = 60
setting ocpp2.variables."AuthCtrlr.LocalPreAuthorize" = true
"""


def test_the_settings_of_a_scenario(tmp_path: Path) -> None:
    made = tmp_path / "chargepoint.toml"
    made.write_text(read_text(tmp_path, SETTINGS).settings_text())
    settings = load(made)
    assert [(evse.id, evse.max_current_a) for evse in settings.evse] == [(1, 16), (2, 20)]
    assert settings.control.lease_s == 5
    assert settings.ocpp16.configuration == {"HeartbeatInterval": 60}
    assert settings.ocpp2.variables == {"AuthCtrlr.LocalPreAuthorize": True}


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_shipped_scenarios_can_be_read(file: Path) -> None:
    assert read(file).steps


def test_the_example_of_the_docs_is_one_that_is_played() -> None:
    docs = (SHIPPED[0].parents[2] / "docs" / "simulator.md").read_text()
    example = docs.split("## Scenarios")[1].split("```\n")[1]
    assert example == (SHIPPED[0].parent / "car_pauses.scenario").read_text()
