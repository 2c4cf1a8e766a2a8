"""A variable of the device model: its name, what it may hold, and how it is reported (2.0.1 part 1, 4; part 2, 2.49 VariableCharacteristicsType).

Pure. Must not know values in force, stores or messages. Names are compared without regard to case (2.0.1 part 2, 2.16 ComponentType).
"""

from __future__ import annotations

import math
import re
from enum import StrEnum
from typing import NamedTuple

import msgspec

from chargepoint.model.stamp import from_rfc3339

ACTUAL = "Actual"
LONGEST_VALUE = 1000
"""Characters of a value that can be set (2.0.1 part 2, SetVariableDataType.attributeValue)."""


class DataType(StrEnum):
    """DataEnumType."""

    STRING = "string"
    DECIMAL = "decimal"
    INTEGER = "integer"
    DATE_TIME = "dateTime"
    BOOLEAN = "boolean"
    OPTION_LIST = "OptionList"
    SEQUENCE_LIST = "SequenceList"
    MEMBER_LIST = "MemberList"


class Mutability(StrEnum):
    """MutabilityEnumType."""

    READ_ONLY = "ReadOnly"
    WRITE_ONLY = "WriteOnly"
    READ_WRITE = "ReadWrite"


_TEXT = re.compile(
    r"(?P<component>[^\[\]@.]+)(?:\[(?P<instance>[^\]]*)\])?(?:@(?P<evse>\d+)(?::(?P<connector>\d+))?)?"
    r"\.(?P<variable>[^\[\]@]+)(?:\[(?P<variable_instance>[^\]]*)\])?"
)


class Key(NamedTuple):
    """A component.variable. Written Component[instance]@evse:connector.Variable[instance], the parts in [] and after @ optional."""

    component: str
    variable: str
    instance: str | None = None
    evse: int | None = None
    connector: int | None = None
    variable_instance: str | None = None

    @classmethod
    def parse(cls, text: str) -> Key:
        """Raises ValueError when the text is no name of a variable."""
        match = _TEXT.fullmatch(text.strip())
        if match is None:
            raise ValueError(f"{text!r} is no variable; write Component[instance]@evse:connector.Variable[instance]")
        evse, connector = match["evse"], match["connector"]
        return cls(
            match["component"].strip(),
            match["variable"].strip(),
            match["instance"] or None,
            int(evse) if evse else None,
            int(connector) if connector else None,
            match["variable_instance"] or None,
        )

    def __str__(self) -> str:
        instance = f"[{self.instance}]" if self.instance else ""
        place = "" if self.evse is None else f"@{self.evse}" if self.connector is None else f"@{self.evse}:{self.connector}"
        return f"{self.component}{instance}{place}.{self.variable}" + (f"[{self.variable_instance}]" if self.variable_instance else "")

    def folded(self) -> Key:
        """The same for every way to write it in capitals and small letters."""
        return Key(
            self.component.casefold(),
            self.variable.casefold(),
            self.instance.casefold() if self.instance else None,
            self.evse,
            self.connector,
            self.variable_instance.casefold() if self.variable_instance else None,
        )


class VariableSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What a variable may hold. minimum and maximum: of a number; of a text or list, its length in characters. values: what an OptionList or the
    members of a list may be (none: anything); suffixes: what may follow a member after a dot (1.6
    9.1.17: "Voltage.L1"). reboot_required: a value set takes effect at the next start."""

    key: Key
    data_type: DataType
    mutability: Mutability = Mutability.READ_ONLY
    unit: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    values: tuple[str, ...] = ()
    suffixes: tuple[str, ...] = ()
    persistent: bool = False
    reboot_required: bool = False
    supports_monitoring: bool = False
    constant: bool = False


class ReportItem(msgspec.Struct, frozen=True):
    """One variable of a report (2.0.1 part 2, 2.46 ReportDataType). attributes: (type, value, mutability, persistent, constant);
    value None: not told."""

    component: tuple[str, str | None]
    variable: tuple[str, str | None]
    attributes: tuple[tuple[str, str | None, str, bool, bool], ...]
    data_type: str
    supports_monitoring: bool
    evse: int | None = None
    connector: int | None = None
    unit: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    values: tuple[str, ...] = ()


def text_of(value: str | int | float | bool) -> str:
    """A value of the settings file as OCPP writes it: true and false in small letters, numbers without needless decimals."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def members(text: str) -> list[str]:
    """The members of a list value, in order."""
    return [member.strip() for member in text.split(",") if member.strip()]


