"""What a firmware process and the rig say to each other: one datagram each way. Must not know pins' meaning, or sockets.

Every request begins with the moment it was sent (CLOCK_BOOTTIME, a double), so that the world is exact though the rig may come round late, and
goes on with one letter; W (write) has no answer, every other has one. Numbers are little-endian.

    C pin level   claim as output     -> errno          R               levels of all inputs -> bank (below)
    L pin         let go (input)      -> errno          I bus messages  one I2C transaction  -> errno, microseconds, bytes read
    W pin level   write                                 P chip\\0attribute\\0text  write sysfs -> errno
    O pin         level of an output  -> 0 or 1         Q chip\\0attribute       read sysfs  -> errno, text
    M             pins of the bank    -> pin...         N name                  resolve     -> text

A bank is one byte per input pin, in the order that M tells. An I2C message is address, length to read (or 0), length of data, data.
"""

from __future__ import annotations

import struct

SENT = struct.Struct("<d")
PIN = struct.Struct("<cH")
PIN_LEVEL = struct.Struct("<cHB")
I2C_ANSWER = struct.Struct("<BH")
MAX_BYTES = 1024
