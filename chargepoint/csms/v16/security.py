"""SecurityEventNotification (OCPP 1.6 security whitepaper A04). Must not know which events there are, nor which of them are told."""

from __future__ import annotations

from chargepoint.csms.face import NoWords, Payload, Refused, Spoken, StationView, Told
from chargepoint.csms.rpc import Result, Rpc, Urgency, unspoken
from chargepoint.csms.v16.words import time_text
from chargepoint.model.facts import SecurityFact

TYPE, TECH_INFO = 50, 255  # 5.15
TYPES = {
    "FailedToAuthenticateAtCsms": "FailedToAuthenticationAtCentralSystem",
    "CsmsFailedToAuthenticate": "CentralSystemFailedToAuthentication",
    "InvalidCsmsCertificate": "InvalidCentralSystemCertificate",
    "InvalidChargingStationCertificate": "InvalidChargePointCertificate",
}
"""8: the words that are others than those of 2.x."""


async def speak_security(view: StationView, rpc: Rpc, fact: SecurityFact) -> Spoken:
    """A central system without the whitepaper's messages is not told."""
    payload: Payload = {"type": TYPES.get(fact.type, fact.type)[:TYPE], "timestamp": time_text(view, fact.at)}
    if fact.info:
        payload["techInfo"] = fact.info[:TECH_INFO]
    outcome = await rpc.call("SecurityEventNotification", payload, Urgency.GUARANTEED)
    if isinstance(outcome, Result):
        return Told()
    spoken = unspoken(outcome)
    return NoWords() if isinstance(spoken, Refused) and spoken.unknown else spoken
