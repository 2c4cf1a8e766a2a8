"""Asks the running station over its local socket. Must not know the answers' meaning."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from typing import Any

PATIENCE_S = 10.0


class NotRunning(Exception):
    """The station does not answer; the message says where it was looked for."""


def ask(question: dict[str, Any]) -> dict[str, Any]:
    """One question, one answer. Raises NotRunning."""
    path = Path(os.environ.get("RUNTIME_DIRECTORY", "/run/chargepoint")) / "station.sock"
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(PATIENCE_S)
            connection.connect(str(path))
            connection.sendall(json.dumps(question).encode() + b"\n")
            with connection.makefile("rb") as stream:
                answer = json.loads(stream.readline())
    except (OSError, ValueError) as error:
        raise NotRunning(f"the station does not answer at {path}: {error}; is chargepoint running, and may this user ask it?") from None
    if not isinstance(answer, dict):
        raise NotRunning(f"the station's answer at {path} makes no sense: {answer!r}")
    return answer
