"""Who may charge: local list, cache, CSMS and the offline rule, with each of their switches."""

from __future__ import annotations

from pathlib import Path

import pytest

from chargepoint.model.facts import StatusFact
from chargepoint.model.idtoken import AuthorizationStatus, IdToken, IdTokenInfo, IdTokenType
from chargepoint.model.orders import ClearCache, ListEntry
from chargepoint.station.authorization import CACHE_ENTRIES, Source, Verdict
from tests.simclock import SimulatedClock
from tests.station.station_rig import CARD, OTHER, Rig

ACCEPTED, BLOCKED = IdTokenInfo(AuthorizationStatus.ACCEPTED), IdTokenInfo(AuthorizationStatus.BLOCKED)
TOKEN = IdToken(CARD)


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    made = Rig(SimulatedClock(), tmp_path / "station.db")
    made.online()
    return made


def listed(rig: Rig, info: IdTokenInfo) -> None:
    rig.tokens.replace([ListEntry(TOKEN, info)])


async def verdict(rig: Rig, token: IdToken = TOKEN) -> Verdict:
    return await rig.authorization.authorize(token)


async def test_an_unknown_token_is_asked_about(rig: Rig) -> None:
    rig.accept(CARD)
    found = await verdict(rig)
    assert found.accepted and found.source is Source.CSMS and rig.csms.asked == [CARD]


async def test_what_the_csms_says_goes_into_the_cache_whatever_it_is(rig: Rig) -> None:
    rig.csms.tokens[CARD] = BLOCKED
    await verdict(rig)
    cached = rig.tokens.cached(TOKEN)
    assert cached is not None and cached[0] == BLOCKED


@pytest.mark.parametrize(("version", "cached"), [("ocpp2.0.1", True), ("ocpp1.6", False)])
async def test_only_16_keeps_a_listed_token_out_of_the_cache(tmp_path: Path, version: str, cached: bool) -> None:
    """2.0.1 C10.FR.01, C10.FR.04; 1.6 3.5.3."""
    rig = Rig(SimulatedClock(), tmp_path / "station.db", version=version)
    rig.online()
    listed(rig, ACCEPTED)
    rig.accept(CARD)
    await verdict(rig)
    assert rig.csms.asked == [CARD] and (rig.tokens.cached(TOKEN) is not None) is cached


@pytest.mark.parametrize("version", ["ocpp2.0.1", "ocpp1.6"])
async def test_a_list_that_is_switched_off_keeps_nothing_out_of_the_cache(tmp_path: Path, version: str) -> None:
    rig = Rig(SimulatedClock(), tmp_path / "station.db", version=version)
    rig.online()
    listed(rig, ACCEPTED)
    rig.dm.push("LocalAuthListCtrlr.Enabled", False)
    rig.accept(CARD)
    await verdict(rig)
    rig.offline()
    assert (await verdict(rig)).source is Source.CACHE


@pytest.mark.parametrize("version", ["ocpp2.0.1", "ocpp1.6"])
async def test_what_was_cached_before_it_was_listed_follows_the_csms(tmp_path: Path, version: str) -> None:
    """Taken off the list later, a token is not accepted by an older word of the CSMS than its last."""
    rig = Rig(SimulatedClock(), tmp_path / "station.db", version=version)
    rig.online()
    rig.authorization.learn(TOKEN, ACCEPTED)
    listed(rig, ACCEPTED)
    rig.csms.tokens[CARD] = BLOCKED
    await verdict(rig)
    rig.tokens.replace([])
    rig.offline()
    assert (await verdict(rig)).info.status is AuthorizationStatus.BLOCKED


async def test_tokens_are_the_same_by_value_and_type(rig: Rig) -> None:
    """C01.FR.25."""
    other = IdToken(CARD.lower(), IdTokenType.ISO15693)
    rig.tokens.replace([ListEntry(TOKEN, ACCEPTED), ListEntry(other, BLOCKED)])
    assert rig.tokens.count() == 2
    assert rig.tokens.listed(IdToken(CARD.lower())) == ACCEPTED and rig.tokens.listed(other) == BLOCKED
    rig.tokens.update([ListEntry(other, None)])
    assert rig.tokens.listed(TOKEN) == ACCEPTED and rig.tokens.listed(other) is None
    rig.authorization.learn(IdToken(OTHER), ACCEPTED)
    assert rig.authorization.known(IdToken(OTHER, IdTokenType.KEY_CODE)) is None


