"""The settings file a world gives its firmware: the user's file with a few keys set and its paths made absolute. Must not know worlds.

The text is edited, not rewritten, so that comments and line numbers stay near the original's.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

HEADER = re.compile(r"^\s*\[+\s*([^\[\]]+?)\s*\]+\s*(#.*)?$")
PATHS = (
    ("csms.tls", "ca_file"),
    ("csms.tls", "client_cert"),
    ("csms.tls", "client_key"),
    ("certificates", "manufacturer_root"),
)


class CannotDerive(Exception):
    """The file is written in a way this module cannot edit; the message says what to write instead."""


def derived(text: str, changes: Mapping[tuple[str, str], str | int], directory: Path) -> str:
    """The text with (table, key) set to values; relative paths are taken from `directory`. Raises CannotDerive, ValueError, RecursionError."""
    data = tomllib.loads(text)
    wanted: dict[tuple[str, str], str | int] = {**_absolute_paths(data, directory), **changes}
    for (table, key), value in wanted.items():
        text = with_key(text, table, key, value)
    made = tomllib.loads(text)
    for (table, key), value in wanted.items():
        if _at(made, table).get(key) != value:
            raise CannotDerive(f"write the settings of [{table}] under a header line [{table}], so that the simulator can set {key}")
    return text


def with_key(text: str, table: str, key: str, value: str | int) -> str:
    """One key of one table set: its line replaced, or a line put below the table's header, or a new table at the end."""
    line = f"{key} = {json.dumps(value, ensure_ascii=False)}"
    lines = text.splitlines()
    inside, header_at = False, None
    for number, present in enumerate(lines):
        if header := HEADER.match(present):
            inside = header.group(1).replace(" ", "") == table
            header_at = number if inside else header_at
        elif inside and re.match(rf"^\s*{re.escape(key)}\s*=", present):
            lines[number] = line
            return "\n".join(lines) + "\n"
    if header_at is not None:
        lines.insert(header_at + 1, line)
    else:
        lines += ["", f"[{table}]", line]
    return "\n".join(lines) + "\n"


def _at(data: Mapping[str, Any], table: str) -> Mapping[str, Any]:
    for name in table.split("."):
        found = data.get(name, {})
        data = found if isinstance(found, dict) else {}
    return data


def _absolute_paths(data: Mapping[str, Any], directory: Path) -> dict[tuple[str, str], str]:
    found = {}
    for table, key in PATHS:
        value = _at(data, table).get(key)
        if isinstance(value, str) and value and not Path(value).is_absolute():
            found[table, key] = str((directory / value).resolve())
    name = _at(data, "board").get("name")
    if isinstance(name, str):
        board = directory / name if name.endswith(".toml") else directory / "boards" / f"{name}.toml"
        if board.exists() and not Path(name).is_absolute():
            found["board", "name"] = str(board.resolve())
    return found
