"""OCPP 1.6 configuration keys (chapter 9) as views on the device model: one row per key. Must not keep a value of its own.

declare(dm, settings)                 the variables only 1.6 has, component Ocpp16Ctrlr
factory(configuration)                [ocpp16.configuration] as factory values of variables, and what is wrong with it
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from chargepoint.csms.face import CallRefused, Heard, Numbering, Payload, StationView, Variables
from chargepoint.csms.v16.keys import CLEAR_TRIP, CSL, OWN, PROFILES_KEY, ROWS, Row
from chargepoint.model.orders import RaiseSecurityProfile, SetMessageTimeout, SetVariable, SetVariables
from chargepoint.model.variable import Key, Mutability, VariableSpec, members, text_of
from chargepoint.settings import Scalar, Settings
from chargepoint.station.device_model import DeviceModel

ROTATION = "Ocpp16Ctrlr.ConnectorPhaseRotation"
NO_ROTATION = ("NotApplicable", "Unknown")
LONGEST = 500  # 7.29 KeyValue: CiString500Type
WORDS = {"Accepted": "Accepted", "RebootRequired": "RebootRequired"}
FEATURES = {"LocalAuthListManagement": "LocalAuthListCtrlr.Available"}
"""What a profile left out of SupportedFeatureProfiles switches off."""
REJECTED = Heard({"status": "Rejected"})
_BY_NAME = {row.key.casefold(): row for row in ROWS}


class Factory(NamedTuple):
    """variables: factory values by variable; unknown: keys that are none; wrong: (key, sentence); keys: the key that sets a variable."""

    variables: dict[str, Scalar]
    unknown: list[str]
    wrong: list[tuple[str, str]]
    keys: dict[str, str]


def declare(dm: DeviceModel, settings: Settings) -> None:
    """Declares the variables behind keys that 2.x has no variable for."""
    for own in (own for own in OWN if own.there(settings)):
        key, writable = Key.parse(own.variable), own.writable
        mutability = Mutability.WRITE_ONLY if own.secret else Mutability.READ_WRITE if writable else Mutability.READ_ONLY
        spec = VariableSpec(
            key=key,
            data_type=own.data_type,
            mutability=mutability,
            minimum=own.minimum,
            maximum=own.maximum,
            persistent=writable,
            values=own.values,
        )
        dm.declare(spec, own.default(settings), check=own.check(settings) if own.check else None)
    _rotate(dm, settings)


def _rotate(dm: DeviceModel, settings: Settings) -> None:
    """9.1.7: what is said of a connector's phases is said in the device model too."""
    places = Numbering(settings).places

    def follow(key: Key, old: str, new: str) -> None:
        for number, _, word in (item.partition(".") for item in members(new)):
            if number != "0":
                place = places[int(number) - 1]
                dm.push(f"Connector@{place.evse}:{place.connector}.PhaseRotation", "" if word in NO_ROTATION else word)

    dm.observe(ROTATION, follow)
    known = [item for item in dm.listed(ROTATION) if not item.endswith(".Unknown")]
    follow(Key.parse(ROTATION), "", ",".join(known))


def factory(configuration: Mapping[str, Scalar]) -> Factory:
    """Factory values for the device model; read-only keys too. A profile left out of SupportedFeatureProfiles makes its feature unavailable."""
    found = Factory({}, [], [], {})
    for name, value in configuration.items():
        row = _BY_NAME.get(name.casefold())
        if row is None:
            found.unknown.append(name)
            continue
        try:
            found.variables.update(row.writes(text_of(value)))
            found.keys.update(dict.fromkeys(row.variables, name))
        except ValueError as problem:
            found.wrong.append((name, str(problem)))
        if row.key == PROFILES_KEY:
            named = {item.strip() for item in str(value).split(",")}
            found.variables.update({variable: False for profile, variable in FEATURES.items() if profile not in named})
    return found


def profiles(variables: Variables) -> set[str]:
    """SupportedFeatureProfiles."""
    return set(variables.text("Ocpp16Ctrlr.SupportedFeatureProfiles").split(","))


