"""Factory values of the settings against the device model, and against what a CSMS changed later. Used by `check` and `settings adopt`.

Must not know a running station: it looks at its declarations and, where there is one, at its store.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from chargepoint.csms.v16 import configuration
from chargepoint.settings import Settings
from chargepoint.station import variables as declarations
from chargepoint.station.device_model import DeviceModel, Edited
from chargepoint.store.db import Db
from chargepoint.store.variables import Variables

Remark = tuple[tuple[str, str, str], str]
"""(table, key of the table, name), sentence."""

V16 = ("ocpp16", "configuration")
V2 = ("ocpp2", "variables")


class Judgement(NamedTuple):
    errors: list[Remark]
    warnings: list[Remark]


def model_of(settings: Settings, store: Variables) -> DeviceModel:
    """The device model as the station declares it."""
    model = declarations.build(store, settings, configuration.factory(settings.ocpp16.configuration).variables)
    configuration.declare(model, settings)
    return model


def judge(settings: Settings) -> Judgement:
    """Wrong values are errors; unknown names, and one variable set by both tables, are warnings."""
    given = configuration.factory(settings.ocpp16.configuration)
    model = model_of(settings, declarations.Nowhere())
    errors: list[Remark] = [((*V16, name), text) for name, text in given.wrong]
    errors += [((*V2, name), text) for name, text in declarations.factory_errors(settings, model)]
    warnings: list[Remark] = [((*V16, name), "is no OCPP 1.6 configuration key of this station, so it has no effect") for name in given.unknown]
    warnings += [((*V2, name), text) for name, text in declarations.factory_warnings(settings, model)]
    warnings += [((*V2, name), text) for name, text in declarations.set_twice(settings, given.variables)]
    return Judgement(errors, warnings)


def edited(settings: Settings) -> list[Edited]:
    """Values edited in the file after the CSMS changed them; empty when this machine has no store."""
    with _store() as store:
        return [] if store is None else model_of(settings, store).edited()


def adopt(settings: Settings, key: str) -> bool:
    """The file's value holds again from the station's next start; False when the CSMS had not changed it. Raises KeyError or ValueError."""
    with _store() as store:
        return store is not None and model_of(settings, store).adopt(key)


@contextmanager
def _store() -> Iterator[Variables | None]:
    file = Path(os.environ.get("STATE_DIRECTORY", "/var/lib/chargepoint/station")) / "station.db"
    if not file.exists():
        yield None
        return
    db = Db(file)
    try:
        yield Variables(db)
    finally:
        db.close()
