"""What the station reports of itself: to the local socket, for people and programs. Must not know who asks, nor change anything."""

from __future__ import annotations

import os
from typing import Any

import msgspec

from chargepoint.model.fault import CATALOGUE
from chargepoint.model.session import State
from chargepoint.station.core import Core
from chargepoint.station.reason import Reason, Situation, reason


class Report:
    """firmware_version: of the package, or as the settings say."""

    def __init__(self, core: Core, firmware_version: str) -> None:
        self._core = core
        self._version = firmware_version

    def status(self) -> dict[str, Any]:
        """Everything, as plain JSON values."""
        core = self._core
        figures = core.hardware.figures if core.hardware.present else None
        registration = core.backend.registration
        return {
            "connected": core.backend.face is not None,
            "ocpp": core.backend.subprotocol if core.backend.face is not None else None,
            "registration": registration.value.lower() if registration else None,
            "backend": core.backend.state.value,
            "facts_waiting": core.outbox.waiting() + core.sessions.ends_near(),
            "facts_given_up": core.outbox.given_up(),
            "rows_damaged": core.storage.damaged.count(),
            "pids": {"control": figures.pid if figures else None, "station": os.getpid()},
            "loop": _loop(msgspec.to_builtins(figures)) if figures else None,
            "firmware_version": self._version,
            "time_known": core.clock.wall_known(),
            "store": core.db.trouble,
            "connectors": [self._connector(evse.id, number) for evse in core.settings.evse for number in range(1, len(evse.connectors) + 1)],
        }

    def why(self, evse: int) -> Reason:
        """The leading cause of no current, or not more, at an EVSE."""
        return reason(self._situation(evse))

    def _connector(self, evse: int, connector: int) -> dict[str, Any]:
        core = self._core
        why = self.why(evse)
        row = core.sessions.row(evse)
        state = core.hardware.state(evse)
        return {
            "evse": evse,
            "connector": connector,
            "status": core.connectors.status(evse, connector).value,
            "transaction": next((one.running.id for one in reversed(core.sessions.at(evse)) if one.running is not None), None),
            "limit_a": state.offered_a if state is not None else 0.0,
            "permitted_a": core.offer.limit(evse).limit_a,
            "reason": why.word,
            "sentence": why.sentence,
            "faults": list(core.connectors.faults(evse)),
            "fault_sentences": [CATALOGUE[fault].sentence for fault in core.connectors.faults(evse)],
            "vehicle": core.vehicles.of(row).name if row is not None else None,
            "phases": state.phases if state is not None else None,
            "phase_switches": row.phase_switches if row is not None else 0,
            "wake": {
                "doing": core.vehicles.doing(evse).value,
                "steps": row.wake_steps if row is not None else 0,
                "interruptions": row.interruptions if row is not None else 0,
            },
            "contactor": {"closings": state.closings, "openings_under_load": state.openings_under_load} if state is not None else None,
            "residual_test": {"at": state.tested_at, "passed": state.test_passed} if state is not None else None,
            "session": row.state.value if row is not None else State.IDLE.value,
        }

    def _situation(self, evse: int) -> Situation:
        core = self._core
        state = core.hardware.state(evse)
        row = core.sessions.row(evse)
        limit = core.offer.limit(evse)
        return Situation(
            control=core.hardware.present,
            faults=core.connectors.faults(evse),
            store=core.db.trouble,
            testing=state is not None and state.testing,
            operative=core.availability.operative(evse, 1),
            reserved=core.connectors.reserved(evse),
            may_begin=core.may_begin(),
            online=core.backend.accepted,
            state=row.state if row is not None else State.IDLE,
            interrupted=row is not None and row.interrupted,
            held=row is not None and row.hold,
            by_button=evse in core.edges.buttons and not core.authorization.needed(),
            limit_a=limit.limit_a,
            limit_owner=limit.owner,
            permitted=state is not None and state.permit,
            offered_a=state.offered_a if state is not None else 0.0,
            wake=core.vehicles.doing(evse).value,
            switching=state is not None and state.switching,
            phases=state.phases if state is not None else 3,
            cap=state.offer_limit_by if state is not None else "",
        )


def _loop(figures: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in figures.items() if name not in ("pid", "type")}
