"""BootNotification and Heartbeat (OCPP 1.6 4.2, 4.6). Must not know when they are due."""

from __future__ import annotations

from chargepoint.csms.face import StationView
from chargepoint.csms.rpc import Result, Rpc, Urgency, unreachable
from chargepoint.model.questions import Boot, BootAnswer, Heartbeat, HeartbeatAnswer, QuestionAnswer, Registration
from chargepoint.model.stamp import from_rfc3339

LENGTHS = {
    "chargePointVendor": 20,
    "chargePointModel": 20,
    "chargePointSerialNumber": 25,
    "firmwareVersion": 50,
    "iccid": 20,
    "imsi": 20,
    "meterType": 25,
    "meterSerialNumber": 25,
}
"""6.3"""


async def boot(view: StationView, rpc: Rpc, question: Boot) -> QuestionAnswer:
    """BootNotification; 1.6 has no word for the reason."""
    station = view.settings.station
    meter_type, meter_serial_number = view.main_meter()
    said = {
        "chargePointVendor": station.vendor,
        "chargePointModel": station.model,
        "chargePointSerialNumber": station.serial_number,
        "firmwareVersion": view.firmware_version,
        "iccid": station.iccid,
        "imsi": station.imsi,
        "meterType": meter_type,
        "meterSerialNumber": meter_serial_number,
    }
    outcome = await rpc.call("BootNotification", {key: text[: LENGTHS[key]] for key, text in said.items() if text}, Urgency.BOOT)
    if not isinstance(outcome, Result):
        return unreachable(outcome)
    answer = outcome.payload
    return BootAnswer(Registration(answer["status"]), answer["interval"], from_rfc3339(answer["currentTime"]))


async def heartbeat(view: StationView, rpc: Rpc, question: Heartbeat) -> QuestionAnswer:
    """Heartbeat; its answer is the time."""
    outcome = await rpc.call("Heartbeat", {}, Urgency.HEARTBEAT)
    return HeartbeatAnswer(from_rfc3339(outcome.payload["currentTime"])) if isinstance(outcome, Result) else unreachable(outcome)
