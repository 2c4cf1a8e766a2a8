"""Every mistake of a parsed TOML file against the struct it should fill: unknown keys, missing ones, wrong values. Must not know files or lines.

Imported only when the file does not fit: that it does is msgspec's word.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterator
from typing import Annotated, Any, get_args, get_origin

import msgspec

EXPECTED = re.compile(r"`([^`]*)`")

Path_ = tuple[str | int, ...]
Mistake = tuple[Path_, str]
"""Where, and what is wrong."""


def mistakes(table: dict[str, Any], shape: type[msgspec.Struct], path: Path_ = ()) -> Iterator[Mistake]:
    """All of them, in the order of the keys. path: of the table."""
    fields = {field.encode_name: field for field in msgspec.structs.fields(shape)}
    for key, value in table.items():
        here = (*path, key)
        if key not in fields:
            yield here, _unknown(key, list(fields))
            continue
        yield from _value_mistakes(here, value, fields[key].type)
    for key, field in fields.items():
        if field.required and key not in table:
            yield (*path, key), "is missing here and has no default"


def _value_mistakes(path: Path_, value: Any, kind: Any) -> Iterator[Mistake]:
    plain = get_args(kind)[0] if get_origin(kind) is Annotated else kind
    shape = _struct_in(plain)
    if shape is not None and isinstance(value, dict):
        yield from mistakes(value, shape, path)
    elif shape is not None and get_origin(plain) is tuple and isinstance(value, list) and value:
        for number, entry in enumerate(value):
            yield from _value_mistakes((*path, number), entry, shape)
    elif isinstance(value, float) and not math.isfinite(value):
        yield path, f"{value!r} is wrong: a finite number is needed"
    else:
        try:
            msgspec.convert(value, kind)
        except msgspec.ValidationError as error:
            yield path, f"{value!r} is wrong: {_plain(str(error))}"


def _struct_in(kind: Any) -> type[msgspec.Struct] | None:
    """The struct a field holds: itself, optional, or in a tuple."""
    for candidate in (kind, *get_args(kind)):
        if isinstance(candidate, type) and issubclass(candidate, msgspec.Struct):
            return candidate
    return None


def _unknown(key: str, known: list[str]) -> str:
    near = difflib.get_close_matches(key, known, 1)
    hint = f"did you mean `{near[0]}`?" if near else f"known here: {', '.join(sorted(known))}"
    return f"there is no such key; {hint}"


def _plain(message: str) -> str:
    """msgspec's sentence in the file's words."""
    message = re.sub(r" - at `[^`]*`", "", message)
    words = {"str": "text in quotes", "int": "a whole number", "float": "a number", "bool": "true or false", "array": "a list", "object": "a table"}
    return EXPECTED.sub(lambda found: " or ".join(words.get(word.strip(), word.strip()) for word in found.group(1).split("|")), message).lower()
