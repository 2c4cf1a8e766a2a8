"""What a driver raises. Must not know who catches it.

BoardError            the board file names something that cannot be (raised while opening)
└─ DeviceLost         a device does not answer now; the driver tries to reopen it at the next call
"""

from __future__ import annotations


class BoardError(Exception):
    """The board cannot be opened as described. The message names the device, what is wrong and what to do."""


class DeviceLost(BoardError):
    """A device does not answer. device: its name on the board; the message says what happened."""

    def __init__(self, device: str, what: str) -> None:
        super().__init__(f"{device}: {what}")
        self.device = device
