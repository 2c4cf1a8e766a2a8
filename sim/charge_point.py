"""One simulated charge point as a program outside drives it: a process, its control API, and the built-in CSMS beside it. Must not know the wire.

with ChargePoint(directory) as charge_point:
    charge_point.plug_in(max_current_a=16)
    charge_point.swipe("04A1B2C3")
    charge_point.wait(lambda state: state["evses"][0]["current_a"][0] > 15)
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

POLL_S = 0.05
PATIENCE_S = 60.0
END_S = 10.0
IDENTITY = "CP001"
CARD = "04A1B2C3"
SETTINGS = """\
[station]
vendor = "Chargepoint"
model = "Simulated"
serial_number = "1"
[board]
name = "sim"
{evses}
[csms]
identity = "{identity}"
url = "{url}"
ocpp = {ocpp}
[csms.reconnect]
wait_minimum_s = 0.5
random_range_s = 0.1
repeat_times = 2
{more}
"""


class Refused(Exception):
    """The control API, or the built-in CSMS's, refused a call. status: of HTTP; the text is its sentence."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status}: {text}")
        self.status = status


class ChargePoint:
    """`directory` holds settings and state. csms_url None: the built-in CSMS answers; else the charge point dials that address: a CSMS under test.
    ocpp: versions offered, most wanted first; settings: more lines of the settings file. Entered, it is switched on and (by the built-in CSMS)
    accepted; left, nothing remains running."""

    identity = IDENTITY

    def __init__(
        self,
        directory: Path,
        *,
        ocpp: Sequence[str] = ("ocpp2.0.1", "ocpp1.6"),
        evses: int = 1,
        csms_url: str | None = None,
        settings: str = "",
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory, self._own_csms = directory, csms_url is None
        tables = "\n".join(f"[[evse]]\nid = {number}" for number in range(1, evses + 1))
        text = SETTINGS.format(evses=tables, identity=IDENTITY, url=csms_url or "ws://127.0.0.1:9/ocpp", ocpp=json.dumps(list(ocpp)), more=settings)
        (directory / "chargepoint.toml").write_text(text, "utf-8")
        self._process: subprocess.Popen[str] | None = None
        self._open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open
        self.url = ""

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "sim", "up", "--config", str(self._directory / "chargepoint.toml"), "--port", "0"]
        command += ["--state-dir", str(self._directory / "state"), *(["--csms"] if self._own_csms else [])]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1])
        try:
            self.url = self._address()
            self.wait(lambda state: state["station"] is not None and (not self._own_csms or state["station"]["registration"] == "accepted"))
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._end()

    # what is seen

    def state(self) -> dict[str, Any]:
        """As `GET /api/state`."""
        found: dict[str, Any] = self.get("/api/state")
        return found

    def violations(self) -> list[dict[str, Any]]:
        """What the world saw that must never be."""
        found: list[dict[str, Any]] = self.get("/api/violations")
        return found

    def csms(self) -> dict[str, Any]:
        """What the built-in CSMS knows: stations, transactions, cards, violations, options."""
        found: dict[str, Any] = self.get("/csms/state")
        return found

    def wait(self, met: Callable[[dict[str, Any]], bool], seconds: float = PATIENCE_S) -> dict[str, Any]:
        """The state that meets the condition; what it does not have yet does not. Raises AssertionError."""
        return self._until(self.state, met, seconds)

    def wait_csms(self, met: Callable[[dict[str, Any]], bool], seconds: float = PATIENCE_S) -> dict[str, Any]:
        """The same of what the built-in CSMS knows."""
        return self._until(self.csms, met, seconds)

    def status(self, word: str, connector: int = 1, seconds: float = PATIENCE_S) -> None:
        """Waits until a connector, counted from 1 over all EVSEs, has that status (a word of OCPP 1.6)."""
        self.wait(lambda state: state["station"]["connectors"][connector - 1]["status"] == word, seconds)

    # acts

    def plug_in(self, evse: int = 1, **ev: Any) -> None:
        """ev: the car's keys, e.g. max_current_a, phases, ready, profile."""
        self.post(f"/api/evse/{evse}/plug-in", {"ev": ev})

    def ev(self, evse: int = 1, **changes: Any) -> None:
        """Changes the car that is plugged in."""
        self.post(f"/api/evse/{evse}/ev", changes)

    def unplug(self, evse: int = 1) -> None:
        self.post(f"/api/evse/{evse}/unplug")

    def swipe(self, uid: str = CARD, evse: int | None = None) -> None:
        self.post("/api/rfid/swipe", {"uid": uid} if evse is None else {"uid": uid, "evse": evse})

    def fault(self, name: str, evse: int = 1, **details: Any) -> None:
        self.post(f"/api/evse/{evse}/fault", {"fault": name, **details})

    def unfault(self, name: str, evse: int = 1) -> None:
        self.call("DELETE", f"/api/evse/{evse}/fault/{name}")

    def network(self, state: str) -> None:
        """up, down or stall."""
        self.post("/api/network", {"state": state})

    def power(self, state: str, how: str = "cut") -> None:
        """on or off; how: cut or shutdown."""
        self.post("/api/power", {"state": state, "how": how})

    def kill(self, process: str, signal: str = "KILL") -> None:
        self.post("/api/kill", {"process": process, "signal": signal})

    def send(self, action: str, **payload: Any) -> dict[str, Any]:
        """A call of the built-in CSMS; the answer: {"payload": ...} or {"error": ...}."""
        found: dict[str, Any] = self.post("/csms/send", {"identity": IDENTITY, "action": action, "payload": payload})
        return found

    def misbehave(self, what: str, **how: Any) -> None:
        """The built-in CSMS does something wrong at an answer; see its kinds."""
        self.post("/csms/misbehave", {"what": what, "identity": IDENTITY, **how})

    # any call

    def get(self, path: str) -> Any:
        return self.call("GET", path)

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        return self.call("POST", path, body or {})

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Any call of the world's port. Raises Refused."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with self._open(request, timeout=PATIENCE_S) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as refused:
            raise Refused(refused.code, json.load(refused)["error"]) from None

    # inside

    def _address(self) -> str:
        assert self._process is not None and self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line.startswith("listening on "):
            raise RuntimeError(f"the world did not start: {line or 'see its words on standard error'}")
        return line.split()[-1]

    def _end(self) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(END_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            if self._process.stdout is not None:
                self._process.stdout.close()

    def _until(self, look: Callable[[], dict[str, Any]], met: Callable[[dict[str, Any]], bool], seconds: float) -> dict[str, Any]:
        end_s = time.monotonic() + seconds
        while True:
            found = look()
            if _meets(met, found):
                return found
            if time.monotonic() > end_s:
                raise AssertionError(f"it did not come true within {seconds:g} s; the last seen: {json.dumps(found)}")
            time.sleep(POLL_S)


def _meets(met: Callable[[dict[str, Any]], bool], found: dict[str, Any]) -> bool:
    try:
        return bool(met(found))
    except (KeyError, IndexError, TypeError):
        return False
