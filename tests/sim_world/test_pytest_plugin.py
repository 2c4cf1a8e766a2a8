"""The fixtures as a project elsewhere uses them: the example of docs/simulator.md, in an empty directory, found by the entry point of the package."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

from tests.world import ROOT


def installed(site: Path) -> None:
    """What an installation of this package says of itself to pytest."""
    table = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["entry-points"]["pytest11"]
    info = site / "elsewhere-0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: elsewhere\nVersion: 0\n")
    (info / "entry_points.txt").write_text("[pytest11]\n" + "".join(f"{name} = {module}\n" for name, module in table.items()))


def example() -> str:
    """The first block of Python in the document's section on tests."""
    section = (ROOT / "docs" / "simulator.md").read_text("utf-8").split("## In your own tests", 1)[1]
    found = re.search(r"```python\n(.*?)```", section, re.DOTALL)
    assert found is not None
    return found[1]


def test_the_documented_example_runs_outside_the_project(tmp_path: Path) -> None:
    installed(tmp_path / "site")
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "test_example.py").write_text(example())
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path / "site"), str(ROOT)])}
    environment.pop("PYTEST_ADDOPTS", None)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_example.py"]
    ended = subprocess.run(command, cwd=tmp_path / "project", env=environment, capture_output=True, text=True, timeout=280, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert f"{example().count('def test_')} passed" in ended.stdout
