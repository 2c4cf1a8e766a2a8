"""Words that several blocks of OCPP 1.6 share: lengths, times, idTags and connectors. Must not know messages."""

from __future__ import annotations

from math import floor
from typing import Any

from chargepoint.csms.face import Payload, Place, StationView
from chargepoint.model.idtoken import AuthorizationStatus, IdToken, IdTokenInfo, IdTokenType
from chargepoint.model.stamp import Stamp, from_rfc3339, to_rfc3339

ID_TAG = 20  # 7.28 IdToken: CiString20Type
REGISTER_DIGITS = 3
"""Of a register in Wh; what lies behind is how a meter's floating point happens to come out."""
STATUSES = {word.value: word for word in AuthorizationStatus}


def time_text(view: StationView, at: Stamp) -> str:
    """A fact's time, as best known now."""
    return to_rfc3339(view.wall_of(at))


def whole_wh(register_wh: float | None) -> int:
    """A register in whole Wh, always rounded down, so that no value is less than one told before. A floating-point 0.019 kWh is
    18.9999994 Wh and means 19."""
    return floor(round(register_wh or 0.0, REGISTER_DIGITS))


def id_tag(token: IdToken | None) -> str:
    """What 1.6 has room for; empty when nobody was authorized."""
    return "" if token is None else token.value[:ID_TAG]


def token_of(tag: str, type_: str = IdTokenType.ISO14443) -> IdToken:
    """1.6 has no types of token; they are compared by their value alone."""
    return IdToken(tag, type_)


def info_of(id_tag_info: Payload) -> IdTokenInfo:
    """7.27 IdTagInfo. Its five status words are words of 2.x too."""
    expiry, parent = id_tag_info.get("expiryDate"), id_tag_info.get("parentIdTag")
    return IdTokenInfo(
        STATUSES[id_tag_info["status"]],
        expiry_s=from_rfc3339(expiry) if expiry else None,
        group=token_of(parent, IdTokenType.CENTRAL) if parent else None,
    )


def place_of(view: StationView, payload: Payload) -> Place | None:
    """The connector a CALL names: (0, 0) for the station, None for an unknown one or none."""
    number: Any = payload.get("connectorId")
    return None if number is None else view.numbering.place(number)


def connector_id(view: StationView, evse: int, connector: int) -> int:
    """The connectorId of a connector. Raises ValueError for an unknown one."""
    return view.numbering.number(evse, connector)
