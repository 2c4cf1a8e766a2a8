"""The settings file of a scenario's charge point: made from its `setting` lines, and judged before anything starts. Must not know steps."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from chargepoint.settings import Settings
from chargepoint.settings_file import Document, SettingsError, convert

DEFAULTS: dict[str, Any] = {"csms.reconnect.wait_minimum_s": 0.5, "csms.reconnect.random_range_s": 0.1, "csms.reconnect.repeat_times": 2}
"""A scenario's station is impatient unless the scenario says otherwise."""
ONE_EVSE = re.compile(r"evse\[(\d+)\]\.(.+)")
KEY = re.compile(r"""[\w-]+(\[\d+\])?(\.[\w-]+)*\.([\w-]+|"[^"]+")""")
BARE = re.compile(r"[\w-]+")


def settings_text(ocpp: str, evses: int, settings: Mapping[str, Any]) -> str:
    """The file. settings: `TABLE.KEY` to value; `evse.KEY` is every EVSE's, `evse[2].KEY` the second's; a KEY with dots stands in quotes."""
    tables: dict[str, dict[str, Any]] = {"board": {"name": "sim"}, "csms": {"ocpp": [ocpp]}}
    evse: list[dict[str, Any]] = [{"id": number} for number in range(1, evses + 1)]
    for key, value in {**DEFAULTS, **settings}.items():
        if one := ONE_EVSE.fullmatch(key):
            evse[int(one.group(1)) - 1][one.group(2)] = value
        elif key.startswith("evse."):
            for row in evse:
                row.setdefault(key.removeprefix("evse."), value)
        else:
            table, name = _parts(key)
            tables.setdefault(table, {})[name] = value
    return "\n".join([*(_table(f"[{name}]", rows) for name, rows in tables.items()), *(_table("[[evse]]", rows) for rows in evse)])


def setting(text: str) -> tuple[str, Any]:
    """Key and value of a `setting` line. Raises ValueError with what would be right."""
    key, equals, value = text.partition("=")
    key = key.strip()
    if not equals or not KEY.fullmatch(key):
        raise ValueError("write setting TABLE.KEY = VALUE, for example setting control.lease_s = 10")
    try:
        return key, tomllib.loads(f"value = {value}")["value"]
    except (ValueError, RecursionError):
        raise ValueError(f"{value.strip()!r} is no value; a text stands in quotes: setting {key} = {json.dumps(value.strip())}") from None


def mistakes(text: str) -> Iterator[tuple[str, str]]:
    """What `chargepoint check` would say of the file's keys, as (key, what is wrong)."""
    try:
        convert(Document("", tomllib.loads(text), ""), Settings)
    except SettingsError as error:
        yield from ((problem.key, problem.text) for problem in error.problems)


def toml(value: Any) -> str:
    """A value as TOML, on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key if BARE.fullmatch(key) else json.dumps(key)} = {toml(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value)


def _parts(key: str) -> tuple[str, str]:
    table, _, name = key.partition('."') if '"' in key else key.rpartition(".")
    return table, name.strip('"')


def _table(head: str, rows: Mapping[str, Any]) -> str:
    return "\n".join([head, *(f"{key if BARE.fullmatch(key) else json.dumps(key)} = {toml(value)}" for key, value in rows.items()), ""])
