"""The simulated I2C bus with smbus2's face. A transfer takes its time on the bus, as on a real one. Must not know chips."""

from __future__ import annotations

import os
import time
from ctypes import memmove, string_at
from typing import TYPE_CHECKING

from sim.rig.protocol import I2C_ANSWER

if TYPE_CHECKING:
    from smbus2 import i2c_msg

    from sim.rig.client import Connection

READ = 1


class RigBus:
    """One bus. Transfers block for the time they occupy it; a stuck bus blocks until the adapter's timeout."""

    def __init__(self, connection: Connection, number: int) -> None:
        self._connection = connection
        self._head = bytes((ord("I"), number))

    def i2c_rdwr(self, *messages: i2c_msg) -> None:
        """One combined transaction. Raises OSError: EREMOTEIO without acknowledgement, ETIMEDOUT on a stuck bus."""
        began = time.monotonic()
        parts = [self._head]
        for message in messages:
            size = message.len
            if message.flags & READ:
                parts.append(bytes((message.addr, size, 0)))
            else:
                parts.append(bytes((message.addr, 0, size)) + string_at(message.buf, size))
        answer = self._connection.ask(b"".join(parts))
        error, microseconds = I2C_ANSWER.unpack_from(answer)
        left = microseconds / 1e6 - (time.monotonic() - began)
        if left > 0.0:
            time.sleep(left)
        if error:
            raise OSError(error, os.strerror(error))
        at = I2C_ANSWER.size
        for message in messages:
            if message.flags & READ:
                memmove(message.buf, answer[at : at + message.len], message.len)
                at += message.len

    def close(self) -> None:
        self._connection.close()
