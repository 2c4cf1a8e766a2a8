"""The steps of a scenario: one line read into an act, a wait or an expectation. Must not know files, nor how a step is played.

`wait until X` is an expectation with patience. The short words of SHORT and SPOKEN are other names of the same things, for people.
"""

from __future__ import annotations

import difflib
import json
import re
from typing import Any, NamedTuple

from sim import script_acts as acts
from sim.script_settings import setting
from sim.script_values import OPERATORS

DEFAULT_WITHIN_S = 20.0
PATIENCE_S = 60.0
SETTING = "setting"
PLACES = ("evse", "connector", "station", "world", "csms", "answer")
NUMBERED = ("evse", "connector")
SHORT = {
    "contactor": ("evse", "contactor"),
    "lock": ("evse", "lock"),
    "pilot": ("evse", "pilot.state"),
    "current": ("evse", "current_a[0]"),
    "status": ("connector", "status"),
    "reason": ("connector", "reason"),
}
"""Places that may be left out, with the first EVSE or connector meant, and what is looked at there."""
SPOKEN = (("plug ", "plug-in "), ("cut power", "power off"), ("restore power", "power on"))
TIME = re.compile(r"^(\d+(?:\.\d+)?)\s*(ms|s|min)$")
UNITS = {"ms": 0.001, "s": 1.0, "min": 60.0}
TAIL = re.compile(r"\s+(within|for)\s+(\d+(?:\.\d+)?\s*\w+)\s*$")
OPERATOR = "|".join(map(re.escape, OPERATORS))
COMPARED = re.compile(rf"^(\S+)\s+(?:({OPERATOR})\s+)?(.+)$")
NEXT_CONDITION = re.compile(rf",\s*(?=[\w.\[\]-]+\s+(?:{OPERATOR})\s)")
MESSAGE = re.compile(r"^(no\s+)?csms\s+([A-Z]\w+)(?:\s+with\s+(.+))?$")
FORM = "write expect PLACE [NUMBER] PATH OPERATOR VALUE [for TIME] [within TIME], for example expect evse 1 contactor = open within 100 ms"


class Act(NamedTuple):
    """A call of the control API. name: the step's first word; evse: where it is done, None: at the charge point."""

    line: int
    text: str
    name: str
    evse: int | None
    request: acts.Request


class Edit(NamedTuple):
    """A key of the settings file gets another value; whatever reads it takes it at its next start."""

    line: int
    text: str
    key: str
    value: Any


class Wait(NamedTuple):
    """Nothing, for so long."""

    line: int
    text: str
    seconds: float


class Condition(NamedTuple):
    """A value at a path, compared."""

    path: str
    operator: str
    value: Any


class Expectation(NamedTuple):
    """A value somewhere, to come true within a time and to stay so for a time."""

    line: int
    text: str
    place: str
    number: int
    condition: Condition
    within_s: float
    for_s: float


class Message(NamedTuple):
    """A call of the station that the CSMS hears, after the last one that was expected. never: that it does not, for a time."""

    line: int
    text: str
    action: str
    conditions: tuple[Condition, ...]
    never: bool
    within_s: float


Step = Act | Edit | Wait | Expectation | Message


def seconds(text: str) -> float:
    """`2 s`, `500 ms`, `1 min` in seconds. Raises ValueError."""
    found = TIME.match(text.strip())
    if not found:
        raise ValueError(f"{text.strip()!r} is no time; write for example 2 s, 500 ms or 1 min")
    return float(found.group(1)) * UNITS[found.group(2)]


def step(number: int, line: str) -> Step:
    """The step of a line. Raises ValueError with what would be right."""
    name, _, rest = _plain(line).partition(" ")
    if name == "expect":
        return _expected(number, line, rest, DEFAULT_WITHIN_S)
    if name == "wait":
        word, _, condition = rest.partition(" ")
        return _expected(number, line, condition, PATIENCE_S) if word == "until" else Wait(number, line, seconds(rest))
    if name == SETTING:
        return Edit(number, line, *setting(rest))
    if name in acts.BY_NAME:
        request = acts.request(name, rest)
        at = re.search(r"evse/(\d+)/", request.path)
        return Act(number, line, name, int(at.group(1)) if at else None, request)
    raise ValueError(acts.unknown(name, ("expect", "wait")))


def _plain(line: str) -> str:
    for spoken, written in SPOKEN:
        if line.startswith(spoken):
            return written + line.removeprefix(spoken)
    return line


def _expected(number: int, line: str, rest: str, within_s: float) -> Expectation | Message:
    rest, times = _times(rest.strip())
    if message := MESSAGE.match(rest):
        return _message(number, line, message, times, within_s)
    place, which, compared = _place(rest)
    found = COMPARED.match(compared)
    if not found:
        raise ValueError(FORM)
    path, operator, value = found.groups()
    if operator is None and (path not in SHORT or " " in value.strip()):
        raise ValueError(f"{compared!r} has no operator out of {', '.join(OPERATORS)}; {FORM}")
    path = SHORT[path][1] if path in SHORT and SHORT[path][0] == place else path
    return Expectation(
        number, line, place, which, Condition(path, operator or "=", _value(value)), times.get("within", within_s), times.get("for", 0.0)
    )


def _times(rest: str) -> tuple[str, dict[str, float]]:
    times: dict[str, float] = {}
    while tail := TAIL.search(rest):
        times[tail.group(1)] = seconds(tail.group(2))
        rest = rest[: tail.start()]
    return rest, times


def _place(rest: str) -> tuple[str, int, str]:
    """The place, its number, and what is left."""
    words = rest.split(None, 2)
    if words and words[0] in SHORT:
        return SHORT[words[0]][0], 1, rest
    if not words or words[0] not in PLACES:
        near = difflib.get_close_matches(words[0] if words else "", (*PLACES, *SHORT), 1)
        raise ValueError(f"there is no place {words[0] if words else ''!r}; " + (f"did you mean {near[0]}?" if near else FORM))
    numbered = len(words) > 1 and words[1].isdigit()
    if numbered is not (words[0] in NUMBERED):
        example = f"expect {words[0]}{' 1' if words[0] in NUMBERED else ''} PATH = VALUE"
        raise ValueError(f"{words[0]} {'takes no' if numbered else 'needs a'} number, as in {example}")
    return words[0], int(words[1]) if numbered else 0, rest.split(None, 2 if numbered else 1)[-1]


def _message(number: int, line: str, found: re.Match[str], times: dict[str, float], within_s: float) -> Message:
    never, action, text = bool(found.group(1)), found.group(2), found.group(3)
    if never is not ("for" in times) or (never and "within" in times):
        raise ValueError(
            f"write expect {'no ' * never}csms {action} [with PATH = VALUE, ...] {'for' if never else '[within'} TIME{']' * (not never)}"
        )
    conditions = tuple(_condition(part) for part in NEXT_CONDITION.split(text)) if text else ()
    return Message(number, line, action, conditions, never, times["for"] if never else times.get("within", within_s))


def _condition(text: str) -> Condition:
    found = COMPARED.match(text.strip())
    if not found or found.group(2) is None:
        raise ValueError(f"{text.strip()!r} is no condition; write PATH OPERATOR VALUE, for example idTag = 04A1B2C3, connectorId = 1")
    return Condition(found.group(1), found.group(2), _value(found.group(3)))


def _value(text: str) -> Any:
    """A JSON value, or a word."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text.strip()
