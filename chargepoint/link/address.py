"""Where the link's sockets are, and how a path longer than a socket address can hold (108 bytes) is reached. Must not know messages."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ORDERS = "control.sock"
STATUS = "control-status.sock"
LONGEST = 107


@contextmanager
def reachable(path: Path) -> Iterator[str]:
    """A name for `path` that fits a socket address, valid inside the block. Raises OSError when the directory is missing."""
    if len(os.fsencode(path)) <= LONGEST:
        yield str(path)
        return
    directory = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{directory}/{path.name}"
    finally:
        os.close(directory)
