"""The station's store as a command opens it: with what a killed station left beside it, while none runs. Must not know what is in it.

Storage that fails is not borne here: a command that cannot read the store must say so, and never answer from an empty one.
"""

from __future__ import annotations

import os
from pathlib import Path

from chargepoint.clock import Clock
from chargepoint.store.db import Db

PATIENCE_S = 0.2


def store_file() -> Path:
    """Where it lies on this machine; it need not be there."""
    return _directory("STATE_DIRECTORY", "/var/lib/chargepoint") / "station.db"


def opened(file: Path) -> Db:
    """Raises StoreError: a station runs and has it for itself, or it cannot be read."""
    runtime = _directory("RUNTIME_DIRECTORY", "/run/chargepoint")
    return Db(file, alone=True, bears=False, runtime=runtime, boot=Clock().boot_id(), patience_s=PATIENCE_S)


def _directory(variable: str, otherwise: str) -> Path:
    return Path(os.environ.get(variable, otherwise).split(":")[0])
