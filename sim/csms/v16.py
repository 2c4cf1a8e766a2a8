"""What the CSMS answers to an OCPP 1.6 station. Must not know sockets."""

from __future__ import annotations

from typing import Any

from sim.csms.answers import REGISTER, Handler, Payload, boot, data_transfer, heartbeat, security_event, taken
from sim.csms.book import Book, Station, Transaction


def _info(book: Book, tag: str) -> Payload:
    card = book.card(tag)
    info = {"status": card.status, "parentIdTag": card.group, "expiryDate": card.expiry}
    return {key: value for key, value in info.items() if value is not None}


def _authorize(book: Book, station: Station, payload: Payload) -> Payload:
    return {"idTagInfo": _info(book, payload["idTag"])}


def _status(book: Book, station: Station, payload: Payload) -> Payload:
    station.statuses[str(payload["connectorId"])] = payload["status"]
    station.status_history.append(payload)
    return {}


def _same_start(transaction: Transaction, payload: Payload) -> bool:
    told = (transaction.connector, transaction.token, transaction.started_at, transaction.meter_start_wh)
    return told == (payload["connectorId"], payload["idTag"], payload["timestamp"], payload["meterStart"])


def _start(book: Book, station: Station, payload: Payload) -> Payload:
    transaction = next((t for t in book.latest(station.identity) if _same_start(t, payload)), None)
    if transaction is not None:
        transaction.repeats += 1
    else:
        transaction = _opened(book, station, payload)
    return {"transactionId": int(transaction.id), "idTagInfo": _info(book, payload["idTag"])}


def _opened(book: Book, station: Station, payload: Payload) -> Transaction:
    number = book.options.same_transaction_id
    transaction = book.open(station.identity, str(len(book.transactions) + 1 if number is None else number))
    transaction.connector, transaction.token = payload["connectorId"], payload["idTag"]
    transaction.started_at, transaction.meter_start_wh = payload["timestamp"], payload["meterStart"]
    transaction.times.append(payload["timestamp"])
    _measured(book, transaction, payload["timestamp"], payload["meterStart"])
    return transaction


def _stop(book: Book, station: Station, payload: Payload) -> Payload:
    id_ = str(payload["transactionId"])
    transaction = book.find(station.identity, id_, ended=False)
    if transaction is not None:
        _closed(book, transaction, payload)
    elif (repeated := _ended_with(book, station, id_, payload)) is not None:
        repeated.repeats += 1
    elif not _unnumbered(station, id_):
        book.violation(station.identity, "transaction", f"StopTransaction of {id_}, which does not run")
    return {"idTagInfo": _info(book, payload["idTag"])} if "idTag" in payload else {}


def _ended_with(book: Book, station: Station, id_: str, payload: Payload) -> Transaction | None:
    ended = (t for t in book.latest(station.identity) if t.id == id_ and t.ended)
    return next((t for t in ended if (t.ended_at, t.meter_stop_wh) == (payload["timestamp"], payload["meterStop"])), None)


def _closed(book: Book, transaction: Transaction, payload: Payload) -> None:
    for value in payload.get("transactionData", ()):
        _keep(book, transaction, value, "transactionData")
    transaction.ended, transaction.reason = True, payload.get("reason", "Local")
    transaction.ended_at, transaction.meter_stop_wh = payload["timestamp"], payload["meterStop"]
    transaction.times.append(payload["timestamp"])
    _measured(book, transaction, payload["timestamp"], payload["meterStop"])


def _meter_values(book: Book, station: Station, payload: Payload) -> Payload:
    if "transactionId" in payload:
        id_ = str(payload["transactionId"])
        transaction = book.find(station.identity, id_, ended=False)
        if (repeated := _heard_before(book, station, id_, payload)) is not None:
            repeated.repeats += 1
        elif transaction is not None:
            for value in payload["meterValue"]:
                _keep(book, transaction, value, "MeterValues")
        elif not _unnumbered(station, id_):
            book.violation(station.identity, "transaction", f"MeterValues of transaction {id_}, which does not run")
    return {}


def _unnumbered(station: Station, id_: str) -> bool:
    """Whether the number stands for a transaction that never got one (errata 3.18)."""
    return station.unnumbered and id_ == "-1"


def _heard_before(book: Book, station: Station, id_: str, payload: Payload) -> Transaction | None:
    """The transaction that has these very values: the message is told again."""
    values = [{"source": "MeterValues", **value} for value in payload["meterValue"]]
    return next((t for t in book.latest(station.identity) if t.id == id_ and all(value in t.values for value in values)), None)


def _keep(book: Book, transaction: Transaction, value: dict[str, Any], source: str) -> None:
    transaction.values.append({"source": source, **value})
    for sampled in value["sampledValue"]:
        energy = _energy_wh(sampled)
        if energy is not None:
            _measured(book, transaction, value["timestamp"], energy)


def _measured(book: Book, transaction: Transaction, at: str, energy_wh: float) -> None:
    """meterStart and meterStop are whole Wh, so a register with decimals may stand up to 1 Wh beside them."""
    if not transaction.measured(at, energy_wh, tolerance_wh=1.0):
        book.violation(transaction.identity, "energy", f"transaction {transaction.id}: {energy_wh} Wh at {at} is out of order")


def _energy_wh(sampled: dict[str, Any]) -> float | None:
    if sampled.get("measurand", REGISTER) != REGISTER or "phase" in sampled or sampled.get("format") == "SignedData":
        return None
    return float(sampled["value"]) * (1000 if sampled.get("unit") == "kWh" else 1)


def _sign(book: Book, station: Station, payload: Payload) -> Payload:
    return {"status": "Accepted"}


HANDLERS: dict[str, Handler] = {
    "Authorize": _authorize,
    "BootNotification": boot,
    "DataTransfer": data_transfer,
    "DiagnosticsStatusNotification": taken,
    "FirmwareStatusNotification": taken,
    "Heartbeat": heartbeat,
    "LogStatusNotification": taken,
    "MeterValues": _meter_values,
    "SecurityEventNotification": security_event,
    "SignCertificate": _sign,
    "SignedFirmwareStatusNotification": taken,
    "StartTransaction": _start,
    "StatusNotification": _status,
    "StopTransaction": _stop,
}
