"""Reads a settings or board file: TOML to frozen structs, every mistake with file, line, key, what is wrong and what would be right.

Must not know what the values do; what belongs together is judged in `check`.
"""

from __future__ import annotations

import math
import re
import tomllib
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec
from msgspec.structs import replace

from chargepoint.settings import Settings

S = TypeVar("S", bound=msgspec.Struct)

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
    """A parsed file and its text."""

    file: str
    data: dict[str, Any]
    text: str

    def problem(self, path: Path_, text: str) -> Problem:
        """A mistake at a key, or at the nearest table around it that stands in the file."""
        from chargepoint.settings_lines import lines

        known, line_of = path, lines(self.text)
        while known and known not in line_of:
            known = known[:-1]
        return Problem(self.file, line_of.get(known, 0), dotted(path), text)


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
    return Document(str(file), data, text)


def convert(document: Document, shape: type[S]) -> S:
    """The document as a struct. Raises SettingsError with every unknown key and wrong type."""
    if not _fits(document.data, shape):
        from chargepoint.settings_mistakes import mistakes

        if problems := [document.problem(*mistake) for mistake in mistakes(document.data, shape)]:
            raise SettingsError(problems)
    return msgspec.convert(document.data, shape)


def _fits(data: dict[str, Any], shape: type[msgspec.Struct]) -> bool:
    try:
        msgspec.convert(data, shape)
    except msgspec.ValidationError:
        return False
    return _finite(data)


def _finite(value: Any) -> bool:
    """Whether no number in it is infinite or none: TOML has words for both, and msgspec takes them."""
    if isinstance(value, dict):
        return all(map(_finite, value.values()))
    if isinstance(value, list):
        return all(map(_finite, value))
    return not isinstance(value, float) or math.isfinite(value)


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
