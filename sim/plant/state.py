"""One EVSE as the world's state shows it, and as its meter sees it. Must not change anything (energy is only booked up to now)."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any

from sim.plant.faults import OUTSIDE
from sim.plant.power import FREQUENCY_HZ, NONE

if TYPE_CHECKING:
    from sim.plant.evse import Plant


def state(plant: Plant) -> dict[str, Any]:
    """An entry of `evses` in the world's state."""
    plant.book()
    wire, contactor, lock, power = plant.pilot.wire, plant.contactor, plant.lock, plant.power_path
    ohm = plant.pp_ohm()
    outlet = power.outlet_v()
    return {
        "id": plant.settings.id,
        "plugged": plant.plugged,
        "connector": plant.connector,
        "pilot": {
            "state": wire.word,
            "high_v": round(wire.high_v, 2),
            "low_v": round(wire.low_v, 2),
            "duty_percent": round(wire.duty * 100.0, 2),
        },
        "contactor": "closed" if any(contactor.contacts) else "open",
        "coil": contactor.energised,
        "relay_supply": plant.supply.up and not plant.relay_lost,
        "contacts": list(contactor.contacts),
        "mirror": "closed" if contactor.mirror_closed() else "open",
        "contactor_l23": _second(plant),
        "breaker": plant.breaker_word(),
        "lock": None if plant.tethered else lock.word(),
        "lock_feedback": None if plant.tethered else "locked" if lock.feedback() else "unlocked",
        "outlet_v": [round(volts, 1) for volts in outlet],
        "phases_connected": sum(volts > 0.0 for volts in outlet),
        "rcd": {"leak_ma": plant.rcd.leak_ma, "tripped": plant.rcd.tripped, "testing": plant.rcd.testing},
        "pp_ohm": None if ohm == inf else ohm,
        "temperatures_c": {"inside": round(plant.heat.inside_c(), 2)},
        "current_a": [round(amps, 3) for amps in power.current_a],
        "power_w": round(power.power_w(), 2),
        "energy_wh": round(power.energy_wh(), 4),
        "cycles": {"coil": contactor.cycles, "under_load": plant.under_load},
        "ev": plant.car.state() if plant.car is not None else None,
        "lamp": dict(plant.lamp),
        "bay": "occupied" if plant.bay is not None and plant.bay.occupied else "vacant" if plant.bay is not None else None,
        "faults": plant.faults.names(),
    }


def _second(plant: Plant) -> dict[str, Any] | None:
    """The second contactor, None where there is none."""
    second = plant.contactor_l23
    if second is None:
        return None
    return {
        "coil": second.energised,
        "contacts": list(second.contacts[1:]),
        "mirror": "closed" if second.mirror_closed() else "open",
        "cycles": second.cycles,
    }


def meter(plant: Plant) -> dict[str, Any]:
    """What the EVSE's meter measures, at its position before or after the contactor, and the faults laid on it."""
    power = plant.power_path
    after = plant.settings.meter_position == "after"
    faults = [name for name in plant.faults.names() if name in OUTSIDE]
    energised = plant.live() if after else power.mains
    return {
        "voltage_v": list(power.outlet_v() if after else power.mains_v()),
        "current_a": list(power.current_a if energised else NONE),
        "power_w": list(power.phase_w()),
        "energy_wh": power.energy_wh(),
        "frequency_hz": FREQUENCY_HZ if energised else 0.0,
        "answering": energised and "meter_offline" not in faults,
        "faults": faults,
    }
