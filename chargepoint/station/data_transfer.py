"""What OCPP has no message for (2.0.1 part 2, P01, P02; 1.6 4.3, 5.6). Must not know any vendor: an extension registers itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from chargepoint.model.orders import Answer, DataTransfer

Extension = Callable[[Any], Awaitable[Answer]]


class DataTransfers:
    """Extensions by vendor and message id; none is built in."""

    def __init__(self) -> None:
        self._extensions: dict[str, dict[str | None, Extension]] = {}

    def extend(self, vendor_id: str, message_id: str | None, extension: Extension) -> None:
        """Adds an extension: it gets the data and answers Accepted or Rejected with data of its own."""
        self._extensions.setdefault(vendor_id, {})[message_id] = extension

    def orders(self) -> dict[type, Callable[[DataTransfer], Awaitable[Answer]]]:
        return {DataTransfer: self.transfer}

    async def transfer(self, order: DataTransfer) -> Answer:
        """UnknownVendorId (P01.FR.05) or UnknownMessageId (P01.FR.06) when there is no such extension."""
        messages = self._extensions.get(order.vendor_id)
        if messages is None:
            return Answer("UnknownVendorId")
        extension = messages.get(order.message_id)
        return Answer("UnknownMessageId") if extension is None else await extension(order.data)
