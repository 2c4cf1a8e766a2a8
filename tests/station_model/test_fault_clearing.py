"""RCD.Tripped: tells of a residual-current trip, and where the settings allow it, clears it when false is written."""

from __future__ import annotations

from typing import Any

import pytest

from chargepoint.link.messages import OrderAnswer, OrderKind
from chargepoint.model.orders import SetVariable, SetVariables
from chargepoint.settings import Control, Evse, Settings
from chargepoint.station import variables
from chargepoint.station.device_data import DeviceData
from chargepoint.station.fault_clearing import FaultClearing


class Desk:
    """answer: control's."""

    def __init__(self, *, allowed: bool) -> None:
        settings = Settings(evse=(Evse(id=1), Evse(id=2)), control=Control(csms_clears_residual_current=allowed))
        self.model = variables.build(variables.Nowhere(), settings)
        self.faults: dict[int, tuple[str, ...]] = {1: (), 2: ("diode", "residual_current")}
        self.orders: list[tuple[OrderKind, int, str]] = []
        self.answer = OrderAnswer(1, True)
        clearing = FaultClearing([1, 2], self.model, self, self.faults.__getitem__)  # type: ignore[arg-type]  # stands for Hardware
        self.data = DeviceData(self.model, self.send, clearing.acts())

    async def send(self, request_id: int, items: Any) -> None: ...

    async def order(self, kind: OrderKind, evse: int, fault: str) -> OrderAnswer:
        """What it is given is not in person."""
        self.orders.append((kind, evse, fault))
        return self.answer

    async def write(self, value: str, evse: int = 2) -> tuple[str, str | None]:
        answer = await self.data.set(SetVariables((SetVariable(("RCD", None), ("Tripped", None), value, evse=evse),)))
        ((_, status, _, why),) = answer.data
        return status, why


@pytest.mark.parametrize("allowed", [True, False])
def test_it_tells_of_the_trip(allowed: bool) -> None:
    desk = Desk(allowed=allowed)
    assert [desk.model.text(f"RCD@{evse}.Tripped") for evse in (1, 2)] == ["false", "true"]


async def test_writing_false_asks_control_and_answers_its_word() -> None:
    desk = Desk(allowed=True)
    assert await desk.write("false") == ("Accepted", None)
    assert desk.orders == [(OrderKind.CLEAR_FAULT, 2, "residual_current")]
    desk.answer = OrderAnswer(2, False, "its cause lasts")
    assert await desk.write("False") == ("Rejected", "its cause lasts")
    assert desk.model.text("RCD@2.Tripped") == "true", "what is written is not what is read"


@pytest.mark.parametrize("value", ["true", "TRUE", "1", ""])
async def test_anything_else_is_refused_without_asking(value: str) -> None:
    desk = Desk(allowed=True)
    status, why = await desk.write(value)
    assert (status, desk.orders) == ("Rejected", []) and why


async def test_off_it_can_only_be_read() -> None:
    desk = Desk(allowed=False)
    assert await desk.write("false") == ("Rejected", "it is read-only")
    assert desk.orders == []
