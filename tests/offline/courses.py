"""What becomes of a charge when the line breaks at a moment: the second half of the table. Data only: scene plays it, page prints it."""

from __future__ import annotations

from tests.offline.rows import (
    ASK_REMOTE,
    BEFORE,
    ENERGY,
    MASTER,
    MASTER_GROUP,
    OFFLINE,
    PRE,
    STOP,
    STOP_POINT,
    UNKNOWN,
    Card,
    Moment,
    Outcome,
    Place,
    Row,
)

LISTED, CACHED, BLOCKED = (Card(Place.LIST),), (Card(Place.CACHE),), (Card(Place.LIST, "Blocked"),)
BOTH = (Card(Place.LIST), Card(Place.LIST, other=True))
GROUP = (Card(Place.LIST, group="FAMILY"), Card(Place.LIST, group="FAMILY", other=True))
GROUP_BLOCKED = (Card(Place.LIST, group="FAMILY"), Card(Place.LIST, "Blocked", group="FAMILY", other=True))
MASTER_PASS = (Card(Place.LIST, group=MASTER_GROUP, other=True),)

STARTED = "Started (Authorized) offline"
START = "StartTransaction"
STOP_DEAUTHORIZED = "StopTransaction (DeAuthorized)"
ENDED_DEAUTHORIZED = "Ended (DeAuthorized)"
STARTED_REMOTELY = "Started (RemoteStart, remoteStartId) offline"
STOP_LOCAL = "StopTransaction (Local)"
UPDATED_SUSPENDED = "Updated (ChargingStateChanged SuspendedEVSE)"

GOES_ON = Outcome(True, True, (START,), (STARTED,), "Charging", "Occupied")
DEAUTHORIZED = Outcome(True, False, (START, STOP_DEAUTHORIZED), (STARTED, ENDED_DEAUTHORIZED), "Finishing", "Occupied")
STOPPED_ONLY = Outcome(
    True,
    False,
    (START, STOP_DEAUTHORIZED),
    (STARTED, "Updated (Deauthorized)", "Updated (ChargingStateChanged EVConnected)"),
    "Finishing",
    "Occupied",
)
SUSPENDED = Outcome(True, False, (START,), (STARTED, UPDATED_SUSPENDED), "SuspendedEVSE", "Occupied")
SUSPENDED_ENDS = Outcome(True, False, (START,), (STARTED, "Ended (DeAuthorized)"), "SuspendedEVSE", "Occupied")
ENERGY_ENDS = Outcome(True, False, (START,), (STARTED, "Ended (EnergyLimitReached)"), "SuspendedEVSE", "Occupied")
REFUSED = Outcome(False, False, (), (), "Preparing", "Occupied")
GOES_ON_TOLD = Outcome(True, True, (START,), (STARTED,), "Charging", "")
REFUSED_TOLD = Outcome(False, False, (), (), "", "")
DEAUTHORIZED_TOLD = Outcome(True, False, (START, STOP_DEAUTHORIZED), (STARTED, ENDED_DEAUTHORIZED), "Finishing", "")
SUSPENDED_TOLD = Outcome(True, False, (START,), (STARTED, UPDATED_SUSPENDED), "SuspendedEVSE", "")
UNMOVED = Outcome(True, True, (), (), "", "")
RESTARTED = Outcome(True, True, (), (), "Charging", "Occupied")
ENDED = Outcome(False, False, (STOP_LOCAL,), ("Ended (Local) offline",), "Finishing", "")
ENDED_TOLD = Outcome(False, False, (STOP_LOCAL,), ("Ended (Local) offline",), "", "")
LEFT = Outcome(False, False, ("StopTransaction (EVDisconnected)",), ("Ended (EVDisconnected) offline",), "Available", "Available")
MASTER_ENDED = Outcome(False, False, (STOP_LOCAL,), ("Ended (MasterPass) offline",), "Finishing", "")
WHOLE = Outcome(False, False, (START, STOP_LOCAL), (STARTED, "Ended (Local) offline"), "Finishing", "Occupied")
REMOTE_GOES_ON = Outcome(True, True, (START,), (STARTED_REMOTELY,), "Charging", "Occupied")
REMOTE_DEAUTHORIZED = Outcome(True, False, (START, STOP_DEAUTHORIZED), (STARTED_REMOTELY, ENDED_DEAUTHORIZED), "Finishing", "Occupied")
REMOTE_TOLD = Outcome(True, True, (START,), (STARTED_REMOTELY,), "Charging", "")
POWER_LOSS = Outcome(False, False, (START, "StopTransaction (PowerLoss)"), (STARTED, "Ended (PowerLoss) offline"), "Preparing", "Occupied")
POWER_LOSS_LATER = Outcome(False, False, ("StopTransaction (PowerLoss)",), ("Ended (PowerLoss) offline",), "Preparing", "Occupied")

