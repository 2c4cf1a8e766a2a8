"""Reset (OCPP 1.6 5.14). Must not reset anything."""

from __future__ import annotations

from chargepoint.csms.face import Heard, Payload, StationView
from chargepoint.model.orders import Reset, ResetKind


async def reset(view: StationView, payload: Payload) -> Heard:
    """Soft or Hard; 1.6 has no word for later: what is scheduled is accepted."""
    answer = await view.obey(Reset(ResetKind(payload["type"])))
    return Heard({"status": "Rejected" if answer.status == "Rejected" else "Accepted"}, answer.then)
