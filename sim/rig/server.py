"""The rig's process: one loop over the firmware's socket, the world's socket and the moments at which something in the world is due.

    python -m sim.rig.server --socket PATH --control PATH --config FILE

The firmware's socket takes datagrams (`sim.rig.protocol`), the world's lines of JSON (`sim.rig.control`). The world is worked out up to now before
each request, so it is exact however late the loop comes round; between requests it wakes for what somebody may see. Must not know the physics.
"""

from __future__ import annotations

import argparse
import gc
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any, NoReturn

import msgspec

from chargepoint.board_settings import board_of
from chargepoint.settings_file import load
from sim.plant.timeline import Timeline
from sim.rig.board import Board
from sim.rig.commands import Commands, Refusal
from sim.rig.firmware_side import FirmwareSide, NotARequest
from sim.rig.protocol import MAX_BYTES, SENT

REALTIME_PRIORITY = 5
"""Below the control process's, which asks for 10 or more."""
MAX_LINE = 1 << 20
SOCKET_MODE = 0o660


def now_s() -> float:
    """The world's clock, the same as the firmware's: CLOCK_BOOTTIME."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


Tell = Callable[[int, str, dict[str, Any]], None]
MakeBoard = Callable[[Timeline, Tell], Board]


class Stopped(Exception):
    """SIGTERM came."""


def _stop(number: int, frame: object) -> NoReturn:
    raise Stopped


class WorldPeer:
    """One connection of the world: lines of JSON in, lines out; nothing that it does may hold the loop up."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.hears_events = False
        self._in = bytearray()
        self.out = bytearray()

    def lines(self) -> list[bytes] | None:
        """Complete lines received; None: the peer is gone."""
        try:
            data = self.sock.recv(65536)
        except BlockingIOError:
            return []
        except OSError:
            return None
        if not data or len(self._in) > MAX_LINE:
            return None
        self._in += data
        *lines, rest = bytes(self._in).split(b"\n")
        self._in = bytearray(rest)
        return lines

    def push(self, message: dict[str, Any]) -> None:
        self.out += msgspec.json.encode(message) + b"\n"

    def flush(self) -> bool:
        """Sends what the socket takes. Returns whether something is left."""
        while self.out:
            try:
                sent = self.sock.send(self.out)
            except BlockingIOError:
                return True
            except OSError:
                self.out.clear()
                return False
            del self.out[:sent]
        return False