COURSES: tuple[Row, ...] = (
    Row("listed", Moment.SWIPE, "in the local list", "Accepted", GOES_ON, "3.5, 3.7", "C13.FR.05, E04.FR.02, E04.FR.03", LISTED),
    Row("listed_blocked", Moment.SWIPE, "in the local list", "Blocked", DEAUTHORIZED, "3.5.2, 3.5.4", "E05.FR.10", LISTED),
    Row("cached", Moment.SWIPE, "in the cache", "Accepted", GOES_ON, "3.5.1, 3.7", "C12.FR.02, E04.FR.02", CACHED),
    Row("cached_blocked", Moment.SWIPE, "in the cache", "Blocked", DEAUTHORIZED, "3.5.4", "E05.FR.10", CACHED),
    Row("unknown", Moment.SWIPE, "unknown", "Accepted", GOES_ON, "3.5.4", "C15.FR.02", (), {UNKNOWN: True}),
    Row("unknown_invalid", Moment.SWIPE, "unknown", "Invalid", DEAUTHORIZED, "3.5.4", "C15.FR.04", (), {UNKNOWN: True}),
    Row(
        "unknown_invalid_stop_at_unplug",
        Moment.SWIPE,
        "unknown",
        "Invalid",
        STOPPED_ONLY,
        "3.5.4",
        "C15.FR.03, E05.FR.09",
        (),
        {UNKNOWN: True, STOP_POINT: "EVConnected"},
    ),
    Row("unknown_invalid_suspended", Moment.SWIPE, "unknown", "Invalid", SUSPENDED, "3.5.4", "C15.FR.06", (), {UNKNOWN: True, STOP: False}),
    Row(
        "unknown_invalid_suspended_ends",
        Moment.SWIPE,
        "unknown",
        "Invalid",
        SUSPENDED_ENDS,
        "3.5.4",
        "E05.FR.02, 3.67",
        (),
        {UNKNOWN: True, STOP: False, STOP_POINT: "EnergyTransfer"},
    ),
    Row(
        "unknown_invalid_some_energy",
        Moment.SWIPE,
        "unknown",
        "Invalid",
        GOES_ON,
        "3.5.4, 9.1.14",
        "C15.FR.07",
        (),
        {UNKNOWN: True, STOP: False, ENERGY: 5000},
    ),
    Row(
        "unknown_invalid_energy_used_up",
        Moment.SWIPE,
        "unknown",
        "Invalid",
        SUSPENDED,
        "3.5.4, 9.1.14",
        "C15.FR.06, C15.FR.07",
        (),
        {UNKNOWN: True, STOP: False, ENERGY: 500},
        10,
    ),
    Row(
        "unknown_invalid_energy_used_up_ends",
        Moment.SWIPE,
        "unknown",
        "Invalid",
        ENERGY_ENDS,
        "3.5.4, 9.1.14",
        "E05.FR.02, 3.67",
        (),
        {UNKNOWN: True, STOP: False, ENERGY: 500, STOP_POINT: "EnergyTransfer"},
        10,
    ),
    Row("unknown_refused", Moment.SWIPE, "unknown", "Accepted", REFUSED, "3.5.4", "C13.FR.05"),
    Row("asked", Moment.ANSWER, "in the local list", "Accepted", GOES_ON_TOLD, "3.5", "C13.FR.05", LISTED),
    Row("asked_unknown", Moment.ANSWER, "unknown", "Accepted", GOES_ON_TOLD, "3.5.4", "C15.FR.02", (), {UNKNOWN: True}),
    Row("asked_unknown_refused", Moment.ANSWER, "unknown", "Accepted", REFUSED_TOLD, "3.5.4", "C13.FR.05"),
    Row("start_unanswered", Moment.MID_ANSWER, "accepted online", "Accepted", GOES_ON_TOLD, "3.7, 3.7.1", "E04.FR.02, E11.FR.07"),
    Row("start_unanswered_blocked", Moment.MID_ANSWER, "accepted online", "Blocked", DEAUTHORIZED_TOLD, "3.5.4", "E05.FR.10"),
    Row("start_unanswered_suspended", Moment.MID_ANSWER, "accepted online", "Blocked", SUSPENDED_TOLD, "3.5.4", "E05.FR.02", (), {STOP: False}),
    Row(
        "not_asked",
        Moment.MID_ANSWER,
        "in the local list, not asked about",
        "Accepted",
        GOES_ON_TOLD,
        "3.5, 9.1.13",
        "C14.FR.04",
        LISTED,
        {PRE: True},
    ),
    Row(
        "not_asked_blocked",
        Moment.MID_ANSWER,
        "in the local list, not asked about",
        "Blocked",
        DEAUTHORIZED_TOLD,
        "3.5.2, 9.1.13",
        "C14.FR.04, E05.FR.10",
        LISTED,
        {PRE: True},
    ),
    Row("charging", Moment.CHARGING, "accepted online", "Accepted", UNMOVED, "3.7", "E11.FR.01"),
    Row("ended", Moment.END, "accepted online", "Accepted", ENDED, "3.7", "E08.FR.01, E08.FR.04, E11.FR.02"),
    Row("ended_though_blocked", Moment.END, "accepted online, Blocked in the local list", "Accepted", ENDED, "4.10", "C01.FR.03, E08.FR.01", BLOCKED),
    Row("ended_local_off", Moment.END, "in the local list", "Accepted", ENDED, "4.10", "C01.FR.03, E08.FR.01", LISTED, {OFFLINE: False}),
    Row("whole", Moment.WHOLE, "in the local list", "Accepted", WHOLE, "3.7", "E12.FR.01, E12.FR.02", LISTED),
    Row("whole_blocked", Moment.WHOLE, "in the local list", "Blocked", WHOLE, "3.7, 3.5.4", "E12.FR.01, E12.FR.02", LISTED),
    Row("whole_unknown", Moment.WHOLE, "unknown", "Invalid", WHOLE, "3.7, 3.5.4", "E12.FR.01, C15.FR.02", (), {UNKNOWN: True}),
    Row("end_unanswered", Moment.END_ANSWER, "accepted online", "Accepted", ENDED_TOLD, "3.7", "E11.FR.07"),
    Row("car_leaves", Moment.LEAVING, "accepted online", "Accepted", LEFT, "3.7", "E11.FR.01, E11.FR.02"),
    Row("group_ends", Moment.OTHER, "both in the local list, one group", "Accepted", ENDED, "3.10", "C09.FR.07, E08.FR.02", GROUP, {PRE: True}),
    Row(
        "group_ends_local_off",
        Moment.OTHER,
        "both in the local list, one group",
        "Accepted",
        ENDED,
        "3.10",
        "C09.FR.07, E08.FR.02",
        GROUP,
        {PRE: True, OFFLINE: False},
    ),
    Row(
        "group_blocked",
        Moment.OTHER,
        "both in the local list, one group, the other one Blocked",
        "Accepted",
        UNMOVED,
        "3.10",
        "C09.FR.11",
        GROUP_BLOCKED,
        {PRE: True},
    ),
    Row("another_listed", Moment.OTHER, "both in the local list, no group", "Accepted", UNMOVED, "3.10", "C01.FR.03", BOTH),
    Row("another_unknown", Moment.OTHER, "accepted online, the other one unknown", "Accepted", UNMOVED, "3.10", "C01.FR.03", (), {UNKNOWN: True}),
    Row(
        "master_ends",
        Moment.OTHER,
        "accepted online, then a master pass",
        "Accepted",
        MASTER_ENDED,
        "as 2.0.1",
        "C16.FR.02, C16.FR.05",
        MASTER_PASS,
        {MASTER: MASTER_GROUP},
    ),
    Row(
        "master_begins_nothing", Moment.OTHER_ALONE, "master pass", "Accepted", REFUSED, "as 2.0.1", "C16.FR.03", MASTER_PASS, {MASTER: MASTER_GROUP}
    ),
    Row("remote", Moment.REMOTE, "of the remote start", "Accepted", REMOTE_GOES_ON, "5.11", "F02.FR.01, E04.FR.03"),
    Row("remote_blocked", Moment.REMOTE, "of the remote start", "Blocked", REMOTE_DEAUTHORIZED, "5.11, 3.5.4", "E05.FR.10"),
    Row(
        "remote_asked",
        Moment.REMOTE,
        "of the remote start, accepted online",
        "Accepted",
        REMOTE_GOES_ON,
        "5.11",
        "F02.FR.01, E04.FR.03",
        (),
        {ASK_REMOTE: True},
    ),
    Row(
        "remote_unanswered",
        Moment.REMOTE_ANSWER,
        "of the remote start, in the local list",
        "Accepted",
        REMOTE_TOLD,
        "5.11, 3.5",
        "F01.FR.01, C13.FR.05",
        LISTED,
        {ASK_REMOTE: True},
    ),
    Row(
        "remote_unanswered_unknown",
        Moment.REMOTE_ANSWER,
        "of the remote start, unknown",
        "Accepted",
        REFUSED_TOLD,
        "5.11, 3.5.4",
        "F01.FR.01, C13.FR.05",
        (),
        {ASK_REMOTE: True},
    ),
    Row("restart", Moment.RESTART, "in the local list", "Accepted", GOES_ON, "3.7", "E04.FR.02", LISTED),
    Row("restart_blocked", Moment.RESTART, "in the local list", "Blocked", DEAUTHORIZED, "3.7, 3.5.4", "E05.FR.10", LISTED),
    Row("restart_charging", Moment.RESTART_CHARGING, "accepted online", "Accepted", RESTARTED, "3.7", "E11.FR.01, B01.FR.05"),
    Row("power_cut", Moment.POWER_CUT, "in the local list", "Accepted", POWER_LOSS, "3.7", "E12.FR.01, E12.FR.02", LISTED),
    Row("power_cut_charging", Moment.CUT_CHARGING, "accepted online", "Accepted", POWER_LOSS_LATER, "3.7", "E11.FR.02"),
    Row("never_accepted", Moment.NEVER, "in the local list", "Accepted", REFUSED, "4.2", "B02.FR.03", LISTED),
    Row("never_accepted_allowed", Moment.NEVER, "in the local list", "Accepted", GOES_ON, "4.2", "B02.FR.03", LISTED, {BEFORE: True}),
    Row(
        "never_accepted_blocked",
        Moment.NEVER,
        "in the local list",
        "Blocked",
        DEAUTHORIZED,
        "4.2, 3.5.4",
        "B02.FR.03, E05.FR.10",
        LISTED,
        {BEFORE: True},
    ),
    Row("never_accepted_refused", Moment.NEVER, "unknown", "Accepted", REFUSED, "4.2", "B02.FR.03, C13.FR.05", (), {BEFORE: True}),
    Row(
        "never_accepted_unknown",
        Moment.NEVER,
        "unknown",
        "Accepted",
        GOES_ON,
        "4.2, 3.5.4",
        "B02.FR.03, C15.FR.08",
        (),
        {BEFORE: True, UNKNOWN: True},
    ),
)
