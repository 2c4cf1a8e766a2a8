"""Variables of who may charge and of transactions (2.0.1 part 2, Referenced Components 2.3 to 2.6). Must not know who reads them."""

from __future__ import annotations

from collections.abc import Collection

from chargepoint.settings import Settings
from chargepoint.station.variables_rows import BOOLEAN, INTEGER, MEMBERS, OPTION, STRING, Row, fixed, settable, told

LIST_ENTRIES = 100_000
LIST_ITEMS_PER_MESSAGE = 1000
LIST_BYTES_PER_MESSAGE = 262_144
LIST_BYTES = 32_000_000
CACHE_BYTES = 1_000_000
TX_POINTS = ("EVConnected", "Authorized", "PowerPathClosed", "EnergyTransfer")
"""The points any station can tell (TxStartStopPoint values, 2.6.6)."""
BAY = "ParkingBayOccupancy"
"""Where every EVSE has a bay sensor."""
DATA_SIGNED = "DataSigned"
"""Where all meters sign; it has no meaning as a stop point (2.6.6.2)."""


def rows(settings: Settings) -> list[Row]:
    return [*_authorization(), *_cache(), *_list(), *_transactions()]


def points(settings: Settings, signs: Collection[int], bays: Collection[int]) -> list[Row]:
    """Where transactions may begin and end. signs: the EVSEs whose meter does. No current flows before a signature, so each meter must sign, and be
    fed while its contactor is open. bays: the EVSEs with a bay sensor."""
    signed = signs and all(evse.id in signs and evse.meter_position == "before" for evse in settings.evse)
    told = (BAY, *TX_POINTS) if bays and all(evse.id in bays for evse in settings.evse) else TX_POINTS
    return [
        settable("TxCtrlr.TxStartPoint", MEMBERS, "PowerPathClosed", values=(*told, DATA_SIGNED) if signed else told, minimum=1),
        settable("TxCtrlr.TxStopPoint", MEMBERS, "PowerPathClosed", values=told),
    ]


def _authorization() -> list[Row]:
    component = "AuthCtrlr"
    return [
        settable(f"{component}.Enabled", BOOLEAN, True),
        settable(f"{component}.AuthorizeRemoteStart", BOOLEAN, False),
        settable(f"{component}.LocalAuthorizeOffline", BOOLEAN, True),
        settable(f"{component}.LocalPreAuthorize", BOOLEAN, False),
        settable(f"{component}.OfflineTxForUnknownIdEnabled", BOOLEAN, False),
        settable(f"{component}.MasterPassGroupId", STRING, "", maximum=36),
        settable(f"{component}.DisableRemoteAuthorization", BOOLEAN, False),
    ]


def _cache() -> list[Row]:
    component = "AuthCacheCtrlr"
    return [
        fixed(f"{component}.Available", BOOLEAN, True),
        settable(f"{component}.Enabled", BOOLEAN, True),
        settable(f"{component}.LifeTime", INTEGER, 604_800, unit="s", minimum=0),
        told(f"{component}.Storage", INTEGER, 0, unit="B", maximum=CACHE_BYTES),
        settable(f"{component}.Policy", OPTION, "CUSTOM", values=("CUSTOM",)),
        settable(f"{component}.DisablePostAuthorize", BOOLEAN, False),
    ]


def _list() -> list[Row]:
    component = "LocalAuthListCtrlr"
    return [
        fixed(f"{component}.Available", BOOLEAN, True),
        settable(f"{component}.Enabled", BOOLEAN, True),
        told(f"{component}.Entries", INTEGER, 0, maximum=LIST_ENTRIES),
        fixed(f"{component}.ItemsPerMessage", INTEGER, LIST_ITEMS_PER_MESSAGE),
        fixed(f"{component}.BytesPerMessage", INTEGER, LIST_BYTES_PER_MESSAGE),
        told(f"{component}.Storage", INTEGER, 0, unit="B", maximum=LIST_BYTES),
        settable(f"{component}.DisablePostAuthorize", BOOLEAN, False),
        fixed(f"{component}.SupportsExpiryDateTime", BOOLEAN, True),
    ]


def _transactions() -> list[Row]:
    component = "TxCtrlr"
    return [
        settable(f"{component}.EVConnectionTimeOut", INTEGER, 60, unit="s", minimum=0),
        settable(f"{component}.StopTxOnEVSideDisconnect", BOOLEAN, True),
        settable(f"{component}.StopTxOnInvalidId", BOOLEAN, True),
        settable(f"{component}.MaxEnergyOnInvalidId", INTEGER, 0, unit="Wh", minimum=0),
        settable(f"{component}.TxBeforeAcceptedEnabled", BOOLEAN, False),
    ]
