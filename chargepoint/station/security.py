"""Security events: which there are, which of them are told, and the log all of them go to (2.0.1 part 2, A04, appendix 1). Must not know causes."""

from __future__ import annotations

import logging
from collections.abc import Callable
from enum import StrEnum

from chargepoint.clock import Clock
from chargepoint.model.facts import Fact, SecurityFact
from chargepoint.store.db import Db
from chargepoint.store.security_log import SecurityLog
from chargepoint.store.values import Values

log = logging.getLogger(__name__)

VERSION = "security.firmware_version"


class SecurityEvent(StrEnum):
    """The standard security events this station can have, and two of its own: TransactionFactGivenUp and StoreDamaged."""

    FIRMWARE_UPDATED = "FirmwareUpdated"
    FAILED_TO_AUTHENTICATE = "FailedToAuthenticateAtCsms"
    CSMS_FAILED_TO_AUTHENTICATE = "CsmsFailedToAuthenticate"
    SETTING_SYSTEM_TIME = "SettingSystemTime"
    STARTUP = "StartupOfTheDevice"
    RESET_OR_REBOOT = "ResetOrReboot"
    PARAMETERS_CHANGED = "ReconfigurationOfSecurityParameters"
    MEMORY_EXHAUSTION = "MemoryExhaustion"
    INVALID_MESSAGES = "InvalidMessages"
    INVALID_CSMS_CERTIFICATE = "InvalidCsmsCertificate"
    INVALID_TLS_VERSION = "InvalidTLSVersion"
    INVALID_TLS_CIPHER_SUITE = "InvalidTLSCipherSuite"
    FACT_GIVEN_UP = "TransactionFactGivenUp"
    STORE_DAMAGED = "StoreDamaged"


UNCRITICAL = frozenset(
    {
        SecurityEvent.FAILED_TO_AUTHENTICATE,
        SecurityEvent.CSMS_FAILED_TO_AUTHENTICATE,
        SecurityEvent.PARAMETERS_CHANGED,
        SecurityEvent.INVALID_MESSAGES,
    }
)
"""Only logged; the others are told (A04.FR.01)."""


class Security:
    """append: the outbox, which delivers security facts with guarantee (A04.FR.02)."""

    def __init__(self, clock: Clock, db: Db, append: Callable[[Fact], int]) -> None:
        self._clock = clock
        self._db = db
        self._values = Values(db)
        self._log = SecurityLog(db)
        self._append = append

    def started(self, *, fresh: bool, ordered: bool, version: str) -> None:
        """The station runs again, which is told when it does: after a boot of the board, or after a restart that a CSMS ordered. version: of the
        firmware; another one than at the last start is told too."""
        former = self._values.get(VERSION, str)
        if former != version:
            with self._db.transaction():
                self._values.set(VERSION, version)
                if former is not None:
                    self.happened(SecurityEvent.FIRMWARE_UPDATED, f"from {former} to {version}")
        if ordered:
            self.happened(SecurityEvent.RESET_OR_REBOOT)
        elif fresh:
            self.happened(SecurityEvent.STARTUP)

    def happened(self, event: SecurityEvent, info: str | None = None) -> None:
        """Writes an event down, with the fact when it is a critical one, in one transaction. info: at most 255 characters are told."""
        fact = SecurityFact(event.value, self._clock.stamp(), info)
        log.warning("security event %s%s", event.value, f": {info}" if info else "")
        with self._db.transaction():
            self._log.add(fact)
            if event not in UNCRITICAL:
                self._append(fact)
