"""The CSMS as seen from here: each cell of its table, connection numbers over restarts, who may begin."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from chargepoint.model.idtoken import IdToken
from chargepoint.model.questions import Authorize, Boot, BootReason, Registration, Unreachable
from chargepoint.station.backend import TABLE, TRANSITIONS, Backend, Event, State
from chargepoint.store.db import Db
from chargepoint.store.values import Values
from tests.station.station_rig import FakeCsms

ROWS = {(row.source, row.event): row.target for row in TRANSITIONS}


@pytest.fixture
def values(tmp_path: Path) -> Values:
    return Values(Db(tmp_path / "station.db"))


def made(values: Values, csms: str = "ws://csms CP001") -> Backend[FakeCsms]:
    return Backend(values, csms, ("ocpp2.0.1", "ocpp1.6"), lambda key: None)


@pytest.mark.parametrize(("state", "event"), list(product(State, Event)))
def test_every_cell(state: State, event: Event) -> None:
    assert TABLE.step(state, event) is ROWS.get((state, event))


def test_a_mere_reconnection_needs_no_boot_and_is_another_connection(values: Values) -> None:
    backend = made(values)
    backend.line_up(FakeCsms("ocpp2.0.1"))
    assert (backend.state, backend.connection) == (State.CONNECTED, 0)
    backend.registered(Registration.ACCEPTED)
    assert backend.connection == 1
    backend.line_down("test")
    assert backend.connection == 0
    backend.line_up(FakeCsms("ocpp2.0.1"))
    assert (backend.state, backend.connection) == (State.ACCEPTED, 2)


def test_another_version_or_csms_is_another_registration(values: Values) -> None:
    backend = made(values)
    backend.line_up(FakeCsms("ocpp2.0.1"))
    backend.registered(Registration.ACCEPTED)
    backend.line_down("test")
    backend.line_up(FakeCsms("ocpp1.6"))
    assert backend.state is State.CONNECTED and backend.subprotocol == "ocpp1.6"
    backend.line_down("test")
    backend.use("ws://other CP001", True)
    backend.line_up(FakeCsms("ocpp1.6"))
    assert backend.state is State.CONNECTED and not backend.ever_accepted


def test_a_restart_registers_anew_and_counts_on(values: Values) -> None:
    first = made(values)
    first.line_up(FakeCsms("ocpp1.6"))
    first.registered(Registration.ACCEPTED)
    again = made(values)
    assert again.subprotocol == "ocpp1.6" and again.ever_accepted
    again.line_up(FakeCsms("ocpp1.6"))
    assert again.state is State.CONNECTED
    again.registered(Registration.ACCEPTED)
    assert again.connection == 2


def test_an_answer_that_comes_after_the_line_went_counts_for_nothing(values: Values) -> None:
    backend = made(values)
    backend.line_up(FakeCsms("ocpp1.6"))
    backend.line_down("test")
    backend.registered(Registration.ACCEPTED)
    assert not backend.accepted and not backend.ever_accepted


async def test_before_acceptance_only_a_boot_goes_out(values: Values) -> None:
    backend = made(values)
    assert isinstance(await backend.ask(Boot(BootReason.POWER_UP)), Unreachable)
    csms = FakeCsms("ocpp1.6")
    backend.line_up(csms)
    assert isinstance(await backend.ask(Authorize(IdToken("X"))), Unreachable)
    assert csms.asked == []
    backend.registered(Registration.ACCEPTED)
    await backend.ask(Authorize(IdToken("X")))
    assert csms.asked == ["X"]


@pytest.mark.parametrize(
    ("accepted_once", "now", "before_accepted", "allowed"),
    [
        (False, None, False, False),
        (False, None, True, True),
        (False, Registration.PENDING, False, False),
        (True, None, False, True),
        (True, Registration.PENDING, False, False),
        (True, Registration.REJECTED, False, False),
        (True, Registration.REJECTED, True, True),
        (True, Registration.ACCEPTED, False, True),
    ],
)
def test_who_may_begin(values: Values, accepted_once: bool, now: Registration | None, before_accepted: bool, allowed: bool) -> None:
    if accepted_once:
        former = made(values)
        former.line_up(FakeCsms("ocpp1.6"))
        former.registered(Registration.ACCEPTED)
    backend = made(values)
    if now is not None:
        backend.line_up(FakeCsms("ocpp1.6"))
        backend.registered(now)
    assert backend.may_begin(before_accepted) is allowed


def test_without_a_csms_everybody_may(values: Values) -> None:
    assert made(values, "").may_begin(False)