def normal(spec: VariableSpec, value: str) -> str:
    """The one way a valid value is kept: booleans in small letters, options in the capitals of the specification, lists without blanks."""
    if spec.data_type is DataType.BOOLEAN:
        return value.strip().lower()
    if spec.data_type in (DataType.INTEGER, DataType.DECIMAL):
        return value.strip()
    if spec.data_type is DataType.OPTION_LIST:
        return _spelled(spec, value.strip())
    if spec.data_type in (DataType.MEMBER_LIST, DataType.SEQUENCE_LIST):
        return ",".join(_spelled(spec, member) for member in members(value))
    return value


def problem(spec: VariableSpec, value: str) -> str | None:
    """Why a value does not fit (2.0.1 part 2, B05.FR.07 and B05.FR.08), or None."""
    if len(value) > LONGEST_VALUE:
        return f"has {len(value)} characters; {LONGEST_VALUE} are allowed"
    return _CHECKS[spec.data_type](spec, value.strip())


def _spelled(spec: VariableSpec, value: str) -> str:
    known = next((option for option in spec.values if option.casefold() == value.casefold()), None)
    if known is None and spec.suffixes and "." in value:
        base, _, suffix = value.rpartition(".")
        return f"{_spelled(spec, base)}.{suffix.upper()}"
    return known or value


def _boolean(spec: VariableSpec, value: str) -> str | None:
    return None if value.lower() in ("true", "false") else f"{value!r} is not true or false"


def _integer(spec: VariableSpec, value: str) -> str | None:
    if not re.fullmatch(r"[+-]?\d{1,18}", value):
        return f"{value!r} is no whole number"
    return _within(spec, int(value), value)


def _decimal(spec: VariableSpec, value: str) -> str | None:
    try:
        number = float(value)
    except ValueError:
        return f"{value!r} is no number"
    return _within(spec, number, value) if math.isfinite(number) else f"{value!r} is not finite"


def _date_time(spec: VariableSpec, value: str) -> str | None:
    try:
        from_rfc3339(value)
    except ValueError:
        return f"{value!r} is no date and time"
    return None


def _string(spec: VariableSpec, value: str) -> str | None:
    return _within(spec, len(value), f"{len(value)} characters")


def _option(spec: VariableSpec, value: str) -> str | None:
    return _unknown(spec, [value])


def _list(spec: VariableSpec, value: str) -> str | None:
    listed = members(value)
    folded = [member.casefold() for member in listed]
    if len(set(folded)) != len(folded):
        return "names a member twice"
    return _unknown(spec, listed) or _within(spec, len(value), f"{len(value)} characters")


def _unknown(spec: VariableSpec, listed: list[str]) -> str | None:
    known = {option.casefold() for option in spec.values}
    known |= {f"{option}.{suffix.casefold()}" for option in known for suffix in spec.suffixes}
    wrong = [member for member in listed if known and member.casefold() not in known]
    return f"{', '.join(wrong) or 'nothing'} is not one of {', '.join(spec.values)}" if wrong else None


def _within(spec: VariableSpec, number: float, told: str) -> str | None:
    if spec.minimum is not None and number < spec.minimum:
        return f"{told} is below {spec.minimum:g}"
    if spec.maximum is not None and number > spec.maximum:
        return f"{told} is above {spec.maximum:g}"
    return None


_CHECKS = {
    DataType.BOOLEAN: _boolean,
    DataType.INTEGER: _integer,
    DataType.DECIMAL: _decimal,
    DataType.DATE_TIME: _date_time,
    DataType.STRING: _string,
    DataType.OPTION_LIST: _option,
    DataType.MEMBER_LIST: _list,
    DataType.SEQUENCE_LIST: _list,
}
