"""What was written since the last mark, in a file that outlives the process but need not outlive the power: it belongs in memory, below /run.

Must not know what an entry says. The file is of one boot, one database and one record of the mark; another's is nobody's.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

from chargepoint.store.mark import opened

HEAD = struct.Struct("<8s32sQI")
"""Owner, boot, round and number of the record of the mark that will hold the same."""
ENTRY = struct.Struct("<II")
"""Length and checksum, which says of the head too: what stands behind the last entry is of another."""


class Tail:
    """boot: names the boot of the board."""

    def __init__(self, path: Path, boot: str) -> None:
        self.path = path
        self._boot = boot.replace("-", "").encode()[:32].ljust(32, b"\0")
        self._file: int | None = None
        self._size = 0

    def read(self, owner: bytes, round: int, number: int) -> Iterator[bytes]:
        """The entries that came after so many records of a round, as far as they are whole."""
        try:
            content = self.path.read_bytes()
        except OSError:
            return
        head = HEAD.pack(owner, self._boot, round, number)
        if content[: HEAD.size] != head:
            return
        seed = zlib.crc32(head)
        at = HEAD.size
        while at + ENTRY.size <= len(content):
            length, checksum = ENTRY.unpack_from(content, at)
            payload = content[at + ENTRY.size : at + ENTRY.size + length]
            if len(payload) < length or zlib.crc32(payload, seed) != checksum:
                return
            yield payload
            at += ENTRY.size + length

    def begin(self) -> None:
        """What it holds is kept elsewhere by now; the next entry is the first."""
        self._size = 0

    def add(self, owner: bytes, round: int, number: int, payload: bytes) -> None:
        """Raises OSError."""
        head = HEAD.pack(owner, self._boot, round, number)
        entry = ENTRY.pack(len(payload), zlib.crc32(payload, zlib.crc32(head))) + payload
        if not self._size:
            entry = head + entry
        if self._file is None:
            self._file = opened(self.path, os.O_TRUNC)
        if os.pwrite(self._file, entry, self._size) != len(entry):
            raise OSError(f"{self.path}: written in part only")
        self._size += len(entry)

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None
