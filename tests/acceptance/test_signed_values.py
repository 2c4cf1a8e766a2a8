"""What the meter signs arrives at the CSMS as it was signed, in both versions (2.0.1 J02.FR.21; OCA whitepaper "Signed meter values")."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.world import World

MORE = {
    "ocpp1.6": """[ocpp16.configuration]
SampledDataSignReadings = true
PublicKeyWithSignedMeterValue = "OncePerTransaction"
StopTxnSampledData = "Energy.Active.Import.Register"
""",
    "ocpp2.0.1": """[ocpp2.variables]
"SampledDataCtrlr.SignReadings" = true
"OCPPCommCtrlr.PublicKeyWithSignedMeterValue" = "OncePerTransaction"
""",
}


def signed_values(world: World, version: str) -> list[tuple[str, dict[str, Any]]]:
    """(context, SignedMeterValueType) of the message that ended the transaction."""
    if version == "ocpp1.6":
        values = [value for data in world.csms.book.calls("CP001", "StopTransaction")[0]["transactionData"] for value in data["sampledValue"]]
        return [(value["context"], json.loads(value["value"])) for value in values if value.get("format") == "SignedData"]
    (ended,) = [event for event in world.csms.book.calls("CP001", "TransactionEvent") if event["eventType"] == "Ended"]
    values = [value for data in ended["meterValue"] for value in data["sampledValue"]]
    return [(value["context"], value["signedMeterValue"]) for value in values if "signedMeterValue" in value]


@pytest.mark.parametrize("version", ["ocpp1.6", "ocpp2.0.1"])
async def test_the_end_of_a_transaction_carries_what_the_meter_signed(world: World, version: str) -> None:
    await world.up(version, board='[board.sim]\nmeter_map = "sim_ocmf"\n', more=MORE[version])
    await world.charge()
    await world.until(lambda s: s["evses"][0]["energy_wh"] > 5)
    await world.swipe()
    await world.contactor("open")
    await world.all_told()
    await world.told(lambda csms: csms.book.transactions[0].ended)
    found = signed_values(world, version)
    assert [context for context, _ in found] == ["Transaction.Begin", "Transaction.End"]
    registers = []
    for _, value in found:
        assert (value["signingMethod"], value["encodingMethod"]) == ("", "OCMF")
        prefix, payload, _ = base64.b64decode(value["signedMeterData"]).decode().split("|")
        registers.append(json.loads(payload)["RD"][0]["RV"])
        assert prefix == "OCMF"
    assert registers[1] > registers[0] >= 0
    begin, end = (value["publicKey"] for _, value in found)
    assert begin == "" and base64.b64decode(end).decode().startswith("oca:base16:asn1:3059")
