"""Single frames to the station and what comes back for them, whatever they are. Must not know what a case judges."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any

from tests.conformance.driver.csms import Csms
from tests.conformance.driver.judge import ERROR_CODES, LONGEST_DESCRIPTION
from tests.conformance.driver.matching import Payload
from tests.conformance.driver.messages import Message

UNREADABLE_ID = "-1"
"""Of a CALLERROR to a message whose id cannot be read (2.0.1 part 4, 4.2.3)."""
HARMLESS: dict[str, tuple[str, Payload]] = {"ocpp1.6": ("GetLocalListVersion", {}), "ocpp2.0.1": ("GetLocalListVersion", {})}
"""A call that changes nothing."""
SETTLED_S = 0.3


def new_id() -> str:
    return str(uuid.uuid4())


def call_text(csms: Csms, id_: Any) -> str:
    """A harmless CALL with this message id."""
    return json.dumps([2, id_, *HARMLESS[csms.version]])


def answers(csms: Csms, id_: str) -> list[Message]:
    """The station's CALLRESULTs and CALLERRORs with a message id."""
    return [it for it in csms.messages if it.incoming and it.kind != "call" and it.id_ == id_]


async def answer_to(csms: Csms, frame: str | bytes, id_: str, *, binary: bool = False) -> Message:
    """Sends a frame and waits for the answer with this message id."""
    before = len(answers(csms, id_))
    await csms.send_text(frame, binary=binary)
    await csms.until(lambda: len(answers(csms, id_)) > before, f"no answer to {frame[:200]!r}")
    return answers(csms, id_)[-1]


async def error_to(csms: Csms, frame: str | bytes, id_: str) -> str:
    """Sends a frame and returns the code of the CALLERROR that must come, and be well-formed."""
    return code_of(csms.version, await answer_to(csms, frame, id_))


def code_of(version: str, message: Message) -> str:
    """The code of a CALLERROR, which must be one of the version, with a description of a length that is allowed."""
    assert message.kind == "error", message
    code, description, details = message.payload["error"]
    assert code in ERROR_CODES[version] and 0 < len(description) <= LONGEST_DESCRIPTION and isinstance(details, dict), message
    return str(code)


async def alive(csms: Csms) -> None:
    """A harmless call is answered."""
    assert (await csms.call(*HARMLESS[csms.version])) is not None


async def unanswered(csms: Csms, *frames: str | bytes) -> None:
    """Frames that must have no answer; the station goes on."""
    before = [it for it in csms.messages if it.incoming and it.kind != "call"]
    for frame in frames:
        await csms.send_text(frame)
    await alive(csms)
    await asyncio.sleep(SETTLED_S)
    now = [it for it in csms.messages if it.incoming and it.kind != "call"]
    assert len(now) == len(before) + 1, now[len(before) :]
