"""The fault catalogue: what each fault does, how it clears, and its words for OCPP and for people. Must not know how a fault is found."""

from __future__ import annotations

from enum import Enum, IntEnum
from typing import NamedTuple


class Effect(IntEnum):
    """The one effect of a fault, strongest first."""

    OPEN_NOW = 1
    WITHDRAW = 2
    LIMIT = 3
    NO_NEXT_CLOSING = 4
    TELL_ONLY = 5


class Clears(Enum):
    """How a fault goes. CAUSE_GONE: by itself when its cause has gone. UNPLUG: when its cause has gone and the pilot has been in A.
    PERSON: a person at the charger (or its owner) clears it, refused while the cause lasts. TEST: like PERSON, and only after a passed test."""

    CAUSE_GONE = "cause gone"
    UNPLUG = "unplug"
    PERSON = "person"
    TEST = "test"


class FaultKind(NamedTuple):
    """A row of the catalogue. code: OCPP 1.6 ChargePointErrorCode (7.6); mrec: minimum required error code (2.x techCode); latching faults
    outlive a restart of control; variable: the 2.x component.variable whose Problem a NotifyEvent tells."""

    name: str
    effect: Effect
    latching: bool
    clears: Clears
    code: str
    mrec: str
    component: str
    sentence: str
    next_step: str


_O, _W, _L, _N, _T = Effect.OPEN_NOW, Effect.WITHDRAW, Effect.LIMIT, Effect.NO_NEXT_CLOSING, Effect.TELL_ONLY

