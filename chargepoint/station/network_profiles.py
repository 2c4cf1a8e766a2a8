"""Which CSMS is dialled: the configuration slots, their order, and when the next one's turn is (2.0.1 part 2, B09, B10, A05, with errata 2025-09).

Slot 1 is what the settings say until a CSMS writes another profile into it; who edits the settings' CSMS afterwards has the last word. The order is
that of the start: a new one counts after a restart. Must not know lines or messages.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from chargepoint.model.network import TLS_FROM, NetworkProfile, Slot, complaint
from chargepoint.model.orders import Answer, SetNetworkProfile
from chargepoint.settings import Csms
from chargepoint.station.device_model import DeviceModel
from chargepoint.store.db import StoreError
from chargepoint.store.values import Values

log = logging.getLogger(__name__)

NAME = "network"
SHIPPED = 1
PRIORITY = "OCPPCommCtrlr.NetworkConfigurationPriority"
ATTEMPTS = "OCPPCommCtrlr.NetworkProfileConnectionAttempts"
TIMEOUT = "OCPPCommCtrlr.MessageTimeout[Default]"
PASSWORD = "SecurityCtrlr.BasicAuthPassword"


class Kept(msgspec.Struct, frozen=True):
    """What outlives a restart. shipped: url and security profile of the settings when this was begun; profiles: what a CSMS has written, by slot;
    good: the slot of the last connection that stood; least: the highest security profile that ever stood (A05.FR.06: no way back)."""

    shipped: tuple[str, int]
    profiles: dict[int, NetworkProfile] = {}
    good: int = SHIPPED
    least: int = 0


class NetworkProfiles:
    """The line's slots. on_slot: told (CSMS, whether the slot is another one than before) before each dial."""

    def __init__(self, csms: Csms, model: DeviceModel, values: Values) -> None:
        self.on_slot: Callable[[str, bool], None] = lambda csms, switched: None
        self._csms = csms
        self._model = model
        self._values = values
        self._kept = self._load()
        self._own_timeout = self._timeout = model.text(TIMEOUT)
        self._order = [slot for slot in map(int, model.listed(PRIORITY)) if self._profile(slot) is not None] or [SHIPPED]
        self._place = 0
        self._failures = 0
        self._dialled: int | None = None
        model.guard(PRIORITY, self._unfit)

    @property
    def csms(self) -> str:
        """The CSMS whose turn it is: url and identity; empty: there is none."""
        profile = self._profile(self._order[self._place])
        return "" if profile is None else f"{profile.url} {self._csms.identity}"

    def orders(self) -> dict[type, Callable[[Any], Awaitable[Answer]]]:
        return {SetNetworkProfile: self.set}

    async def set(self, order: SetNetworkProfile) -> Answer:
        """B09: keeps a profile; it counts after a restart, and where NetworkConfigurationPriority names its slot."""
        if str(order.slot) not in self._model.spec(PRIORITY).values:
            return Answer("Rejected", "InvalidConfSlot", f"the slots are {', '.join(self._model.spec(PRIORITY).values)}")
        wrong = complaint(order.profile)
        if wrong is not None:
            return Answer("Rejected", "InvalidNetworkConf", wrong)
        if order.profile.security_profile < self._least():
            return Answer("Rejected", "NoSecurityDowngrade", f"security profile {self._least()} is in use")
        try:
            self._keep(profiles={**self._kept.profiles, order.slot: order.profile})
        except StoreError as error:
            return Answer("Failed", "OutOfStorage", str(error))
        return Answer("Accepted")

    def slot(self) -> Slot | None:
        """Where to dial now; None: nowhere, the station works alone."""
        number = self._order[self._place]
        profile = self._profile(number)
        if profile is None:
            return None
        self.on_slot(self.csms, self._dialled not in (None, number))
        self._dialled = number
        self._model.push("OCPPCommCtrlr.ActiveNetworkProfile", number)
        self._patience(str(profile.message_timeout_s or self._own_timeout))
        return Slot(profile.url, self._csms.identity, tuple(self._csms.ocpp), profile.security_profile, self._model.text(PASSWORD))

    def connected(self) -> None:
        """The CSMS of the slot dialled last has spoken to us."""
        number = self._order[self._place]
        profile = self._profile(number)
        self._failures = 0
        self._begin_with(number)
        if profile is None:
            return
        self._model.push("SecurityCtrlr.SecurityProfile", profile.security_profile)
        if self._kept.good != number or self._kept.least < profile.security_profile:
            self._keep(good=number, least=max(self._kept.least, profile.security_profile))
            self._leave_lower()

    def failed(self) -> None:
        """An attempt came to nothing. After NetworkProfileConnectionAttempts of them the next slot has its turn, after the last one that of the last
        good connection, then the others again (B10.FR.03, B10.FR.07)."""
        self._failures += 1
        if self._failures < self._model.integer(ATTEMPTS):
            return
        self._failures = 0
        self._place += 1
        if self._place == len(self._order):
            self._begin_with(self._kept.good if self._kept.good in self._order else self._order[0])
        if self._order[self._place] != self._dialled:
            log.warning("configuration slot %s does not connect; slot %d is tried", self._dialled, self._order[self._place])

    def _patience(self, timeout: str) -> None:
        if timeout != self._timeout:
            self._timeout = timeout
            self._model.push(TIMEOUT, timeout)

    def _profile(self, number: int) -> NetworkProfile | None:
        """What a slot says, unless it says nothing or less than what is secure by now."""
        profile = self._kept.profiles.get(number)
        if profile is None and number == SHIPPED and self._csms.url:
            profile = NetworkProfile(self._csms.url, self._csms.security_profile)
        return profile if profile is not None and profile.security_profile >= self._kept.least else None

    def _unfit(self, value: str) -> str | None:
        """What keeps an order of slots from being taken (B10.FR.02, A05.FR.02, A05.FR.03)."""
        return next((wrong for slot in value.split(",") if (wrong := self._unready(int(slot))) is not None), None)

    def _unready(self, number: int) -> str | None:
        profile = self._profile(number)
        if profile is None:
            return f"slot {number} holds no profile that may be used"
        level = profile.security_profile
        if level in (1, 2) and not self._model.text(PASSWORD):
            return f"slot {number} needs a BasicAuthPassword"
        if level >= TLS_FROM and not self._csms.tls.ca_file:
            return f"slot {number} needs a root certificate of the CSMS"
        if level == 3 and not self._csms.tls.client_cert:
            return f"slot {number} needs a certificate of this station"
        return None

    def _least(self) -> int:
        return max(self._kept.least, self._model.integer("SecurityCtrlr.SecurityProfile"))

    def _leave_lower(self) -> None:
        """A05.FR.06: less secure profiles go, and their slots out of the order."""
        self._keep(profiles={slot: profile for slot, profile in self._kept.profiles.items() if profile.security_profile >= self._kept.least})
        wanted = self._model.listed(PRIORITY)
        left = [slot for slot in wanted if self._profile(int(slot)) is not None]
        if left and left != wanted:
            self._model.set(PRIORITY, ",".join(left))
            self._order = [slot for slot in self._order if self._profile(slot) is not None]

    def _begin_with(self, number: int) -> None:
        self._order = [number, *(slot for slot in self._order if slot != number)]
        self._place = 0

    def _load(self) -> Kept:
        shipped = (self._csms.url, self._csms.security_profile)
        kept = self._values.get(NAME, Kept) or Kept(shipped)
        if kept.shipped == shipped:
            return kept
        log.warning("the CSMS in the settings was edited: it holds, and slot 1 is as the settings say")
        return Kept(shipped, {slot: profile for slot, profile in kept.profiles.items() if slot != SHIPPED})

    def _keep(self, **changes: Any) -> None:
        kept = msgspec.structs.replace(self._kept, **changes)
        self._values.set(NAME, kept)
        self._kept = kept
