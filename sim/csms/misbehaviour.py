"""How the CSMS misbehaves on order, message by message. Must not know what the messages say."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

KINDS = ("slow", "no_answer", "wrong_id", "duplicate", "call_error", "bad_payload", "nonsense", "close", "close_mid_message")


@dataclass
class Misbehaviour:
    """One order to misbehave at the answer to a station's call. count None: always; action and identity None: any.

    slow: answers after `seconds`; no_answer; wrong_id: the answer bears another id; duplicate: answers twice; call_error: refuses with `code`;
    bad_payload: answers with `payload`; nonsense: sends `text` instead of an answer; close: closes the connection instead;
    close_mid_message: sends half of the answer's frame, then cuts the connection.
    """

    what: str
    action: str | None = None
    identity: str | None = None
    count: int | None = 1
    seconds: float = 5.0
    code: str = "InternalError"
    description: str = "misbehaving on order"
    text: str = "this is no OCPP message"
    payload: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.what not in KINDS:
            raise ValueError(f"what must be one of {', '.join(KINDS)}")

    def meets(self, identity: str, action: str) -> bool:
        """Whether it is meant for this call."""
        return self.count != 0 and self.identity in (None, identity) and self.action in (None, action)


class Mischief:
    """The orders to misbehave that still wait."""

    def __init__(self) -> None:
        self.orders: list[Misbehaviour] = []

    def add(self, order: Misbehaviour) -> None:
        self.orders.append(order)

    def clear(self) -> None:
        self.orders.clear()

    def take(self, identity: str, action: str) -> Misbehaviour | None:
        """The first order meant for this call, counted down."""
        order = next((o for o in self.orders if o.meets(identity, action)), None)
        if order is not None and order.count is not None:
            order.count -= 1
        self.orders = [o for o in self.orders if o.count != 0]
        return order
