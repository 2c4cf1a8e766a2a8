"""The datatypes that several blocks share (2.0.1 part 2, chapter 2 of Datatypes), to and from the model. Must not know messages."""

from __future__ import annotations

from typing import Any

import msgspec

from chargepoint.csms.face import CallRefused, Heard, Payload, StationView
from chargepoint.model.idtoken import AuthorizationStatus, IdToken, IdTokenInfo
from chargepoint.model.orders import Answer
from chargepoint.model.sample import Reading, SampledValue, Signed
from chargepoint.model.stamp import Stamp, from_rfc3339, to_rfc3339

REASON_CODE, ADDITIONAL_INFO = 20, 512
DECIMALS = 3


def said(**fields: Any) -> Payload:
    """A payload without the fields that have no value."""
    return {name: value for name, value in fields.items() if value is not None}


def moment(view: StationView, at: Stamp) -> str:
    """The time of a fact."""
    return to_rfc3339(view.wall_of(at))


def evse_words(evse: int | None, connector: int | None) -> Payload | None:
    """EVSEType."""
    return None if evse is None else said(id=evse, connectorId=connector)


def evse_of(payload: Payload) -> tuple[int | None, int | None]:
    """EVSE and connector of a message's or component's `evse`."""
    evse = payload.get("evse", {})
    return evse.get("id"), evse.get("connectorId")


def named(name: tuple[str, str | None]) -> Payload:
    """VariableType, and ComponentType without its EVSE."""
    return said(name=name[0], instance=name[1])


def name_of(payload: Payload) -> tuple[str, str | None]:
    """The other way round; an empty instance is none (B06.FR.15)."""
    return payload["name"], payload.get("instance") or None


def component_words(name: tuple[str, str | None], evse: int | None, connector: int | None) -> Payload:
    """ComponentType."""
    return {**named(name), **said(evse=evse_words(evse, connector))}


def token_words(token: IdToken) -> Payload:
    """IdTokenType."""
    additional = [{"additionalIdToken": value, "type": kind} for value, kind in token.additional]
    return said(idToken=token.value, type=token.type, additionalInfo=additional or None)


def token_of(payload: Payload) -> IdToken:
    additional = ((entry["additionalIdToken"], entry["type"]) for entry in payload.get("additionalInfo", ()))
    return IdToken(payload["idToken"], payload["type"], tuple(additional))


def info_of(payload: Payload) -> IdTokenInfo:
    """IdTokenInfoType."""
    expiry, group = payload.get("cacheExpiryDateTime"), payload.get("groupIdToken")
    return IdTokenInfo(
        status=AuthorizationStatus(payload["status"]),
        expiry_s=None if expiry is None else from_rfc3339(expiry),
        group=None if group is None else token_of(group),
        charging_priority=payload.get("chargingPriority"),
        language=payload.get("language1"),
        evses=tuple(payload.get("evseId", ())),
        personal_message=payload.get("personalMessage", {}).get("content"),
    )


def reading_words(view: StationView, readings: tuple[Reading, ...]) -> list[Payload]:
    """MeterValueType; a reading without values is none."""
    return [
        {"timestamp": moment(view, reading.at), "sampledValue": [_sampled_words(value) for value in reading.values]}
        for reading in readings
        if reading.values
    ]


def _sampled_words(value: SampledValue) -> Payload:
    return said(
        value=round(value.value, DECIMALS),
        measurand=value.measurand,
        context=value.context,
        phase=value.phase,
        location=value.location,
        unitOfMeasure={"unit": value.unit},
        signedMeterValue=None if value.signed is None else _signed_words(value.signed),
    )


def _signed_words(signed: Signed) -> Payload:
    """SignedMeterValueType; a key that is not sent is empty (OCA whitepaper "Signed meter values", 4.2.1)."""
    return {"signedMeterData": signed.data, "signingMethod": signed.method, "encodingMethod": signed.encoding, "publicKey": signed.public_key}


def status_words(answer: Answer) -> Payload:
    """The status of a response and its StatusInfoType."""
    return said(status=answer.status, statusInfo=info_words(answer.reason, answer.info))


def info_words(reason: str | None, info: str | None) -> Payload | None:
    """StatusInfoType; a sentence without a code is Unspecified (appendix 5)."""
    if reason is None and info is None:
        return None
    return said(reasonCode=(reason or "Unspecified")[:REASON_CODE], additionalInfo=None if info is None else info[:ADDITIONAL_INFO])


async def obeyed(view: StationView, order: Any) -> Heard:
    """Gives an order to the station; the response is its status."""
    answer = await view.obey(order)
    return Heard(status_words(answer), answer.then)


def limit(view: StationView, key: str) -> int | None:
    """A limit of the device model, None when it has no such variable."""
    status, value = view.variables.get(key)
    return int(value) if status == "Accepted" and value is not None and value.isdigit() else None


def refuse_too_much(view: StationView, instance: str, items: int, payload: Payload) -> None:
    """Raises CallRefused for more elements or bytes than DeviceDataCtrlr allows (B06.FR.16, B06.FR.17, B08.FR.17, B08.FR.18)."""
    most = limit(view, f"DeviceDataCtrlr.ItemsPerMessage[{instance}]")
    if most is not None and items > most:
        raise CallRefused("OccurrenceConstraintViolation", f"{items} elements, but {instance} takes {most}")
    most = limit(view, f"DeviceDataCtrlr.BytesPerMessage[{instance}]")
    size = len(msgspec.json.encode(payload))
    if most is not None and size > most:
        raise CallRefused("FormatViolation", f"{size} bytes, but {instance} takes {most}")
