"""Reads a settings or board file: TOML to frozen structs, every mistake with file, line, key, what is wrong and what would be right.

Must not know what the values do; what belongs together is judged in `check`.
"""

from __future__ import annotations

import difflib
import math
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, NamedTuple, TypeVar, get_args, get_origin

import msgspec
from msgspec.structs import replace

from chargepoint.settings import Settings

S = TypeVar("S", bound=msgspec.Struct)

HEADER = re.compile(r"^\s*(\[\[|\[)\s*([^\[\]]+?)\s*\]\]?\s*(#.*)?$")
ASSIGNMENT = re.compile(r"""^\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=""")
PART = re.compile(r"""[\w-]+|"[^"]*"|'[^']*'""")
INLINE_KEY = re.compile(r"""(?:[{,]\s*)([\w-]+)\s*=""")
EXPECTED = re.compile(r"`([^`]*)`")

Path_ = tuple[str | int, ...]


class Problem(NamedTuple):
    """One mistake. line 0: the file as a whole. key: dotted, list entries counted from 1."""

    file: str
    line: int
    key: str
    text: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.key}: {self.text}" if self.key else f"{where}: {self.text}"


class SettingsError(Exception):
    """The file cannot be used; `problems` holds every mistake found."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class Document(NamedTuple):
    """A parsed file and where each key stands in it."""

    file: str
    data: dict[str, Any]
    lines: dict[Path_, int]

    def problem(self, path: Path_, text: str) -> Problem:
        """A mistake at a key, or at the nearest table around it that stands in the file."""
        known = path
        while known and known not in self.lines:
            known = known[:-1]
        return Problem(self.file, self.lines.get(known, 0), dotted(path), text)


def dotted(path: Path_) -> str:
    """`("evse", 0, "id")` as `evse[1].id`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part + 1}]"
        else:
            name = part if re.fullmatch(r"[\w-]+", part) else f'"{part}"'
            text += f".{name}" if text else name
    return text


def parse_path(text: str, first: int = 1) -> Path_:
    """The inverse of `dotted`: `evse[1].contactor.coil`; first: the number of a list's first entry there."""
    parts: list[str | int] = []
    for number, name in re.findall(r"\[(\d+)\]|([\w-]+)", text):
        parts.append(int(number) - first if number else name)
    return tuple(parts)


def read(file: Path) -> Document:
    """Parses a TOML file. Raises SettingsError when it is missing, unreadable or no TOML."""
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise SettingsError([Problem(str(file), 0, "", "there is no such file; give the path of a settings file")]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError([Problem(str(file), 0, "", f"cannot be read: {error}")]) from None
    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # beside its own error tomllib lets through those of a number too long and of a nesting too deep
        line = re.search(r"line (\d+)", str(error))
        number = int(line.group(1)) if line else text.count("\n") + 1
        raise SettingsError([Problem(str(file), number, "", f"this is no TOML: {error}")]) from None
    return Document(str(file), data, dict(_lines(text)))


def convert(document: Document, shape: type[S]) -> S:
    """The document as a struct. Raises SettingsError with every unknown key and wrong type."""
    problems = list(_mistakes(document, (), document.data, shape))
    if problems:
        raise SettingsError(problems)
    return msgspec.convert(document.data, shape)


def load(file: Path) -> Settings:
    """The settings file. Raises SettingsError."""
    return settings_of(read(file))


def settings_of(document: Document) -> Settings:
    """The document as settings; a relative path in it begins at the file's own directory. Raises SettingsError."""
    settings, directory = convert(document, Settings), Path(document.file).absolute().parent
    tls = {key: _rooted(getattr(settings.csms.tls, key), directory) for key in ("ca_file", "client_cert", "client_key")}
    csms = replace(settings.csms, tls=replace(settings.csms.tls, **tls))
    roots = replace(settings.certificates, manufacturer_root=_rooted(settings.certificates.manufacturer_root, directory))
    return replace(settings, csms=csms, certificates=roots)


def _rooted(path: str, directory: Path) -> str:
    return str(directory / path) if path else path


def _lines(text: str) -> Iterator[tuple[Path_, int]]:
    """Where each table and key stands."""
    table: Path_ = ()
    counts: dict[Path_, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if header := HEADER.match(line):
            table = _table(header, counts)
            yield table, number
        elif assignment := ASSIGNMENT.match(line):
            key = table + tuple(part.strip("\"'") for part in PART.findall(assignment.group(1)))
            yield key, number
            for inner in INLINE_KEY.findall(line[assignment.end() :]):
                yield (*key, inner), number


def _table(header: re.Match[str], counts: dict[Path_, int]) -> Path_:
    """The full path of a table's header: arrays of tables get the number of their present entry."""
    names = [part.strip("\"'") for part in PART.findall(header.group(2))]
    path: Path_ = ()
    for position, name in enumerate(names):
        path = (*path, name)
        last = position == len(names) - 1
        if last and header.group(1) == "[[":
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = (*path, counts[path])
    return path


def _mistakes(document: Document, path: Path_, table: dict[str, Any], shape: type[msgspec.Struct]) -> Iterator[Problem]:
    fields = {field.encode_name: field for field in msgspec.structs.fields(shape)}
    for key, value in table.items():
        here = (*path, key)
        if key not in fields:
            yield document.problem(here, _unknown(key, list(fields)))
            continue
        yield from _value_mistakes(document, here, value, fields[key].type)
    for key, field in fields.items():
        if field.required and key not in table:
            yield document.problem((*path, key), "is missing here and has no default")


def _value_mistakes(document: Document, path: Path_, value: Any, kind: Any) -> Iterator[Problem]:
    plain = get_args(kind)[0] if get_origin(kind) is Annotated else kind
    shape = _struct_in(plain)
    if shape is not None and isinstance(value, dict):
        yield from _mistakes(document, path, value, shape)
    elif shape is not None and get_origin(plain) is tuple and isinstance(value, list) and value:
        for number, entry in enumerate(value):
            yield from _value_mistakes(document, (*path, number), entry, shape)
    elif isinstance(value, float) and not math.isfinite(value):
        yield document.problem(path, f"{value!r} is wrong: a finite number is needed")
    else:
        try:
            msgspec.convert(value, kind)
        except msgspec.ValidationError as error:
            yield document.problem(path, f"{value!r} is wrong: {_plain(str(error))}")


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
