"""The plan of the house, held by a test: who may import whom, no circle, one name per feature, no giant, one clock."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("chargepoint", "hal", "sim")
FILES = sorted(file for package in PACKAGES for file in (ROOT / package).rglob("*.py"))
PROCESS_FILES = {
    "chargepoint.control_process",
    "chargepoint.station_process",
    "chargepoint.selftest_process",
    "chargepoint.supervisor",
    "chargepoint.__main__",
    "chargepoint.command_line",
}

ALLOWED = {
    "chargepoint.clock": ("chargepoint.model.stamp",),
    "chargepoint.settings": (),
    "chargepoint.settings_lines": (),
    "chargepoint.settings_mistakes": (),
    "chargepoint.settings_file": ("chargepoint.settings", "chargepoint.settings_lines", "chargepoint.settings_mistakes"),
    "chargepoint.board_settings": ("chargepoint.settings", "chargepoint.settings_file", "hal.board", "hal.spec"),
    "chargepoint.vehicle_files": ("chargepoint.model.vehicle", "chargepoint.settings", "chargepoint.settings_file", "hal.files"),
    "chargepoint.check": ("chargepoint", "hal"),
    "chargepoint.factory": ("chargepoint",),
    "chargepoint.ledger_door": ("chargepoint",),
    "chargepoint.notify": (),
    "chargepoint.safe_child": ("hal.safe_outputs",),
    "chargepoint.install": ("hal", "chargepoint.settings", "chargepoint.settings_file", "chargepoint.board_settings"),
    "hal": ("hal",),
    "chargepoint.model": ("chargepoint.model",),
    "chargepoint.link": ("chargepoint.link", "chargepoint.model", "chargepoint.clock"),
    "chargepoint.control": (
        "chargepoint.control",
        "chargepoint.link",
        "chargepoint.model.fault",
        "chargepoint.model.pilot",
        "hal.ports",
        "hal.errors",
        "chargepoint.clock",
        "chargepoint.settings",
    ),
    "chargepoint.store": ("chargepoint.store", "chargepoint.model", "chargepoint.clock"),
    "chargepoint.station": (
        "chargepoint.station",
        "chargepoint.model",
        "chargepoint.store",
        "chargepoint.link",
        "hal.ports",
        "hal.errors",
        "chargepoint.clock",
        "chargepoint.settings",
    ),
    "chargepoint.csms": (
        "chargepoint.csms",
        "chargepoint.station",
        "chargepoint.store.outbox",
        "chargepoint.model",
        "chargepoint.clock",
        "chargepoint.settings",
    ),
    "chargepoint.local": (
        "chargepoint.local",
        "chargepoint.model",
        "chargepoint.check",
        "chargepoint.factory",
        "chargepoint.ledger_door",
        "chargepoint.settings",
        "chargepoint.settings_file",
    ),
    "chargepoint": ("chargepoint",),
    "sim": (
        "sim",
        "hal.spec",
        "hal.board",
        "hal.meter_map",
        "hal.errors",
        "hal.files",
        "chargepoint.settings",
        "chargepoint.settings_file",
        "chargepoint.board_settings",
    ),
}
"""Longest matching prefix wins. The process files may import anything."""

LIBRARIES = {
    "gpiozero": ("hal.gpio", "sim.rig"),
    "smbus2": ("hal.pilot", "hal.sensors", "hal.i2c", "sim.rig"),
    "pymodbus": ("hal.modbus_line", "sim"),
    "serial": ("hal.token_reader",),
    "websockets": ("chargepoint.csms.line", "sim"),
    "ocpp": ("sim",),
    "fastjsonschema": ("chargepoint.csms.schema", "sim"),
    "sqlite3": ("chargepoint.store",),
    "aiohttp": ("sim",),
}
"""A third-party library lives behind one file or folder."""

CONTROL_IS_FREE_OF = ("asyncio", "ssl", "http", "websockets", "pymodbus", "sqlite3", "ocpp")
LONGEST_FILE = 500
FACE_ONLY = {"face", "configuration", "keys", "dialect", "words", "payloads", "__init__"}


def module_of(file: Path) -> str:
    parts = list(file.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def without_type_checking(tree: ast.Module) -> ast.Module:
    """The module as it runs: what only a type checker imports is knowledge, but no circle."""
    tree.body = [node for node in tree.body if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")]
    return tree


def imports(file: Path, *, running: bool = False) -> Iterator[str]:
    tree = ast.parse(file.read_text())
    for node in ast.walk(without_type_checking(tree) if running else tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def within(name: str, prefixes: tuple[str, ...]) -> bool:
    return any(name == prefix or name.startswith(prefix + ".") for prefix in prefixes)


def rule_for(module: str) -> tuple[str, ...]:
    matching = [prefix for prefix in ALLOWED if within(module, (prefix,))]
    return ALLOWED[max(matching, key=len)]


@pytest.mark.parametrize("file", FILES, ids=module_of)
def test_imports_run_downward(file: Path) -> None:
    module = module_of(file)
    if module in PROCESS_FILES:
        return
    ours = [name for name in imports(file) if within(name, PACKAGES)]
    wrong = [name for name in ours if not within(name, rule_for(module))]
    assert not wrong, f"{module} may not import {wrong}"


@pytest.mark.parametrize("file", FILES, ids=module_of)
def test_each_library_lives_behind_one_door(file: Path) -> None:
    module = module_of(file)
    for name in imports(file):
        top = name.partition(".")[0]
        if top in LIBRARIES:
            assert within(module, LIBRARIES[top]), f"{module} imports {top}; only {LIBRARIES[top]} may"


@pytest.mark.parametrize("file", FILES, ids=module_of)
def test_no_file_is_a_giant(file: Path) -> None:
    assert len(file.read_text().splitlines()) <= LONGEST_FILE


@pytest.mark.parametrize("file", FILES, ids=module_of)
def test_each_file_says_what_it_is_for(file: Path) -> None:
    source = file.read_text()
    assert not source.strip() or ast.get_docstring(ast.parse(source)), f"{file} does not open with what it is for"


def test_no_circles() -> None:
    known = {module_of(file) for file in FILES}
    graph: dict[str, set[str]] = {}
    for file in FILES:
        targets = set()
        for name in imports(file, running=True):
            target = name if name in known else name.rpartition(".")[0]
            if target in known and target != module_of(file):
                targets.add(target)
        graph[module_of(file)] = targets
    done: set[str] = set()

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, f"circle: {' -> '.join([*path, module])}"
        if module in done:
            return
        for target in graph.get(module, ()):
            visit(target, (*path, module))
        done.add(module)

    for module in graph:
        visit(module, ())


@pytest.mark.parametrize("face", ["v16", "v2"])
def test_one_name_per_block(face: str) -> None:
    blocks = {file.stem for file in (ROOT / "chargepoint/station").glob("*.py")}
    named = {file.stem for file in (ROOT / "chargepoint/csms" / face).glob("*.py")} - FACE_ONLY
    assert named <= blocks, f"csms/{face} has {named - blocks}, which station/ does not"


def test_only_clock_calls_time() -> None:
    wrong = []
    for file in (ROOT / "chargepoint").rglob("*.py"):
        if file.name == "clock.py":
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call):
                name = ast.unparse(node.func)
                if re.fullmatch(
                    r"time\.\w+|asyncio\.(sleep|wait_for|timeout|timeout_at)|\w*loop\w*(\(\))?\.call_(later|at)|datetime\.(now|utcnow)", name
                ):
                    wrong.append(f"{module_of(file)}:{node.lineno} {name}")
    assert not wrong, wrong


def test_nothing_of_ours_imports_sim() -> None:
    for package in ("chargepoint", "hal"):
        for file in (ROOT / package).rglob("*.py"):
            assert not [name for name in imports(file) if within(name, ("sim", "tests"))], file


def test_control_names_nothing_it_must_be_free_of() -> None:
    for file in [*(ROOT / "chargepoint/control").glob("*.py"), ROOT / "chargepoint/control_process.py", ROOT / "chargepoint/selftest_process.py"]:
        wrong = [name for name in imports(file) if name.partition(".")[0] in CONTROL_IS_FREE_OF]
        assert not wrong, f"{file}: {wrong}"
