"""Variables of what the station is made of: station, EVSEs, connectors, and their parts that can fail (2.0.1 part 2, Referenced Components 2.13).

Must not know who reads them.
"""

from __future__ import annotations

from collections.abc import Collection

from chargepoint.model.fault import CATALOGUE
from chargepoint.model.variable import Key, Mutability, VariableSpec
from chargepoint.settings import Evse, Settings
from chargepoint.station.variables_rows import BOOLEAN, DECIMAL, INTEGER, OPTION, STRING, Row, fixed, settable, told

AVAILABILITY = ("Available", "Occupied", "Reserved", "Unavailable", "Faulted")
VOLT = 230
STATION = "ChargingStation"
PARTS = tuple(sorted({row.component for row in CATALOGUE.values()} - {STATION}))
"""Components whose Problem a fault tells."""


def rows(settings: Settings) -> list[Row]:
    found = [*_station(settings)]
    for evse in settings.evse:
        found += [*_evse(evse), _tripped(evse, settable=settings.control.csms_clears_residual_current)]
        for number, kind in enumerate(evse.connectors, 1):
            found += _connector(evse, number, kind)
    return found


def bays(evses: Collection[int]) -> list[Row]:
    """The bay sensors of these EVSEs (appendix 3.2.7)."""
    component = "BayOccupancySensor"
    return [
        row for evse in evses for row in (fixed(f"{component}@{evse}.Enabled", BOOLEAN, True), told(f"{component}@{evse}.Active", BOOLEAN, False))
    ]


def _station(settings: Settings) -> list[Row]:
    nameplate = settings.station
    return [
        fixed(f"{STATION}.Available", BOOLEAN, True),
        told(f"{STATION}.AvailabilityState", OPTION, "Available", values=AVAILABILITY),
        fixed(f"{STATION}.SupplyPhases", INTEGER, max(evse.phases for evse in settings.evse)),
        fixed(f"{STATION}.Model", STRING, nameplate.model, maximum=20),
        fixed(f"{STATION}.VendorName", STRING, nameplate.vendor, maximum=50),
        fixed(f"{STATION}.SerialNumber", STRING, nameplate.serial_number, maximum=25),
        fixed(f"{STATION}.AllowReset", BOOLEAN, True),
        told(f"{STATION}.Problem", BOOLEAN, False),
    ]


def _evse(evse: Evse) -> list[Row]:
    place = f"EVSE@{evse.id}"
    return [
        fixed(f"{place}.Available", BOOLEAN, True),
        told(f"{place}.AvailabilityState", OPTION, "Available", values=AVAILABILITY),
        told(f"{place}.Power", DECIMAL, 0, unit="W", maximum=evse.phases * VOLT * evse.max_current_a),
        fixed(f"{place}.SupplyPhases", INTEGER, evse.phases),
        fixed(f"{place}.AllowReset", BOOLEAN, True),
        told(f"{place}.Problem", BOOLEAN, False),
        *(told(f"{part}@{evse.id}.Problem", BOOLEAN, False) for part in PARTS),
    ]


def _tripped(evse: Evse, *, settable: bool) -> Row:
    """Written false it clears the trip; nothing is kept."""
    mutability = Mutability.READ_WRITE if settable else Mutability.READ_ONLY
    return Row(VariableSpec(key=Key("RCD", "Tripped", evse=evse.id), data_type=BOOLEAN, mutability=mutability), False)


def _connector(evse: Evse, number: int, kind: str) -> list[Row]:
    place = f"Connector@{evse.id}:{number}"
    return [
        fixed(f"{place}.Available", BOOLEAN, True),
        told(f"{place}.AvailabilityState", OPTION, "Available", values=AVAILABILITY),
        fixed(f"{place}.ConnectorType", STRING, kind, maximum=20),
        fixed(f"{place}.SupplyPhases", INTEGER, evse.phases),
        settable(f"{place}.PhaseRotation", STRING, "RST" if evse.phases == 3 else "Rxx", maximum=3),
        fixed(f"{place}.ChargeProtocol", STRING, "CPPWM"),
    ]
