"""Control's only file: the latched faults of each EVSE, replaced whole. Must not know what a fault means.

Written by the slow thread; unreadable means latched.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

NAME = "control.json"
UNREADABLE = "residual_test_failed"
"""What every EVSE starts with when the file cannot be read: no closing until a person has cleared it and the test has passed."""


class Content(msgspec.Struct, frozen=True):
    """latched: names by EVSE id."""

    latched: dict[int, tuple[str, ...]] = {}


class Memory:
    """readable False: there was a file and it made no sense."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / NAME
        self.readable = True
        self._content = self._load()

    def latched(self, evse: int) -> tuple[str, ...]:
        """The faults an EVSE starts with."""
        if not self.readable:
            return (UNREADABLE,)
        return self._content.latched.get(evse, ())

    def all_latched(self) -> dict[int, tuple[str, ...]]:
        """What the file said, by EVSE id."""
        return self._content.latched

    def save(self, latched: dict[int, tuple[str, ...]]) -> None:
        """Replaces the file: temporary file, fsync, rename, fsync of the directory. Raises OSError."""
        temporary = self._path.with_suffix(".new")
        with open(temporary, "wb") as file:
            file.write(msgspec.json.encode(Content(latched)))
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
        except (OSError, msgspec.DecodeError):
            self.readable = False
            return Content()
