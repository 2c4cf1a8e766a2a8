"""What both versions' answers share. Must not know sockets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sim.csms.book import Book, Station

Payload = dict[str, Any]
Handler = Callable[[Book, Station, Payload], Payload]

REGISTER = "Energy.Active.Import.Register"


def boot(book: Book, station: Station, payload: Payload) -> Payload:
    """BootNotification, in both versions."""
    options = book.options
    station.boot = payload
    station.boots.append({"time": book.now("plain"), **payload})
    station.registration = options.registration
    interval = options.heartbeat_interval_s if options.registration == "Accepted" else options.retry_interval_s
    return {"status": options.registration, "currentTime": book.now(), "interval": interval}


def heartbeat(book: Book, station: Station, payload: Payload) -> Payload:
    station.heartbeats += 1
    return {"currentTime": book.now()}


def security_event(book: Book, station: Station, payload: Payload) -> Payload:
    station.security_events.append(payload)
    return {}


def data_transfer(book: Book, station: Station, payload: Payload) -> Payload:
    station.transfers.append(payload)
    return {"status": "Accepted"}


def taken(book: Book, station: Station, payload: Payload) -> Payload:
    """Noted in the log; nothing else to do."""
    return {}
