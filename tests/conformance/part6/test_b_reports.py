"""Block B, provisioning, of OCPP 2.0.1 part 6, 2.3: base reports and custom reports."""

from __future__ import annotations

import csv
from pathlib import Path

from tests.conformance.driver.lab import Lab
from tests.conformance.driver.matching import ABSENT, Payload, check, present
from tests.conformance.driver.reports import LISTS, base_report, empty_report, lists_have_values, report

REQUIRED = list(csv.DictReader((Path(__file__).parent / "required_variables.csv").open()))
"""Variables marked as required in the appendices of part 2, 3 (components and variables)."""
EVSE_1 = {"component": {"name": "EVSE", "evse": {"id": 1}}, "variable": {"name": "AvailabilityState"}}
AVAILABILITY = {"Available", "Occupied", "Reserved", "Unavailable", "Faulted"}
CAN_CHANGE = {"ReadWrite", "WriteOnly"}


def values_of(text: str) -> set[str]:
    return {word.strip() for word in text.split(",")}


def availability_state(row: Payload) -> None:
    """The row of EVSE 1's AvailabilityState."""
    check({**EVSE_1, "variableCharacteristics": {"dataType": "OptionList", "valuesList": lambda text: values_of(text) == AVAILABILITY}}, row)
    check([{"type": lambda type_: type_ in (ABSENT, "Actual"), "mutability": "ReadOnly", "value": "Available"}], row["variableAttribute"])


async def test_TC_B_12_CS(shared_booted: Lab) -> None:
    """ConfigurationInventory: all that can be configured, in numbered parts; lists name their values."""
    rows = await base_report(shared_booted, "ConfigurationInventory")
    lists_have_values(rows)
    assert all(any(it.get("mutability", "ReadWrite") in CAN_CHANGE for it in row["variableAttribute"]) for row in rows)


async def test_TC_B_13_CS(shared_booted: Lab) -> None:
    """FullInventory: every variable once, in numbered parts; lists name their values."""
    rows = await base_report(shared_booted, "FullInventory")
    lists_have_values(rows)
    names = [str((row["component"], row["variable"])) for row in rows]
    assert len(names) == len(set(names)) > len(REQUIRED)


async def test_TC_B_14_CS(shared_booted: Lab) -> None:
    """SummaryInventory: what is available and what is wrong."""
    rows = await base_report(shared_booted, "SummaryInventory")
    assert {"AvailabilityState"} <= {row["variable"]["name"] for row in rows}


async def test_TC_B_16_CS(shared_booted: Lab) -> None:
    """Custom report of components that are enabled (or cannot be: B08.FR.09): each Enabled in it is true, and reading it says the same."""
    told = await report(shared_booted, componentCriteria=["Enabled"])
    check([{"variableCharacteristics": present}] * len(told), told)
    rows = [row for row in told if row["variable"]["name"] == "Enabled"]
    for row in rows:
        check([{"value": "true"}], row["variableAttribute"])
    data = [{"component": row["component"], "variable": row["variable"]} for row in rows]
    results = (await shared_booted.csms.call("GetVariables", {"getVariableData": data}))["getVariableResult"]
    assert len(results) == len(rows) > 0
    for result in results:
        check({"attributeStatus": "Accepted", "attributeValue": "true"}, result)


async def test_TC_B_17_CS(shared_booted: Lab) -> None:
    """Custom report of one variable of one EVSE."""
    [row] = await report(shared_booted, componentVariable=[EVSE_1])
    availability_state(row)


async def test_TC_B_18_CS(shared_booted: Lab) -> None:
    """Custom report of one variable with a criterion that its component meets, then with one that it does not."""
    [row] = await report(shared_booted, componentCriteria=["Available"], componentVariable=[EVSE_1])
    availability_state(row)
    await empty_report(shared_booted, componentCriteria=["Problem"], componentVariable=[EVSE_1])


async def test_TC_B_53_CS(shared_booted: Lab) -> None:
    """FullInventory has every required variable, with a value that its characteristics allow."""
    rows = await base_report(shared_booted, "FullInventory")
    lists_have_values(rows)
    there = {(row["component"]["name"], row["variable"]["name"], row["variable"].get("instance", "")) for row in rows}
    missing = [it for it in REQUIRED if (it["component"], it["variable"], it["instance"]) not in there]
    assert not missing, missing
    for row in rows:
        for attribute in row["variableAttribute"]:
            value_fits(row, attribute)


def value_fits(row: Payload, attribute: Payload) -> None:
    """WriteOnly: no value; else one, of its list if it has one. EVSE.Power need only have a limit (errata 2025-04)."""
    characteristics = row["variableCharacteristics"]
    if attribute.get("mutability") == "WriteOnly":
        assert "value" not in attribute, row
    elif (row["component"]["name"], row["variable"]["name"]) == ("EVSE", "Power"):
        assert characteristics["maxLimit"] > 0, row
    else:
        assert "value" in attribute, row
        if characteristics["dataType"] in LISTS and attribute["value"]:
            assert values_of(attribute["value"]) <= values_of(characteristics["valuesList"]), row


async def test_TC_B_54_CS(shared_booted: Lab) -> None:
    """Custom report of a variable without instance: all its instances."""
    wanted = {"component": {"name": "DeviceDataCtrlr"}, "variable": {"name": "ItemsPerMessage"}}
    rows = await report(shared_booted, componentVariable=[wanted])
    for row in rows:
        check(wanted, row)
    assert {"GetReport", "GetVariables"} <= {row["variable"]["instance"] for row in rows}


async def test_TC_B_55_CS(shared_booted: Lab) -> None:
    """Custom report of one instance of a variable."""
    wanted = {"component": {"name": "DeviceDataCtrlr"}, "variable": {"name": "ItemsPerMessage", "instance": "GetReport"}}
    [row] = await report(shared_booted, componentVariable=[wanted])
    check(wanted, row)


async def test_TC_B_56_CS(shared_booted: Lab) -> None:
    """Custom report of a variable of EVSE without an id: that of every EVSE."""
    wanted = {"component": {"name": "EVSE"}, "variable": {"name": "AvailabilityState"}}
    rows = await report(shared_booted, componentVariable=[wanted])
    for row in rows:
        check(wanted, row)
    assert sorted(row["component"]["evse"]["id"] for row in rows) == [1, 2]
