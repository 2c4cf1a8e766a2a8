"""Reports in parts."""

from __future__ import annotations

import msgspec

from chargepoint.csms.face import ReportItem
from chargepoint.csms.rpc import Gone, Refusal, Urgency
from chargepoint.csms.v2.provisioning import REPORT_PART_BYTES


def item(number: int) -> ReportItem:
    return ReportItem(
        component=("EVSE", None),
        variable=(f"Variable{number}", "i"),
        attributes=(("Actual", "5", "ReadWrite", True, False), ("Target", None, "WriteOnly", False, True)),
        data_type="integer",
        supports_monitoring=False,
        evse=1,
        unit="A",
        minimum=0,
        maximum=10,
        values=("a", "b"),
    )


async def test_one_part(bench):
    await bench.face.report(7, [item(1)])
    [(action, payload, urgency)] = bench.wire.sent
    assert (action, urgency) == ("NotifyReport", Urgency.REPORT)
    assert payload == {
        "requestId": 7,
        "generatedAt": "2024-05-01T10:01:00.000Z",
        "seqNo": 0,
        "tbc": False,
        "reportData": [
            {
                "component": {"name": "EVSE", "evse": {"id": 1}},
                "variable": {"name": "Variable1", "instance": "i"},
                "variableAttribute": [
                    {"type": "Actual", "value": "5", "mutability": "ReadWrite", "persistent": True},
                    {"type": "Target", "mutability": "WriteOnly", "constant": True},
                ],
                "variableCharacteristics": {
                    "unit": "A",
                    "dataType": "integer",
                    "minLimit": 0.0,
                    "maxLimit": 10.0,
                    "valuesList": "a,b",
                    "supportsMonitoring": False,
                },
            }
        ],
    }


async def test_many_parts(bench):
    await bench.face.report(7, [item(number) for number in range(200)])
    payloads = [payload for _, payload, _ in bench.wire.sent]
    assert len(payloads) > 2
    assert [payload["seqNo"] for payload in payloads] == list(range(len(payloads)))
    assert [payload["tbc"] for payload in payloads] == [True] * (len(payloads) - 1) + [False]
    names = [data["variable"]["name"] for payload in payloads for data in payload["reportData"]]
    assert names == [f"Variable{number}" for number in range(200)]
    assert max(len(msgspec.json.encode(payload)) for payload in payloads) < REPORT_PART_BYTES + 200


async def test_nothing_to_report(bench):
    await bench.face.report(7, [])
    assert not bench.wire.sent


async def test_a_refused_part_is_passed_over_and_a_lost_line_ends_it(bench):
    bench.wire.answers = [Refusal("InternalError"), Gone("closed")]
    await bench.face.report(7, [item(number) for number in range(200)])
    assert len(bench.wire.sent) == 2
