"""Block C, authorization, of OCPP 2.0.1 part 6, 2.4: a card that the CSMS refuses, and one that is not the card that began."""

from __future__ import annotations

import pytest

from tests.conformance.driver import states
from tests.conformance.driver.cards import INVALID, WAIT_S, asked, refused
from tests.conformance.driver.lab import BLOCKED, EXPIRED, UNKNOWN, VALID_2, Lab, Token
from tests.conformance.driver.matching import present

ASKING = {"AuthCtrlr.Enabled": True, "AuthCtrlr.DisableRemoteAuthorization": False}


@pytest.fixture
def lab(as_new: Lab) -> Lab:
    """One charge point for all cases: what each configures it is, as part 6 has it, configured by the CSMS."""
    return as_new


async def refused_with_a_car(lab: Lab, token: Token, status: str) -> None:
    """A car is connected, and a card is shown that the CSMS says this of."""
    await lab.configure(**ASKING)
    await states.ev_connected_pre_session(lab)
    await refused(lab, token, status)


async def test_TC_C_02_CS(lab: Lab) -> None:
    """A card the CSMS calls Invalid starts nothing."""
    await refused_with_a_car(lab, INVALID, "Invalid")


async def test_TC_C_56_CS(lab: Lab) -> None:
    """A card the CSMS does not know starts nothing."""
    await refused_with_a_car(lab, UNKNOWN, "Unknown")


async def test_TC_C_06_CS(lab: Lab) -> None:
    """A card the CSMS has blocked starts nothing."""
    await refused_with_a_car(lab, BLOCKED, "Blocked")


async def test_TC_C_07_CS(lab: Lab) -> None:
    """A card the CSMS calls Expired starts nothing."""
    await refused_with_a_car(lab, EXPIRED, "Expired")


async def test_TC_C_05_CS(lab: Lab) -> None:
    """A card the CSMS calls Invalid, shown before a cable comes, starts nothing, though an authorization alone would."""
    await lab.configure(**{**ASKING, "TxCtrlr.TxStartPoint": "Authorized"})
    await refused(lab, INVALID, "Invalid")


async def test_TC_C_04_CS(lab: Lab) -> None:
    """Another card than the one that began, accepted but of no common group, stops nothing."""
    await lab.configure(**ASKING)
    await states.energy_transfer_started(lab)
    await asked(lab, VALID_2)
    await lab.csms.no_more("TransactionEvent", {"idToken": present}, for_s=WAIT_S)
    assert not lab.csms.calls("TransactionEvent", {"eventType": "Ended"})
    await lab.charger.contactor("closed", within=1)