@pytest.mark.parametrize(
    ("said_by_list", "said_by_csms", "conflict"),
    [(ACCEPTED, BLOCKED, True), (BLOCKED, ACCEPTED, True), (BLOCKED, IdTokenInfo(AuthorizationStatus.INVALID), False), (ACCEPTED, ACCEPTED, False)],
)
async def test_a_list_at_odds_with_the_csms_is_told_of(rig: Rig, said_by_list: IdTokenInfo, said_by_csms: IdTokenInfo, conflict: bool) -> None:
    """1.6 3.5.2: a StatusNotification of connectorId 0 with LocalListConflict."""
    rig.authorization.on_list_conflict = rig.connectors.list_conflict
    listed(rig, said_by_list)
    rig.csms.tokens[CARD] = said_by_csms
    await verdict(rig)
    told = [(fact.connector, fact.status, fact.error_code) for fact in rig.facts if isinstance(fact, StatusFact) and fact.evse == 0]
    assert told == ([(0, "Available", "LocalListConflict")] if conflict else [])


@pytest.mark.parametrize(("pre_authorize", "asked"), [(True, []), (False, [CARD])])
async def test_local_pre_authorize(rig: Rig, pre_authorize: bool, asked: list[str]) -> None:
    rig.dm.push("AuthCtrlr.LocalPreAuthorize", pre_authorize)
    listed(rig, ACCEPTED)
    rig.accept(CARD)
    assert (await verdict(rig)).accepted and rig.csms.asked == asked


async def test_a_refusal_from_the_list_is_asked_about_unless_switched_off(rig: Rig) -> None:
    listed(rig, BLOCKED)
    rig.accept(CARD)
    assert (await verdict(rig)).accepted
    rig.dm.push("LocalAuthListCtrlr.DisablePostAuthorize", True)
    assert not (await verdict(rig)).accepted
    assert rig.csms.asked == [CARD]


async def test_the_list_comes_before_the_cache(rig: Rig) -> None:
    rig.tokens.remember(TOKEN, ACCEPTED, rig.clock.wall_s())
    listed(rig, BLOCKED)
    known = rig.authorization.known(TOKEN)
    assert known is not None and known.source is Source.LIST and not known.accepted


@pytest.mark.parametrize(
    ("known", "offline", "unknown", "accepted"),
    [
        (ACCEPTED, True, False, True),
        (ACCEPTED, False, False, False),
        (BLOCKED, True, True, False),
        (None, True, True, True),
        (None, True, False, False),
        (None, False, True, True),
    ],
)
async def test_offline(rig: Rig, known: IdTokenInfo | None, offline: bool, unknown: bool, accepted: bool) -> None:
    rig.dm.push("AuthCtrlr.LocalAuthorizeOffline", offline)
    rig.dm.push("AuthCtrlr.OfflineTxForUnknownIdEnabled", unknown)
    if known is not None:
        listed(rig, known)
    rig.offline()
    assert (await verdict(rig)).accepted is accepted
    assert rig.tokens.cached(TOKEN) is None, "C15.FR.01"


async def test_a_csms_that_does_not_answer_is_as_good_as_none(rig: Rig) -> None:
    listed(rig, ACCEPTED)
    rig.csms.silent = True
    found = await verdict(rig)
    assert found.accepted and found.source is Source.LIST


async def test_an_expired_entry_is_refused_offline_and_asked_about_online(rig: Rig) -> None:
    listed(rig, IdTokenInfo(AuthorizationStatus.ACCEPTED, expiry_s=rig.clock.wall_s() - 1))
    rig.dm.push("AuthCtrlr.LocalPreAuthorize", True)
    rig.accept(CARD)
    assert (await verdict(rig)).source is Source.CSMS
    rig.offline()
    rig.dm.push("AuthCtrlr.OfflineTxForUnknownIdEnabled", True)
    assert (await verdict(rig)).info.status is AuthorizationStatus.EXPIRED


async def test_dates_are_not_judged_by_an_unknown_time(tmp_path: Path) -> None:
    rig = Rig(SimulatedClock(known=False), tmp_path / "station.db")
    listed(rig, IdTokenInfo(AuthorizationStatus.ACCEPTED, expiry_s=1.0))
    assert (await verdict(rig)).accepted


async def test_a_cache_entry_grows_old(rig: Rig) -> None:
    rig.dm.push("AuthCacheCtrlr.LifeTime", 100)
    rig.authorization.learn(TOKEN, ACCEPTED)
    assert rig.authorization.known(TOKEN) is not None
    await rig.clock.advance(101)
    assert rig.authorization.known(TOKEN) is None


async def test_an_expiry_in_the_past_takes_a_token_out_of_the_cache(rig: Rig) -> None:
    rig.authorization.learn(TOKEN, ACCEPTED)
    rig.authorization.learn(TOKEN, IdTokenInfo(AuthorizationStatus.ACCEPTED, expiry_s=rig.clock.wall_s() - 1))
    assert rig.tokens.cached(TOKEN) is None


