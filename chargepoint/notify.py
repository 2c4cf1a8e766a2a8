"""systemd's notification protocol: a datagram to $NOTIFY_SOCKET. Must not know who listens; without a listener it does nothing."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping


class Notifier:
    """watchdog_s: how often a sign of life is due at the latest, half of what the listener allows; None: nobody asks."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        address = environment.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC) if address else None
        self._due = 0.0
        self.watchdog_s = _watchdog_s(environment) if address else None

    def ready(self, status: str = "") -> None:
        self._send(f"READY=1\nSTATUS={status}" if status else "READY=1")

    def stopping(self) -> None:
        self._send("STOPPING=1")

    def alive(self, now: float) -> None:
        """A sign of life, when one is due."""
        if self.watchdog_s is not None and now >= self._due:
            self._due = now + self.watchdog_s
            self._send("WATCHDOG=1")

    def _send(self, text: str) -> None:
        if self._socket is None:
            return
        try:
            self._socket.sendto(text.encode(), self._address)
        except OSError:
            return  # a listener that is gone or does not read must not stop the sender


def _watchdog_s(environment: Mapping[str, str]) -> float | None:
    period_us = environment.get("WATCHDOG_USEC", "")
    meant = environment.get("WATCHDOG_PID", "")
    if not period_us.isdigit() or (meant and meant != str(os.getpid())):
        return None
    return int(period_us) / 2e6
