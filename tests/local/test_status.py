"""`chargepoint status` as lines for a person."""

from __future__ import annotations

from typing import Any

from chargepoint.local.status_command import text

PLAIN: dict[str, Any] = {"connected": False, "facts_waiting": 0, "store": None, "connectors": []}


def test_storage_that_fails_stands_in_the_report() -> None:
    assert "storage" not in text(PLAIN)
    said = text({**PLAIN, "store": "disk I/O error"})
    assert "storage: nothing can be written (disk I/O error); sessions are kept in memory" in said.splitlines()