async def test_in_16_a_cache_entry_without_a_date_holds(tmp_path: Path) -> None:
    """1.6 7.27: no expiryDate, no end."""
    rig = Rig(SimulatedClock(), tmp_path / "station.db", version="ocpp1.6", variables={"AuthCtrlr.OfflineTxForUnknownIdEnabled": True})
    for info in (ACCEPTED, BLOCKED):
        rig.authorization.learn(TOKEN, info)
        await rig.clock.advance(30 * 86_400)
        assert (await verdict(rig)).info == info


@pytest.mark.parametrize("said", [AuthorizationStatus.ACCEPTED, AuthorizationStatus.EXPIRED])
async def test_in_16_an_expired_card_stays_known_as_expired(tmp_path: Path, said: AuthorizationStatus) -> None:
    """1.6 3.5.1, 3.5.4: a card that has expired is no unknown one, even when the CSMS said so with its date."""
    rig = Rig(SimulatedClock(), tmp_path / "station.db", version="ocpp1.6", variables={"AuthCtrlr.OfflineTxForUnknownIdEnabled": True})
    rig.authorization.learn(TOKEN, IdTokenInfo(said, expiry_s=rig.clock.wall_s() - 1))
    assert (await verdict(rig)).info.status is AuthorizationStatus.EXPIRED


async def test_a_full_cache_gives_up_what_is_not_valid_first(rig: Rig) -> None:
    """1.6 3.5.1, 2.0.1 C10.FR.07; then the oldest."""
    rig.authorization.learn(TOKEN, ACCEPTED)
    rig.authorization.learn(IdToken("blocked"), BLOCKED)
    rig.authorization.learn(IdToken("dated"), IdTokenInfo(AuthorizationStatus.ACCEPTED, expiry_s=rig.clock.wall_s() + 1))
    await rig.clock.advance(2)
    for number in range(CACHE_ENTRIES - 3):
        rig.authorization.learn(IdToken(f"t{number}"), ACCEPTED)
    await rig.clock.advance(1)
    rig.authorization.learn(IdToken("new"), BLOCKED)
    there = {value for value in (CARD, "blocked", "dated", "t0", "new") if rig.tokens.cached(IdToken(value)) is not None}
    assert there == {CARD, "t0", "new"}
    for number in range(3):
        rig.authorization.learn(IdToken(f"more{number}"), ACCEPTED)
    assert rig.tokens.cache_count() == CACHE_ENTRIES and rig.tokens.cached(TOKEN) is None and rig.tokens.cached(IdToken("new")) is None


@pytest.mark.parametrize("kind", [IdTokenType.CENTRAL, IdTokenType.NO_AUTHORIZATION])
async def test_types_that_are_never_asked_about_nor_cached(rig: Rig, kind: IdTokenType) -> None:
    token = IdToken("anything", kind)
    assert (await verdict(rig, token)).accepted
    rig.authorization.learn(token, ACCEPTED)
    assert rig.csms.asked == [] and rig.tokens.cached(token) is None


async def test_the_csms_may_be_left_out(rig: Rig) -> None:
    rig.dm.push("AuthCtrlr.DisableRemoteAuthorization", True)
    rig.accept(CARD)
    assert not (await verdict(rig)).accepted and rig.csms.asked == []


async def test_without_the_csms_list_and_cache_alone_decide(rig: Rig) -> None:
    """AuthCtrlr.DisableRemoteAuthorization: the rules for offline are not meant, as the station is not."""
    rig.dm.push("AuthCtrlr.DisableRemoteAuthorization", True)
    rig.dm.push("AuthCtrlr.LocalAuthorizeOffline", False)
    rig.dm.push("AuthCtrlr.OfflineTxForUnknownIdEnabled", True)
    assert (await verdict(rig)).info.status is AuthorizationStatus.UNKNOWN
    listed(rig, ACCEPTED)
    assert (await verdict(rig)).source is Source.LIST and (await verdict(rig)).accepted
    listed(rig, BLOCKED)
    assert (await verdict(rig)).info.status is AuthorizationStatus.BLOCKED
    assert rig.csms.asked == []
    rig.offline()
    rig.tokens.replace([])
    assert (await verdict(rig)).source is Source.UNKNOWN_OFFLINE


async def test_clear_cache(rig: Rig) -> None:
    rig.authorization.learn(TOKEN, ACCEPTED)
    assert (await rig.authorization.clear_cache(ClearCache())).status == "Accepted"
    assert rig.tokens.cached(TOKEN) is None
    rig.dm.push("AuthCacheCtrlr.Enabled", False)
    assert (await rig.authorization.clear_cache(ClearCache())).status == "Rejected"


async def test_a_key_code_never_appears_in_a_log(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    """C04.FR.04."""
    caplog.set_level("DEBUG")
    code = IdToken("4711", IdTokenType.KEY_CODE)
    rig.csms.silent = True
    await rig.driver.take(code)
    await rig.driver.take(IdToken(CARD))
    assert CARD in caplog.text and "4711" not in caplog.text and "4711" not in repr(code)
