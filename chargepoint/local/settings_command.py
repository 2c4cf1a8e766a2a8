"""`chargepoint settings adopt KEY`: the file's value where the CSMS changed it. Must not know how values are kept."""

from __future__ import annotations

import sys
from pathlib import Path

from chargepoint import factory
from chargepoint.settings_file import SettingsError, load


def adopt(config: Path, key: str) -> int:
    """0: the file's value holds from the station's next start; 1: it could not."""
    try:
        changed = factory.adopt(load(config), key)
    except (SettingsError, factory.StoreHeld) as error:
        print(error, file=sys.stderr)
        return 1
    except (KeyError, ValueError):
        print(f"{key} is no variable of this station; write it as Component[instance]@evse:connector.Variable[instance]", file=sys.stderr)
        return 1
    print(
        f"{key}: the file's value holds from the station's next start" if changed else f"{key}: the CSMS has not changed it; the file's value holds"
    )
    return 0
