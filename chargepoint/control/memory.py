"""Control's only file: what each EVSE keeps over restarts, replaced whole. Must not know what a fault means.

Written by the slow thread; unreadable means latched.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import msgspec

from chargepoint.control.faults import UNREADABLE
from chargepoint.link.messages import NO_MESSAGE

NAME = "control.json"
REMOTE_REST_S = 24 * 3600.0
"""Between two clearings by the CSMS."""


class LastTest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The last residual-current test. at: seconds since 1970; None: the time was not known."""

    passed: bool
    at: float | None = None


class Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of one EVSE. latched: names of faults; test: None: none yet; openings_under_load: how often the contactor broke a current;
    remote_rest_s: how long control has to run before the CSMS may clear a residual-current trip again."""

    latched: tuple[str, ...] = ()
    test: LastTest | None = None
    closings: int = 0
    openings_under_load: int = 0
    remote_rest_s: Annotated[float, msgspec.Meta(ge=0.0, le=REMOTE_REST_S)] = 0.0


NOTHING = Kept()


class Content(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """evses: by EVSE id."""

    evses: dict[int, Kept] = {}


class Memory:
    """readable False: there was a file and it made no sense."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / NAME
        self.readable = True
        self._content = self._load()

    def kept(self, evse: int) -> Kept:
        """What an EVSE starts with: latched, when the file cannot be read."""
        if not self.readable:
            return Kept(latched=(UNREADABLE,))
        return self._content.evses.get(evse, Kept())

    def all_kept(self) -> dict[int, Kept]:
        """What the file said, by EVSE id."""
        return self._content.evses

    def save(self, kept: dict[int, Kept]) -> None:
        """Replaces the file: temporary file, fsync, rename, fsync of the directory. Raises OSError."""
        temporary = self._path.with_suffix(".new")
        with open(temporary, "wb") as file:
            file.write(msgspec.json.encode(Content(kept)))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._path)
        directory = os.open(self._path.parent, os.O_DIRECTORY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)

    def _load(self) -> Content:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=Content)
        except FileNotFoundError:
            return Content()
        except (OSError, *NO_MESSAGE):
            self.readable = False
            return Content()
