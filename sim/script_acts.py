"""The acts of a scenario and the calls of the control API they are: one table, read in both directions. Must not know who plays or records them.

An act is a line: its name, its EVSE where it has one, words for the fields named here, and the rest of the body as JSON.
"""

from __future__ import annotations

import difflib
import json
import re
import shlex
from typing import Any, NamedTuple

import msgspec

from sim import api_bodies as bodies

IDENTITY = "identity"
"""The field of a CSMS's call that names the station: a scenario has one, so nobody writes it."""


class Form(NamedTuple):
    """One act. path: below the world's address; words: the body's fields that are written as words, in order, those with ? may be left out;
    inner: the field that the JSON goes into ("": it is the rest of the body); shape: what judges the body."""

    name: str
    method: str
    path: str
    example: str
    words: tuple[str, ...] = ()
    inner: str = ""
    shape: type[bodies.Body] | None = None


class Request(NamedTuple):
    """One call of the control API."""

    method: str
    path: str
    body: dict[str, Any]


EVSE = "api/evse/{evse}/"
FORMS = (
    Form("plug-in", "POST", EVSE + "plug-in", 'plug-in 1 {"profile": "mg4"}', ("connector?",), "ev", bodies.PlugIn),
    Form("unplug", "POST", EVSE + "unplug", "unplug 1", ("connector?",), shape=bodies.Unplug),
    Form("ev-unplug", "POST", EVSE + "ev-unplug", "ev-unplug 1", shape=bodies.Nothing),
    Form("ev-plug", "POST", EVSE + "ev-plug", "ev-plug 1", shape=bodies.Nothing),
    Form("ev", "POST", EVSE + "ev", 'ev 1 {"ready": false}', shape=bodies.Ev),
    Form("fault", "POST", EVSE + "fault", 'fault 1 over_temperature {"value": 70}', ("fault",), shape=bodies.Fault),
    Form("unfault", "DELETE", EVSE + "fault/{fault}", "unfault 1 diode", ("fault",), shape=bodies.Fault),
    Form("clear", "POST", EVSE + "clear", "clear 1 residual_current", ("fault",), shape=bodies.Clear),
    Form("bay", "POST", EVSE + "bay", 'bay 1 {"occupied": true}', shape=bodies.Bay),
    Form("button", "POST", EVSE + "button", "button 1", shape=bodies.Nothing),
    Form("breaker", "POST", EVSE + "breaker", 'breaker 1 {"closed": true}', shape=bodies.Breaker),
    Form("swipe", "POST", "api/rfid/swipe", 'swipe 04A1B2C3 {"evse": 2}', ("uid",), shape=bodies.Swipe),
    Form("network", "POST", "api/network", "network stall", ("state",), shape=bodies.Network),
    Form("power", "POST", "api/power", "power off shutdown", ("state", "how?"), shape=bodies.Power),
    Form("kill", "POST", "api/kill", "kill control KILL", ("process", "signal?"), shape=bodies.Kill),
    Form("send", "POST", "csms/send", 'send Reset {"type": "Soft"}', ("action",), "payload"),
    Form("text", "POST", "csms/text", "text 'this is no message'", ("text",)),
    Form("disconnect", "POST", "csms/disconnect", "disconnect"),
    Form("card", "POST", "csms/cards", "card 04A1B2C3 Blocked", ("uid", "status?")),
    Form("csms", "POST", "csms/options", 'csms {"registration": "Pending"}'),
    Form("misbehave", "POST", "csms/misbehave", 'misbehave slow {"seconds": 3}', ("what",)),
    Form("behave", "DELETE", "csms/misbehave", "behave"),
)
BY_NAME = {form.name: form for form in FORMS}
NUMBERS = ("connector",)


def request(name: str, rest: str) -> Request:
    """An act as it stands in a line, as a call. Raises ValueError with what would be right."""
    form = BY_NAME[name]
    words, extra = _words_and_json(rest)
    places: dict[str, str] = {}
    if "{evse}" in form.path:
        if not words or not words[0].isdigit():
            raise ValueError(f"write {name} EVSE, for example {form.example}")
        places["evse"] = words.pop(0)
    body = _named(form, words) | ({form.inner: extra} if form.inner and extra else {} if form.inner else extra)
    if form.shape is not None:
        _judge(form, body)
    if form.name == "card":
        card = {key: value for key, value in body.items() if key != "uid"}
        body = {body["uid"]: card if len(card) > 1 else card.get("status")}
    if form.method == "DELETE":
        places, body = {**places, **{key: str(value) for key, value in body.items()}}, {}
    return Request(form.method, form.path.format_map(places), body)


def line(call: Request) -> str | None:
    """A call as the line of a scenario; None: there is no act for it."""
    for form in FORMS:
        pattern = re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", form.path)
        if form.method == call.method and (found := re.fullmatch(pattern, call.path)):
            return _written(form, found.groupdict(), call.body)
    return None


def unknown(name: str, others: tuple[str, ...]) -> str:
    """What to say of a step there is none of."""
    known = (*others, *BY_NAME)
    near = difflib.get_close_matches(name, known, 1)
    return f"there is no step {name!r}; " + (f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}")


def _words_and_json(text: str) -> tuple[list[str], dict[str, Any]]:
    before, brace, after = text.partition("{")
    try:
        return shlex.split(before), json.loads(brace + after) if brace else {}
    except json.JSONDecodeError as error:
        raise ValueError(f'the body is no JSON: {error.msg} at character {error.pos + 1} of it; it is written as in {{"key": 1}}') from None


def _named(form: Form, words: list[str]) -> dict[str, Any]:
    """The words by the names of their fields."""
    needed = sum(not field.endswith("?") for field in form.words)
    if not needed <= len(words) <= len(form.words):
        shown = " ".join(f"[{field[:-1].upper()}]" if field.endswith("?") else field.upper() for field in form.words)
        raise ValueError(f"write {' '.join(filter(None, (form.name, 'EVSE' * ('{evse}' in form.path), shown)))}, for example {form.example}")
    named = {field.rstrip("?"): word for field, word in zip(form.words, words, strict=False)}
    return {field: int(word) if field in NUMBERS and word.isdigit() else word for field, word in named.items()}


def _judge(form: Form, body: dict[str, Any]) -> None:
    """As the control API would. Raises ValueError."""
    assert form.shape is not None
    bodies.read(msgspec.json.encode(body), form.shape)
    if form.shape is bodies.Fault:
        bodies.known_fault(body["fault"])


def _written(form: Form, places: dict[str, str], body: dict[str, Any]) -> str:
    rest = {key: value for key, value in body.items() if key != IDENTITY} | {key: value for key, value in places.items() if key != "evse"}
    if form.name == "card":
        (uid, card), *_ = rest.items()
        rest = {"uid": uid, **(card if isinstance(card, dict) else {"status": card} if card else {})}
    words = [places["evse"]] if "evse" in places else []
    for field in form.words:
        if (value := rest.get(field.rstrip("?"))) is None:
            break
        words.append(shlex.quote(str(value)))
        del rest[field.rstrip("?")]
    extra = rest.get(form.inner) if form.inner else rest
    return " ".join([form.name, *words, *([json.dumps(extra)] if extra else [])])
