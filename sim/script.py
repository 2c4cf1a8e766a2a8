"""Scenario files: a story of acts, expectations and times, read into steps. Must not know how a step is played.

A file has a head and steps, one a line; `#` starts a comment.

    First charge over OCPP 1.6                  the title: the first line
    ocpp ocpp1.6                                head: what the CSMS and the firmware speak
    evses 2                                     head: how many EVSEs (default 1)
    setting ocpp16.configuration.HeartbeatInterval = 60      head: any key of the settings file, its value as TOML
    card 04A1B2C3 Accepted                      head: what the CSMS answers to a card (unknown cards are Invalid)

    plug-in 1 {"ready": true}                   steps: the acts of the control API with their bodies
    swipe 04A1B2C3
    wait 2 s
    expect evse 1 contactor = closed within 5 s
    expect evse 1 current_a[0] > 15 for 2 s within 5 s       ... and stays so
    expect connector 1 status = Charging within 5 s
    expect station facts_waiting = 0 within 5 s
    expect csms transactions[0].reason = Local within 5 s    what the CSMS knows
    send RemoteStartTransaction {"idTag": "04A1B2C3", "connectorId": 1}
    expect answer status = Accepted             the answer to the last `send`

Nothing may be in /api/violations nor among the CSMS's violations when the last step is done.
"""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

OPERATORS = ("=", "!=", ">=", "<=", ">", "<", "has")
PLACES = ("evse", "connector", "station", "world", "csms", "answer")
NUMBERED = ("evse", "connector")
DEFAULT_WITHIN_S = 5.0
TIME = re.compile(r"^(\d+(?:\.\d+)?)\s*(ms|s|min)$")
UNITS = {"ms": 0.001, "s": 1.0, "min": 60.0}
TAIL = re.compile(r"\s+(within|for)\s+(\d+(?:\.\d+)?\s*(?:ms|s|min))\s*$")
HEADS = ("ocpp", "evses", "setting", "card")
BODY_ACTS = ("plug-in", "unplug", "ev-unplug", "ev-plug", "ev", "fault", "unfault", "clear", "bay", "button", "breaker")
"""Acts on an EVSE: the number, then a body as JSON, or a word for those that take one."""
WORD_ACTS = ("swipe", "network", "power", "kill", "wait", "send", "card")


class ScriptError(Exception):
    """The file cannot be read; the message names file and line."""


class Act(NamedTuple):
    """One act: its name, its EVSE (None: the charge point), and its words and body."""

    line: int
    text: str
    name: str
    evse: int | None
    words: tuple[str, ...]
    body: dict[str, Any]


class Expectation(NamedTuple):
    """A value somewhere, compared; to come true within a time and to stay so for a time."""

    line: int
    text: str
    place: str
    number: int
    path: str
    operator: str
    value: Any
    within_s: float
    for_s: float


Step = Act | Expectation


class Script(NamedTuple):
    """A whole file. settings: dotted key to value; cards: uid to status word."""

    file: Path
    title: str
    ocpp: str
    evses: int
    settings: dict[str, Any]
    cards: dict[str, str]
    steps: tuple[Step, ...]


def seconds(text: str) -> float:
    """`2 s`, `500 ms`, `1 min` in seconds. Raises ValueError."""
    found = TIME.match(text.strip())
    if not found:
        raise ValueError(f"{text!r} is no time; write for example 2 s, 500 ms or 1 min")
    return float(found.group(1)) * UNITS[found.group(2)]


def read(file: Path) -> Script:
    """Reads a scenario file. Raises ScriptError."""
    try:
        lines = file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ScriptError(f"{file}: cannot be read: {error}") from None
    numbered = [(number, line) for number, raw in enumerate(lines, 1) if (line := _without_comment(raw))]
    if not numbered:
        raise ScriptError(f"{file}: is empty; the first line is the title")
    head: dict[str, Any] = {"ocpp": "ocpp2.0.1", "evses": 1, "settings": {}, "cards": {}}
    steps: list[Step] = []
    for number, line in numbered[1:]:
        try:
            if not steps and line.split()[0] in HEADS:
                _head(head, line)
            else:
                steps.append(_step(number, line))
        except ValueError as error:
            raise ScriptError(f"{file}:{number}: {error}") from None
    return Script(file, numbered[0][1], head["ocpp"], head["evses"], head["settings"], head["cards"], tuple(steps))


def _without_comment(line: str) -> str:
    return re.sub(r"(^|\s)#.*$", "", line).strip()


def _head(head: dict[str, Any], line: str) -> None:
    name, _, rest = line.partition(" ")
    if name == "ocpp":
        head["ocpp"] = rest.strip()
    elif name == "evses":
        head["evses"] = int(rest)
    elif name == "card":
        uid, status = shlex.split(rest)
        head["cards"][uid] = status
    else:
        key, equals, value = rest.partition("=")
        if not equals:
            raise ValueError("write setting TABLE.KEY = VALUE")
        head["settings"][key.strip()] = tomllib.loads(f"value = {value}")["value"]


def _step(number: int, line: str) -> Step:
    name, _, rest = line.partition(" ")
    if name == "expect":
        return _expectation(number, line, rest)
    if name in BODY_ACTS:
        return _evse_act(number, line, name, rest)
    if name in WORD_ACTS:
        words, body = _words_and_body(rest)
        if not words:
            raise ValueError(f"{name} needs a word after it")
        if name == "wait":
            seconds(rest)
        return Act(number, line, name, None, words, body)
    raise ValueError(f"there is no step {name!r}; known are expect, {', '.join((*BODY_ACTS, *WORD_ACTS))}")


def _evse_act(number: int, line: str, name: str, rest: str) -> Act:
    words, body = _words_and_body(rest)
    if not words or not words[0].isdigit():
        raise ValueError(f"write {name} EVSE, for example {name} 1")
    if name in ("fault", "unfault", "clear") and len(words) < 2:
        raise ValueError(f"write {name} EVSE FAULT")
    return Act(number, line, name, int(words[0]), words[1:], body)


def _words_and_body(text: str) -> tuple[tuple[str, ...], dict[str, Any]]:
    before, brace, after = text.partition("{")
    try:
        body = json.loads(brace + after) if brace else {}
    except json.JSONDecodeError as error:
        raise ValueError(f"the body is no JSON: {error}") from None
    return tuple(shlex.split(before)), body


def _expectation(number: int, line: str, rest: str) -> Expectation:
    times = {"within": DEFAULT_WITHIN_S, "for": 0.0}
    while tail := TAIL.search(rest):
        times[tail.group(1)] = seconds(tail.group(2))
        rest = rest[: tail.start()]
    found = re.match(rf"^(\w+)\s+(?:(\d+)\s+)?(\S+)\s+({'|'.join(map(re.escape, OPERATORS))})\s+(.+)$", rest.strip())
    if not found or found.group(1) not in PLACES:
        raise ValueError(f"write expect {'|'.join(PLACES)} [NUMBER] PATH {'|'.join(OPERATORS)} VALUE [for TIME] [within TIME]")
    place, which, path, operator, value = found.groups()
    if (place in NUMBERED) != bool(which):
        raise ValueError(f"{place} {'needs' if place in NUMBERED else 'takes no'} number")
    return Expectation(number, line, place, int(which or 0), path, operator, _value(value), times["within"], times["for"])


def _value(text: str) -> Any:
    """A JSON value, or a word."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text.strip()
