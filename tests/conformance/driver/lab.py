"""What a case gets: a charge point, a CSMS, and what is configured in the test system (part 6, 2.1). Must not know single cases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.conformance.driver.charger import PATIENCE_S, Charger, Factory
from tests.conformance.driver.csms import Csms
from tests.conformance.driver.matching import Payload

V16 = "ocpp1.6"
V201 = "ocpp2.0.1"


@dataclass(frozen=True)
class Token:
    """A card as a person shows it (uid) and as OCPP writes it."""

    uid: str
    type: str = "ISO14443"

    @property
    def id_token(self) -> Payload:
        return {"idToken": self.uid, "type": self.type}


VALID = Token("04A1B2C3")
VALID_2 = Token("04A1B2C4")
GROUP_1 = Token("04A1B2D1")
GROUP_2 = Token("04A1B2D2")
MASTER = Token("04A1B2E1")
BLOCKED = Token("04A1B2F1")
EXPIRED = Token("04A1B2F2")
UNKNOWN = Token("DEADBEEF")
GROUP_ID = "GROUP1"
MASTER_GROUP_ID = "MASTERGROUP"

CARDS: dict[str, Payload] = {
    VALID.uid: {"status": "Accepted"},
    VALID_2.uid: {"status": "Accepted"},
    GROUP_1.uid: {"status": "Accepted", "groupIdToken": {"idToken": GROUP_ID, "type": "Central"}},
    GROUP_2.uid: {"status": "Accepted", "groupIdToken": {"idToken": GROUP_ID, "type": "Central"}},
    MASTER.uid: {"status": "Accepted", "groupIdToken": {"idToken": MASTER_GROUP_ID, "type": "Central"}},
    BLOCKED.uid: {"status": "Blocked"},
    EXPIRED.uid: {"status": "Expired"},
}
"""What the CSMS knows by default; UNKNOWN is not among them."""
FORGETS: dict[str, Payload] = {"ClearCache": {}, "SendLocalList": {"versionNumber": 1, "updateType": "Full"}}


@dataclass
class Session:
    """How far the driving of one EVSE has come, as the reusable states count it. parked: the car is in its bay. transaction: None before its first
    and after its last event."""

    parked: bool = False
    connected: bool = False
    authorized: bool = False
    energy: bool = False
    stopped: bool = False
    remote_start_id: int | None = None
    transaction: str | None = None
    last_transaction: str | None = None


@dataclass
class Lab:
    """version: that of the case. evse, connector, token: the configured ones of the test system. reader_for_all: cards are shown at a reader that
    serves all EVSEs. former: what `configure` has changed, as it was; kept only for `as_new`."""

    charger: Charger
    csms: Csms
    version: str = V201
    evse: int = 1
    connector: int = 1
    token: Token = VALID
    reader_for_all: bool = False
    sessions: dict[int, Session] = field(default_factory=dict)
    start_points: frozenset[str] = frozenset()
    stop_points: frozenset[str] = frozenset()
    others: list[Csms] = field(default_factory=list)
    former: dict[str, str] | None = None

    @property
    def session(self) -> Session:
        """Of the configured EVSE."""
        return self.session_of(self.evse)

    def session_of(self, evse: int) -> Session:
        return self.sessions.setdefault(evse, Session())

    async def up(self, *, boot: bool = True, variables: Mapping[str, Any] | None = None, **factory: Any) -> None:
        """A new charge point is switched on. variables: factory values of 2.x variables (1.6: `keys`). Other arguments: `charger.Factory`.
        boot: waits until it is accepted, has told its connectors, and has nothing more to tell; all that is then forgotten."""
        given = {"versions": (self.version,), "url": self.csms.url, "variables": variables or {}, **factory}
        await self.charger.up(Factory(**given))
        if boot:
            await self.settled()
            if self.version != V16:
                await self.read_points()

    async def another_csms(self, **how: Any) -> Csms:
        """A second CSMS that knows the same cards, listening on a port of its own; how: as `Csms`. It is stopped and judged with the lab."""
        other = Csms(**{"versions": (self.version,), **how})
        other.answers.cards = self.csms.answers.cards
        await other.start()
        self.others.append(other)
        return other

    def turn_to(self, other: Csms) -> None:
        """From now on the other CSMS is the one the states and `lab.csms` mean."""
        self.others.append(self.csms)
        self.others.remove(other)
        self.csms = other

    async def settled(self) -> None:
        """Waits until the station is accepted and has said what it had to; forgets what it said."""
        count = self.charger.factory.evses * len(self.charger.factory.connectors)
        await self.csms.until(lambda: len(self.csms.pending("StatusNotification")) >= count, "the connectors were never told", PATIENCE_S)
        await self.charger.registered()
        await self.charger.all_told()
        self.csms.forget()

    # --- 2.x variables

    async def read_points(self) -> None:
        """Learns TxStartPoint and TxStopPoint from the station."""
        self.start_points = frozenset((await self.get("TxCtrlr.TxStartPoint")).split(","))
        self.stop_points = frozenset((await self.get("TxCtrlr.TxStopPoint")).split(","))

    async def get(self, name: str, attribute: str | None = None) -> str:
        """The value of `Component[instance]@evse:connector.Variable[instance]`; fails when the station has none."""
        result = await self.get_result(name, attribute)
        assert result["attributeStatus"] == "Accepted", result
        return str(result["attributeValue"])

    async def get_result(self, name: str, attribute: str | None = None) -> Payload:
        data = named(name) | ({"attributeType": attribute} if attribute else {})
        answer = await self.csms.call("GetVariables", {"getVariableData": [data]})
        result: Payload = answer["getVariableResult"][0]
        return result

    async def set(self, name: str, value: Any, attribute: str | None = None) -> Payload:
        """Sets one variable; returns the result, whatever it is."""
        data = named(name) | {"attributeValue": as_text(value)} | ({"attributeType": attribute} if attribute else {})
        answer = await self.csms.call("SetVariables", {"setVariableData": [data]})
        result: Payload = answer["setVariableResult"][0]
        return result

    async def configure(self, **values: Any) -> None:
        """The configuration state of a case, by the CSMS: `configure(**{"TxCtrlr.TxStartPoint": "EVConnected"})`; all must be accepted."""
        for name, value in values.items():
            if self.former is not None and name not in self.former:
                self.former[name] = await self.get(name)
            result = await self.set(name, value)
            assert result["attributeStatus"] == "Accepted", result
        if values.keys() & {"TxCtrlr.TxStartPoint", "TxCtrlr.TxStopPoint"}:
            await self.read_points()

    async def as_new(self) -> None:
        """A 2.x charge point is again as it was when it was new, as far as cases change it by `configure`, and by cards of cache and list."""
        await self.configure(**{"AuthCacheCtrlr.Enabled": True, "LocalAuthListCtrlr.Enabled": True})
        for action, payload in FORGETS.items():
            answer = await self.csms.call(action, payload)
            assert answer["status"] == "Accepted", answer
        former, self.former = self.former or {}, None
        await self.configure(**former)
        self.former = {}
        self.csms.answers.cards = known_cards()


def known_cards() -> dict[str, Payload]:
    return {uid: dict(info) for uid, info in CARDS.items()}


def as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def named(name: str) -> Payload:
    """{component, variable} of a name written as in a settings file."""
    component, _, variable = name.rpartition(".")
    component, _, place = component.partition("@")
    made: Payload = {"component": _instance(component), "variable": _instance(variable)}
    if place:
        evse, _, connector = place.partition(":")
        made["component"]["evse"] = {"id": int(evse)} | ({"connectorId": int(connector)} if connector else {})
    return made


def _instance(text: str) -> Payload:
    name, _, instance = text.partition("[")
    return {"name": name, "instance": instance[:-1]} if instance else {"name": name}


def build(directory: Path, version: str) -> Lab:
    """A lab with a CSMS that knows CARDS and speaks the version; nothing runs yet."""
    csms = Csms((version,))
    csms.answers.cards = known_cards()
    return Lab(Charger(directory), csms, version)
