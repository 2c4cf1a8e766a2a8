"""Every variable of this station, declared in one go; and what the settings' factory values get wrong. Must not know what the variables do."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from chargepoint.model.variable import Key
from chargepoint.settings import Scalar, Settings
from chargepoint.station import (
    signing,
    variables_authorization,
    variables_communication,
    variables_infrastructure,
    variables_metering,
    variables_unoffered,
)
from chargepoint.station.device_model import DeviceModel
from chargepoint.store.variables import Variables

TABLES = (
    variables_infrastructure.rows,
    variables_communication.rows,
    variables_authorization.rows,
    variables_metering.rows,
    variables_unoffered.rows,
)


class Nowhere(Variables):
    """Keeps nothing: for looking at the declarations without a station."""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}

    def load(self) -> dict[str, str]:
        return {}

    def save(self, key: str, value: str) -> None:
        self._values[key] = value

    def remove(self, key: str) -> None:
        self._values.pop(key, None)

    def factory(self, key: str) -> str | None:
        return None

    def set_factory(self, key: str, value: str) -> None:
        return None


def build(
    variables: Variables,
    settings: Settings,
    factory16: Mapping[str, Scalar] | None = None,
    *,
    signs: Collection[int] = (),
    bays: Collection[int] = (),
) -> DeviceModel:
    """The device model of these settings. factory16: what [ocpp16.configuration] says, by variable; [ocpp2.variables] wins. signs: the EVSEs whose
    meter signs; bays: those with a bay sensor."""
    model = DeviceModel(variables, factory16)
    model.add_factory(settings.ocpp2.variables)
    declare(model, settings, signs, bays)
    return model


def declare(model: DeviceModel, settings: Settings, signs: Collection[int] = (), bays: Collection[int] = ()) -> None:
    """Declares all of them."""
    rows = [row for table in TABLES for row in table(settings)]
    rows += [*variables_authorization.points(settings, signs, bays), *variables_infrastructure.bays(bays), *(signing.rows(signs) if signs else ())]
    for spec, value in rows:
        model.declare(spec, value)


def factory_warnings(settings: Settings, model: DeviceModel | None = None) -> list[tuple[str, str]]:
    """(name, sentence) of every name in [ocpp2.variables] that no variable of this station has. model: with what was declared elsewhere too."""
    model = model or build(Nowhere(), settings)
    unknown = set(model.unknown_factory())
    return [(text, "is no variable of this station, so it has no effect") for text in settings.ocpp2.variables if text in unknown]


def factory_errors(settings: Settings, model: DeviceModel | None = None) -> list[tuple[str, str]]:
    """(name, sentence) of every factory value in [ocpp2.variables] that does not fit its variable."""
    model = model or build(Nowhere(), settings)
    return [(text, wrong) for text, wrong in model.wrong_factory() if text in settings.ocpp2.variables]


def set_twice(settings: Settings, factory16: Mapping[str, Scalar]) -> list[tuple[str, str]]:
    """(name, sentence) of variables that [ocpp16.configuration] (factory16, by variable) sets too; [ocpp2.variables] wins."""
    others = {_folded(text) for text in factory16}
    return [(text, "is also set by [ocpp16.configuration]; this one wins") for text in settings.ocpp2.variables if _folded(text) in others]


def _folded(text: str) -> Key | str:
    try:
        return Key.parse(text).folded()
    except ValueError:
        return text
