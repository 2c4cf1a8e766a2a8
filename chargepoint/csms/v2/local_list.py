"""2.0.1 D: the local authorization list, in messages. Must not know how the list is kept."""

from __future__ import annotations

import msgspec

from chargepoint.csms.face import Heard, Payload, StationView
from chargepoint.csms.v2.payloads import Hear
from chargepoint.csms.v2.words import info_of, limit, obeyed, status_words, token_of
from chargepoint.model.orders import Answer, GetLocalListVersion, ListEntry, SendLocalList


async def _send_local_list(view: StationView, payload: Payload) -> Heard:
    entries = payload.get("localAuthorizationList", ())
    complaint = _too_much(view, len(entries), payload)
    if complaint is not None:
        return Heard(status_words(Answer("Failed", "TooManyElements", complaint)))
    listed = tuple(_entry_of(entry) for entry in entries)
    return await obeyed(view, SendLocalList(payload["versionNumber"], payload["updateType"] == "Full", listed))


def _too_much(view: StationView, items: int, payload: Payload) -> str | None:
    """D01.FR.11."""
    most_items, most_bytes = limit(view, "LocalAuthListCtrlr.ItemsPerMessage"), limit(view, "LocalAuthListCtrlr.BytesPerMessage")
    if most_items is not None and items > most_items:
        return f"{items} entries, but a message takes {most_items}"
    size = len(msgspec.json.encode(payload))
    return f"{size} bytes, but a message takes {most_bytes}" if most_bytes is not None and size > most_bytes else None


def _entry_of(entry: Payload) -> ListEntry:
    info = entry.get("idTokenInfo")
    return ListEntry(token_of(entry["idToken"]), None if info is None else info_of(info))


async def _get_local_list_version(view: StationView, payload: Payload) -> Heard:
    """0 stands for no list, also when the feature is off (D02.FR.03)."""
    answer = await view.obey(GetLocalListVersion())
    return Heard({"versionNumber": max(0, answer.data)}, answer.then)


HEARS: dict[str, Hear] = {"SendLocalList": _send_local_list, "GetLocalListVersion": _get_local_list_version}
