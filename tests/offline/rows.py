"""The table of offline behaviour: what a driver, an owner and a CSMS see when the line breaks. Data only: scene plays it, page prints it.

KNOWN: who may charge, by what the station knows of the card. What becomes of a charge, by the moment at which the line breaks, is in courses.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple

OCPP_16, OCPP_201 = "ocpp1.6", "ocpp2.0.1"
VERSIONS = (OCPP_16, OCPP_201)
NONE: Mapping[str, Any] = MappingProxyType({})
LIFE_S = 604_800
MASTER_GROUP = "POLICE"

OFFLINE, UNKNOWN = "AuthCtrlr.LocalAuthorizeOffline", "AuthCtrlr.OfflineTxForUnknownIdEnabled"
PRE = "AuthCtrlr.LocalPreAuthorize"
LIST, CACHE = "LocalAuthListCtrlr.Enabled", "AuthCacheCtrlr.Enabled"
NEEDED, MASTER, ASK_REMOTE = "AuthCtrlr.Enabled", "AuthCtrlr.MasterPassGroupId", "AuthCtrlr.AuthorizeRemoteStart"
STOP, ENERGY = "TxCtrlr.StopTxOnInvalidId", "TxCtrlr.MaxEnergyOnInvalidId"
STOP_POINT = "TxCtrlr.TxStopPoint"
BEFORE = "TxCtrlr.TxBeforeAcceptedEnabled"
NAMES_16 = {
    OFFLINE: "LocalAuthorizeOffline",
    UNKNOWN: "AllowOfflineTxForUnknownId",
    PRE: "LocalPreAuthorize",
    LIST: "LocalAuthListEnabled",
    CACHE: "AuthorizationCacheEnabled",
    ASK_REMOTE: "AuthorizeRemoteTxRequests",
    STOP: "StopTransactionOnInvalidId",
    ENERGY: "MaxEnergyOnInvalidId",
}
"""1.6 chapter 9; the others are set in the settings file under their 2.0.1 name."""


class Place(Enum):
    LIST = "local list"
    CACHE = "cache"


class Card(NamedTuple):
    """What the station knows of a card. expired: its date has passed; age_s: since it was stored; other: a second card, not the driver's."""

    place: Place
    status: str = "Accepted"
    expired: bool = False
    age_s: float = 0.0
    group: str = ""
    other: bool = False


class Moment(StrEnum):
    """When the line breaks, and what happens before it is back."""

    SWIPE = "before the card is shown"
    ANSWER = "between the card and the CSMS's answer"
    MID_ANSWER = "after the CSMS has heard the start, before its answer"
    CHARGING = "while charging"
    END = "while charging; then the driver ends with the card"
    WHOLE = "before the card is shown; then the driver ends with the card"
    END_ANSWER = "after the CSMS has heard the end, before its answer"
    LEAVING = "while charging; then the car leaves"
    OTHER = "while charging; then another card is shown"
    OTHER_ALONE = "before another card is shown, a car waiting"
    REMOTE = "between a remote start and the car"
    REMOTE_ANSWER = "between a remote start and the answer about its card"
    RESTART = "before the card is shown; then the station restarts"
    RESTART_CHARGING = "while charging; then the station restarts"
    POWER_CUT = "before the card is shown; then the power fails for 10 min"
    CUT_CHARGING = "while charging; then the power fails for 10 min"
    NEVER = "no CSMS has ever accepted the station"


class Known(NamedTuple):
    """Who may charge offline. may: for each of SWITCHES; the same before the card is shown and between the card and the answer. versions: in which
    it is so."""

    name: str
    words: str
    cards: tuple[Card, ...]
    may: tuple[bool, bool, bool, bool]
    clauses_16: str
    clauses_201: str
    variables: Mapping[str, Any] = NONE
    versions: tuple[str, ...] = VERSIONS


SWITCHES: tuple[tuple[bool, bool], ...] = ((True, False), (True, True), (False, False), (False, True))
"""(OFFLINE, UNKNOWN)."""

ALWAYS, NEVER = (True,) * 4, (False,) * 4
IF_LOCAL, IF_UNKNOWN = (True, True, False, False), (False, True, False, True)