CATALOGUE: dict[str, FaultKind] = {
    row.name: row
    for row in (
        FaultKind(
            "diode",
            _O,
            False,
            Clears.UNPLUG,
            "EVCommunicationError",
            "CX010",
            "ControlPilot",
            "The car's pilot diode is missing or bypassed.",
            "Try another car; if it stays, check the pilot wire for a connection to earth through a resistor.",
        ),
        FaultKind(
            "pilot_short",
            _O,
            False,
            Clears.CAUSE_GONE,
            "EVCommunicationError",
            "CX014",
            "ControlPilot",
            "The control pilot is shorted to earth.",
            "Unplug the cable; check it and the socket for moisture and damage.",
        ),
        FaultKind(
            "pilot_implausible",
            _O,
            False,
            Clears.CAUSE_GONE,
            "EVCommunicationError",
            "CX014",
            "ControlPilot",
            "The control pilot shows a level that no car makes.",
            "Unplug and plug in again; check cable, socket and the pilot circuit's supply.",
        ),
        FaultKind(
            "pilot_lost",
            _O,
            False,
            Clears.CAUSE_GONE,
            "InternalError",
            "CX014",
            "ControlPilot",
            "The control pilot cannot be read or driven.",
            "Check the ADC's bus and the PWM overlay of the board.",
        ),
        FaultKind(
            "residual_current",
            _O,
            True,
            Clears.PERSON,
            "GroundFailure",
            "CX002",
            "ElectricalFeed",
            "A residual current was detected.",
            "Check car, cable and installation for an insulation fault, then clear the fault at the charger.",
        ),
        FaultKind(
            "residual_test_failed",
            _N,
            True,
            Clears.TEST,
            "GroundFailure",
            "CX002",
            "ElectricalFeed",
            "The residual-current device did not pass its test.",
            "Check the wiring of the residual-current device; clear the fault to test again.",
        ),
        FaultKind(
            "emergency_stop",
            _O,
            False,
            Clears.CAUSE_GONE,
            "OtherError",
            "CX008",
            "ChargingStation",
            "The emergency stop is pressed.",
            "Release the emergency stop when it is safe.",
        ),
        FaultKind(
            "contactor_welded",
            _O,
            True,
            Clears.TEST,
            "PowerSwitchFailure",
            "CX017",
            "PowerContactor",
            "The contactor did not open: a contact is welded, or its mirror contact is broken.",
            "Cut the supply and replace the contactor, then clear the fault.",
        ),
        FaultKind(
            "outputs_contradicted",
            _O,
            False,
            Clears.UNPLUG,
            "InternalError",
            "CX017",
            "PowerContactor",
            "Coil or pilot do not show what was commanded.",
            "Check the board's coil driver and pilot circuit; if it comes again, keep the log and replace the board.",
        ),
        FaultKind(
            "contactor_stuck_open",
            _N,
            False,
            Clears.UNPLUG,
            "PowerSwitchFailure",
            "CX017",
            "PowerContactor",
            "The contactor did not close.",
            "Check the coil's supply, the relay supply's feed and the mirror contact.",
        ),
        FaultKind(
            "contactor_l23_welded",
            _O,
            True,
            Clears.TEST,
            "PowerSwitchFailure",
            "CX017",
            "PowerContactor",
            "The contactor of phases 2 and 3 did not open: a contact is welded, or its mirror contact is broken.",
            "Cut the supply and replace the second contactor, then clear the fault.",
        ),
        FaultKind(
            "contactor_l23_stuck_open",
            _N,
            False,
            Clears.UNPLUG,
            "PowerSwitchFailure",
            "CX017",
            "PowerContactor",
            "The contactor of phases 2 and 3 did not close, or dropped out.",
            "Check the second coil's supply and its mirror contact.",
        ),
        FaultKind(
            "phases_missing",
            _T,
            False,
            Clears.UNPLUG,
            "PowerSwitchFailure",
            "CX017",
            "PowerContactor",
            "After the change to three phases current flows on one only.",
            "Check the second contactor and the supply of phases 2 and 3; it is not tried again with this car plugged in.",
        ),
        FaultKind(
            "lock_failed",
            _N,
            False,
            Clears.UNPLUG,
            "ConnectorLockFailure",
            "CX001",
            "ConnectorPlugRetentionLock",
            "The socket did not lock the plug.",
            "Push the plug in fully; check the lock's motor and feedback.",
        ),
        FaultKind(
            "lock_lost",
            _O,
            False,
            Clears.UNPLUG,
            "ConnectorLockFailure",
            "CX025",
            "ConnectorPlugRetentionLock",
            "The socket lost its lock while charging.",
            "Check the lock's feedback switch and its wiring.",
        ),
        FaultKind(
            "unlock_failed",
            _T,
            False,
            Clears.CAUSE_GONE,
            "ConnectorLockFailure",
            "CX001",
            "ConnectorPlugRetentionLock",
            "The socket did not release the plug.",
            "Take the strain off the plug and unlock again; use the emergency release.",
        ),
        FaultKind(
            "proximity_missing",
            _N,
            False,
            Clears.CAUSE_GONE,
            "OtherError",
            "CX023",
            "CableProximity",
            "The cable's coding resistor cannot be read, so no current is offered.",
            "Push the plug in fully or use another cable.",
        ),
        FaultKind(
            "proximity_changed",
            _W,
            False,
            Clears.UNPLUG,
            "OtherError",
            "CX023",
            "CableProximity",
            "The cable's coding changed while charging.",
            "Use another cable; check the proximity contact of the socket.",
        ),
        FaultKind(
            "over_temperature",
            _W,
            False,
            Clears.CAUSE_GONE,
            "HighTemperature",
            "CX003",
            "TemperatureSensor",
            "The charger is too hot.",
            "Let it cool down; check ventilation, sun and terminals.",
        ),
        FaultKind(
            "temperature_sensor_lost",
            _L,
            False,
            Clears.CAUSE_GONE,
            "InternalError",
            "CX003",
            "TemperatureSensor",
            "The temperature sensor does not answer.",
            "Check the sensor's address and wiring.",
        ),
        FaultKind(
            "over_current",
            _W,
            False,
            Clears.UNPLUG,
            "OverCurrentFailure",
            "CX004",
            "ElectricalFeed",
            "The car drew more current than offered.",
            "Try another car; check the meter's wiring.",
        ),
        FaultKind(
            "over_voltage",
            _W,
            False,
            Clears.CAUSE_GONE,
            "OverVoltage",
            "CX005",
            "ElectricalFeed",
            "The supply's voltage is too high.",
            "Measure the voltage at the terminals; look for a lost neutral.",
        ),
        FaultKind(
            "under_voltage",
            _W,
            False,
            Clears.CAUSE_GONE,
            "UnderVoltage",
            "CX006",
            "ElectricalFeed",
            "The supply's voltage is too low.",
            "Measure the voltage at the terminals under load; check clamps and the cross-section of the line.",
        ),
        FaultKind(
            "phase_loss",
            _W,
            False,
            Clears.CAUSE_GONE,
            "UnderVoltage",
            "CX015",
            "ElectricalFeed",
            "A phase of the supply is missing.",
            "Check the fuses and the clamps of all phases, and the contactor's poles.",
        ),
        FaultKind(
            "meter_silent",
            _L,
            False,
            Clears.CAUSE_GONE,
            "PowerMeterFailure",
            "CX018",
            "FiscalMetering",
            "The energy meter says nothing new, so the current is limited to 6 A.",
            "Check the meter's supply, address, baud rate, wiring and terminator.",
        ),
        FaultKind(
            "meter_long_silent",
            _W,
            False,
            Clears.CAUSE_GONE,
            "PowerMeterFailure",
            "CX018",
            "FiscalMetering",
            "The energy meter has said nothing new for long, so nothing is offered.",
            "Check the meter's supply, address, baud rate, wiring and terminator.",
        ),
        FaultKind(
            "protective_earth_lost",
            _O,
            False,
            Clears.CAUSE_GONE,
            "GroundFailure",
            "CX002",
            "ElectricalFeed",
            "The protective earth is missing.",
            "Do not use the charger; check the protective conductor up to the main earthing terminal.",
        ),
        FaultKind(
            "ventilation",
            _N,
            False,
            Clears.CAUSE_GONE,
            "EVCommunicationError",
            "CX010",
            "ControlPilot",
            "The car asks for ventilation, which this charger has not.",
            "Use a charger with ventilation.",
        ),
        FaultKind(
            "retries_used_up",
            _N,
            False,
            Clears.UNPLUG,
            "OtherError",
            "CX010",
            "PowerContactor",
            "Faults have interrupted this session too often, so it is not tried again.",
            "Unplug the car; look at the faults told before this one.",
        ),
        FaultKind(
            "meter_lost",
            _T,
            False,
            Clears.CAUSE_GONE,
            "PowerMeterFailure",
            "CX018",
            "FiscalMetering",
            "The energy meter does not answer.",
            "Check the meter's address, baud rate, wiring and terminator.",
        ),
        FaultKind(
            "reader_lost",
            _T,
            False,
            Clears.CAUSE_GONE,
            "ReaderFailure",
            "CX018",
            "TokenReader",
            "The card reader does not answer.",
            "Check the reader's serial adapter and wiring.",
        ),
    )
}
