"""2.0.1 part 2: B09 (setting a profile), B10 (another CSMS, with errata 2025-09) and A05 (a higher security profile), rule by rule."""

from __future__ import annotations

from pathlib import Path

import pytest

from chargepoint.model.network import NetworkProfile
from chargepoint.model.orders import Answer, SetNetworkProfile
from chargepoint.settings import Csms, Settings, Tls
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