class Server:
    """Owns the sockets. `make_board` gets the timeline and the function that hears of changes."""

    def __init__(self, firmware_path: str, world_path: str, make_board: MakeBoard) -> None:
        self.timeline = Timeline(now_s())
        self.board = make_board(self.timeline, self._tell)
        self._firmware_side = FirmwareSide(self.board, os.path.dirname(os.path.abspath(firmware_path)))
        self.commands = Commands(self.board, self._firmware_side.names, self._cut_off)
        self._paths = (firmware_path, world_path)
        self._firmware_door = _listen(firmware_path, socket.SOCK_SEQPACKET)
        self._world_door = _listen(world_path, socket.SOCK_STREAM)
        self._poll = select.epoll()
        self._poll.register(self._firmware_door, select.EPOLLIN)
        self._poll.register(self._world_door, select.EPOLLIN)
        self._firmware: dict[int, tuple[socket.socket, int]] = {}
        self._world: dict[int, WorldPeer] = {}
        self._owners = 0

    def run(self) -> None:
        """Serves until SIGTERM."""
        signal.signal(signal.SIGTERM, _stop)
        with suppress(Stopped):
            self._serve()
        self.close()

    def _serve(self) -> None:
        """Rounds. What the firmware sent is worked off by the moments it was sent at; the world goes on to a moment only when nothing sent before
        that moment is left to read, so a late round never makes the feed of the relay supply look late."""
        firmware, poll, advance = self._firmware, self._poll.poll, self.timeline.advance
        wait_s = 0.0
        while True:
            before = now_s()
            ready = poll(wait_s)
            heard = False
            for fd, _ in ready:
                if fd in firmware:
                    heard = True
                    self._hear_firmware(fd)
            if heard or wait_s == 0.0:
                if not heard:
                    advance(before)
                    for fd, _ in ready:
                        self._other(fd)
                self._flush_world()
                wait_s = self._wait_s()
            else:
                wait_s = 0.0

    def _hear_firmware(self, fd: int) -> None:
        """One datagram of a firmware process, or its end."""
        sock, owner = self._firmware[fd]
        try:
            request = sock.recv(MAX_BYTES, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        except OSError:
            request = b""
        try:
            if len(request) <= SENT.size:
                raise NotARequest("empty")
            self.timeline.advance(min(SENT.unpack_from(request)[0], now_s()))
            reply = self._firmware_side.answer(owner, request[SENT.size :])
        except NotARequest:
            self.timeline.advance(now_s())
            self._firmware_gone(fd)
            return
        if reply is not None:
            self._send(sock, reply)

    def close(self) -> None:
        for sock, _ in self._firmware.values():
            sock.close()
        for peer in self._world.values():
            peer.sock.close()
        for door, path in zip((self._firmware_door, self._world_door), self._paths, strict=True):
            door.close()
            Path(path).unlink(missing_ok=True)

    def _wait_s(self) -> float:
        due = self.timeline.next_due()
        return -1.0 if due is None else max(0.0, due - now_s())

    @staticmethod
    def _send(sock: socket.socket, reply: bytes) -> None:
        try:
            sock.send(reply, socket.MSG_DONTWAIT)
        except OSError:
            return

    def _other(self, fd: int) -> None:
        """A new connection, or something from the world."""
        if fd == self._firmware_door.fileno():
            sock, _ = self._firmware_door.accept()
            self._owners += 1
            self._firmware[sock.fileno()] = (sock, self._owners)
            self._poll.register(sock, select.EPOLLIN)
        elif fd == self._world_door.fileno():
            sock, _ = self._world_door.accept()
            sock.setblocking(False)
            self._world[sock.fileno()] = WorldPeer(sock)
            self._poll.register(sock, select.EPOLLIN)
        elif fd in self._world:
            self._hear_world(fd)

    def _firmware_gone(self, fd: int) -> None:
        sock, owner = self._firmware.pop(fd)
        self._poll.unregister(fd)
        sock.close()
        self.board.release(owner)

    def _cut_off(self) -> None:
        """The power goes: whatever a process still had to say is lost with it."""
        for sock, _ in self._firmware.values():
            self._poll.unregister(sock)
            sock.close()
        self._firmware.clear()

    def _hear_world(self, fd: int) -> None:
        peer = self._world[fd]
        lines = peer.lines()
        for line in lines or ():
            peer.push(self._carry_out(peer, line))
        if lines is None:
            del self._world[fd]
            self._poll.unregister(fd)
            peer.sock.close()

    def _carry_out(self, peer: WorldPeer, line: bytes) -> dict[str, Any]:
        try:
            request = msgspec.json.decode(line)
            number, name, arguments = request["id"], request["call"], request.get("args", {})
        except (msgspec.DecodeError, KeyError, TypeError, AttributeError) as error:
            return {"id": None, "error": f"not a command: {error}", "status": "wrong"}
        if name == "events":
            peer.hears_events = True
            return {"id": number, "result": {}}
        try:
            return {"id": number, "result": self.commands.run(name, arguments)}
        except Refusal as refusal:
            return {"id": number, "error": str(refusal), "status": refusal.status}

    def _tell(self, evse: int, kind: str, values: dict[str, Any]) -> None:
        for peer in self._world.values():
            if peer.hears_events:
                peer.push({"what": kind, "at_s": self.timeline.now, "evse": evse, **values})

    def _flush_world(self) -> None:
        for fd, peer in self._world.items():
            if peer.out:
                more = peer.flush()
                self._poll.modify(fd, select.EPOLLIN | (select.EPOLLOUT if more else 0))


def _listen(path: str, kind: int) -> socket.socket:
    Path(path).unlink(missing_ok=True)
    door = socket.socket(socket.AF_UNIX, kind)
    door.bind(path)
    os.chmod(path, SOCKET_MODE)
    door.listen(16)
    return door


def board_from(settings_file: Path, seed: int | None = None) -> MakeBoard:
    """How to make the board of a settings file. Raises SettingsError or BoardError."""
    settings = load(settings_file)
    _, wired = board_of(settings, settings_file.parent)

    def make(timeline: Timeline, emit: Tell) -> Board:
        return Board(timeline, wired, settings.evse, settings.board.sim, settings_file.parent, emit, Random(seed))

    return make


def _ask_for_realtime() -> None:
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(REALTIME_PRIORITY))
    except PermissionError:
        return


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="The simulated board's process.")
    parser.add_argument("--socket", required=True, help="path of the firmware's socket")
    parser.add_argument("--control", required=True, help="path of the world's socket")
    parser.add_argument("--config", required=True, type=Path, help="the settings file")
    parser.add_argument("--seed", type=int, help="makes noise and conversion times repeatable")
    options = parser.parse_args(arguments)
    server = Server(options.socket, options.control, board_from(options.config, options.seed))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _ask_for_realtime()
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    print("ready", flush=True)
    server.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
