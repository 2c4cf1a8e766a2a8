"""Scenario files: a story of acts, expectations and times, read into steps. Must not know how a step is read or played.

A file has a title (the first line), a head, and steps, one a line; `#` starts a comment. docs/simulator.md describes it.
"""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import Any, NamedTuple

from sim import script_acts as acts
from sim.csms.connection import HANDLERS
from sim.script_settings import ONE_EVSE, mistakes, setting, settings_text
from sim.script_steps import SETTING, Act, Edit, Expectation, Message, Step, step

HEADS = ("ocpp", "evses", "setting", "card", "csms", "speed")


class ScriptError(Exception):
    """The file cannot be read; the message names file and line."""


class Script(NamedTuple):
    """A whole file. settings: dotted key to value; before: what the CSMS is told before the station gets power; speed: of a car that names none."""

    file: Path
    title: str
    ocpp: str
    evses: int
    settings: dict[str, Any]
    before: tuple[acts.Request, ...]
    speed: float
    steps: tuple[Step, ...]

    def settings_text(self, **edited: Any) -> str:
        """The settings file of its charge point, with keys edited."""
        return settings_text(self.ocpp, self.evses, {**self.settings, **edited})


class _Head:
    """What the head says, and where."""

    def __init__(self) -> None:
        self.ocpp = "ocpp2.0.1"
        self.evses = 1
        self.settings: dict[str, Any] = {}
        self.lines: dict[str, int] = {}
        self.before: list[acts.Request] = []
        self.speed = 1.0

    def read(self, number: int, line: str) -> None:
        """Takes a line. Raises ValueError."""
        name, _, rest = line.partition(" ")
        match name:
            case "ocpp":
                self.ocpp = _one_of(rest.strip(), tuple(HANDLERS), "version")
            case "evses":
                self.evses = _count(rest)
            case "speed":
                self.speed = _speed(rest)
            case "setting":
                key, value = setting(rest)
                self.settings[key] = value
                self.lines[key] = number
            case _:
                self.before.append(acts.request(name, rest))


def read(file: Path) -> Script:
    """Reads a scenario file. Raises ScriptError."""
    try:
        lines = file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ScriptError(f"{file}: cannot be read: {error}") from None
    numbered = [(number, line) for number, raw in enumerate(lines, 1) if (line := _without_comment(raw))]
    if not numbered:
        raise ScriptError(f"{file}: is empty; the first line is the title")
    head = _Head()
    steps: list[Step] = []
    for number, line in numbered[1:]:
        try:
            _take(head, steps, number, line)
        except ValueError as error:
            raise ScriptError(f"{file}:{number}: {error}") from None
    _judge_settings(file, head, {})
    for made in steps:
        if isinstance(made, Edit):
            _judge_settings(file, head, {made.key: (made.line, made.value)})
    return Script(file, numbered[0][1], head.ocpp, head.evses, head.settings, tuple(head.before), head.speed, tuple(steps))


def _take(head: _Head, steps: list[Step], number: int, line: str) -> None:
    name = line.split()[0]
    if not steps and name in HEADS:
        head.read(number, line)
    elif name in HEADS and name not in (*acts.BY_NAME, SETTING):
        raise ValueError(f"{name} belongs to the head, before the first step")
    else:
        steps.append(_fitting(head, step(number, line)))


def _fitting(head: _Head, made: Step) -> Step:
    """The step, if it fits what the head says. Raises ValueError."""
    where = made.evse if isinstance(made, Act) else made.number if isinstance(made, Expectation) and made.place == "evse" else None
    if where is not None and not 1 <= where <= head.evses:
        raise ValueError(f"there is no EVSE {where}; the head's `evses` says {head.evses}")
    if isinstance(made, Message):
        _one_of(made.action, tuple(HANDLERS[head.ocpp]), f"call of a station of {head.ocpp}")
    return made


def _judge_settings(file: Path, head: _Head, edited: dict[str, tuple[int, Any]]) -> None:
    """Raises ScriptError for a setting that the firmware would not take. edited: line and value of those edited later."""
    lines = {**head.lines, **{key: number for key, (number, _) in edited.items()}}
    for key, number in lines.items():
        if (one := ONE_EVSE.fullmatch(key)) and not 1 <= int(one.group(1)) <= head.evses:
            raise ScriptError(f"{file}:{number}: there is no EVSE {one.group(1)}; the head's `evses` says {head.evses}")
    values = {**head.settings, **{key: value for key, (_, value) in edited.items()}}
    for key, text in mistakes(settings_text(head.ocpp, head.evses, values)):
        plain = re.sub(r"^evse\[\d+\]", "evse", key)
        said = next((number for known, number in lines.items() if known in (key, plain) or plain.startswith(f"{known}.")), None)
        raise ScriptError(f"{file}:{said}: {key}: {text}" if said else f"{file}: {key}: {text}")


def _without_comment(line: str) -> str:
    """A # begins a comment at the line's start or after a blank, outside double quotes."""
    quoted = False
    for place, letter in enumerate(line):
        quoted ^= letter == '"'
        if letter == "#" and not quoted and (place == 0 or line[place - 1].isspace()):
            return line[:place].strip()
    return line.strip()


def _one_of(word: str, known: tuple[str, ...], what: str) -> str:
    if word not in known:
        near = difflib.get_close_matches(word, known, 1)
        raise ValueError(f"there is no {what} {word!r}; " + (f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"))
    return word


def _count(text: str) -> int:
    if not text.strip().isdigit() or not 1 <= int(text) <= 16:
        raise ValueError(f"{text.strip()!r} is no number of EVSEs; write for example evses 2")
    return int(text)


def _speed(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 1 <= speed <= 100_000:
        raise ValueError(f"{text.strip()!r} is no speed; write for example speed 600, from 1 to 100000")
    return speed
