"""Which CSMS is dialled: the configuration slots, their order, and when the next one's turn is (2.0.1 part 2, B09, B10, A05, with errata 2025-09).

Slot 1 is what the settings say until a CSMS writes another profile into it; who edits the settings' CSMS afterwards has the last word. The order is
that of the start: a new one counts after a restart, and so does a profile that is written into the slot in use. Must not know lines or messages.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from chargepoint.model.network import TLS_FROM, NetworkProfile, Slot, complaint, key_bytes, same_csms, secured
from chargepoint.model.orders import Answer, RaiseSecurityProfile, SetMessageTimeout, SetNetworkProfile
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
KEY = "Ocpp16Ctrlr.AuthorizationKey"
LEVEL = "SecurityCtrlr.SecurityProfile"


class Kept(msgspec.Struct, frozen=True):
    """What outlives a restart. shipped: url and security profile of the settings when this was begun; profiles: what a CSMS has written, by slot;
    good: the slot of the last connection that stood; least: the highest security profile that ever stood (A05.FR.06: no way back); raised: a slot
    whose profile was raised by 1.6's SecurityProfile, until a connection has stood with it or it is given up (security whitepaper A05.FR.08)."""

    shipped: tuple[str, int]
    profiles: dict[int, NetworkProfile] = {}
    good: int = SHIPPED
    least: int = 0
    raised: tuple[int, NetworkProfile] | None = None


