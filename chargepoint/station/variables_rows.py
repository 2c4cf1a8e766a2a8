"""How a declaration is written down: one row per variable. Must not know which variables there are."""

from __future__ import annotations

from typing import Any, NamedTuple

from chargepoint.model.variable import DataType, Key, Mutability, VariableSpec

Scalar = str | int | float | bool

BOOLEAN, INTEGER, DECIMAL, STRING = DataType.BOOLEAN, DataType.INTEGER, DataType.DECIMAL, DataType.STRING
OPTION, MEMBERS, SEQUENCE, DATE_TIME = DataType.OPTION_LIST, DataType.MEMBER_LIST, DataType.SEQUENCE_LIST, DataType.DATE_TIME


class Row(NamedTuple):
    """A variable and its default."""

    spec: VariableSpec
    value: Scalar


def told(name: str, data_type: DataType, value: Scalar, **limits: Any) -> Row:
    """A variable the CSMS only reads."""
    return Row(VariableSpec(key=Key.parse(name), data_type=data_type, **limits), value)


def fixed(name: str, data_type: DataType, value: Scalar, **limits: Any) -> Row:
    """A variable that is what it is as long as the station runs."""
    return told(name, data_type, value, constant=True, **limits)


def settable(name: str, data_type: DataType, value: Scalar, **limits: Any) -> Row:
    """A variable the CSMS may set; kept over restarts (2.0.1 part 2, Referenced Components and Variables, 2)."""
    spec = VariableSpec(key=Key.parse(name), data_type=data_type, mutability=Mutability.READ_WRITE, persistent=True, **limits)
    return Row(spec, value)


def secret(name: str, data_type: DataType, value: Scalar, **limits: Any) -> Row:
    """A variable the CSMS may set and nobody reads."""
    spec = VariableSpec(key=Key.parse(name), data_type=data_type, mutability=Mutability.WRITE_ONLY, persistent=True, **limits)
    return Row(spec, value)
