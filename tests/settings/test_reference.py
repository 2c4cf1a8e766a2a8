"""The generated documents are what the code says now."""

from __future__ import annotations

import tomllib
from pathlib import Path

import msgspec
import pytest

from chargepoint.local.reference import DOCUMENTS, ROOT, example
from chargepoint.settings import Settings


@pytest.mark.parametrize("name", DOCUMENTS)
def test_generated_document_is_current(name: str) -> None:
    assert (ROOT / name).read_text(encoding="utf-8") == DOCUMENTS[name](), f"{name} is old: run `make docs`"


def test_example_uncommented_is_the_default(tmp_path: Path) -> None:
    lines = [line[2:] if line.startswith("# ") and " = " in line else line for line in example().splitlines()[2:]]
    lines = [line for line in lines if not line.startswith("configuration =") and not line.startswith("variables =")]
    assert msgspec.convert(tomllib.loads("\n".join(lines)), Settings) == Settings()
