"""A card is shown: whether the station asks about it, and what comes of it. Must not know single cases.

What the CSMS says of a card is changed with `says`; WAIT_S is how long nothing must happen for a case to believe that nothing will. remote: the card
is not shown, the CSMS starts with it, and AuthorizeRemoteStart is true (errata 6.2.22 lets cases of cache and local list be judged so too).
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.conformance.driver.lab import Lab, Token
from tests.conformance.driver.matching import Payload

WAIT_S = 2.0
INVALID = Token("04A1B2F3")
both_ways = pytest.mark.parametrize("remote", [False, True], ids=["local", "remote"])
REMOTE = {"AuthCtrlr.AuthorizeRemoteStart": True}


def says(lab: Lab, token: Token, status: str, **info: Any) -> None:
    """What the CSMS says of a card from now on, in Authorize and in TransactionEvent."""
    lab.csms.answers.cards[token.uid] = {"status": status, **info}


async def shown(lab: Lab, token: Token, *, remote: bool = False) -> None:
    if remote:
        order = {"idToken": token.id_token, "evseId": lab.evse, "remoteStartId": 1}
        answer = await lab.csms.call("RequestStartTransaction", order)
        assert answer["status"] == "Accepted", answer
    else:
        await lab.charger.swipe(token.uid, lab.evse)


async def asked(lab: Lab, token: Token, status: str | None = None, *, remote: bool = False) -> None:
    """The card is shown, and the station asks the CSMS about it. status: what that says from now on."""
    if status is not None:
        says(lab, token, status, **group_of(lab, token))
    await shown(lab, token, remote=remote)
    await lab.csms.expect("Authorize", {"idToken": token.id_token})


async def refused(lab: Lab, token: Token, status: str, *, remote: bool = False) -> None:
    """The card is shown, the CSMS is asked and refuses it, and nothing comes of it."""
    await asked(lab, token, status, remote=remote)
    await nothing_follows(lab)


async def refused_without_asking(lab: Lab, token: Token, *, remote: bool = False) -> None:
    """The card is shown, nobody is asked, and nothing comes of it."""
    await shown(lab, token, remote=remote)
    await nothing_follows(lab)
    assert not lab.csms.pending("Authorize"), "the CSMS was asked"


async def nothing_follows(lab: Lab, for_s: float = WAIT_S) -> None:
    """No transaction is told of anything, and no contactor moves."""
    before = await contactors(lab)
    await lab.csms.no_more("TransactionEvent", for_s=for_s)
    assert await contactors(lab) == before


async def contactors(lab: Lab) -> list[str]:
    return [it["contactor"] for it in (await lab.charger.state())["evses"]]


def never_asked(lab: Lab) -> None:
    """The station has asked about no card that a case has not taken note of."""
    assert not lab.csms.pending("Authorize"), "the CSMS was asked"


def group_of(lab: Lab, token: Token) -> Payload:
    known = lab.csms.answers.cards.get(token.uid, {})
    return {"groupIdToken": known["groupIdToken"]} if "groupIdToken" in known else {}
