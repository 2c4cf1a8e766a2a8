"""2.0.1 B: booting, heartbeats, variables and reports, in messages. Must not know how the station boots nor what its variables mean."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from chargepoint.csms.face import Heard, Payload, ReportItem, StationView
from chargepoint.csms.rpc import Urgency
from chargepoint.csms.v2.dialect import Dialect
from chargepoint.csms.v2.payloads import Ask, Hear
from chargepoint.csms.v2.words import component_words, evse_of, info_words, name_of, named, obeyed, refuse_too_much, said
from chargepoint.model.orders import GetBaseReport, GetReport, GetVariable, GetVariables, SetVariable, SetVariables
from chargepoint.model.questions import Boot, BootAnswer, Heartbeat, HeartbeatAnswer, Registration
from chargepoint.model.stamp import from_rfc3339, to_rfc3339

REPORT_PART_BYTES = 8000
"""B07.FR.03 wants few messages; many a CSMS reads no text above 8 KiB."""


def _boot_words(view: StationView, dialect: Dialect, boot: Boot) -> Payload:
    plate = view.settings.station
    station = said(
        vendorName=plate.vendor[: dialect.vendor_name],
        model=plate.model[: dialect.model],
        serialNumber=plate.serial_number[: dialect.serial_number] or None,
        firmwareVersion=(plate.firmware_version or view.firmware_version)[: dialect.firmware_version] or None,
        modem=said(iccid=plate.iccid or None, imsi=plate.imsi or None) or None,
    )
    return {"chargingStation": station, "reason": boot.reason}


def _boot_answer(payload: Payload) -> BootAnswer:
    return BootAnswer(Registration(payload["status"]), payload["interval"], from_rfc3339(payload["currentTime"]))


def _heartbeat_words(view: StationView, dialect: Dialect, heartbeat: Heartbeat) -> Payload:
    return {}


def _heartbeat_answer(payload: Payload) -> HeartbeatAnswer:
    return HeartbeatAnswer(from_rfc3339(payload["currentTime"]))


async def _get_variables(view: StationView, payload: Payload) -> Heard:
    wanted = payload["getVariableData"]
    refuse_too_much(view, "GetVariables", len(wanted), payload)
    answer = await view.obey(GetVariables(tuple(_wanted(data) for data in wanted)))
    return Heard({"getVariableResult": [_got(*result) for result in answer.data]}, answer.then)


def _wanted(data: Payload) -> GetVariable:
    evse, connector = evse_of(data["component"])
    return GetVariable(name_of(data["component"]), name_of(data["variable"]), data.get("attributeType", "Actual"), evse, connector)


def _got(item: GetVariable, status: str, value: str | None) -> Payload:
    """Without a value when refused (B06.FR.06), with an empty one when unset (B06.FR.13)."""
    return said(
        attributeStatus=status,
        attributeType=item.attribute,
        attributeValue=(value or "") if status == "Accepted" else None,
        component=component_words(item.component, item.evse, item.connector),
        variable=named(item.variable),
    )


async def _set_variables(view: StationView, payload: Payload) -> Heard:
    wanted = payload["setVariableData"]
    refuse_too_much(view, "SetVariables", len(wanted), payload)
    answer = await view.obey(SetVariables(tuple(_to_set(data) for data in wanted)))
    return Heard({"setVariableResult": [_set(*result) for result in answer.data]}, answer.then)


def _to_set(data: Payload) -> SetVariable:
    evse, connector = evse_of(data["component"])
    attribute = data.get("attributeType", "Actual")
    return SetVariable(name_of(data["component"]), name_of(data["variable"]), data["attributeValue"], attribute, evse, connector)


def _set(item: SetVariable, status: str, reason: str | None, why: str | None) -> Payload:
    return said(
        attributeStatus=status,
        attributeStatusInfo=info_words(reason, why),
        attributeType=item.attribute,
        component=component_words(item.component, item.evse, item.connector),
        variable=named(item.variable),
    )


async def _get_base_report(view: StationView, payload: Payload) -> Heard:
    return await obeyed(view, GetBaseReport(payload["requestId"], payload["reportBase"]))


async def _get_report(view: StationView, payload: Payload) -> Heard:
    wanted = payload.get("componentVariable", ())
    refuse_too_much(view, "GetReport", len(wanted), payload)
    components = tuple((*name_of(pair["component"]), *evse_of(pair["component"]), *_variable_of(pair)) for pair in wanted)
    return await obeyed(view, GetReport(payload["requestId"], tuple(payload.get("componentCriteria", ())), components))


def _variable_of(pair: Payload) -> tuple[str | None, str | None]:
    return name_of(pair["variable"]) if "variable" in pair else (None, None)


def report_parts(view: StationView, request_id: int, items: Sequence[ReportItem]) -> Iterator[Payload]:
    """NotifyReport, in as many parts as needed; seqNo from 0, tbc in all but the last (B07.FR.10)."""
    parts = list(_portions(items))
    for number, part in enumerate(parts):
        yield {
            "requestId": request_id,
            "generatedAt": to_rfc3339(view.clock.wall_s()),
            "seqNo": number,
            "tbc": number < len(parts) - 1,
            "reportData": part,
        }


def _portions(items: Sequence[ReportItem]) -> Iterator[list[Payload]]:
    portion: list[Payload] = []
    size = 0
    for item in items:
        words = _report_words(item)
        length = len(msgspec.json.encode(words)) + 1
        if portion and size + length > REPORT_PART_BYTES:
            yield portion
            portion, size = [], 0
        portion.append(words)
        size += length
    if portion:
        yield portion


def _report_words(item: ReportItem) -> Payload:
    """ReportDataType; what is left out has its default (2.0.1 part 2, 2.50 VariableAttributeType)."""
    attributes = [
        said(type=kind, value=value, mutability=mutability, persistent=persistent or None, constant=constant or None)
        for kind, value, mutability, persistent, constant in item.attributes
    ]
    characteristics = said(
        unit=item.unit,
        dataType=item.data_type,
        minLimit=item.minimum,
        maxLimit=item.maximum,
        valuesList=",".join(item.values) or None,
        supportsMonitoring=item.supports_monitoring,
    )
    return {
        "component": component_words(item.component, item.evse, item.connector),
        "variable": named(item.variable),
        "variableAttribute": attributes,
        "variableCharacteristics": characteristics,
    }


ASKS: dict[type, Ask] = {
    Boot: Ask("BootNotification", Urgency.BOOT, _boot_words, _boot_answer),
    Heartbeat: Ask("Heartbeat", Urgency.HEARTBEAT, _heartbeat_words, _heartbeat_answer),
}
HEARS: dict[str, Hear] = {
    "GetVariables": _get_variables,
    "SetVariables": _set_variables,
    "GetBaseReport": _get_base_report,
    "GetReport": _get_report,
}
