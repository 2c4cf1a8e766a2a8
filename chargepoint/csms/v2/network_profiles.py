"""2.0.1 B09: SetNetworkProfile, in messages. Must not know what a profile is good for."""

from __future__ import annotations

from chargepoint.csms.face import Heard, Payload, StationView
from chargepoint.csms.v2.payloads import Hear
from chargepoint.csms.v2.words import obeyed
from chargepoint.model.network import NetworkProfile
from chargepoint.model.orders import SetNetworkProfile

WIRES = ("vpn", "apn")


async def _set(view: StationView, payload: Payload) -> Heard:
    """ocppVersion is left out: the handshake decides (2.35)."""
    data = payload["connectionData"]
    profile = NetworkProfile(
        data["ocppCsmsUrl"],
        data["securityProfile"],
        data["messageTimeout"],
        data["ocppTransport"],
        tuple(wire for wire in WIRES if wire in data),
    )
    return await obeyed(view, SetNetworkProfile(payload["configurationSlot"], profile))


HEARS: dict[str, Hear] = {"SetNetworkProfile": _set}