class NetworkProfiles:
    """The line's slots. on_slot: told (CSMS, whether the slot is another one than before) before each dial; on_raise: a higher security profile was
    taken, so that the line is to be dialled anew."""

    def __init__(self, csms: Csms, model: DeviceModel, values: Values) -> None:
        self.on_slot: Callable[[str, bool], None] = lambda csms, switched: None
        self.on_raise: Callable[[], None] = lambda: None
        self._csms = csms
        self._model = model
        self._values = values
        self._shipped = NetworkProfile(csms.url, model.integer(LEVEL))
        self._kept = self._load()
        self._held: dict[int, NetworkProfile] = {}
        """What a slot was when another profile was written into it while it was in use (B09, remark)."""
        self._own_timeout = self._timeout = model.text(TIMEOUT)
        self._order = [slot for slot in map(int, model.listed(PRIORITY)) if self._profile(slot) is not None] or [SHIPPED]
        self._place = 0
        self._failures = 0
        self._dialled: int | None = None
        model.guard(PRIORITY, self._unfit)

    @property
    def csms(self) -> str:
        """The CSMS whose turn it is: url and identity; empty: there is none. TLS makes it no other one."""
        profile = self._profile(self._order[self._place])
        return "" if profile is None else f"{same_csms(profile.url)} {self._csms.identity}"

    def orders(self) -> dict[type, Callable[[Any], Awaitable[Answer]]]:
        return {SetNetworkProfile: self.set, RaiseSecurityProfile: self.raise_level, SetMessageTimeout: self.set_timeout}

    async def set(self, order: SetNetworkProfile) -> Answer:
        """B09: keeps a profile; it counts after a restart, and where NetworkConfigurationPriority names its slot."""
        if str(order.slot) not in self._model.spec(PRIORITY).values:
            return Answer("Rejected", "InvalidConfSlot", f"the slots are {', '.join(self._model.spec(PRIORITY).values)}")
        wrong = complaint(order.profile)
        if wrong is not None:
            return Answer("Rejected", "InvalidNetworkConf", wrong)
        if order.profile.security_profile < self._least():
            return Answer("Rejected", "NoSecurityDowngrade", f"security profile {self._least()} is in use")
        former = self._written(order.slot)
        try:
            self._keep(profiles={**self._kept.profiles, order.slot: order.profile})
        except StoreError as error:
            return Answer("Failed", "OutOfStorage", str(error))
        if former is not None and order.slot == self._dialled:
            self._held.setdefault(order.slot, former)
        return Answer("Accepted")

    async def raise_level(self, order: RaiseSecurityProfile) -> Answer:
        """1.6 security whitepaper A05: the present CSMS is dialled anew by a higher profile, once all it needs is there."""
        number = self._order[self._place]
        profile = self._profile(number)
        if profile is None or order.level <= profile.security_profile:
            return Answer("Rejected", "NoSecurityDowngrade", "the security profile can only be raised")
        raised = secured(profile, order.level)
        wrong = complaint(raised) or self._lacks(raised)
        if wrong is not None:
            return Answer("Rejected", "InvalidNetworkConf", wrong)
        self._keep(raised=(number, raised))
        self._failures = 0

        async def then() -> None:
            self.on_raise()

        return Answer("Accepted", then=then)

    async def set_timeout(self, order: SetMessageTimeout) -> Answer:
        """1.6 MessageTimeout: the present slot's, for the next call on."""
        number = self._order[self._place]
        profile = self._profile(number)
        if profile is None:
            return Answer("Rejected", "InvalidConfSlot", "there is no CSMS")
        changed = msgspec.structs.replace(profile, message_timeout_s=order.timeout_s)
        wrong = complaint(changed)
        if wrong is not None:
            return Answer("Rejected", "InvalidNetworkConf", wrong)
        if self._kept.raised is not None and self._kept.raised[0] == number:
            self._keep(raised=(number, changed))
        elif number in self._held:
            self._held[number] = changed
            written = msgspec.structs.replace(self._kept.profiles[number], message_timeout_s=order.timeout_s)
            self._keep(profiles={**self._kept.profiles, number: written})
        else:
            self._keep(profiles={**self._kept.profiles, number: changed})
        self._patience(str(order.timeout_s))
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
        return Slot(profile.url, self._csms.identity, tuple(self._csms.ocpp), profile.security_profile, self._password())

    def connected(self) -> None:
        """The CSMS of the slot dialled last has spoken to us."""
        number = self._order[self._place]
        profile = self._profile(number)
        self._failures = 0
        self._begin_with(number)
        if profile is None:
            return
        self._model.push(LEVEL, profile.security_profile)
        if self._kept.raised is not None:
            self._keep(profiles={**self._kept.profiles, number: profile}, raised=None)
            self._held.pop(number, None)
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
        if self._kept.raised is not None:
            log.warning("no connection by security profile %d: the former one is used again", self._kept.raised[1].security_profile)
            self._keep(raised=None)
            return
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
        """What a slot is in this run, unless it says nothing or less than what is secure by now."""
        if self._kept.raised is not None and self._kept.raised[0] == number:
            return self._kept.raised[1]
        held = self._held.get(number)
        return self._written(number) if held is None else self._secure(held)

    def _written(self, number: int) -> NetworkProfile | None:
        """What a slot is from the next start on."""
        profile = self._kept.profiles.get(number)
        if profile is None and number == SHIPPED and self._csms.url:
            profile = self._shipped
        return None if profile is None else self._secure(profile)

    def _secure(self, profile: NetworkProfile) -> NetworkProfile | None:
        return profile if profile.security_profile >= self._kept.least else None

    def _unfit(self, value: str) -> str | None:
        """What keeps an order of slots from being taken (B10.FR.02, A05.FR.02, A05.FR.03)."""
        return next((wrong for slot in value.split(",") if (wrong := self._unready(int(slot))) is not None), None)

    def _unready(self, number: int) -> str | None:
        profile = self._written(number)
        lacks = "a profile that may be used" if profile is None else self._lacks(profile)
        return None if lacks is None else f"slot {number} needs {lacks}"

    def _lacks(self, profile: NetworkProfile) -> str | None:
        """What a security profile needs and this station does not have (A05.FR.02, A05.FR.03)."""
        level = profile.security_profile
        if level in (1, 2) and not self._model.text(PASSWORD):
            return "a BasicAuthPassword"
        if level >= TLS_FROM and not self._csms.tls.ca_file:
            return "a root certificate of the CSMS"
        if level == 3 and not self._csms.tls.client_cert:
            return "a certificate of this station"
        return None

    def _password(self) -> str | bytes:
        """Set by 1.6 as a key in hexadecimal digits it is their bytes, else the text itself."""
        text = self._model.text(PASSWORD)
        key = key_bytes(text) if self._model.has(KEY) and self._model.text(KEY) == text else None
        return text if key is None else key

    def _least(self) -> int:
        return max(self._kept.least, self._model.integer(LEVEL))

    def _leave_lower(self) -> None:
        """A05.FR.06: less secure profiles go, and their slots out of the order."""
        self._keep(profiles={slot: profile for slot, profile in self._kept.profiles.items() if profile.security_profile >= self._kept.least})
        wanted = self._model.listed(PRIORITY)
        left = [slot for slot in wanted if self._written(int(slot)) is not None]
        if left and left != wanted:
            self._model.set(PRIORITY, ",".join(left))
            self._order = [slot for slot in self._order if self._profile(slot) is not None]

    def _begin_with(self, number: int) -> None:
        self._order = [number, *(slot for slot in self._order if slot != number)]
        self._place = 0

    def _load(self) -> Kept:
        shipped = (self._shipped.url, self._shipped.security_profile)
        kept = self._values.get(NAME, Kept) or Kept(shipped)
        if kept.shipped == shipped:
            return kept
        log.warning("the CSMS in the settings was edited: it holds, and slot 1 is as the settings say")
        return Kept(shipped, {slot: profile for slot, profile in kept.profiles.items() if slot != SHIPPED})

    def _keep(self, **changes: Any) -> None:
        kept = msgspec.structs.replace(self._kept, **changes)
        self._values.set(NAME, kept)
        self._kept = kept
