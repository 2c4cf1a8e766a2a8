"""The mark: one preallocated file outside SQLite that takes a record in 4 kB and one sync. Must not know what a record says.

The file is a ring of pages that is written from its first page on in each round. A record begins on a page of its own and never touches the pages of
the records before it, so that a page torn by a power cut takes nothing with it: what its checksum does not vouch for ends the round. A round is over
when what it holds is in the database; only then is it overwritten.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

PAGE = 4096
PAGES = 128
HEAD = struct.Struct("<4s8sQIII")
"""Magic, owner, round, number of the record in its round, length, checksum of all of it."""
ROOM = PAGE - HEAD.size
"""Bytes of a record that takes one page."""
MAGIC = b"CPM1"
OWNER_BYTES = 8


class Mark:
    """owner: eight bytes that say which database this belongs to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: int | None = None
        self._next = 0

    def read(self, owner: bytes, round: int) -> Iterator[bytes]:
        """The records of a round, in order, up to the first that is not whole; the next one is written behind them."""
        try:
            file = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return
        try:
            os.posix_fadvise(file, 0, 0, os.POSIX_FADV_RANDOM)  # a page read ahead of others would be written with them
            at, number = 0, 0
            while (found := _record(file, at, owner, round, number)) is not None:
                yield found
                at += _pages(len(found)) * PAGE
                number += 1
                self._next = at // PAGE
        except OSError:
            return
        finally:
            os.close(file)

    def last(self) -> tuple[bytes, int] | None:
        """Owner and round of what was written last, None where the file does not say."""
        try:
            content = self.path.read_bytes()[: HEAD.size]
        except OSError:
            return None
        if len(content) < HEAD.size or content[: len(MAGIC)] != MAGIC:
            return None
        _, owner, round, *_ = HEAD.unpack(content)
        return owner, round

    def begin(self) -> None:
        """The former round is in the database: the next record is the first of a new one."""
        self._next = 0

    def fits(self, length: int) -> bool:
        """Whether a record of so many bytes still has room in this round."""
        return self._next + _pages(length) <= PAGES

    def write(self, owner: bytes, round: int, number: int, payload: bytes) -> None:
        """Keeps one record over a power cut, with one sync. Raises OSError; then the record may be there or not."""
        head = HEAD.pack(MAGIC, owner, round, number, len(payload), 0)
        checked = HEAD.pack(MAGIC, owner, round, number, len(payload), zlib.crc32(payload, zlib.crc32(head)))
        whole = (checked + payload).ljust(_pages(len(payload)) * PAGE, b"\0")
        file = self._opened()
        if os.pwrite(file, whole, self._next * PAGE) != len(whole):
            raise OSError(f"{self.path}: written in part only")
        os.fdatasync(file)
        self._next += len(whole) // PAGE

    def reserve(self) -> None:
        """Its full length at once: a file that does not grow needs no journal of the file system. In small pieces, so that the kernel does not take
        (and count) more than a page for each that changes. Raises OSError."""
        file = self._opened()
        size = os.fstat(file).st_size
        if size >= PAGES * PAGE:
            return
        for at in range(size // PAGE * PAGE, PAGES * PAGE, PAGE):
            os.pwrite(file, bytes(PAGE), at)
        os.fsync(file)
        directory = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _opened(self) -> int:
        if self._file is None:
            self._file = opened(self.path)
        return self._file


def opened(path: Path, flags: int = 0) -> int:
    """A file of the directory's owner, also where an administrator's command makes it. Raises OSError."""
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | flags, 0o600)
    if os.geteuid() == 0:
        owner = path.parent.stat()
        os.fchown(file, owner.st_uid, owner.st_gid)
    return file


def _pages(length: int) -> int:
    return -(-(HEAD.size + length) // PAGE)


def _record(file: int, at: int, owner: bytes, round: int, number: int) -> bytes | None:
    start = os.pread(file, HEAD.size, at)
    if len(start) < HEAD.size:
        return None
    magic, its_owner, its_round, its_number, length, checksum = HEAD.unpack(start)
    if (magic, its_owner, its_round, its_number) != (MAGIC, owner, round, number) or length > PAGES * PAGE:
        return None
    payload = os.pread(file, length, at + HEAD.size)
    head = HEAD.pack(MAGIC, owner, round, number, length, 0)
    return payload if zlib.crc32(payload, zlib.crc32(head)) == checksum else None
