"""What the CSMS answers to an OCPP 2.0.1 station. Must not know sockets."""

from __future__ import annotations

from typing import Any

from sim.csms.answers import REGISTER, Handler, Payload, boot, data_transfer, heartbeat, security_event, taken
from sim.csms.book import Book, Station, Transaction, seconds


def _info(book: Book, token: Payload) -> Payload:
    if token["type"] == "NoAuthorization":
        return {"status": "Accepted"}
    card = book.card(token["idToken"])
    info: Payload = {"status": card.status}
    if card.group is not None:
        info["groupIdToken"] = {"idToken": card.group, "type": "Central"}
    if card.expiry is not None:
        info["cacheExpiryDateTime"] = card.expiry
    return info


def _authorize(book: Book, station: Station, payload: Payload) -> Payload:
    return {"idTokenInfo": _info(book, payload["idToken"])}


def _status(book: Book, station: Station, payload: Payload) -> Payload:
    station.statuses[f"{payload['evseId']}/{payload['connectorId']}"] = payload["connectorStatus"]
    station.status_history.append(payload)
    return {}


def _report(book: Book, station: Station, payload: Payload) -> Payload:
    parts = station.reports.setdefault(str(payload["requestId"]), [])
    if parts and not parts[-1].get("tbc", False):
        parts.clear()  # the same request id for another report
    if payload["seqNo"] != len(parts):
        book.violation(station.identity, "report", f"NotifyReport {payload['requestId']}: seqNo {payload['seqNo']} where {len(parts)} was next")
    parts.append(payload)
    return {}


def _events(book: Book, station: Station, payload: Payload) -> Payload:
    station.events.extend(payload["eventData"])
    return {}


def _transaction_event(book: Book, station: Station, payload: Payload) -> Payload:
    id_ = payload["transactionInfo"]["transactionId"]
    transaction = book.find(station.identity, id_)
    if transaction is not None and payload["seqNo"] in transaction.seqs:
        transaction.repeats += 1
    else:
        _judge(book, transaction, station, payload)
        _keep(book, transaction or book.open(station.identity, id_), payload)
    return {"idTokenInfo": _info(book, payload["idToken"])} if "idToken" in payload else {}


def _judge(book: Book, transaction: Transaction | None, station: Station, payload: Payload) -> None:
    """The order of a transaction's events: E01.FR.07 and E04.FR.08 (gaps are allowed, steps back are not)."""
    kind, seq, id_ = payload["eventType"], payload["seqNo"], payload["transactionInfo"]["transactionId"]
    if (transaction is None) != (kind == "Started"):
        book.violation(station.identity, "transaction", f"{id_}: {kind} with seqNo {seq} {'comes first' if transaction is None else 'again'}")
    if transaction is not None and transaction.ended:
        book.violation(station.identity, "transaction", f"{id_}: {kind} with seqNo {seq} after Ended")
    if transaction is not None and transaction.seqs and seq < transaction.seqs[-1]:
        book.violation(station.identity, "transaction", f"{id_}: seqNo {seq} after {transaction.seqs[-1]}")
    if transaction is not None and transaction.times and seconds(payload["timestamp"]) < seconds(transaction.times[-1]):
        book.violation(station.identity, "transaction", f"{id_}: {payload['timestamp']} after {transaction.times[-1]}")


def _keep(book: Book, transaction: Transaction, payload: Payload) -> None:
    info = payload["transactionInfo"]
    transaction.seqs.append(payload["seqNo"])
    transaction.triggers.append(payload["triggerReason"])
    transaction.offline.append(payload.get("offline", False))
    transaction.times.append(payload["timestamp"])
    if "chargingState" in info:
        transaction.charging_states.append(info["chargingState"])
    if "evse" in payload:
        transaction.evse, transaction.connector = payload["evse"]["id"], payload["evse"].get("connectorId")
    if "idToken" in payload and transaction.token is None:
        transaction.token = payload["idToken"]["idToken"]
    for value in payload.get("meterValue", ()):
        _keep_value(book, transaction, value)
    _keep_ends(transaction, payload)


def _keep_ends(transaction: Transaction, payload: Payload) -> None:
    if payload["eventType"] == "Started":
        transaction.started_at = payload["timestamp"]
    if transaction.registers:
        transaction.meter_start_wh = transaction.registers[0][1]
    if payload["eventType"] == "Ended":
        transaction.ended, transaction.ended_at = True, payload["timestamp"]
        transaction.reason = payload["transactionInfo"].get("stoppedReason", "Local")
        transaction.meter_stop_wh = transaction.registers[-1][1] if transaction.registers else None


def _keep_value(book: Book, transaction: Transaction, value: dict[str, Any]) -> None:
    transaction.values.append(value)
    for sampled in value["sampledValue"]:
        energy = _energy_wh(sampled)
        if energy is not None and not transaction.measured(value["timestamp"], energy):
            book.violation(transaction.identity, "energy", f"transaction {transaction.id}: {energy} Wh at {value['timestamp']} is out of order")


def _energy_wh(sampled: dict[str, Any]) -> float | None:
    if sampled.get("measurand", REGISTER) != REGISTER or "phase" in sampled:
        return None
    unit = sampled.get("unitOfMeasure", {})
    return float(sampled["value"]) * 10.0 ** int(unit.get("multiplier", 0)) * (1000 if unit.get("unit") == "kWh" else 1)


def _accepted(book: Book, station: Station, payload: Payload) -> Payload:
    return {"status": "Accepted"}


HANDLERS: dict[str, Handler] = {
    "Authorize": _authorize,
    "BootNotification": boot,
    "ClearedChargingLimit": taken,
    "DataTransfer": data_transfer,
    "FirmwareStatusNotification": taken,
    "Heartbeat": heartbeat,
    "LogStatusNotification": taken,
    "MeterValues": taken,
    "NotifyChargingLimit": taken,
    "NotifyCustomerInformation": taken,
    "NotifyDisplayMessages": taken,
    "NotifyEVChargingNeeds": _accepted,
    "NotifyEVChargingSchedule": _accepted,
    "NotifyEvent": _events,
    "NotifyMonitoringReport": taken,
    "NotifyReport": _report,
    "PublishFirmwareStatusNotification": taken,
    "ReportChargingProfiles": taken,
    "ReservationStatusUpdate": taken,
    "SecurityEventNotification": security_event,
    "SignCertificate": _accepted,
    "StatusNotification": _status,
    "TransactionEvent": _transaction_event,
}
