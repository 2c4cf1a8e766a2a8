"""States a 1.6 case begins from, as `states` has them for 2.x: each leads there and judges what the station says on the way.

Must not know single cases.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from tests.conformance.driver.lab import Lab, Token, as_text
from tests.conformance.driver.matching import Payload


async def connector_told(lab: Lab, status: str, connector: int = 1, error: str = "NoError", within: float = 20.0) -> Payload:
    """StatusNotification of a connector (0: the charge point)."""
    return await lab.csms.expect("StatusNotification", {"connectorId": connector, "status": status, "errorCode": error}, within=within)


async def booted(lab: Lab, *, reset: str | None = None, status: str = "Available") -> Payload:
    """Powered off and on, or reset (`Hard`, `Soft`), and back with every connector told (4.2). Returns its BootNotification."""
    if reset is None:
        await lab.charger.power_cycle()
    else:
        answer = await lab.csms.call("Reset", {"type": reset})
        assert answer == {"status": "Accepted"}, answer
    lab.sessions.clear()
    boot = await lab.csms.expect("BootNotification", within=30)
    for connector in range(1, lab.charger.factory.evses * len(lab.charger.factory.connectors) + 1):
        await connector_told(lab, status, connector)
    await lab.charger.registered()
    return boot


async def preparing(lab: Lab, **ev: Any) -> None:
    """The cable is in, nobody has shown a card."""
    if not lab.session.connected:
        await lab.charger.plug_in(lab.evse, lab.connector, **ev)
        lab.session.connected = True
        await connector_told(lab, "Preparing", lab.evse)


async def authorized(lab: Lab, *, token: Token | None = None, remote: bool = False) -> None:
    """A card was shown, or RemoteStartTransaction accepted; whether the station asks is the case's to judge."""
    token = token or lab.token
    if remote:
        answer = await lab.csms.call("RemoteStartTransaction", {"idTag": token.uid, "connectorId": lab.evse})
        assert answer == {"status": "Accepted"}, answer
    else:
        await lab.charger.swipe(token.uid, lab.evse)
    lab.session.authorized = True


async def charging(lab: Lab, *, token: Token | None = None, remote: bool = False, **ev: Any) -> Payload:
    """Plugged in, authorized, StartTransaction accepted, contactor closed. Returns the StartTransaction; `lab.session.transaction` is the number."""
    token = token or lab.token
    await preparing(lab, **ev)
    await authorized(lab, token=token, remote=remote)
    start = await lab.csms.expect("StartTransaction", {"connectorId": lab.evse, "idTag": token.uid})
    await lab.charger.contactor("closed", lab.evse)
    await connector_told(lab, "Charging", lab.evse)
    answers = [it for it in lab.csms.messages if it.action == "StartTransaction" and not it.incoming]
    lab.session.transaction = str(answers[-1].payload["transactionId"])
    lab.session.energy = True
    return start


async def stopped(lab: Lab, *, token: Token | None = None, remote: bool = False) -> Payload:
    """The transaction has ended, by a card or remotely; the cable is still in. Returns the StopTransaction."""
    token = token or lab.token
    number = int(lab.session.transaction or 0)
    if remote:
        answer = await lab.csms.call("RemoteStopTransaction", {"transactionId": number})
        assert answer == {"status": "Accepted"}, answer
    else:
        await lab.charger.swipe(token.uid, lab.evse)
    stop = await lab.csms.expect("StopTransaction", {"transactionId": number})
    await lab.charger.contactor("open", lab.evse)
    lab.session.authorized = lab.session.energy = False
    return stop


async def available(lab: Lab) -> None:
    """The cable is out."""
    await lab.charger.unplug(lab.evse, lab.connector)
    await connector_told(lab, "Available", lab.evse)
    lab.sessions.pop(lab.evse, None)


async def get(lab: Lab, key: str) -> str:
    """The value of a configuration key."""
    answer = await lab.csms.call("GetConfiguration", {"key": [key]})
    assert answer.get("configurationKey"), answer
    return str(answer["configurationKey"][0].get("value", ""))


async def set_key(lab: Lab, key: str, value: str) -> str:
    """ChangeConfiguration; returns its status."""
    answer = await lab.csms.call("ChangeConfiguration", {"key": key, "value": value})
    return str(answer["status"])


async def configure(lab: Lab, **keys: str) -> None:
    """Changes keys; all must be accepted."""
    for key, value in keys.items():
        assert await set_key(lab, key, value) == "Accepted", key


@contextlib.asynccontextmanager
async def keys(lab: Lab, **values: Any) -> AsyncIterator[None]:
    """Inside, the keys have these values; afterwards those they had. A value may be of its own type."""
    before = {key: await get(lab, key) for key in values}
    await configure(lab, **{key: as_text(value) for key, value in values.items()})
    yield
    await configure(lab, **before)


async def local_list(lab: Lab, version: int = 1, **cards: Payload | None) -> None:
    """Sends a whole list: idTag to idTagInfo, `{"status": "Accepted"}` and so on."""
    entries = [{"idTag": tag, "idTagInfo": info} for tag, info in cards.items()]
    answer = await lab.csms.call("SendLocalList", {"listVersion": version, "updateType": "Full", "localAuthorizationList": entries})
    assert answer == {"status": "Accepted"}, answer


async def cached(lab: Lab, token: Token, **info: Any) -> None:
    """The card is in the authorization cache with what a central system says of it: shown where no car is, and the incipient session ended again."""
    if info:
        lab.csms.answer("Authorize", {"idTagInfo": info}, where={"idTag": token.uid}, times=1)
    await lab.charger.swipe(token.uid, lab.evse)
    await lab.csms.expect("Authorize", {"idTag": token.uid})
    if info.get("status", "Accepted") == "Accepted":
        await connector_told(lab, "Preparing", lab.evse)
        await lab.charger.swipe(token.uid, lab.evse)
        await connector_told(lab, "Available", lab.evse)
