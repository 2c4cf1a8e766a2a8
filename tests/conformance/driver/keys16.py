"""What holds for every configuration key of OCPP 1.6 of its type and access (chapter 9, 5.3, 5.8). Must not know what a key means."""

from __future__ import annotations

from collections.abc import Sequence

from tests.conformance.driver.lab import Lab
from tests.conformance.driver.matching import Payload
from tests.conformance.driver.states16 import set_key

NO_INTEGERS = ("", "ten", "1.5", "1 0", "-1", "99999999999999999999")
NO_BOOLEANS = ("", "1", "yes", "truee")


async def entry(lab: Lab, key: str) -> Payload:
    """The KeyValue of one key, which must be there under its own name, however it is spelled in the request (7.17: case insensitive)."""
    answer = await lab.csms.call("GetConfiguration", {"key": [key.upper()]})
    assert not answer.get("unknownKey"), f"there is no key {key}"
    (found,) = answer["configurationKey"]
    assert found["key"] == key, found
    told: Payload = found
    return told


async def absent(lab: Lab, key: str) -> None:
    """A key this charge point does not have is unknown to both calls and not among all keys."""
    answer = await lab.csms.call("GetConfiguration", {"key": [key]})
    assert answer["unknownKey"] == [key] and not answer.get("configurationKey"), answer
    assert await set_key(lab, key, "1") == "NotSupported"
    assert key not in {one["key"] for one in (await lab.csms.call("GetConfiguration"))["configurationKey"]}


async def read_only(lab: Lab, key: str) -> str:
    """A key that can only be read: told as such, and any change is rejected. Returns its value."""
    found = await entry(lab, key)
    assert found["readonly"] is True, found
    for value in (found["value"], "1", "true"):
        assert await set_key(lab, key, value) == "Rejected", value
    assert await entry(lab, key) == found
    return str(found["value"])


async def settable(lab: Lab, key: str, good: Sequence[str], bad: Sequence[str]) -> None:
    """A key that can be changed: good values are accepted and told, bad ones rejected and without effect; then it is as it was."""
    before = await entry(lab, key)
    assert before["readonly"] is False, before
    for value in good:
        assert await set_key(lab, key, value) == "Accepted", (key, value)
        assert (await entry(lab, key))["value"] == value
    for value in bad:
        assert await set_key(lab, key, value) == "Rejected", (key, value)
        assert (await entry(lab, key))["value"] == good[-1], f"{key} was changed by {value!r}"
    assert await set_key(lab, key, before["value"]) == "Accepted", before
    assert await entry(lab, key) == before


async def boolean(lab: Lab, key: str) -> None:
    await settable(lab, key, ("true", "false"), NO_BOOLEANS)


async def integer(lab: Lab, key: str, good: Sequence[str], bad: Sequence[str] = ()) -> None:
    """bad: beside what is no whole number, or a negative one."""
    await settable(lab, key, good, (*NO_INTEGERS, *bad))
