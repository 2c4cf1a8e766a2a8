"""Who may charge: local list, cache, CSMS, and the rule for when there is no CSMS to ask (2.0.1 part 2, C01 to C16; 1.6 3.5).

Must not know sessions or connectors. All but an accepted connection counts as offline.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import NamedTuple, Protocol

from chargepoint.clock import Clock
from chargepoint.model.idtoken import AuthorizationStatus, IdToken, IdTokenInfo, IdTokenType
from chargepoint.model.orders import Answer, ClearCache
from chargepoint.model.questions import Authorize, AuthorizeAnswer, Question, QuestionAnswer

log = logging.getLogger(__name__)

CACHE_ENTRIES = 1000
OCPP_16 = "ocpp1.6"
NEVER_ASKED = (IdTokenType.NO_AUTHORIZATION, IdTokenType.CENTRAL)
"""Types that are accepted as they come and never cached (C02.FR.03, C05.FR.01, C05.FR.02)."""

VALID = (AuthorizationStatus.ACCEPTED, AuthorizationStatus.CONCURRENT_TX)
"""1.6 3.5.2."""


class Source(StrEnum):
    """Where a verdict comes from."""

    OPEN = "authorization is switched off"
    LIST = "local list"
    CACHE = "cache"
    CSMS = "CSMS"
    UNKNOWN_OFFLINE = "unknown tokens may charge while offline"
    NOBODY = "nobody who could say"


CONTROLLERS = {Source.LIST: "LocalAuthListCtrlr", Source.CACHE: "AuthCacheCtrlr"}


class Verdict(NamedTuple):
    """info: status, group, EVSEs; source: who said so."""

    info: IdTokenInfo
    source: Source

    @property
    def accepted(self) -> bool:
        return self.info.status is AuthorizationStatus.ACCEPTED

    def for_evse(self, evse: int) -> bool:
        """Whether the token may charge at this EVSE (C01.FR.20)."""
        return self.accepted and (not self.info.evses or evse in self.info.evses)


class Settings(Protocol):
    """The device model, as far as authorization needs it."""

    def boolean(self, key: str) -> bool: ...

    def integer(self, key: str) -> int: ...

    def text(self, key: str) -> str: ...


class Tokens(Protocol):
    """store.tokens.Tokens, as far as authorization needs it."""

    def listed(self, token: IdToken) -> IdTokenInfo | None: ...

    def cached(self, token: IdToken) -> tuple[IdTokenInfo, float] | None: ...

    def remember(self, token: IdToken, info: IdTokenInfo, wall_s: float) -> None: ...

    def forget(self, token: IdToken) -> None: ...

    def forget_cache(self) -> None: ...

    def prune(self, most: int, new: IdToken, valid: Callable[[IdTokenInfo], bool]) -> None: ...


class Asked(Protocol):
    """The CSMS, as far as authorization needs it."""

    @property
    def accepted(self) -> bool: ...

    @property
    def subprotocol(self) -> str: ...

    def ask(self, question: Question) -> Awaitable[QuestionAnswer]: ...


class Authorization:
    """Asks in this order: local list, cache, CSMS, offline rule. on_list_conflict: called when the CSMS and the local list are at odds on a token."""

    def __init__(self, clock: Clock, variables: Settings, tokens: Tokens, backend: Asked) -> None:
        self.on_list_conflict: Callable[[], None] = lambda: None
        self._clock = clock
        self._variables = variables
        self._tokens = tokens
        self._backend = backend

    def orders(self) -> dict[type, Callable[[ClearCache], Awaitable[Answer]]]:
        return {ClearCache: self.clear_cache}

    async def authorize(self, token: IdToken) -> Verdict:
        """Who may charge now. Waits for the CSMS for at most the message timeout; never raises. Where it is not to be asked, list and cache alone
        decide (DisableRemoteAuthorization), as none of the rules for offline is meant."""
        if token.type in NEVER_ASKED:
            return Verdict(_status(AuthorizationStatus.ACCEPTED), Source.OPEN)
        if not self.needed():
            return Verdict(_status(AuthorizationStatus.ACCEPTED), Source.OPEN)
        known = self.known(token)
        if known is not None and (self._without_asking() if known.accepted else self._final(known)):
            return known
        if self._backend.accepted and self._variables.boolean("AuthCtrlr.DisableRemoteAuthorization"):
            return known or Verdict(_status(AuthorizationStatus.UNKNOWN), Source.NOBODY)
        asked = await self._ask(token)
        return asked or self._offline(known)

    def needed(self) -> bool:
        """Whether energy needs an authorization at all (C01.FR.01)."""
        return self._variables.boolean("AuthCtrlr.Enabled")

    def known(self, token: IdToken) -> Verdict | None:
        """What list or cache say of a token, the list first (C13.FR.01); None: they do not know it."""
        info = self._listed(token)
        if info is not None:
            return Verdict(self._of_today(info), Source.LIST)
        if self._variables.boolean("AuthCacheCtrlr.Enabled"):
            return self._from_cache(token)
        return None

    def learn(self, token: IdToken, info: IdTokenInfo) -> None:
        """A CSMS said something of a token: the cache follows (C10.FR.04, C10.FR.05). 1.6 adds nothing to it that is in the local list (3.5.3)."""
        if token.type in NEVER_ASKED:
            return
        listed = self._listed(token)
        if listed is not None:
            self._compare(token, self._of_today(listed), info)
        if not self._variables.boolean("AuthCacheCtrlr.Enabled"):
            return
        if listed is not None and self._in_16() and self._tokens.cached(token) is None:
            return
        if self._expired(info) and not self._in_16():
            self._tokens.forget(token)
            return
        self._tokens.remember(token, info, self._clock.wall_s())
        self._tokens.prune(CACHE_ENTRIES, token, lambda known: self._of_today(known).status is AuthorizationStatus.ACCEPTED)

    def is_master(self, info: IdTokenInfo) -> bool:
        """Whether the token stops any transaction and begins none (C16)."""
        group = self._variables.text("AuthCtrlr.MasterPassGroupId")
        return bool(group) and info.group is not None and info.group.key() == group.casefold()

    async def clear_cache(self, order: ClearCache) -> Answer:
        """C11."""
        if not self._variables.boolean("AuthCacheCtrlr.Enabled"):
            return Answer("Rejected", reason="NotEnabled", info="the authorization cache is switched off")
        self._tokens.forget_cache()
        return Answer("Accepted")

    def _listed(self, token: IdToken) -> IdTokenInfo | None:
        return self._tokens.listed(token) if self._variables.boolean("LocalAuthListCtrlr.Enabled") else None

    def _compare(self, token: IdToken, listed: IdTokenInfo, info: IdTokenInfo) -> None:
        """1.6 3.5.2: a list that is at odds with the CSMS is told of."""
        if (listed.status in VALID) != (info.status in VALID):
            log.warning("token %s: the local list says %s, the CSMS %s", token, listed.status.value, info.status.value)
            self.on_list_conflict()

    def _without_asking(self) -> bool:
        switch = "AuthCtrlr.LocalPreAuthorize" if self._backend.accepted else "AuthCtrlr.LocalAuthorizeOffline"
        return self._variables.boolean(switch)

    def _final(self, known: Verdict) -> bool:
        """Whether a refusal from list or cache is not asked about again."""
        return self._variables.boolean(f"{CONTROLLERS[known.source]}.DisablePostAuthorize")

    async def _ask(self, token: IdToken) -> Verdict | None:
        if not self._backend.accepted:
            return None
        answer = await self._backend.ask(Authorize(token))
        if not isinstance(answer, AuthorizeAnswer):
            log.warning("no answer about token %s, so the offline rule holds: %s", token, getattr(answer, "reason", answer))
            return None
        self.learn(token, answer.info)
        return Verdict(answer.info, Source.CSMS)

    def _offline(self, known: Verdict | None) -> Verdict:
        """C13, C15: a token known as anything but accepted is not an unknown one."""
        if known is not None:
            allowed = self._variables.boolean("AuthCtrlr.LocalAuthorizeOffline")
            return known if allowed or not known.accepted else Verdict(_status(AuthorizationStatus.INVALID), Source.NOBODY)
        if self._variables.boolean("AuthCtrlr.OfflineTxForUnknownIdEnabled"):
            return Verdict(_status(AuthorizationStatus.ACCEPTED), Source.UNKNOWN_OFFLINE)
        return Verdict(_status(AuthorizationStatus.UNKNOWN), Source.NOBODY)

    def _from_cache(self, token: IdToken) -> Verdict | None:
        found = self._tokens.cached(token)
        if found is None:
            return None
        info, stored_s = found
        life_s = 0 if self._in_16() else self._variables.integer("AuthCacheCtrlr.LifeTime")
        if info.expiry_s is None and life_s > 0 and self._clock.wall_known() and self._clock.wall_s() > stored_s + life_s:
            return None
        return Verdict(self._of_today(info), Source.CACHE)

    def _in_16(self) -> bool:
        """1.6 has no LifeTime (7.27: without expiryDate there is no end), and what has expired stays in the cache as that (3.5.1): 3.5.4 has it
        refused, where an unknown token may be let in. A 2.x cacheExpiryDateTime in the past takes a token out (C10.FR.10 errata)."""
        return self._backend.subprotocol == OCPP_16

    def _of_today(self, info: IdTokenInfo) -> IdTokenInfo:
        """An accepted token whose time has passed is expired; a date is judged only by a known time."""
        if info.status is AuthorizationStatus.ACCEPTED and self._expired(info):
            return IdTokenInfo(AuthorizationStatus.EXPIRED, info.expiry_s, info.group)
        return info

    def _expired(self, info: IdTokenInfo) -> bool:
        return info.expiry_s is not None and self._clock.wall_known() and self._clock.wall_s() > info.expiry_s


def _status(status: AuthorizationStatus) -> IdTokenInfo:
    return IdTokenInfo(status)
