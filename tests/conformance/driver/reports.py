"""Asks for a report and gathers its parts (2.0.1 B07, B08). Must not know what a report should contain."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.conformance.driver.lab import Lab
from tests.conformance.driver.matching import ABSENT, Payload, check, one_of

DEVIATION = timedelta(seconds=4)
"""Allowed between two clocks (part 6, 2.1, seventh rule)."""
LISTS = ("OptionList", "SequenceList", "MemberList")
NO_INFO = one_of(ABSENT, {"reasonCode": "NoError"})
_ids = itertools.count(1)


def soon(text: str) -> bool:
    """Whether a time is now."""
    return abs(datetime.fromisoformat(text) - datetime.now(UTC)) < DEVIATION


async def parts(lab: Lab, request_id: int, within: float = 20.0) -> list[Payload]:
    """The rows of all NotifyReports of a request; the parts are judged: numbered from 0, complete, made now."""
    rows: list[Payload] = []
    for number in itertools.count():
        part = await lab.csms.expect("NotifyReport", {"requestId": request_id}, within=within)
        check({"seqNo": number, "generatedAt": soon}, part)
        rows += part.get("reportData", [])
        if not part.get("tbc", False):
            return rows
    raise AssertionError("unreachable")


async def base_report(lab: Lab, base: str) -> list[Payload]:
    """GetBaseReport, accepted."""
    request_id = next(_ids)
    answer = await lab.csms.call("GetBaseReport", {"requestId": request_id, "reportBase": base})
    check({"status": "Accepted", "statusInfo": NO_INFO}, answer)
    return await parts(lab, request_id)


async def report(lab: Lab, **criteria: Any) -> list[Payload]:
    """GetReport, accepted; criteria: `componentCriteria`, `componentVariable`."""
    request_id = next(_ids)
    answer = await lab.csms.call("GetReport", {"requestId": request_id, **criteria})
    check({"status": "Accepted", "statusInfo": NO_INFO}, answer)
    return await parts(lab, request_id)


async def empty_report(lab: Lab, **criteria: Any) -> None:
    """GetReport that finds nothing."""
    answer = await lab.csms.call("GetReport", {"requestId": next(_ids), **criteria})
    check({"status": "EmptyResultSet", "statusInfo": one_of(ABSENT, {"reasonCode": "NotFound"})}, answer)


def lists_have_values(rows: list[Payload]) -> None:
    """Every list variable names the values it may have."""
    lists = [row for row in rows if row["variableCharacteristics"]["dataType"] in LISTS]
    bare = [row for row in lists if not row["variableCharacteristics"].get("valuesList")]
    assert not bare, bare
