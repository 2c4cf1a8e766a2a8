"""What the test CSMS answers when a case says nothing else: everything is accepted, cards as in a table. Must not know the station."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.conformance.driver.matching import Payload

BOOT_INTERVAL_S = 300


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass
class Answers:
    """cards: idToken or idTag (upper case) to its info in 2.x words (`{"status": "Blocked"}`, with groupIdToken and so on); one that is not here
    is refused."""

    cards: dict[str, Payload] = field(default_factory=dict)
    interval_s: int = BOOT_INTERVAL_S
    _transaction: int = 0

    def to(self, version: str, action: str, payload: Payload) -> Payload:
        table = self._table16() if version == "ocpp1.6" else self._table2()
        make = table.get(action)
        return make(payload) if make else {}

    def _table2(self) -> dict[str, Callable[[Payload], Payload]]:
        return {
            "BootNotification": self._boot,
            "Heartbeat": lambda _: {"currentTime": now()},
            "Authorize": lambda payload: {"idTokenInfo": self._info(payload["idToken"])},
            "TransactionEvent": lambda payload: {"idTokenInfo": self._info(payload["idToken"])} if "idToken" in payload else {},
            "DataTransfer": lambda _: {"status": "Accepted"},
            "SignCertificate": lambda _: {"status": "Accepted"},
            "NotifyEVChargingNeeds": lambda _: {"status": "Accepted"},
        }

    def _table16(self) -> dict[str, Callable[[Payload], Payload]]:
        return {
            "BootNotification": self._boot,
            "Heartbeat": lambda _: {"currentTime": now()},
            "Authorize": lambda payload: {"idTagInfo": self._info16(payload["idTag"])},
            "StartTransaction": self._start16,
            "StopTransaction": lambda payload: {"idTagInfo": self._info16(payload["idTag"])} if "idTag" in payload else {},
            "DataTransfer": lambda _: {"status": "Accepted"},
        }

    def _boot(self, _: Payload) -> Payload:
        return {"currentTime": now(), "interval": self.interval_s, "status": "Accepted"}

    def _info(self, token: Payload) -> Payload:
        if token["type"] == "NoAuthorization":
            return {"status": "Accepted"}
        return self.cards.get(token["idToken"].upper(), {"status": "Unknown"})

    def _info16(self, tag: str) -> Payload:
        known = self.cards.get(tag.upper(), {"status": "Invalid"})
        info: dict[str, Any] = {"status": known["status"]}
        if "groupIdToken" in known:
            info["parentIdTag"] = known["groupIdToken"]["idToken"]
        if "cacheExpiryDateTime" in known:
            info["expiryDate"] = known["cacheExpiryDateTime"]
        return info

    def _start16(self, payload: Payload) -> Payload:
        self._transaction += 1
        return {"transactionId": self._transaction, "idTagInfo": self._info16(payload["idTag"])}