KNOWN: tuple[Known, ...] = (
    Known("list_accepted", "in the local list: Accepted", (Card(Place.LIST),), IF_LOCAL, "3.5, 9.1.12", "C13.FR.05, C13.FR.06"),
    Known("list_blocked", "in the local list: Blocked", (Card(Place.LIST, "Blocked"),), NEVER, "3.5.4", "C13.FR.05, C13.FR.06"),
    Known("list_concurrent", "in the local list: ConcurrentTx", (Card(Place.LIST, "ConcurrentTx"),), NEVER, "3.5.4", "C13.FR.05, C13.FR.06"),
    Known("list_invalid", "in the local list: Invalid", (Card(Place.LIST, "Invalid"),), NEVER, "3.5.4", "C13.FR.05, C13.FR.06"),
    Known(
        "list_expired", "in the local list: Accepted, its date has passed", (Card(Place.LIST, expired=True),), NEVER, "3.5.4", "C13.FR.05, C13.FR.06"
    ),
    Known(
        "list_before_cache",
        "in the local list: Blocked; in the cache: Accepted",
        (Card(Place.LIST, "Blocked"), Card(Place.CACHE)),
        NEVER,
        "3.5.3",
        "C13.FR.01",
    ),
    Known(
        "list_above_cache",
        "in the local list: Accepted; in the cache: Blocked",
        (Card(Place.LIST), Card(Place.CACHE, "Blocked")),
        IF_LOCAL,
        "3.5.3",
        "C13.FR.01",
    ),
    Known("cache_accepted", "in the cache: Accepted", (Card(Place.CACHE),), IF_LOCAL, "3.5, 9.1.12", "C12.FR.02, C12.FR.04"),
    Known("cache_invalid", "in the cache: Invalid", (Card(Place.CACHE, "Invalid"),), NEVER, "3.5.4", "C13.FR.04"),
    Known("cache_expired", "in the cache: Accepted, its date has passed", (Card(Place.CACHE, expired=True),), NEVER, "3.5.1, 3.5.4", "C10.FR.13"),
    Known(
        "cache_old",
        "2.0.1, in the cache, past AuthCacheCtrlr.LifeTime (7 days): as unknown",
        (Card(Place.CACHE, age_s=LIFE_S + 1),),
        IF_UNKNOWN,
        "-",
        "C10.FR.08, C10.FR.10",
        versions=(OCPP_201,),
    ),
    Known(
        "cache_old_16",
        "1.6, in the cache: Accepted, for months",
        (Card(Place.CACHE, age_s=20 * LIFE_S),),
        IF_LOCAL,
        "7.27",
        "-",
        versions=(OCPP_16,),
    ),
    Known(
        "cache_old_blocked_16",
        "1.6, in the cache: Blocked, for months",
        (Card(Place.CACHE, "Blocked", age_s=20 * LIFE_S),),
        NEVER,
        "3.5.4, 7.27",
        "-",
        versions=(OCPP_16,),
    ),
    Known("unknown_card", "unknown", (), IF_UNKNOWN, "3.5.4, 9.1.1", "C15.FR.08"),
    Known("list_off", "in the local list, which is switched off: as unknown", (Card(Place.LIST),), IF_UNKNOWN, "3.5.2", "C13", {LIST: False}),
    Known("cache_off", "in the cache, which is switched off: as unknown", (Card(Place.CACHE),), IF_UNKNOWN, "3.5.1", "C10.FR.11", {CACHE: False}),
    Known(
        "master",
        "master pass in the local list",
        (Card(Place.LIST, group=MASTER_GROUP),),
        NEVER,
        "3.5 (as 2.0.1)",
        "C12.FR.09",
        {MASTER: MASTER_GROUP},
    ),
    Known("no_authorization", "any, where no card is asked for", (), ALWAYS, "3.5 (as 2.0.1)", "C01.FR.01", {NEEDED: False}),
)


class Outcome(NamedTuple):
    """charges: energy flows while the line is down, goes_on: after the CSMS has heard and answered all; heard: messages of transactions after the
    return, by version; status: the last one told of the connector after the return, "" for none."""

    charges: bool
    goes_on: bool
    heard_16: tuple[str, ...]
    heard_201: tuple[str, ...]
    status_16: str
    status_201: str

    def heard(self, version: str) -> tuple[str, ...]:
        return self.heard_16 if version == OCPP_16 else self.heard_201

    def status(self, version: str) -> str:
        return self.status_16 if version == OCPP_16 else self.status_201


class Row(NamedTuple):
    """The course of one charge. then: what the CSMS says of the card at its return; after_s: how long it is looked at after the return."""

    name: str
    moment: Moment
    words: str
    then: str
    outcome: Outcome
    clauses_16: str
    clauses_201: str
    cards: tuple[Card, ...] = ()
    variables: Mapping[str, Any] = NONE
    after_s: int = 5


class Elsewhere(NamedTuple):
    """What needs whole processes, a plug or a clock of its own: words, and the test that shows it, as file::name under tests/."""

    words: str
    test: str


ELSEWHERE: tuple[Elsewhere, ...] = (
    Elsewhere(
        "Two charges and a third that the power interrupts, all offline: told later, each once, in order.",
        "acceptance/test_offline.py::test_three_sessions_and_a_power_cut",
    ),
    Elsewhere(
        "A network that stalls without closing while a charge ends: nothing is lost or doubled.",
        "acceptance/test_offline.py::test_stalled_network_loses_nothing",
    ),
    Elsewhere("A short break needs no new BootNotification.", "acceptance/test_offline.py::test_one_boot_for_many_reconnections"),
    Elsewhere(
        '`after_power_loss = "resume"`: after a power cut the transaction goes on if the car was never seen gone.',
        "station/test_restarts.py::test_a_power_cut_resumes_for_a_car_never_seen_gone",
    ),
    Elsewhere(
        "Nobody who waited for a car is authorized after a power cut.",
        "station/test_restarts.py::test_somebody_who_waited_for_a_car_over_a_power_cut_does_not",
    ),
    Elsewhere(
        "A CSMS that answers Pending or Rejected gets no new transaction; a running one goes on.",
        "station/test_restarts.py::test_a_csms_that_has_not_accepted_gets_no_new_transactions_but_running_ones_go_on",
    ),
    Elsewhere("Without any CSMS in the settings the station works alone.", "station/test_restarts.py::test_a_box_without_any_csms_works_alone"),
    Elsewhere(
        "Dates of cards are not judged while the time is unknown.", "station/test_authorization.py::test_dates_are_not_judged_by_an_unknown_time"
    ),
    Elsewhere(
        "A break shorter than OfflineThreshold: only connectors whose status changed are told (B04.FR.02; 1.6 4.9).",
        "csms/test_teller.py::test_a_short_absence_tells_only_what_changed",
    ),
    Elsewhere("A longer one: every connector is told as it is now (B04.FR.01).", "csms/test_teller.py::test_a_long_absence_tells_every_state"),
    Elsewhere("A lost connection uses none of the message attempts (E13; 1.6 3.7.1).", "csms/test_teller.py::test_a_lost_connection_is_no_attempt"),
    Elsewhere(
        "The card that the CSMS refused later gets its held plug back.",
        "station/test_sessions.py::test_the_csms_deauthorizes_and_the_plug_is_kept_for_its_owner",
    ),
)
