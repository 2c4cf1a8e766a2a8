"""The rules that hold for every frame a station sends, whatever the case: OCPP-J (1.6: 4; 2.0.1 part 4: 4), the schemas, the order of transactions.

Must not know what a case wants. Each breach is a sentence in `breaches`; the case fails at its end when there is one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.conformance.driver import schemas

LONGEST_ID = 36
LONGEST_DESCRIPTION = 255
ERROR_CODES = {
    "ocpp1.6": {
        "NotImplemented",
        "NotSupported",
        "InternalError",
        "ProtocolError",
        "SecurityError",
        "FormationViolation",
        "PropertyConstraintViolation",
        "OccurenceConstraintViolation",
        "TypeConstraintViolation",
        "GenericError",
    },
    "ocpp2.0.1": {
        "FormatViolation",
        "GenericError",
        "InternalError",
        "MessageTypeNotSupported",
        "NotImplemented",
        "NotSupported",
        "OccurrenceConstraintViolation",
        "PropertyConstraintViolation",
        "ProtocolError",
        "RpcFrameworkError",
        "SecurityError",
        "TypeConstraintViolation",
    },
}


@dataclass
class Judge:
    """message_timeout_s: after which an unanswered call of the station no longer counts as open. whole_transactions: seqNo must be without gaps."""

    message_timeout_s: float = 30.0
    whole_transactions: bool = True
    breaches: list[str] = field(default_factory=list)
    _ids: set[str] = field(default_factory=set)
    _transactions: dict[str, list[tuple[int, str]]] = field(default_factory=dict)

    def breach(self, text: str) -> None:
        self.breaches.append(text)

    def called(self, version: str, id_: Any, action: Any, payload: Any) -> None:
        """A CALL of the station."""
        if not isinstance(id_, str) or not 0 < len(id_) <= LONGEST_ID:
            self.breach(f"{action}: message id {id_!r}")
        elif id_ in self._ids:
            self.breach(f"{action}: message id {id_} used twice")
        self._ids.add(str(id_))
        for complaint in schemas.complaints(version, action, payload):
            self.breach(f"{action}: {complaint}")
        if action == "TransactionEvent":
            self._transactions.setdefault(payload["transactionInfo"]["transactionId"], []).append((payload["seqNo"], payload["eventType"]))

    def overlapped(self, action: str, open_action: str, age_s: float) -> None:
        """A CALL came while another of the station was unanswered (one at a time per direction: part 4, 4.1.1)."""
        if age_s < self.message_timeout_s:
            self.breach(f"{action} was sent while {open_action} was still open")

    def answered(self, version: str, action: str, payload: Any) -> None:
        """A CALLRESULT of the station."""
        for complaint in schemas.complaints(version, action, payload, answer=True):
            self.breach(f"{action}Response: {complaint}")

    def refused(self, version: str, action: str, rest: list[Any]) -> None:
        """A CALLERROR of the station; rest: what follows the message id."""
        if len(rest) != 3 or not isinstance(rest[0], str) or not isinstance(rest[1], str) or not isinstance(rest[2], dict):
            return self.breach(f"{action}: CALLERROR {rest!r}")
        if rest[0] not in ERROR_CODES[version]:
            self.breach(f"{action}: {version} has no error code {rest[0]}")
        if len(rest[1]) > LONGEST_DESCRIPTION:
            self.breach(f"{action}: error description of {len(rest[1])} characters")
        return None

    def verdict(self) -> list[str]:
        """All breaches, those of transactions too (2.0.1 part 6, 2.1: numbered in order without gaps, Started first; Ended last)."""
        return [*self.breaches, *(text for id_, told in self._transactions.items() for text in self._transaction(id_, sorted(set(told))))]

    def _transaction(self, id_: str, told: list[tuple[int, str]]) -> list[str]:
        wrong = []
        numbers = [number for number, _ in told]
        words = [word for _, word in told]
        if self.whole_transactions and numbers != list(range(len(numbers))):
            wrong.append(f"transaction {id_}: seqNo {numbers}")
        if "Started" in words[1:] or (self.whole_transactions and words[0] != "Started"):
            wrong.append(f"transaction {id_}: does not begin with Started: {told}")
        if "Ended" in words[:-1]:
            wrong.append(f"transaction {id_}: goes on after Ended: {told}")
        return wrong
