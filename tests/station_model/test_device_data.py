"""Variables and reports on order, with every criterion."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from msgspec import structs

from chargepoint.model.orders import Answer, GetBaseReport, GetReport, GetVariable, GetVariables, SetVariable, SetVariables
from chargepoint.model.variable import Key, ReportItem
from chargepoint.settings import Evse, Settings
from chargepoint.station import variables
from chargepoint.station.device_data import DeviceData
from chargepoint.station.device_model import DeviceModel

Components = tuple[tuple[str, str | None, int | None, int | None, str | None, str | None], ...]


class Desk:
    """Device data and what it sent."""

    def __init__(self) -> None:
        settings = Settings(evse=(Evse(id=1, connectors=("sType2", "cType2")), Evse(id=2)))
        self.model: DeviceModel = variables.build(variables.Nowhere(), settings)
        self.sent: dict[int, list[ReportItem]] = {}
        self.data = DeviceData(self.model, self.send, {})

    async def send(self, request_id: int, items: Sequence[ReportItem]) -> None:
        self.sent[request_id] = list(items)

    async def finish(self, answer: Answer) -> list[str]:
        """What follows the answer, as Component@place.Variable[instance] of each item."""
        assert answer.status == "Accepted" and answer.then is not None and not self.sent
        await answer.then()
        (items,) = self.sent.values()
        return [name(item) for item in items]

    async def report(self, criteria: tuple[str, ...] = (), components: Components = ()) -> list[str]:
        return await self.finish(await self.data.report(GetReport(7, criteria, components)))


def name(item: ReportItem) -> str:
    place = "" if item.evse is None else f"@{item.evse}" if item.connector is None else f"@{item.evse}:{item.connector}"
    return f"{item.component[0]}{place}.{item.variable[0]}" + (f"[{item.variable[1]}]" if item.variable[1] else "")


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_get_answers_each_in_order(desk: Desk) -> None:
    items = (
        GetVariable(("AuthCtrlr", None), ("Enabled", None)),
        GetVariable(("AuthCtrlr", ""), ("Enabled", "")),
        GetVariable(("OCPPCommCtrlr", None), ("MessageTimeout", "Default")),
        GetVariable(("OCPPCommCtrlr", None), ("MessageTimeout", None)),
        GetVariable(("Connector", None), ("ConnectorType", None), evse=1, connector=2),
        GetVariable(("SecurityCtrlr", None), ("BasicAuthPassword", None)),
        GetVariable(("AuthCtrlr", None), ("Enabled", None), attribute="Target"),
        GetVariable(("AuthCtrlr", "other"), ("Enabled", None)),
    )
    answer = await desk.data.get(GetVariables(items))
    assert answer.data == [
        (items[0], "Accepted", "true"),
        (items[1], "Accepted", "true"),
        (items[2], "Accepted", "30"),
        (items[3], "UnknownVariable", None),
        (items[4], "Accepted", "cType2"),
        (items[5], "Rejected", None),
        (items[6], "NotSupportedAttributeType", None),
        (items[7], "UnknownComponent", None),
    ]


async def test_set_answers_each_in_order(desk: Desk) -> None:
    items = (
        SetVariable(("AuthCtrlr", None), ("Enabled", None), "false"),
        SetVariable(("AuthCtrlr", None), ("Enabled", None), "2"),
        SetVariable(("EVSE", None), ("Power", None), "2", evse=1),
    )
    answer = await desk.data.set(SetVariables(items))
    assert [said[1:] for said in answer.data] == [
        ("Accepted", None, None),
        ("Rejected", "InvalidValue", "'2' is not true or false"),
        ("Rejected", "ReadOnly", "it is read-only"),
    ]
    assert not desk.model.boolean("AuthCtrlr.Enabled")


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("OCPPCommCtrlr.HeartbeatInterval", "0", ("Rejected", "InvalidValue", "0 is below 1")),
        ("EVSE@1.Power", "much", ("Rejected", "InvalidValue", "'much' is no number")),
        ("SecurityCtrlr.BasicAuthPassword", "too-short", ("Rejected", "InvalidValue", "9 characters is below 16")),
        ("OCPPCommCtrlr.NetworkConfigurationPriority", "3", ("Rejected", "InvalidValue", "slot 3 is empty")),
        ("OCPPCommCtrlr.NetworkConfigurationPriority", "1", ("RebootRequired", None, None)),
        ("OCPPCommCtrlr.Nothing", "1", ("UnknownVariable", None, None)),
    ],
)
async def test_a_value_that_is_not_taken_is_answered_with_the_reason(desk: Desk, variable: str, value: str, said: tuple[str | None, ...]) -> None:
    """B05.FR.07 to B05.FR.09."""
    desk.model.guard("OCPPCommCtrlr.NetworkConfigurationPriority", lambda slots: None if slots == "1" else f"slot {slots} is empty")
    key = Key.parse(variable)
    answer = await desk.data.set(SetVariables((SetVariable((key.component, None), (key.variable, None), value, evse=key.evse),)))
    assert answer.data[0][1:] == said


async def test_a_variable_may_be_a_deed(desk: Desk) -> None:
    done: list[str] = []

    async def act(value: str) -> str:
        done.append(value)
        return "not now" if len(done) > 1 else ""

    deeds = DeviceData(desk.model, desk.send, {Key.parse("AuthCtrlr.Enabled").folded(): act})
    item = SetVariable(("authctrlr", None), ("enabled", None), "false")
    wrong, target = (structs.replace(item, **change) for change in ({"value": "2"}, {"attribute": "Target"}))
    answer = await deeds.set(SetVariables((item, item, wrong, target)))
    assert [said[1] for said in answer.data] == ["Accepted", "Rejected", "Rejected", "NotSupportedAttributeType"]
    assert (answer.data[1][2:], done) == ((None, "not now"), ["false", "false"])
    assert answer.data[2][2] == "InvalidValue"
    assert desk.model.boolean("AuthCtrlr.Enabled"), "nothing is kept"


async def test_the_full_inventory_is_everything_with_its_characteristics(desk: Desk) -> None:
    names = await desk.finish(await desk.data.base_report(GetBaseReport(1, "FullInventory")))
    assert len(names) == len(list(desk.model.all())) == len(set(names))
    items = {name(item): item for item in desk.sent[1]}
    interval = items["OCPPCommCtrlr.HeartbeatInterval"]
    assert (interval.unit, interval.minimum, interval.data_type) == ("s", 1, "integer")
    assert interval.attributes == (("Actual", "300", "ReadWrite", True, False),)
    assert items["SecurityCtrlr.BasicAuthPassword"].attributes[0][1] is None
    assert items["EVSE@1.Power"].maximum == 22_080
    assert "Energy.Active.Import.Register" in items["SampledDataCtrlr.TxUpdatedMeasurands"].values


async def test_the_configuration_inventory_is_what_can_be_set(desk: Desk) -> None:
    names = await desk.finish(await desk.data.base_report(GetBaseReport(1, "ConfigurationInventory")))
    assert "AuthCtrlr.Enabled" in names and "SecurityCtrlr.BasicAuthPassword" in names and "EVSE@1.Power" not in names


async def test_the_summary_is_availability_and_problems(desk: Desk) -> None:
    desk.model.push("ControlPilot@2.Problem", True)
    names = await desk.finish(await desk.data.base_report(GetBaseReport(1, "SummaryInventory")))
    assert sorted(names) == [
        "ChargingStation.AvailabilityState",
        "Connector@1:1.AvailabilityState",
        "Connector@1:2.AvailabilityState",
        "Connector@2:1.AvailabilityState",
        "ControlPilot@2.Problem",
        "EVSE@1.AvailabilityState",
        "EVSE@2.AvailabilityState",
    ]


async def test_unknown_bases_and_criteria_are_not_supported(desk: Desk) -> None:
    assert (await desk.data.base_report(GetBaseReport(1, "Everything"))).status == "NotSupported"
    assert (await desk.data.report(GetReport(1, ("Shiny",)))).status == "NotSupported"


async def test_components_with_a_problem(desk: Desk) -> None:
    assert (await desk.data.report(GetReport(1, ("Problem",)))).status == "EmptyResultSet"
    desk.model.push("EVSE@1.Problem", True)
    assert {name.split(".")[0] for name in await desk.report(("Problem",))} == {"EVSE@1"}


async def test_enabled_components_are_those_not_switched_off(desk: Desk) -> None:
    desk.model.set("AuthCtrlr.Enabled", "false")
    names = {name.split(".")[0] for name in await desk.report(("Enabled",))}
    assert "AuthCtrlr" not in names and "ReservationCtrlr" not in names
    assert "AuthCacheCtrlr" in names and "ChargingStation" in names, "one without the variable counts"


async def test_several_criteria_are_any_of_them(desk: Desk) -> None:
    desk.model.push("EVSE@1.Problem", True)
    both = {name.split(".")[0] for name in await desk.report(("Problem", "Available"))}
    assert "EVSE@1" in both and "AuthCtrlr" in both and "ReservationCtrlr" not in both


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        (("EVSE", None, None, None, "Power", None), ["EVSE@1.Power", "EVSE@2.Power"]),
        (("EVSE", None, 2, None, "Power", None), ["EVSE@2.Power"]),
        (("Connector", None, None, None, "ConnectorType", None), [f"Connector@{place}.ConnectorType" for place in ("1:1", "1:2", "2:1")]),
        (("Connector", None, 1, None, "ConnectorType", None), ["Connector@1:1.ConnectorType", "Connector@1:2.ConnectorType"]),
        (("connector", None, 1, 2, "connectortype", None), ["Connector@1:2.ConnectorType"]),
        (("DeviceDataCtrlr", None, None, None, "ItemsPerMessage", "GetReport"), ["DeviceDataCtrlr.ItemsPerMessage[GetReport]"]),
        (("SmartChargingCtrlr", None, None, None, "Entries", None), ["SmartChargingCtrlr.Entries[ChargingProfiles]"]),
    ],
)
async def test_what_is_not_said_is_any(desk: Desk, wanted: Components, names: list[str]) -> None:
    assert await desk.report(components=(wanted,)) == names  # type: ignore[arg-type]  # one component of the tuple


async def test_a_component_without_variable_is_all_of_it(desk: Desk) -> None:
    names = await desk.report(components=(("TxCtrlr", None, None, None, None, None),))
    assert "TxCtrlr.TxStartPoint" in names and all(name.startswith("TxCtrlr.") for name in names)


async def test_nothing_found_is_an_empty_set(desk: Desk) -> None:
    assert (await desk.data.report(GetReport(1, (), (("Nothing", None, None, None, None, None),)))).status == "EmptyResultSet"
    disabled = (("ReservationCtrlr", None, None, None, "Available", None),)
    assert (await desk.data.report(GetReport(1, ("Available",), disabled))).status == "EmptyResultSet"
