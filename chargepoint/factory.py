"""Factory values of the settings against the device model, and against what a CSMS changed later. Used by `check` and `settings adopt`.

Looks at the station's declarations and, where there is one, at its store: through the station while it runs, else at the file.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from chargepoint.csms.v16 import configuration
from chargepoint.local.ask import NotRunning, ask
from chargepoint.settings import Settings
from chargepoint.station import variables as declarations
from chargepoint.station.device_model import DeviceModel, Edited
from chargepoint.store.db import StoreError
from chargepoint.store.variables import Variables
from chargepoint.store_door import opened, store_file

Remark = tuple[tuple[str, str, str], str]
"""(table, key of the table, name), sentence."""

V16 = ("ocpp16", "configuration")
V2 = ("ocpp2", "variables")


class StoreHeld(Exception):
    """A station runs, so its store is its alone, but it does not answer here; the message says why."""


class Asked(Variables):
    """What a CSMS set in the device model, asked of the running station. Raises NotRunning."""

    def __init__(self) -> None:
        self._kept: dict[str, list[str | None]] = ask({"kept": True})
        if "error" in self._kept:
            raise NotRunning("the station that runs is another version than this command; restart it")

    def load(self) -> dict[str, str]:
        return {key: value for key, (value, _) in self._kept.items() if value is not None}

    def factory(self, key: str) -> str | None:
        return self._kept.get(key, [None, None])[1]

    def remove(self, key: str) -> None:
        ask({"forget": key})


class Judgement(NamedTuple):
    errors: list[Remark]
    warnings: list[Remark]


def model_of(settings: Settings, store: Variables, signs: Collection[int] = (), bays: Collection[int] = ()) -> DeviceModel:
    """The device model as the station declares it. signs: the EVSEs whose meter signs; bays: those with a bay sensor."""
    model = declarations.build(store, settings, configuration.factory(settings.ocpp16.configuration).variables, signs=signs, bays=bays)
    configuration.declare(model, settings)
    return model


def _model_of_any(settings: Settings, store: Variables) -> DeviceModel:
    """With what only a meter that signs and a bay sensor have, too: what is wired is not looked at here."""
    every = [evse.id for evse in settings.evse]
    return model_of(settings, store, every, every)


def judge(settings: Settings) -> Judgement:
    """Wrong values are errors; unknown names, and one variable set by both tables, are warnings."""
    given = configuration.factory(settings.ocpp16.configuration)
    model = _model_of_any(settings, declarations.Nowhere())
    errors: list[Remark] = [((*V16, name), text) for name, text in given.wrong]
    misfits = [(given.keys[name], text) for name, text in model.wrong_factory() if name in given.keys and name not in settings.ocpp2.variables]
    errors += [((*V16, key), text) for key, text in dict(misfits).items()]
    errors += [((*V2, name), text) for name, text in declarations.factory_errors(settings, model)]
    warnings: list[Remark] = [((*V16, name), "is no OCPP 1.6 configuration key of this station, so it has no effect") for name in given.unknown]
    warnings += [((*V2, name), text) for name, text in declarations.factory_warnings(settings, model)]
    warnings += [((*V2, name), text) for name, text in declarations.set_twice(settings, given.variables)]
    return Judgement(errors, warnings)


def edited(settings: Settings) -> list[Edited]:
    """Values edited in the file after the CSMS changed them; empty when this machine has no store. Raises StoreHeld."""
    with _store() as store:
        return [] if store is None else _model_of_any(settings, store).edited()


def adopt(settings: Settings, key: str) -> bool:
    """The file's value holds again from the station's next start; False when the CSMS had not changed it. Raises KeyError, ValueError or
    StoreHeld."""
    with _store() as store:
        return store is not None and _model_of_any(settings, store).adopt(key)


@contextmanager
def _store() -> Iterator[Variables | None]:
    """The store's file, or the station that runs and has it for itself."""
    file = store_file()
    if not file.exists():
        yield None
        return
    try:
        db = opened(file)
    except StoreError as held:
        yield _asked(held)
        return
    try:
        yield Variables(db)
    finally:
        db.close()


def _asked(held: StoreError) -> Asked:
    try:
        return Asked()
    except NotRunning as trouble:
        raise StoreHeld(f"{held}; {trouble}") from None
