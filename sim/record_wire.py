"""The conversation with the CSMS as a recording keeps it: orders become `send`, calls of the station what is to be heard again. Must not know files.

What has another name in another run is written as a reference: a transaction's id by its place among the transactions, a date-time by its distance
from now.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

from sim.record_text import Done, Entry, Heard
from sim.script_acts import Request, line
from sim.script_values import picked

TELLING: dict[str, tuple[str, ...]] = {
    "Authorize": ("idTag", "idToken.idToken"),
    "BootNotification": ("reason",),
    "StartTransaction": ("connectorId", "idTag"),
    "StopTransaction": ("reason",),
    "TransactionEvent": ("eventType", "transactionInfo.stoppedReason"),
    "ReservationStatusUpdate": ("reservationUpdateStatus",),
    "FirmwareStatusNotification": ("status",),
    "DiagnosticsStatusNotification": ("status",),
    "LogStatusNotification": ("status",),
}
"""Calls of the station worth expecting, and what of them is the same in every run."""
ON_THE_WAY = "Updated"
"""A TransactionEvent that comes when it comes."""
DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")


class Talk:
    """One conversation. `cards`: what the CSMS first said of each card; `transactions`: their ids, in the order of their beginnings."""

    def __init__(self) -> None:
        self.cards: dict[str, str] = {}
        self.transactions: list[Any] = []
        self._sent: set[str] = set()
        self._asked: dict[str, str] = {}

    def entry(self, event: dict[str, Any]) -> Entry | None:
        """What a message that passed becomes; None: nothing."""
        at_s, what, station = event["at_s"], event["what"], event["sender"] == "station"
        if what == "call":
            return self._told(at_s, event) if station else self._ordered(at_s, event)
        if what == "result" and not station:
            self._answered(event)
        elif what in ("result", "error") and station and event["message"] in self._sent:
            return _answer(at_s, event)
        return None

    def _told(self, at_s: float, event: dict[str, Any]) -> Heard | None:
        action, payload = event["action"], event["payload"]
        token = payload.get("idTag") or picked(payload, "idToken.idToken")
        if token:
            self._asked[event["message"]] = token
        if payload.get("eventType") == "Started":
            self._began(payload["transactionInfo"]["transactionId"])
        if action not in TELLING or payload.get("eventType") == ON_THE_WAY:
            return None
        told = [f"{path} = {json.dumps(value)}" for path in TELLING[action] if (value := picked(payload, path)) is not None]
        return Heard(at_s, f"csms {action}" + (f" with {', '.join(told)}" if told else ""))

    def _ordered(self, at_s: float, event: dict[str, Any]) -> Done:
        self._sent.add(event["message"])
        body = {"action": event["action"], "payload": self._referring(event["payload"], event["time"])}
        return Done(at_s, str(line(Request("POST", "csms/send", body))))

    def _answered(self, event: dict[str, Any]) -> None:
        payload = event["payload"]
        if (transaction := payload.get("transactionId")) is not None:
            self._began(transaction)
        status = picked(payload, "idTagInfo.status") or picked(payload, "idTokenInfo.status")
        if status and (token := self._asked.get(event["message"])):
            self.cards.setdefault(token, status)

    def _began(self, transaction: Any) -> None:
        if transaction not in self.transactions:
            self.transactions.append(transaction)

    def _referring(self, value: Any, now: str) -> Any:
        if isinstance(value, dict):
            return {key: self._reference(key, inner, now) for key, inner in value.items()}
        return [self._referring(inner, now) for inner in value] if isinstance(value, list) else value

    def _reference(self, key: str, value: Any, now: str) -> Any:
        if key == "transactionId" and value in self.transactions:
            return f"$transactions[{self.transactions.index(value)}].id"
        if isinstance(value, str) and DATE_TIME.match(value):
            ahead_s = round((datetime.fromisoformat(value) - datetime.fromisoformat(now)).total_seconds())
            return f"$now {'-' if ahead_s < 0 else '+'} {abs(ahead_s)} s"
        return self._referring(value, now)


def _answer(at_s: float, event: dict[str, Any]) -> Heard | None:
    if event["what"] == "error":
        return Heard(at_s, f"answer error = {event['code']}")
    status = event["payload"].get("status")
    return Heard(at_s, f"answer status = {status}") if isinstance(status, str) else None
