"""Reading, setting and reporting the device model on a CSMS's order (2.0.1 part 2, B05 to B08). Must not know what a variable means, nor messages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

from chargepoint.model.orders import Answer, GetBaseReport, GetReport, GetVariable, GetVariables, SetVariable, SetVariables
from chargepoint.model.variable import ACTUAL, Key, Mutability, ReportItem, problem
from chargepoint.station.device_model import Declared, DeviceModel

Act = Callable[[str], Awaitable[str]]
"""What writing a variable does, instead of keeping the value: answers why not, or nothing."""
Send = Callable[[int, Sequence[ReportItem]], Awaitable[None]]
Component = tuple[str, str | None, int | None, int | None]
Wanted = tuple[str, str | None, int | None, int | None, str | None, str | None]

REJECTED = "Rejected"
SUMMARY = ("availabilitystate", "problem", "tripped", "overload", "fallback")
CRITERIA = ("Active", "Available", "Enabled", "Problem")


class DeviceData:
    """send: tells the CSMS the parts of a report, after the order was answered. acts: by folded key, variables whose writing is a deed."""

    def __init__(self, model: DeviceModel, send: Send, acts: Mapping[Key, Act]) -> None:
        self._model = model
        self._send = send
        self._acts = acts

    def orders(self) -> dict[type, Callable[[Any], Awaitable[Answer]]]:
        return {
            GetVariables: self.get,
            SetVariables: self.set,
            GetBaseReport: self.base_report,
            GetReport: self.report,
        }

    async def get(self, order: GetVariables) -> Answer:
        """B06: a status and value for each, in their order."""
        return Answer("Accepted", data=[(item, *self._model.get(key_of(item), item.attribute)) for item in order.items])

    async def set(self, order: SetVariables) -> Answer:
        """B05: a status for each, in their order, and why not where it is Rejected."""
        return Answer("Accepted", data=[(item, *await self._set(key_of(item), item)) for item in order.items])

    async def _set(self, key: Key, item: SetVariable) -> tuple[str, str | None, str | None]:
        act = self._acts.get(key.folded())
        if act is None or item.attribute != ACTUAL:
            status = self._model.set(key, item.value, item.attribute)
            return self._rejected(key, item.value) if status == REJECTED else (status, None, None)
        if self._model.why_not(key, item.value):
            return self._rejected(key, item.value)
        why = await act(item.value)
        return (REJECTED, None, why) if why else ("Accepted", None, None)

    def _rejected(self, key: Key, value: str) -> tuple[str, str | None, str | None]:
        """With its code of appendix 5. A value that is none of its type is that, also where none could be set."""
        wrong = problem(self._model.spec(key), value)
        code = "InvalidValue" if wrong or self._model.writable(key) else "ReadOnly"
        return REJECTED, code, wrong or self._model.why_not(key, value)

    async def base_report(self, order: GetBaseReport) -> Answer:
        """B07."""
        chosen = BASES.get(order.base)
        if chosen is None:
            return Answer("NotSupported")
        return self._answer(order.request_id, [row for row in self._model.all() if chosen(row)])

    async def report(self, order: GetReport) -> Answer:
        """B08: components that meet one of the criteria, of them the variables asked for."""
        if any(criterion not in CRITERIA for criterion in order.criteria):
            return Answer("NotSupported")
        rows = list(self._model.all())
        if order.criteria:
            meeting = components_meeting(order.criteria, rows)
            rows = [row for row in rows if component_of(row) in meeting]
        if order.components:
            rows = [row for row in rows if any(matches(row.spec.key, wanted) for wanted in order.components)]
        return self._answer(order.request_id, rows)

    def _answer(self, request_id: int, rows: list[Declared]) -> Answer:
        if not rows:
            return Answer("EmptyResultSet")

        async def send() -> None:
            await self._send(request_id, [item_of(row) for row in rows])

        return Answer("Accepted", then=send)


def components_meeting(criteria: Iterable[str], rows: Iterable[Declared]) -> set[Component]:
    """The components that meet at least one of the criteria (B08.FR.13): a variable they lack counts as true, a Problem they lack as false (B08.FR.07
    to B08.FR.10); of one with instances, one that is true is enough."""
    said: dict[Component, dict[str, bool]] = {}
    for row in rows:
        told = said.setdefault(component_of(row), {})
        variable = row.spec.key.variable.casefold()
        told[variable] = told.get(variable, False) or row.now() == "true"
    return {component for component, told in said.items() if any(told.get(word.casefold(), word != "Problem") for word in criteria)}


def key_of(item: GetVariable | SetVariable) -> Key:
    """An instance that is an empty text is none (B06.FR.15)."""
    (component, instance), (variable, variable_instance) = item.component, item.variable
    return Key(component, variable, instance or None, item.evse, item.connector, variable_instance or None)


def component_of(row: Declared) -> Component:
    key = row.spec.key
    return key.component, key.instance, key.evse, key.connector


def matches(key: Key, wanted: Wanted) -> bool:
    """Whether a variable is among the wanted; what is not said is any (B08.FR.20 to B08.FR.25)."""
    component, instance, evse, connector, variable, variable_instance = wanted
    return (
        key.component.casefold() == component.casefold()
        and (not variable or key.variable.casefold() == variable.casefold())
        and _same(instance, key.instance)
        and _same(variable_instance, key.variable_instance)
        and evse in (None, key.evse)
        and connector in (None, key.connector)
    )


def item_of(row: Declared) -> ReportItem:
    """A variable as it is reported, with its characteristics (B08.FR.12); a write-only one without its value."""
    spec = row.spec
    value = None if spec.mutability is Mutability.WRITE_ONLY else row.now()
    return ReportItem(
        component=(spec.key.component, spec.key.instance),
        variable=(spec.key.variable, spec.key.variable_instance),
        attributes=((ACTUAL, value, spec.mutability.value, spec.persistent, spec.constant),),
        data_type=spec.data_type.value,
        supports_monitoring=spec.supports_monitoring,
        evse=spec.key.evse,
        connector=spec.key.connector,
        unit=spec.unit,
        minimum=spec.minimum,
        maximum=spec.maximum,
        values=spec.values,
    )


def _same(wanted: str | None, have: str | None) -> bool:
    return not wanted or wanted.casefold() == (have or "").casefold()


def _settable(row: Declared) -> bool:
    return row.spec.mutability is not Mutability.READ_ONLY


def _summarized(row: Declared) -> bool:
    """Availability, and of abnormal states only those that are there (B07.FR.09)."""
    name = row.spec.key.variable.casefold()
    return name in SUMMARY and (name == SUMMARY[0] or row.now() == "true")


BASES: dict[str, Callable[[Declared], bool]] = {
    "ConfigurationInventory": _settable,
    "FullInventory": lambda row: True,
    "SummaryInventory": _summarized,
}
"""ReportBaseEnumType (2.0.1 part 2, 3.70)."""
