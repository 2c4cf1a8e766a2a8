"""Safe outputs: every output is tried, in order, with next to nothing imported."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

from hal import safe_outputs
from hal.files import packaged_config

BOARD = packaged_config() / "boards" / "sim.toml"


class Recorder:
    """A backend that notes what is driven and fails where told."""

    def __init__(self) -> None:
        self.acts: list[tuple[object, ...]] = []
        self.broken: set[object] = set()
        self.files = {f"pwm{n}/{name}": "1000000" for n in range(4) for name in ("period", "duty_cycle", "enable")}
        self.files |= {f"pwm{n}/polarity": "normal" for n in range(4)}

    def set_output(self, pin: int, level: bool) -> None:
        if pin in self.broken:
            raise OSError(16, "held by another process")
        self.acts.append((pin, level))

    def pwm_chip(self, name: str) -> Recorder:
        if name in self.broken:
            raise OSError(2, "no such chip")
        return self

    def read(self, attribute: str) -> str:
        return self.files[attribute]

    def write(self, attribute: str, text: str) -> None:
        self.acts.append((attribute, text))


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorder]:
    recorder = Recorder()
    module = types.SimpleNamespace(set_output=recorder.set_output, pwm_chip=recorder.pwm_chip)
    monkeypatch.setitem(sys.modules, "recorder_backend", module)
    yield recorder


def board() -> dict[str, object]:
    return tomllib.loads(BOARD.read_text()) | {"backend": "recorder_backend"}


def test_every_output_goes_to_its_safe_level(backend: Recorder) -> None:
    assert safe_outputs.apply(board()) == []
    assert [pin for pin, _ in backend.acts[:6]] == [101, 111, 113, 104, 105, 106] and not any(level for _, level in backend.acts[:6])
    assert (16, False) in backend.acts
    assert backend.acts[-8:][:2] == [("pwm0/duty_cycle", "1000000"), ("pwm0/enable", "1")]


def test_an_output_that_acts_low_rests_high(backend: Recorder) -> None:
    table = board()
    table["evse"][0]["contactor"]["coil"] |= {"active": "low", "reset_pull": "up"}  # type: ignore[index]  # a parsed file
    safe_outputs.apply(table)
    assert backend.acts[0] == (101, True)


def test_one_failure_stops_no_other(backend: Recorder) -> None:
    backend.broken = {101, "sim.pwm"}
    failures = safe_outputs.apply(board())
    assert [text.split(":")[0] for text in failures] == ["EVSE 1 coil", *(f"EVSE {n} pilot" for n in (1, 2, 3, 4))]
    assert (201, False) in backend.acts


@pytest.mark.parametrize("text", ['[board]\nname = "mine.toml"\n', '[board]\nname = "mine"\n'])
def test_settings_lead_to_their_board(tmp_path: Path, backend: Recorder, text: str) -> None:
    made = BOARD.read_text().replace("sim.rig.client", "recorder_backend")
    (tmp_path / "boards").mkdir()
    for place in (tmp_path / "mine.toml", tmp_path / "boards" / "mine.toml"):
        place.write_text(made)
    (tmp_path / "chargepoint.toml").write_text(text)
    assert safe_outputs.main(str(tmp_path / "chargepoint.toml")) == 0
    assert safe_outputs.main(str(tmp_path / "mine.toml")) == 0
    assert backend.acts.count((101, False)) == 2


@pytest.mark.parametrize(("evses", "coils"), [("", [101]), ("[[evse]]\nid = 1\n[[evse]]\nid = 2\n", [101, 201])])
def test_only_the_evses_in_use_are_touched(tmp_path: Path, backend: Recorder, evses: str, coils: list[int]) -> None:
    (tmp_path / "mine.toml").write_text(BOARD.read_text().replace("sim.rig.client", "recorder_backend"))
    (tmp_path / "chargepoint.toml").write_text('[board]\nname = "mine.toml"\n' + evses)
    assert safe_outputs.main(str(tmp_path / "chargepoint.toml")) == 0
    assert [pin for pin, _ in backend.acts if pin in (101, 201, 301, 401)] == coils


def test_what_cannot_be_read_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert safe_outputs.main(str(tmp_path / "none.toml")) == 1
    assert "none.toml" in capsys.readouterr().err


@pytest.mark.parametrize("module", ["hal.safe_outputs", "hal.hardware"])
def test_next_to_nothing_is_imported(module: str) -> None:
    heavy = ["asyncio", "msgspec", "gpiozero", "smbus2", "pymodbus", "serial", "logging", "lgpio"]
    code = f"import sys, {module}; print(*[name for name in {heavy} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split() == []


def test_control_loads_no_network_library() -> None:
    heavy = ["asyncio", "pymodbus", "serial", "http", "ssl", "sqlite3", "lgpio"]
    code = f"import sys, hal.board, hal.control_side; print(*[name for name in {heavy} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split() == []


def test_the_station_loads_no_gpio() -> None:
    code = "import sys, hal.board, hal.station_side; print(*[name for name in ('gpiozero', 'lgpio', 'smbus2') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split() == []
