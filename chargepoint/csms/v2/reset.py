"""2.0.1 B11 and B12: Reset, in messages. Must not know what a reset does."""

from __future__ import annotations

from chargepoint.csms.face import Heard, Payload, StationView
from chargepoint.csms.v2.payloads import Hear
from chargepoint.csms.v2.words import obeyed
from chargepoint.model.orders import Reset, ResetKind


async def _reset(view: StationView, payload: Payload) -> Heard:
    return await obeyed(view, Reset(ResetKind(payload["type"]), payload.get("evseId")))


HEARS: dict[str, Hear] = {"Reset": _reset}
