"""2.0.1 part 2: B09 (setting a profile), B10 (another CSMS, with errata 2025-09) and A05 (a higher security profile), rule by rule; and what 1.6
has of them (AuthorizationKey, SecurityProfile)."""

from __future__ import annotations

from pathlib import Path

import pytest

from chargepoint.csms.v16 import configuration as keys
from chargepoint.model.network import NetworkProfile
from chargepoint.model.orders import Answer, RaiseSecurityProfile, SetMessageTimeout, SetNetworkProfile
from chargepoint.settings import Csms, Ocpp16, Settings, Tls
from chargepoint.station import variables
from chargepoint.station.network_profiles import PRIORITY, NetworkProfiles
from chargepoint.store.db import Db
from chargepoint.store.values import Values
from chargepoint.store.variables import Variables

SHIPPED = Csms(url="ws://one/ocpp", identity="CP001", ocpp=("ocpp2.0.1",))
SECURE = Csms(
    url="wss://one/ocpp", identity="CP001", ocpp=("ocpp2.0.1",), security_profile=2, basic_auth_password="0123456789abcdef", tls=Tls(ca_file="ca.pem")
)
OTHER = NetworkProfile("ws://two/ocpp", 0, 7)


class Desk:
    """One start of the station; the same file is the same station."""

    def __init__(self, path: Path, csms: Csms = SHIPPED) -> None:
        db = Db(path / "station.db")
        self.model = variables.build(Variables(db), Settings(csms=csms))
        self.profiles = NetworkProfiles(csms, self.model, Values(db))
        self.dials: list[tuple[str, bool]] = []
        self.profiles.on_slot = lambda csms, switched: self.dials.append((csms, switched))

    async def set(self, slot: int, profile: NetworkProfile) -> Answer:
        return await self.profiles.set(SetNetworkProfile(slot, profile))

    def order(self, value: str) -> str:
        return self.model.set(PRIORITY, value)

    def dial(self) -> str:
        slot = self.profiles.slot()
        return "" if slot is None else slot.url

    def fail(self, times: int) -> list[str]:
        """Dials so many times in vain."""
        dialled = []
        for _ in range(times):
            dialled.append(self.dial())
            self.profiles.failed()
        return dialled


def test_slot_1_is_what_the_settings_say(tmp_path: Path) -> None:
    slot = Desk(tmp_path, SECURE).profiles.slot()
    assert slot == ("wss://one/ocpp", "CP001", ("ocpp2.0.1",), 2, "0123456789abcdef")
    alone = Desk(tmp_path / "alone", Csms())
    assert alone.dial() == "" and alone.profiles.csms == ""


