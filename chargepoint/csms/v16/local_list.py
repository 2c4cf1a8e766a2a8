"""SendLocalList and GetLocalListVersion (OCPP 1.6 5.15, 5.10). Must not keep a list."""

from __future__ import annotations

from chargepoint.csms.face import Heard, Payload, StationView
from chargepoint.csms.v16.words import info_of, token_of
from chargepoint.model.orders import GetLocalListVersion, ListEntry, SendLocalList

SWITCHES = ("LocalAuthListCtrlr.Available", "LocalAuthListCtrlr.Enabled")
EMPTY = 0
WITHOUT_LIST = -1  # 6.24: local lists are not supported


async def send_local_list(view: StationView, payload: Payload) -> Heard:
    """In a full update every entry needs its idTagInfo, and a version is above 0 (5.15). The version of an empty list is 0 (5.10): any update
    is newer, and is the whole list."""
    if not _offered(view):
        return Heard({"status": "NotSupported"})
    full = payload["updateType"] == "Full"
    entries = tuple(_entry(item) for item in payload.get("localAuthorizationList", ()))
    if payload["listVersion"] <= 0 or (full and any(entry.info is None for entry in entries)):
        return Heard({"status": "Failed"})
    if not full and _empty(view):
        full, entries = True, tuple(entry for entry in entries if entry.info is not None)
    answer = await view.obey(SendLocalList(payload["listVersion"], full, entries))
    return Heard({"status": answer.status}, answer.then)


async def get_local_list_version(view: StationView, payload: Payload) -> Heard:
    """5.10: an empty list has version 0, whatever version it was sent with."""
    if not _offered(view):
        return Heard({"listVersion": WITHOUT_LIST})
    answer = await view.obey(GetLocalListVersion())
    return Heard({"listVersion": EMPTY if _empty(view) else answer.data})


def _offered(view: StationView) -> bool:
    return all(view.variables.boolean(switch) for switch in SWITCHES)


def _empty(view: StationView) -> bool:
    return view.variables.integer("LocalAuthListCtrlr.Entries") == 0


def _entry(item: Payload) -> ListEntry:
    info = item.get("idTagInfo")
    return ListEntry(token_of(item["idTag"]), info_of(info) if info is not None else None)
