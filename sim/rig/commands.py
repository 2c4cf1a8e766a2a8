"""What the world may ask of the rig: power, cars, faults, and what is to be seen. Must not know how a command travels.

A command that cannot be is refused with a status word: "unknown" (no such EVSE, fault or vehicle), "conflict" (not now), "wrong" (arguments).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import msgspec

from chargepoint.settings_file import SettingsError
from sim.plant import state, timings
from sim.plant.evse import Plant
from sim.plant.faults import Details
from sim.rig.board import Board

Keys = dict[str, Any]
WORDS = {"KILL": "killed", "STOP": "stopped", "HANG": "hung", "CONT": "running"}
GONE = frozenset({"killed", "stopped", "hung"})
Refused = Literal["unknown", "conflict", "wrong"]


class Refusal(Exception):
    """A command was refused; status says how."""

    def __init__(self, status: Refused, text: str) -> None:
        super().__init__(text)
        self.status = status


class Commands:
    """names: the table that resolves "sim:..." ports for the firmware; cut_off ends the firmware's connections when the power goes."""

    def __init__(self, board: Board, names: dict[str, str], cut_off: Callable[[], None]) -> None:
        self._board = board
        self._names = names
        self._cut_off = cut_off
        self._acts: dict[str, Callable[..., Any]] = {
            "power": self.power,
            "plug_in": self.plug_in,
            "unplug": self.unplug,
            "ev_unplug": self.ev_unplug,
            "ev_plug": self.ev_plug,
            "ev": self.ev,
            "fault": self.fault,
            "clear": self.clear,
            "bay": self.bay,
            "button": self.button,
            "breaker": self.breaker,
            "state": self.state,
            "timings": self.timings,
            "timings_reset": self.timings_reset,
            "violations": self.violations,
            "violations_reset": self.violations_reset,
            "meter": self.meter,
            "process": self.process,
            "energy": self.energy,
            "names": self.names,
        }

    def run(self, name: str, arguments: Keys) -> Any:
        """Carries out a command. Raises Refusal."""
        act = self._acts.get(name)
        if act is None:
            raise Refusal("unknown", f"no command {name!r}")
        try:
            return act(**arguments)
        except KeyError as error:
            raise Refusal("unknown", str(error.args[0])) from error
        except ValueError as error:
            raise Refusal("wrong" if isinstance(error, msgspec.ValidationError) else "conflict", str(error)) from error
        except (TypeError, SettingsError) as error:
            raise Refusal("wrong", str(error)) from error

    def power(self, on: bool, mains: bool = True) -> Keys:
        """Gives or cuts the power. Already so: changed is false. mains: whether they reach the contactors of a board that gets power."""
        changed = on != self._board.on
        if changed:
            if not on:
                self._cut_off()
            self._board.power(on, mains)
        return {"changed": changed}

    def plug_in(self, evse: int, connector: int = 1, ev: Keys | None = None) -> Keys:
        self._plant(evse).plug_in(connector, ev or {})
        return {"changed": True}

    def unplug(self, evse: int, connector: int = 1) -> Keys:
        return {"changed": self._plant(evse).unplug(connector)}

    def ev_unplug(self, evse: int) -> Keys:
        return {"changed": self._plant(evse).ev_unplug()}

    def ev_plug(self, evse: int) -> Keys:
        return {"changed": self._plant(evse).ev_plug()}

    def ev(self, evse: int, changes: Keys) -> Keys:
        self._plant(evse).change_ev(changes)
        return {"changed": True}

    def fault(
        self,
        evse: int,
        fault: str,
        phase: int | None = None,
        value: float | None = None,
        after_ms: float | None = None,
        for_ms: float | None = None,
        poles: list[int] | None = None,
    ) -> Keys:
        if phase not in (None, 1, 2, 3) or not set(poles or ()) <= {1, 2, 3}:
            raise TypeError("phase and poles are 1, 2 or 3")
        details = Details(phase, None if value is None else float(value), tuple(poles or ()))
        self._plant(evse).faults.lay(fault, details, float(after_ms or 0.0), None if for_ms is None else float(for_ms))
        return {"changed": True}

    def clear(self, evse: int, fault: str) -> Keys:
        """Takes a fault away (the technician's key is the firmware's affair)."""
        return {"changed": self._plant(evse).faults.lift(fault)}

    def bay(self, evse: int, occupied: bool = True) -> Keys:
        plant = self._plant(evse)
        if plant.bay is None:
            raise Refusal("conflict", "this board has no bay sensor; [board.sim] bay_sensor = true gives it one")
        changed = plant.bay.stands(occupied)
        if changed:
            plant.changed("bay", occupied=occupied)
        return {"changed": changed}

    def button(self, evse: int) -> Keys:
        button = self._plant(evse).button
        if button is None:
            raise Refusal("conflict", "this board has no button; [board.sim] start_button = true gives it one")
        return {"changed": button.press()}

    def breaker(self, evse: int, closed: bool = True) -> Keys:
        breaker = self._plant(evse).breaker
        if breaker is None:
            raise Refusal("conflict", "this board has no breaker; [board.sim] shunt_trip = true gives it one")
        return {"changed": breaker.turn(closed)}

    def state(self) -> Keys:
        return {"evses": [state.state(plant) for plant in self._plants()]}

    def timings(self, each: bool = False) -> Keys:
        """A row per cause; with `each` every reaction."""
        reactions = [(plant, reaction) for plant in self._plants() for reaction in plant.timings.reactions]
        if each:
            ordered = sorted(reactions, key=lambda pair: pair[1].at)
            return {"timings": [reaction.shown() | {"evse": plant.settings.id} for plant, reaction in ordered]}
        return {"timings": timings.table([reaction for _, reaction in reactions])}

    def timings_reset(self) -> Keys:
        for plant in self._plants():
            plant.timings.reset()
        return {"changed": True}

    def violations(self) -> Keys:
        """What was seen that must not be, oldest first."""
        found = [violation for plant in self._plants() for violation in plant.judge.violations]
        return {"violations": sorted(found, key=lambda violation: float(violation["at_s"]))}

    def violations_reset(self) -> Keys:
        for plant in self._plants():
            plant.judge.violations.clear()
        return {"changed": True}

    def meter(self, evse: int) -> Keys:
        return state.meter(self._plant(evse))

    def process(self, name: str, state: str) -> Keys:
        """A firmware process was "killed", "stopped" or "hung", or is "running" again (or the signal's word: KILL, STOP, HANG, CONT); any other
        word changes nothing. Control counts as running again by itself when it reads the pilot."""
        word = WORDS.get(state, state)
        for plant in self._plants():
            if name == "station" and (word in GONE or word == "running"):
                plant.timings.station_gone = word != "running"
            elif name == "control" and word in GONE:
                plant.control_lost(word)
            elif name == "control" and word == "running":
                plant.control_back()
        return {"changed": True}

    def energy(self, evse: int, wh: float) -> Keys:
        """Sets the meter's register."""
        self._plant(evse).power_path.set_register(wh)
        return {"changed": True}

    def names(self, **names: str) -> Keys:
        """What "sim:NAME" ports stand for: a path, or host:port."""
        self._names.update(names)
        return {"changed": True}

    def _plant(self, evse: int) -> Plant:
        plant = self._board.plants.get(evse)
        if plant is None:
            raise KeyError(f"no EVSE {evse}")
        return plant

    def _plants(self) -> list[Plant]:
        return list(self._board.plants.values())
