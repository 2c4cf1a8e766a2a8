"""Block A, security, of OCPP 2.0.1 part 6, 2.2: HTTP Basic and the change of its password."""

from __future__ import annotations

import base64
import re

from tests.conformance.driver import states
from tests.conformance.driver.lab import Lab
from tests.conformance.driver.messages import Attempt

IDENTITY = "CP001"
PASSWORD = "RightHorse-0123456789"
NEW_PASSWORD = "BatteryStaple_9876543210*AbCdEfG"
VARIABLE = "SecurityCtrlr.BasicAuthPassword"
ALLOWED = re.compile(r"[A-Za-z0-9*_=:+|@.-]{16,40}")


async def up(lab: Lab) -> None:
    """Connected by security profile 1."""
    lab.csms.credentials = (IDENTITY, PASSWORD)
    await lab.up(identity=IDENTITY, csms={"security_profile": 1, "basic_auth_password": PASSWORD})


def judge_header(attempt: Attempt, password: str) -> None:
    """`Authorization: Basic base64(identity:password)`; the identity is that of the URL (A00.FR.204)."""
    word, _, coded = attempt.headers["Authorization"].partition(" ")
    identity, _, secret = base64.b64decode(coded, validate=True).decode().partition(":")
    assert word == "Basic" and identity == attempt.path.rsplit("/", 1)[-1] == IDENTITY
    assert secret == password and ALLOWED.fullmatch(secret)


async def test_TC_A_01_CS(lab: Lab) -> None:
    """The station names itself and its password in each connection request."""
    await up(lab)
    await states.booted(lab)
    for attempt in lab.csms.attempts:
        judge_header(attempt, PASSWORD)
    assert len(lab.csms.attempts) >= 2


async def test_TC_A_09_CS(lab: Lab) -> None:
    """A new password is accepted, used for the next connection and every later one, and told to nobody."""
    await up(lab)
    before = len(lab.csms.attempts)
    lab.csms.credentials = (IDENTITY, NEW_PASSWORD)
    result = await lab.set(VARIABLE, NEW_PASSWORD)
    assert result["attributeStatus"] in ("Accepted", "RebootRequired")
    if result["attributeStatus"] == "RebootRequired":
        await states.booted(lab, reset="OnIdle")
    await lab.csms.until(lambda: len(lab.csms.attempts) > before, "the station never came with the new password")
    await lab.csms.reconnected()
    for attempt in lab.csms.attempts[before:]:
        judge_header(attempt, NEW_PASSWORD)
    assert "attributeValue" not in await lab.get_result(VARIABLE)
    await states.booted(lab)
    judge_header(lab.csms.attempts[-1], NEW_PASSWORD)


async def test_TC_A_10_CS(lab: Lab) -> None:
    """A password that is too short is rejected; the old one stays."""
    await up(lab)
    before = len(lab.csms.attempts)
    assert (await lab.set(VARIABLE, NEW_PASSWORD[:15]))["attributeStatus"] == "Rejected"
    await lab.csms.disconnect()
    await lab.csms.until(lambda: len(lab.csms.attempts) > before, "the station never came back")
    await states.booted(lab)
    for attempt in lab.csms.attempts:
        judge_header(attempt, PASSWORD)
