"""A stand-in for the firmware: a supervisor, a control and a station process that answers on its local socket. Run by the worlds of these tests."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

STATUS = {"connected": False, "ocpp": "ocpp1.6", "facts_waiting": 0, "registration": "none", "loop": {}, "connectors": []}
HARD_RESET = 77


def supervise() -> None:
    Path(os.environ["STATE_DIRECTORY"], "environment.json").write_text(json.dumps(dict(os.environ)))
    print("the stand-in is on", flush=True)
    parts = {name: start(name) for name in ("control", "station")}
    told: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: told.append(number))
    while not told:
        for name, process in parts.items():
            if process.poll() == HARD_RESET:
                sys.exit(HARD_RESET)
            if process.returncode is not None:
                parts[name] = start(name)
        time.sleep(0.01)
    for process in parts.values():
        process.kill()
        process.wait()


def start(name: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, __file__, name])


def station() -> None:
    path = Path(os.environ["RUNTIME_DIRECTORY"], "station.sock")
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=converse, args=(connection,), daemon=True).start()


def converse(connection: socket.socket) -> None:
    with connection, connection.makefile("rwb") as stream:
        for line in stream:
            stream.write(json.dumps(answer(json.loads(line))).encode() + b"\n")
            stream.flush()


def answer(question: dict[str, Any]) -> dict[str, Any]:
    match question:
        case {"status": _}:
            return {**STATUS, "pids": {"control": None, "station": os.getpid()}}
        case {"clear_fault": {"fault": "contactor_welded"}}:
            return {"done": False, "text": "its cause lasts"}
        case {"clear_fault": {"fault": "diode"}}:
            os._exit(HARD_RESET)
        case _:
            return {"done": True, "text": ""}


if __name__ == "__main__":
    match sys.argv[1]:
        case "run":
            supervise()
        case "station":
            station()
        case _:
            while True:
                time.sleep(1)
