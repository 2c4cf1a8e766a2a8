"""Block J, meter values, of OCPP 2.0.1 part 6, 2.11: signed values (OCMF), checked with the public key of the meter."""

from __future__ import annotations

import asyncio
import json
from base64 import b64decode
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from tests.conformance.driver import states
from tests.conformance.driver.charger import METER_THAT_SIGNS
from tests.conformance.driver.lab import Lab
from tests.conformance.driver.matching import Payload, check
from tests.conformance.driver.values import REGISTER, clock_aligned, holds, metered, periodic

INTERVAL_S = 3
SEVERAL = 3
"""Moments a case waits for."""
KEY_POLICY = "OCPPCommCtrlr.PublicKeyWithSignedMeterValue"
POLICIES = ("Never", "EveryMeterValue")
KEY_SCHEME = "oca:base16:asn1:"


async def ended_with(lab: Lab, **variables: Any) -> list[Payload]:
    """The meter values of the event that ends a transaction of some length, with a meter that signs."""
    await lab.up(tables=METER_THAT_SIGNS, variables=variables)
    await metered(lab)
    await states.energy_transfer_started(lab)
    await asyncio.sleep((SEVERAL + 1) * INTERVAL_S)
    await states.parking_bay_unoccupied(lab)
    [event] = lab.csms.calls("TransactionEvent", {"eventType": "Ended"})
    values: list[Payload] = event.payload["meterValue"]
    return values


def signed(value: Payload, key: EllipticCurvePublicKey, policy: str) -> None:
    """Each value is signed by the meter, unchanged, and has its public key where the policy says so."""
    for sampled in value["sampledValue"]:
        blob = sampled["signedMeterValue"]
        check({"encodingMethod": "OCMF", "publicKey": ""} if policy == "Never" else {"encodingMethod": "OCMF"}, blob)
        if policy != "Never":
            assert key_of(blob["publicKey"]) == key, blob
        _, payload, signature = b64decode(blob["signedMeterData"]).decode().split("|")
        key.verify(bytes.fromhex(json.loads(signature)["SD"]), payload.encode(), ECDSA(SHA256()))


def key_of(text: str) -> EllipticCurvePublicKey:
    scheme, _, digits = b64decode(text).decode().rpartition(":")
    assert f"{scheme}:" == KEY_SCHEME, text
    key = load_der_public_key(bytes.fromhex(digits))
    assert isinstance(key, EllipticCurvePublicKey)
    return key


async def meters_key(lab: Lab) -> EllipticCurvePublicKey:
    return key_of(await lab.get(f"FiscalMetering@{lab.evse}.PublicKey"))


@pytest.mark.parametrize("policy", POLICIES)
async def test_TC_J_04_CS(lab: Lab, policy: str) -> None:
    """The aligned values at the end of a transaction are signed."""
    ended = {"AlignedDataCtrlr.TxEndedInterval": INTERVAL_S, "AlignedDataCtrlr.TxEndedMeasurands": REGISTER, "AlignedDataCtrlr.SignReadings": True}
    idle = {"AlignedDataCtrlr.SendDuringIdle": False, "SampledDataCtrlr.TxEndedMeasurands": ""}
    values = await ended_with(lab, **ended, **idle, **{KEY_POLICY: policy})
    key = await meters_key(lab)
    for value in values:
        holds(value, {"Sample.Clock"}, [REGISTER])
        signed(value, key, policy)
    clock_aligned([value["timestamp"] for value in values], INTERVAL_S)


@pytest.mark.parametrize("policy", POLICIES)
async def test_TC_J_11_CS(lab: Lab, policy: str) -> None:
    """The values sampled for the end of a transaction are signed; the last are those of the end."""
    ended = {"SampledDataCtrlr.TxEndedInterval": INTERVAL_S, "SampledDataCtrlr.TxEndedMeasurands": REGISTER, "SampledDataCtrlr.SignReadings": True}
    begin, *between, end = await ended_with(lab, **ended, **{KEY_POLICY: policy})
    key = await meters_key(lab)
    for value, context in ((begin, "Transaction.Begin"), *((value, "Sample.Periodic") for value in between), (end, "Transaction.End")):
        holds(value, {context}, [REGISTER])
        signed(value, key, policy)
    assert len(between) >= SEVERAL
    periodic([value["timestamp"] for value in (begin, *between)], INTERVAL_S)