async def test_b09_fr_01_a_profile_counts_after_the_restart(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    assert (await desk.set(2, OTHER)).status == "Accepted"
    assert desk.order("2,1") == "RebootRequired"
    assert desk.dial() == "ws://one/ocpp"
    again = Desk(tmp_path)
    assert again.dial() == "ws://two/ocpp" and again.dials == [("ws://two/ocpp CP001", False)]
    assert again.model.integer("OCPPCommCtrlr.ActiveNetworkProfile") == 2
    assert again.model.integer("OCPPCommCtrlr.MessageTimeout[Default]") == 7


async def test_b09_the_active_slot_stays_what_it_was_until_the_restart(tmp_path: Path) -> None:
    """Remark of B09: what is written into the slot in use is not activated by a mere loss of the connection."""
    desk = Desk(tmp_path)
    assert desk.dial() == "ws://one/ocpp"
    desk.profiles.connected()
    assert (await desk.set(1, OTHER)).status == "Accepted"
    assert (await desk.set(1, NetworkProfile("ws://three/ocpp", 0, 9))).status == "Accepted"
    assert desk.fail(5) == ["ws://one/ocpp"] * 5
    assert desk.model.integer("OCPPCommCtrlr.MessageTimeout[Default]") == 30
    again = Desk(tmp_path)
    assert again.dial() == "ws://three/ocpp" and again.model.integer("OCPPCommCtrlr.MessageTimeout[Default]") == 9


async def test_b09_a_slot_that_fell_back_to_another_stays_what_it_was_too(tmp_path: Path) -> None:
    first = Desk(tmp_path)
    await first.set(2, OTHER)
    first.order("1,2")
    desk = Desk(tmp_path)
    desk.model.set("OCPPCommCtrlr.NetworkProfileConnectionAttempts", "1")
    desk.dial()
    await desk.set(1, NetworkProfile("ws://three/ocpp", 0))
    desk.profiles.failed()
    assert desk.fail(3) == ["ws://two/ocpp", "ws://one/ocpp", "ws://two/ocpp"]


async def test_b10_fr_02_an_order_is_judged_by_what_the_slots_will_be(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.dial()
    await desk.set(2, OTHER)
    await desk.set(1, NetworkProfile("ws://two", 1))
    assert desk.order("1,2") == "Rejected", "no password"


async def test_16_what_is_changed_at_once_does_not_bring_the_written_profile_along(tmp_path: Path) -> None:
    """1.6 MessageTimeout, after 2.0.1 wrote another profile into the same slot."""
    desk = Desk(tmp_path)
    desk.dial()
    await desk.set(1, OTHER)
    assert (await desk.profiles.set_timeout(SetMessageTimeout(12))).status == "Accepted"
    assert desk.dial() == "ws://one/ocpp" and desk.model.integer("OCPPCommCtrlr.MessageTimeout[Default]") == 12
    again = Desk(tmp_path)
    assert again.dial() == "ws://two/ocpp" and again.model.integer("OCPPCommCtrlr.MessageTimeout[Default]") == 12


@pytest.mark.parametrize(
    ("slot", "profile", "reason"),
    [
        (999, OTHER, "InvalidConfSlot"),
        (0, OTHER, "InvalidConfSlot"),
        (2, NetworkProfile("http://two", 0), "InvalidNetworkConf"),
        (2, NetworkProfile("ws://", 0), "InvalidNetworkConf"),
        (2, NetworkProfile("ws://two:99999", 0), "InvalidNetworkConf"),
        (2, NetworkProfile("", 0), "InvalidNetworkConf"),
        (2, NetworkProfile("ws://two", 2), "InvalidNetworkConf"),
        (2, NetworkProfile("wss://two", 4), "InvalidNetworkConf"),
        (2, NetworkProfile("ws://two", 0, 0), "InvalidNetworkConf"),
        (2, NetworkProfile("ws://two", 0, transport="SOAP"), "InvalidNetworkConf"),
        (2, NetworkProfile("ws://two", 0, extras=("vpn",)), "InvalidNetworkConf"),
    ],
)
async def test_b09_fr_02_and_05_what_cannot_work_is_rejected(tmp_path: Path, slot: int, profile: NetworkProfile, reason: str) -> None:
    answer = await Desk(tmp_path).set(slot, profile)
    assert (answer.status, answer.reason) == ("Rejected", reason) and answer.info


async def test_b09_fr_04_no_way_back_to_less_security(tmp_path: Path) -> None:
    answer = await Desk(tmp_path, SECURE).set(2, NetworkProfile("ws://two", 1))
    assert (answer.status, answer.reason) == ("Rejected", "NoSecurityDowngrade")


async def test_b10_fr_02_an_order_names_slots_that_can_be_used(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    assert desk.order("2,1") == "Rejected" and desk.order("4") == "Rejected"
    await desk.set(2, NetworkProfile("ws://two", 1))
    assert desk.order("2,1") == "Rejected", "no password"
    desk.model.set("SecurityCtrlr.BasicAuthPassword", "0123456789abcdef")
    assert desk.order("2,1") == "RebootRequired"


async def test_a05_fr_02_and_03_certificates_come_first(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.model.set("SecurityCtrlr.BasicAuthPassword", "0123456789abcdef")
    await desk.set(2, NetworkProfile("wss://two", 2))
    await desk.set(3, NetworkProfile("wss://two", 3))
    assert (desk.order("2,1"), desk.order("3,1")) == ("Rejected", "Rejected")
    rooted = Desk(tmp_path / "rooted", SECURE)
    await rooted.set(3, NetworkProfile("wss://two", 3))
    assert rooted.order("3,1") == "Rejected"


async def test_b10_fr_03_and_07_each_slot_has_its_attempts_and_then_the_last_good_one(tmp_path: Path) -> None:
    first = Desk(tmp_path)
    first.dial()
    first.profiles.connected()
    await first.set(2, OTHER)
    await first.set(3, NetworkProfile("ws://three/ocpp", 0))
    first.order("3,2,1")
    first.model.set("OCPPCommCtrlr.NetworkProfileConnectionAttempts", "2")
    desk = Desk(tmp_path)
    assert desk.fail(6) == ["ws://three/ocpp"] * 2 + ["ws://two/ocpp"] * 2 + ["ws://one/ocpp"] * 2
    assert desk.fail(6) == ["ws://one/ocpp"] * 2 + ["ws://three/ocpp"] * 2 + ["ws://two/ocpp"] * 2


async def test_a_lost_connection_is_dialled_again_first(tmp_path: Path) -> None:
    first = Desk(tmp_path)
    await first.set(2, OTHER)
    first.order("2,1")
    desk = Desk(tmp_path)
    desk.fail(3)
    assert desk.dial() == "ws://one/ocpp"
    desk.profiles.connected()
    assert desk.fail(9) == ["ws://one/ocpp"] * 3 + ["ws://two/ocpp"] * 3 + ["ws://one/ocpp"] * 3


async def test_b10_fr_10_another_slot_is_another_registration(tmp_path: Path) -> None:
    first = Desk(tmp_path)
    await first.set(2, NetworkProfile("ws://one/ocpp", 0))
    first.order("2,1")
    desk = Desk(tmp_path)
    desk.fail(4)
    assert [switched for _, switched in desk.dials] == [False, False, False, True]


async def test_a05_fr_06_less_secure_profiles_go(tmp_path: Path) -> None:
    csms = Csms(url="ws://one", identity="CP001", basic_auth_password="0123456789abcdef", tls=Tls(ca_file="ca.pem"))
    first = Desk(tmp_path, csms)
    await first.set(2, NetworkProfile("wss://two", 2))
    await first.set(3, NetworkProfile("ws://three", 1))
    assert first.order("2,3,1") == "RebootRequired"
    desk = Desk(tmp_path, csms)
    desk.dial()
    desk.profiles.connected()
    assert desk.model.integer("SecurityCtrlr.SecurityProfile") == 2 and desk.model.text(PRIORITY) == "2"
    assert set(desk.fail(9)) == {"wss://two"}
    assert (await desk.set(3, NetworkProfile("ws://three", 1))).reason == "NoSecurityDowngrade"
    again = Desk(tmp_path, csms)
    assert set(again.fail(9)) == {"wss://two"} and again.order("1") == "Rejected"


async def test_the_settings_of_a_technician_have_the_last_word(tmp_path: Path) -> None:
    first = Desk(tmp_path)
    await first.set(1, OTHER)
    assert Desk(tmp_path).dial() == "ws://two/ocpp"
    edited = Desk(tmp_path, Csms(url="ws://new/ocpp", identity="CP001"))
    assert edited.dial() == "ws://new/ocpp"


class Desk16(Desk):
    """A desk with the keys of OCPP 1.6; raised: how often the line was told to dial anew."""

    def __init__(self, path: Path, csms: Csms = SHIPPED, **configuration: object) -> None:
        settings = Settings(csms=csms, ocpp16=Ocpp16(configuration=configuration))  # type: ignore[arg-type]  # a test's values
        db = Db(path / "station.db")
        self.model = variables.build(Variables(db), settings, keys.factory(settings.ocpp16.configuration).variables)
        keys.declare(self.model, settings)
        self.profiles = NetworkProfiles(csms, self.model, Values(db))
        self.dials = []
        self.profiles.on_slot = lambda csms, switched: self.dials.append((csms, switched))
        self.raised = 0
        self.profiles.on_raise = self._redial

    def _redial(self) -> None:
        self.raised += 1

    async def level(self, level: int) -> str:
        answer = await self.profiles.raise_level(RaiseSecurityProfile(level))
        if answer.then is not None:
            await answer.then()
        return answer.status

    def level_now(self) -> int:
        slot = self.profiles.slot()
        return -1 if slot is None else slot.security_profile

    def key(self, text: str) -> None:
        for variable in ("Ocpp16Ctrlr.AuthorizationKey", "SecurityCtrlr.BasicAuthPassword"):
            assert self.model.set(variable, text) == "Accepted"


@pytest.mark.parametrize(
    ("key", "password"),
    [
        ("0001020304050607FFFFFFFFCCCCCCCCCCCCCCCC", bytes.fromhex("0001020304050607FFFFFFFFCCCCCCCCCCCCCCCC")),
        ("a1" * 16, b"\xa1" * 16),
        ("a1" * 15, "a1" * 15),
        ("correct-horse-battery", "correct-horse-battery"),
    ],
)
def test_an_authorization_key_in_hexadecimal_digits_is_its_bytes(tmp_path: Path, key: str, password: str | bytes) -> None:
    desk = Desk16(tmp_path)
    desk.key(key)
    assert desk.profiles.slot()[4] == Desk16(tmp_path).profiles.slot()[4] == password  # type: ignore[index]  # there is a slot


def test_a_password_set_otherwise_is_a_text_whatever_it_looks_like(tmp_path: Path) -> None:
    desk = Desk16(tmp_path)
    desk.key("a1" * 16)
    desk.model.set("SecurityCtrlr.BasicAuthPassword", "b2" * 16)
    assert desk.profiles.slot()[4] == "b2" * 16  # type: ignore[index]  # there is a slot


async def test_16_a05_the_security_profile_is_raised_where_all_is_there(tmp_path: Path) -> None:
    desk = Desk16(tmp_path)
    assert await desk.level(0) == "Rejected" and await desk.level(1) == "Rejected", "lower or equal; no password"
    desk.key("correct-horse-battery")
    assert await desk.level(2) == "Rejected", "no root certificate"
    assert await desk.level(1) == "Accepted" and desk.raised == 1
    assert (desk.level_now(), desk.model.integer("SecurityCtrlr.SecurityProfile")) == (1, 0)
    assert Desk16(tmp_path).level_now() == 1, "a restart in between changes nothing"
    desk.profiles.connected()
    assert desk.model.integer("SecurityCtrlr.SecurityProfile") == 1
    assert set(desk.fail(9)) == {"ws://one/ocpp"} and desk.level_now() == 1, "no way back once it stood"
    assert await desk.level(1) == "Rejected"


async def test_16_a05_fr_08_a_profile_that_does_not_connect_is_given_up(tmp_path: Path) -> None:
    desk = Desk16(tmp_path, Csms(url="ws://one/ocpp", identity="CP001", tls=Tls(ca_file="ca.pem")))
    desk.dial()
    desk.profiles.connected()
    desk.key("correct-horse-battery")
    assert await desk.level(2) == "Accepted"
    assert desk.fail(4) == ["wss://one/ocpp"] * 3 + ["ws://one/ocpp"]
    assert {csms for csms, _ in desk.dials} == {"ws://one/ocpp CP001"} and not any(switched for _, switched in desk.dials), "it is the same CSMS"
    assert await desk.level(2) == "Accepted"


def test_16_a_factory_value_of_the_security_profile_counts(tmp_path: Path) -> None:
    desk = Desk16(tmp_path, SHIPPED, SecurityProfile=1, AuthorizationKey="correct-horse-battery")
    slot = desk.profiles.slot()
    assert slot is not None and (slot.security_profile, slot.password) == (1, "correct-horse-battery")


async def test_16_message_timeout_is_the_present_slots_and_outlives_a_restart(tmp_path: Path) -> None:
    desk = Desk16(tmp_path)
    desk.dial()
    assert (await desk.profiles.set_timeout(SetMessageTimeout(0))).status == "Rejected"
    assert (await desk.profiles.set_timeout(SetMessageTimeout(7))).status == "Accepted"
    assert desk.model.text("OCPPCommCtrlr.MessageTimeout[Default]") == "7"
    again = Desk16(tmp_path)
    again.dial()
    assert again.model.text("OCPPCommCtrlr.MessageTimeout[Default]") == "7"