async def get_configuration(view: StationView, payload: Payload) -> Heard:
    """5.8. Without keys: all of them but the secret ones, which are only told by name and without value (OCPP-J 1.6 6.2.2). More than
    GetConfigurationMaxKeys are refused."""
    asked: list[str] = payload.get("key") or []
    limit = view.variables.integer("Ocpp16Ctrlr.GetConfigurationMaxKeys")
    if len(asked) > limit:
        raise CallRefused("OccurenceConstraintViolation", f"{len(asked)} keys; GetConfigurationMaxKeys is {limit}")
    supported, public_keys = profiles(view.variables), _public_keys(view)
    told, unknown = [], []
    for name in asked or [*(row.key for row in ROWS if not row.secret), *public_keys]:
        row = _BY_NAME.get(name.casefold())
        if row is not None and _has(row, view.variables, supported):
            told.append({"key": row.key, "readonly": not _writable(row, view.variables)} | _value(row, view.variables))
        elif name in public_keys:
            told.append({"key": name, "readonly": True, "value": public_keys[name][:LONGEST]})
        elif asked:
            unknown.append(name)
    said: Payload = {"configurationKey": told}
    if unknown:
        said["unknownKey"] = unknown
    return Heard(said)


def _public_keys(view: StationView) -> dict[str, str]:
    """MeterPublicKey[ConnectorID], of connectors whose meter signs (OCA whitepaper "Signed meter values", 3.3.1)."""
    answers = ((number, view.variables.get(f"FiscalMetering@{place.evse}.PublicKey")) for number, place in enumerate(view.numbering.places, 1))
    return {f"MeterPublicKey{number}": value or "" for number, (status, value) in answers if status == "Accepted"}


async def change_configuration(view: StationView, payload: Payload) -> Heard:
    """5.3. NotSupported: no such key; Rejected: read-only, or a value that does not fit."""
    row = _BY_NAME.get(payload["key"].casefold())
    if payload["key"] in _public_keys(view):
        return REJECTED
    if row is None or not _has(row, view.variables, profiles(view.variables)):
        return Heard({"status": "NotSupported"})
    if not _writable(row, view.variables):
        return REJECTED
    try:
        values = row.writes(payload["value"])
    except ValueError:
        return REJECTED
    if row.kind == CSL and len(members(values[row.variables[0]])) > _most_items(row, view.variables):
        return REJECTED
    carry_out = CARRIED_OUT.get(row.key)
    if carry_out is not None:
        return await carry_out(view, int(values[row.variables[0]]))
    return Heard({"status": _write(view.variables.set, values)})


async def _clear_trip(view: StationView, number: int) -> Heard:
    place = view.numbering.place(number)
    if place is None or not place.evse:
        return REJECTED
    answer = await view.obey(SetVariables((SetVariable(("RCD", None), ("Tripped", None), "false", evse=place.evse),)))
    return Heard({"status": WORDS.get(answer.data[0][1], "Rejected")})


async def _raise_security_profile(view: StationView, level: int) -> Heard:
    answer = await view.obey(RaiseSecurityProfile(level))
    return Heard({"status": answer.status}, answer.then)


async def _set_message_timeout(view: StationView, seconds: int) -> Heard:
    return Heard({"status": (await view.obey(SetMessageTimeout(seconds))).status})


CARRIED_OUT: dict[str, Callable[[StationView, int], Awaitable[Heard]]] = {
    CLEAR_TRIP: _clear_trip,
    "MessageTimeout": _set_message_timeout,
    "SecurityProfile": _raise_security_profile,
}
"""Keys whose value is an order, and is not written."""


def _has(row: Row, variables: Variables, supported: set[str]) -> bool:
    """Whether this station has the key (9: without it, it lacks the function too)."""
    return row.profile in supported and (row.secret or variables.get(row.variables[0])[0] == "Accepted")


def _writable(row: Row, variables: Variables) -> bool:
    """Whether the CSMS may change it here: a station whose cables are all its own has no lock to set."""
    return row.writable and (row.key in CARRIED_OUT or variables.writable(row.variables[0]))


def _most_items(row: Row, variables: Variables) -> int:
    """5.3: [KeyName]MaxLength."""
    return variables.integer(_BY_NAME[f"{row.key}MaxLength".casefold()].variables[0])


def _value(row: Row, variables: Variables) -> Payload:
    return {} if row.secret else {"value": row.read(variables.text(row.variables[0]))[:LONGEST]}


def _write(set_: Callable[[str, str], str], values: Mapping[str, str]) -> str:
    status = "Accepted"
    for variable, value in values.items():
        answer = WORDS.get(set_(variable, value), "Rejected")
        if answer == "Rejected":
            return answer
        status = answer if answer == "RebootRequired" else status
    return status
