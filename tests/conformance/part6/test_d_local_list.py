"""Block D, local authorization list, of OCPP 2.0.1 part 6, 2.5. How many entries the list has is seen in LocalAuthListCtrlr.Entries."""

from __future__ import annotations

from tests.conformance.driver import states
from tests.conformance.driver.lab import VALID, VALID_2, Lab, Token
from tests.conformance.driver.matching import Payload, check

SHARED = {"variables": {"LocalAuthListCtrlr.Enabled": True}}
VERSION = 5
ACCEPTED: Payload = {"status": "Accepted"}


def entry(token: Token, info: Payload | None = ACCEPTED) -> Payload:
    """AuthorizationData; without info it removes the token (D01.FR.17)."""
    return {"idToken": token.id_token} | ({} if info is None else {"idTokenInfo": info})


async def send(lab: Lab, kind: str, version: int, *entries: Payload, status: str = "Accepted") -> None:
    """A list, or an update of it; an empty one has no list field at all, as the schema wants."""
    order = {"updateType": kind, "versionNumber": version, **({"localAuthorizationList": list(entries)} if entries else {})}
    check({"status": status}, await lab.csms.call("SendLocalList", order))


async def has(lab: Lab, version: int, entries: int | None = None) -> None:
    """The version of the list, and how many entries it has."""
    check({"versionNumber": version}, await lab.csms.call("GetLocalListVersion"))
    if entries is not None:
        assert await lab.get("LocalAuthListCtrlr.Entries") == str(entries)


async def test_TC_D_01_CS(shared_booted: Lab) -> None:
    """A full list replaces what was there, and its version is told."""
    await states.id_token_in_local_list(shared_booted, VALID, VALID_2, version=VERSION + 1)
    await send(shared_booted, "Full", VERSION, entry(VALID))
    await has(shared_booted, VERSION, entries=1)


async def test_TC_D_02_CS(shared_booted: Lab) -> None:
    """A differential update adds an entry."""
    await states.id_token_in_local_list(shared_booted, VALID, version=VERSION)
    await send(shared_booted, "Differential", VERSION + 1, entry(VALID_2))
    await has(shared_booted, VERSION + 1, entries=2)


async def test_TC_D_03_CS(shared_booted: Lab) -> None:
    """A differential update removes the entries that come without information."""
    await states.id_token_in_local_list(shared_booted, VALID, version=VERSION)
    await send(shared_booted, "Differential", VERSION + 1, entry(VALID, None))
    await has(shared_booted, VERSION + 1, entries=0)


async def test_TC_D_04_CS(shared_booted: Lab) -> None:
    """An empty full list removes everything."""
    await states.id_token_in_local_list(shared_booted, VALID, version=VERSION)
    await send(shared_booted, "Full", VERSION)
    await has(shared_booted, VERSION, entries=0)


async def test_TC_D_05_CS(shared_booted: Lab) -> None:
    """An empty differential update changes the version alone."""
    await states.id_token_in_local_list(shared_booted, VALID, version=VERSION)
    await send(shared_booted, "Differential", VERSION + 1)
    await has(shared_booted, VERSION + 1, entries=1)


async def test_TC_D_06_CS(shared_booted: Lab) -> None:
    """A differential update older than the list changes nothing."""
    await states.id_token_in_local_list(shared_booted, VALID, version=VERSION)
    await send(shared_booted, "Differential", VERSION - 1, entry(VALID_2), status="VersionMismatch")
    await has(shared_booted, VERSION, entries=1)


async def test_TC_D_07_CS(lab: Lab) -> None:
    """The list outlives a loss of power."""
    await lab.up(variables={"LocalAuthListCtrlr.Enabled": True})
    await states.id_token_in_local_list(lab, VALID, version=VERSION)
    await states.booted(lab)
    await has(lab, VERSION, entries=1)


async def test_TC_D_08_CS(shared_booted: Lab) -> None:
    """The version is told."""
    await states.id_token_in_local_list(shared_booted, VALID, version=VERSION)
    await has(shared_booted, VERSION)


async def test_TC_D_10_CS(shared_booted: Lab) -> None:
    """Switched off, there is no list: version 0."""
    await states.id_token_in_local_list(shared_booted, VALID, version=VERSION)
    await shared_booted.configure(**{"LocalAuthListCtrlr.Enabled": False})
    await has(shared_booted, 0)
    await shared_booted.configure(**{"LocalAuthListCtrlr.Enabled": True})
