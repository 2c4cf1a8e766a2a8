"""The local authorization list the CSMS sends (2.0.1 part 2, D01, D02; 1.6 5.15). Must not know who may charge."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from chargepoint.model.orders import Answer, GetLocalListVersion, SendLocalList
from chargepoint.station.device_model import DeviceModel
from chargepoint.store.db import Db, StoreError
from chargepoint.store.tokens import Tokens

log = logging.getLogger(__name__)

COMPONENT = "LocalAuthListCtrlr"
MAX_LENGTH = "Ocpp16Ctrlr.LocalAuthListMaxLength"
NO_LIST = 0
SWITCHED_OFF = -1
"""1.6 6.24; a 2.x face says 0 (D02.FR.03)."""
BYTES_PER_ENTRY = 64


class LocalList:
    """Takes whole lists and differential updates, each kept whole or not at all."""

    def __init__(self, db: Db, tokens: Tokens, model: DeviceModel) -> None:
        self._db = db
        self._tokens = tokens
        self._model = model
        self._count = tokens.count()
        model.compute(f"{COMPONENT}.Entries", lambda: str(self._count))
        model.compute(f"{COMPONENT}.Storage", lambda: str(self._count * BYTES_PER_ENTRY))

    def orders(self) -> dict[type, Callable[[Any], Awaitable[Answer]]]:
        return {SendLocalList: self.send, GetLocalListVersion: self.version}

    async def version(self, order: GetLocalListVersion) -> Answer:
        """D02: 0 when no list was ever sent."""
        return Answer("Accepted", data=self._tokens.list_version() if self._enabled() else SWITCHED_OFF)

    async def send(self, order: SendLocalList) -> Answer:
        """D01: Accepted, Failed, or VersionMismatch for a differential update that is not newer (D01.FR.19)."""
        refusal = self._refusal(order)
        if refusal is not None:
            return refusal
        try:
            with self._db.transaction():
                self._write(order)
        except StoreError as error:
            log.error("the local list could not be written: %s", error)
            return Answer("Failed", "OutOfStorage", str(error))
        self._count = self._tokens.count()
        log.info("local list version %d with %d entries", order.version, self._count)
        return Answer("Accepted")

    def _write(self, order: SendLocalList) -> None:
        if order.full:
            self._tokens.replace(order.entries)
        else:
            self._tokens.update(order.entries)
        self._tokens.set_version(order.version)

    def _refusal(self, order: SendLocalList) -> Answer | None:
        if not self._enabled():
            return Answer("Failed", "NotEnabled", "the local list is switched off")
        if order.version <= NO_LIST:
            return Answer("Failed", "ValuePositiveOnly", "a list's version is above 0")
        if not order.full and order.version <= self._tokens.list_version():
            return Answer("VersionMismatch", info=f"the list has version {self._tokens.list_version()} already")
        return self._wrong_entries(order)

    def _wrong_entries(self, order: SendLocalList) -> Answer | None:
        if len({entry.id_token.same_key() for entry in order.entries}) != len(order.entries):
            return Answer("Failed", "InvalidValue", "a token stands twice in the update")
        if order.full and any(entry.info is None for entry in order.entries):
            return Answer("Failed", "MissingParam", "an entry of a whole list says nothing of its token")
        if len(order.entries) > self._model.integer(f"{COMPONENT}.ItemsPerMessage"):
            return Answer("Failed", "TooManyElements", "more entries than ItemsPerMessage")
        if self._too_long(order):
            return Answer("Failed", "TooManyElements", "the list would be longer than it may be")
        return None

    def _too_long(self, order: SendLocalList) -> bool:
        """Counted exactly only where it may matter: an update may change or remove what is there."""
        added, most = sum(entry.info is not None for entry in order.entries), self._most()
        if order.full:
            return added > most
        return self._count + added > most and self._tokens.length_with(order.entries) > most

    def _most(self) -> float:
        """What fits, and what the settings leave of it (1.6 LocalAuthListMaxLength)."""
        most = self._model.spec(f"{COMPONENT}.Entries").maximum or 0
        return min(most, self._model.integer(MAX_LENGTH)) if self._model.has(MAX_LENGTH) else most

    def _enabled(self) -> bool:
        return self._model.boolean(f"{COMPONENT}.Enabled") and self._model.boolean(f"{COMPONENT}.Available")
