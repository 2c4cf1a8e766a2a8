"""The simulated board inside a firmware process: the backend that a board file names. The only code of the simulator the firmware loads.

Talks to the rig over the socket that CHARGEPOINT_WORLD names. Light on purpose: gpiozero and ctypes are imported only where they are used.
Must not know what a pin is for.
"""

from __future__ import annotations

import os
import socket
from threading import Lock
from time import CLOCK_BOOTTIME, clock_gettime
from typing import TYPE_CHECKING

from sim.rig.protocol import MAX_BYTES, PIN_LEVEL, SENT

if TYPE_CHECKING:
    from sim.rig.i2c import RigBus
    from sim.rig.pins import RigFactory

WORLD = "CHARGEPOINT_WORLD"


def world() -> str:
    """The path of the world's socket. Raises FileNotFoundError when nothing names it."""
    path = os.environ.get(WORLD)
    if not path:
        raise FileNotFoundError(f"{WORLD} does not name the simulated world's socket")
    return path


class Connection:
    """One blocking connection to the rig. Raises OSError when the rig is gone."""

    def __init__(self) -> None:
        self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._sock.connect(world())
        self._lock = Lock()

    def send(self, request: bytes) -> None:
        """A request without an answer: it arrives, whatever becomes of this process."""
        self._sock.send(SENT.pack(clock_gettime(CLOCK_BOOTTIME)) + request)

    def ask(self, request: bytes) -> bytes:
        """A request and its answer."""
        with self._lock:
            self._sock.send(SENT.pack(clock_gettime(CLOCK_BOOTTIME)) + request)
            answer = self._sock.recv(MAX_BYTES)
        if not answer:
            raise ConnectionResetError("the simulated world is gone")
        return answer

    def check(self, request: bytes, what: str) -> None:
        """A request answered with an errno. Raises OSError unless it is 0."""
        error = self.ask(request)[0]
        if error:
            raise OSError(error, os.strerror(error), what)

    @property
    def closed(self) -> bool:
        """Whether this end was closed: the rig then holds no pin for it."""
        return self._sock.fileno() < 0

    def close(self) -> None:
        self._sock.close()


class PwmChip:
    """A PWM chip's sysfs directory: `attribute` is the path below it ("export", "pwm0/duty_cycle")."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._connection = Connection()

    def write(self, attribute: str, text: str) -> None:
        """Raises OSError as sysfs does (EINVAL, EBUSY, ENOENT)."""
        self._connection.check(b"P%b\0%b\0%b" % (self._name.encode(), attribute.encode(), text.encode()), f"{self._name}/{attribute}")

    def read(self, attribute: str) -> str:
        """Raises OSError when there is no such file."""
        answer = self._connection.ask(b"Q%b\0%b" % (self._name.encode(), attribute.encode()))
        if answer[0]:
            raise OSError(answer[0], os.strerror(answer[0]), f"{self._name}/{attribute}")
        return answer[1:].decode()

    def close(self) -> None:
        self._connection.close()


_safe: dict[str, Connection] = {}


def pin_factory() -> RigFactory:
    """A pin factory for gpiozero, with a connection of its own."""
    from sim.rig.pins import RigFactory

    return RigFactory(Connection())


def i2c_bus(number: int) -> RigBus:
    """A bus with smbus2's `i2c_rdwr`, with a connection of its own."""
    from sim.rig.i2c import RigBus

    return RigBus(Connection(), number)


def pwm_chip(name: str) -> PwmChip:
    """The PWM chip of that device name."""
    return PwmChip(name)


def resolve(port: str) -> str:
    """What a port's name stands for in the world: "sim:pn532" a path, "sim:meter2" a host:port. Other names are what they are."""
    if not port.startswith("sim:"):
        return port
    connection = Connection()
    try:
        return connection.ask(b"N" + port.removeprefix("sim:").encode()).decode()
    finally:
        connection.close()


def set_output(pin: int, level: bool) -> None:
    """Drives a pin for the rest of the process's life. Raises OSError (EBUSY: another process drives it)."""
    if world() not in _safe:
        _safe[world()] = Connection()
    _safe[world()].check(PIN_LEVEL.pack(b"C", pin, level), f"pin {pin}")
